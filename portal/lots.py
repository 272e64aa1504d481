"""The published lots, compact: about 70 bytes a lot and its code, found by number or by (product, code)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Self

import numpy as np

from portal.columns import Int8s, Int32s, Int64s
from portal.model import Lot
from portal.text_index import TextIndex, Texts, UInt64s, fresh_factors

LOTS_MAX: Final = 10_000_000
"""Lots of which a portal keeps a copy; more are refused, because none may be left out."""
LOTS_KEPT_MAX: Final = 10_000
"""Lots kept as values beside their columns (about 400 bytes each): the ones that are scanned."""
STATUSES: Final = ("released", "held", "rejected")
"""In the order of the numbers that stand for them in a column."""
_NO_DATE: Final = 0


@dataclass(frozen=True, slots=True)
class LotColumns:
    """Lots sorted by ``lot_id``. Days are proleptic ordinals, 0 for none."""

    lot_id: Int64s
    product_id: Int64s
    made_on: Int32s
    best_before_on: Int32s
    status: Int8s
    made_at: Int64s
    changed_in: Int64s
    codes: Texts

    @classmethod
    def of(cls, lots: Iterable[Lot]) -> Self:
        """From lots in any order."""
        rows = sorted(lots, key=lambda lot: lot.lot_id)
        return cls(
            lot_id=np.array([row.lot_id for row in rows], dtype=np.int64),
            product_id=np.array([row.product_id for row in rows], dtype=np.int64),
            made_on=np.array([_day(row.made_on) for row in rows], dtype=np.int32),
            best_before_on=np.array([_day(row.best_before_on) for row in rows], dtype=np.int32),
            status=np.array([STATUSES.index(row.status) for row in rows], dtype=np.int8),
            made_at=np.array([row.made_at_place_id for row in rows], dtype=np.int64),
            changed_in=np.array([row.changed_in for row in rows], dtype=np.int64),
            codes=Texts.of([row.code.encode() for row in rows]),
        )

    def overlaid(self, newer: LotColumns) -> LotColumns:
        """The newer ones, and these of which nothing newer was told."""
        told = np.isin(self.lot_id, newer.lot_id)
        lot_id = np.concatenate([self.lot_id, newer.lot_id])
        order = np.argsort(lot_id, kind="stable")
        order = order[~np.append(told, np.zeros(len(newer.lot_id), dtype=bool))[order]]
        return LotColumns(
            lot_id=np.take(lot_id, order),
            product_id=np.take(np.concatenate([self.product_id, newer.product_id]), order),
            made_on=np.take(np.concatenate([self.made_on, newer.made_on]), order),
            best_before_on=np.take(np.concatenate([self.best_before_on, newer.best_before_on]), order),
            status=np.take(np.concatenate([self.status, newer.status]), order),
            made_at=np.take(np.concatenate([self.made_at, newer.made_at]), order),
            changed_in=np.take(np.concatenate([self.changed_in, newer.changed_in]), order),
            codes=self.codes.joined(newer.codes).take(order),
        )


@dataclass(frozen=True, slots=True)
class LotTable:
    """Lots in columns, with what finds them."""

    columns: LotColumns
    index: TextIndex
    size: int = field(init=False, compare=False, repr=False)
    _ids: memoryview = field(init=False, compare=False, repr=False)
    _values: dict[int, Lot] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        # Bisecting a memoryview costs a third of numpy's search for one number.
        object.__setattr__(self, "_ids", np.ascontiguousarray(self.columns.lot_id).data)
        object.__setattr__(self, "size", len(self.columns.lot_id))

    @classmethod
    def of_columns(cls, columns: LotColumns, factors: UInt64s | None = None) -> Self:
        """Long for many lots (0.5 s a million): for a thread."""
        factors = fresh_factors() if factors is None else factors
        return cls(columns, TextIndex.of(columns.product_id, columns.codes, factors))

    @classmethod
    def of(cls, lots: Iterable[Lot]) -> Self:
        """From lots in any order."""
        return cls.of_columns(LotColumns.of(lots))

    def get(self, lot_id: int) -> Lot | None:
        """The lot of this number."""
        row = bisect_left(self._ids, lot_id)
        return self._lot(row) if row < self.size and self._ids[row] == lot_id else None

    def find(self, product_id: int, code: str) -> Lot | None:
        """The lot of this product and code. Two texts with one hash are told apart by the codes themselves."""
        for row in self.index.candidates(product_id, code.encode()):
            lot = self._lot(row)
            if lot.product_id == product_id and lot.code == code:
                return lot
        return None

    def overlaid(self, newer: Self) -> Self:
        """The newer lots, and these of which nothing newer was told. Long for many: for a thread."""
        if not newer.size:
            return self
        return type(self).of_columns(self.columns.overlaid(newer.columns)) if self.size else newer

    def _lot(self, row: int) -> Lot:
        lot = self._values.get(row)
        if lot is None:
            if len(self._values) >= LOTS_KEPT_MAX:
                self._values.clear()
            lot = self._values[row] = self._read(row)
        return lot

    def _read(self, row: int) -> Lot:
        columns = self.columns
        return Lot(
            lot_id=int(columns.lot_id[row]),
            product_id=int(columns.product_id[row]),
            code=columns.codes.at(row).decode(),
            made_on=_date(int(columns.made_on[row])),
            best_before_on=_date(int(columns.best_before_on[row])),
            status=STATUSES[int(columns.status[row])],
            made_at_place_id=int(columns.made_at[row]),
            changed_in=int(columns.changed_in[row]),
        )


NO_LOTS = LotTable.of(())


@dataclass(frozen=True, slots=True)
class Lots:
    """A large table of lots with a small one of the lots changed since over it."""

    base: LotTable = NO_LOTS
    news: LotTable = NO_LOTS

    def get(self, lot_id: int) -> Lot | None:
        """The lot of this number, as last told."""
        newer = self.news.get(lot_id) if self.news.size else None
        return newer or self.base.get(lot_id)

    def find(self, product_id: int, code: str) -> Lot | None:
        """The lot of this product and code, as last told."""
        if not self.news.size:
            return self.base.find(product_id, code)
        newer = self.news.find(product_id, code)
        if newer is not None:
            return newer
        lot = self.base.find(product_id, code)
        return None if lot is None or self.news.get(lot.lot_id) is not None else lot

    def with_news(self, news: LotTable) -> Self:
        """The same with later news."""
        return type(self)(self.base, self.news.overlaid(news)) if news.size else self

    def merged(self) -> Self:
        """The same in one table. Long: for a thread."""
        return type(self)(self.base.overlaid(self.news)) if self.news.size else self


def _day(day: date | None) -> int:
    return _NO_DATE if day is None else day.toordinal()


def _date(ordinal: int) -> date | None:
    return None if ordinal == _NO_DATE else date.fromordinal(ordinal)
