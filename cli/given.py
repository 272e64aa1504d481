"""Files that a person names to a command: read whole, or refused by name."""

from __future__ import annotations

from pathlib import Path

from runtime.refusals import Invalid, NotFound


class FileMissing(NotFound):
    """There is no file {path}."""


class FileNotReadable(Invalid):
    """{path} cannot be read: {problem}."""


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
