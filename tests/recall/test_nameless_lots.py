"""Items of others, whose lot nobody told: they can be recalled, set free and listed like any other."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from cli.samples.epcis import event, place
from recall import casework, store
from tests.recall import creamery
from tests.recall.creamery import CHEESE, MADE_AT, PLANT, Creamery, clock, items
from tests.recall.desk import affected_lots, marked_lots, published

SERIALS = ("S-1", "S-2")


async def test_an_item_whose_lot_nobody_told_is_recalled_alone_and_set_free_again(
    conn: AsyncConnection, dairy: Creamery
) -> None:
    await commission_without_a_lot(conn, dairy)

    number = await published(conn, dairy, codes=(dairy.code("S-1"),))

    assert await affected_lots(conn, number) == {"": 1}
    assert await marked_lots(conn) == {"": 1}
    (row,) = (await store.notice_lines(conn, number)).rows
    await conn.rollback()
    assert (row["lot"], row["items"], row["serial_ranges"]) == ("", 1, "S-1")
    await casework.cancel(
        conn, number, reason="of another maker", by="Ada", approved_by="Ben", clock=clock, keys=dairy.keys
    )
    assert await marked_lots(conn) == {}


async def test_a_product_is_recalled_with_the_items_whose_lot_nobody_told(
    conn: AsyncConnection, dairy: Creamery
) -> None:
    await commission_without_a_lot(conn, dairy)

    number = await published(conn, dairy, codes=(f"https://id.example.com/01/{CHEESE}",))

    assert await affected_lots(conn, number) == {"": "whole", "C1": "whole", "C2": "whole"}
    assert await marked_lots(conn) == {"": "whole", "C1": "whole", "C2": "whole"}


async def commission_without_a_lot(conn: AsyncConnection, dairy: Creamery) -> None:
    at = MADE_AT + timedelta(days=1)
    told = event(
        "ObjectEvent",
        at,
        "commissioning",
        "active",
        action="ADD",
        epcList=items(SERIALS),
        readPoint=place(PLANT),
        bizLocation=place(PLANT),
    )
    await creamery.tell(conn, dairy.keys, [told])
