"""The body of a request as it arrives: counted, sealed, and kept in a file where it is large."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from starlette.requests import Request

from web.guards import BodyTooLarge


class Received:
    """A body: ``data``, or ``file`` when it had more bytes than are held in memory. ``digest`` is its SHA-256 with
    what stood before it (``seal``)."""

    def __init__(self, seal: str = "", media_type: str = "") -> None:
        self.media_type = media_type
        self.data = b""
        self.file: Path | None = None
        self._hash = hashlib.sha256(seal.encode())

    @property
    def digest(self) -> bytes:
        """Equal for equal requests."""
        return self._hash.digest()

    async def read(self, request: Request, *, bytes_max: int, held_bytes_max: int, folder: Path | None) -> None:
        """Take the body. Raises ``BodyTooLarge``. Without a folder all of it is held in memory."""
        declared = request.headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > bytes_max:
            raise BodyTooLarge(bytes_max=bytes_max)
        parts: list[bytes] = []
        arrived, file = 0, None
        try:
            async for part in request.stream():
                arrived += len(part)
                if arrived > bytes_max:
                    raise BodyTooLarge(bytes_max=bytes_max)
                self._hash.update(part)
                if file is None and folder is not None and arrived > held_bytes_max:
                    file = self._file_in(folder)
                    file.writelines(parts)
                    parts = []
                if file is None:
                    parts.append(part)
                else:
                    file.write(part)
        finally:
            if file is not None:
                file.close()
        self.data = b"".join(parts)

    def keep(self) -> Path:
        """The file, which is somebody else's from now on."""
        file, self.file = self.file, None
        assert file is not None
        return file

    def discard(self) -> None:
        """Delete the file, unless it was kept."""
        if self.file is not None:
            self.file.unlink(missing_ok=True)

    def _file_in(self, folder: Path) -> BinaryIO:
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / uuid4().hex
        # What it says is for its sender and us alone.
        return os.fdopen(os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
