"""What a published case knows of its effect: who answered, what was found and seen later, and when it may close."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cli.samples.epcis import event
from recall import acknowledgements, casework, effectiveness, reconciliation, sightings, store
from recall import responses_store as answers
from recall.acknowledgements import AnswerDraft, AnswerLine
from recall.board import board
from recall.effectiveness import Result, draw
from recall.model import State
from recall.notices import CHANNELS
from recall.response_refusals import (
    AnswerComplete,
    CheckNotUsable,
    ClosingNotReady,
    NobodyWasTold,
    NoSuchRecipient,
    NotInSample,
)
from runtime import jobs, settings
from runtime.database import DatabaseAddress, Role
from tests.recall.creamery import CHEESE, CORNER_SHOP, NORTH_DEPOT, NOW, SECRET, Creamery, clock, items, tell
from tests.recall.desk import opened, published
from tests.recall.owners import at, c1_recalled, run_worker
from tests.runtime.mail_server import mail_server, settings_for

LOT = (CHEESE, "C1")


def found(**quantities: int) -> AnswerDraft:
    line = AnswerLine(CHEESE, "C1", "", {name: Decimal(n) for name, n in quantities.items()})
    return AnswerDraft("Cleo", affected=True, complete=True, lines=[line], signature="Cleo")


async def answered(conn: AsyncConnection, number: str, owner: str, draft: AnswerDraft) -> None:
    await acknowledgements.answer_for(conn, number, owner, draft, via="phone", by="Ada", clock=at(2))


async def test_the_board_counts_who_was_told_who_answered_and_who_is_late(
    database: DatabaseAddress, conn: AsyncConnection, dairy: Creamery
) -> None:
    number = await c1_recalled(conn, dairy)
    async with mail_server() as server:
        await run_worker(database, settings_for(server))
    await answered(conn, number, CORNER_SHOP, found(returned=9))

    early, late = await board(conn, number, clock=at(23)), await board(conn, number, clock=at(25))

    assert (early.reached.recipients, early.reached.told, early.reached.answered, early.reached.complete) == (
        4,
        3,
        1,
        1,
    )
    assert (early.reached.overdue, late.reached.overdue) == (0, 3)
    assert {each.name for each in late.overdue} == {"Meadow Creamery", "North Depot", "Mira"}
    assert sum(each.reached.recipients for each in late.by_channel) == 4
    with pytest.raises(AnswerComplete):
        await answered(conn, number, CORNER_SHOP, found(returned=1))


async def test_more_may_come_back_than_was_recalled_and_what_nobody_told_is_unknown(
    conn: AsyncConnection, dairy: Creamery
) -> None:
    number = await published(conn, dairy, lots=[LOT])
    before = await reconciliation.reconcile(conn, number, by="Ada", clock=clock)
    await answered(conn, number, CORNER_SHOP, found(returned=28))

    after = await reconciliation.reconcile(conn, number, by="Ada", clock=clock)

    assert (before["affected"], before["unknown"], before["accounted_percent"]) == (12, 12, 0.0)
    assert (after["returned"], after["accounted_percent"], after["unknown"]) == (28, 233.3, 0)
    shop = next(row for row in after["by_owner"] if row["owner_name"] == "Corner Shop")
    routes = [row["channel"] for row in after["by_channel"]]
    assert routes == sorted(routes, key=CHANNELS.index) != sorted(routes), "in the order of the notice list"
    assert (shop["returned"], shop["affected"]) == (28, 9)
    for part in ("by_product", "by_channel", "by_owner"):
        assert sum(row["affected"] for row in after[part]) == after["affected"]
        assert sum(row["returned"] for row in after[part]) == after["returned"]


async def test_a_case_closes_on_an_account_and_its_findings_or_on_an_override(
    conn: AsyncConnection, dairy: Creamery
) -> None:
    number = await published(conn, dairy, lots=[LOT])
    with pytest.raises(ClosingNotReady, match=r"reconciliation .*disposition.* root cause.* corrective action"):
        await casework.close(conn, number, reason="done", by="Ada", clock=clock)
    await reconciliation.reconcile(conn, number, by="Ada", clock=clock)
    told = {"disposition": "burnt", "root_cause": "a valve"}
    await reconciliation.describe_closing(conn, number, by="Ada", clock=clock, **told)
    with pytest.raises(ClosingNotReady, match="closed yet: the corrective action"):
        await casework.close(conn, number, reason="done", by="Ada", clock=clock)
    await reconciliation.describe_closing(conn, number, by="Ada", clock=clock, corrective_action="changed it")

    assert (await casework.close(conn, number, reason="done", by="Ada", clock=clock)).state is State.CLOSED

    other = await published(conn, dairy, lots=[(CHEESE, "C2")])
    closed = await casework.close(conn, other, reason="done", by="Ada", clock=clock, override="ordered so")
    followup = await answers.followup(conn, closed.case_id)
    assert followup is not None
    assert followup.override_reason == "ordered so"


async def test_a_reconciliation_of_an_older_version_does_not_close_a_case(
    conn: AsyncConnection, dairy: Creamery
) -> None:
    number = await published(conn, dairy, lots=[LOT])
    await reconciliation.reconcile(conn, number, by="Ada", clock=clock)
    told = {"disposition": "burnt", "root_cause": "a valve", "corrective_action": "changed"}
    await reconciliation.describe_closing(conn, number, by="Ada", clock=clock, **told)
    await casework.widen(conn, number, lots=[(CHEESE, "C2")], by="Ben", clock=clock, keys=dairy.keys)

    with pytest.raises(ClosingNotReady, match="reconciliation of its last version"):
        await casework.close(conn, number, reason="done", by="Ada", clock=clock)


async def test_a_check_asks_a_sample_that_anybody_can_draw_again(conn: AsyncConnection, dairy: Creamery) -> None:
    number = await published(conn, dairy, lots=[LOT])
    check = await effectiveness.start_check(conn, number, "C", seed="2026-11", by="Ada", clock=clock)
    _, sample = await effectiveness.show_check(conn, number, check)
    first = sample[0].recipient_id

    results = [Result(each.recipient_id, True, each.recipient_id != first) for each in sample]
    await effectiveness.record_results(conn, number, check, results, by="Ada", clock=clock)

    assert {each.channel for each in sample} == {"own", "wholesale", "retail", "direct"}  # no channel is left out
    [told] = await effectiveness.figures(conn, (await store.find_case(conn, number)).case_id)
    assert (told["sampled"], told["asked"], told["notified"], told["followed"]) == (4, 4, 4, 3)
    assert told["effective_percent"] == 75.0
    with pytest.raises(NotInSample):
        await effectiveness.record_results(conn, number, check, [Result(9_999, True, True)], by="Ada", clock=clock)
    with pytest.raises(CheckNotUsable, match="never came"):
        await effectiveness.record_results(conn, number, check, [Result(first, False, True)], by="Ada", clock=clock)


def test_samples_follow_levels_and_seeds() -> None:
    everybody = [(n, "retail" if n % 3 else "wholesale") for n in range(300)]
    half = draw(everybody, Decimal(10), "a")

    assert half == draw(everybody, Decimal(10), "a") != draw(everybody, Decimal(10), "b")
    assert [channel for _, channel in half].count("retail") == 20
    assert len(half) == 30
    assert draw(everybody, Decimal(0), "a") == []
    assert len(draw(everybody, Decimal(100), "a")) == 300


@pytest.mark.parametrize("level, percent", [("F", None), ("B", None), ("B", Decimal(100)), ("C", Decimal(20))])
async def test_a_level_is_what_it_says(level: str, percent: Decimal | None) -> None:
    with pytest.raises(CheckNotUsable):
        effectiveness.share_of(level, percent)


async def test_a_scan_after_publication_is_a_sighting_and_is_told_once(
    database: DatabaseAddress, conn: AsyncConnection, dairy: Creamery
) -> None:
    number = await published(conn, dairy, lots=[LOT])
    scan = text("""INSERT INTO scan_log (at, gtin, lot_id, number, verdict, language, client)
                   SELECT :at, :gtin, lot_id, 5, :verdict, 'en', 'browser' FROM lot WHERE code = 'C1'""")
    async with conn.begin():
        for hours, verdict in ((-1, "recalled"), (1, "recalled"), (1, "first_check")):
            values = {"at": NOW + timedelta(hours=hours), "gtin": CHEESE, "verdict": verdict}
            await conn.execute(scan, values)
    await sightings.watch(conn, number, name="Ada", email="ada@meadow.example", by="Ada", clock=clock)

    [seen] = (await board(conn, number, clock=at(2))).sightings
    async with mail_server() as server:
        engine = database.engine(Role.STAFF, pool_size=2)
        place = jobs.WorkPlace(settings.load({}), database, engine, at(2), SECRET)
        await sightings.alert(place)  # no mail server: told the next time
        for _ in range(2):
            await sightings.alert(replace(place, settings=settings_for(server)))
        await engine.dispose()

    assert (seen.lot, seen.scans) == ("C1", 1)
    assert server.addresses == ["ada@meadow.example"]


async def test_goods_that_turn_up_later_are_listed(conn: AsyncConnection, dairy: Creamery) -> None:
    number = await published(conn, dairy, lots=[LOT])
    assert (await board(conn, number, clock=at(1))).late_units == ()

    back = event("ObjectEvent", NOW, "receiving", "returned", action="OBSERVE", epcList=items(dairy.c1[:1]))
    await tell(conn, dairy.keys, [back])

    [late] = (await board(conn, number, clock=at(1))).late_units
    assert (late.lot, late.disposition) == ("C1", "returned")


async def test_a_case_that_told_nobody_has_no_board(conn: AsyncConnection, dairy: Creamery) -> None:
    number = await opened(conn, dairy, lots=[LOT])

    with pytest.raises(NobodyWasTold):
        await board(conn, number, clock=clock)
    with pytest.raises(NoSuchRecipient):
        await answered(conn, number, NORTH_DEPOT, found(returned=1))
