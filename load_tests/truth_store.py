"""A small world in a throw-away database, and cases over it: published, widened, narrowed and cancelled."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

import asyncpg
import numpy as np
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from gs1.check_digit import compute
from ledger import codes
from load_tests.truth_model import Code, Named, State
from runtime.clock import system_clock
from runtime.database import DatabaseAddress, Role, transaction

LOTS: Final = 12
ITEMS_PER_LOT: Final = 1_000
GTINS: Final = tuple(body + compute(body) for body in ("0952100000101", "0952100000102"))
"""Lots with an odd number are of the first product, whose pages wait for their count; the others' do not."""

_CASE: Final = (
    "INSERT INTO recall_case (case_id, number, kind, state, title, hazard, hazard_class, opened_by, opened_at)"
    " OVERRIDING SYSTEM VALUE VALUES ($1, 'R-1999-' || right(($1::int8)::text, 4), 'recall', 'published',"
    " 'Cheese may hold glass', 'Pieces of glass can injure.', 1, 'truth', now()) ON CONFLICT DO NOTHING"
)
_SET: Final = (
    "INSERT INTO affected_set (case_id, scope, ledger_event, hash, lots, items, owners, totals, took_ms, frozen_at)"
    " VALUES ($1, '[]', 1, 'x', 1, 1, 1, '{}', 1, now()) RETURNING affected_set_id"
)
_LOTS: Final = (
    "INSERT INTO affected_lot (affected_set_id, lot_id, whole, basis)"
    " SELECT $1, lot_id, whole, 'scope' FROM unnest($2::int8[], $3::bool[]) AS t (lot_id, whole)"
)
_RUNS: Final = (
    "INSERT INTO affected_run (affected_set_id, lot_id, lo, n)"
    " SELECT $1, lot_id, lo, 1 FROM unnest($2::int8[], $3::int8[]) AS t (lot_id, lo)"
)
_PUBLISHED: Final = (
    "INSERT INTO publication AS p (case_id, number, version, kind, state, title, hazard, hazard_class, texts, contact,"
    " published_at, updated_at, affected_set_id, revision)"
    " SELECT case_id, number, 1, kind, 'published', title, hazard, hazard_class, '{}', '{}', now(), now(), $2,"
    " next_public_revision() FROM recall_case WHERE case_id = $1"
    " ON CONFLICT ON CONSTRAINT publication_pkey DO UPDATE SET version = p.version + 1, updated_at = now(),"
    " affected_set_id = excluded.affected_set_id, revision = excluded.revision RETURNING revision"
)
FIRST_CASE: Final = 9_000_000
"""Far beyond the cases that are opened at the desk."""
SITE: Final = "https://id.gs1.org"
_TAKEN_BACK: Final = "DELETE FROM publication WHERE case_id = $1"
_REVISION: Final = "SELECT revision FROM public_record"


@dataclass(frozen=True, slots=True)
class World:
    """The items of each lot, and how a lot is named by GTIN and code."""

    items: dict[int, tuple[Code, ...]]
    gtin_lots: dict[int, tuple[str, str]]

    def lot_of(self) -> dict[int, int]:
        """The lot of each number."""
        return {code.number: lot for lot, every in self.items.items() for code in every}


async def write(address: DatabaseAddress, master_secret: str) -> World:
    """Fill an empty database with two products, ``LOTS`` lots and their items, all of them active."""
    engine = address.engine(Role.STAFF, pool_size=1)
    async with engine.connect() as conn, transaction(conn):
        keys = await codes.ensure_key(conn, master_secret, clock=system_clock)
    await engine.dispose()
    raw = await address.connect(Role.OWNER)
    async with raw.transaction():
        for table, columns, rows in _tables(keys.newest):
            await raw.copy_records_to_table(table, columns=columns.split(), records=list(rows))
        await raw.execute("UPDATE number_allocator SET next = $1", 1 + LOTS * ITEMS_PER_LOT)
    await raw.close()
    items = {}
    for lot in range(1, LOTS + 1):
        numbers = np.arange(ITEMS_PER_LOT, dtype=np.int64) + _first_number(lot)
        serials = keys.cipher(keys.newest, _gtin(lot)).serials(numbers)
        paths = [f"/01/{_gtin(lot)}/21/{row.tobytes().decode('ascii')}" for row in serials]
        items[lot] = tuple(Code(path, lot, int(number)) for path, number in zip(paths, numbers, strict=True))
    return World(items, {lot: (_gtin(lot), f"L{lot}") for lot in items})


def _tables(epoch: int) -> Iterator[tuple[str, str, Iterable[tuple[object, ...]]]]:
    lots, since = range(1, LOTS + 1), datetime(2026, 1, 2, tzinfo=UTC)
    yield (
        "product",
        "product_id gtin name brand profile ours checks",
        [
            (1, GTINS[0], "Hill cheese", "Meadow", "food", True, "exact"),
            (2, GTINS[1], "Blue cheese", "Meadow", "food", True, "shown_later"),
        ],
    )
    yield (
        "lot",
        "lot_id product_id code made_on best_before_on",
        [(n, 2 - n % 2, f"L{n}", date(2026, 1, 1), date(2099, 1, 1)) for n in lots],
    )
    yield (
        "number_block",
        "lo n kind gtin lot_id key_epoch",
        [(_first_number(n), ITEMS_PER_LOT, "label", _gtin(n), n, epoch) for n in lots],
    )
    yield (
        "code_run",
        "lo n lot_id since event_id disposition",
        [(_first_number(n), ITEMS_PER_LOT, n, since, 0, "active") for n in lots],
    )


def _gtin(lot: int) -> str:
    return GTINS[1 - lot % 2]


def _first_number(lot: int) -> int:
    return 1 + (lot - 1) * ITEMS_PER_LOT


async def revision(connection: asyncpg.Connection) -> int:
    """The revision of the public record as it is now."""
    return int(await connection.fetchval(_REVISION))


async def revision_seen(conn: AsyncConnection) -> int:
    """The same over a connection of the staff."""
    return int((await conn.execute(text(_REVISION))).scalar_one())


async def first_state(connection: asyncpg.Connection) -> State:
    """The record before any case of ours."""
    now = time.monotonic()
    return State(await revision(connection), now, now, time.time())


async def backends(connection: asyncpg.Connection) -> list[int]:
    """The processes of the server that serve the portals of this database."""
    sql = (
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'tracemark portal'"
    )
    return [row["pid"] for row in await connection.fetch(sql)]


async def put(connection: asyncpg.Connection, case_id: int, named: Named, lot_of: dict[int, int]) -> int:
    """Publish a case over what is named, or make it name this from now on; returns the revision.

    The caller's transaction commits it. ``lot_of``: the lot of each number named.
    """
    row_id = FIRST_CASE + case_id
    await connection.execute(_CASE, row_id)
    set_id = await connection.fetchval(_SET, row_id)
    in_part = {lot_of[number] for number in named.numbers} - named.lots
    lots = [*named.lots, *in_part]
    await connection.execute(_LOTS, set_id, lots, [lot in named.lots for lot in lots])
    numbers = sorted(number for number in named.numbers if lot_of[number] in in_part)
    await connection.execute(_RUNS, set_id, [lot_of[number] for number in numbers], numbers)
    return int(await connection.fetchval(_PUBLISHED, row_id, set_id))


async def take_back(connection: asyncpg.Connection, case_id: int) -> int:
    """Cancel a published case; returns the revision. The caller's transaction commits it."""
    await connection.execute(_TAKEN_BACK, FIRST_CASE + case_id)
    return int(await connection.fetchval("SELECT next_public_revision()"))


def state_of(number: int, committing_at: float, cases: Iterable[Named]) -> State:
    """What the record says since the commit that has just returned."""
    return State(number, committing_at, time.monotonic(), time.time(), tuple(cases))
