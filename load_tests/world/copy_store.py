"""A world in many blocks written straight into the tables: the first block as the ledger wrote it, the others from it.

Blocks are alike but for the names of their goods, so what the ledger made of the first one is, under other names and
numbers, what it would make of any other. ``ledger.books.examine`` counts it all again afterwards, and the answer key of
any block can be held against it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import asyncpg
import orjson

from ledger.epcis.told import content_hash
from load_tests.world.blocks import deed_in
from load_tests.world.recording import record
from load_tests.world.stages import Scenario
from runtime.database import DatabaseAddress, Role
from runtime.refusals import Conflict

BLOCKS_AT_ONCE: Final = 200
"""Blocks of one transaction."""

_TABLES: Final = (
    "lot", "event_thing", "number_block", "foreign_serial", "unit", "unit_history", "unit_quantity", "code_run",
    "code_run_history", "lot_holding", "loose_quantity", "lot_shipment", "operation", "operation_input",
    "operation_output", "event_key", "used_up_run",
)  # fmt: skip
_EVENT: Final = "event"
_STEP_BY_COLUMN: Final = {
    "lot_id": "lot", "unit_id": "unit", "parent_id": "unit", "event_id": "event", "operation_id": "operation",
    "lo": "number", "number": "number",
}  # fmt: skip
_COLUMNS: Final = """
    SELECT attname FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped
    AND attname <> 'changed_in' ORDER BY attnum
"""
_RENAMED: Final = """
    CREATE FUNCTION pg_temp.serial_in(serial text, block bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$
        SELECT regexp_replace(serial, '-([0-9]+)$', '.' || block || '-\\1')
    $$;
    CREATE FUNCTION pg_temp.sscc_in(sscc text, block bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$
        SELECT body || (10 - (SELECT sum(substr(body, i, 1)::int * CASE i % 2 WHEN 1 THEN 3 ELSE 1 END)
                              FROM generate_series(1, 17) i) % 10) % 10
        FROM lpad((left(sscc, 17)::bigint + block * 1000000)::text, 17, '0') AS body
    $$;
    CREATE FUNCTION pg_temp.unit_in(uri text, block bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$
        SELECT CASE WHEN uri LIKE '%/00/%' THEN left(uri, -18) || pg_temp.sscc_in(right(uri, 18), block)
                    ELSE pg_temp.serial_in(uri, block) END
    $$;
"""
_TEXTS: Final = {
    ("lot", "code"): "CASE code WHEN '' THEN '' ELSE code || '.' || block END",
    ("foreign_serial", "serial"): "pg_temp.serial_in(serial, block)",
    ("unit", "uri"): "pg_temp.unit_in(uri, block)",
    ("unit", "sscc"): "pg_temp.sscc_in(sscc, block)",
    ("operation", "transformation_id"): "transformation_id || '.' || block",
    ("event_key", "source_id"): "(SELECT r.source_id FROM renamed r WHERE r.event_id = t.event_id + block * {event})",
}
"""What differs from block to block beside the numbers. ``block`` is its number, ``t`` the row of the first."""


class LedgerNotEmpty(Conflict):
    """This ledger holds other goods already. A world is copied into an empty one: name a new data directory."""


async def require_empty(address: DatabaseAddress) -> None:
    """``LedgerNotEmpty`` when there is a lot or a number already."""
    conn: asyncpg.Connection = await address.connect(Role.OWNER)
    try:
        if await conn.fetchval("SELECT EXISTS (SELECT FROM lot) OR EXISTS (SELECT FROM number_block)"):
            raise LedgerNotEmpty
    finally:
        await conn.close()


async def multiply(address: DatabaseAddress, scenario: Scenario, blocks: int) -> int:
    """Write blocks 1 to ``blocks - 1`` beside the first, which the ledger holds alone; how many events they are.

    As the owner of the tables: a world is for trying out, and no right of the staff reaches so far. When it is cut off,
    whole blocks are there and the others are not.
    """
    conn: asyncpg.Connection = await address.connect(Role.OWNER)
    try:
        await conn.execute("SET statement_timeout = 0")
        await conn.execute(_RENAMED)
        for table in (*_TABLES, _EVENT):
            await conn.execute(f"CREATE TEMP TABLE first_{table} AS SELECT * FROM {table}")
        steps = await _steps(conn)
        await _move_on(conn, blocks, steps)
        events = 0
        for first in range(1, blocks, BLOCKS_AT_ONCE):
            async with conn.transaction():
                events += await _write(conn, scenario, range(first, min(first + BLOCKS_AT_ONCE, blocks)), steps)
        await conn.execute("ANALYZE")
        return events
    finally:
        await conn.close()


async def _steps(conn: asyncpg.Connection) -> dict[str, int]:
    """How far apart the numbers of one block and the next are."""
    row = await conn.fetchrow(
        """
        SELECT (SELECT max(lot_id) FROM lot) AS lot, (SELECT coalesce(max(unit_id), 1) FROM unit) AS unit,
               (SELECT max(event_id) FROM event) AS event,
               (SELECT coalesce(max(operation_id), 1) FROM operation) AS operation,
               (SELECT a.next - coalesce((SELECT min(lo) FROM number_block), a.next) FROM number_allocator a) AS number
        """
    )
    return dict(row)


async def _write(conn: asyncpg.Connection, scenario: Scenario, some: range, steps: Mapping[str, int]) -> int:
    """These blocks, table by table: the events first, because what is unnamed in them names their keys."""
    first = {row["source_id"]: dict(row) for row in await conn.fetch("SELECT *, body::text AS body FROM first_event")}
    columns = [row["attname"] for row in await conn.fetch(_COLUMNS, _EVENT)]
    order = [first[event["eventID"]] for event in record(scenario.world.deeds)]
    rows = list(_events(scenario, order, columns, some, steps["event"]))
    await conn.copy_records_to_table(_EVENT, columns=columns, records=rows)
    await conn.execute("CREATE TEMP TABLE renamed (event_id bigint PRIMARY KEY, source_id text) ON COMMIT DROP")
    at, name = columns.index("event_id"), columns.index("source_id")
    await conn.copy_records_to_table("renamed", records=[(row[at], row[name]) for row in rows])
    for table in _TABLES:
        names = [row["attname"] for row in await conn.fetch(_COLUMNS, table)]
        told = ", ".join(_told(table, column, steps) for column in names)
        await conn.execute(
            f"INSERT INTO {table} ({', '.join(names)}) OVERRIDING SYSTEM VALUE"
            f" SELECT {told} FROM first_{table} t CROSS JOIN generate_series($1::bigint, $2::bigint) AS block",
            some.start,
            some.stop - 1,
        )
    return len(rows)


def _events(
    scenario: Scenario, order: Sequence[Mapping[str, Any]], columns: Sequence[str], some: range, step: int
) -> Iterator[list[Any]]:
    """The events of these blocks as rows: what the first block's event has, under the names of the block."""
    for block in some:
        told = record([deed_in(deed, block) for deed in scenario.world.deeds], block=block)
        for event, alike in zip(told, order, strict=True):
            differs = {
                "event_id": alike["event_id"] + block * step, "source_id": event["eventID"],
                "hash": content_hash(event), "body": orjson.dumps(event).decode(),
            }  # fmt: skip
            yield [differs.get(column, alike[column]) for column in columns]


def _told(table: str, column: str, steps: Mapping[str, int]) -> str:
    """What stands in a column in another block; 0 names nothing and stays."""
    differing = _TEXTS.get((table, column))
    if differing is not None:
        return differing.format_map(steps)
    kind = _STEP_BY_COLUMN.get(column)
    if kind is None:
        return f"t.{column}"
    return f"CASE t.{column} WHEN 0 THEN 0 ELSE t.{column} + block * {steps[kind]} END"


async def _move_on(conn: asyncpg.Connection, blocks: int, steps: Mapping[str, int]) -> None:
    """What comes next gets numbers that no block has, also when the copying is cut off."""
    for table in ("lot", "unit", "event", "operation"):
        await conn.execute(
            "SELECT setval(pg_get_serial_sequence($1, $2), $3)", table, f"{table}_id", steps[table] * blocks
        )
    await conn.execute("UPDATE number_allocator SET next = next + $1", steps["number"] * (blocks - 1))
