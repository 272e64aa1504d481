"""The text of a label page in PDF operators: cells, symbols as vector paths, serials.

A symbol is one path with one fill, so that no seam shows between neighbouring modules in any viewer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np

from labels.furniture import Furniture
from labels.layout import MM_PER_INCH
from labels.masks import Words
from labels.symbol import Drawn
from serials.alphabet import ALPHABET

POINTS_PER_MM: Final = 72 / MM_PER_INCH
PIECE_MODULES: Final = 11
"""Modules of a line that are looked up together: 2,048 strings for each piece of each line."""
_PIECE: Final = np.uint64((1 << PIECE_MODULES) - 1)
_FINDER_MODULES: Final = 7


Stamped = tuple[int, bytes, bytes]
"""A label as text of a page: which mask its symbol has, the path of the symbol, the glyph codes of the serial."""


class Stamps:
    """The text of a page: cells, then symbols, then serials."""

    def __init__(self, furniture: Furniture, side: int) -> None:
        template, placement, serial = furniture.template, furniture.placement, furniture.serial
        self._runs = run_strings(side)
        pieces = -(-side // PIECE_MODULES)
        self._shifts = np.array([64 - PIECE_MODULES * (piece + 1) for piece in range(pieces)], dtype=np.uint64)
        self._keys = (np.arange(side * pieces, dtype=np.int64) << PIECE_MODULES).reshape(side, pieces)
        self._outside_finders = ~finder_lines(side)
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

    def stamped(self, drawn: Drawn) -> list[Stamped]:
        """Each label's symbol as a path in modules, without its finders, and the glyph codes of its serial."""
        lines = drawn.modules & self._outside_finders
        keys = (lines[:, :, None] >> self._shifts & _PIECE).astype(np.int64) + self._keys
        runs = self._runs
        paths = [b"".join([runs[key] for key in row]) for row in keys.reshape(len(lines), -1).tolist()]
        glyphs = [row.tobytes() for row in self._glyphs[drawn.serials].reshape(len(lines), -1)]
        # Three bits of the format information tell the masks apart (ISO/IEC 18004, 7.9.1).
        masks = (drawn.modules[:, 8] >> np.uint64(59) & np.uint64(7)).tolist()
        return list(zip(masks, paths, glyphs, strict=True))

    def page(self, first_cell: int, stamped: Sequence[Stamped]) -> bytes:
        """The stream of a page whose labels stand from ``first_cell`` on. Symbols of one mask share much of their
        text, so they are drawn one after the other: that saves a tenth of the file."""
        end_cell = first_cell + len(stamped)
        pieces = [b"0 0 0 1 k\n", *self._cells[first_cell:end_cell]]
        for row in sorted(range(len(stamped)), key=lambda row: stamped[row][0]):
            pieces += (self._symbols[first_cell + row], stamped[row][1], b"f Q\n")
        pieces.append(self._font)
        for matrix, (_, _, glyphs) in zip(self._serials[first_cell:end_cell], stamped, strict=True):
            pieces += (matrix, glyphs, b">Tj\n")
        pieces.append(b"ET\n")
        return b"".join(pieces)


def run_strings(side: int) -> list[bytes]:
    """For each line, each piece of it and each value of the piece: its dark runs as rectangles, in modules."""
    starts = range(0, side, PIECE_MODULES)
    by_start = [[_rectangles(start, value) for value in range(1 << PIECE_MODULES)] for start in starts]
    strings: list[bytes] = []
    for line in range(side):
        middle = b" %d " % line
        for shapes in by_start:
            strings += [shape.replace(b"@", middle) for shape in shapes]
    return strings


def _rectangles(start: int, value: int) -> bytes:
    """The runs of ones in a piece that begins at module ``start``; @ stands for the line."""
    return b"".join(b"%d@%d 1 re\n" % (start + left, width) for left, width in _dark_runs(value))


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


def _dark_runs(value: int) -> list[tuple[int, int]]:
    """The runs of ones in a piece as (first bit from the left, length)."""
    return [(run.start(), len(run.group())) for run in re.finditer("1+", f"{value:0{PIECE_MODULES}b}")]


def number(value: float) -> bytes:
    """A number as PDF writes it, to a ten-thousandth."""
    return (f"{value:.4f}".rstrip("0").rstrip(".") or "0").encode("ascii")
