"""Label sheets and rolls as PDF: one composed cell shared by all pages, symbols and serials stamped as vectors.

Memory does not grow with the job: only the place of each object in the file is kept. The same job gives the same bytes.
"""

from __future__ import annotations

import io
import re
import zlib
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pikepdf

from labels.furniture import Furniture
from labels.layout import MM_PER_INCH
from labels.model import Batch, OutputFile, VerifyReport
from labels.render.files import HashedFile, Tally, replacing
from labels.render.picture import require_clear_quiet_zone
from labels.symbol import Drawn, SymbolPlan, as_bytes
from labels.verify import PageSample, checked, read_pages
from serials.alphabet import ALPHABET, Serials

LABELS_MAX: Final = 2_000_000
"""Labels of one PDF file."""
PAGES_PER_NODE: Final = 256
COMPRESSION: Final = 3
"""zlib level: for these streams both faster and smaller than level 1."""
_POINTS_PER_MM: Final = 72 / MM_PER_INCH


def write_pdf(
    target: Path, furniture: Furniture, plan: SymbolPlan, batches: Iterable[Batch], *, start_cell: int = 1
) -> OutputFile:
    """Write the labels of the batches to `target`, beginning at cell `start_cell` (1-based) of the first page.

    Each symbol is read back from its modules before it is written, and the first pages and the last are rasterised
    from the finished file and read again; SymbolReadsWrong leaves no file behind.
    """
    furniture.template.check_start_cell(start_cell)
    require_clear_quiet_zone(furniture)
    tally = Tally("pdf", LABELS_MAX)
    with replacing(target) as file:
        pages = _Pages(file, furniture, plan, first_cell=start_cell - 1)
        for drawn in checked(plan.form, plan.draw_all(batches), plan.side):
            tally.add(drawn.first_label, len(drawn.serials))
            pages.stamp(drawn)
        tally.require_labels()
        pages.finish()
        file.flush()
        report = read_pages(file.path, pages.sample, furniture.template, furniture.placement)
        return tally.output(target, file, VerifyReport(tally.labels, report.labels, report.pages, report.dpi))


class _Pages:
    """Fills cells, writes a page when it is full, and closes the file with page tree and cross-reference table."""

    def __init__(self, file: HashedFile, furniture: Furniture, plan: SymbolPlan, *, first_cell: int) -> None:
        self.sample = PageSample()
        self._file, self._form = file, plan.form
        self._template = furniture.template
        self._stamps = _Stamps(furniture, plan.side)
        self._body = _shared_body(furniture, title=f"{furniture.text.product_name} {furniture.text.lot}")
        self._offsets = array("Q", self._body.offsets)
        self._page_numbers: list[int] = []
        self._node_numbers: list[int] = []
        self._node = 0
        self._pages = 0
        self._cell = first_cell
        self._pieces: list[bytes] = []
        self._expected: list[tuple[int, int, str]] = []
        file.write(self._body.start)

    def stamp(self, drawn: Drawn) -> None:
        """Put labels into the next cells."""
        links = self._form.links(drawn.serials)
        for row, (symbol, serial) in enumerate(self._stamps.strings(drawn)):
            self._pieces += (self._stamps.at_cell[self._cell], symbol, self._stamps.before_serial, serial)
            self._pieces.append(_AFTER_LABEL)
            self._expected.append((self._cell, drawn.first_label + row, links[row]))
            self._cell += 1
            if self._cell == self._template.cells:
                self._close_page()

    def finish(self) -> None:
        """Write the last page, the page tree, the cross-reference table and the trailer."""
        if self._pieces:
            self._close_page()
        self._close_node()
        kids = b" ".join(b"%d 0 R" % number for number in self._node_numbers)
        width = _number(self._template.page_width_mm * _POINTS_PER_MM)
        height = _number(self._template.page_height_mm * _POINTS_PER_MM)
        self._write_object(
            self._body.pages,
            b"<</Type/Pages/Count %d/MediaBox[0 0 %s %s]/Resources %d 0 R/Kids[%s]>>"
            % (self._pages, width, height, self._body.resources, kids),
        )
        self._write_end()

    def _close_page(self) -> None:
        if not self._page_numbers:
            self._node = self._new_number()
        stream = zlib.compress(b"0 0 0 1 k\n" + b"".join(self._pieces), COMPRESSION)
        contents, page = self._new_number(), self._new_number()
        self._write_object(contents, b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(stream), stream))
        self._write_object(page, b"<</Type/Page/Parent %d 0 R/Contents %d 0 R>>" % (self._node, contents))
        self._page_numbers.append(page)
        self._pages += 1
        self.sample.keep(self._pages, self._expected)
        self._pieces, self._expected, self._cell = [], [], 0
        if len(self._page_numbers) == PAGES_PER_NODE:
            self._close_node()

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


_AFTER_LABEL: Final = b">Tj ET Q\n"


class _Stamps:
    """The pieces of a page's stream: what comes before each cell's symbol, and symbols and serials as strings."""

    def __init__(self, furniture: Furniture, side: int) -> None:
        template, placement, serial = furniture.template, furniture.placement, furniture.serial
        self._side = side
        self._runs = _run_strings(side)
        self._keys = np.arange(side * -(-side // 8), dtype=np.int32) * 256
        self._glyphs = np.zeros((256, 4), dtype=np.uint8)
        for character, code in zip(ALPHABET, serial.codes, strict=True):
            self._glyphs[ord(character)] = np.frombuffer(code.encode("ascii"), dtype=np.uint8)
        matrix = b" ".join(_number(value) for value in serial.matrix)
        self.before_serial = b"f Q BT/Serial %s Tf %s Tm<" % (_number(serial.size), matrix)
        self.at_cell = []
        module = _number(placement.module_mm * _POINTS_PER_MM)
        for index in range(template.cells):
            cell = template.cell(index)
            x_mm, y_mm = cell.left_mm, template.page_height_mm - cell.top_mm - cell.height_mm
            # The symbol stands on whole dots of the page, wherever its cell begins.
            left_mm = round((cell.left_mm + placement.left_mm) / placement.dot_mm) * placement.dot_mm - cell.left_mm
            top_mm = round((cell.top_mm + placement.top_mm) / placement.dot_mm) * placement.dot_mm - cell.top_mm
            origin = (_number(x_mm * _POINTS_PER_MM), _number(y_mm * _POINTS_PER_MM))
            symbol_x = _number(left_mm * _POINTS_PER_MM)
            symbol_y = _number((cell.height_mm - top_mm) * _POINTS_PER_MM)
            self.at_cell.append(
                b"q 1 0 0 1 %s %s cm/Cell Do q %s 0 0 -%s %s %s cm\n" % (*origin, module, module, symbol_x, symbol_y)
            )

    def strings(self, drawn: Drawn) -> Iterator[tuple[bytes, bytes]]:
        """For each label the path of its symbol, in modules, and the glyph codes of its serial."""
        lines = as_bytes(drawn.modules, self._side).reshape(len(drawn.modules), -1)
        keys = (lines + self._keys).tolist()
        runs = self._runs
        for row, glyphs in zip(keys, self._glyph_codes(drawn.serials), strict=True):
            yield b"".join([runs[key] for key in row]), glyphs

    def _glyph_codes(self, serials: Serials) -> list[bytes]:
        codes = self._glyphs[serials].reshape(len(serials), -1)
        return [row.tobytes() for row in codes]


def _run_strings(side: int) -> list[bytes]:
    """For each line, each byte in it and each value of the byte: its dark runs as rectangles, in modules."""
    by_value = [_dark_runs(value) for value in range(256)]
    return [
        b"".join(b"%d %d %d 1 re\n" % (start + left, line, width) for left, width in runs)
        for line in range(side)
        for start in range(0, side, 8)
        for runs in by_value
    ]


def _dark_runs(value: int) -> list[tuple[int, int]]:
    """The runs of ones in a byte as (first bit from the left, length)."""
    return [(run.start(), len(run.group())) for run in re.finditer("1+", f"{value:08b}")]


@dataclass(frozen=True, slots=True)
class _Body:
    """The objects that all pages share, as they stand at the front of the file. `offsets` begins with object 0."""

    start: bytes
    offsets: list[int]
    root: int
    info: int
    pages: int
    resources: int


def _shared_body(furniture: Furniture, title: str) -> _Body:
    """The composed cell as a form with its fonts, and a catalogue that asks viewers to print at 100 %."""
    with pikepdf.open(io.BytesIO(furniture.pdf)) as cell, pikepdf.new() as document:
        form = document.copy_foreign(cell.pages[0].as_form_xobject())
        font = form["/Resources"]["/Font"][furniture.serial.font]
        resources = pikepdf.Dictionary(
            XObject=pikepdf.Dictionary(Cell=form), Font=pikepdf.Dictionary({"/Serial": font})
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
    start, offsets = _cut_before_xref(out.getvalue())
    return _Body(start, offsets, *numbers)


def _cut_before_xref(saved: bytes) -> tuple[bytes, list[int]]:
    """The objects of a saved file and where each begins; its own table is left out, the writer appends a new one."""
    table = int(saved[saved.rindex(b"startxref") + len(b"startxref") :].split()[0])
    lines = saved[table:].splitlines()
    if lines[0] != b"xref" or not lines[1].startswith(b"0 "):
        raise AssertionError("the composed cell was not saved with a plain cross-reference table")
    count = int(lines[1].split()[1])
    return saved[:table], [int(line.split()[0]) for line in lines[2 : 2 + count]]


def _number(value: float) -> bytes:
    """A number as PDF writes it, to a ten-thousandth."""
    return (f"{value:.4f}".rstrip("0").rstrip(".") or "0").encode("ascii")
