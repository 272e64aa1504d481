"""Reading label pages back from the bytes of their file: operators in; the modules and letters that are printed, out.

It shares no code with what writes them. It knows the few operators that a page of labels has, and paints them itself;
whatever else stands on a page is refused. A picture of the page at a printer's dots would say the same, and takes a
hundred times as long: only the first pages and the last are pictured too (`labels.verify`).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from labels.furniture import Furniture
from labels.model import LinkForm
from labels.refusals import SymbolReadsWrong
from labels.verify import compare, compare_labels
from serials.alphabet import ALPHABET, SERIAL_CHARACTERS

Cells = npt.NDArray[np.uint8]
Expected = Sequence[tuple[int, int, str]]
"""What must stand on a page: cell of the sheet, label number, link."""

Streams = tuple[bytes | memoryview, ...]
"""The compressed streams of a page, which are one text: first those that it shares with others, then its own."""

_NUMBER: Final = rb"-?\d+(?:\.\d+)?"
_BEGIN: Final = b"0 0 0 1 k\n"
_FORM_END, _SYMBOL_END, _PATH_END, _LINE_END, _END = b"/Cell Do Q\n", b"/Finders Do\n", b"f Q\n", b">Tj\n", b"ET\n"
_FORM: Final = re.compile(rb"q 1 0 0 1 (%b) (%b) cm" % (_NUMBER, _NUMBER))
_SYMBOL: Final = re.compile(rb"q (%b) 0 0 -(%b) (%b) (%b) cm" % ((_NUMBER,) * 4))
_FONT: Final = re.compile(rb"BT/Serial %b Tf\n" % _NUMBER)
_LINE: Final = re.compile(rb"%b %b %b %b (%b) (%b) Tm<" % ((_NUMBER,) * 6))
_GLYPHS: Final = 4 * SERIAL_CHARACTERS
"""Hexadecimal digits of a serial: two bytes for each letter."""
_SQUARE: Final = re.compile(rb"(\d+) (\d+) (\d+) (\d+) re\n")
_RUN: Final = np.frombuffer(b"00 00 00 1 re\n", dtype=np.uint8)
"""A dark run: column, line and width of two digits each, and one module high."""
_FIXED: Final = np.where(np.isin(_RUN, [ord("0")]), 0xF0, 0xFF).astype(np.uint8)
"""The bits of a run that are the same in each: of a digit the upper half."""
_TENS: Final = np.full(1 << 16, -1, dtype=np.int32)
_TENS[[int.from_bytes(b"%02d" % value, "little") for value in range(100)]] = np.arange(100)
"""The number that two bytes spell; -1 where they are no digits."""
_NEAR_PT: Final = 0.02
"""Numbers in a file are rounded to a ten-thousandth of a point; two places are the same within this."""
_PT_PER_MM: Final = 72 / 25.4


class _NotAsItMust(ValueError):
    """What stands on a page is no page of labels."""


@dataclass(slots=True)
class _Page:
    """What stands on a page, each with the cell that it stands in."""

    symbols: list[int] = field(default_factory=list)
    paths: list[bytes] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    glyphs: list[bytes] = field(default_factory=list)


class PageReader:
    """Reads pages of one file, and compares them with what they must say."""

    def __init__(self, furniture: Furniture, form: LinkForm, side: int, finders: bytes) -> None:
        template, placement = furniture.template, furniture.placement
        self._side, self._prefix = side, form.prefix
        self._finders = _finders(finders, side)
        self._module_pt = placement.module_mm * _PT_PER_MM
        boxes = [template.cell(index) for index in range(template.cells)]
        self._forms = np.array(
            [(b.left_mm * _PT_PER_MM, (template.page_height_mm - b.top_mm - b.height_mm) * _PT_PER_MM) for b in boxes]
        )
        from_top = [
            (b.left_mm + placement.left_mm, template.page_height_mm - b.top_mm - placement.top_mm) for b in boxes
        ]
        self._symbols = np.array(from_top) * _PT_PER_MM
        self._snap_pt = placement.dot_mm / 2 * _PT_PER_MM + _NEAR_PT  # a symbol begins on a whole dot
        self._lines = self._forms + np.array(furniture.serial.matrix[4:])
        self._letters = np.full(1 << 16, ord("?"), dtype=np.uint8)  # by the number of a glyph in the font
        self._letters[[int(code, 16) for code in furniture.serial.codes]] = np.frombuffer(ALPHABET.encode(), np.uint8)
        self._cell_by_place: dict[bytes, int] = {}  # what was read of places: pages share them
        self._text_by_shared: dict[bytes | memoryview, bytes] = {}

    def read(self, pages: Sequence[tuple[Streams, Expected]]) -> None:
        """Read each symbol and each printed serial of pages; SymbolReadsWrong at the first that is not what its label
        must say, or stands where it must not, and when something else is on a page.

        The symbols of all the pages are in memory together.
        """
        labels, links, paths, serials = list[int](), list[str](), list[bytes](), list[tuple[int, str, bytes]]()
        for (*shared, own), expected in pages:
            try:
                page = self._page(b"".join([*map(self._shared, shared), zlib.decompress(own)]))
            except _NotAsItMust as error:
                raise _wrong(expected, str(error)) from error
            by_cell = {cell: (label, link) for cell, label, link in expected}
            cells = sorted(by_cell)
            if sorted(page.symbols) != cells or sorted(page.lines) != cells:
                raise _wrong(expected, "something that stands in another place, twice, or not at all")
            for cell in page.symbols:
                label, link = by_cell[cell]
                labels.append(label)
                links.append(link)
            paths += page.paths
            serials += [(*by_cell[cell], glyphs) for cell, glyphs in zip(page.lines, page.glyphs, strict=True)]
        try:
            painted = _painted(paths, self._side)
        except _NotAsItMust as error:
            raise _wrong([(0, labels[0], links[0])], str(error)) from error
        compare_labels(labels, links, painted | self._finders)
        self._compare_serials(serials)

    def _compare_serials(self, serials: Sequence[tuple[int, str, bytes]]) -> None:
        codes = np.frombuffer(bytes.fromhex(b"".join(glyphs for *_, glyphs in serials).decode("ascii")), dtype=">u2")
        letters = self._letters[codes].tobytes().decode("ascii")
        for row, (label, link, _) in enumerate(serials):
            start = row * SERIAL_CHARACTERS
            compare(label, link, self._prefix + letters[start : start + SERIAL_CHARACTERS])

    def _page(self, text: bytes) -> _Page:
        """What stands on a page: ink, cells, symbols, serials, in this order and nothing else."""
        page, (*symbols, tail) = _Page(), text.split(_PATH_END)
        forms = len(_BEGIN)
        if not symbols or not text.startswith(_BEGIN):
            raise _something_else(text)
        forms_end = text.rfind(_FORM_END, 0, len(symbols[0])) + len(_FORM_END)
        *cells, rest = text[forms:forms_end].split(_FORM_END)
        if rest:
            raise _something_else(rest)
        forms_at = [self._cell(cell, self._form_at) for cell in cells]
        symbols[0] = symbols[0][forms_end:]
        for symbol in symbols:
            place, _, path = symbol.partition(_SYMBOL_END)
            page.symbols.append(self._cell(place, self._symbol_at))
            page.paths.append(path)
        if sorted(forms_at) != sorted(page.symbols):
            raise _NotAsItMust("a symbol without its cell")
        font = _FONT.match(tail)
        if font is None or not tail.endswith(_END):
            raise _something_else(tail)
        *lines, end = tail[font.end() :].split(_LINE_END)
        if end != _END:
            raise _something_else(end)
        page.lines = [self._cell(line[:-_GLYPHS], self._line_at) for line in lines]
        page.glyphs = [line[-_GLYPHS:] for line in lines]
        return page

    def _shared(self, stream: bytes | memoryview) -> bytes:
        """The text of a stream that pages share, inflated once for all of them."""
        text = self._text_by_shared.get(stream)
        if text is None:
            text = self._text_by_shared[stream] = zlib.decompress(stream)
        return text

    def _cell(self, place: bytes, read: Callable[[bytes], int]) -> int:
        """The cell of what stands at a place, read once for all pages."""
        cell = self._cell_by_place.get(place)
        if cell is None:
            cell = self._cell_by_place[place] = read(place)
        return cell

    def _form_at(self, place: bytes) -> int:
        return _nearest(self._forms, _numbers(_FORM, place), _NEAR_PT)

    def _symbol_at(self, place: bytes) -> int:
        across, down, left, top = _numbers(_SYMBOL, place)
        if abs(across - self._module_pt) > _NEAR_PT or across != down:
            raise _NotAsItMust("modules of another size")
        return _nearest(self._symbols, [left, top], self._snap_pt)

    def _line_at(self, place: bytes) -> int:
        return _nearest(self._lines, _numbers(_LINE, place), _NEAR_PT)


def _numbers(pattern: re.Pattern[bytes], place: bytes) -> list[float]:
    found = pattern.fullmatch(place)
    if found is None:
        raise _something_else(place)
    return [float(group) for group in found.groups()]


def _nearest(places: npt.NDArray[np.float64], at: Sequence[float], near_pt: float) -> int:
    """The cell whose place is near; -1, which no label has, when none is."""
    apart = np.abs(places - np.array(at)).max(axis=1)
    cell = int(apart.argmin())
    return cell if apart[cell] <= near_pt else -1


def _something_else(text: bytes) -> _NotAsItMust:
    return _NotAsItMust(f"a page with something else on it ({text[:20].decode('ascii', 'replace')!r})")


def _wrong(expected: Expected, read: str) -> SymbolReadsWrong:
    _, label, link = expected[0]
    return SymbolReadsWrong(label_number=label, expected=link, read=read)


def _painted(paths: Sequence[bytes], side: int) -> Cells:
    """The modules of each path: runs from left to right in any order, none over another."""
    text = b"".join(paths)
    if any(len(path) % len(_RUN) for path in paths) or not text:
        raise _something_else(text)
    count = len(text) // len(_RUN)
    runs = np.frombuffer(text, dtype=np.uint8)
    if ((runs ^ np.tile(_RUN, count)) & np.tile(_FIXED, count)).any():
        raise _NotAsItMust("a path has other operators than runs of modules")
    even, odd = (np.frombuffer(text, dtype="<u2", offset=offset, count=7 * count - offset) for offset in (0, 1))
    x, y, width = _TENS[even[::7]], _TENS[odd[1::7]], _TENS[even[3::7]]
    if min(x.min(), y.min()) < 0 or width.min() < 1 or (x + width).max() > side or y.max() >= side:
        raise _NotAsItMust("a run of modules reaches beyond the symbol")
    symbols = np.arange(len(paths), dtype=np.int32) * (side * (side + 1))
    begins = np.repeat(symbols, [len(path) // len(_RUN) for path in paths]) + y * (side + 1) + x
    ends = begins + width
    if (begins[1:] < begins[:-1]).any():  # a shared beginning, then what is the page's own
        order = np.argsort(begins, kind="stable")
        begins, ends = begins[order], ends[order]
    if (begins[1:] < ends[:-1]).any():
        raise _NotAsItMust("a module is painted twice")
    steps = np.zeros(len(paths) * side * (side + 1), dtype=np.int8)
    steps[begins] += 1
    steps[ends] -= 1
    painted: Cells = steps.cumsum(dtype=np.int8).view(np.uint8).reshape(len(paths), side, side + 1)
    return painted[:, :, :side]


def _finders(path: bytes, side: int) -> Cells:
    """The modules of the path of squares that all symbols share, painted by the even-odd rule: twice is light."""
    squares = path.removesuffix(b"f*\n")
    if squares == path or _SQUARE.sub(b"", squares):
        raise AssertionError("the finders are no path of squares")
    cells = np.zeros((side, side), dtype=np.uint8)
    for x, y, width, height in (map(int, found) for found in _SQUARE.findall(squares)):
        cells[y : y + height, x : x + width] ^= 1
    return cells
