"""An item that went into another is nowhere by itself any more, and still of its lot: whoever scans it is told so."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger.replay import rebuild
from runtime.database import transaction
from tests.ledger import dairy as d

STEP = Path(__file__).parents[2] / "schema/sql/0003/24_used_up.sql"
HOLDER, INFLATOR = d.CASE, d.CHEESE
BUILT: dict[str, Any] = {
    "inputEPCList": d.items(INFLATOR, [2, 3]), "outputEPCList": [d.item(HOLDER, "V1")],
    "ilmd": {"cbvmda:lotNumber": "V"},
}  # fmt: skip


async def published(conn: AsyncConnection) -> dict[str, tuple[str, int]]:
    """What the public may see of each item: its lot and the state of its label, by serial."""
    sql = """SELECT s.serial, l.code, r.status FROM public_code_run r JOIN public_lot l USING (lot_id)
             JOIN public_foreign_serial s ON s.number >= r.lo AND s.number < r.lo + r.n ORDER BY s.serial"""
    rows = (await conn.execute(text(sql))).all()
    await conn.rollback()
    assert len({row.serial for row in rows}) == len(rows), "an item is published once"
    return {row.serial: (row.code, row.status) for row in rows}


async def test_an_item_that_was_built_in_keeps_its_lot_until_the_building_is_declared_wrong(
    conn: AsyncConnection,
) -> None:
    keys = await d.ring(conn)
    await d.take_in(conn, keys, d.make(0, epcList=d.items(INFLATOR, range(1, 5)), ilmd={"cbvmda:lotNumber": "IN-1"}))
    loose = await published(conn)
    built = d.tell("TransformationEvent", 2, at=d.PLANT, eventID="urn:dairy:event:built", **BUILT)

    await d.take_in(conn, keys, built)
    inside = await published(conn)
    async with transaction(conn):
        await d.count(conn, "event")
        await rebuild(conn, keys=keys)
    again = await published(conn)
    declared = {"declarationTime": "2026-03-03T06:00:00Z", "reason": "did_not_occur"}
    await d.take_in(conn, keys, {**built, "errorDeclaration": declared})

    assert loose == {str(n): ("IN-1", 1) for n in range(1, 5)}
    assert inside == again == {**loose, "V1": ("V", 1)}
    assert await published(conn) == loose


async def test_an_item_that_is_seen_again_after_it_was_used_up_is_published_as_it_was_seen(
    conn: AsyncConnection,
) -> None:
    keys = await d.ring(conn)
    await d.take_in(
        conn, keys, d.make(0, epcList=d.items(INFLATOR, [2, 3]), ilmd={"cbvmda:lotNumber": "IN-1"}),
        d.tell("TransformationEvent", 2, at=d.PLANT, **BUILT),
    )  # fmt: skip

    await d.take_in(
        conn,
        keys,
        d.tell(
            "ObjectEvent",
            4,
            at=d.SHOP,
            action="OBSERVE",
            bizStep="destroying",
            disposition="destroyed",
            epcList=d.items(INFLATOR, [2]),
        ),
    )

    seen = await published(conn)
    assert seen["2"] == ("IN-1", 2)


async def test_what_was_used_up_before_the_step_is_found_by_the_step(conn: AsyncConnection) -> None:
    keys = await d.ring(conn)
    await d.take_in(
        conn, keys, d.make(0, epcList=d.items(INFLATOR, range(1, 5)), ilmd={"cbvmda:lotNumber": "IN-1"}),
        d.ship(1, d.CORNER, d.SHOP, epcList=d.items(INFLATOR, [1])),
        d.tell("TransformationEvent", 2, at=d.PLANT, **BUILT),
    )  # fmt: skip
    before = await published(conn)
    (filling,) = re.findall(r"^INSERT INTO used_up_run.*?;$", STEP.read_text(encoding="utf-8"), re.S | re.M)

    async with transaction(conn):
        await conn.execute(text("DELETE FROM used_up_run"))
    without = await published(conn)
    async with transaction(conn):
        await conn.execute(text(filling))

    assert before.keys() - without.keys() == {"2", "3"}
    assert await published(conn) == before
