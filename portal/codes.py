"""From the serial in a code to the number of the item: our own serials are decoded, others' are looked up."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Self

import numpy as np

from portal.columns import Flags, Int32s, Int64s, settled
from portal.text_index import TEXT_BYTES_MAX, Texts, UInt64s, fresh_factors, hash_of, hashes_of
from serials import keys
from serials.cipher import SerialCipher

CIPHERS_MAX: Final = 10_000
"""Ciphers kept per process (one per product and epoch); the one used longest ago makes room."""
BLOCKS_MAX: Final = 50_000_000
"""Issued blocks of which a portal keeps a copy; more are refused, because none may be left out."""
FOREIGN_MAX: Final = 100_000_000
"""Serials from outside of which a portal keeps a copy; more are refused."""
NONE: Final = -1
"""Stands in a column where there is no value."""


class Keys:
    """The serial keys of all live epochs, the newest first. Raises ``serials.keys.KeysError`` when they do not open."""

    def __init__(self, wrapped_by_epoch: Mapping[int, bytes], master_secret: str) -> None:
        secret = master_secret.encode()
        self._roots = {
            epoch: keys.unwrap_root_key(bytes(wrapped), master_secret=secret, epoch=epoch)
            for epoch, wrapped in sorted(wrapped_by_epoch.items(), reverse=True)
        }
        self._ciphers: OrderedDict[tuple[int, str], SerialCipher] = OrderedDict()
        self._decoders: dict[str, tuple[tuple[int, Callable[[int], int]], ...]] = {}

    @property
    def epochs(self) -> frozenset[int]:
        """The epochs whose keys are known."""
        return frozenset(self._roots)

    def candidates(self, gtin: str, serial: str) -> list[tuple[int, int]]:
        """(epoch, number) that the serial may stand for, newest epoch first; ``Blocks`` know whether it was issued."""
        found = []
        for epoch in self._roots:
            number = self._cipher(epoch, gtin).number(serial)
            if number is None:  # not the form of our serials, whatever the epoch
                return []
            found.append((epoch, number))
        return found

    def decoders(self, gtin: str) -> tuple[tuple[int, Callable[[int], int]], ...]:
        """For each epoch, the newest first, what makes a number of the 60 bits of a serial of this product."""
        found = self._decoders.get(gtin)
        if found is None:
            if len(self._decoders) >= CIPHERS_MAX:
                self._decoders.clear()
            found = tuple((epoch, self._cipher(epoch, gtin).number_of_block) for epoch in self._roots)
            self._decoders[gtin] = found
        return found

    def ciphers(self, gtin: str) -> list[tuple[int, SerialCipher]]:
        """The cipher of each epoch, the newest first, to decode many serials of this product."""
        return [(epoch, self._cipher(epoch, gtin)) for epoch in self._roots]

    def own_cipher(self, gtin: str, epoch: int) -> SerialCipher:
        """A cipher of the caller's own: one belongs to one thread."""
        return SerialCipher(keys.derive_key(self._roots[epoch], gtin=gtin, epoch=epoch), gtin)

    def _cipher(self, epoch: int, gtin: str) -> SerialCipher:
        cipher = self._ciphers.get((epoch, gtin))
        if cipher is None:
            cipher = SerialCipher(keys.derive_key(self._roots[epoch], gtin=gtin, epoch=epoch), gtin)
            self._ciphers[epoch, gtin] = cipher
            if len(self._ciphers) > CIPHERS_MAX:
                self._ciphers.popitem(last=False)
        else:
            self._ciphers.move_to_end((epoch, gtin))
        return cipher


class Block(NamedTuple):
    """Numbers issued to a label job of one product (``gtin`` None: given to serials from outside)."""

    lo: int
    n: int
    gtin: str | None
    lot_id: int | None
    epoch: int | None
    skipped: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class BlockTable:
    """Issued blocks in columns sorted by ``lo``, 36 bytes each; they do not overlap."""

    lo: Int64s
    n: Int64s
    gtin: Int64s
    lot_id: Int64s
    epoch: Int32s
    skipped: Mapping[int, frozenset[int]]
    """Of the few blocks that skip numbers, by ``lo``."""
    size: int = field(init=False, compare=False, repr=False)
    _views: tuple[memoryview, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        columns = (self.lo, self.n, self.gtin, self.epoch)
        object.__setattr__(self, "_views", tuple(np.ascontiguousarray(column).data for column in columns))
        object.__setattr__(self, "size", len(self.lo))

    @classmethod
    def of(cls, blocks: Iterable[Block]) -> Self:
        """From blocks in any order; the later one counts when two begin alike."""
        rows = sorted({block.lo: block for block in blocks}.values())
        return cls(
            lo=np.array([row.lo for row in rows], dtype=np.int64),
            n=np.array([row.n for row in rows], dtype=np.int64),
            gtin=np.array([NONE if row.gtin is None else int(row.gtin) for row in rows], dtype=np.int64),
            lot_id=np.array([NONE if row.lot_id is None else row.lot_id for row in rows], dtype=np.int64),
            epoch=np.array([NONE if row.epoch is None else row.epoch for row in rows], dtype=np.int32),
            skipped={row.lo: row.skipped for row in rows if row.skipped},
        )

    def overlaid(self, newer: Self) -> Self:
        """The newer blocks, and these that do not begin where a newer one does."""
        if not newer.size:
            return self
        kept = ~np.isin(self.lo, newer.lo)
        lo = np.concatenate([self.lo[kept], newer.lo])
        order = np.argsort(lo, kind="stable")
        return type(self)(
            lo=np.take(lo, order),
            n=np.take(np.concatenate([self.n[kept], newer.n]), order),
            gtin=np.take(np.concatenate([self.gtin[kept], newer.gtin]), order),
            lot_id=np.take(np.concatenate([self.lot_id[kept], newer.lot_id]), order),
            epoch=np.take(np.concatenate([self.epoch[kept], newer.epoch]), order),
            skipped={**self.skipped, **newer.skipped},
        )

    def issued(self, gtin: int, epoch: int, number: int) -> int | None:
        """The row of the block that issued ``number`` under this product and epoch; a skipped number never was."""
        lo, n, gtins, epochs = self._views
        row = bisect_right(lo, number) - 1
        if row < 0 or number >= lo[row] + n[row] or gtins[row] != gtin or epochs[row] != epoch:
            return None
        return None if self.skipped and number in self.skipped.get(lo[row], ()) else row

    def issued_many(self, gtin: int, epoch: int, numbers: Int64s) -> Flags:
        """As ``issued``, for many numbers: which of them were."""
        if not self.size:
            return np.zeros(len(numbers), dtype=np.bool_)
        row = self.lo.searchsorted(numbers, "right") - 1
        found: Flags = (
            (row >= 0) & (numbers < self.lo[row] + self.n[row]) & (self.gtin[row] == gtin) & (self.epoch[row] == epoch)
        )
        for lo, skipped in self.skipped.items():
            found &= (self.lo[row] != lo) | ~np.isin(numbers, np.fromiter(skipped, dtype=np.int64))
        return found

    def row_of(self, number: int) -> int | None:
        """The row of the block that holds ``number``, whoever it was issued to."""
        lo, n, _, _ = self._views
        row = bisect_right(lo, number) - 1
        return None if row < 0 or number >= lo[row] + n[row] else row

    def of_lots(self, lots: Int64s) -> list[Block]:
        """The blocks issued for any of these lots."""
        return [self.block(int(row)) for row in np.flatnonzero(np.isin(self.lot_id, lots))]

    def meeting(self, lo: int, n: int) -> list[Block]:
        """The blocks that hold any of the numbers ``lo`` to ``lo + n - 1``, in their order."""
        first = max(int(self.lo.searchsorted(np.int64(lo), "right")) - 1, 0)
        last = int(self.lo.searchsorted(np.int64(lo + n), "left"))
        found = [self.block(row) for row in range(first, last)]
        return [block for block in found if block.lo + block.n > lo]

    def block(self, row: int) -> Block:
        """One row as a value."""
        gtin, lot_id, epoch = int(self.gtin[row]), int(self.lot_id[row]), int(self.epoch[row])
        return Block(
            int(self.lo[row]),
            int(self.n[row]),
            None if gtin == NONE else f"{gtin:014}",
            None if lot_id == NONE else lot_id,
            None if epoch == NONE else epoch,
            self.skipped.get(int(self.lo[row]), frozenset()),
        )


NO_BLOCKS = BlockTable.of(())


@dataclass(frozen=True, slots=True)
class Blocks:
    """A large table of issued blocks with those told since over it."""

    base: BlockTable = NO_BLOCKS
    news: BlockTable = NO_BLOCKS

    @classmethod
    def of(cls, blocks: Iterable[Block]) -> Self:
        """From blocks in any order."""
        return cls(BlockTable.of(blocks))

    def with_news(self, news: BlockTable) -> Self:
        """The same with later news: a block that began before is told anew, with the same numbers."""
        return type(self)(self.base, self.news.overlaid(news)) if news.size else self

    def merged(self) -> Self:
        """The same in one table. Long for many: for a thread."""
        return type(self)(self.base.overlaid(self.news)) if self.news.size else self

    def issued(self, gtin: str, epoch: int, number: int) -> Block | None:
        """The block that issued ``number`` under this product and epoch, as last told."""
        table = self._telling(number)
        row = table.issued(int(gtin), epoch, number)
        return None if row is None else table.block(row)

    def has_issued(self, gtin: int, epoch: int, number: int) -> bool:
        """Whether ``issued`` finds a block."""
        return self._telling(number).issued(gtin, epoch, number) is not None

    def bounds_of(self, number: int) -> tuple[int, int] | None:
        """Some ``lo <= number < end`` whose numbers were all issued together; None when that is not seen at once."""
        table = self._telling(number)
        row = table.row_of(number)
        if row is None:
            return None
        block = table.block(row)
        if block.skipped or (self.news.size and table is self.base and self.news.meeting(block.lo, block.n)):
            return None
        return block.lo, block.lo + block.n

    def issued_many(self, gtin: int, epoch: int, numbers: Int64s) -> Flags:
        """As ``has_issued``, for many numbers."""
        if not self.news.size:
            return self.base.issued_many(gtin, epoch, numbers)
        row = self.news.lo.searchsorted(numbers, "right") - 1
        told = (row >= 0) & (numbers < self.news.lo[row] + self.news.n[row])
        newer, older = (table.issued_many(gtin, epoch, numbers) for table in (self.news, self.base))
        return np.where(told, newer, older)

    def of_lots(self, lots: Int64s) -> list[Block]:
        """The blocks issued for any of these lots, as last told."""
        told = {int(lo) for lo in self.news.lo}
        base = [block for block in self.base.of_lots(lots) if block.lo not in told]
        return [*base, *self.news.of_lots(lots)]

    def meeting(self, lo: int, n: int) -> list[Block]:
        """The blocks that hold any of the numbers ``lo`` to ``lo + n - 1``, in their order, as last told."""
        found = {block.lo: block for table in (self.base, self.news) for block in table.meeting(lo, n)}
        return [found[at] for at in sorted(found)]

    def _telling(self, number: int) -> BlockTable:
        return self.news if self.news.size and self.news.row_of(number) is not None else self.base


@dataclass(frozen=True, slots=True)
class ForeignSerials:
    """Serials from outside: 16 bytes each, as sorted hashes; the few that share a hash stand apart, in full."""

    factors: UInt64s = field(default_factory=fresh_factors)
    hashes: UInt64s = field(default_factory=lambda: np.empty(0, dtype=np.uint64))
    numbers: Int64s = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    apart: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Those whose hashes collide, and those told since."""
    _view: memoryview = field(init=False, compare=False, repr=False)
    _factors: tuple[int, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_view", self.hashes.data)
        object.__setattr__(self, "_factors", tuple(self.factors.tolist()))

    @classmethod
    def of_columns(cls, gtins: Int64s, serials: Texts, numbers: Int64s, factors: UInt64s | None = None) -> Self:
        """In any order. Long for many (0.6 s a million): for a thread."""
        factors = fresh_factors() if factors is None else factors
        hashes = hashes_of(factors, gtins, serials)
        order = np.argsort(hashes, kind="stable")
        ordered = np.take(hashes, order)
        twins = np.isin(hashes, ordered[1:][ordered[1:] == ordered[:-1]])
        apart = {
            (f"{int(gtins[row]):014}", serials.at(int(row)).decode()): int(numbers[row])
            for row in np.flatnonzero(twins)
        }
        return cls(factors, settled(ordered), settled(np.take(numbers, order)), apart)

    @classmethod
    def of(cls, rows: Sequence[tuple[str, str, int]], factors: UInt64s | None = None) -> Self:
        """From (gtin, serial, number) in any order."""
        gtins = np.array([int(gtin) for gtin, _, _ in rows], dtype=np.int64)
        serials = Texts.of([serial.encode() for _, serial, _ in rows])
        return cls.of_columns(gtins, serials, np.array([row[2] for row in rows], dtype=np.int64), factors)

    def with_news(self, rows: Sequence[tuple[str, str, int]]) -> Self:
        """The same with later news."""
        if not rows:
            return self
        told = {(gtin, serial): number for gtin, serial, number in rows}
        return type(self)(self.factors, self.hashes, self.numbers, {**self.apart, **told})

    def number(self, gtin: str, serial: str) -> int | None:
        """The number that this serial was given."""
        if (gtin, serial) in self.apart:
            return self.apart[gtin, serial]
        text = serial.encode()
        if not len(self._view) or len(text) > TEXT_BYTES_MAX:
            return None
        wanted = hash_of(self._factors, int(gtin), text)
        at = bisect_left(self._view, wanted)
        if at == len(self._view) or self._view[at] != wanted:
            return None
        if at + 1 < len(self._view) and self._view[at + 1] == wanted:
            return None  # one of a pair that stands apart, and it is neither of them
        return int(self.numbers[at])
