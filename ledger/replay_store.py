"""SQL of replays: which events touch which lots and units, and emptying the book of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from ledger.book_store import lock_units
from ledger.name_store import lock_lots
from runtime.database import raw

_BY_LOT: Final = (
    "code_run", "code_run_history", "used_up_run", "lot_holding", "loose_quantity", "lot_shipment",
    "persistent_disposition",
)  # fmt: skip
_DERIVED: Final = (
    *_BY_LOT, "unit_history", "unit_quantity", "operation_input", "operation_output", "operation", "event_thing",
)  # fmt: skip


async def events_touching(
    conn: AsyncConnection, lot_ids: Iterable[int], unit_ids: Iterable[int]
) -> tuple[set[int], set[int]]:
    """The events that touch these, and those of them through which other things depend on these.

    Things depend on each other through containment, and through the nameless lot, out of which items go when their
    lot is told.
    """
    rows = await (await raw(conn)).fetch(
        """
        SELECT x.event_id, bool_or(e.type IN ('AggregationEvent', 'AssociationEvent') OR e.body ? 'parentID'
                                   OR coalesce(l.code = '', false)) AS links
        FROM (SELECT event_id, lot_id FROM event_thing WHERE lot_id = ANY($1)
              UNION SELECT event_id, NULL FROM event_thing WHERE unit_id = ANY($2)) x
        JOIN event e ON e.event_id = x.event_id
        LEFT JOIN lot l ON l.lot_id = x.lot_id
        GROUP BY x.event_id
        """,
        sorted(lot_ids),
        sorted(unit_ids),
    )
    return {row["event_id"] for row in rows}, {row["event_id"] for row in rows if row["links"]}


async def things_of(conn: AsyncConnection, event_ids: Iterable[int]) -> tuple[set[int], set[int]]:
    """The lots and the units that these events touch."""
    rows = await (await raw(conn)).fetch(
        "SELECT DISTINCT lot_id, unit_id FROM event_thing WHERE event_id = ANY($1)", sorted(event_ids)
    )
    lots = {row["lot_id"] for row in rows if row["lot_id"] is not None}
    return lots, {row["unit_id"] for row in rows if row["unit_id"] is not None}


async def nameless_beside(conn: AsyncConnection, lot_ids: Iterable[int]) -> set[int]:
    """The nameless lots of the products of these lots."""
    rows = await (await raw(conn)).fetch(
        "SELECT DISTINCT n.lot_id FROM lot l JOIN lot n ON n.product_id = l.product_id AND n.code = ''"
        " WHERE l.lot_id = ANY($1)",
        sorted(lot_ids),
    )
    return {row["lot_id"] for row in rows}


async def clear(
    conn: AsyncConnection, lot_ids: Iterable[int], unit_ids: Iterable[int], event_ids: Iterable[int]
) -> None:
    """Empty the book of these lots and units; ``event_ids`` will tell anew what they touch."""
    lots, units = sorted(lot_ids), sorted(unit_ids)
    await lock_lots(conn, lots)
    await lock_units(conn, units)
    driver = await raw(conn)
    for table in _BY_LOT:
        await driver.execute(f"DELETE FROM {table} WHERE lot_id = ANY($1)", lots)  # noqa: S608 - names of this module's own
    for table in ("unit_history", "unit_quantity"):
        await driver.execute(f"DELETE FROM {table} WHERE unit_id = ANY($1)", units)  # noqa: S608 - the same
    await driver.execute(
        "UPDATE unit SET parent_id = NULL, event_id = 0, place_id = 0, owner_id = 0, disposition = NULL"
        " WHERE unit_id = ANY($1)",
        units,
    )
    events = sorted(event_ids)
    for table in ("operation_input", "operation_output"):
        await driver.execute(
            f"DELETE FROM {table} WHERE event_id = ANY($1) AND lot_id = ANY($2)",  # noqa: S608 - the same
            events,
            lots,
        )
    await driver.execute(
        "DELETE FROM event_thing WHERE event_id = ANY($1) AND (lot_id = ANY($2) OR unit_id = ANY($3))",
        events,
        lots,
        units,
    )


async def clear_all(conn: AsyncConnection) -> None:
    """Empty the whole book; other writers wait until the transaction ends."""
    driver = await raw(conn)
    await driver.execute("SET LOCAL statement_timeout = 0")  # a year's book does not go in a minute
    await driver.execute("LOCK TABLE code_run, unit, lot_holding IN EXCLUSIVE MODE")
    for table in _DERIVED:
        await driver.execute(f"DELETE FROM {table}")  # noqa: S608 - names of this module's own
    await driver.execute(
        "UPDATE unit SET parent_id = NULL, event_id = 0, place_id = 0, owner_id = 0, disposition = NULL"
    )


async def drop_unnamed_units(conn: AsyncConnection, unit_ids: Iterable[int] | None) -> None:
    """Take out the units that no valid event names any more; of all when ``unit_ids`` is None."""
    await (await raw(conn)).execute(
        "DELETE FROM unit WHERE event_id = 0 AND ($1::bigint[] IS NULL OR unit_id = ANY($1))",
        None if unit_ids is None else sorted(unit_ids),
    )


_NUMBERS: Final = """
    SELECT coalesce(range_agg(int8range(lo, lo + n)), '{}')
    FROM (SELECT lo, n, lot_id FROM code_run UNION ALL SELECT lo, n, lot_id FROM used_up_run) AS told
    WHERE $1::bigint[] IS NULL OR lot_id = ANY($1)
"""


async def numbers_in_runs(conn: AsyncConnection, lot_ids: Iterable[int] | None) -> str:
    """All numbers that have or had a run in these lots (in all when None), for ``tell_losses``."""
    numbers: str = await (await raw(conn)).fetchval(
        f"SELECT ({_NUMBERS})::text",
        None if lot_ids is None else sorted(lot_ids),
    )
    return numbers


async def tell_losses(conn: AsyncConnection, numbers: str, lot_ids: Iterable[int] | None) -> None:
    """Count it, for the portal, when some of ``numbers`` have no run in these lots any more.

    What is gone leaves no row that could be read as news. The counter's row is locked until the transaction ends.
    """
    await (await raw(conn)).execute(
        f"UPDATE code_run_loss SET losses = losses + 1 WHERE $2::text::int8multirange - ({_NUMBERS}) <> '{{}}'",  # noqa: S608 - the same
        None if lot_ids is None else sorted(lot_ids),
        numbers,
    )
