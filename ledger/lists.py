"""What is on record, listed a page at a time, and single captures and events looked up by their names.

Every list takes ``after`` (the last key of the page before; None = from the start) and ``limit`` rows at most.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ARRAY, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger.model import Lot, Party, Place, Product
from ledger.statements import named_statements

PAGE_MAX: Final = 1_000
"""Most rows of one page."""

_SQL: Final = named_statements(Path(__file__).with_name("lists.sql"))
_PRODUCTS: Final = _SQL["products"].columns(texts=JSONB, allergens=ARRAY(Text))
_CAPTURES: Final = _SQL["captures"].columns(errors=JSONB, warnings=JSONB)
_CAPTURE: Final = _SQL["capture"].columns(errors=JSONB, warnings=JSONB)
_EVENT: Final = _SQL["event"].columns(body=JSONB)


@dataclass(frozen=True, slots=True)
class CaptureJob:
    """One document taken in: the capture job of EPCIS 2.0. ``errors`` and ``warnings`` as they were kept."""

    capture_id: UUID
    created_at: datetime
    finished_at: datetime | None
    behaviour: str
    running: bool
    success: bool
    events: int
    known: int
    errors: list[Any]
    warnings: list[Any]
    captured_by: str


async def list_parties(conn: AsyncConnection, *, after: int | None = None, limit: int = PAGE_MAX) -> tuple[Party, ...]:
    """Parties in the order in which they were put on record."""
    return tuple(Party(**row) for row in await _page(conn, _SQL["parties"], after, limit))


async def list_places(conn: AsyncConnection, *, after: int | None = None, limit: int = PAGE_MAX) -> tuple[Place, ...]:
    """Places in the order in which they were put on record."""
    return tuple(Place(**row) for row in await _page(conn, _SQL["places"], after, limit))


async def list_products(
    conn: AsyncConnection, *, after: int | None = None, limit: int = PAGE_MAX
) -> tuple[Product, ...]:
    """Products in the order in which they were put on record."""
    rows = await _page(conn, _PRODUCTS, after, limit)
    return tuple(Product(**{**row, "allergens": tuple(row["allergens"])}) for row in rows)


async def list_lots(
    conn: AsyncConnection, *, gtin: str | None = None, after: int | None = None, limit: int = PAGE_MAX
) -> tuple[Lot, ...]:
    """Lots, of one product (14 digits) or of all, in the order in which they were put on record."""
    return tuple(Lot(**row) for row in await _page(conn, _SQL["lots"], after, limit, gtin=gtin))


async def list_captures(
    conn: AsyncConnection, *, before: tuple[datetime, UUID] | None = None, limit: int = PAGE_MAX
) -> tuple[CaptureJob, ...]:
    """Capture jobs, the newest first; ``before`` is the creation and the id of the last one of the page before."""
    at, capture_id = before or (None, None)
    values = {"before": at, "before_id": capture_id, "n": _checked(limit)}
    return tuple(CaptureJob(**row) for row in (await conn.execute(_CAPTURES, values)).mappings())


async def find_capture(conn: AsyncConnection, capture_id: UUID) -> CaptureJob | None:
    """The capture job of this id."""
    row = (await conn.execute(_CAPTURE, {"capture_id": capture_id})).mappings().first()
    return CaptureJob(**row) if row else None


async def find_event(conn: AsyncConnection, source_id: str) -> Mapping[str, Any] | None:
    """The event of this eventID (or event hash, when it was told without one), as it was told."""
    body: Mapping[str, Any] | None = (await conn.execute(_EVENT, {"source_id": source_id})).scalar()
    return body


async def name_of_event(conn: AsyncConnection, event_id: int) -> str | None:
    """The eventID (or event hash) of an event on record."""
    name: str | None = (await conn.execute(_SQL["event_name"], {"event_id": event_id})).scalar()
    return name


async def _page(conn: AsyncConnection, statement: Any, after: int | None, limit: int, **values: Any) -> list[Any]:
    values |= {"after": after or 0, "n": _checked(limit)}
    return list((await conn.execute(statement, values)).mappings())


def _checked(limit: int) -> int:
    if not 1 <= limit <= PAGE_MAX:
        raise ValueError(f"a page has 1 to {PAGE_MAX} rows, not {limit}")
    return limit
