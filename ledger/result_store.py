"""SQL of what stands beside the book: shipments, genealogy, and which event touches which lot and unit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

import asyncpg
import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger.book_store import columns_of, copy
from ledger.epcis.master_data import InspectionTold
from ledger.movement import Void
from ledger.naming import Operation, Results
from runtime.database import raw

_SHIPMENT = (
    "event_id", "lot_id", "uom", "quantity", "from_owner_id", "to_owner_id", "from_place_id", "to_place_id", "at",
    "documents",
)  # fmt: skip
_PART = ("operation_id", "lot_id", "at", "event_id", "quantity", "uom", "lo", "n")


async def write_results(conn: AsyncConnection, results: Results) -> None:
    """Write shipments, operations and things touched; join shipments with the documents told in other events."""
    driver = await raw(conn)
    rows = [
        (event_id, s.lot_id, s.uom, s.quantity, s.start[0], s.to_owner_id, s.start[1], s.to_place_id, at,
         sorted(documents))
        for event_id, at, documents, s in results.shipments
    ]  # fmt: skip
    await copy(driver, "lot_shipment", _SHIPMENT, rows)
    things = [
        (event_id, lot_id, unit_id)
        for event_id, (lots, units) in results.things.items()
        for lot_id, unit_id in [*((lot, None) for lot in sorted(lots)), *((None, unit) for unit in sorted(units))]
    ]
    await copy(driver, "event_thing", ("event_id", "lot_id", "unit_id"), things)
    for event_id, at, void in results.voids:
        if await _withdraw(driver, event_id, at, void):
            results.doubts.append((event_id, "more is said not to have been shipped than is on record as shipped"))
    await _write_operations(driver, results.operations)
    if results.shipments or results.has_documents:
        await join_documents(conn, results.things)


async def keep_inspections(conn: AsyncConnection, told: Sequence[InspectionTold]) -> None:
    """Keep what a header tells of the inspections of lots on record, each once. Whether a lot may be used is decided
    here and not by who sends a document: its status stays."""
    await (await raw(conn)).execute(
        """
        INSERT INTO inspection (lot_id, at, result, report, inspector)
        SELECT DISTINCT l.lot_id, w.at, w.result, w.report, w.inspector
        FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::text[])
             AS w (gtin, code, at, result, report, inspector)
        JOIN product p ON p.gtin = w.gtin JOIN lot l ON l.product_id = p.product_id AND l.code = w.code
        WHERE NOT EXISTS (SELECT FROM inspection i WHERE i.lot_id = l.lot_id AND i.at = w.at AND i.result = w.result)
        """,
        *columns_of(told),
    )


async def _withdraw(driver: asyncpg.Connection, event_id: int, at: datetime, void: Void) -> Decimal:
    """Take it out of the latest shipments before this event, of these items or units where it names any; what is left
    over. An amount that was not told withdraws one that was not told."""
    rows = await driver.fetch(
        """
        SELECT s.event_id, s.to_owner_id, s.to_place_id, s.quantity FROM lot_shipment s
        WHERE s.lot_id = $1 AND s.uom = $2 AND (s.at, s.event_id) < ($3, $4) AND (s.quantity = 0) = ($5 = 0)
          AND (($6::bigint[] = '{}' AND $7::bigint IS NULL)
               OR EXISTS (SELECT FROM event_thing t WHERE t.event_id = s.event_id AND t.unit_id = ANY($6))
               OR EXISTS (SELECT FROM code_run_history h WHERE h.lot_id = s.lot_id AND h.event_id = s.event_id
                          AND h.lo < $7 + $8::bigint AND h.lo + h.n > $7))
        ORDER BY s.at DESC, s.event_id DESC, s.quantity DESC, s.to_owner_id, s.to_place_id
        """,
        void.lot_id,
        void.uom,
        at,
        event_id,
        void.quantity,
        list(void.unit_ids),
        void.lo,
        void.n,
    )
    left = void.quantity
    for row in rows:
        part = min(left, row["quantity"])
        key = (row["event_id"], void.lot_id, void.uom, row["to_owner_id"], row["to_place_id"])
        if part == row["quantity"]:
            await driver.execute(f"DELETE FROM lot_shipment WHERE {_ONE_SHIPMENT}", *key)  # noqa: S608 - this module's own
        else:
            await driver.execute(
                f"UPDATE lot_shipment SET quantity = quantity - $6 WHERE {_ONE_SHIPMENT}",  # noqa: S608 - the same
                *key,
                part,
            )
        left -= part
        if left <= 0:
            break
    return left


_ONE_SHIPMENT: Final = "event_id = $1 AND lot_id = $2 AND uom = $3 AND to_owner_id = $4 AND to_place_id = $5"


async def forget_operations(conn: AsyncConnection, event_ids: Iterable[int]) -> None:
    """Take the genealogy of these events out: they are declared wrong, or are written anew."""
    driver, ids = await raw(conn), sorted(event_ids)
    await driver.execute("DELETE FROM operation_input WHERE event_id = ANY($1)", ids)
    await driver.execute("DELETE FROM operation_output WHERE event_id = ANY($1)", ids)
    await driver.execute(
        """
        DELETE FROM operation o WHERE o.event_id = ANY($1)
            AND NOT EXISTS (SELECT FROM operation_input i WHERE i.operation_id = o.operation_id)
            AND NOT EXISTS (SELECT FROM operation_output p WHERE p.operation_id = o.operation_id)
        """,
        ids,
    )


async def _write_operations(driver: asyncpg.Connection, operations: Sequence[Operation]) -> None:
    inputs, outputs = [], []
    for operation in operations:
        operation_id = await _operation_id(driver, operation)
        about = (operation.at, operation.event_id)
        inputs += [(operation_id, p.lot_id, *about, p.quantity, p.uom, p.lo, p.n) for p in operation.inputs]
        outputs += [(operation_id, p.lot_id, *about, p.quantity, p.uom, p.lo, p.n) for p in operation.outputs]
    await copy(driver, "operation_input", _PART, inputs)
    await copy(driver, "operation_output", _PART, outputs)


async def _operation_id(driver: asyncpg.Connection, operation: Operation) -> int:
    """One operation for all events of one transformationID (EPCIS 2.0, 7.4.6); the first to tell a thing is kept.

    An event that is written anew keeps its operation.
    """
    known: int | None = await driver.fetchval(
        "SELECT operation_id FROM operation WHERE event_id = $1", operation.event_id
    )
    if known is not None:
        return known
    operation_id: int = await driver.fetchval(
        """
        INSERT INTO operation AS o (transformation_id, event_id, place_id, line, team, operator, equipment, parameters)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT ON CONSTRAINT operation_transformation_key DO UPDATE SET
            place_id = CASE WHEN o.place_id = 0 THEN excluded.place_id ELSE o.place_id END,
            line = coalesce(o.line, excluded.line), team = coalesce(o.team, excluded.team),
            operator = coalesce(o.operator, excluded.operator), equipment = coalesce(o.equipment, excluded.equipment),
            parameters = excluded.parameters || o.parameters
        RETURNING operation_id
        """,
        operation.transformation_id,
        operation.event_id,
        operation.place_id,
        operation.line,
        operation.team,
        operation.operator,
        operation.equipment,
        orjson.dumps(operation.parameters).decode(),
    )
    return operation_id


async def join_documents(conn: AsyncConnection, event_ids: Iterable[int]) -> None:
    """Say anew with which documents the units of these events were sent.

    They are those of the shipping event, and those that TransactionEvents tell of the unit, before or after it.
    """
    await (await raw(conn)).execute(
        """
        WITH sent AS (
            SELECT DISTINCT s.event_id, s.unit_id FROM event_thing x JOIN event_thing s ON s.unit_id = x.unit_id
            WHERE x.event_id = ANY($1) AND EXISTS (SELECT FROM lot_shipment l WHERE l.event_id = s.event_id)
        ), document AS (
            SELECT sent.event_id, b ->> 'bizTransaction' AS name
            FROM sent JOIN event_thing t ON t.unit_id = sent.unit_id
            JOIN event e ON e.event_id = t.event_id
            CROSS JOIN LATERAL jsonb_array_elements(coalesce(e.body -> 'bizTransactionList', '[]')) AS b
            WHERE (e.event_id = sent.event_id OR (e.type = 'TransactionEvent' AND e.action <> 'DELETE'))
              AND NOT EXISTS (SELECT FROM event_declared_wrong w WHERE w.event_id = e.event_id)
        ), told AS (
            SELECT sent.event_id, coalesce(array_agg(DISTINCT d.name) FILTER (WHERE d.name IS NOT NULL), '{}') AS names
            FROM sent LEFT JOIN document d ON d.event_id = sent.event_id GROUP BY sent.event_id
        )
        UPDATE lot_shipment l SET documents = told.names
        FROM told WHERE l.event_id = told.event_id AND l.documents <> told.names
        """,
        sorted(event_ids),
    )
