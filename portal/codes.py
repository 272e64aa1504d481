"""From the serial in a code to the number of the item: our own serials are decoded, others' are looked up."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Self

import numpy as np

from portal.intervals import Int64s
from portal.lots import UInt64s, text_hash
from serials import keys
from serials.cipher import SerialCipher

CIPHERS_MAX: Final = 10_000
"""Ciphers kept per process (one per product and epoch); the one used longest ago makes room."""


class Keys:
    """The serial keys of all live epochs, the newest first. Raises ``serials.keys.KeysError`` when they do not open."""

    def __init__(self, wrapped_by_epoch: Mapping[int, bytes], master_secret: str) -> None:
        secret = master_secret.encode()
        self._roots = {
            epoch: keys.unwrap_root_key(bytes(wrapped), master_secret=secret, epoch=epoch)
            for epoch, wrapped in sorted(wrapped_by_epoch.items(), reverse=True)
        }
        self._ciphers: OrderedDict[tuple[int, str], SerialCipher] = OrderedDict()

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


@dataclass(frozen=True, slots=True)
class Block:
    """Numbers issued to a label job of one product (``gtin`` None: given to serials from outside)."""

    lo: int
    n: int
    gtin: str | None
    lot_id: int | None
    epoch: int | None
    skipped: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Blocks:
    """All issued blocks, sorted by ``lo``; they do not overlap."""

    lo: Int64s = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    rows: tuple[Block, ...] = ()

    @classmethod
    def of(cls, blocks: Iterable[Block]) -> Self:
        """From blocks in any order; the later one counts when two begin alike."""
        rows = tuple(sorted({block.lo: block for block in blocks}.values(), key=lambda block: block.lo))
        return cls(np.array([row.lo for row in rows], dtype=np.int64), rows)

    def with_news(self, blocks: Sequence[Block]) -> Self:
        """The same with later news."""
        return type(self).of([*self.rows, *blocks]) if blocks else self

    def issued(self, gtin: str, epoch: int, number: int) -> Block | None:
        """The block that issued ``number`` under this product and epoch; a skipped number was never issued."""
        index = int(self.lo.searchsorted(np.int64(number), "right")) - 1
        if index < 0:
            return None
        block = self.rows[index]
        inside = number < block.lo + block.n and number not in block.skipped
        return block if inside and block.gtin == gtin and block.epoch == epoch else None


@dataclass(frozen=True, slots=True)
class ForeignSerials:
    """Serials from outside: 16 bytes each, as sorted hashes; the few that share a hash stand apart, in full."""

    salt: bytes = b""
    hashes: UInt64s = field(default_factory=lambda: np.empty(0, dtype=np.uint64))
    numbers: Int64s = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    apart: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Those whose hashes collide, and those told since."""

    @classmethod
    def of(cls, rows: Sequence[tuple[str, str, int]], salt: bytes) -> Self:
        """From (gtin, serial, number) in any order."""
        hashes = np.array([text_hash(salt, _key(gtin, serial)) for gtin, serial, _ in rows], dtype=np.uint64)
        order = np.argsort(hashes, kind="stable")
        ordered = hashes[order]
        twins = {int(h) for h in ordered[1:][ordered[1:] == ordered[:-1]]}
        apart = {(g, s): number for g, s, number in rows if twins and text_hash(salt, _key(g, s)) in twins}
        return cls(salt, ordered, np.array([row[2] for row in rows], dtype=np.int64)[order], apart)

    def with_news(self, rows: Sequence[tuple[str, str, int]]) -> Self:
        """The same with later news."""
        if not rows:
            return self
        return type(self)(
            self.salt, self.hashes, self.numbers, {**self.apart, **{(g, s): number for g, s, number in rows}}
        )

    def number(self, gtin: str, serial: str) -> int | None:
        """The number that this serial was given."""
        if (gtin, serial) in self.apart:
            return self.apart[gtin, serial]
        if not len(self.hashes):
            return None
        wanted = np.uint64(text_hash(self.salt, _key(gtin, serial)))
        at = int(self.hashes.searchsorted(wanted, "left"))
        if at == len(self.hashes) or self.hashes[at] != wanted:
            return None
        if at + 1 < len(self.hashes) and self.hashes[at + 1] == wanted:
            return None  # one of a pair that stands apart, and it is neither of them
        return int(self.numbers[at])


def _key(gtin: str, serial: str) -> str:
    return f"{gtin}/{serial}"
