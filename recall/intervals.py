"""Subtraction of runs of numbers. A run is ``(lo, n)``; merged runs are ascending and apart. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from ledger.intervals import Run, merged

Runs = tuple[Run, ...]
"""Merged: one set of numbers has exactly one spelling."""


def subtract(a: Iterable[Run], b: Iterable[Run]) -> Runs:
    """The numbers of ``a`` that are not in ``b``; in time that follows the number of runs."""
    removed = merged(b)
    left: list[Run] = []
    index = 0
    for lo, n in merged(a):
        at, until = lo, lo + n
        while index < len(removed) and removed[index][0] + removed[index][1] <= at:
            index += 1
        ahead = index
        while ahead < len(removed) and removed[ahead][0] < until:
            hole_lo, hole_n = removed[ahead]
            if hole_lo > at:
                left.append((at, hole_lo - at))
            at = max(at, hole_lo + hole_n)
            ahead += 1
        if at < until:
            left.append((at, until - at))
    return tuple(left)
