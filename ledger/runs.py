"""Runs of consecutive numbers with the same fate: cut where an event touches a part, joined where fates are equal."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class Run(NamedTuple):
    """The numbers lo … lo + n - 1 of one lot, with the same fate since one event.

    A packed run (``unit_id``) is where its outermost unit is, has its owner and its disposition; its own
    ``place_id``, ``owner_id`` and ``disposition`` are what they were when it was packed.
    """

    lo: int
    n: int
    lot_id: int
    unit_id: int | None
    since: datetime
    event_id: int
    place_id: int
    owner_id: int
    disposition: str | None

    @property
    def end(self) -> int:
        """The number after the last one."""
        return self.lo + self.n

    def part(self, lo: int, end: int) -> Run:
        """The same fate for lo … end - 1."""
        return Run(lo, end - lo, *self[2:])


class RunMap:
    """Runs that never overlap, by number and by unit."""

    def __init__(self, runs: Iterable[Run] = ()) -> None:
        self._run_by_lo: dict[int, Run] = {}
        self._los: list[int] = []
        self._los_by_unit: defaultdict[int, set[int]] = defaultdict(set)
        self._found_last: Run | None = None
        """What ``at`` found last, while no run changed: the items of an event lie side by side."""
        for run in runs:
            self.add(run)

    def __iter__(self) -> Iterator[Run]:
        """All runs, by number."""
        return (self._run_by_lo[lo] for lo in self._los)

    def add(self, run: Run) -> None:
        """Put a run where no run is. Raises ValueError when its numbers are taken: that is our mistake."""
        at = bisect_left(self._los, run.lo)
        before = self._run_by_lo[self._los[at - 1]] if at else None
        if (before is not None and before.end > run.lo) or (at < len(self._los) and self._los[at] < run.end):
            raise ValueError(f"the run {run.lo}+{run.n} overlaps another one")
        insort(self._los, run.lo)
        self._found_last, self._run_by_lo[run.lo] = None, run
        if run.unit_id is not None:
            self._los_by_unit[run.unit_id].add(run.lo)

    def remove(self, run: Run) -> None:
        """Take a run out."""
        self._found_last = None
        del self._run_by_lo[run.lo]
        del self._los[bisect_left(self._los, run.lo)]
        if run.unit_id is not None:
            self._los_by_unit[run.unit_id].discard(run.lo)

    def replace(self, run: Run, by: Run) -> None:
        """Put another fate in the place of a run's. ``by`` has the same numbers."""
        self._found_last, self._run_by_lo[run.lo] = None, by
        if run.unit_id != by.unit_id:
            if run.unit_id is not None:
                self._los_by_unit[run.unit_id].discard(run.lo)
            if by.unit_id is not None:
                self._los_by_unit[by.unit_id].add(by.lo)

    def has(self, lo: int) -> bool:
        """Whether a run begins at this number."""
        return lo in self._run_by_lo

    def at(self, number: int) -> Run | None:
        """The run that holds a number."""
        last = self._found_last
        if last is not None and last.lo <= number < last.lo + last.n:
            return last
        index = bisect_right(self._los, number) - 1
        run = self._run_by_lo[self._los[index]] if index >= 0 else None
        if run is None or number >= run.lo + run.n:
            return None
        self._found_last = run
        return run

    def inside(self, unit_id: int) -> list[Run]:
        """The runs directly in a unit, by number."""
        return [self._run_by_lo[lo] for lo in sorted(self._los_by_unit.get(unit_id, ()))]

    def meeting(self, lo: int, n: int) -> Iterator[tuple[int, int, Run | None]]:
        """The pieces (lo, n, run) of lo … lo + n - 1, in order; run is None where no run is. Nothing is split."""
        at, end = lo, lo + n
        while at < end:
            run = self.at(at)
            if run is not None:
                stop = min(run.end, end)
            else:
                index = bisect_right(self._los, at)
                stop = min(self._los[index], end) if index < len(self._los) else end
            yield at, stop - at, run
            at = stop

    def cut(self, lo: int, n: int) -> list[tuple[int, int, Run | None]]:
        """The pieces (lo, n, run) of lo … lo + n - 1, in order; run is None where no run is.

        Runs that reach over an end are split there, so that each piece's run is exactly the piece.
        """
        end = lo + n
        for edge in (lo, end):
            run = self.at(edge)
            if run is not None and run.lo < edge:
                self._split(run, edge)
        pieces: list[tuple[int, int, Run | None]] = []
        at = lo
        for start in self._los[bisect_left(self._los, lo) : bisect_left(self._los, end)]:
            run = self._run_by_lo[start]
            if start > at:
                pieces.append((at, start - at, None))
            pieces.append((start, run.n, run))
            at = run.end
        if at < end:
            pieces.append((at, end - at, None))
        return pieces

    def _split(self, run: Run, edge: int) -> None:
        """Two runs of the same fate in place of one; the second begins at ``edge``."""
        insort(self._los, edge)
        self._found_last, self._run_by_lo[run.lo] = None, run.part(run.lo, edge)
        self._run_by_lo[edge] = run.part(edge, run.end)
        if run.unit_id is not None:
            self._los_by_unit[run.unit_id].add(edge)

    def joined(self) -> list[Run]:
        """The runs, with neighbours of the same fate as one."""
        result: list[Run] = []
        for run in self:
            last = result[-1] if result else None
            if last is not None and last.end == run.lo and last[2:] == run[2:]:
                result[-1] = last._replace(n=last.n + run.n)
            else:
                result.append(run)
        return result


def intervals(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """The fewest (lo, n) that are exactly these numbers."""
    result: list[tuple[int, int]] = []
    ordered = sorted(set(numbers))
    if ordered and ordered[-1] - ordered[0] == len(ordered) - 1:
        return [(ordered[0], len(ordered))]
    for number in ordered:
        if result and result[-1][0] + result[-1][1] == number:
            result[-1] = (result[-1][0], result[-1][1] + 1)
        else:
            result.append((number, 1))
    return result


def intervals_of(numbers: npt.NDArray[np.int64] | Sequence[int]) -> tuple[list[int], list[int]]:
    """As ``intervals``, for very many: the first numbers, and how many from each."""
    if not len(numbers):
        return [], []
    ordered = np.sort(np.asarray(numbers, dtype=np.int64))
    ordered = ordered[np.append(True, np.diff(ordered) != 0)]
    starts = np.concatenate(([0], np.flatnonzero(np.diff(ordered) != 1) + 1))
    return ordered[starts].tolist(), np.diff(np.append(starts, len(ordered))).tolist()
