"""Label sheets and rolls as PDF: one composed cell shared by all pages, symbols and serials stamped as vectors.

Memory does not grow with the job. The same job gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Final

from isal import isal_zlib

from labels.furniture import Furniture
from labels.model import Batch, OutputFile, VerifyReport
from labels.render import page_tree
from labels.render.files import HashedFile, Tally, replacing
from labels.render.page_reader import Expected, PageReader, Streams
from labels.render.pdf_file import PdfFile
from labels.render.picture import require_clear_quiet_zone
from labels.render.stamps import Stamped, Stamps
from labels.symbol import Drawn, SymbolPlan
from labels.verify import LABELS_READ_MAX, READ_DPI, READ_TOGETHER, PageSample, PagesRead, read_pages

LABELS_MAX: Final = 2_000_000
"""Labels of one PDF file."""
PAGES_OPENED_MAX: Final = 50_000
"""Pages of a file that is given to the rasteriser itself."""
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
        drawn, sample = plan.draw_all(batches), PageSample(rasterised_max)
        read = stamp_pages(file, furniture, plan, drawn, tally, start_cell=start_cell, sample=sample)
        verified = VerifyReport(tally.labels, read.labels, read.pages, read.dpi, from_bytes=tally.labels)
        return tally.output(target, file, verified)


def stamp_pages(
    file: HashedFile, furniture: Furniture, plan: SymbolPlan, drawn: Iterable[Drawn], tally: Tally, *,
    start_cell: int = 1, sample: PageSample, read_back: bool = True,
) -> PagesRead:  # fmt: skip
    """Write a whole PDF. With ``read_back`` each page is read from the file as soon as it is in it, found again by the
    page tree at the end, and rasterised if ``sample`` keeps it."""
    furniture.template.check_start_cell(start_cell)
    require_clear_quiet_zone(furniture)
    stamps = Stamps(furniture, plan)
    with file.path.open("rb") as written, PdfFile(file, furniture, plan.side, stamps.openings) as document:
        reader = _ReadBack(written, document, PageReader(furniture, plan.form, plan.side, document.finders))
        pages = _Pages(document, stamps, first_cell=start_cell - 1, reader=reader if read_back else None, sample=sample)
        for piece in drawn:
            tally.add(piece.first_label, len(piece.serials))
            pages.stamp(piece, plan.form.links(piece.serials))
        tally.require_labels()
        pages.finish()
        return _read_finished(file.path, document, furniture, plan, sample) if read_back else PagesRead(0, (), READ_DPI)


def join_pdf(
    file: HashedFile, furniture: Furniture, plan: SymbolPlan, parts: Iterable[Path], sample: PageSample
) -> PagesRead:
    """Write one PDF of the pages of several that were stamped over the same cell; what was read of it.

    ``sample`` says what must stand on the pages that are rasterised. NotAsWritten unless the page tree of the file
    leads to the same pages.
    """
    with PdfFile(file, furniture, plan.side, Stamps(furniture, plan).openings) as document:
        document.flush()
        with file.path.open("rb") as own:
            front = own.read(document.front_bytes)
        for part in parts:
            with part.open("rb") as other:
                if other.read(len(front)) != front:
                    raise page_tree.NotAsWritten(f"{part.name} was stamped over another cell")
            for page in page_tree.pages_of(part):
                document.add_page(page.stream, page.shared)
        document.finish()
        return _read_finished(file.path, document, furniture, plan, sample)


def _read_finished(
    path: Path, document: PdfFile, furniture: Furniture, plan: SymbolPlan, sample: PageSample
) -> PagesRead:
    """Walk a finished file, and rasterise the pages of the sample; of a large file in one of their own.

    A rasteriser keeps every page before the one it draws, and a row for each object of a file.
    """
    chosen, template, placement = sample.chosen(), furniture.template, furniture.placement
    pages = page_tree.require(path, document.told, keep=chosen)
    if document.pages <= PAGES_OPENED_MAX:
        return read_pages(path, chosen, template, placement)
    excerpt = path.with_name(f"{path.name}.excerpt")
    with replacing(excerpt) as file, PdfFile(file, furniture, plan.side, Stamps(furniture, plan).openings) as taken:
        for page in pages:
            taken.add_page(page.stream, page.shared)
        taken.finish()
    try:
        read = read_pages(excerpt, dict(enumerate(chosen.values(), 1)), template, placement)
    finally:
        excerpt.unlink()
    return replace(read, pages=tuple(chosen))


class _Pages:
    """Fills cells, and hands a page on when it is full."""

    def __init__(
        self, document: PdfFile, stamps: Stamps, *, first_cell: int, reader: _ReadBack | None, sample: PageSample
    ) -> None:
        self._document, self._stamps, self._reader, self._sample = document, stamps, reader, sample
        self._first_cell = first_cell
        self._stamped: list[Stamped] = []
        self._expected: list[tuple[int, int, str]] = []

    def stamp(self, drawn: Drawn, links: Sequence[str]) -> None:
        """Put labels into the next cells."""
        stamped = self._stamps.stamped(drawn)
        at = 0
        while at < len(links):
            cell = self._first_cell + len(self._stamped)
            taken = min(self._stamps.cells - cell, len(links) - at)
            first = drawn.first_label + at
            self._stamped += stamped[at : at + taken]
            self._expected += zip(
                range(cell, cell + taken), range(first, first + taken), links[at : at + taken], strict=True
            )
            at += taken
            if cell + taken == self._stamps.cells:
                self._close_page()

    def finish(self) -> None:
        """Write the last page and the end of the file."""
        if self._stamped:
            self._close_page()
        if self._reader is not None:
            self._reader.read()
        self._document.finish()

    def _close_page(self) -> None:
        opening, content = self._stamps.page(self._first_cell, self._stamped)
        place = self._document.add_page(isal_zlib.compress(content, COMPRESSION), self._document.shared(opening))
        if self._reader is not None:
            self._reader.add(place, opening, self._expected)
        self._sample.keep(self._document.pages, self._expected)
        self._stamped, self._expected, self._first_cell = [], [], 0


class _ReadBack:
    """Reads pages from the file, many together: a roll has one label on each."""

    def __init__(self, written: BinaryIO, document: PdfFile, reader: PageReader) -> None:
        self._written, self._document, self._reader = written, document, reader
        self._unread: list[tuple[tuple[int, int], int | None, Expected]] = []
        self._labels = 0
        self._openings: dict[int, bytes] = {}

    def add(self, place: tuple[int, int], opening: int | None, expected: Expected) -> None:
        """A page whose own stream stands at this place, with what must be on it."""
        self._unread.append((place, opening, expected))
        self._labels += len(expected)
        if self._labels >= READ_TOGETHER:
            self.read()

    def read(self) -> None:
        """Read what was added since the last time."""
        if self._unread:
            self._document.flush()
            (start, _), *_ = self._unread[0]
            end = sum(self._unread[-1][0])
            text = memoryview(self._at(start, end - start))
            pages: list[tuple[Streams, Expected]] = [
                ((*self._opening(opening), text[at - start :][:length]), expected)
                for (at, length), opening, expected in self._unread
            ]
            self._reader.read(pages)
        self._unread, self._labels = [], 0

    def _opening(self, opening: int | None) -> tuple[bytes, ...]:
        """The stream of an opening as it stands in the file."""
        if opening is None:
            return ()
        if opening not in self._openings:
            self._openings[opening] = self._at(*self._document.openings[opening])
        return (self._openings[opening],)

    def _at(self, begin: int, length: int) -> bytes:
        self._written.seek(begin)
        return self._written.read(length)
