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
    score = _lines(rows, side) + _lines(columns, side) + _blocks(rows, side)
    dark = np.bitwise_count(rows).sum(axis=1, dtype=np.int64)
    # Ten points for each whole 5 % by which the dark share leaves one half, in the reference encoder's arithmetic.
    percent = dark.astype(np.float64) / float(side**2)
    balance = (np.abs(percent * 100 - 50) / 5).astype(np.int64) * 10
    total: npt.NDArray[np.int64] = score + balance
    return total


def _lines(lines: Words, side: int) -> npt.NDArray[np.int64]:
    """Runs of five and more (3 points, 1 for each further module), and finder-like patterns (40 points)."""
    full = full_line(side)
    equal = _equal_to_next(lines, side)
    pairs = equal & (equal << np.uint64(1))
    runs = pairs & (pairs << np.uint64(2))
    ends = runs & ~(runs >> np.uint64(1))
    points = np.bitwise_count(runs).astype(np.int16) + 2 * np.bitwise_count(ends).astype(np.int16)
    light = ~lines & full
    # 1011101 with 0000 before or after it.
    core = lines & (light << np.uint64(1)) & (lines << np.uint64(2))
    core &= (lines << np.uint64(3)) & (lines << np.uint64(4))
    core &= (light << np.uint64(5)) & (lines << np.uint64(6))
    blank = light & (light << np.uint64(1))
    blank &= blank << np.uint64(2)
    found = np.bitwise_count(core & (blank << np.uint64(7))) + np.bitwise_count(blank & (core << np.uint64(4)))
    points += found.astype(np.int16) * np.int16(40)
    total: npt.NDArray[np.int64] = points.sum(axis=1, dtype=np.int64)
    return total


def _blocks(rows: Words, side: int) -> npt.NDArray[np.int64]:
    """Three points for each 2 x 2 block of one colour."""
    equal = _equal_to_next(rows, side)
    same = equal[:, 1:] & equal[:, :-1] & ~(rows[:, 1:] ^ rows[:, :-1])
    points: npt.NDArray[np.int64] = 3 * np.bitwise_count(same).sum(axis=1, dtype=np.int64)
    return points


def _equal_to_next(lines: Words, side: int) -> Words:
    """A bit wherever a module equals its right neighbour; the last column has none."""
    return ~(lines ^ (lines << np.uint64(1))) & full_line(side - 1)
