"""What a trace shows of lots, operations, parties and places: rows in, values out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger.statements import named_statements
from runtime.clock import rfc3339

_SQL = named_statements(Path(__file__).with_name("trace.sql"))
_OPERATIONS: Final = _SQL["operations"].columns(parameters=JSONB)

Row = Mapping[str, Any]


async def ledger_revision(conn: AsyncConnection) -> int:
    """The number of the last recorded event: what the ledger knew."""
    return int((await conn.execute(_SQL["ledger_revision"])).scalar_one())


async def lots_by_id(conn: AsyncConnection, lot_ids: Iterable[int]) -> dict[int, Row]:
    """Facts of each lot, with whether an operation made it, whether it was ever shipped, and whether it is recalled."""
    rows = await conn.execute(_SQL["lots"], {"lots": sorted(set(lot_ids))})
    return {row["lot_id"]: {**row} for row in rows.mappings()}


async def inspections_by_lot(conn: AsyncConnection, lot_ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """The last inspection of each lot that had one."""
    rows = await conn.execute(_SQL["inspections"], {"lots": sorted(set(lot_ids))})
    return {
        row.lot_id: {"at": rfc3339(row.at), "result": row.result, "report": row.report, "inspector": row.inspector}
        for row in rows
    }


async def unfinished_journeys(conn: AsyncConnection, lot_ids: Iterable[int], *, before: datetime) -> list[Row]:
    """Holdings of these lots that were sent before that instant and not received since (``sent``), and those at a place
    of somebody else than their owner to which nobody told that any of the lot was sent."""
    told = {"lots": sorted(set(lot_ids)), "before": before}
    return [{**row} for row in (await conn.execute(_SQL["unfinished_journeys"], told)).mappings()]


async def operations_by_id(conn: AsyncConnection, operation_ids: Iterable[int]) -> dict[int, Row]:
    """Facts of each operation, with whether anybody told what went in and what came out."""
    rows = await conn.execute(_OPERATIONS, {"operations": sorted(set(operation_ids))})
    return {row["operation_id"]: {**row} for row in rows.mappings()}


async def items_and_runs(conn: AsyncConnection, lot_ids: Iterable[int]) -> tuple[int, int]:
    """How many serialized items these lots have now, and in how many runs of consecutive numbers."""
    row = (await conn.execute(_SQL["runs"], {"lots": sorted(set(lot_ids))})).one()
    return int(row.items), int(row.runs)


async def parties_by_id(conn: AsyncConnection, party_ids: Iterable[int]) -> dict[int, Row]:
    """Parties that hold or supplied something."""
    rows = await conn.execute(_SQL["parties"], {"parties": sorted(set(party_ids))})
    return {row["party_id"]: {**row} for row in rows.mappings()}


async def parties_and_contacts(
    conn: AsyncConnection, party_ids: Iterable[int]
) -> tuple[dict[int, Row], dict[int, dict[str, dict[str, Any]]]]:
    """Parties that hold or supplied something; and of each its contacts by kind: recall, alternate, responsible."""
    parties: dict[int, Row] = {}
    contacts: dict[int, dict[str, dict[str, Any]]] = {}
    for row in (await conn.execute(_SQL["parties_and_contacts"], {"parties": sorted(set(party_ids))})).mappings():
        party_id = row["party_id"]
        parties[party_id] = {name: row[name] for name in ("party_id", "gln", "name", "role", "channel")}
        if row["kind"] is not None:
            shown = {name: row[name] for name in ("phone", "email", "language", "hours")}
            contacts.setdefault(party_id, {})[row["kind"]] = {"name": row["contact"], **shown}
    return parties, contacts


async def places_by_id(conn: AsyncConnection, place_ids: Iterable[int]) -> dict[int, Row]:
    """Places, with the role of the party whose place each is."""
    rows = await conn.execute(_SQL["places"], {"places": sorted(set(place_ids))})
    return {row["place_id"]: {**row} for row in rows.mappings()}
