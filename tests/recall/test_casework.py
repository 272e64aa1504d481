"""Approving, wording, and what the public and the ledger see of a case."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from recall import casework, store
from recall.model import Depth, Kind, State
from recall.refusals import (
    ReasonNeeded,
    SecondPersonNeeded,
    StepNotPossible,
    WordingNotPublishable,
)
from runtime.database import DatabaseAddress, Role, transaction
from tests.recall.creamery import CHEESE, MILK, Creamery, clock
from tests.recall.desk import marked_lots, opened, public_record, published
from tests.unhurried import NEVER_S


async def test_whoever_opened_a_case_cannot_approve_it(conn: AsyncConnection, dairy: Creamery) -> None:
    number = await opened(conn, dairy, lots=((MILK, "M1"),))
    with pytest.raises(SecondPersonNeeded):
        await casework.approve(conn, number, by="ada ", clock=clock)
    assert (await store.find_case(conn, number)).state is State.DRAFT
    assert (await casework.approve(conn, number, by="Ben", clock=clock)).state is State.APPROVED


async def test_a_case_that_nobody_approved_is_not_published(conn: AsyncConnection, dairy: Creamery) -> None:
    number = await opened(conn, dairy, lots=((MILK, "M1"),))
    await casework.submit(conn, number, by="Ada", clock=clock)
    with pytest.raises(StepNotPossible):
        await casework.publish(conn, number, by="Ben", clock=clock, keys=dairy.keys)


async def test_a_case_that_was_sent_back_needs_a_new_approval(conn: AsyncConnection, dairy: Creamery) -> None:
    number = await opened(conn, dairy, lots=((MILK, "M1"),))
    await casework.approve(conn, number, by="Ben", clock=clock)
    with pytest.raises(ReasonNeeded):
        await casework.send_back(conn, number, reason=" ", by="Ben", clock=clock)
    back = await casework.send_back(conn, number, reason="name the hazard", by="Ben", clock=clock)
    assert (back.state, back.approved_by) == (State.DRAFT, None)
    with pytest.raises(StepNotPossible):
        await casework.publish(conn, number, by="Ben", clock=clock, keys=dairy.keys)


async def test_softening_words_are_not_published_unless_overridden_with_a_reason(
    conn: AsyncConnection, dairy: Creamery
) -> None:
    number = await opened(conn, dairy, lots=((MILK, "M1"),), hazard="A voluntary step of ours: Listeria.")
    await casework.approve(conn, number, by="Ben", clock=clock)
    for override in (None, "  "):
        with pytest.raises(WordingNotPublishable, match="voluntary"):
            await casework.publish(conn, number, by="Ben", clock=clock, keys=dairy.keys, override_wording=override)
    assert (await store.find_case(conn, number)).state is State.APPROVED

    reason = "ordered in these words by the authority"
    await casework.publish(conn, number, by="Ben", clock=clock, keys=dairy.keys, override_wording=reason)
    sql = text("SELECT details ->> 'override_wording' FROM audit WHERE act = 'recall.publish'")
    assert (await conn.execute(sql)).scalar_one() == reason


async def test_the_portal_sees_a_published_case_and_its_goods(
    conn: AsyncConnection, dairy: Creamery, database: DatabaseAddress
) -> None:
    before = await public_record(database)
    number = await published(conn, dairy, lots=((MILK, "M1"),), contact={"phone": "0800 111"})
    after = await public_record(database)

    assert before["public_recall"] == before["public_recall_scope"] == []
    (shown,) = after["public_recall"]
    assert (shown["number"], shown["version"], shown["state"]) == (number, 1, "published")
    assert shown["contact"] == {"phone": "0800 111"}
    assert shown["texts"]["en"]["actions"][0] == "Stop using this product now."
    assert after["public_revision"][0]["revision"] == shown["revision"] == before["public_revision"][0]["revision"] + 1
    assert len(after["public_recall_scope"]) == 2
    assert all(entry["lo"] is None for entry in after["public_recall_scope"])


async def test_a_publication_is_announced_to_the_portal(
    conn: AsyncConnection, dairy: Creamery, database: DatabaseAddress
) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    listener = await database.connect(Role.PORTAL)
    await listener.add_listener("tracemark_revision", lambda *told: heard.put_nowait(told[-1]))
    await published(conn, dairy, lots=((MILK, "M1"),))
    assert await asyncio.wait_for(heard.get(), NEVER_S) == "2"
    await listener.close()


async def test_recalled_goods_are_marked_in_the_ledger_until_the_case_is_cancelled(
    conn: AsyncConnection, dairy: Creamery, database: DatabaseAddress
) -> None:
    number = await published(conn, dairy, lots=((MILK, "M1"),))
    assert await marked_lots(conn) == {"M1": "whole", "C1": "whole"}

    with pytest.raises(ReasonNeeded):
        await casework.cancel(conn, number, reason="", by="Ada", approved_by="Ben", clock=clock, keys=dairy.keys)
    with pytest.raises(SecondPersonNeeded, match="somebody other than Ada; named is ada"):
        await casework.cancel(
            conn, number, reason="of another lot", by="Ada", approved_by="ada", clock=clock, keys=dairy.keys
        )
    assert await marked_lots(conn) == {"M1": "whole", "C1": "whole"}, "a refusal sets nothing free"
    with pytest.raises(SecondPersonNeeded, match="somebody other than Ben; named is nobody"):
        await casework.cancel(conn, number, reason="of another lot", by="Ben", clock=clock, keys=dairy.keys)
    case = await casework.cancel(
        conn, number, reason="of another lot", by="Ben", approved_by="Cleo", clock=clock, keys=dairy.keys
    )

    assert (case.state, case.closing_reason) == (State.CANCELLED, "of another lot")
    assert await marked_lots(conn) == {}
    seen = await public_record(database)
    assert seen["public_recall"] == [] and seen["public_revision"][0]["revision"] == 3
    assert len((await store.notice_lines(conn, number)).rows) == 5, "what was published stays on record"


async def test_goods_of_two_recalls_stay_recalled_when_one_is_cancelled(conn: AsyncConnection, dairy: Creamery) -> None:
    first = await published(conn, dairy, lots=((MILK, "M1"),))
    await published(conn, dairy, codes=(dairy.code(dairy.c1[3]),))
    await casework.cancel(conn, first, reason="a mistake", by="Ada", approved_by="Ben", clock=clock, keys=dairy.keys)
    assert await marked_lots(conn) == {"C1": 1}


async def test_a_withdrawal_is_shown_as_one_and_marks_nothing_as_recalled(
    conn: AsyncConnection, dairy: Creamery, database: DatabaseAddress
) -> None:
    number = await published(
        conn, dairy, lots=((CHEESE, "C2"),), kind=Kind.WITHDRAWAL, hazard="None: the weight is wrong.", hazard_class=3,
        depth=Depth.RETAIL,
    )  # fmt: skip
    assert number == "W-2026-0001"
    assert [shown["kind"] for shown in (await public_record(database))["public_recall"]] == ["withdrawal"]
    assert await marked_lots(conn) == {}


async def test_no_event_comes_in_between_while_a_case_is_published(
    conn: AsyncConnection, dairy: Creamery, database: DatabaseAddress
) -> None:
    columns = "type, event_time, event_offset, record_time, source_id, hash, body, captured_by"
    tell = text(f"INSERT INTO event ({columns}) SELECT {columns} FROM event LIMIT 1")
    engine = database.engine(Role.STAFF, pool_size=1)
    async with engine.connect() as other:
        async with transaction(conn):
            await store.hold_ledger(conn)
            await other.execute(text("SET lock_timeout = '50ms'"))
            assert (await other.execute(text("SELECT count(*) FROM event"))).scalar_one() > 10, "reading goes on"
            with pytest.raises(DBAPIError, match="lock timeout"):
                await other.execute(tell)
            await other.rollback()
        assert (await other.execute(tell)).rowcount == 1
    await engine.dispose()
