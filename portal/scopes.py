"""Which lots and which numbers the published cases name."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple, Self

from portal.model import Recall
from portal.scope_columns import NO_SCOPE, ScopeColumns, ScopeRow


class _Part(NamedTuple):
    """What one case names of one lot: the rows ``first`` to ``last - 1`` of the runs."""

    case_id: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Named:
    """The cases that name the thing, and those that name some of it, we cannot see whether this."""

    surely: tuple[Recall, ...] = ()
    perhaps: tuple[Recall, ...] = ()


@dataclass(frozen=True, slots=True)
class Scopes:
    """The published cases and all that they name."""

    recalls: Mapping[int, Recall] = field(default_factory=dict)
    columns: ScopeColumns = NO_SCOPE
    _whole: tuple[memoryview, memoryview] = field(init=False, compare=False, repr=False)
    _products: tuple[memoryview, memoryview] = field(init=False, compare=False, repr=False)
    _parts: tuple[memoryview, memoryview, memoryview, memoryview] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        # Bisecting a memoryview costs a third of numpy's search for one number, and its items are Python's own numbers.
        whole, products, parts = self.columns.whole, self.columns.products, self.columns.parts
        object.__setattr__(self, "_whole", (whole.thing.data, whole.case.data))
        object.__setattr__(self, "_products", (products.thing.data, products.case.data))
        object.__setattr__(self, "_parts", (parts.lot.data, parts.case.data, parts.lo.data, parts.n.data))

    @classmethod
    def of_columns(cls, recalls: Iterable[Recall], columns: ScopeColumns) -> Self:
        """All published cases, and what they name."""
        return cls(MappingProxyType({recall.case_id: recall for recall in recalls}), columns)

    @classmethod
    def of(cls, recalls: Iterable[Recall], rows: Iterable[ScopeRow], product_by_lot: Mapping[int, int]) -> Self:
        """``product_by_lot`` names the product of each lot in ``rows``; a lot that it does not name has no product."""
        return cls.of_columns(recalls, ScopeColumns.of(rows, product_by_lot))

    def of_item(self, lot_id: int, number: int) -> Named:
        """The cases that name the item: its whole lot, or a run with its number. Nothing is left open."""
        parts = [part.case_id for part in self._parts_of(lot_id) if self._meeting(part, number, 1)]
        return Named(surely=self._sorted([*self._of_whole(lot_id), *parts]))

    def of_lot(self, lot_id: int) -> Named:
        """The cases that name the whole lot; and those that name some of its items."""
        whole = self._of_whole(lot_id)
        some = [part.case_id for part in self._parts_of(lot_id) if part.case_id not in whole]
        return Named(surely=self._sorted(whole), perhaps=self._sorted(some))

    def of_product(self, product_id: int) -> Named:
        """The cases that name lots or items of the product: which, a product code does not say."""
        return Named(perhaps=self._sorted(_cases_of(self._products, product_id)))

    def names_part_of(self, lot_id: int) -> bool:
        """Whether a case names some of the lot's items only: then what is said differs from item to item."""
        lots = self._parts[0]
        if not len(lots):
            return False
        at = bisect_left(lots, lot_id)
        return at < len(lots) and lots[at] == lot_id

    def versions_of_whole(self, lot_id: int) -> tuple[tuple[int, int, int], ...]:
        """(case, version, revision) of the cases that name the whole lot: alike as long as they say the same."""
        cases = (self.recalls[case] for case in self._of_whole(lot_id))
        return tuple((case.case_id, case.version, case.revision) for case in cases)

    def of_run(self, lot_id: int, lo: int, n: int) -> Named:
        """The cases that name any of the numbers ``lo`` to ``lo + n - 1``, for the contents of a unit."""
        met = [part.case_id for part in self._parts_of(lot_id) if self._meeting(part, lo, n)]
        return Named(surely=self._sorted([*self._of_whole(lot_id), *met]))

    def named_in_run(self, lot_id: int, lo: int, n: int) -> int:
        """How many of the numbers a recall (not a withdrawal) names."""
        if any(not self.recalls[case].is_withdrawal for case in self._of_whole(lot_id) if case in self.recalls):
            return n
        parts = [part for part in self._parts_of(lot_id) if not self.recalls[part.case_id].is_withdrawal]
        return _covered([run for part in parts for run in self._meeting(part, lo, n)], lo, n)

    def lots_of(self, case_id: int) -> list[tuple[int, bool]]:
        """(lot, whether it is named in part only) of one case, by lot number."""
        whole, parts = self.columns.whole, self.columns.parts
        named_whole = set(whole.thing[whole.case == case_id].tolist())
        in_part = set(parts.lot[parts.case == case_id].tolist()) - named_whole
        return sorted([*((lot, False) for lot in named_whole), *((lot, True) for lot in in_part)])

    def runs_of(self, case_id: int, lot_id: int) -> list[tuple[int, int]]:
        """The runs of numbers that a case names of a lot; none where it names the whole lot."""
        _, _, lo, n = self._parts
        parts = [part for part in self._parts_of(lot_id) if part.case_id == case_id]
        return [(lo[row], n[row]) for part in parts for row in range(part.first, part.last)]

    def in_order(self) -> tuple[Recall, ...]:
        """All published cases, the newest first."""
        return tuple(sorted(self.recalls.values(), key=lambda recall: recall.published_at, reverse=True))

    def _of_whole(self, lot_id: int) -> list[int]:
        return _cases_of(self._whole, lot_id)

    def _parts_of(self, lot_id: int) -> Iterator[_Part]:
        lots, cases, _, _ = self._parts
        at, end = bisect_left(lots, lot_id), bisect_right(lots, lot_id)
        while at < end:
            last = bisect_right(cases, cases[at], at, end)
            yield _Part(cases[at], at, last)
            at = last

    def _meeting(self, part: _Part, lo: int, n: int) -> list[tuple[int, int]]:
        """Its runs that hold any of the numbers ``lo`` to ``lo + n - 1``."""
        _, _, los, ns = self._parts
        first = max(bisect_right(los, lo, part.first, part.last) - 1, part.first)
        last = bisect_left(los, lo + n, part.first, part.last)
        return [(los[row], ns[row]) for row in range(first, last) if los[row] + ns[row] > lo]

    def _sorted(self, cases: Iterable[int]) -> tuple[Recall, ...]:
        """The most dangerous first, then the one changed last."""
        recalls = [self.recalls[case] for case in dict.fromkeys(cases)]
        return tuple(sorted(recalls, key=lambda recall: (recall.hazard_class, -recall.updated_at.timestamp())))


def _cases_of(pairs: tuple[memoryview, memoryview], thing: int) -> list[int]:
    things, cases = pairs
    if not len(things):
        return []
    first = bisect_left(things, thing)
    return cases[first : bisect_right(things, thing, first)].tolist()


def _covered(runs: list[tuple[int, int]], lo: int, n: int) -> int:
    """How many of ``lo .. lo + n - 1`` the runs cover; two cases may name the same number, it counts once."""
    count, at = 0, lo
    for start, length in sorted(runs):
        first, past = max(start, at), min(start + length, lo + n)
        if past > first:
            count += past - first
            at = past
    return count
