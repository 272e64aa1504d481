"""Runs of numbers: ``(lo, n)`` stands for lo, lo + 1, … lo + n - 1. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Run = tuple[int, int]


def merged(runs: Iterable[Run]) -> tuple[Run, ...]:
    """The same numbers in the fewest runs, in order, each number once."""
    result: list[Run] = []
    for lo, n in sorted(runs):
        if result and lo <= result[-1][0] + result[-1][1]:
            first, length = result[-1]
            result[-1] = (first, max(length, lo + n - first))
        else:
            result.append((lo, n))
    return tuple(result)


def overlaps(runs: Sequence[Run], lo: int, n: int) -> bool:
    """Whether any of the numbers [lo, lo + n) is in ``runs``."""
    return any(first < lo + n and lo < first + length for first, length in runs)


def clipped(runs: Sequence[Run], lo: int, n: int) -> tuple[Run, ...]:
    """The numbers of [lo, lo + n) that are in ``runs`` (merged ones)."""
    cut = ((max(first, lo), min(first + length, lo + n)) for first, length in runs)
    return tuple((start, end - start) for start, end in cut if end > start)


def size(runs: Iterable[Run]) -> int:
    """How many numbers there are in merged runs."""
    return sum(n for _lo, n in runs)
