"""Walking the pages of a finished PDF of labels as another program would: end, cross-reference, page tree, streams.

It shares no code with what writes such files, and knows nothing but them: anything else is refused. What it holds does
not grow with the pages: rows of the cross-reference are laid out in a temporary file.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, Final

import numpy as np
import numpy.typing as npt

_END: Final = re.compile(rb"startxref\n(\d+)\n%%EOF\n\Z")
_XREF: Final = re.compile(
    rb"\d+ 0 obj\n<</Type/XRef/Size (\d+)/W\[1 5 2\]/Root (\d+) 0 R.{0,200}?/Length (\d+)"
    rb"/Filter/FlateDecode/DecodeParms<</Predictor 12/Columns 8>>>>stream\n",
    re.DOTALL,
)
_STREAM: Final = re.compile(rb"(\d+) 0 obj\n<</Length (\d+)/Filter/FlateDecode>>stream\n")
_BLOCK: Final = re.compile(
    rb"(\d+) 0 obj\n<</Type/ObjStm/N (\d+)/First (\d+)/Length (\d+)/Filter/FlateDecode>>stream\n"
)
_TREE: Final = re.compile(rb"/Pages (\d+) 0 R")
_REFERENCE: Final = re.compile(rb"(\d+) 0 R")
_PAGE: Final = re.compile(rb"<</Type/Page/Parent (\d+) 0 R/Contents (\[[^\]]*\]|\d+ 0 R)>>")
_NODE: Final = re.compile(rb"<</Type/Pages/Parent (\d+) 0 R/Count (\d+)/Kids\[([^\]]*)\]>>")
_ROW: Final = 8
_HEAD: Final = 400
"""Bytes in which the head of a stream ends."""
_TOGETHER: Final = 1 << 16


class NotAsWritten(ValueError):
    """A finished file is not the file of labels that it must be."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page as the page tree leads to it: the numbers of the streams that it shares with others, and its own."""

    shared: tuple[int, ...]
    stream: bytes


def require(path: Path, told: str, keep: Collection[int] = ()) -> list[Page]:
    """NotAsWritten unless the page tree of a finished file leads to the pages that its writer told, in their order.

    ``told`` is a hash over each page: the numbers of the streams that it shares, the length of its own, and that.
    Gives back the pages with the numbers ``keep``, counted from 1, in their order.
    """
    digest, kept = hashlib.sha256(), []
    for at, page in enumerate(pages_of(path), 1):
        shared = b",".join(str(each).encode("ascii") for each in page.shared)
        digest.update(b"%b:%d:%b" % (shared, len(page.stream), page.stream))
        if at in keep:
            kept.append(page)
    if digest.hexdigest() != told:
        raise NotAsWritten("its page tree leads to other pages than were written")
    return kept


def pages_of(path: Path) -> Iterator[Page]:
    """The pages of a finished file in the order of its page tree; NotAsWritten where something else stands."""
    with path.open("rb") as file, tempfile.TemporaryFile(dir=path.parent) as rows:
        yield from _Walk(file, rows).pages()


class _Walk:
    """One walk through one file."""

    def __init__(self, file: BinaryIO, rows: IO[bytes]) -> None:
        self._file, self._rows = file, rows

    def pages(self) -> Iterator[Page]:
        tree = self._tree()
        text = self._object(tree)
        nodes = [int(found) for found in _REFERENCE.findall(_after(text, b"/Kids["))]
        seen = 0
        for node in nodes:
            for page in self._pages_below(node, tree):
                seen += 1
                yield page
        if b"/Count %d/" % seen not in text:
            raise NotAsWritten(f"the page tree does not count its {seen} pages")

    def _tree(self) -> int:
        """Lay out the rows of the cross-reference; the number of the root of the page tree."""
        size = self._file.seek(0, os.SEEK_END)
        found = _END.search(self._read(max(0, size - 64), 64))
        start = int(found[1]) if found else size
        head = _XREF.match(self._read(start, _HEAD))
        if head is None:
            raise NotAsWritten("the file does not end with its cross-reference")
        self._lay_out(start + head.end(), int(head[3]), int(head[1]))
        root = _TREE.search(self._object(int(head[2])))
        if root is None:
            raise NotAsWritten("the catalogue names no page tree")
        return int(root[1])

    def _lay_out(self, start: int, length: int, count: int) -> None:
        opener, above, held, laid = zlib.decompressobj(), np.zeros(_ROW, dtype=np.uint8), b"", 0
        for at in range(start, start + length, _TOGETHER):
            held += opener.decompress(self._read(at, min(_TOGETHER, start + length - at)))
            whole = len(held) // (_ROW + 1) * (_ROW + 1)
            if not whole:
                continue
            tagged = np.frombuffer(held[:whole], dtype=np.uint8).reshape(-1, _ROW + 1)
            if (tagged[:, 0] != 2).any():
                raise NotAsWritten("a row of the cross-reference is not the difference to the one above")
            rows = np.cumsum(np.vstack([above, tagged[:, 1:]]), axis=0, dtype=np.uint8)
            self._rows.write(rows[1:].tobytes())
            above, held, laid = rows[-1], held[whole:], laid + len(tagged)
        if held or laid != count or not opener.eof:
            raise NotAsWritten("the cross-reference has not a row for each object")

    def _pages_below(self, node: int, tree: int) -> Iterator[Page]:
        """The pages of one node: they and it stand in one object stream."""
        (kind, block, _), *_ = self._row(node, 1)
        (block_kind, start, _), *_ = self._row(block, 1)
        if (kind, block_kind) != (2, 1):
            raise NotAsWritten("a node of the page tree is in no object stream")
        objects = self._block(block, start)
        found = _NODE.fullmatch(objects[node])
        if found is None or int(found[1]) != tree:
            raise NotAsWritten("a node of the page tree is none")
        kids = [int(each) for each in _REFERENCE.findall(found[3])]
        if len(kids) != int(found[2]) or any(row[:2] != (2, block) for row in self._row(kids[0], len(kids))):
            raise NotAsWritten("a node of the page tree counts other pages than it has")
        contents = [self._contents(objects[kid], node) for kid in kids]
        yield from self._streams(contents)

    def _contents(self, page: bytes, node: int) -> tuple[int, ...]:
        found = _PAGE.fullmatch(page)
        if found is None or int(found[1]) != node:
            raise NotAsWritten("a page is none")
        return tuple(int(each) for each in _REFERENCE.findall(found[2]))

    def _streams(self, contents: list[tuple[int, ...]]) -> Iterator[Page]:
        """The pages with these streams; their own ones stand one after the other."""
        own = [each[-1] for each in contents]
        if own != list(range(own[0], own[0] + len(own))):
            raise NotAsWritten("streams of pages are out of their order")
        rows = self._row(own[0], len(own))
        starts = [at for kind, at, _ in rows if kind == 1]
        if len(starts) != len(own):
            raise NotAsWritten("a stream of a page is not in the file")
        begin = min(starts)
        last = _STREAM.match(self._read(max(starts), _HEAD))
        text = self._read(begin, max(starts) - begin + (last.end() + int(last[2]) if last else 0))
        for object_number, start, each in zip(own, starts, contents, strict=True):
            head = _STREAM.match(text, start - begin)
            if head is None or int(head[1]) != object_number:
                raise NotAsWritten(f"object {object_number} is not where the cross-reference says")
            yield Page(each[:-1], text[head.end() : head.end() + int(head[2])])

    def _block(self, number: int, start: int) -> dict[int, bytes]:
        """The objects of an object stream."""
        head = _BLOCK.match(self._read(start, _HEAD))
        if head is None or int(head[1]) != number:
            raise NotAsWritten(f"object {number} is no object stream")
        text = zlib.decompress(self._read(start + head.end(), int(head[4])))
        first = int(head[3])
        numbers = [int(each) for each in text[:first].split()]
        starts = [first + each for each in numbers[1::2]]
        ends = [*starts[1:], len(text) + 1]
        if len(numbers) != 2 * int(head[2]):
            raise NotAsWritten(f"object stream {number} does not count its objects")
        return {key: text[begin : end - 1] for key, begin, end in zip(numbers[::2], starts, ends, strict=True)}

    def _object(self, number: int) -> bytes:
        """An object that stands in the file by itself."""
        (kind, start, _), *_ = self._row(number, 1)
        text, at = b"", start
        while (end := text.find(b"\nendobj\n")) < 0:
            piece = self._read(at, _TOGETHER)
            if not piece:
                raise NotAsWritten(f"object {number} has no end")
            text, at = text + piece, at + len(piece)
        if kind != 1 or not text.startswith(b"%d 0 obj\n" % number):
            raise NotAsWritten(f"object {number} is not where the cross-reference says")
        return text[:end]

    def _row(self, first: int, count: int) -> list[tuple[int, int, int]]:
        """Rows of objects: kind, where, place in a block."""
        self._rows.seek(first * _ROW)
        rows: npt.NDArray[np.int64] = np.frombuffer(self._rows.read(count * _ROW), dtype=">u8").astype(np.int64)
        if len(rows) != count:
            raise NotAsWritten("an object has no row in the cross-reference")
        return [(row >> 56, row >> 16 & (1 << 40) - 1, row & 0xFFFF) for row in rows.tolist()]

    def _read(self, start: int, length: int) -> bytes:
        self._file.seek(start)
        return self._file.read(length)


def _after(text: bytes, word: bytes) -> bytes:
    return text.partition(word)[2]
