"""Claims: SQL in, values out. Opens no transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


async def page(conn: AsyncConnection, *, state: str | None, before: int | None, limit: int) -> list[dict[str, Any]]:
    """Claims with the number of their case, the newest first."""
    sql = (
        "SELECT r.claim_id, r.reference, c.number, r.remedy, r.code, r.pieces, r.contact,"
        " r.photo IS NOT NULL AS has_photo, r.language, r.state, r.taken_at, r.answer, r.answered_by, r.answered_at"
        " FROM remedy_claim r JOIN recall_case c USING (case_id)"
        " WHERE (CAST(:state AS text) IS NULL OR r.state = :state)"
        " AND (CAST(:before AS bigint) IS NULL OR r.claim_id < :before) ORDER BY r.claim_id DESC LIMIT :limit"
    )
    rows = await conn.execute(text(sql), {"state": state, "before": before, "limit": limit})
    return [dict(row._mapping) for row in rows]


async def put(conn: AsyncConnection, claim_id: int, *, state: str, answer: str, by: str, at: datetime) -> bool:
    """Whether there is such a claim; it is in the new state then."""
    sql = (
        "UPDATE remedy_claim SET state = :state, answer = :answer, answered_by = :by, answered_at = :at"
        " WHERE claim_id = :claim_id"
    )
    values = {"claim_id": claim_id, "state": state, "answer": answer, "by": by, "at": at}
    return (await conn.execute(text(sql), values)).rowcount == 1


async def photo_of(conn: AsyncConnection, claim_id: int) -> bytes | None:
    """The photo of a claim; None when there is none (any more)."""
    rows = await conn.execute(text("SELECT photo FROM remedy_claim WHERE claim_id = :claim_id"), {"claim_id": claim_id})
    return rows.scalar_one_or_none()


async def forget_contacts(conn: AsyncConnection, at: datetime, days: int) -> None:
    """Delete who asked, and the photo, ``days`` after; what was asked for stays on the account of the case."""
    sql = (
        "UPDATE remedy_claim SET contact = NULL, photo = NULL WHERE (contact IS NOT NULL OR photo IS NOT NULL)"
        " AND taken_at < CAST(:at AS timestamptz) - make_interval(days => CAST(:days AS int))"
    )
    await conn.execute(text(sql), {"at": at, "days": days})
