"""Widening, narrowing, new texts, closing."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cli.samples.epcis import event, lot, place
from recall import casework, store
from recall.model import Change, Delta, Kind, State, Text
from recall.refusals import (
    CaseNotUsable,
    ExclusionNeedsReason,
    ExclusionNeedsSerials,
    NoSuchCase,
    NoSuchVersion,
    NothingAdded,
    NothingAffected,
    NothingExcluded,
    SecondPersonNeeded,
    StepNotPossible,
    WordingNotPublishable,
)
from runtime.database import DatabaseAddress
from tests.recall import creamery
from tests.recall.creamery import CHEESE, MILK, NOW, PLANT, Creamery, clock
from tests.recall.desk import HAZARD, affected_lots, marked_lots, opened, public_record, published


async def test_widening_makes_a_new_version_and_leaves_the_old_one(conn: AsyncConnection, dairy: Creamery) -> None:
    number = await published(conn, dairy, lots=((MILK, "M1"),))
    first = await store.notice_lines(conn, number)

    second = await casework.widen(
        conn, number, lots=((MILK, "M2"),), reason="same tanker", by="Ada", clock=clock, keys=dairy.keys
    )

    assert (second.version, second.change, second.items) == (2, Change.WIDENED, 24)
    assert second.delta == Delta(((CHEESE, "C2"), (MILK, "M2")), (), 12)
    assert (await store.notice_lines(conn, number, version=1)).rows == first.rows
    assert await marked_lots(conn) == {"M1": "whole", "M2": "whole", "C1": "whole", "C2": "whole"}
    with pytest.raises(NothingAdded):
        await casework.widen(conn, number, lots=((MILK, "M2"),), by="Ada", clock=clock, keys=dairy.keys)
    with pytest.raises(NoSuchVersion):
        await store.notice_lines(conn, number, version=3)


async def test_narrowing_needs_a_reason_and_a_second_person(conn: AsyncConnection, dairy: Creamery) -> None:
    number = await published(conn, dairy, lots=((CHEESE, "C1"), (CHEESE, "C2")))
    common: dict[str, Any] = {"lots": ((CHEESE, "C2"),), "by": "Ada", "clock": clock, "keys": dairy.keys}
    with pytest.raises(ExclusionNeedsReason):
        await casework.narrow(conn, number, reason=" ", approved_by="Ben", **common)
    with pytest.raises(SecondPersonNeeded):
        await casework.narrow(conn, number, reason="tested clean", approved_by="ADA", **common)

    frozen = await casework.narrow(conn, number, reason="tested clean", approved_by="Ben", **common)

    assert frozen.delta == Delta((), ((CHEESE, "C2"),), -12)
    assert await affected_lots(conn, number) == {"C1": "whole"}
    assert await marked_lots(conn) == {"C1": "whole"}
    (excluded,) = (await store.find_case(conn, number)).scope.exclude
    assert (excluded.reason, excluded.by) == ("tested clean", "Ben")
    with pytest.raises(NothingExcluded):
        await casework.narrow(conn, number, reason="again", approved_by="Ben", **common)


async def test_single_items_are_taken_out_of_a_lot(
    conn: AsyncConnection, dairy: Creamery, database: DatabaseAddress
) -> None:
    number = await published(conn, dairy, lots=((CHEESE, "C1"),))
    await casework.narrow(
        conn, number, codes=(dairy.code(dairy.c1[5]),), reason="kept as a sample", by="Ada", approved_by="Ben",
        clock=clock, keys=dairy.keys,
    )  # fmt: skip
    assert await affected_lots(conn, number) == {"C1": 11}
    assert await marked_lots(conn) == {"C1": 11}
    assert sum(entry["n"] for entry in (await public_record(database))["public_recall_scope"]) == 11


async def test_taking_items_out_of_a_start_never_loses_what_was_made_from_its_lot(
    conn: AsyncConnection, dairy: Creamery
) -> None:
    number = await published(conn, dairy, lots=((MILK, "M1"), (CHEESE, "C2")))
    await casework.narrow(
        conn, number, lots=((CHEESE, "C2"),), reason="tested clean", by="Ada", approved_by="Ben", clock=clock,
        keys=dairy.keys,
    )  # fmt: skip
    assert await affected_lots(conn, number) == {"M1": "whole", "C1": "whole"}


async def test_items_cannot_be_taken_out_of_a_lot_that_has_quantities_without_serials(
    conn: AsyncConnection, dairy: Creamery
) -> None:
    at = {"readPoint": place(PLANT), "bizLocation": place(PLANT)}
    more = event("ObjectEvent", NOW, "commissioning", "active", action="ADD", quantityList=[lot(CHEESE, "C2", 5)], **at)
    await creamery.tell(conn, dairy.keys, [more])
    number = await published(conn, dairy, lots=((CHEESE, "C2"),))
    with pytest.raises(ExclusionNeedsSerials):
        await casework.narrow(
            conn, number, codes=(dairy.code(dairy.c2[5]),), reason="a sample", by="Ada", approved_by="Ben", clock=clock,
            keys=dairy.keys,
        )  # fmt: skip
    assert (await store.find_case(conn, number)).version == 1


async def test_a_case_that_is_narrowed_to_nothing_is_refused(conn: AsyncConnection, dairy: Creamery) -> None:
    number = await published(conn, dairy, lots=((CHEESE, "C2"),))
    with pytest.raises(NothingAffected):
        await casework.narrow(
            conn,
            number,
            lots=((CHEESE, "C2"),),
            reason="clean",
            by="Ada",
            approved_by="Ben",
            clock=clock,
            keys=dairy.keys,
        )
    assert await marked_lots(conn) == {"C2": "whole"}


async def test_new_texts_make_a_new_version(conn: AsyncConnection, dairy: Creamery, database: DatabaseAddress) -> None:
    number = await published(conn, dairy, lots=((CHEESE, "C2"),))
    zh = Text("农家奶酪", "产品可能含有李斯特菌。", ("请立即停止食用。",), ("全额退款。",))
    frozen = await casework.update_texts(
        conn, number, {"en": Text("Cheese", HAZARD, ("Stop eating it.",), ("A refund.",)), "zh": zh}, by="Ada",
        clock=clock, keys=dairy.keys,
    )  # fmt: skip
    assert (frozen.version, frozen.change) == (2, Change.UPDATED)
    (shown,) = (await public_record(database))["public_recall"]
    assert (shown["version"], shown["texts"]["zh"]["title"]) == (2, "农家奶酪")
    with pytest.raises(CaseNotUsable):
        await casework.update_texts(conn, number, {}, by="Ada", clock=clock, keys=dairy.keys)
    with pytest.raises(WordingNotPublishable):
        soft = {"en": Text("Cheese", "A precaution.", ("Stop eating it.",), ("A refund.",))}
        await casework.update_texts(conn, number, soft, by="Ada", clock=clock, keys=dairy.keys)


async def test_closing_keeps_the_goods_recalled_and_the_case_in_sight(
    conn: AsyncConnection, dairy: Creamery, database: DatabaseAddress
) -> None:
    number = await published(conn, dairy, lots=((CHEESE, "C2"),))
    await casework.start_closing(conn, number, by="Ada", clock=clock)
    await casework.reopen(conn, number, reason="one more shop", by="Ada", clock=clock)
    closed = await casework.close(conn, number, reason="all found", by="Ada", clock=clock, override="a test")

    assert (closed.state, closed.closed_by) == (State.CLOSED, "Ada")
    (shown,) = (await public_record(database))["public_recall"]
    assert shown["state"] == "closed"
    assert await marked_lots(conn) == {"C2": "whole"}
    with pytest.raises(StepNotPossible):
        await casework.widen(conn, number, lots=((CHEESE, "C1"),), by="Ada", clock=clock, keys=dairy.keys)


async def test_the_audit_trail_tells_who_did_what(conn: AsyncConnection, dairy: Creamery) -> None:
    number = await published(conn, dairy, lots=((CHEESE, "C2"),))
    await casework.close(conn, number, reason="all found", by="Ada", clock=clock, override="a test")
    sql = text("SELECT actor, act FROM audit WHERE subject = :number ORDER BY audit_id")
    told = (await conn.execute(sql, {"number": number})).all()
    assert told == [
        ("Ada", "recall.open"),
        ("Ben", "recall.approve"),
        ("Ben", "recall.publish"),
        ("Ada", "recall.close"),
    ]


async def test_numbers_count_up_by_kind_and_year(conn: AsyncConnection, dairy: Creamery) -> None:
    numbers = [
        await opened(conn, dairy, lots=((CHEESE, "C2"),), kind=kind) for kind in (Kind.RECALL, Kind.DRILL, Kind.RECALL)
    ]
    assert numbers == ["R-2026-0001", "D-2026-0001", "R-2026-0002"]
    listed = await store.list_cases(conn, limit=2)
    assert [each.number for each in listed] == ["R-2026-0002", "D-2026-0001"]
    rest = await store.list_cases(conn, before=listed[-1].case_id)
    assert [each.number for each in rest] == ["R-2026-0001"]
    with pytest.raises(NoSuchCase):
        await store.find_case(conn, "R-2026-0009")
