"""SQL of capture points and their readings, and of the state in which the things of a reading are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
from sqlalchemy import ARRAY, BigInteger, insert
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import tables as t
from ledger.capture_points_model import CapturePoint, Definition
from ledger.statements import named_statements

_SQL: Final = named_statements(Path(__file__).with_name("capture_points.sql"))
_POINT: Final = {name: _SQL[name].columns(definition=JSONB) for name in ("newest", "version", "page")}
_READING: Final = _SQL["reading"].columns(alarms=JSONB, reviewed=ARRAY(BigInteger), body=JSONB)


@dataclass(frozen=True, slots=True)
class ItemNow:
    """An item on record: its lot, the unit that it is in, and its state when it is in none."""

    lot_id: int
    unit_uri: str | None
    disposition: str | None


@dataclass(frozen=True, slots=True)
class UnitNow:
    """A case or pallet on record, and the unit that it is in."""

    unit_id: int
    parent_uri: str | None
    disposition: str | None


async def lock(conn: AsyncConnection, point_id: str) -> None:
    """Until the transaction ends nobody else adds a version or a reading of this point."""
    await conn.execute(_SQL["lock"], {"point_id": point_id})


async def find(conn: AsyncConnection, point_id: str, version: int | None = None) -> CapturePoint | None:
    """The newest version of a point, or the one asked for."""
    name = "newest" if version is None else "version"
    row = (await conn.execute(_POINT[name], {"point_id": point_id, "version": version})).one_or_none()
    return None if row is None else _point(row)


async def page(conn: AsyncConnection, after: str, limit: int) -> tuple[CapturePoint, ...]:
    """The newest version of each point, by id."""
    return tuple(_point(row) for row in await conn.execute(_POINT["page"], {"after": after, "n": limit}))


async def add(conn: AsyncConnection, point: CapturePoint) -> None:
    """Append a version."""
    await conn.execute(
        insert(t.capture_point).values(
            point_id=point.point_id,
            version=point.version,
            definition=point.definition.model_dump(mode="json"),
            defined_at=point.defined_at,
            defined_by=point.defined_by,
        )
    )


async def reading(conn: AsyncConnection, point_id: str, reading_id: str) -> Any | None:
    """The reading on record, with its event and whether it was undone."""
    return (await conn.execute(_READING, {"point_id": point_id, "reading_id": reading_id})).one_or_none()


async def last_reading(conn: AsyncConnection, point_id: str, by: str) -> str | None:
    """The id of what ``by`` read last here and did not undo."""
    return (await conn.execute(_SQL["last_reading"], {"point_id": point_id, "by": by})).scalar_one_or_none()


async def add_reading(conn: AsyncConnection, values: Mapping[str, Any]) -> None:
    """Append a reading."""
    await conn.execute(insert(t.capture_reading).values(**values))


async def items_now(conn: AsyncConnection, numbers: Sequence[int]) -> dict[int, ItemNow]:
    """Those of the numbers that are on things."""
    rows = await conn.execute(_SQL["items"], {"numbers": list(numbers)})
    return {row.number: ItemNow(row.lot_id, row.unit_uri, row.disposition) for row in rows}


async def units_now(conn: AsyncConnection, uris: Sequence[str]) -> dict[str, UnitNow]:
    """Those of the units that are on record."""
    rows = await conn.execute(_SQL["units"], {"uris": list(uris)})
    return {row.uri: UnitNow(row.unit_id, row.parent_uri, row.disposition) for row in rows}


async def lots_inside(conn: AsyncConnection, unit_ids: Sequence[int]) -> dict[int, set[int]]:
    """The lots in each unit, at any depth."""
    found: dict[int, set[int]] = {}
    for row in await conn.execute(_SQL["lots_inside"], {"unit_ids": list(unit_ids)}):
        found.setdefault(row.top_id, set()).add(row.lot_id)
    return found


def _point(row: Any) -> CapturePoint:
    definition = Definition.model_validate_json(orjson.dumps(row.definition))
    return CapturePoint(row.point_id, row.version, definition, row.defined_at, row.defined_by)
