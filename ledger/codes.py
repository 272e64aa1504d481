"""Numbers and codes: which number a serial is, who issued it, and what an identifier is known as.

Every serialized thing has one number below 2**60. Ours are printed as a keyed permutation of the number; serials from
outside get a number of their own (``foreign_serial``). A serial is looked for under our keys first, newest epoch first,
and counts only when the number it decodes to lies in a block that was issued for that very product.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Self

import numpy as np
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncConnection

from gs1 import digital_link
from gs1.identifier import Granularity, Identifier
from ledger import number_store as numbers
from ledger import store
from ledger.model import Found
from ledger.number_store import Block
from ledger.refusals import NoSerialKey, NumbersUsedUp
from runtime.clock import Clock
from serials import alphabet, keys
from serials.cipher import SerialCipher

CIPHERS_KEPT = 1024
"""Products whose cipher stays made up in one key ring: making one costs a key derivation."""


class KeyRing:
    """The serial keys of this installation, one per epoch. Immutable; a new epoch needs a new ring."""

    def __init__(self, roots: Mapping[int, bytes]) -> None:
        self._roots = dict(sorted(roots.items(), reverse=True))
        self._ciphers: dict[tuple[int, str], SerialCipher] = {}

    @classmethod
    async def load(cls, conn: AsyncConnection, master_secret: str) -> Self:
        """All epochs on record. Raises ``serials.keys.WrongMasterSecret`` when they do not open with this secret."""
        return cls.opened(await numbers.wrapped_keys(conn), master_secret)

    @classmethod
    def opened(cls, wrapped: Mapping[int, bytes], master_secret: str) -> Self:
        """As ``load``, of sealed keys."""
        secret = master_secret.encode("utf-8")
        return cls({e: keys.unwrap_root_key(w, master_secret=secret, epoch=e) for e, w in wrapped.items()})

    @property
    def epochs(self) -> tuple[int, ...]:
        """Newest first."""
        return tuple(self._roots)

    @property
    def newest(self) -> int:
        """The epoch under which codes are printed now. Raises ``NoSerialKey`` when there is none."""
        if not self._roots:
            raise NoSerialKey
        return next(iter(self._roots))

    def only(self, epoch: int | None) -> Self:
        """A ring with the key of one epoch, or with none, for a process that needs no other. KeyError as ``cipher``."""
        return type(self)({} if epoch is None else {epoch: self._roots[epoch]})

    def cipher(self, epoch: int, gtin: str) -> SerialCipher:
        """The permutation of one product in one epoch. KeyError for an epoch that is not in the ring."""
        cipher = self._ciphers.get((epoch, gtin))
        if cipher is None:
            if len(self._ciphers) >= CIPHERS_KEPT:
                self._ciphers.clear()
            cipher = SerialCipher(keys.derive_key(self._roots[epoch], gtin=gtin, epoch=epoch), gtin)
            self._ciphers[epoch, gtin] = cipher
        return cipher

    def candidates(self, gtin: str, serial: str) -> tuple[tuple[int, int], ...]:
        """(epoch, number) for each epoch under which the serial could be ours; none when it is not written as ours."""
        if not alphabet.is_exact(serial):
            return ()
        return tuple(
            (epoch, number) for epoch in self._roots if (number := self.cipher(epoch, gtin).number(serial)) is not None
        )

    def candidates_of(self, gtin: str, serials: Iterable[str]) -> tuple[list[str], list[tuple[int, alphabet.Numbers]]]:
        """As ``candidates``, for many serials of a product: those written as ours, and (epoch, their numbers) for each
        epoch, newest first."""
        written, spelt = alphabet.exact_ones(serials)
        return written, [(epoch, self.cipher(epoch, gtin).numbers(spelt)) for epoch in self._roots] if written else []


class KeyRings:
    """The serial keys in force now; made up anew only when an epoch was added: making one costs key derivations."""

    def __init__(self, master_secret: SecretStr) -> None:
        self._secret = master_secret
        self._wrapped: dict[int, bytes] | None = None
        self._ring = KeyRing({})

    async def load(self, conn: AsyncConnection) -> KeyRing:
        """As ``KeyRing.load``."""
        wrapped = await numbers.wrapped_keys(conn)
        if wrapped != self._wrapped:
            self._ring = KeyRing.opened(wrapped, self._secret.get_secret_value())
            self._wrapped = wrapped
        return self._ring


async def ensure_key(conn: AsyncConnection, master_secret: str, *, clock: Clock) -> KeyRing:
    """The key ring, with epoch 1 made when there is none yet. Inside the caller's transaction."""
    await numbers.lock_keys(conn)
    if not await numbers.wrapped_keys(conn):
        wrapped = keys.wrap_root_key(keys.new_root_key(), master_secret=master_secret.encode("utf-8"), epoch=1)
        await numbers.add_key(conn, 1, wrapped, clock())
    return await KeyRing.load(conn, master_secret)


async def reserve_block(
    conn: AsyncConnection,
    *,
    n: int,
    kind: str,
    gtin: str | None,
    lot_id: int | None,
    key_epoch: int | None,
    skipped: Sequence[int] = (),
) -> int:
    """Take ``n`` numbers that nobody has, and record whose they are; returns the first. In the caller's transaction.

    ``kind`` is ``label`` (with GTIN, lot and epoch) or ``foreign``. Raises ``NumbersUsedUp`` beyond 2**60. The
    second of two callers waits until the first has committed, so keep the transaction short.
    """
    lo = await take_numbers(conn, n)
    await numbers.add_block(conn, Block(lo, n, kind, gtin, lot_id, key_epoch, tuple(skipped)))
    return lo


async def take_numbers(conn: AsyncConnection, n: int) -> int:
    """Take ``n`` numbers that nobody has, and nobody will, until ``own_block`` says whose they are; the first of them.

    For whoever has to look at the numbers before it knows which of them it will use. Raises ``NumbersUsedUp``.
    """
    lo = await numbers.take(conn, n)
    if lo + n > alphabet.NUMBERS_MAX:
        raise NumbersUsedUp(total=alphabet.NUMBERS_MAX)
    return lo


async def own_block(conn: AsyncConnection, block: Block) -> None:
    """Record whose numbers from ``take_numbers`` these are; from now on their serials count as issued."""
    await numbers.add_block(conn, block)


async def bring_block(conn: AsyncConnection, *, gtin: str, lot_id: int, serials: Sequence[str]) -> int:
    """Consecutive numbers for serials that a customer brought for labels of a lot; the first. Serial k has lo + k.

    The block is a label job's without an epoch: no key makes these serials, they are looked up. In the caller's
    transaction, which has seen that none of them is on record for the product.
    """
    lo = await reserve_block(conn, n=len(serials), kind="label", gtin=gtin, lot_id=lot_id, key_epoch=None)
    await numbers.add_foreign(conn, [(gtin, serial, lo + k) for k, serial in enumerate(serials)])
    return lo


async def rotate_key(conn: AsyncConnection, master_secret: str, *, clock: Clock) -> KeyRing:
    """The key ring with one more epoch, under which codes are made from now on. Inside the caller's transaction.

    Codes of older epochs stay what they are: their keys are kept.
    """
    await numbers.lock_keys(conn)
    ring = await ensure_key(conn, master_secret, clock=clock)
    epoch = ring.newest + 1
    wrapped = keys.wrap_root_key(keys.new_root_key(), master_secret=master_secret.encode("utf-8"), epoch=epoch)
    await numbers.add_key(conn, epoch, wrapped, clock())
    return await KeyRing.load(conn, master_secret)


async def find(conn: AsyncConnection, identifier: Identifier, keys: KeyRing) -> Found:
    """What the ledger knows of an identifier; never refuses: unknown is an answer.

    An item is known by GTIN and serial: a lot beside them does not change which item is meant. ``lot_id`` is the lot on
    record (of the run, else of the label job), never the lot that the code claims.
    """
    granularity = identifier.granularity
    if granularity is Granularity.ITEM:
        return await _find_item(conn, identifier, keys)
    if granularity in (Granularity.LOT, Granularity.PRODUCT):
        gtin = identifier.gtin or ""
        if identifier.lot and (lot := await store.find_lot(conn, gtin, identifier.lot)) is not None:
            return Found(identifier, lot.product_id, lot.lot_id)
        product = await store.find_product(conn, gtin)
        return Found(identifier) if product is None else Found(identifier, product.product_id)
    unit_id = await numbers.unit_by_uri(conn, digital_link.canonical(identifier.identity()))
    return Found(identifier, unit_id=unit_id, issued=unit_id is not None, commissioned=unit_id is not None)


async def _find_item(conn: AsyncConnection, identifier: Identifier, keys: KeyRing) -> Found:
    gtin, serial = identifier.gtin or "", identifier.serial or ""
    product = await store.find_product(conn, gtin)
    product_id = None if product is None else product.product_id
    number = (await numbers_of(conn, [(gtin, serial)], keys)).get((gtin, serial))
    if number is None:
        return Found(identifier, product_id)
    place = await numbers.whereabouts(conn, number)
    lot_id = place.lot_id if place.lot_id is not None else place.block_lot_id
    return Found(
        identifier, product_id, lot_id, number, place.unit_id, issued=True, commissioned=place.lot_id is not None
    )


async def numbers_of(
    conn: AsyncConnection, items: Iterable[tuple[str, str]], keys: KeyRing
) -> dict[tuple[str, str], int]:
    """The numbers of those (gtin, serial) that are known: issued by us, or told by somebody."""
    serials_by_gtin: dict[str, dict[str, None]] = {}
    for gtin, serial in items:
        serials_by_gtin.setdefault(gtin, {})[serial] = None
    found = await numbers_of_serials(conn, serials_by_gtin, keys)
    return {(gtin, serial): number for gtin, those in found.items() for serial, number in those.items()}


async def numbers_of_serials(
    conn: AsyncConnection, serials_by_gtin: Mapping[str, Collection[str]], keys: KeyRing
) -> dict[str, dict[str, int]]:
    """As ``numbers_of``, by GTIN and serial."""
    found: dict[str, dict[str, int]] = {gtin: {} for gtin in serials_by_gtin}
    candidates = {gtin: keys.candidates_of(gtin, serials) for gtin, serials in serials_by_gtin.items()}
    blocks = await numbers.blocks_meeting(conn, [those for _, epochs in candidates.values() for _, those in epochs])
    for gtin, (written, epochs) in candidates.items():
        for epoch, those in reversed(epochs):  # the newest last: it is the one that counts
            issued = np.flatnonzero(numbers.issued_for(blocks, gtin, epoch, those))
            found[gtin].update(zip(map(written.__getitem__, issued.tolist()), those[issued].tolist(), strict=True))
    rest = [
        (gtin, serial)
        for gtin, serials in serials_by_gtin.items()
        if len(found[gtin]) < len(serials)
        for serial in serials
        if serial not in found[gtin]
    ]
    for (gtin, serial), number in (await numbers.foreign_numbers(conn, rest)).items():
        found[gtin][serial] = number
    return found


async def items_of(conn: AsyncConnection, runs: Sequence[tuple[int, int]], keys: KeyRing) -> list[tuple[str, str]]:
    """The (gtin, serial) of every number of these runs (lo, n), in their order."""
    if not runs:
        return []
    wanted = np.concatenate([np.arange(lo, lo + n, dtype=np.int64) for lo, n in runs])
    told = await numbers.told_serials(conn, runs)  # also those that a customer brought for labels of ours
    found = dict(told)
    for block in await numbers.blocks_meeting(conn, [wanted]):
        if block.gtin is not None and block.key_epoch is not None:
            own = wanted[(wanted >= block.lo) & (wanted < block.lo + block.n)]
            rows = keys.cipher(block.key_epoch, block.gtin).serials(own)
            serials = (row.tobytes().decode("ascii") for row in rows)
            found.update(zip(own.tolist(), ((block.gtin, serial) for serial in serials), strict=True))
    return [found[number] for number in wanted.tolist()]


async def number_for_foreign(conn: AsyncConnection, gtin: str, serial: str) -> int:
    """The number of a serial from outside, given now if it has none. Inside the caller's transaction."""
    return (await numbers_for_foreign(conn, [(gtin, serial)]))[gtin, serial]


async def numbers_for_foreign(conn: AsyncConnection, items: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """As ``number_for_foreign``, for many: new ones get consecutive numbers in the order given; runs stay long."""
    wanted = list(dict.fromkeys(items))
    known = await numbers.foreign_numbers(conn, wanted)
    fresh = [item for item in wanted if item not in known]
    if fresh:
        lo = await reserve_block(conn, n=len(fresh), kind="foreign", gtin=None, lot_id=None, key_epoch=None)
        await numbers.add_foreign(conn, [(gtin, serial, lo + k) for k, (gtin, serial) in enumerate(fresh)])
        # Somebody else may have told one of them a moment ago: theirs counts, and our number stays unused.
        known.update(await numbers.foreign_numbers(conn, fresh))
    return known
