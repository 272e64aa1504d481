"""Documents are taken in whole or not at all, once, and what was wrong is declared wrong, never erased."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import book_store
from ledger.capture import capture, record
from ledger.epcis.read import read_document
from ledger.projection import Scope
from ledger.refusals import DocumentNotValid, EventIdTaken, ReplayTooLarge, UnitInsideItself
from ledger.replay import replay
from runtime.database import DatabaseAddress, Role, transaction
from tests.ledger import dairy as d
from tests.ledger.test_epcis import DOCUMENTS

MILK_MADE = d.make(0, quantityList=[d.much(d.MILK, "M1", 500, "LTR")], eventID="urn:dairy:event:1")
CHEESE_MADE = d.tell(
    "TransformationEvent", 2, at=d.PLANT, eventID="urn:dairy:event:2",
    inputQuantityList=[d.much(d.MILK, "M1", 500, "LTR")], outputQuantityList=[d.much(d.CHEESE, "C1", 48)],
)  # fmt: skip


def wrong(event: dict[str, Any], **says: Any) -> dict[str, Any]:
    """The declaration that an event is wrong."""
    return {**event, "errorDeclaration": {"declarationTime": "2026-03-03T06:00:00Z", "reason": "did_not_occur"}, **says}


async def one(conn: AsyncConnection, sql: str) -> Any:
    return (await conn.execute(text(sql))).scalar_one()


async def test_the_dairys_document_tells_who_where_and_what(conn: AsyncConnection) -> None:
    keys = await d.ring(conn)
    document = read_document((DOCUMENTS / "valid" / "milk_to_cheese.jsonld").read_bytes(), "milk")

    report = await capture(conn, document, by="anna", clock=d.clock, keys=keys)

    assert (report.events, report.known, report.success, report.warnings) == (6, 0, True, ())
    plant = "SELECT p.name, p.country, p.kind, o.name FROM place p JOIN party o USING (party_id) WHERE p.gln = :gln"
    place = (await conn.execute(text(plant), {"gln": d.PLANT})).one()
    assert tuple(place) == ("Meadow Creamery", "IE", "plant", "Meadow Creamery Ltd")
    product = (await conn.execute(text("SELECT name, ours FROM product WHERE gtin = :gtin"), {"gtin": d.MILK})).one()
    assert tuple(product) == ("Raw milk", False)
    operation = (await conn.execute(text("SELECT line, team, operator, parameters FROM operation"))).one()
    assert tuple(operation)[:3] == ("vat 2", "early", "anna")
    assert await d.holdings(conn, d.CHEESE, "C1") == {(d.SHOP, d.CORNER, "in_progress"): 48}
    assert await d.holdings(conn, d.MILK, "M1") == {}


async def test_what_is_on_record_is_not_overwritten_by_a_documents_header(conn: AsyncConnection) -> None:
    keys = await d.ring(conn)
    document = read_document((DOCUMENTS / "valid" / "milk_to_cheese.jsonld").read_bytes(), "milk")
    await conn.execute(
        text("INSERT INTO product (gtin, name, ours) VALUES (:gtin, 'Our own milk', true)"), {"gtin": d.MILK}
    )
    await conn.commit()

    await capture(conn, document, by="anna", clock=d.clock, keys=keys)

    assert await one(conn, f"SELECT name FROM product WHERE gtin = '{d.MILK}'") == "Our own milk"


@pytest.mark.parametrize("path", sorted((DOCUMENTS / "valid").iterdir()), ids=lambda path: path.name)
async def test_a_document_sent_again_changes_nothing(conn: AsyncConnection, path: Any) -> None:
    keys = await d.ring(conn)
    document = read_document(path.read_bytes(), path.name)
    first = await capture(conn, document, by="anna", clock=d.clock, keys=keys)
    before = await d.book(conn)

    second = await capture(conn, document, by="anna", clock=d.clock, keys=keys)

    assert (second.events, second.known, second.success) == (0, first.events, True)
    assert second.event_ids == first.event_ids
    assert await d.book(conn) == before
    assert await d.count(conn, "event") == first.events


async def test_the_same_fact_under_another_event_id_is_one_fact(conn: AsyncConnection) -> None:
    keys = await d.ring(conn)
    await d.take_in(conn, keys, MILK_MADE)

    report = await d.take_in(conn, keys, {**MILK_MADE, "eventID": "urn:dairy:event:again"})

    assert (report.events, report.known) == (0, 1)
    assert await d.holdings(conn, d.MILK, "M1") == {(d.PLANT, None, "active"): 500}


async def test_the_same_fact_twice_in_one_document_is_one_fact(conn: AsyncConnection) -> None:
    keys = await d.ring(conn)

    report = await d.take_in(conn, keys, MILK_MADE, MILK_MADE)

    assert (report.events, report.known, len(set(report.event_ids))) == (1, 1, 1)


async def test_an_event_id_with_another_content_is_refused_and_nothing_of_the_document_stays(
    conn: AsyncConnection,
) -> None:
    keys = await d.ring(conn)
    await d.take_in(conn, keys, MILK_MADE)
    other = {**MILK_MADE, "quantityList": [d.much(d.MILK, "M1", 400, "LTR")]}

    with pytest.raises(EventIdTaken, match="urn:dairy:event:1"):
        await d.take_in(conn, keys, CHEESE_MADE, other)

    assert await d.count(conn, "event") == 1
    assert await d.holdings(conn, d.CHEESE, "C1") == {}


async def test_an_event_id_that_is_the_hash_of_another_content_does_not_hide_a_fact(conn: AsyncConnection) -> None:
    keys = await d.ring(conn)
    claimed = "ni:///sha-256;" + "0" * 64 + "?ver=CBV2.0"
    await d.take_in(conn, keys, {**MILK_MADE, "eventID": claimed})

    report = await d.take_in(conn, keys, {**CHEESE_MADE, "eventID": claimed})

    assert (report.events, report.known) == (1, 0)
    assert [where for where, _ in report.warnings] == ["/epcisBody/eventList/0"]


async def test_a_broken_document_leaves_only_its_failed_job(conn: AsyncConnection) -> None:
    keys = await d.ring(conn)

    with pytest.raises(DocumentNotValid) as refused:
        await d.take_in(conn, keys, MILK_MADE, {**CHEESE_MADE, "bizStep": "ripening"}, {**MILK_MADE, "action": "NEW"})

    assert [fault.where for fault in refused.value.faults] == [
        "/epcisBody/eventList/1/bizStep", "/epcisBody/eventList/2/action",
    ]  # fmt: skip
    job = (await conn.execute(text("SELECT capture_id::text, success, running, events, errors FROM capture"))).one()
    assert tuple(job)[:4] == (refused.value.values["capture_id"], False, False, 0)
    assert await d.count(conn, "event") == 0


async def test_with_proceed_what_is_right_is_recorded_and_what_is_wrong_is_told(conn: AsyncConnection) -> None:
    keys = await d.ring(conn)
    inside_itself = [
        d.pack(3, d.sscc(d.PALLET), childEPCs=[d.sscc(d.OTHER_PALLET)]),
        d.pack(4, d.sscc(d.OTHER_PALLET), childEPCs=[d.sscc(d.PALLET)]),
    ]

    report = await d.take_in(
        conn, keys, MILK_MADE, {**CHEESE_MADE, "bizStep": "ripening"}, *inside_itself, behaviour="proceed"
    )

    assert (report.events, report.success) == (2, False)
    assert [where for where, _ in report.errors] == ["/epcisBody/eventList/1/bizStep", "/epcisBody/eventList/3"]
    assert await d.count(conn, "event") == 2


async def test_with_proceed_a_document_that_is_broken_itself_is_refused(conn: AsyncConnection) -> None:
    keys = await d.ring(conn)
    document = {**d.document(MILK_MADE), "schemaVersion": "1.2"}

    with pytest.raises(DocumentNotValid):
        await capture(conn, document, by="anna", clock=d.clock, keys=keys, behaviour="proceed")

    assert await d.count(conn, "event") == 0


async def test_a_unit_cannot_be_inside_itself(conn: AsyncConnection) -> None:
    keys = await d.ring(conn)
    await d.take_in(conn, keys, d.pack(0, d.sscc(d.PALLET), childEPCs=[d.item(d.CASE, 1)]))

    with pytest.raises(UnitInsideItself):
        await d.take_in(conn, keys, d.pack(1, d.item(d.CASE, 1), childEPCs=[d.sscc(d.PALLET)]))
    with pytest.raises(UnitInsideItself):
        await d.take_in(conn, keys, d.pack(1, d.sscc(d.PALLET), childEPCs=[d.sscc(d.PALLET)]))


@pytest.mark.parametrize("by_content", [False, True])
async def test_an_event_declared_wrong_is_as_if_it_had_not_been_told_and_stays_on_record(
    conn: AsyncConnection, by_content: bool
) -> None:
    keys = await d.ring(conn)
    cheese_made = {key: value for key, value in CHEESE_MADE.items() if not (by_content and key == "eventID")}
    await d.take_in(conn, keys, MILK_MADE)
    before = await d.book(conn)
    await d.take_in(conn, keys, cheese_made)

    report = await d.take_in(conn, keys, wrong(cheese_made))

    assert (report.events, report.warnings) == (1, ())
    assert await d.book(conn) == before
    assert await d.count(conn, "event") == 3
    assert await one(conn, "SELECT reason FROM event_declared_wrong") == "did_not_occur"
    assert await book_store.differences(conn) == []


async def test_the_portal_is_told_when_items_are_lost_and_only_then(conn: AsyncConnection) -> None:
    keys = await d.ring(conn)
    losses = "SELECT losses FROM public_revision"
    made = d.make(1, epcList=d.items(d.CHEESE, range(1, 4)), eventID="urn:dairy:event:items")
    await d.take_in(conn, keys, made)
    await d.take_in(conn, keys, d.make(0, epcList=d.items(d.CHEESE, range(4, 6))))  # late: all is written anew
    assert await one(conn, losses) == 0
    runs = await one(conn, "SELECT sum(n) FROM code_run")

    await d.take_in(conn, keys, wrong(made))

    assert await one(conn, losses) == 1
    assert (runs, await one(conn, "SELECT sum(n) FROM code_run")) == (5, 2)


async def test_a_wrong_shipment_takes_its_pallet_back_and_the_right_one_may_follow(conn: AsyncConnection) -> None:
    keys = await d.ring(conn)
    pallet: dict[str, Any] = {"epcList": [d.sscc(d.PALLET)]}
    shipped = d.ship(4, d.CREAMERY, d.DEPOT, eventID="urn:dairy:event:ship", **pallet)
    await d.take_in(
        conn, keys, d.make(0, quantityList=[d.much(d.CHEESE, "C1", 48)]),
        d.pack(3, d.sscc(d.PALLET), childQuantityList=[d.much(d.CHEESE, "C1", 48)]), shipped,
    )  # fmt: skip

    await d.take_in(conn, keys, wrong(shipped), d.ship(5, d.CORNER, d.SHOP, **pallet))

    assert await d.holdings(conn, d.CHEESE, "C1") == {(d.SHOP, d.CORNER, "in_transit"): 48}
    assert await d.count(conn, "lot_shipment") == 1


async def test_a_declaration_may_come_before_what_it_declares_wrong(conn: AsyncConnection) -> None:
    keys = await d.ring(conn)

    early = await d.take_in(conn, keys, wrong(MILK_MADE))
    report = await d.take_in(conn, keys, MILK_MADE)

    assert len(early.warnings) == 1
    assert (report.events, await d.holdings(conn, d.MILK, "M1")) == (1, {})


async def test_a_fact_told_again_after_it_was_declared_wrong_counts_under_a_new_event_id(conn: AsyncConnection) -> None:
    keys = await d.ring(conn)
    await d.take_in(conn, keys, MILK_MADE)
    await d.take_in(conn, keys, wrong(MILK_MADE))

    report = await d.take_in(conn, keys, {**MILK_MADE, "eventID": "urn:dairy:event:indeed"})

    assert report.events == 1
    assert await d.holdings(conn, d.MILK, "M1") == {(d.PLANT, None, "active"): 500}


async def test_a_replay_larger_than_its_limit_is_refused(conn: AsyncConnection) -> None:
    keys = await d.ring(conn)
    await d.take_in(conn, keys, MILK_MADE, CHEESE_MADE)
    lot_id = await one(conn, "SELECT lot_id FROM lot WHERE code = 'M1'")

    with pytest.raises(ReplayTooLarge):
        async with transaction(conn):
            await conn.execute(text("SELECT 1"))
            await replay(conn, Scope(frozenset([lot_id]), frozenset()), [], keys, events_max=1)

    assert await d.holdings(conn, d.CHEESE, "C1") == {(d.PLANT, None, "active"): 48}


async def test_our_own_events_keep_the_rules_too(conn: AsyncConnection) -> None:
    keys = await d.ring(conn)
    with pytest.raises(DocumentNotValid):
        async with transaction(conn):
            await record(conn, [{**MILK_MADE, "disposition": "ripe"}], by="anna", clock=d.clock, keys=keys)


async def test_two_captures_of_the_same_document_at_once_record_it_once(
    conn: AsyncConnection, database: DatabaseAddress
) -> None:
    keys = await d.ring(conn)
    story = [
        d.make(0, epcList=d.items(d.CHEESE, range(1, 30))),
        d.pack(1, d.sscc(d.PALLET), childEPCs=d.items(d.CHEESE, range(1, 30))),
    ]
    engine = database.engine(Role.STAFF, pool_size=3)

    async def told() -> int:
        async with engine.connect() as mine:
            return (await d.take_in(mine, keys, *story)).events

    new = await asyncio.gather(told(), told(), told())
    await engine.dispose()

    assert sorted(new) == [0, 0, 2]
    assert await d.count(conn, "event") == 2
    assert await book_store.differences(conn) == []


async def test_many_writers_on_one_lot_and_one_pallet_count_right(
    conn: AsyncConnection, database: DatabaseAddress
) -> None:
    keys = await d.ring(conn)
    await d.take_in(conn, keys, d.make(0, epcList=d.items(d.CHEESE, range(40)), ilmd={"cbvmda:lotNumber": "C1"}))
    engine = database.engine(Role.STAFF, pool_size=4)

    async def pack(lane: int) -> None:
        async with engine.connect() as mine:
            for turn in range(3):
                serials = range(lane * 10 + turn * 3, lane * 10 + turn * 3 + 3)
                await d.take_in(mine, keys, d.pack(1 + turn, d.sscc(d.PALLET), childEPCs=d.items(d.CHEESE, serials)))

    await asyncio.gather(*(pack(lane) for lane in range(4)))
    await engine.dispose()

    assert await one(conn, "SELECT sum(n) FROM code_run WHERE unit_id IS NOT NULL") == 36
    assert sum((await d.holdings(conn, d.CHEESE, "C1")).values()) == 40
    assert await book_store.differences(conn) == []
