"""The text of a label page in PDF operators: cells, symbols as vector paths, serials.

A symbol is one path with one fill, so that no seam shows between neighbouring modules in any viewer.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from labels.furniture import Furniture
from labels.layout import MM_PER_INCH
from labels.masks import Words
from labels.symbol import Drawn, SymbolPlan, unpack
from serials.alphabet import ALPHABET

POINTS_PER_MM: Final = 72 / MM_PER_INCH
RECTANGLE_BYTES: Final = 14
"""``xx yy ww 1 re`` and a new line: numbers of two digits make each dark run as long as any other, so that all runs of
many symbols are written, and read back, as one array."""
_PLACE, _WIDTH = np.dtype("V6"), np.dtype("V8")
_FINDER_MODULES: Final = 7
_INK: Final = b"0 0 0 1 k\n"


Stamped = tuple[int, bytes, bytes]
"""A label as text of a page: which mask its symbol has, the path of the symbol, the glyph codes of the serial."""


class Stamps:
    """The text of a page: cells, then symbols, then serials.

    Where a page has one label (a roll), what no serial changes is said once for each mask, in ``openings``: the cell,
    and the beginning of the symbol's path. The page's own text goes on with that path, so it stays one fill.
    """

    def __init__(self, furniture: Furniture, plan: SymbolPlan) -> None:
        template, placement, serial, side = furniture.template, furniture.placement, furniture.serial, plan.side
        self.cells = template.cells
        self._side, self._row = side, side + 1  # a light column after each line ends its last run
        places = [b"%02d %02d " % (x, y) for y in range(side) for x in range(self._row)]
        self._places = np.frombuffer(b"".join(places), dtype=_PLACE)
        self._widths = np.frombuffer(b"".join(b"%02d 1 re\n" % width for width in range(self._row)), dtype=_WIDTH)
        self._own_lines = ~finder_lines(side)
        self._glyphs = np.zeros((256, 4), dtype=np.uint8)
        for character, code in zip(ALPHABET, serial.codes, strict=True):
            self._glyphs[ord(character)] = np.frombuffer(code.encode("ascii"), dtype=np.uint8)
        self._font = b"BT/Serial %s Tf\n" % number(serial.size)
        module = number(placement.module_mm * POINTS_PER_MM)
        self._cells, self._symbols, self._serials = [], [], []
        for index in range(template.cells):
            cell = template.cell(index)
            x = cell.left_mm * POINTS_PER_MM
            y = (template.page_height_mm - cell.top_mm - cell.height_mm) * POINTS_PER_MM
            # The symbol stands on whole dots of the page, wherever its cell begins.
            left = round((cell.left_mm + placement.left_mm) / placement.dot_mm) * placement.dot_mm * POINTS_PER_MM
            top_mm = round((cell.top_mm + placement.top_mm) / placement.dot_mm) * placement.dot_mm
            top = (template.page_height_mm - top_mm) * POINTS_PER_MM
            *turn, line_x, line_y = serial.matrix
            matrix = b" ".join(number(value) for value in (*turn, x + line_x, y + line_y))
            self._cells.append(b"q 1 0 0 1 %s %s cm/Cell Do Q\n" % (number(x), number(y)))
            self._symbols.append(b"q %s 0 0 -%s %s %s cm/Finders Do\n" % (module, module, number(left), number(top)))
            self._serials.append(matrix + b" Tm<")
        self.openings = self._openings(plan) if self.cells == 1 else ()

    def _openings(self, plan: SymbolPlan) -> tuple[bytes, ...]:
        """The text before what the serial changes, by the mask of the symbol; from here on paths leave it out."""
        changing, steady = plan.changing()
        paths = dict(zip(_masks(steady), self._paths(steady & self._own_lines & ~changing), strict=True))
        self._own_lines = self._own_lines & changing
        return tuple(_INK + self._cells[0] + self._symbols[0] + paths[mask] for mask in range(len(paths)))

    def stamped(self, drawn: Drawn) -> list[Stamped]:
        """Each label's symbol as a path in modules, without what stands elsewhere, and the glyph codes of its serial.

        Elsewhere stand the finders, and what an opening has of the path.
        """
        paths = self._paths(drawn.modules & self._own_lines)
        glyphs = [row.tobytes() for row in self._glyphs[drawn.serials].reshape(len(paths), -1)]
        return list(zip(_masks(drawn.modules), paths, glyphs, strict=True))

    def _paths(self, lines: Words) -> list[bytes]:
        """The dark runs of each symbol, line by line, as rectangles."""
        cells = np.zeros(1 + len(lines) * self._side * self._row, dtype=np.uint8)  # begins light, as each line ends
        cells[1:].reshape(len(lines), self._side, self._row)[:, :, : self._side] = unpack(lines, self._side)
        edges = np.flatnonzero(cells[1:] != cells[:-1])
        begins, ends = edges[::2], edges[1::2]
        runs = np.empty(len(begins), dtype=[("place", _PLACE), ("width", _WIDTH)])
        runs["place"] = self._places[begins % (self._side * self._row)]
        runs["width"] = self._widths[ends - begins]
        cuts = np.searchsorted(begins, np.arange(len(lines) + 1) * self._side * self._row) * RECTANGLE_BYTES
        text, bounds = runs.tobytes(), cuts.tolist()
        return [text[begin:end] for begin, end in pairwise(bounds)]

    def page(self, first_cell: int, stamped: Sequence[Stamped]) -> tuple[int | None, bytes]:
        """Which opening a page has, and the text after it; its labels stand from ``first_cell`` on.

        Symbols of one mask share much of their text, so they are drawn one after the other: that saves a tenth.
        """
        end_cell, opening = first_cell + len(stamped), stamped[0][0] if self.openings else None
        pieces = [] if self.openings else [_INK, *self._cells[first_cell:end_cell]]
        for row in sorted(range(len(stamped)), key=lambda row: stamped[row][0]):
            if not self.openings:
                pieces.append(self._symbols[first_cell + row])
            pieces += (stamped[row][1], b"f Q\n")
        pieces.append(self._font)
        for matrix, (_, _, glyphs) in zip(self._serials[first_cell:end_cell], stamped, strict=True):
            pieces += (matrix, glyphs, b">Tj\n")
        pieces.append(b"ET\n")
        return opening, b"".join(pieces)


def _masks(modules: Words) -> list[int]:
    """Which of eight masks each symbol has: three bits of its format information tell (ISO/IEC 18004, 7.9.1)."""
    told: list[int] = (modules[:, 8] >> np.uint64(59) & np.uint64(7)).tolist()
    return told


def finder_lines(side: int) -> Words:
    """The places of the three finders. They are the same in every symbol and touch nothing else that is dark."""
    left = np.uint64((1 << _FINDER_MODULES) - 1) << np.uint64(64 - _FINDER_MODULES)
    lines = np.zeros(side, dtype=np.uint64)
    lines[:_FINDER_MODULES] = left | left >> np.uint64(side - _FINDER_MODULES)
    lines[-_FINDER_MODULES:] = left
    return lines


def finder_path(side: int) -> bytes:
    """The three finders as paths in modules: each a dark square, a light one in it, a dark one in that."""
    far = side - _FINDER_MODULES
    squares = [
        b"%d %d %d %d re\n" % (x + inset, y + inset, width, width)
        for x, y in ((0, 0), (far, 0), (0, far))
        for inset, width in ((0, 7), (1, 5), (2, 3))
    ]
    return b"".join(squares) + b"f*\n"


def number(value: float) -> bytes:
    """A number as PDF writes it, to a ten-thousandth."""
    return (f"{value:.4f}".rstrip("0").rstrip(".") or "0").encode("ascii")
