"""Files that a person names to a command: read whole or written whole, or refused by name."""

from __future__ import annotations

import errno
import secrets
from pathlib import Path
from typing import Final

from runtime.refusals import Invalid, NotFound


class FileMissing(NotFound):
    """There is no file {path}."""


class FileNotReadable(Invalid):
    """{path} cannot be read: {problem}."""


class FileNotWritable(Invalid):
    """{what} cannot be written: {problem}. Free some space, or choose another folder, and give the command again."""


_NOT_WRITABLE: Final = frozenset({
    errno.EACCES, errno.EDQUOT, errno.EEXIST, errno.EFBIG, errno.EISDIR, errno.ENAMETOOLONG, errno.ENOSPC,
    errno.ENOTDIR, errno.EPERM, errno.EROFS,
})  # fmt: skip


def about_writing(error: OSError) -> FileNotWritable | None:
    """What to say of a disk that is full or a folder that takes no file; None when the error is of another kind."""
    if error.errno not in _NOT_WRITABLE:
        return None
    return FileNotWritable(what=error.filename or "A file", problem=error.strerror)


def put_bytes(path: Path, content: bytes) -> None:
    """The file with this content, in place of an older one, which stays when ``FileNotWritable`` is raised."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            part.write_bytes(content)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise FileNotWritable(what=path, problem=error.strerror) from error


def bytes_of(path: Path) -> bytes:
    """All of the file; raises ``FileMissing`` or ``FileNotReadable``. How much it may be says the one who asks."""
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise FileMissing(path=path) from error
    except OSError as error:  # a folder, or not ours to read
        raise FileNotReadable(path=path, problem=error.strerror) from error


def text_of(path: Path) -> str:
    """The same as text in UTF-8, without the blanks around it."""
    try:
        return bytes_of(path).decode("utf-8").strip()
    except UnicodeDecodeError as error:
        raise FileNotReadable(path=path, problem="it is no text in UTF-8") from error
