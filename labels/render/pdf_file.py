"""The structure of a PDF of labels: objects that all pages share, pages in blocks, and where each object stands.

Memory does not grow with the pages: page objects leave in compressed blocks (object streams, ISO 32000, 7.5.7), and the
rows of the cross-reference stream wait in a temporary file. The same pages give the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import tempfile
import zlib
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Final, Self

import numpy as np
import numpy.typing as npt
import pikepdf

from labels.furniture import Furniture
from labels.render.files import HashedFile
from labels.render.stamps import POINTS_PER_MM, finder_path, number

PAGES_PER_BLOCK: Final = 256
_ROW: Final = 8
"""Bytes of a row: one for the kind of object, five for where it is, two for its place in a block."""
_ROWS_TOGETHER: Final = 1 << 14
_STREAM_END: Final = b"\nendstream\nendobj\n"


class PdfFile:
    """Writes pages one after the other, and closes the file with page tree and cross-reference stream.

    ``openings`` are beginnings of page streams that many pages share: a page is one of them and a stream of its own.
    """

    def __init__(self, file: HashedFile, furniture: Furniture, side: int, openings: Sequence[bytes]) -> None:
        self.pages = 0
        self._file, self._template = file, furniture.template
        self._body = _shared_body(furniture, side, title=f"{furniture.text.product_name} {furniture.text.lot}")
        self._front = list(self._body.offsets)
        self._openings: list[tuple[int, int]] = []
        self._nodes = array("Q")
        self._told = hashlib.sha256()
        file.write(self._body.start)
        for opening in openings:
            self._front.append(file.bytes)
            self._openings.append(self._write_stream(len(self._front) - 1, zlib.compress(opening, 9)))
        self.front_bytes = file.bytes
        self._next = len(self._front)
        self._begin_block()
        self._rows = _Rows(file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._rows.close()

    @property
    def finders(self) -> bytes:
        """The path of the finders that all symbols share, as it stands in the file."""
        return self._body.finders

    @property
    def openings(self) -> list[tuple[int, int]]:
        """Where each opening begins in the file, and its length."""
        return self._openings

    def shared(self, opening: int | None) -> tuple[int, ...]:
        """The numbers of the streams that a page with this opening shares with others."""
        return () if opening is None else (len(self._body.offsets) + opening,)

    @property
    def told(self) -> str:
        """A hash over what each page is, in their order (see ``page_tree.require``)."""
        return self._told.hexdigest()

    def add_page(self, stream: bytes, shared: Sequence[int] = ()) -> tuple[int, int]:
        """A page of shared streams and this compressed one; where that begins in the file, and its length."""
        own = self._next + len(self._offsets)
        self._offsets.append(self._file.bytes)
        streams = b" ".join(b"%d 0 R" % each for each in (*shared, own))
        self._contents.append(b"[%b]" % streams if shared else streams)
        place = self._write_stream(own, stream)
        self._told.update(b"%b:%d:" % (b",".join(b"%d" % each for each in shared), len(stream)))
        self._told.update(stream)
        self.pages += 1
        if len(self._offsets) == PAGES_PER_BLOCK:
            self._close_block()
        return place

    def finish(self) -> None:
        """Write the page tree, the cross-reference stream and the end."""
        self._close_block()
        width = number(self._template.page_width_mm * POINTS_PER_MM)
        height = number(self._template.page_height_mm * POINTS_PER_MM)
        kids = b" ".join(b"%d 0 R" % node for node in self._nodes)
        self._front[self._body.pages] = self._file.bytes
        self._file.write(
            b"%d 0 obj\n<</Type/Pages/Count %d/MediaBox[0 0 %s %s]/Resources %d 0 R/Kids[%s]>>\nendobj\n"
            % (self._body.pages, self.pages, width, height, self._body.resources, kids)
        )
        self._write_end()
        self.flush()

    def flush(self) -> None:
        """Hand what was written to the operating system, so that another reader of the file sees it."""
        self._file.flush()

    def _begin_block(self) -> None:
        self._offsets = array("Q")
        self._contents: list[bytes] = []

    def _close_block(self) -> None:
        """Write the page objects of a block, and the node of the page tree that holds them, as one object stream.

        Numbers run on: streams of the pages, pages, node, object stream.
        """
        count = len(self._offsets)
        if not count:
            return
        pages, node, block = self._next + count, self._next + 2 * count, self._next + 2 * count + 1
        objects = [b"<</Type/Page/Parent %d 0 R/Contents %b>>" % (node, each) for each in self._contents]
        kids = b" ".join(b"%d 0 R" % (pages + index) for index in range(count))
        objects.append(b"<</Type/Pages/Parent %d 0 R/Count %d/Kids[%b]>>" % (self._body.pages, count, kids))
        starts = np.cumsum([0, *(len(each) + 1 for each in objects)])[:-1].tolist()
        heads = b" ".join(b"%d %d" % (pages + index, start) for index, start in enumerate(starts))
        packed = zlib.compress(heads + b"\n" + b"\n".join(objects), 9)
        start, kind = self._file.bytes, b"/Type/ObjStm/N %d/First %d" % (len(objects), len(heads) + 1)
        self._write_stream(block, packed, kind)
        self._rows.add(_rows_at(self._offsets))
        self._rows.add(_rows_in(block, len(objects)))
        self._rows.add(_rows_at([start]))
        self._nodes.append(node)
        self._next = block + 1
        self._begin_block()

    def _write_end(self) -> None:
        start = self._file.bytes
        front = np.concatenate([np.zeros(1, np.uint64), _rows_at(self._front[1:])])
        identity = self._file.sha256[:32].encode("ascii")
        with tempfile.TemporaryFile(dir=self._file.path.parent) as packed:  # its length is told before it
            self._rows.pack(packed, front, _rows_at([start]))
            self._file.write(
                b"%d 0 obj\n<</Type/XRef/Size %d/W[1 5 2]/Root %d 0 R/Info %d 0 R/ID[<%s><%s>]/Length %d"
                b"/Filter/FlateDecode/DecodeParms<</Predictor 12/Columns %d>>>>stream\n"
                % (
                    self._next, self._next + 1, self._body.root, self._body.info, identity, identity, packed.tell(),
                    _ROW,
                )
            )  # fmt: skip
            packed.seek(0)
            while piece := packed.read(1 << 16):
                self._file.write(piece)
        self._file.write(_STREAM_END + b"startxref\n%d\n%%%%EOF\n" % start)

    def _write_stream(self, object_number: int, stream: bytes, kind: bytes = b"") -> tuple[int, int]:
        self._file.write(b"%d 0 obj\n<<%b/Length %d/Filter/FlateDecode>>stream\n" % (object_number, kind, len(stream)))
        begin = self._file.bytes
        self._file.write(stream)
        self._file.write(_STREAM_END)
        return begin, len(stream)


class _Rows:
    """Rows of the cross-reference in the order of their objects, beside the file until its end is written."""

    def __init__(self, file: HashedFile) -> None:
        self._kept: IO[bytes] = tempfile.TemporaryFile(dir=file.path.parent)  # noqa: SIM115 - closed by close

    def add(self, rows: npt.NDArray[np.uint64]) -> None:
        self._kept.write(rows.astype(">u8").tobytes())

    def pack(self, packed: IO[bytes], before: npt.NDArray[np.uint64], after: npt.NDArray[np.uint64]) -> None:
        """Write all rows, each as its difference to the one above (predictor 12), compressed."""
        packer = zlib.compressobj()
        self.add(after)
        self._kept.seek(0)
        above = np.zeros(_ROW, dtype=np.uint8)
        for piece in self._pieces(before):
            rows = np.frombuffer(piece, dtype=np.uint8).reshape(-1, _ROW)
            tagged = np.full((len(rows), _ROW + 1), 2, dtype=np.uint8)
            tagged[0, 1:] = rows[0] - above
            tagged[1:, 1:] = rows[1:] - rows[:-1]
            packed.write(packer.compress(tagged.tobytes()))
            above = rows[-1]
        packed.write(packer.flush())

    def close(self) -> None:
        self._kept.close()

    def _pieces(self, before: npt.NDArray[np.uint64]) -> Iterator[bytes]:
        yield before.astype(">u8").tobytes()
        while piece := self._kept.read(_ROW * _ROWS_TOGETHER):
            yield piece


def _rows_at(offsets: Sequence[int]) -> npt.NDArray[np.uint64]:
    """Rows of objects that begin at these bytes of the file."""
    return np.array(offsets, dtype=np.uint64) << np.uint64(16) | np.uint64(1 << 56)


def _rows_in(block: int, count: int) -> npt.NDArray[np.uint64]:
    """Rows of the objects of an object stream."""
    return np.arange(count, dtype=np.uint64) | np.uint64(2 << 56 | block << 16)


@dataclass(frozen=True, slots=True)
class _Body:
    """The objects that all pages share, as they stand at the front of the file. `offsets` begins with object 0."""

    start: bytes
    offsets: list[int]
    finders: bytes
    root: int
    info: int
    pages: int
    resources: int


def _shared_body(furniture: Furniture, side: int, title: str) -> _Body:
    """The composed cell as a form with its fonts, and a catalogue that asks viewers to print at 100 %."""
    with pikepdf.open(io.BytesIO(furniture.pdf)) as cell, pikepdf.new() as document:
        form = document.copy_foreign(cell.pages[0].as_form_xobject())
        font = form["/Resources"]["/Font"][furniture.serial.font]
        finders = document.make_stream(finder_path(side), Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Form)
        finders["/BBox"] = pikepdf.Array([0, 0, side, side])
        resources = pikepdf.Dictionary(
            XObject=pikepdf.Dictionary(Cell=form, Finders=finders), Font=pikepdf.Dictionary({"/Serial": font})
        )
        # Named in the catalogue only so that it is kept and can be found again: pages inherit it from the page tree.
        document.Root["/TracemarkCell"] = document.make_indirect(resources)
        document.Root["/ViewerPreferences"] = pikepdf.Dictionary(PrintScaling=pikepdf.Name("/None"))
        document.docinfo["/Title"] = title
        out = io.BytesIO()
        document.save(
            out, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.disable, min_version="1.5"
        )
    with pikepdf.open(io.BytesIO(out.getvalue())) as saved:
        root = saved.Root
        numbers = [saved.trailer[key].objgen[0] if key in saved.trailer else 0 for key in ("/Root", "/Info")] + [
            root["/Pages"].objgen[0],
            root["/TracemarkCell"].objgen[0],
        ]
        read = root["/TracemarkCell"]["/XObject"]["/Finders"].read_bytes()
    start, offsets = _cut_before_xref(out.getvalue())
    return _Body(start, offsets, read, *numbers)


def _cut_before_xref(saved: bytes) -> tuple[bytes, list[int]]:
    """The objects of a saved file and where each begins; its own table is left out, the writer appends a new one."""
    table = int(saved[saved.rindex(b"startxref") + len(b"startxref") :].split()[0])
    lines = saved[table:].splitlines()
    if lines[0] != b"xref" or not lines[1].startswith(b"0 "):
        raise AssertionError("the composed cell was not saved with a plain cross-reference table")
    count = int(lines[1].split()[1])
    return saved[:table], [int(line.split()[0]) for line in lines[2 : 2 + count]]
