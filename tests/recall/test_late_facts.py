"""What the ledger learns after a case was published: held at once, and listed when a person accepts it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cli.samples.epcis import event, lot, packed, place
from ledger import master_data
from ledger.model import LotDraft
from recall import casework, deltas, proposals, store
from recall import proposals_store as kept
from recall.model import Change, Text
from recall.proposals_store import Sort
from recall.refusals import (
    NoSuchProposal,
    ProposalDecided,
    ProposalOutdated,
    ReasonNeeded,
    SecondPersonNeeded,
    WouldFreeGoods,
)
from runtime.database import DatabaseAddress, transaction
from tests.recall import creamery
from tests.recall.creamery import CASE_C1, CHEESE, MADE_AT, MILK, PLANT, Creamery, clock
from tests.recall.desk import affected_lots, marked_lots, public_record, published

AT_PLANT = {"readPoint": place(PLANT), "bizLocation": place(PLANT)}


async def told_late(conn: AsyncConnection, dairy: Creamery, code: str, *, made_of: str) -> dict[str, Any]:
    """An event that comes in only now: another cheese was made of this milk."""
    async with transaction(conn):
        await master_data.put_lot(conn, LotDraft(gtin=CHEESE, code=code))
    made = event(
        "TransformationEvent", MADE_AT + timedelta(hours=12), "creating_class_instance", "active",
        inputQuantityList=[lot(MILK, made_of, 1, "LTR")], outputQuantityList=[lot(CHEESE, code, 30)], **AT_PLANT,
    )  # fmt: skip
    await creamery.tell(conn, dairy.keys, [made])
    return made


async def recalled_lots(database: DatabaseAddress) -> set[int]:
    return {entry["lot_id"] for entry in (await public_record(database))["public_recall_scope"]}


async def test_what_a_late_fact_adds_is_recalled_at_once_and_listed_when_accepted(
    conn: AsyncConnection, dairy: Creamery, database: DatabaseAddress
) -> None:
    number = await published(conn, dairy, lots=((MILK, "M1"),))
    assert await deltas.compare(conn, number, clock=clock) is None
    before = await public_record(database)
    await told_late(conn, dairy, "C3", made_of="M1")

    proposal = await deltas.compare(conn, number, clock=clock)

    assert proposal is not None and proposal.kind is Sort.LATE_FACTS
    assert proposal.content["lots_added"] == [[CHEESE, "C3"]] and proposal.content["items_added"] == 30
    after = await public_record(database)
    assert len(after["public_recall_scope"]) == len(before["public_recall_scope"]) + 1
    assert after["public_revision"][0]["revision"] > before["public_revision"][0]["revision"]
    assert (await store.find_case(conn, number)).version == 1, "nothing is published in silence"
    await proposals.accept(conn, number, proposal.proposal_id, by="Ada", clock=clock, keys=dairy.keys)
    assert await affected_lots(conn, number) == {"M1": "whole", "C1": "whole", "C3": "whole"}
    assert "C3" in {row["lot"] for row in (await store.notice_lines(conn, number)).rows}
    case = await store.find_case(conn, number)
    assert (await store.frozen_set(conn, case)).change is Change.WIDENED
    assert await kept.held(conn, case.case_id) == {}
    with pytest.raises(ProposalDecided):
        await proposals.accept(conn, number, proposal.proposal_id, by="Ada", clock=clock, keys=dairy.keys)


async def test_only_cases_that_have_news_are_compared(conn: AsyncConnection, dairy: Creamery) -> None:
    number = await published(conn, dairy, lots=((MILK, "M1"),))
    revision = (await store.frozen_set(conn, await store.find_case(conn, number))).ledger_event
    assert await kept.to_compare(conn, revision) == (number,)
    await conn.rollback()
    await deltas.compare(conn, number, clock=clock)
    assert await kept.to_compare(conn, revision) == ()
    await conn.rollback()
    await told_late(conn, dairy, "C4", made_of="M2")
    assert await deltas.compare(conn, number, clock=clock) is None, "C4 is not made of M1"


async def test_what_is_packed_late_into_a_recalled_pallet_is_held(
    conn: AsyncConnection, dairy: Creamery, database: DatabaseAddress
) -> None:
    number = await published(conn, dairy, codes=(f"(00){CASE_C1}",))
    late = packed(MADE_AT + timedelta(days=1.5), CASE_C1, creamery.items(dairy.c1[10:]), PLANT)
    await creamery.tell(conn, dairy.keys, [late])

    proposal = await deltas.compare(conn, number, clock=clock)

    assert proposal is not None and proposal.content["items_added"] == 2
    assert sum(entry["n"] for entry in (await public_record(database))["public_recall_scope"]) == 12


async def test_goods_that_come_back_are_still_recalled(
    conn: AsyncConnection, dairy: Creamery, database: DatabaseAddress
) -> None:
    number = await published(conn, dairy, lots=((CHEESE, "C1"),))
    back = event(
        "ObjectEvent", MADE_AT + timedelta(days=5), "receiving", "returned", action="OBSERVE",
        epcList=creamery.items(dairy.c1[:1]), **AT_PLANT,
    )  # fmt: skip
    await creamery.tell(conn, dairy.keys, [back])
    assert await deltas.compare(conn, number, clock=clock) is None
    assert await marked_lots(conn) == {"C1": "whole"}
    assert len(await recalled_lots(database)) == 1


async def test_what_a_late_fact_takes_away_stays_recalled_until_a_second_person_agrees(
    conn: AsyncConnection, dairy: Creamery
) -> None:
    made = await told_late(conn, dairy, "C3", made_of="M1")
    number = await published(conn, dairy, lots=((MILK, "M1"),))
    await _declared_wrong(conn, dairy, made)
    proposal = await deltas.compare(conn, number, clock=clock)
    assert proposal is not None and proposal.content["lots_removed"] == [[CHEESE, "C3"]]

    texts = {"en": Text("Cheese", "It can make people ill.", ("Stop eating it.",), ("A refund.",))}
    with pytest.raises(WouldFreeGoods, match="lot C3"):
        await casework.update_texts(conn, number, texts, by="Ada", clock=clock, keys=dairy.keys)
    with pytest.raises(SecondPersonNeeded):
        await proposals.accept(conn, number, proposal.proposal_id, by="Ben", clock=clock, keys=dairy.keys)
    assert "C3" in await affected_lots(conn, number), "Ben published it"
    await proposals.accept(conn, number, proposal.proposal_id, by="Ada", clock=clock, keys=dairy.keys)
    assert await affected_lots(conn, number) == {"M1": "whole", "C1": "whole"}


async def test_a_proposal_that_the_record_has_overtaken_is_refused(conn: AsyncConnection, dairy: Creamery) -> None:
    number = await published(conn, dairy, lots=((MILK, "M1"),))
    await told_late(conn, dairy, "C3", made_of="M1")
    old = await deltas.compare(conn, number, clock=clock)
    await told_late(conn, dairy, "C4", made_of="M1")
    assert old is not None
    with pytest.raises(ProposalOutdated):
        await proposals.accept(conn, number, old.proposal_id, by="Ada", clock=clock, keys=dairy.keys)
    new = await deltas.compare(conn, number, clock=clock)
    assert new is not None and len(new.content["lots_added"]) == 2
    assert [each.state for each in await proposals.of_case(conn, number)] == ["open", "superseded"]


async def test_as_many_other_lots_are_not_the_lots_that_were_proposed(conn: AsyncConnection, dairy: Creamery) -> None:
    number = await published(conn, dairy, lots=((MILK, "M1"),))
    made = await told_late(conn, dairy, "C3", made_of="M1")
    proposed = await deltas.compare(conn, number, clock=clock)
    await _declared_wrong(conn, dairy, made)
    await told_late(conn, dairy, "C4", made_of="M1")
    assert proposed is not None
    with pytest.raises(ProposalOutdated):
        await proposals.accept(conn, number, proposed.proposal_id, by="Ada", clock=clock, keys=dairy.keys)


async def test_dismissing_late_facts_frees_what_was_held_and_takes_a_second_person(
    conn: AsyncConnection, dairy: Creamery, database: DatabaseAddress
) -> None:
    number = await published(conn, dairy, lots=((MILK, "M1"),))
    await told_late(conn, dairy, "C3", made_of="M1")
    proposal = await deltas.compare(conn, number, clock=clock)
    assert proposal is not None
    which = (conn, number, proposal.proposal_id)
    with pytest.raises(ReasonNeeded):
        await proposals.dismiss(*which, reason=" ", by="Ada", clock=clock)
    with pytest.raises(SecondPersonNeeded):
        await proposals.dismiss(*which, reason="a wrong message", by="Ben", clock=clock)
    assert len(await recalled_lots(database)) == 3
    await proposals.dismiss(*which, reason="a wrong message", by="Ada", clock=clock)
    assert len(await recalled_lots(database)) == 2
    with pytest.raises(NoSuchProposal):
        await proposals.dismiss(conn, number, 999, reason="none", by="Ada", clock=clock)


async def test_a_narrowing_and_a_cancelling_wait_for_the_second_person(conn: AsyncConnection, dairy: Creamery) -> None:
    number = await published(conn, dairy, lots=((CHEESE, "C1"), (CHEESE, "C2")))
    told: dict[str, Any] = {"by": "Ada", "clock": clock, "keys": dairy.keys}
    first = await proposals.propose_narrowing(conn, number, lots=((CHEESE, "C2"),), reason="tested clean", **told)
    with pytest.raises(SecondPersonNeeded):
        await proposals.accept(conn, number, first.proposal_id, **told)
    assert await affected_lots(conn, number) == {"C1": "whole", "C2": "whole"}
    await proposals.accept(conn, number, first.proposal_id, **{**told, "by": "Ben"})
    assert await affected_lots(conn, number) == {"C1": "whole"}

    second = await proposals.propose_cancelling(conn, number, reason="of another maker", by="Ada", clock=clock)
    await proposals.accept(conn, number, second.proposal_id, **{**told, "by": "Ben"})
    assert (await store.find_case(conn, number)).state == "cancelled"
    assert await marked_lots(conn) == {}


async def test_overlapping_cases_are_told_each_with_what_they_share(conn: AsyncConnection, dairy: Creamery) -> None:
    first = await published(conn, dairy, lots=((MILK, "M1"),))
    second = await published(conn, dairy, codes=(dairy.code(dairy.c1[3]),))
    other = await published(conn, dairy, lots=((CHEESE, "C2"),))
    shared = {}
    for number in (first, second, other):
        case = await store.find_case(conn, number)
        frozen = await store.frozen_set(conn, case)
        shared[number] = await kept.overlapping(conn, case.case_id, frozen.affected_set_id)
    assert shared == {first: ((second, 1),), second: ((first, 1),), other: ()}


async def _declared_wrong(conn: AsyncConnection, dairy: Creamery, made: dict[str, Any]) -> None:
    found = "SELECT source_id FROM event WHERE type = 'TransformationEvent' ORDER BY event_id DESC LIMIT 1"
    source_id = (await conn.execute(text(found))).scalar_one()
    await conn.rollback()
    wrong = {**made, "eventID": source_id, "errorDeclaration": {"declarationTime": "2026-11-20T12:00:00Z"}}
    await creamery.tell(conn, dairy.keys, [wrong])
