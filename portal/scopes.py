"""Which lots and which numbers the published cases name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple, Self

import numpy as np

from portal.intervals import Int64s
from portal.model import Recall

_NO_NUMBERS: Int64s = np.empty(0, dtype=np.int64)


class ScopeRow(NamedTuple):
    """A case names the whole lot (``lo`` and ``n`` are None), or a run of its numbers."""

    case_id: int
    lot_id: int
    lo: int | None = None
    n: int | None = None


@dataclass(frozen=True, slots=True)
class _Part:
    """What one case names of one lot: sorted runs without overlap."""

    case_id: int
    lo: Int64s
    n: Int64s

    def names(self, number: int) -> bool:
        index = int(self.lo.searchsorted(np.int64(number), "right")) - 1
        return index >= 0 and number < int(self.lo[index]) + int(self.n[index])

    def meeting(self, lo: int, n: int) -> list[tuple[int, int]]:
        """Its runs that hold any of the numbers ``lo`` to ``lo + n - 1``."""
        first = max(int(self.lo.searchsorted(np.int64(lo), "right")) - 1, 0)
        last = int(self.lo.searchsorted(np.int64(lo + n), "left"))
        pairs = zip(self.lo[first:last].tolist(), self.n[first:last].tolist(), strict=True)
        return [(start, length) for start, length in pairs if start + length > lo]


@dataclass(frozen=True, slots=True)
class Named:
    """The cases that name the thing, and those that name some of it, we cannot see whether this."""

    surely: tuple[Recall, ...] = ()
    perhaps: tuple[Recall, ...] = ()


@dataclass(frozen=True, slots=True)
class Scopes:
    """The published cases and all that they name. 16 bytes for a lot named whole, 16 for a run."""

    recalls: Mapping[int, Recall] = field(default_factory=dict)
    _whole_lot: Int64s = field(default_factory=lambda: _NO_NUMBERS)
    _whole_case: Int64s = field(default_factory=lambda: _NO_NUMBERS)
    _parts_by_lot: Mapping[int, tuple[_Part, ...]] = field(default_factory=dict)
    _by_product: Mapping[int, tuple[int, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, recalls: Iterable[Recall], rows: Sequence[ScopeRow], product_by_lot: Mapping[int, int]) -> Self:
        """``product_by_lot`` names the product of each lot in ``rows``; a lot that it does not name has no product."""
        whole = sorted({(row.lot_id, row.case_id) for row in rows if row.lo is None})
        by_product: dict[int, set[int]] = {}
        for lot_id, case_id in {(row.lot_id, row.case_id) for row in rows}:
            if (product_id := product_by_lot.get(lot_id)) is not None:
                by_product.setdefault(product_id, set()).add(case_id)
        return cls(
            recalls=MappingProxyType({recall.case_id: recall for recall in recalls}),
            _whole_lot=np.array([lot for lot, _ in whole], dtype=np.int64),
            _whole_case=np.array([case for _, case in whole], dtype=np.int64),
            _parts_by_lot=MappingProxyType(_parts(rows)),
            _by_product={product_id: tuple(sorted(cases)) for product_id, cases in by_product.items()},
        )

    def of_item(self, lot_id: int, number: int) -> Named:
        """The cases that name the item: its whole lot, or a run with its number. Nothing is left open."""
        parts = [part.case_id for part in self._parts_by_lot.get(lot_id, ()) if part.names(number)]
        return Named(surely=self._sorted([*self._of_whole(lot_id), *parts]))

    def of_lot(self, lot_id: int) -> Named:
        """The cases that name the whole lot; and those that name some of its items."""
        whole = self._of_whole(lot_id)
        some = [part.case_id for part in self._parts_by_lot.get(lot_id, ()) if part.case_id not in whole]
        return Named(surely=self._sorted(whole), perhaps=self._sorted(some))

    def of_product(self, product_id: int) -> Named:
        """The cases that name lots or items of the product: which, a product code does not say."""
        return Named(perhaps=self._sorted(self._by_product.get(product_id, ())))

    def names_part_of(self, lot_id: int) -> bool:
        """Whether a case names some of the lot's items only: then what is said differs from item to item."""
        return lot_id in self._parts_by_lot

    def versions_of_whole(self, lot_id: int) -> tuple[tuple[int, int, int], ...]:
        """(case, version, revision) of the cases that name the whole lot: alike as long as they say the same."""
        cases = (self.recalls[case] for case in self._of_whole(lot_id))
        return tuple((case.case_id, case.version, case.revision) for case in cases)

    def of_run(self, lot_id: int, lo: int, n: int) -> Named:
        """The cases that name any of the numbers ``lo`` to ``lo + n - 1``, for the contents of a unit."""
        met = [part.case_id for part in self._parts_by_lot.get(lot_id, ()) if part.meeting(lo, n)]
        return Named(surely=self._sorted([*self._of_whole(lot_id), *met]))

    def named_in_run(self, lot_id: int, lo: int, n: int) -> int:
        """How many of the numbers a recall (not a withdrawal) names."""
        if any(not self.recalls[case].is_withdrawal for case in self._of_whole(lot_id) if case in self.recalls):
            return n
        parts = [part for part in self._parts_by_lot.get(lot_id, ()) if not self.recalls[part.case_id].is_withdrawal]
        return _covered([run for part in parts for run in part.meeting(lo, n)], lo, n)

    def lots_of(self, case_id: int) -> list[tuple[int, bool]]:
        """(lot, whether it is named in part only) of one case, by lot number."""
        whole = [(int(lot), False) for lot in self._whole_lot[self._whole_case == case_id]]
        parts = [(lot, True) for lot, each in self._parts_by_lot.items() if any(p.case_id == case_id for p in each)]
        named_whole = {lot for lot, _ in whole}
        return sorted([*whole, *(pair for pair in parts if pair[0] not in named_whole)])

    def runs_of(self, case_id: int, lot_id: int) -> list[tuple[int, int]]:
        """The runs of numbers that a case names of a lot; none where it names the whole lot."""
        parts = [part for part in self._parts_by_lot.get(lot_id, ()) if part.case_id == case_id]
        return [pair for part in parts for pair in zip(part.lo.tolist(), part.n.tolist(), strict=True)]

    def in_order(self) -> tuple[Recall, ...]:
        """All published cases, the newest first."""
        return tuple(sorted(self.recalls.values(), key=lambda recall: recall.published_at, reverse=True))

    def _of_whole(self, lot_id: int) -> list[int]:
        if not len(self._whole_lot):
            return []
        wanted = np.int64(lot_id)
        first = int(self._whole_lot.searchsorted(wanted, "left"))
        last = int(self._whole_lot.searchsorted(wanted, "right"))
        return [int(case) for case in self._whole_case[first:last]]

    def _sorted(self, cases: Iterable[int]) -> tuple[Recall, ...]:
        """The most dangerous first, then the one changed last."""
        recalls = [self.recalls[case] for case in dict.fromkeys(cases)]
        return tuple(sorted(recalls, key=lambda recall: (recall.hazard_class, -recall.updated_at.timestamp())))


def _parts(rows: Sequence[ScopeRow]) -> dict[int, tuple[_Part, ...]]:
    runs: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for row in rows:
        if row.lo is not None and row.n is not None:
            runs.setdefault((row.lot_id, row.case_id), []).append((row.lo, row.n))
    parts: dict[int, list[_Part]] = {}
    for (lot_id, case_id), pairs in sorted(runs.items()):
        ordered = np.array(_joined(pairs), dtype=np.int64)
        parts.setdefault(lot_id, []).append(_Part(case_id, ordered[:, 0].copy(), ordered[:, 1].copy()))
    return {lot_id: tuple(each) for lot_id, each in parts.items()}


def _joined(runs: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same numbers in runs without overlap: bisection would look past a run inside of another one."""
    joined: list[tuple[int, int]] = []
    for lo, n in sorted(runs):
        if joined and lo <= joined[-1][0] + joined[-1][1]:
            first = joined[-1][0]
            joined[-1] = (first, max(sum(joined[-1]), lo + n) - first)
        else:
            joined.append((lo, n))
    return joined


def _covered(runs: list[tuple[int, int]], lo: int, n: int) -> int:
    """How many of ``lo .. lo + n - 1`` the runs cover; two cases may name the same number, it counts once."""
    count, at = 0, lo
    for start, length in sorted(runs):
        first, past = max(start, at), min(start + length, lo + n)
        if past > first:
            count += past - first
            at = past
    return count
