"""Reading label pages back from the bytes of their file: operators in; the modules and letters that are printed, out.

It shares no code with what writes them. It knows the few operators that a page of labels has, and paints them itself;
whatever else stands on a page is refused. A picture of the page at a printer's dots would say the same, and takes a
hundred times as long: only the first pages and the last are pictured too (`labels.verify`).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from labels.furniture import Furniture
from labels.model import LinkForm
from labels.refusals import SymbolReadsWrong
from labels.verify import READ_TOGETHER, compare, compare_labels
from serials.alphabet import ALPHABET

Cells = npt.NDArray[np.uint8]
Expected = Sequence[tuple[int, int, str]]
"""What must stand on a page: cell of the sheet, label number, link."""
_Found = tuple[bytes, ...]

_NUMBER: Final = rb"-?\d+(?:\.\d+)?"
_BEGIN: Final = re.compile(rb"0 0 0 1 k\n")
_FORM: Final = re.compile(rb"q 1 0 0 1 (%b) (%b) cm/Cell Do Q\n" % (_NUMBER, _NUMBER))
_SYMBOL: Final = re.compile(rb"q (%b) 0 0 (%b) (%b) (%b) cm/Finders Do\n" % ((_NUMBER,) * 4))
_PATH_END: Final = b"f Q\n"
_FONT: Final = re.compile(rb"BT/Serial %b Tf\n" % _NUMBER)
_LINE: Final = re.compile(rb"%b %b %b %b (%b) (%b) Tm<((?:[0-9A-Fa-f]{4})*)>Tj\n" % ((_NUMBER,) * 6))
_END: Final = re.compile(rb"ET\n")
_PAGE: Final = (_BEGIN, _FORM, _SYMBOL, _FONT, _LINE, _END)
"""What stands on a page, in this order; nothing else may."""
_RECTANGLE_NUMBERS: Final = 4
_NEAR_PT: Final = 0.02
"""Numbers in a file are rounded to a ten-thousandth of a point; two places are the same within this."""
_PT_PER_MM: Final = 72 / 25.4


class PageReader:
    """Reads pages of one file, and compares them with what they must say."""

    def __init__(self, furniture: Furniture, form: LinkForm, side: int, finders: bytes) -> None:
        template, placement = furniture.template, furniture.placement
        self._side, self._prefix = side, form.prefix
        self._finders = _painted([finders.removesuffix(b"f*\n")], side)[0] & 1  # even-odd: painted twice is light
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

    def read(self, stream: bytes, expected: Expected) -> None:
        """Read each symbol and each printed serial of a compressed page; SymbolReadsWrong at the first that is not
        what its label must say, or stands where it must not, and when something else is on the page."""
        page = zlib.decompress(stream)
        forms, symbols, lines = self._parts(page, expected)
        by_cell = {cell: (label, link) for cell, label, link in expected}
        self._require_cells(self._at(self._forms, [form[:2] for form in forms], _NEAR_PT), by_cell, expected)
        cells = self._at(self._symbols, [symbol[2:4] for symbol in symbols], self._snap_pt)
        self._require_cells(cells, by_cell, expected)
        for across, down, *_ in symbols:
            if abs(float(across) - self._module_pt) > _NEAR_PT or float(across) != -float(down):
                raise _wrong(expected, "modules of another size")
        try:
            painted = _painted([symbol[4] for symbol in symbols], self._side)
        except ValueError as error:
            raise _wrong(expected, str(error)) from error
        modules = ((painted | self._finders) > 0).astype(np.uint8)
        for start in range(0, len(cells), READ_TOGETHER):
            here = [by_cell[cell] for cell in cells[start : start + READ_TOGETHER]]
            compare_labels([label for label, _ in here], [link for _, link in here], modules[start:][: len(here)])
        self._compare_serials(lines, by_cell, expected)

    def _compare_serials(self, lines: list[_Found], by_cell: dict[int, tuple[int, str]], expected: Expected) -> None:
        cells = self._at(self._lines, [line[:2] for line in lines], _NEAR_PT)
        self._require_cells(cells, by_cell, expected)
        for cell, (*_, codes) in zip(cells, lines, strict=True):
            label, link = by_cell[cell]
            letters = self._letters[np.frombuffer(bytes.fromhex(codes.decode("ascii")), dtype=">u2")]
            compare(label, link, self._prefix + letters.tobytes().decode("ascii"))

    def _at(self, places: npt.NDArray[np.float64], found: Sequence[_Found], near_pt: float) -> list[int]:
        """The cell of each place that was found; -1 where none is near enough."""
        if not found:
            return []
        here = np.array([(float(x), float(y)) for x, y in found])
        apart = np.abs(here[:, None, :] - places[None, :, :]).max(axis=2)
        nearest = apart.argmin(axis=1)
        nearest[apart.min(axis=1) > near_pt] = -1
        cells: list[int] = nearest.tolist()
        return cells

    @staticmethod
    def _require_cells(cells: list[int], by_cell: dict[int, tuple[int, str]], expected: Expected) -> None:
        if sorted(cells) != sorted(by_cell):
            raise _wrong(expected, "something that stands in another place, twice, or not at all")

    @staticmethod
    def _parts(page: bytes, expected: Expected) -> tuple[list[_Found], list[_Found], list[_Found]]:
        """The cells, symbols and serials of a page, that has nothing else on it."""
        at, found = 0, list[tuple[re.Pattern[bytes], _Found]]()
        for pattern in _PAGE:
            begin = len(found)
            while (match := pattern.match(page, at)) is not None:
                at, groups = match.end(), match.groups()
                if pattern is _SYMBOL:
                    end = max(page.find(_PATH_END, at), at)
                    at, groups = end + len(_PATH_END), (*groups, page[at:end])
                found.append((pattern, groups))
            if len(found) == begin:
                break
        if at != len(page):
            raise _wrong(
                expected, f"a page with something else on it ({page[at : at + 20].decode('ascii', 'replace')!r})"
            )
        forms, symbols, lines = ([groups for of, groups in found if of is kind] for kind in (_FORM, _SYMBOL, _LINE))
        return forms, symbols, lines


def _wrong(expected: Expected, read: str) -> SymbolReadsWrong:
    _, label, link = expected[0]
    return SymbolReadsWrong(label_number=label, expected=link, read=read)


def _painted(paths: Sequence[bytes], side: int) -> Cells:
    """How often each module of each path is painted: paths of rectangles ``x y width height re`` in modules."""
    counts = [path.count(b"re\n") for path in paths]
    text = np.frombuffer(b"".join(paths), dtype=np.uint8)
    ends = np.flatnonzero(text == ord(" "))
    digits = int(((text >= ord("0")) & (text <= ord("9"))).sum())
    if len(ends) != _RECTANGLE_NUMBERS * sum(counts) or len(text) != digits + len(ends) + len(b"re\n") * sum(counts):
        raise ValueError("a path has other operators than rectangles")
    tens, ones = text[np.maximum(ends - 2, 0)], text[ends - 1]
    is_tens = (tens >= ord("0")) & (tens <= ord("9")) & (ends > 1)
    numbers = ones.astype(np.intp) - ord("0") + np.where(is_tens, tens.astype(np.intp) - ord("0"), 0) * 10
    x, y, width, height = numbers.reshape(-1, _RECTANGLE_NUMBERS).T
    if ((x + width > side) | (y + height > side) | (numbers.reshape(-1, 4) < 0).any(axis=1)).any():
        raise ValueError("a rectangle reaches beyond the symbol")
    rows = np.repeat(np.arange(len(paths)), counts) * side + y
    if (height != 1).any():  # one after the other, each line of a rectangle
        rows, x, width = (np.repeat(each, height) for each in (rows, x, width))
        rows = rows + np.arange(len(rows)) - np.repeat(np.cumsum(height) - height, height)
    size = len(paths) * side * (side + 1)
    begins = np.bincount(rows * (side + 1) + x, minlength=size)
    finishes = np.bincount(rows * (side + 1) + x + width, minlength=size)
    steps = (begins - finishes).reshape(len(paths), side, side + 1)
    painted: Cells = steps.cumsum(axis=2)[:, :, :side].astype(np.uint8)
    return painted
