"""The published lots, compact: about 65 bytes a lot and its code, found by number or by (product, code)."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from portal.intervals import Int8s, Int64s
from portal.model import Lot

UInt64s = npt.NDArray[np.uint64]
Int32s = npt.NDArray[np.int32]

LOTS_KEPT_MAX: Final = 10_000
"""Lots kept as values beside their columns (about 400 bytes each): the ones that are scanned."""
_NO_DATE: Final = 0
_STATUSES: Final = ("released", "held", "rejected")


def text_hash(salt: bytes, text: str) -> int:
    """64 bits of a keyed hash. The salt is the process's own: nobody outside can make two texts meet."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8, key=salt).digest(), "big")


@dataclass(frozen=True, slots=True)
class LotTable:
    """Lots in columns sorted by ``lot_id``; ``codes`` holds the lot codes one after the other."""

    salt: bytes
    lot_id: Int64s
    product_id: Int64s
    made_on: Int32s
    best_before_on: Int32s
    status: Int8s
    made_at: Int64s
    changed_in: Int64s
    codes: bytes
    code_ends: Int64s
    key_hash: UInt64s
    """Sorted hashes of (product, code); ``key_row`` says in which row the lot stands."""
    key_row: Int64s
    _values: dict[int, Lot] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, lots: Iterable[Lot]) -> Self:
        """From lots in any order."""
        rows = sorted(lots, key=lambda lot: lot.lot_id)
        salt = secrets.token_bytes(16)
        codes = [row.code.encode() for row in rows]
        hashes = np.array([text_hash(salt, _key(row.product_id, row.code)) for row in rows], dtype=np.uint64)
        order = np.argsort(hashes, kind="stable")
        return cls(
            salt=salt,
            lot_id=np.array([row.lot_id for row in rows], dtype=np.int64),
            product_id=np.array([row.product_id for row in rows], dtype=np.int64),
            made_on=np.array([_day(row.made_on) for row in rows], dtype=np.int32),
            best_before_on=np.array([_day(row.best_before_on) for row in rows], dtype=np.int32),
            status=np.array([_STATUSES.index(row.status) for row in rows], dtype=np.int8),
            made_at=np.array([row.made_at_place_id for row in rows], dtype=np.int64),
            changed_in=np.array([row.changed_in for row in rows], dtype=np.int64),
            codes=b"".join(codes),
            code_ends=np.cumsum([len(code) for code in codes], dtype=np.int64),
            key_hash=hashes[order],
            key_row=order.astype(np.int64),
        )

    def get(self, lot_id: int) -> Lot | None:
        """The lot of this number."""
        row = int(self.lot_id.searchsorted(np.int64(lot_id)))
        return self._lot(row) if row < len(self.lot_id) and int(self.lot_id[row]) == lot_id else None

    def find(self, product_id: int, code: str) -> Lot | None:
        """The lot of this product and code. Two texts with one hash are told apart by the codes themselves."""
        wanted = np.uint64(text_hash(self.salt, _key(product_id, code)))
        at = int(self.key_hash.searchsorted(wanted, "left"))
        while at < len(self.key_hash) and self.key_hash[at] == wanted:
            lot = self._lot(int(self.key_row[at]))
            if lot.product_id == product_id and lot.code == code:
                return lot
            at += 1
        return None

    def _lot(self, row: int) -> Lot:
        lot = self._values.get(row)
        if lot is None:
            if len(self._values) >= LOTS_KEPT_MAX:
                self._values.clear()
            lot = self._values[row] = self._read(row)
        return lot

    def _read(self, row: int) -> Lot:
        begin = int(self.code_ends[row - 1]) if row else 0
        return Lot(
            lot_id=int(self.lot_id[row]),
            product_id=int(self.product_id[row]),
            code=self.codes[begin : int(self.code_ends[row])].decode(),
            made_on=_date(int(self.made_on[row])),
            best_before_on=_date(int(self.best_before_on[row])),
            status=_STATUSES[int(self.status[row])],
            made_at_place_id=int(self.made_at[row]),
            changed_in=int(self.changed_in[row]),
        )


@dataclass(frozen=True, slots=True)
class Lots:
    """A table of lots with the lots changed since over it."""

    base: LotTable = field(default_factory=lambda: LotTable.of(()))
    news: Mapping[int, Lot] = field(default_factory=dict)
    news_by_code: Mapping[tuple[int, str], int] = field(default_factory=dict)

    def get(self, lot_id: int) -> Lot | None:
        """The lot of this number, as last told."""
        return self.news.get(lot_id) or self.base.get(lot_id)

    def find(self, product_id: int, code: str) -> Lot | None:
        """The lot of this product and code, as last told."""
        newer = self.news_by_code.get((product_id, code))
        if newer is not None:
            return self.news[newer]
        lot = self.base.find(product_id, code)
        return None if lot is None or lot.lot_id in self.news else lot

    def with_news(self, lots: Iterable[Lot]) -> Self:
        """The same with later news."""
        news = {**self.news, **{lot.lot_id: lot for lot in lots}}
        return type(self)(self.base, news, {(lot.product_id, lot.code): lot.lot_id for lot in news.values()})


def lot_of(row: Mapping[str, Any]) -> Lot:
    """A row of ``public_lot``."""
    return Lot(
        lot_id=row["lot_id"],
        product_id=row["product_id"],
        code=row["code"],
        made_on=row["made_on"],
        best_before_on=row["best_before_on"],
        status=row["status"],
        made_at_place_id=row["made_at_place_id"],
        changed_in=row["changed_in"],
    )


def _key(product_id: int, code: str) -> str:
    return f"{product_id}/{code}"


def _day(day: date | None) -> int:
    return _NO_DATE if day is None else day.toordinal()


def _date(ordinal: int) -> date | None:
    return None if ordinal == _NO_DATE else date.fromordinal(ordinal)
