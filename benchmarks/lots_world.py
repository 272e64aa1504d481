"""A world of lots that grows, written in the server itself, and cases published over some of them."""

from __future__ import annotations

import asyncpg

from benchmarks.genealogy_world import gtin_of
from benchmarks.scan_world import ITEMS_PER_LOT, LOTS_PER_PRODUCT
from runtime.database import DatabaseAddress, Role

_ROWS = (
    "INSERT INTO lot (lot_id, product_id, code, made_on, best_before_on, made_at_place_id) OVERRIDING SYSTEM VALUE"
    " SELECT n, (n - 1) / $3 + 1, 'L' || lpad(n::text, 7, '0'), DATE '2026-01-01', DATE '2099-01-01', 1"
    " FROM generate_series($1::int8, $2::int8) AS n WHERE $4 > 0 AND $5 >= 0",
    "INSERT INTO number_block (lo, n, kind, gtin, lot_id, key_epoch)"
    " SELECT 1 + (n - 1) * $4, $4, 'label', p.gtin, n, $5::int4"
    " FROM generate_series($1::int8, $2::int8) AS n JOIN product p ON p.product_id = (n - 1) / $3 + 1",
    "INSERT INTO code_run (lo, n, lot_id, since, event_id, place_id, owner_id, disposition)"
    " SELECT 1 + (n - 1) * $4, $4, n, TIMESTAMPTZ '2026-01-02', 0, 1, 1, 'active'"
    " FROM generate_series($1::int8, $2::int8) AS n WHERE $3 > 0 AND $5 >= 0",
)
_CASE = (
    "INSERT INTO recall_case (case_id, number, kind, state, title, hazard, hazard_class, opened_by, opened_at)"
    " OVERRIDING SYSTEM VALUE VALUES ($1, 'R-2026-' || lpad(($1::int8)::text, 8, '0'), 'recall', 'published',"
    " 'Cheese may hold glass', 'Pieces of glass can injure.', 1, 'benchmark', now())",
    "INSERT INTO affected_set (affected_set_id, case_id, scope, ledger_event, hash, lots, items, owners, totals,"
    " took_ms, frozen_at) OVERRIDING SYSTEM VALUE VALUES ($1, $1, '[]', 1, 'x', 1, 1, 1, '{}', 1, now())",
)
_NAMED = (
    "INSERT INTO affected_lot (affected_set_id, lot_id, whole, basis)"
    " SELECT $1, n, true, 'scope' FROM generate_series($2::int8, $3::int8) AS n"
)
_PUBLISHED = (
    "INSERT INTO publication (case_id, number, version, kind, state, title, hazard, hazard_class, texts, contact,"
    " published_at, updated_at, affected_set_id, revision)"
    " SELECT case_id, number, 1, kind, 'published', title, hazard, hazard_class, '{}', '{}', now(), now(), case_id,"
    " next_public_revision() FROM recall_case WHERE case_id = $1"
)


async def grow(address: DatabaseAddress, last: int, epoch: int) -> None:
    """Add lots after those that there are, up to ``last``, each of ``ITEMS_PER_LOT`` active items.

    The world began with ``scan_world.write``; the server checks no references meanwhile.
    """
    raw = await address.connect(Role.LOGIN)
    try:
        async with raw.transaction():
            await raw.execute("SET LOCAL session_replication_role = replica")
            first = 1 + await raw.fetchval("SELECT max(lot_id) FROM lot")
            product = 1 + await raw.fetchval("SELECT max(product_id) FROM product")
            products = range(product, (last - 1) // LOTS_PER_PRODUCT + 2)
            await raw.copy_records_to_table(
                "product",
                columns=["product_id", "gtin", "name", "brand", "profile", "ours", "checks"],
                records=[(p, gtin_of(p - 1), f"Meadow Cheese {p}", "Meadow", "food", True, "off") for p in products],
            )
            for sql in _ROWS:
                await raw.execute(sql, first, last, LOTS_PER_PRODUCT, ITEMS_PER_LOT, epoch, timeout=600)
        await raw.execute("ANALYZE", timeout=600)
    finally:
        await raw.close()


async def publish(raw: asyncpg.Connection, case_id: int, first: int, last: int) -> None:
    """Publish a case over the lots ``first`` to ``last``; the caller's transaction commits it."""
    for sql in _CASE:
        await raw.execute(sql, case_id)
    await raw.execute(_NAMED, case_id, first, last)
    await raw.execute(_PUBLISHED, case_id)
