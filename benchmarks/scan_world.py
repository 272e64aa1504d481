"""Lots with printed and commissioned items for the scan benchmark, written by COPY, and links of some of them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

import numpy as np
from sqlalchemy.ext.asyncio import AsyncConnection

from benchmarks.genealogy_world import gtin_of
from gs1.check_digit import compute
from ledger import codes
from ledger.codes import KeyRing
from runtime.clock import system_clock
from runtime.database import DatabaseAddress, Role, transaction

ITEMS_PER_LOT: Final = 10_000
LOTS_PER_PRODUCT: Final = 100
CODES_MAX: Final = 131_072
"""Most different codes in one load."""
BRAND: Final = "Meadow"
MADE_ON: Final = date(2026, 1, 1)
BEST_BEFORE: Final = date(2099, 1, 1)
_MADE_AT: Final = datetime(2026, 1, 1, tzinfo=UTC)
_SEED: Final = 20260102
_GLN: Final = "952100000100" + compute("952100000100")
_PARTY_URI: Final = f"https://id.gs1.org/417/{_GLN}"
PLANT: Final = 1
PLANT_URI: Final = f"https://id.gs1.org/414/{_GLN}"
"""Where everything was made."""


async def write(address: DatabaseAddress, lots: int, master_secret: str) -> KeyRing:
    """Fill an empty database with so many lots of ``ITEMS_PER_LOT`` active items each; returns the serial keys."""
    engine = address.engine(Role.STAFF, pool_size=1)
    try:
        async with engine.connect() as conn:
            keys = await _keys(conn, master_secret)
    finally:
        await engine.dispose()
    raw = await address.connect(Role.OWNER)
    try:
        async with raw.transaction():
            for table, columns, rows in _tables(lots, keys.newest):
                await raw.copy_records_to_table(table, columns=columns.split(), records=rows)
            await raw.execute("UPDATE number_allocator SET next = $1", 1 + lots * ITEMS_PER_LOT)
        await raw.execute("ANALYZE")
    finally:
        await raw.close()
    return keys


def paths(keys: KeyRing, lots: Sequence[int], count: int) -> list[str]:
    """``count`` different codes of these lots in random order, as request paths."""
    return [path for path, _ in paths_of(keys, lots, count)]


def paths_of(keys: KeyRing, lots: Sequence[int], count: int) -> list[tuple[str, int]]:
    """As ``paths``, each with its lot."""
    chosen, per_lot = random.Random(_SEED), -(-count // len(lots))
    found = []
    for lot in lots:
        gtin = gtin_of_lot(lot)
        numbers = np.array(chosen.sample(range(ITEMS_PER_LOT), per_lot), dtype=np.int64) + first_number(lot)
        serials = keys.cipher(keys.newest, gtin).serials(numbers)
        found += [(f"/01/{gtin}/21/{row.tobytes().decode('ascii')}", lot) for row in serials]
    chosen.shuffle(found)
    return found[:count]


def words_of_lot(lot: int) -> tuple[str, str]:
    """The name of its product, and its code."""
    return f"Meadow Cheese {(lot - 1) // LOTS_PER_PRODUCT + 1}", f"L{lot:06d}"


def counts(lot: int) -> bool:
    """Whether pages of this lot wait for their count: those of every other product do."""
    return (lot - 1) // LOTS_PER_PRODUCT % 2 == 1


def gtin_of_lot(lot: int) -> str:
    """The product of a lot (lots are numbered from 1)."""
    return gtin_of((lot - 1) // LOTS_PER_PRODUCT)


def _tables(lots: int, epoch: int) -> Iterator[tuple[str, str, Iterator[tuple[object, ...]]]]:
    every, products = range(1, lots + 1), range(1, -(-lots // LOTS_PER_PRODUCT) + 1)
    since = _MADE_AT + timedelta(days=1)
    yield "party", "party_id uri gln name role", iter([(1, _PARTY_URI, _GLN, "Meadow Creamery", "brand")])
    plant = (PLANT, PLANT_URI, _GLN, "Meadow Creamery, plant", "plant", 1, "GB")
    yield "place", "place_id uri gln name kind party_id country", iter([plant])
    yield (
        "product",
        "product_id gtin name brand profile ours allergens checks",
        (
            (p, gtin_of(p - 1), f"Meadow Cheese {p}", BRAND, "food", True, ["milk"], "off" if p % 2 else "exact")
            for p in products
        ),
    )
    yield (
        "lot",
        "lot_id product_id code made_on best_before_on made_at_place_id",
        ((n, (n - 1) // LOTS_PER_PRODUCT + 1, f"L{n:06d}", MADE_ON, BEST_BEFORE, 1) for n in every),
    )
    yield (
        "number_block",
        "lo n kind gtin lot_id key_epoch",
        ((first_number(n), ITEMS_PER_LOT, "label", gtin_of_lot(n), n, epoch) for n in every),
    )
    yield (
        "code_run",
        "lo n lot_id since event_id place_id owner_id disposition",
        ((first_number(n), ITEMS_PER_LOT, n, since, 0, 1, 1, "active") for n in every),
    )


def first_number(lot: int) -> int:
    """The number of a lot's first item."""
    return 1 + (lot - 1) * ITEMS_PER_LOT


async def _keys(conn: AsyncConnection, master_secret: str) -> KeyRing:
    async with transaction(conn):
        return await codes.ensure_key(conn, master_secret, clock=system_clock)
