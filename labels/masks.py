"""The penalty of a masked symbol (ISO/IEC 18004, 7.8.3), for many symbols at once.

A symbol is a row of 64-bit words, one for each line of modules, column 0 in the highest bit. The same symbol is given
a second time by columns, so that both directions are the same few word operations.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint64]
SIDE_MAX: Final = 57
"""Modules of a side (version 10): a line must fit in one word with room to shift."""


def full_line(side: int) -> np.uint64:
    """A line with all `side` modules dark."""
    return np.uint64(((1 << side) - 1) << (64 - side))


def penalties(rows: Words, columns: Words, side: int) -> npt.NDArray[np.int64]:
    """The sum of the four penalties of each symbol; shapes (n, side) give shape (n,)."""
    row_runs, row_finders, equal = _lines(rows, side)
    column_runs, column_finders, _ = _lines(columns, side)
    score = _sum(row_runs + column_runs) + 40 * _sum(row_finders + column_finders) + 3 * _sum(_blocks(rows, equal))
    dark = _sum(np.bitwise_count(rows))
    # Ten points for each whole 5 % by which the dark share leaves one half, in the reference encoder's arithmetic.
    percent = dark.astype(np.float64) / float(side**2)
    balance = (np.abs(percent * 100 - 50) / 5).astype(np.int64) * 10
    total: npt.NDArray[np.int64] = score + balance
    return total


_Counts = npt.NDArray[np.uint8]


def _lines(lines: Words, side: int) -> tuple[_Counts, _Counts, Words]:
    """For each line: the points of runs of five and more (3 points, 1 for each further module), how many finder-like
    patterns it has (40 points each), and a bit wherever a module equals its right neighbour (the last one has none)."""
    equal = ~(lines ^ (lines << _1)) & full_line(side - 1)
    threes = equal & (equal << _1)
    runs = threes & (threes << _2)
    ends = np.bitwise_count(runs & ~(runs >> _1))
    points = np.bitwise_count(runs) + ends + ends
    # 1011101 with 0000 before or after it.
    core = lines & (lines << _6) & ((threes & lines) << _2)
    core &= ~((lines << _1) | (lines << _5))
    blank = threes & (equal << _2) & ~lines
    return points, np.bitwise_count(core & (blank << _7)) + np.bitwise_count(blank & (core << _4)), equal


def _blocks(rows: Words, equal: Words) -> _Counts:
    """For each line but the last, how many 2 x 2 blocks of one colour begin in it (three points each)."""
    return np.bitwise_count(equal[:, 1:] & equal[:, :-1] & ~(rows[:, 1:] ^ rows[:, :-1]))


def _sum(counts: _Counts) -> npt.NDArray[np.int64]:
    """The sum of each symbol's lines. As a product of small floats it is exact, and twice as fast as a sum."""
    return (counts.astype(np.float32) @ np.ones(counts.shape[1], np.float32)).astype(np.int64)


_1, _2, _4, _5, _6, _7 = (np.uint64(shift) for shift in (1, 2, 4, 5, 6, 7))
