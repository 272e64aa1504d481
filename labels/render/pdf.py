"""Label sheets and rolls as PDF: one composed cell shared by all pages, symbols and serials stamped as vectors.

Memory does not grow with the job: only the place of each object in the file is kept. The same job gives the same bytes.
"""

from __future__ import annotations

import io
import re
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import pikepdf
from isal import isal_zlib

from labels.furniture import Furniture
from labels.model import Batch, OutputFile, VerifyReport
from labels.render.files import HashedFile, Tally, replacing
from labels.render.page_reader import PageReader
from labels.render.picture import require_clear_quiet_zone
from labels.render.stamps import POINTS_PER_MM, Stamped, Stamps, finder_path, number
from labels.symbol import Drawn, SymbolPlan
from labels.verify import LABELS_READ_MAX, READ_TOGETHER, PageSample, read_pages

LABELS_MAX: Final = 2_000_000
"""Labels of one PDF file."""
PAGES_PER_NODE: Final = 256
COMPRESSION: Final = 3
"""Level of the vectorised deflate: as small as level 3 of zlib on these streams, three times as fast."""


def write_pdf(
    target: Path,
    furniture: Furniture,
    plan: SymbolPlan,
    batches: Iterable[Batch],
    *,
    start_cell: int = 1,
    rasterised_max: int = LABELS_READ_MAX,
) -> OutputFile:
    """Write the labels of the batches to `target`, beginning at cell `start_cell` (1-based) of the first page.

    Each label is read back from the bytes of its page in the file, and the first pages and the last are rasterised
    from the finished file and read again; SymbolReadsWrong leaves no file behind.
    """
    tally = Tally("pdf", LABELS_MAX)
    with replacing(target) as file:
        sample = PageSample(rasterised_max)
        stamp_pages(file, furniture, plan, plan.draw_all(batches), tally, start_cell=start_cell, sample=sample)
        report = read_pages(file.path, sample, furniture.template, furniture.placement)
        verified = VerifyReport(tally.labels, report.labels, report.pages, report.dpi, from_bytes=tally.labels)
        return tally.output(target, file, verified)


def stamp_pages(
    file: HashedFile, furniture: Furniture, plan: SymbolPlan, drawn: Iterable[Drawn], tally: Tally, *,
    start_cell: int = 1, sample: PageSample, read_back: bool = True,
) -> None:  # fmt: skip
    """Write a whole PDF. With ``read_back`` each page is read from the file as soon as it is in it; ``sample`` is told
    which labels stand where."""
    furniture.template.check_start_cell(start_cell)
    require_clear_quiet_zone(furniture)
    with file.path.open("rb") as written:
        reread = written if read_back else None
        pages = _Pages(file, furniture, plan, first_cell=start_cell - 1, sample=sample, reread=reread)
        for piece in drawn:
            tally.add(piece.first_label, len(piece.serials))
            pages.stamp(piece)
        tally.require_labels()
        pages.finish()
        file.flush()


def join_pdf(file: HashedFile, furniture: Furniture, side: int, parts: Iterable[Path]) -> int:
    """Write one PDF of the pages of several that were stamped over the same cell; how many pages it has."""
    document = _Document(file, furniture, side)
    for part in parts:
        for stream in document.streams_of(part):
            document.add_page(stream)
    document.finish()
    file.flush()
    return document.pages


class _Pages:
    """Fills cells, and hands a page on when it is full."""

    def __init__(
        self, file: HashedFile, furniture: Furniture, plan: SymbolPlan, *, first_cell: int, sample: PageSample,
        reread: BinaryIO | None,
    ) -> None:  # fmt: skip
        self._sample, self._file, self._reread = sample, file, reread
        self._form, self._cells = plan.form, furniture.template.cells
        self._stamps = Stamps(furniture, plan.side)
        self._document = _Document(file, furniture, plan.side)
        self._reader = PageReader(furniture, plan.form, plan.side, self._document.finders)
        self._first_cell = first_cell
        self._stamped: list[Stamped] = []
        self._expected: list[tuple[int, int, str]] = []
        self._unread: list[tuple[int, int, list[tuple[int, int, str]]]] = []  # begin in the file, length, labels
        self._labels_unread = 0

    def stamp(self, drawn: Drawn) -> None:
        """Put labels into the next cells."""
        links = self._form.links(drawn.serials)
        stamped = self._stamps.stamped(drawn)
        at = 0
        while at < len(links):
            cell = self._first_cell + len(self._stamped)
            taken = min(self._cells - cell, len(links) - at)
            first = drawn.first_label + at
            self._stamped += stamped[at : at + taken]
            self._expected += zip(
                range(cell, cell + taken), range(first, first + taken), links[at : at + taken], strict=True
            )
            at += taken
            if cell + taken == self._cells:
                self._close_page()

    def finish(self) -> None:
        """Write the last page and the end of the file."""
        if self._stamped:
            self._close_page()
        self._read_back()
        self._document.finish()

    def _close_page(self) -> None:
        content = self._stamps.page(self._first_cell, self._stamped)
        begin, length = self._document.add_page(isal_zlib.compress(content, COMPRESSION))
        self._unread.append((begin, length, self._expected))
        self._labels_unread += len(self._expected)
        if self._labels_unread >= READ_TOGETHER:
            self._read_back()
        self._sample.keep(self._document.pages, self._expected)
        self._stamped, self._expected, self._first_cell = [], [], 0

    def _read_back(self) -> None:
        """Read the pages that were written since the last time, many together: a roll has one label on each."""
        if self._reread is not None and self._unread:
            self._file.flush()
            start = self._unread[0][0]
            self._reread.seek(start)
            written = memoryview(self._reread.read(sum(self._unread[-1][:2]) - start))
            self._reader.read([(written[at - start :][:length], labels) for at, length, labels in self._unread])
        self._unread, self._labels_unread = [], 0


class _Document:
    """Writes pages one after the other, and closes the file with page tree and cross-reference table."""

    def __init__(self, file: HashedFile, furniture: Furniture, side: int) -> None:
        self.pages = 0
        self._file, self._template = file, furniture.template
        self._body = _shared_body(furniture, side, title=f"{furniture.text.product_name} {furniture.text.lot}")
        self._offsets = array("Q", self._body.offsets)
        self._page_numbers: list[int] = []
        self._node_numbers: list[int] = []
        self._node = 0
        file.write(self._body.start)

    @property
    def finders(self) -> bytes:
        """The path of the finders that all symbols share, as it stands in the file."""
        return self._body.finders

    def add_page(self, stream: bytes) -> tuple[int, int]:
        """A page with this compressed stream; where the stream begins in the file, and its length."""
        if not self._page_numbers:
            self._node = self._new_number()
        contents, page = self._new_number(), self._new_number()
        self._write_object(contents, b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(stream), stream))
        begin = self._file.bytes - len(b"\nendstream\nendobj\n") - len(stream)
        self._write_object(page, b"<</Type/Page/Parent %d 0 R/Contents %d 0 R>>" % (self._node, contents))
        self._page_numbers.append(page)
        self.pages += 1
        if len(self._page_numbers) == PAGES_PER_NODE:
            self._close_node()
        return begin, len(stream)

    def streams_of(self, path: Path) -> Iterator[bytes]:
        """The compressed streams of the pages of a file that was written over the same cell."""
        saved = path.read_bytes()
        _, offsets = _cut_before_xref(saved)
        for offset in offsets[len(self._body.offsets) :]:
            found = _STREAM.match(saved, offset)
            if found is not None:
                yield saved[found.end() : found.end() + int(found[1])]

    def finish(self) -> None:
        """Write the page tree, the cross-reference table and the trailer."""
        self._close_node()
        kids = b" ".join(b"%d 0 R" % node for node in self._node_numbers)
        width = number(self._template.page_width_mm * POINTS_PER_MM)
        height = number(self._template.page_height_mm * POINTS_PER_MM)
        self._write_object(
            self._body.pages,
            b"<</Type/Pages/Count %d/MediaBox[0 0 %s %s]/Resources %d 0 R/Kids[%s]>>"
            % (self.pages, width, height, self._body.resources, kids),
        )
        self._write_end()

    def _close_node(self) -> None:
        if not self._page_numbers:
            return
        kids = b" ".join(b"%d 0 R" % number for number in self._page_numbers)
        self._write_object(
            self._node,
            b"<</Type/Pages/Parent %d 0 R/Count %d/Kids[%s]>>" % (self._body.pages, len(self._page_numbers), kids),
        )
        self._node_numbers.append(self._node)
        self._page_numbers = []

    def _write_end(self) -> None:
        start = self._file.bytes
        self._file.write(b"xref\n0 %d\n0000000000 65535 f \n" % len(self._offsets))
        for offset in self._offsets[1:]:
            self._file.write(b"%010d 00000 n \n" % offset)
        identity = self._file.sha256[:32].encode("ascii")
        self._file.write(
            b"trailer\n<</Size %d/Root %d 0 R/Info %d 0 R/ID[<%s><%s>]>>\nstartxref\n%d\n%%%%EOF\n"
            % (len(self._offsets), self._body.root, self._body.info, identity, identity, start)
        )

    def _new_number(self) -> int:
        self._offsets.append(0)
        return len(self._offsets) - 1

    def _write_object(self, number: int, body: bytes) -> None:
        self._offsets[number] = self._file.bytes
        self._file.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))


_STREAM: Final = re.compile(rb"\d+ 0 obj\n<</Length (\d+)/Filter/FlateDecode>>stream\n")


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
        document.save(out, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.disable)
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
