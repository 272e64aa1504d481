"""The trace of a code, as the contract shows it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from gs1 import check_digit
from gs1.identifier import Identifier
from ledger import starts
from ledger.codes import KeyRing
from ledger.gaps import TRANSIT_DAYS_MAX
from ledger.starts import NothingOnRecord, TooManyLotsOfProduct, TooMuchInUnit
from ledger.trace import ledger_revision, trace
from runtime.clock import rfc3339
from runtime.database import DatabaseAddress, Role
from tests.ledger.records import Records, Use, day, gtin

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
MILK, CHEESE = 1, 2
SSCC = "0952000000000000" + "1"
SSCC += check_digit.compute(SSCC)


@pytest.fixture
async def dairy(conn: AsyncConnection) -> Records:
    """M1 (from the farm, inspected) and M2 made cheese C1, 100 items; 60 are with the shop, 10 of these sold."""
    records = Records(conn)
    farm, brand = await records.party("farm", "supplier"), await records.party("creamery", "brand")
    shop = await records.party("Corner Shop", "retailer", "retail")
    await records.contact(shop, "recall", "Ana Shopkeeper", "+99 1")
    await records.contact(brand, "recall", "Bo Quality", "+99 2")
    await records.contact(brand, "responsible", "Cy Logistics", "+99 3")
    plant, store = await records.place("plant", "plant", brand), await records.place("store", "store", shop)
    milk, cheese = await records.product(MILK, "milk", ours=False), await records.product(CHEESE, "cheese")
    m1, m2 = await records.lot(milk, "M1", supplier_id=farm), await records.lot(milk, "M2")
    await records.insert("inspection", lot_id=m1, at=day(1), result="passed", report="R-1", inspector="Di")
    c1, c2 = await records.lot(cheese, "C1"), await records.lot(cheese, "C2")
    made = await records.event("made", day(2))
    await records.operation(
        day(2), [m1, m2], [c1], event_id=made, place_id=plant, line="vat 1", parameters='{"temp": 72}'
    )
    await records.operation(day(3), [m2], [c2], event_id=made, place_id=plant, line="vat 2")
    await records.insert("number_block", lo=1000, n=200, kind="foreign")
    await records.insert("foreign_serial", gtin=gtin(CHEESE), serial="AB1", number=1000)
    pallet = await records.unit(f"https://id.gs1.org/00/{SSCC}", sscc=SSCC, place_id=store, owner_id=shop)
    await records.conn.execute(text("UPDATE unit SET uri = substr(uri, 10)"))
    await records.run(c1, 1000, 50, unit_id=pallet)
    await records.run(c1, 1050, 10, place_id=store, owner_id=shop, disposition="retail_sold")
    await records.run(c1, 1060, 40, place_id=plant, owner_id=brand)
    await records.holding(c1, store, shop, 50)
    await records.holding(c1, store, shop, 10, disposition="retail_sold")
    await records.holding(c1, plant, brand, 40)
    await conn.commit()
    return records


async def traced(records: Records, identifier: Identifier, **ways: Any) -> dict[str, Any]:
    await records.conn.commit()
    answer = await trace(records.conn, identifier, KeyRing({}), clock=lambda: NOW, **ways)
    assert json.loads(json.dumps(answer)) == answer
    return answer


async def test_what_is_captured_while_a_code_is_traced_is_not_half_seen(
    dairy: Records, database: DatabaseAddress
) -> None:
    conn, item = dairy.conn, Identifier.item(gtin(CHEESE), "AB1")
    keys = await KeyRing.load(conn, "a secret of the dairy, long enough to keep")
    answer = await trace(conn, item, keys, clock=lambda: NOW)

    engine = database.engine(Role.STAFF, pool_size=1)
    async with engine.connect() as other:
        await Records(other).event("told meanwhile", day(9))
        await other.commit()
    await engine.dispose()
    assert await ledger_revision(conn) == answer["as_of"]["event"]

    again = await trace(conn, item, keys, clock=lambda: NOW)
    assert again["as_of"]["event"] > answer["as_of"]["event"]


async def test_an_item_leads_to_its_ingredients_its_lot_and_its_holders(dairy: Records) -> None:
    answer = await traced(dairy, Identifier.item(gtin(CHEESE), "AB1"))

    assert answer["starts"][0] | {"gtin": gtin(CHEESE), "lot": "C1", "serial": "AB1", "items": 1} == answer["starts"][0]
    assert answer["as_of"]["event"] > 0 and answer["as_of"]["at"] == "2026-03-20T12:00:00Z"
    assert isinstance(answer["as_of"]["took_ms"], int)
    assert answer["same_lot"] == {"items": 100, "serial_ranges": 3}
    assert answer["where"] == {
        "in_plant": 40, "in_stock": 0, "in_transit": 0, "at_channel": 50, "sold": 10, "returned": 0, "destroyed": 0,
        "sampled": 0, "unknown": 0,
    }  # fmt: skip
    assert answer["downstream"]["items"] == 100 == sum(holder["items"] for holder in answer["holders"])
    assert answer["recalled"] is False


async def test_raw_lots_come_with_supplier_inspection_and_the_events_that_lead_to_them(dairy: Records) -> None:
    answer = await traced(dairy, Identifier.lot_of(gtin(CHEESE), "C1"))

    m1, m2 = answer["upstream"]["lots"]
    assert (m1["lot"], m1["raw"], m1["supplier"], m1["inspection"]["result"]) == ("M1", True, "farm", "passed")
    assert (m2["lot"], m2["raw"], m2["supplier"], m2["inspection"]) == ("M2", True, None, None)
    assert len(m1["path"]) == 1 and m1["basis"] == "proved"
    [operation] = answer["upstream"]["operations"]
    assert (operation["line"], operation["parameters"], operation["place"]["name"]) == ("vat 1", {"temp": 72}, "plant")
    assert m1["path"] == [operation["event"]]


async def test_holders_are_listed_by_channel_with_contact_and_responsible_person(dairy: Records) -> None:
    answer = await traced(dairy, Identifier.lot_of(gtin(CHEESE), "C1"))

    shop, brand = answer["holders"]
    assert (shop["owner"]["name"], shop["channel"], shop["place"]["name"], shop["items"]) == (
        "Corner Shop", "retail", "store", 60,
    )  # fmt: skip
    assert shop["states"] == {"at_channel": 50, "sold": 10}
    assert shop["contact"]["name"] == shop["responsible"]["name"] == "Ana Shopkeeper"
    assert brand["responsible"]["name"] == "Cy Logistics" and brand["contact"]["name"] == "Bo Quality"


async def test_a_raw_lot_leads_to_all_that_was_made_from_it(dairy: Records) -> None:
    from_m1 = await traced(dairy, Identifier.lot_of(gtin(MILK), "M1"))
    from_m2 = await traced(dairy, Identifier.lot_of(gtin(MILK), "M2"))

    assert [lot["lot"] for lot in from_m1["downstream"]["lots"]] == ["M1", "C1"]
    assert [lot["lot"] for lot in from_m2["downstream"]["lots"]] == ["M2", "C1", "C2"]
    assert [lot["lot"] for lot in from_m1["upstream"]["lots"]] == ["M1"] and from_m1["upstream"]["lots"][0]["raw"]


async def test_a_lot_reached_only_when_time_is_ignored_is_shown_as_possible_with_its_path(dairy: Records) -> None:
    early = await dairy.lot(2, "E1")
    await dairy.operation(day(1), [dairy.lots["C1"]], [early], event_id=77)  # before C1 was made, says the clock
    await dairy.conn.commit()

    answer = await traced(dairy, Identifier.lot_of(gtin(MILK), "M1"))

    [shown] = [lot for lot in answer["downstream"]["lots"] if lot["lot"] == "E1"]
    assert shown["basis"] == "possible" and shown["path"][-1] == 77 and len(shown["path"]) == 2


async def test_each_line_is_proved_in_a_sentence_in_the_language_that_is_asked_for(dairy: Records) -> None:
    c1 = Identifier.lot_of(gtin(CHEESE), "C1")
    english, chinese = await traced(dairy, c1), await traced(dairy, c1, language="zh")

    m1 = english["upstream"]["lots"][0]
    assert m1["because"] == (
        f"milk M1 went into cheese C1 (plant, line vat 1, 2026-03-03T06:00:00Z, event {m1['path'][0]})."
    )
    assert chinese["upstream"]["lots"][0]["because"].startswith("milk M1 用于生产 cheese C1（plant，生产线 vat 1")
    assert english["downstream"]["lots"][0]["because"] == "Named by the code itself."


async def test_what_is_made_of_good_and_bad_milk_is_bounded_for_the_lot_and_for_each_holder(dairy: Records) -> None:
    await dairy.conn.execute(text("UPDATE operation_input SET quantity = 30, uom = 'KGM' WHERE lot_id = 1"))
    await dairy.conn.execute(text("UPDATE operation_input SET quantity = 70, uom = 'KGM' WHERE lot_id = 2"))
    await dairy.conn.execute(text("UPDATE operation_output SET quantity = 100"))
    await dairy.conn.commit()

    mixed = await traced(dairy, Identifier.lot_of(gtin(MILK), "M1"))
    await dairy.conn.execute(text("""UPDATE operation SET parameters = '{"flow": "plug"}'"""))
    await dairy.conn.commit()
    plug = await traced(dairy, Identifier.lot_of(gtin(MILK), "M1"))

    assert mixed["downstream"]["lots"][1]["affected"] == [
        {"uom": "", "of": 100, "lower": 0, "expected": 30, "upper": 100}
    ]
    assert plug["downstream"]["lots"][1]["affected"] == [
        {"uom": "", "of": 100, "lower": 30, "expected": 30, "upper": 30}
    ]
    assert {row["owner"]["name"]: row["affected"][0]["upper"] for row in plug["holders"]} == {
        "Corner Shop": 30, "creamery": 30,
    }  # fmt: skip
    assert [lot["lot"] for lot in plug["downstream"]["lots"]] == [lot["lot"] for lot in mixed["downstream"]["lots"]]


@pytest.mark.parametrize(("made", "unaccounted"), [(103, 3), (100, 0), (90, -10)])
async def test_the_balance_of_a_lot_shows_what_is_missing_and_never_hides_that_more_turned_up(
    dairy: Records, made: int, unaccounted: int
) -> None:
    await dairy.conn.execute(text("UPDATE operation_output SET quantity = :made WHERE lot_id = 3"), {"made": made})
    await dairy.conn.commit()

    [balance] = (await traced(dairy, Identifier.lot_of(gtin(CHEESE), "C1")))["balance"]

    assert (balance["told_by"], balance["made"], balance["held"], balance["used"]) == ("operations", made, 100, 0)
    assert balance["unaccounted"] == unaccounted
    assert balance["where"] == {"at_channel": 50, "sold": 10, "in_plant": 40}


async def test_one_way_only_is_answered_one_way_only(dairy: Records) -> None:
    up = await traced(dairy, Identifier.lot_of(gtin(CHEESE), "C1"), down=False)
    down = await traced(dairy, Identifier.lot_of(gtin(CHEESE), "C1"), up=False)

    assert up["downstream"]["lots"] == [] and up["holders"] == [] and len(up["upstream"]["lots"]) == 2
    assert down["upstream"]["lots"] == [] and len(down["holders"]) == 2


async def test_a_pallet_stands_for_what_is_and_what_was_in_it(dairy: Records) -> None:
    c1, c2 = dairy.lots["C1"], dairy.lots["C2"]
    pallet = (await dairy.conn.execute(text("SELECT unit_id FROM unit"))).scalar_one()
    await dairy.insert(
        "code_run_history", lo=1150, n=5, lot_id=c2, unit_id=pallet, since=day(1), until=day(2), event_id=0, place_id=0,
        owner_id=0,
    )  # fmt: skip

    answer = await traced(dairy, Identifier.logistic_unit(SSCC))

    assert [(start["lot"], start["items"], start["sscc"]) for start in answer["starts"]] == [
        ("C1", 50, SSCC),
        ("C2", 5, SSCC),
    ]
    assert [lot["lot"] for lot in answer["downstream"]["lots"]] == ["C1", "C2"]
    assert (c1, c2) == tuple(sorted((c1, c2)))


async def test_a_crate_that_goes_round_stands_for_what_is_in_it_now(dairy: Records) -> None:
    crate = await dairy.unit("crate")
    await dairy.conn.execute(
        text("UPDATE unit SET uri = 'https://id.gs1.org/8003/09520000000018' WHERE unit_id = :c"), {"c": crate}
    )
    await dairy.insert(
        "code_run_history", lo=1150, n=5, lot_id=dairy.lots["C2"], unit_id=crate, since=day(1), until=day(2),
        event_id=0, place_id=0, owner_id=0,
    )  # fmt: skip
    await dairy.run(dairy.lots["C1"], 1170, 3, unit_id=crate)

    answer = await traced(dairy, Identifier("8003", "09520000000018"))

    assert [(start["lot"], start["items"]) for start in answer["starts"]] == [("C1", 3)]


async def test_a_product_stands_for_all_its_lots_up_to_a_limit(dairy: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [start["lot"] for start in (await traced(dairy, Identifier.product(gtin(CHEESE))))["starts"]] == ["C1", "C2"]

    monkeypatch.setattr(starts, "LOTS_OF_PRODUCT_MAX", 1)
    with pytest.raises(TooManyLotsOfProduct, match="more than 1 lots"):
        await traced(dairy, Identifier.product(gtin(CHEESE)))


async def test_a_unit_with_too_much_in_it_is_refused(dairy: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starts, "CONTENTS_MAX", 0)

    with pytest.raises(TooMuchInUnit):
        await traced(dairy, Identifier.logistic_unit(SSCC))


@pytest.mark.parametrize(
    "identifier",
    [
        Identifier.lot_of(gtin(CHEESE), "C9"),
        Identifier.item(gtin(CHEESE), "NOBODY"),
        Identifier.product(gtin(7)),
        Identifier.logistic_unit("095200000000000028"),
    ],
)
async def test_what_is_not_on_record_is_refused_by_name(dairy: Records, identifier: Identifier) -> None:
    with pytest.raises(NothingOnRecord, match="on record of https://id"):
        await traced(dairy, identifier)


async def test_a_recalled_lot_is_shown_as_recalled(dairy: Records) -> None:
    await dairy.insert("persistent_disposition", lot_id=dairy.lots["C1"], word="recalled", set_by=1, at=day(5))

    answer = await traced(dairy, Identifier.lot_of(gtin(MILK), "M1"))

    assert answer["recalled"] is True
    assert {lot["lot"]: lot["recalled"] for lot in answer["downstream"]["lots"]} == {"M1": False, "C1": True}


async def test_what_nobody_told_us_is_said(dairy: Records) -> None:
    lots, conn = dairy.lots, dairy.conn
    nameless = await dairy.lot(MILK, "")
    stranger = await dairy.party("stranger")
    await dairy.operation(day(3), [Use(nameless)], [lots["C1"]], event_id=7)
    await dairy.operation(day(4), [], [lots["C1"]], event_id=8)
    await dairy.holding(lots["C1"], 0, 0, -5)
    await dairy.holding(lots["C1"], 0, stranger, 3)
    await dairy.holding(lots["C1"], 1, 0, 2)
    await dairy.holding(lots["C1"], 1, stranger, -1)
    await conn.commit()

    answer = await traced(dairy, Identifier.lot_of(gtin(CHEESE), "C1"))

    said = {gap["what"]: gap for gap in answer["gaps"]}
    assert said["items without a lot"]["gtin"] == gtin(MILK)
    assert said["lot without receipt or making"]["lot"] == "M2"
    assert said["operation without inputs"]["event"] == 8
    assert said["came from outside the record"]["quantity"] == 5
    assert said["more went out than ever came in"]["place"] == "plant"
    assert said["place unknown"]["owner"] == "stranger" and said["owner unknown"]["place"] == "plant"
    assert said["owner without recall contact"]["owner"] == "stranger"
    assert answer["downstream"]["items"] == 99
    assert [row for row in answer["holders"] if row["owner"]["name"] == row["place"]["name"] == "unknown"] == []


async def test_a_journey_of_which_one_end_was_never_told_is_said(dairy: Records) -> None:
    lots, conn = dairy.lots, dairy.conn
    carrier, keeper = await dairy.party("carrier"), await dairy.party("keeper")
    store = await dairy.place("store of the keeper", "store", keeper)
    await dairy.holding(lots["C1"], 1, carrier, 6, disposition="in_transit")
    await dairy.holding(lots["C1"], store, carrier, 4)
    await conn.commit()
    cheese = Identifier.lot_of(gtin(CHEESE), "C1")

    late = await trace(conn, cheese, KeyRing({}), clock=lambda: day(2) + timedelta(days=TRANSIT_DAYS_MAX))
    soon = await trace(conn, cheese, KeyRing({}), clock=lambda: day(1) + timedelta(days=TRANSIT_DAYS_MAX))

    [sent] = [gap for gap in late["gaps"] if gap["what"] == "sent and not received"]
    assert (sent["quantity"], sent["owner"], sent["since"]) == (6, "carrier", rfc3339(day(1)))
    [received] = [gap for gap in late["gaps"] if gap["what"] == "received without having been sent"]
    assert (received["quantity"], received["place"]) == (4, "store of the keeper")
    assert {gap["what"] for gap in late["gaps"]} - {gap["what"] for gap in soon["gaps"]} == {"sent and not received"}


async def test_a_record_without_gaps_says_none(dairy: Records) -> None:
    await dairy.conn.execute(text("UPDATE lot SET supplier_id = 1 WHERE code = 'M2'"))
    await dairy.conn.commit()

    assert (await traced(dairy, Identifier.lot_of(gtin(CHEESE), "C1")))["gaps"] == []
