"""What published cases name, in columns: whole lots, runs of numbers, and the products that these are of."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

import numpy as np

from portal.columns import Int64s

SCOPE_ROWS_MAX: Final = 50_000_000
"""Lots and runs named by published cases of which a portal keeps a copy; more are refused."""
NONE: Final = -1
"""Stands in a column where there is no value."""


class ScopeRow(NamedTuple):
    """A case names the whole lot (``lo`` and ``n`` are None), or a run of its numbers."""

    case_id: int
    lot_id: int
    lo: int | None = None
    n: int | None = None


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of numbers, sorted and each once; in ``case`` the case that names what is in ``thing``."""

    thing: Int64s
    case: Int64s

    @classmethod
    def of(cls, thing: Int64s, case: Int64s) -> Self:
        """In any order, some perhaps more than once."""
        order = np.lexsort((case, thing))
        thing, case = np.take(thing, order), np.take(case, order)
        is_new = np.append(True, (thing[1:] != thing[:-1]) | (case[1:] != case[:-1]))[: len(thing)]
        return cls(thing[is_new], case[is_new])

    def replaced(self, told: Int64s, newer: Pairs) -> Self:
        """Those of other cases than were ``told`` anew, and the newer ones."""
        kept = ~np.isin(self.case, told)
        return type(self).of(np.append(self.thing[kept], newer.thing), np.append(self.case[kept], newer.case))


@dataclass(frozen=True, slots=True)
class Parts:
    """Runs of numbers that cases name, sorted by lot, case and number; those of one case and lot do not meet."""

    lot: Int64s
    case: Int64s
    lo: Int64s
    n: Int64s

    @classmethod
    def of(cls, lot: Int64s, case: Int64s, lo: Int64s, n: Int64s) -> Self:
        """In any order; runs of one case and lot that meet become one: bisection would look past a run in another."""
        if not len(lo):
            return cls(lot, case, lo, n)
        order = np.lexsort((lo, case, lot))
        lot, case, lo, end = (np.take(column, order) for column in (lot, case, lo, lo + n))
        is_other = np.append(True, (lot[1:] != lot[:-1]) | (case[1:] != case[:-1]))
        reached = _highest_so_far(end, np.cumsum(is_other))
        first = np.flatnonzero(is_other | np.append(True, lo[1:] > reached[:-1]))
        last = np.append(first[1:], len(lo)) - 1
        return cls(lot[first], case[first], lo[first], reached[last] - lo[first])

    def replaced(self, told: Int64s, newer: Parts) -> Self:
        """Those of other cases than were ``told`` anew, and the newer ones."""
        kept = ~np.isin(self.case, told)
        return type(self).of(
            np.append(self.lot[kept], newer.lot),
            np.append(self.case[kept], newer.case),
            np.append(self.lo[kept], newer.lo),
            np.append(self.n[kept], newer.n),
        )


@dataclass(frozen=True, slots=True)
class ScopeColumns:
    """All that some cases name. 16 bytes for a lot named whole, 32 for a run."""

    whole: Pairs
    parts: Parts
    products: Pairs

    @classmethod
    def of_columns(cls, case: Int64s, lot: Int64s, lo: Int64s, n: Int64s, product: Int64s) -> Self:
        """``lo`` is ``NONE`` where a whole lot is named, ``product`` where nobody told of which product a lot is."""
        is_run, has_product = lo != NONE, product != NONE
        return cls(
            whole=Pairs.of(lot[~is_run], case[~is_run]),
            parts=Parts.of(lot[is_run], case[is_run], lo[is_run], n[is_run]),
            products=Pairs.of(product[has_product], case[has_product]),
        )

    @classmethod
    def of(cls, rows: Iterable[ScopeRow], product_by_lot: Mapping[int, int]) -> Self:
        """A lot that ``product_by_lot`` does not name has no product."""
        told = [
            (
                row.case_id,
                row.lot_id,
                NONE if row.lo is None else row.lo,
                row.n or 0,
                product_by_lot.get(row.lot_id, NONE),
            )
            for row in rows
        ]
        columns = np.array(told, dtype=np.int64).reshape(-1, 5)
        return cls.of_columns(*(columns[:, place].copy() for place in range(5)))

    def replaced(self, told: Collection[int], newer: ScopeColumns) -> Self:
        """The same after these cases were told anew: ``newer`` is all that they name now."""
        cases = np.array(sorted(told), dtype=np.int64)
        return type(self)(
            whole=self.whole.replaced(cases, newer.whole),
            parts=self.parts.replaced(cases, newer.parts),
            products=self.products.replaced(cases, newer.products),
        )


NO_SCOPE: Final = ScopeColumns.of((), {})


def _highest_so_far(values: Int64s, group: Int64s) -> Int64s:
    """For each place the highest value in its group up to there; groups are numbered in their order."""
    order = np.argsort(values, kind="stable")
    rank = np.empty(len(values), dtype=np.int64)
    rank[order] = np.arange(len(values))
    highest = np.maximum.accumulate(group * len(values) + rank) - group * len(values)
    found: Int64s = np.take(values, np.take(order, highest))
    return found
