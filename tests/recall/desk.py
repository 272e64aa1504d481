"""What the tests of cases do again and again: open, publish, and look at what came of it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from recall import casework, store
from recall.model import CaseDraft
from runtime.database import DatabaseAddress, Role
from tests.recall.creamery import Creamery, clock

HAZARD = "The cheese may contain Listeria, which can cause serious illness."


def draft(**more: Any) -> CaseDraft:
    return CaseDraft(**{"title": "Farmhouse Cheese", "hazard": HAZARD, "hazard_class": 1, **more})


async def opened(conn: AsyncConnection, dairy: Creamery, **more: Any) -> str:
    case = await casework.open_case(conn, draft(**more), by="Ada", clock=clock, keys=dairy.keys)
    return case.number


async def published(conn: AsyncConnection, dairy: Creamery, **more: Any) -> str:
    number = await opened(conn, dairy, **more)
    await casework.approve(conn, number, by="Ben", clock=clock)
    await casework.publish(conn, number, by="Ben", clock=clock, keys=dairy.keys)
    return number


async def affected_lots(conn: AsyncConnection, number: str) -> dict[str, str | int]:
    """Lot codes in the last frozen set: ``whole``, or the number of items."""
    case = await store.find_case(conn, number)
    frozen = await store.frozen_set(conn, case)
    area = await store.frozen_area(conn, frozen.affected_set_id)
    codes: dict[int, str] = dict((await conn.execute(text("SELECT lot_id, code FROM lot"))).all())
    await conn.rollback()
    return {codes[i]: "whole" if cover.whole else sum(n for _, n in cover.runs) for i, cover in area.items()}


async def marked_lots(conn: AsyncConnection) -> dict[str, str | int]:
    """Lot codes that hold the persistent disposition recalled now: ``whole``, or the number of items."""
    sql = """SELECT l.code, bool_or(d.lo IS NULL) AS whole, sum(d.n) AS items
             FROM persistent_disposition d JOIN lot l USING (lot_id)
             WHERE d.word = 'recalled' AND d.unset_by IS NULL GROUP BY l.code"""
    rows = (await conn.execute(text(sql))).all()
    await conn.rollback()
    return {row.code: "whole" if row.whole else int(row.items) for row in rows}


async def public_record(database: DatabaseAddress) -> dict[str, Any]:
    """All that the portal's role sees of recalls."""
    engine = database.engine(Role.PORTAL, pool_size=1)
    async with engine.connect() as conn:
        seen = {}
        for view in ("public_revision", "public_recall", "public_recall_scope", "public_lot", "public_code_run"):
            sql = text(f"SELECT to_jsonb(v) FROM {view} v ORDER BY 1").columns(to_jsonb=JSONB)
            seen[view] = list((await conn.execute(sql)).scalars())
    await engine.dispose()
    return seen


async def every_table(conn: AsyncConnection) -> dict[str, int]:
    """A hash of every table: what has no side effects changes none of them."""
    tables = (await conn.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))).scalars().all()
    hashed = "SELECT coalesce(sum(hashtextextended(t::text, 0)), 0) FROM {} t"
    found = {name: (await conn.execute(text(hashed.format(name)))).scalar_one() for name in tables}
    await conn.rollback()
    return found
