"""SQL of SSCC series and the labels of cases and pallets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from labels import tables as t


@dataclass(frozen=True, slots=True)
class LogisticsJob:
    """One order of labels for cases or pallets: ``count`` SSCCs of one series from ``serial_lo`` on."""

    logistics_job_id: int
    kind: str
    company_prefix: str
    extension: int
    serial_lo: int
    count: int
    base_url: str
    commissioned_event_id: int | None
    ordered_by: str
    ordered_at: datetime


@dataclass(frozen=True, slots=True)
class Content:
    """What of one lot is in a unit now, to any depth; ``uom`` "" = pieces."""

    gtin: str
    product_name: str
    lot: str
    best_before_on: date | None
    quantity: Decimal
    uom: str


_COLUMNS: Final = tuple(t.logistics_job.c[name] for name in LogisticsJob.__dataclass_fields__)
_CONTENTS: Final = text("""
    SELECT p.gtin, p.name AS product_name, l.code AS lot, l.best_before_on, sum(c.quantity) AS quantity, c.uom
    FROM public_unit_contents(:sscc) c JOIN lot l USING (lot_id) JOIN product p USING (product_id)
    GROUP BY p.gtin, p.name, l.code, l.best_before_on, c.uom ORDER BY p.gtin, l.code, c.uom
""")


async def take(conn: AsyncConnection, company_prefix: str, extension: int, count: int) -> int:
    """Move a series by ``count``; where it stood. Its row stays locked until the transaction ends."""
    s = t.sscc_series
    key = {"company_prefix": company_prefix, "extension": extension}
    await conn.execute(insert(s).values(**key).on_conflict_do_nothing(constraint="sscc_series_pkey"))
    move = s.update().where(s.c.company_prefix == company_prefix, s.c.extension == extension)
    moved = await conn.execute(move.values(next=s.c.next + count).returning(s.c.next))
    return int(moved.scalar_one()) - count


async def add(conn: AsyncConnection, values: Mapping[str, Any]) -> int | None:
    """The new job's number; None when its idempotency key was used a moment ago."""
    added = insert(t.logistics_job).values(**values).on_conflict_do_nothing(
        constraint="logistics_job_idempotency_key"
    )  # fmt: skip
    found: int | None = (await conn.execute(added.returning(t.logistics_job.c.logistics_job_id))).scalar_one_or_none()
    return found


async def find(conn: AsyncConnection, job_id: int, *, lock: bool = False) -> LogisticsJob | None:
    """The job of this number; ``lock``: until the transaction ends nobody else commissions it."""
    wanted = select(*_COLUMNS).where(t.logistics_job.c.logistics_job_id == job_id)
    row = (await conn.execute(wanted.with_for_update() if lock else wanted)).one_or_none()
    return None if row is None else LogisticsJob(*row)


async def of_key(conn: AsyncConnection, idempotency_key: str) -> LogisticsJob | None:
    """The job that was ordered under this key."""
    wanted = select(*_COLUMNS).where(t.logistics_job.c.idempotency_key == idempotency_key)
    row = (await conn.execute(wanted)).one_or_none()
    return None if row is None else LogisticsJob(*row)


async def newest(conn: AsyncConnection, limit: int) -> list[LogisticsJob]:
    """Jobs, the newest first."""
    rows = await conn.execute(select(*_COLUMNS).order_by(t.logistics_job.c.logistics_job_id.desc()).limit(limit))
    return [LogisticsJob(*row) for row in rows]


async def set_commissioned(conn: AsyncConnection, job_id: int, event_id: int) -> None:
    """Keep by which event the units of a job came to be."""
    row = t.logistics_job.update().where(t.logistics_job.c.logistics_job_id == job_id)
    await conn.execute(row.values(commissioned_event_id=event_id))


async def contents(conn: AsyncConnection, sscc: str) -> list[Content]:
    """What is in a unit now; nothing when the ledger does not know it."""
    return [Content(**row) for row in (await conn.execute(_CONTENTS, {"sscc": sscc})).mappings()]
