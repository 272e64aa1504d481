"""SQL of the book: reads the state that a batch of events touches, under locks, and writes what it changed.

Locks, always in this order: lots (advisory, in order of id), units (rows, in order of id, up to the outermost),
holdings (rows, in key order, by one statement at the end). A unit's row protects all that is in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger.balance import Balance, Row
from ledger.book import Book
from ledger.intervals import merged
from ledger.marks import Mark, Marks
from ledger.model import UNKNOWN_ID
from ledger.movement import Where
from ledger.naming import NewUnit
from ledger.refusals import ContentsTooLarge
from ledger.runs import Run, RunMap
from ledger.units import Spell, Unit, UnitMap
from runtime.database import raw

UNITS_MAX: Final = 1_000_000
"""Most units inside the units that one batch of events moves."""

_RUN_COLUMNS: Final = ("lo", "n", "lot_id", "unit_id", "since", "event_id", "place_id", "owner_id", "disposition")
_RUNS: Final = "lo, n, lot_id, unit_id, since, event_id, place_id, owner_id, disposition"
_NEW_UNIT: Final = (
    "unit_id", "uri", "sscc", "number", "parent_id", "since", "event_id", "place_id", "owner_id", "disposition",
)  # fmt: skip
_UNITS: Final = "unit_id, uri, number, parent_id, since, event_id, place_id, owner_id, disposition"


@dataclass(frozen=True, slots=True)
class Loaded:
    """The book with what is needed to see, afterwards, what changed."""

    book: Book
    marks: Marks
    marked_lots: frozenset[int]
    runs_before: frozenset[Run]
    quantities_before: Mapping[int, Mapping[tuple[int, str], Decimal]]


async def lock_units(conn: AsyncConnection, unit_ids: Iterable[int]) -> frozenset[int]:
    """Lock these units and all that they are in; returns all of them.

    What a unit is in may change until it is locked, so the way up is asked again until nothing new is found.
    """
    driver, locked, wanted = await raw(conn), set[int](), set(unit_ids)
    while wanted - locked:
        fresh = sorted(wanted - locked)
        rows = await driver.fetch(
            "SELECT parent_id FROM unit WHERE unit_id = ANY($1) ORDER BY unit_id FOR UPDATE", fresh
        )
        locked |= set(fresh)
        wanted |= {row["parent_id"] for row in rows if row["parent_id"] is not None}
    return frozenset(locked)


async def read_runs(conn: AsyncConnection, numbers: Sequence[tuple[int, int]], unit_ids: Iterable[int]) -> list[Run]:
    """The runs that meet these numbers, and those directly in these units."""
    driver = await raw(conn)
    rows = await driver.fetch(
        f"""
        SELECT DISTINCT {_RUNS} FROM (
            SELECT r.* FROM unnest($1::bigint[], $2::bigint[]) AS w (lo, n)
            JOIN code_run r ON r.lo >= w.lo AND r.lo < w.lo + w.n
            UNION ALL
            SELECT r.* FROM unnest($1::bigint[], $2::bigint[]) AS w (lo, n)
            CROSS JOIN LATERAL (SELECT * FROM code_run WHERE lo < w.lo ORDER BY lo DESC LIMIT 1) r
            WHERE r.lo + r.n > w.lo
            UNION ALL
            SELECT r.* FROM code_run r WHERE r.unit_id = ANY($3)
        ) AS found
        """,  # noqa: S608 - the columns are this module's own
        [lo for lo, _ in numbers],
        [n for _, n in numbers],
        sorted(unit_ids),
    )
    return [Run(*row) for row in rows]


async def read_units(conn: AsyncConnection, unit_ids: Iterable[int], named_ids: Iterable[int]) -> list[Unit]:
    """These units, and all that is in the named ones, with counts of what is directly in each."""
    driver = await raw(conn)
    wanted = await _inside(driver, named_ids) | set(unit_ids)
    if len(wanted) > UNITS_MAX:
        raise ContentsTooLarge(units_max=UNITS_MAX)
    rows = await driver.fetch(f"SELECT {_UNITS} FROM unit WHERE unit_id = ANY($1)", sorted(wanted))  # noqa: S608
    units = {row["unit_id"]: _unit(row) for row in rows}
    counts = await driver.fetch(
        "SELECT unit_id, lot_id, sum(n)::bigint AS n, max(since) AS since FROM code_run"
        " WHERE unit_id = ANY($1) GROUP BY unit_id, lot_id",
        list(units),
    )
    for unit_id, lot_id, n, since in counts:
        units[unit_id].items[lot_id] = n
        units[unit_id].items_since = max(since, units[unit_id].items_since or since)
    quantities = await driver.fetch(
        "SELECT unit_id, lot_id, uom, quantity FROM unit_quantity WHERE unit_id = ANY($1)", list(units)
    )
    for unit_id, lot_id, uom, quantity in quantities:
        units[unit_id].quantities[lot_id, uom] = quantity
    return list(units.values())


async def _inside(driver: asyncpg.Connection, unit_ids: Iterable[int]) -> set[int]:
    """These units and all that is in them: a statement a level, because a recursive one is planned as if it found far
    more than a pallet and reads all units."""
    found, fresh = set[int](), set(unit_ids)
    while fresh and len(found) <= UNITS_MAX:
        found |= fresh
        rows = await driver.fetch(
            "SELECT unit_id FROM unit WHERE parent_id = ANY($1) LIMIT $2", sorted(fresh), UNITS_MAX + 1
        )
        fresh = {row["unit_id"] for row in rows} - found
    return found | fresh


async def read_balance(conn: AsyncConnection, lot_ids: Iterable[int], taken_ids: Iterable[int]) -> Balance:
    """Loose quantities of these lots, and holdings of those that are taken from by quantity."""
    driver = await raw(conn)
    columns = "lot_id, place_id, owner_id, disposition, uom, quantity, since"
    loose = await driver.fetch(f"SELECT {columns} FROM loose_quantity WHERE lot_id = ANY($1)", sorted(lot_ids))  # noqa: S608
    taken = sorted(taken_ids)
    held = (
        await driver.fetch(f"SELECT {columns} FROM lot_holding WHERE lot_id = ANY($1)", taken)  # noqa: S608
        if taken
        else []
    )
    return Balance(
        {_row(row): (row["quantity"], row["since"]) for row in held},
        {_row(row): (row["quantity"], row["since"]) for row in loose},
    )


async def read_marks(conn: AsyncConnection, lot_ids: Iterable[int], *, only_nameless: bool) -> Marks:
    """The marks of these lots (unless ``only_nameless``) and of the nameless lots of their products."""
    rows = await (await raw(conn)).fetch(
        "SELECT p.lot_id, p.lo, p.n, p.word, p.set_by, p.at, p.unset_by, e.event_time FROM persistent_disposition p"
        " LEFT JOIN event e ON e.event_id = p.unset_by WHERE (NOT $2 AND p.lot_id = ANY($1)) OR p.lot_id IN"
        " (SELECT n.lot_id FROM lot l JOIN lot n ON n.product_id = l.product_id AND n.code = ''"
        " WHERE l.lot_id = ANY($1))",
        sorted(lot_ids),
        only_nameless,
    )
    return Marks(Mark(*row) for row in rows)


async def write_book(conn: AsyncConnection, loaded: Loaded, new_units: Sequence[NewUnit] = ()) -> None:
    """Write what changed. ``new_units`` are not on record yet."""
    driver = await raw(conn)
    book = loaded.book
    await _write_runs(driver, loaded.runs_before, frozenset(book.runs.joined()), book.run_history)
    await _write_used_up(driver, book.runs, book.run_history)
    await _add_units(driver, book.units, new_units)
    await _write_units(driver, book.units, {unit.unit_id for unit in new_units}, loaded.quantities_before)
    emptied = await _post(driver, "lot_holding", book.balance.holding_changes)
    await _post(driver, "loose_quantity", book.balance.loose_changes)
    if emptied:
        await driver.execute("DELETE FROM lot_holding WHERE lot_id = ANY($1) AND quantity = 0", sorted(emptied))
    if loaded.marks.is_changed:
        await _write_marks(driver, loaded.marks, loaded.marked_lots)


async def _write_runs(
    driver: asyncpg.Connection, before: frozenset[Run], after: frozenset[Run], history: Sequence[tuple[Run, datetime]]
) -> None:
    ended = [run.lo for run in before - after]
    if ended:
        await driver.execute("DELETE FROM code_run WHERE lo = ANY($1)", ended)
    await copy(driver, "code_run", _RUN_COLUMNS, sorted(after - before))
    rows = [(*run, until) for run, until in history]
    await copy(driver, "code_run_history", (*_RUN_COLUMNS, "until"), rows)


async def _write_used_up(driver: asyncpg.Connection, runs: RunMap, history: Sequence[tuple[Run, datetime]]) -> None:
    """Numbers that had a run and have none any more: those items are in others now, and still of their lot."""
    gone: dict[int, list[tuple[int, int]]] = {}
    for run, _until in history:
        for lo, n, present in runs.meeting(run.lo, run.n):
            if present is None:
                gone.setdefault(run.lot_id, []).append((lo, n))
    rows = [(lo, n, lot_id) for lot_id, pieces in gone.items() for lo, n in merged(pieces)]
    if rows:
        await copy(driver, "used_up_run", ("lo", "n", "lot_id"), rows)


async def _add_units(driver: asyncpg.Connection, units: UnitMap, new_units: Sequence[NewUnit]) -> None:
    """Units named first, each in the order of its URI: two captures that name the same ones wait for each other the
    same way round."""
    rows = []
    for unit_id, uri, sscc, number, since in sorted(new_units, key=lambda unit: unit.uri):
        spell = units[unit_id].spell or Spell(None, since, 0, UNKNOWN_ID, UNKNOWN_ID, None)
        rows.append((unit_id, uri, sscc, number, *spell))
    await copy(driver, "unit", _NEW_UNIT, rows)


async def _write_units(
    driver: asyncpg.Connection,
    units: UnitMap,
    new_ids: Set[int],
    quantities_before: Mapping[int, Mapping[tuple[int, str], Decimal]],
) -> None:
    changed = [units[unit_id] for unit_id in sorted(units.changed)]
    spells = [(u.unit_id, *u.spell) for u in changed if u.spell is not None and u.unit_id not in new_ids]
    if spells:
        await driver.execute(
            """
            UPDATE unit u SET parent_id = w.parent_id, since = w.since, event_id = w.event_id, place_id = w.place_id,
                owner_id = w.owner_id, disposition = w.disposition
            FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[], $4::bigint[], $5::bigint[], $6::bigint[],
                        $7::text[]) AS w (unit_id, parent_id, since, event_id, place_id, owner_id, disposition)
            WHERE u.unit_id = w.unit_id
            """,
            *columns_of(spells),
        )
    history = [(unit_id, *spell[:2], until, *spell[2:]) for unit_id, spell, until in units.history]
    names = ("unit_id", "parent_id", "since", "until", "event_id", "place_id", "owner_id", "disposition")
    await copy(driver, "unit_history", names, history)
    refilled = [unit for unit in changed if unit.quantities != quantities_before.get(unit.unit_id, {})]
    if refilled:
        await driver.execute("DELETE FROM unit_quantity WHERE unit_id = ANY($1)", [unit.unit_id for unit in refilled])
        rows = [(u.unit_id, lot_id, uom, amount) for u in refilled for (lot_id, uom), amount in u.quantities.items()]
        await copy(driver, "unit_quantity", ("unit_id", "lot_id", "uom", "quantity"), rows)


async def _post(driver: asyncpg.Connection, table: str, changes: Mapping[Row, tuple[Decimal, datetime]]) -> set[int]:
    """Add to the amounts; returns the lots of which some row says nothing is left."""
    rows = [
        (lot_id, *where, uom, quantity, since)
        for (lot_id, where, uom), (quantity, since) in sorted(changes.items())
        if quantity or table == "loose_quantity"
    ]
    if not rows:
        return set()
    posted = await driver.fetch(
        f"""
            INSERT INTO {table} AS t (lot_id, place_id, owner_id, disposition, uom, quantity, since)
            SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::numeric[],
                                 $7::timestamptz[])
            ON CONFLICT ON CONSTRAINT {table}_pkey DO UPDATE SET
                quantity = t.quantity + excluded.quantity, since = greatest(t.since, excluded.since)
            RETURNING t.lot_id, t.quantity = 0 AS is_empty
        """,  # noqa: S608 - two tables of this module's own
        *columns_of(rows),
    )
    return {row["lot_id"] for row in posted if row["is_empty"]}


async def _write_marks(driver: asyncpg.Connection, marks: Marks, lots: Iterable[int]) -> None:
    await driver.execute("DELETE FROM persistent_disposition WHERE lot_id = ANY($1)", sorted(lots))
    rows = [(m.lot_id, m.lo, m.n, m.word, m.set_by, m.unset_by, m.at) for m in marks.marks]
    await copy(driver, "persistent_disposition", ("lot_id", "lo", "n", "word", "set_by", "unset_by", "at"), rows)


async def differences(conn: AsyncConnection) -> list[tuple[Row, Decimal]]:
    """Where the holdings differ from a full count of runs, units and loose quantities, and by how much; none when all
    is well. Reads everything: for `doctor` and for tests."""
    rows = await (await raw(conn)).fetch(
        """
        WITH RECURSIVE top (unit_id, outermost_id) AS (
            SELECT unit_id, unit_id FROM unit WHERE parent_id IS NULL
            UNION ALL
            SELECT u.unit_id, t.outermost_id FROM unit u JOIN top t ON u.parent_id = t.unit_id
        ), counted AS (
            SELECT r.lot_id, coalesce(u.place_id, r.place_id) AS place_id, coalesce(u.owner_id, r.owner_id) AS owner_id,
                   coalesce(CASE WHEN u.unit_id IS NULL THEN r.disposition ELSE u.disposition END, '') AS disposition,
                   '' AS uom, r.n::numeric AS quantity
            FROM code_run r LEFT JOIN top t USING (unit_id) LEFT JOIN unit u ON u.unit_id = t.outermost_id
            UNION ALL
            SELECT q.lot_id, u.place_id, u.owner_id, coalesce(u.disposition, ''), q.uom, q.quantity
            FROM unit_quantity q JOIN top t USING (unit_id) JOIN unit u ON u.unit_id = t.outermost_id
            UNION ALL
            SELECT lot_id, place_id, owner_id, disposition, uom, quantity FROM loose_quantity
            UNION ALL
            SELECT lot_id, place_id, owner_id, disposition, uom, -quantity FROM lot_holding
        )
        SELECT lot_id, place_id, owner_id, disposition, uom, -sum(quantity) AS quantity FROM counted
        GROUP BY 1, 2, 3, 4, 5 HAVING sum(quantity) <> 0 ORDER BY 1, 2, 3, 4, 5
        """
    )
    return [(_row(row), row["quantity"]) for row in rows]


async def copy(driver: asyncpg.Connection, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """COPY rows in; nothing when there are none."""
    if rows:
        await driver.copy_records_to_table(table, columns=columns, records=rows)


def columns_of(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Rows as columns, for unnest."""
    return [list(column) for column in zip(*rows, strict=True)]


def _unit(row: Any) -> Unit:
    spell = None
    if row["event_id"]:
        spell = Spell(
            row["parent_id"], row["since"], row["event_id"], row["place_id"], row["owner_id"], row["disposition"]
        )
    return Unit(row["unit_id"], row["uri"], row["number"], spell)


def _row(row: Any) -> Row:
    return row["lot_id"], Where(row["place_id"], row["owner_id"], row["disposition"]), row["uom"]


def loaded_of(
    runs: Sequence[Run], units: Sequence[Unit], balance: Balance, marks: Marks, *, nameless: frozenset[int]
) -> Loaded:
    """Put together what was read."""
    quantities = {unit.unit_id: dict(unit.quantities) for unit in units}
    book = Book(RunMap(runs), UnitMap(units), balance, nameless)
    marked = frozenset(mark.lot_id for mark in marks.marks)
    return Loaded(book, marks, marked, frozenset(runs), quantities)
