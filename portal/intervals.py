"""Runs of consecutive numbers in sorted arrays: 25 bytes a run, found by bisection, never a row per item."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Self

import numpy as np

from portal.columns import Flags, Int8s, Int64s

RUNS_MAX: Final = 50_000_000
"""Runs of which a portal keeps a copy; more are refused, because none may be left out."""
_FIRST: Final = -(1 << 62)
_LAST: Final = 1 << 62


class RunRow(NamedTuple):
    """The numbers ``lo`` to ``lo + n - 1`` belong to the lot ``lot_id`` and have the state ``state``."""

    lo: int
    n: int
    lot_id: int = 0
    state: int = 0


@dataclass(frozen=True, slots=True)
class Runs:
    """Runs sorted by ``lo`` that do not overlap."""

    lo: Int64s
    n: Int64s
    lot_id: Int64s
    state: Int8s
    size: int = field(init=False, compare=False, repr=False)
    _views: tuple[memoryview, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        # Bisecting a memoryview costs a third of numpy's search for one number, and its items are Python's own numbers.
        columns = (self.lo, self.n, self.lot_id, self.state)
        object.__setattr__(self, "_views", tuple(np.ascontiguousarray(column).data for column in columns))
        object.__setattr__(self, "size", len(self.lo))

    @classmethod
    def of(cls, rows: Iterable[RunRow]) -> Self:
        """From rows in any order."""
        ordered = sorted(rows)
        return cls(
            np.array([row.lo for row in ordered], dtype=np.int64),
            np.array([row.n for row in ordered], dtype=np.int64),
            np.array([row.lot_id for row in ordered], dtype=np.int64),
            np.array([row.state for row in ordered], dtype=np.int8),
        )

    @classmethod
    def of_columns(cls, lo: Int64s, n: Int64s, lot_id: Int64s, state: Int8s) -> Self:
        """From columns in any order."""
        order = np.argsort(lo, kind="stable")
        return cls(lo[order], n[order], lot_id[order], state[order])

    def __len__(self) -> int:
        return len(self.lo)

    def at(self, number: int) -> RunRow | None:
        """The run that holds ``number``."""
        lo, n, lot_id, state = self._views
        index = bisect_right(lo, number) - 1
        if index < 0 or number >= lo[index] + n[index]:
            return None
        return RunRow(lo[index], n[index], lot_id[index], state[index])

    def bounds_of(self, number: int) -> tuple[int, int]:
        """The widest ``lo <= number < end`` whose numbers are all in the run of ``number``, or all in none."""
        lo, n, _, _ = self._views
        index = bisect_right(lo, number) - 1
        begin = _FIRST if index < 0 else lo[index]
        if index >= 0 and number < begin + n[index]:
            return begin, begin + n[index]
        return (_FIRST if index < 0 else begin + n[index]), (lo[index + 1] if index + 1 < self.size else _LAST)

    def rows_at(self, numbers: Int64s) -> Int64s:
        """The index of the run that holds each number; -1 where none does."""
        row = self.lo.searchsorted(numbers, "right") - 1
        found = (row >= 0) & (numbers < self.lo[row] + self.n[row]) if self.size else np.zeros(len(numbers), np.bool_)
        return np.where(found, row, -1)

    def overlaid(self, newer: Self) -> Self:
        """These runs where ``newer`` says nothing, and ``newer``: what is told later about a number counts."""
        if not len(newer):
            return self
        if not len(self):
            return newer
        rest = self._cut_by(newer)
        return type(self).of_columns(
            np.concatenate([rest.lo, newer.lo]),
            np.concatenate([rest.n, newer.n]),
            np.concatenate([rest.lot_id, newer.lot_id]),
            np.concatenate([rest.state, newer.state]),
        )

    def gaps_in(self, run: RunRow) -> list[RunRow]:
        """The pieces of ``run`` that these runs do not cover."""
        pieces: list[RunRow] = []
        at, end = run.lo, run.lo + run.n
        index = max(int(self.lo.searchsorted(np.int64(at), "right")) - 1, 0)
        while index < len(self.lo) and int(self.lo[index]) < end and at < end:
            lo, past = int(self.lo[index]), int(self.lo[index]) + int(self.n[index])
            if lo > at:
                pieces.append(RunRow(at, lo - at, run.lot_id, run.state))
            at = max(at, past)
            index += 1
        if at < end:
            pieces.append(RunRow(at, end - at, run.lot_id, run.state))
        return pieces

    def _cut_by(self, newer: Self) -> Self:
        """The pieces of all runs that ``newer`` does not cover: each run meets the gaps between some newer ones."""
        end, newer_end = self.lo + self.n, newer.lo + newer.n
        gap_lo = np.append(np.int64(_FIRST), newer_end)
        gap_end = np.append(newer.lo, np.int64(_LAST))
        first = newer_end.searchsorted(self.lo, "right")
        count = newer.lo.searchsorted(end, "left") - first + 1
        row = np.repeat(np.arange(len(self.lo)), count)
        gap = np.arange(len(row)) - np.repeat(np.cumsum(count) - count - first, count)
        lo, past = np.maximum(self.lo[row], gap_lo[gap]), np.minimum(end[row], gap_end[gap])
        left = past > lo
        row = row[left]
        return type(self)(lo[left], (past - lo)[left], self.lot_id[row], self.state[row])


NO_RUNS = Runs.of(())


@dataclass(frozen=True, slots=True)
class Layered:
    """A large base with a small layer of later news over it: a change costs what is new, not what is there."""

    base: Runs = NO_RUNS
    news: Runs = NO_RUNS

    def at(self, number: int) -> RunRow | None:
        """The run that holds ``number``, as last told."""
        found = self.news.at(number) if self.news.size else None
        return found or (self.base.at(number) if self.base.size else None)

    def bounds_of(self, number: int) -> tuple[int, int]:
        """Some ``lo <= number < end`` for all of whose numbers ``at`` gives the same."""
        newer = self.news.bounds_of(number)
        if self.news.size and self.news.at(number) is not None:
            return newer
        older = self.base.bounds_of(number)
        return max(newer[0], older[0]), min(newer[1], older[1])

    def at_many(self, numbers: Int64s) -> tuple[Flags, Int64s, Int8s]:
        """As ``at``, for many numbers: whether a run holds each, and that run's lot and state."""
        known = np.zeros(len(numbers), dtype=np.bool_)
        lot_id, state = np.zeros(len(numbers), dtype=np.int64), np.zeros(len(numbers), dtype=np.int8)
        for runs in (self.base, self.news):  # what is told later counts
            row = runs.rows_at(numbers)
            held = np.flatnonzero(row >= 0)
            known[held] = True
            lot_id[held], state[held] = runs.lot_id[row[held]], runs.state[row[held]]
        return known, lot_id, state

    def with_news(self, news: Runs) -> Layered:
        """The same with later news."""
        return Layered(self.base, self.news.overlaid(news)) if len(news) else self

    def merged(self) -> Layered:
        """The same in one layer. Long for many: for a thread."""
        return Layered(self.base.overlaid(self.news)) if len(self.news) else self
