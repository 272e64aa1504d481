"""Writing a file so that nobody ever sees half of it: under another name first, then renamed."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeVar

from labels.model import LabelFormat, OutputFile, VerifyReport
from labels.refusals import NothingToPrint, TooManyLabelsForOneFile

GoOn = Callable[[], None]
"""Asked between two pieces of long work; raises what shall end it."""
T = TypeVar("T")


def asking(go_on: GoOn, pieces: Iterable[T]) -> Iterator[T]:
    """Hand the pieces on, asking before each."""
    for piece in pieces:
        go_on()
        yield piece


class HashedFile:
    """A file written from front to back whose length and SHA-256 are known when it ends."""

    def __init__(self, handle: BinaryIO, path: Path) -> None:
        self.path = path
        self.bytes = 0
        self._handle = handle
        self._digest = hashlib.sha256()

    def write(self, piece: bytes) -> int:
        """Append a piece."""
        self._digest.update(piece)
        self.bytes += len(piece)
        return self._handle.write(piece)

    def flush(self) -> None:
        """Hand what was written to the operating system, so that another reader of `path` sees it."""
        self._handle.flush()

    def close(self) -> None:
        """An archive closes what it writes into; the block of `replacing` has more to do first, and closes it then."""

    @property
    def sha256(self) -> str:
        """The hash of everything written so far, in hexadecimal."""
        return self._digest.hexdigest()


@contextmanager
def replacing(target: Path) -> Iterator[HashedFile]:
    """A file that appears at `target`, in place of an older one, when the block ends well; else nothing is left."""
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as handle:
            yield HashedFile(handle, part)
            handle.flush()
            os.fsync(handle.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


class Tally:
    """Counts labels as they are written and refuses one more than a format's limit."""

    def __init__(self, kind: LabelFormat, labels_max: int) -> None:
        self.first = self.last = self.labels = 0
        self._kind, self._labels_max = kind, labels_max

    def add(self, first_label: int, count: int) -> None:
        """TooManyLabelsForOneFile before the limit is passed."""
        if self.labels + count > self._labels_max:
            raise TooManyLabelsForOneFile(format=self._kind, labels_max=self._labels_max)
        self.first = self.first or first_label
        self.last = first_label + count - 1
        self.labels += count

    def require_labels(self) -> None:
        """NothingToPrint when no label came."""
        if not self.labels:
            raise NothingToPrint

    def output(self, target: Path, file: HashedFile, verified: VerifyReport | None) -> OutputFile:
        """The finished file's description."""
        return OutputFile(target, self._kind, file.sha256, file.bytes, self.first, self.last, self.labels, verified)
