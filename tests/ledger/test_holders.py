"""Who holds the affected goods, and in which state they are."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import holders
from ledger.capture import record
from ledger.codes import KeyRing
from ledger.genealogy import Reached
from ledger.holders import Holding, TooManyRuns, holdings, shipments
from ledger.intervals import clipped, merged
from ledger.states import STATES, state_of
from runtime.database import transaction
from tests.ledger.records import Records, day, gtin

pytestmark = pytest.mark.anyio


@pytest.fixture
async def world(conn: AsyncConnection) -> Records:
    """Cheese C1, 100 items: 40 in two cases on a pallet at the shop, 10 loose on the way, 50 in the plant."""
    records = Records(conn)
    brand, shop = await records.party("creamery", "brand"), await records.party("shop", "retailer", "retail")
    plant = await records.place("plant", "plant", brand)
    store = await records.place("store", "store", shop)
    c1 = await records.lot(await records.product(1, "cheese"), "C1")
    pallet = await records.unit("pallet", place_id=store, owner_id=shop, disposition="in_progress")
    for number in range(2):
        case = await records.unit(f"case {number}", parent_id=pallet, place_id=plant, owner_id=brand)
        await records.run(c1, 1000 + 20 * number, 20, unit_id=case, place_id=plant, owner_id=brand)
    await records.run(c1, 1040, 10, place_id=store, owner_id=brand, disposition="in_transit")
    await records.run(c1, 1050, 50, place_id=plant, owner_id=brand, disposition="active")
    await records.holding(c1, store, shop, 40, disposition="in_progress")
    await records.holding(c1, store, brand, 10, disposition="in_transit")
    await records.holding(c1, plant, brand, 50, disposition="active")
    await records.holding(c1, 0, 0, 0, disposition="unknown")
    return records


def totals(held: tuple[Holding, ...]) -> list[tuple[int, int, str, Decimal]]:
    return sorted((h.place_id, h.owner_id, h.disposition, h.quantity) for h in held)


async def test_a_whole_lot_is_read_from_the_ledger_of_holdings(world: Records) -> None:
    held = await holdings(world.conn, [Reached(world.lots["C1"], True, (), None, "scope")])

    assert sorted((holding.disposition, int(holding.quantity)) for holding in held) == [
        ("active", 50), ("in_progress", 40), ("in_transit", 10),
    ]  # fmt: skip
    assert all(holding.runs == () for holding in held)


async def test_a_part_that_is_all_of_the_lot_gives_the_same_totals_place_by_place(world: Records) -> None:
    whole = await holdings(world.conn, [Reached(world.lots["C1"], True, (), None, "scope")])

    parts = await holdings(world.conn, [Reached(world.lots["C1"], False, ((1000, 60), (1060, 40)), None, "scope")])

    assert totals(parts) == totals(whole)


async def test_items_in_a_case_on_a_pallet_are_where_the_pallet_is_and_counted_once(world: Records) -> None:
    held = await holdings(world.conn, [Reached(world.lots["C1"], False, ((1015, 10), (1045, 10)), None, "scope")])

    assert sorted((h.disposition, int(h.quantity), list(h.runs)) for h in held) == [
        ("active", 5, [(1050, 5)]), ("in_progress", 10, [(1015, 10)]), ("in_transit", 5, [(1045, 5)]),
    ]  # fmt: skip


async def test_a_number_named_twice_is_counted_once_and_one_never_made_not_at_all(world: Records) -> None:
    held = await holdings(
        world.conn, [Reached(world.lots["C1"], False, ((1050, 5), (1052, 5), (5000, 9)), None, "scope")]
    )

    assert [(int(h.quantity), list(h.runs)) for h in held] == [(7, [(1050, 7)])]


async def test_what_capture_counts_is_what_the_items_add_up_to(conn: AsyncConnection) -> None:
    product, case, pallet = (
        gtin(5),
        "https://id.gs1.org/00/095200000000000011",
        "https://id.gs1.org/00/095200000000000028",
    )
    items = [f"https://id.gs1.org/01/{product}/21/S{number:03}" for number in range(60)]
    plant, store = "https://id.gs1.org/414/9521141000021", "https://id.gs1.org/414/9521141000038"
    shop = "https://id.gs1.org/417/9521141000045"
    told: list[dict[str, Any]] = [
        {"type": "ObjectEvent", "action": "ADD", "bizStep": "commissioning", "epcList": items,
         "bizLocation": {"id": plant}, "ilmd": {"cbvmda:lotNumber": "L1"}},
        {"type": "AggregationEvent", "action": "ADD", "bizStep": "packing", "parentID": case, "childEPCs": items[:20],
         "bizLocation": {"id": plant}},
        {"type": "AggregationEvent", "action": "ADD", "bizStep": "packing", "parentID": pallet, "childEPCs": [case],
         "bizLocation": {"id": plant}},
        {"type": "ObjectEvent", "action": "OBSERVE", "bizStep": "shipping", "epcList": [pallet, *items[20:25]],
         "readPoint": {"id": plant}, "destinationList": [{"type": "owning_party", "destination": shop},
                                                         {"type": "location", "destination": store}]},
        {"type": "ObjectEvent", "action": "OBSERVE", "bizStep": "retail_selling", "epcList": items[3:5],
         "bizLocation": {"id": store}},
    ]  # fmt: skip
    for number, event in enumerate(told, 1):
        event |= {"eventTime": f"2026-03-0{number}T08:00:00Z", "eventTimeZoneOffset": "+00:00"}
    async with transaction(conn):
        await record(conn, told, by="test", clock=lambda: day(9), keys=KeyRing({}))
    lot_id, lo = (await conn.execute(text("SELECT lot_id, min(lo) FROM code_run GROUP BY lot_id"))).one()

    whole = await holdings(conn, [Reached(lot_id, True, (), None, "scope")])
    parts = await holdings(conn, [Reached(lot_id, False, ((lo, 33), (lo + 33, 27)), None, "scope")])

    assert totals(whole) == totals(parts)
    assert sorted((h.disposition, int(h.quantity)) for h in parts) == [
        ("active", 35), ("in_transit", 23), ("retail_sold", 2),
    ]  # fmt: skip


async def test_numbers_beyond_the_limit_are_refused(world: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holders, "RUNS_MAX", 3)

    with pytest.raises(TooManyRuns):
        await holdings(world.conn, [Reached(world.lots["C1"], False, ((1000, 100),), None, "scope")])
    assert await holdings(world.conn, [Reached(world.lots["C1"], False, ((1000, 50),), None, "scope")])


async def test_shipments_say_what_went_where_with_which_document(world: Records) -> None:
    told, wrong = await world.event("one", day(1)), await world.event("two", day(2))
    for event_id in (told, wrong):
        await world.insert(
            "lot_shipment", event_id=event_id, lot_id=world.lots["C1"], quantity=40, from_owner_id=1, to_owner_id=2,
            from_place_id=1, to_place_id=2, at=day(1), documents=["DN-1"],
        )  # fmt: skip
    await world.declare_wrong(wrong, day(3))

    sent = await shipments(world.conn, [world.lots["C1"]])

    assert [(s.event_id, int(s.quantity), s.to_owner_id, list(s.documents)) for s in sent] == [(told, 40, 2, ["DN-1"])]
    assert await shipments(world.conn, []) == ()


def test_what_became_of_goods_counts_before_where_they_are() -> None:
    assert state_of("in_transit", "store", "retailer") == "in_transit"
    assert state_of("retail_sold", "store", "retailer") == "sold"
    assert state_of("destroyed", "warehouse", "brand") == "destroyed"
    assert state_of("returned", "warehouse", "brand") == "returned"
    assert state_of("sampled", "plant", "brand") == "sampled"
    assert state_of("stolen", "store", "retailer") == "unknown"


def test_otherwise_goods_are_what_their_place_is() -> None:
    assert state_of("active", "plant", "brand") == "in_plant"
    assert state_of("active", "warehouse", "brand") == "in_stock"
    assert state_of("active", "warehouse", "distributor") == "at_channel"
    assert state_of("sellable_accessible", "store", "other") == "at_channel"
    assert state_of("", "vehicle", "carrier") == "in_transit"
    assert state_of("active", "home", "consumer") == "sold"
    assert state_of("", "other") == "unknown"
    assert state_of("a word that nobody knows", "other") in STATES


def test_runs_of_numbers_merge_and_clip() -> None:
    assert merged([(5, 2), (1, 2), (3, 2), (20, 1), (6, 5)]) == ((1, 10), (20, 1))
    assert clipped(((1, 10), (20, 1)), 8, 13) == ((8, 3), (20, 1))
    assert clipped(((1, 10),), 11, 5) == ()
