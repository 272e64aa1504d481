"""Raw material that only its supplier's own URI names is traced like any other lot."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from gs1 import gtin
from gs1.errors import GS1Error
from gs1.identifier import Identifier
from ledger import event_queries, name_store, private_classes
from ledger.event_terms import read_query
from ledger.trace import trace
from runtime.database import transaction
from tests.ledger import dairy as d

HAY = "urn:farm:hay:7"
KEY = private_classes.key_of(HAY)
USED = d.tell(
    "TransformationEvent",
    1,
    at=d.PLANT,
    inputQuantityList=[{"epcClass": HAY, "quantity": 3, "uom": "KGM"}],
    outputQuantityList=[d.much(d.MILK, "M1", 100, "LTR")],
)
SOLD = d.ship(2, d.CORNER, d.SHOP, quantityList=[d.much(d.MILK, "M1", 40, "LTR")])


async def test_a_raw_material_without_a_gtin_leads_to_what_was_made_of_it_and_to_who_has_that(
    conn: AsyncConnection,
) -> None:
    keys = await d.ring(conn)
    bought = d.make(0, quantityList=[{"epcClass": HAY, "quantity": 9, "uom": "KGM"}])
    report = await d.take_in(conn, keys, bought, USED, SOLD)

    down = await trace(conn, Identifier.lot_of(KEY, "7"), keys, clock=d.clock)
    up = await trace(conn, Identifier.lot_of(d.MILK, "M1"), keys, clock=d.clock)

    assert report.warnings == ()
    assert {(lot["gtin"], lot["lot"]) for lot in down["downstream"]["lots"]} == {(KEY, "7"), (d.MILK, "M1")}
    assert any(holder["owner"]["gln"] == d.CORNER for holder in down["holders"])
    hay = next(lot for lot in up["upstream"]["lots"] if lot["gtin"] != d.MILK)
    assert (hay["gtin"], hay["lot"], hay["product"], hay["raw"]) == (KEY, "7", HAY, True)
    assert sum((await d.holdings(conn, KEY, "7")).values()) == 6


async def test_a_late_event_and_a_second_telling_mean_the_same_class(conn: AsyncConnection) -> None:
    keys = await d.ring(conn)
    await d.take_in(conn, keys, USED, SOLD)
    late = d.make(0, quantityList=[{"epcClass": HAY, "quantity": 9, "uom": "KGM"}])
    await d.take_in(conn, keys, late)  # earlier than what is on record: all is written anew

    found = await event_queries.find_events(
        conn, read_query({"MATCH_anyEPCClass": [HAY]}), keys=keys, secret=d.SECRET, per_page=9, clock=d.clock
    )

    assert await name_store.private_classes(conn, [HAY, "urn:farm:hay:8"]) == {HAY: (KEY, "7")}
    assert sum((await d.holdings(conn, KEY, "7")).values()) == 6
    assert len(found.events) == 2


async def test_two_classes_whose_first_keys_are_the_same_stay_apart(conn: AsyncConnection) -> None:
    keys = [private_classes.key_of(HAY, attempt) for attempt in range(2)]

    async with transaction(conn):
        await conn.execute(text("SELECT 1"))
        first = await name_store.add_private_class(conn, "urn:other:1", keys, "1")
        second = await name_store.add_private_class(conn, HAY, keys, "7")
        with pytest.raises(RuntimeError, match="taken"):
            await name_store.add_private_class(conn, "urn:other:2", keys, "2")

    assert (first, second) == ((keys[0], "1"), (keys[1], "7"))


async def test_a_class_is_asked_for_by_its_own_uri_and_one_that_nobody_told_is_refused(conn: AsyncConnection) -> None:
    keys = await d.ring(conn)
    await d.take_in(conn, keys, USED)

    asked = await private_classes.identifier_of(conn, HAY)
    usual = await private_classes.identifier_of(conn, f"{d.MILK}/M1")

    assert (asked, usual) == (Identifier.lot_of(KEY, "7"), Identifier.lot_of(d.MILK, "M1"))
    with pytest.raises(GS1Error):
        await private_classes.identifier_of(conn, "urn:farm:hay:8")


async def test_what_is_used_up_as_a_thing_of_which_nobody_told_what_was_in_it_is_warned_of(
    conn: AsyncConnection,
) -> None:
    keys = await d.ring(conn)
    output = [d.much(d.MILK, "M1", 100, "LTR")]
    as_thing = d.tell("TransformationEvent", 1, at=d.PLANT, inputEPCList=[HAY], outputQuantityList=output)

    doubted = await d.take_in(conn, keys, as_thing)
    known = await d.take_in(conn, keys, USED)

    assert [what for _where, what in doubted.warnings if HAY in what and "inputQuantityList" in what]
    assert known.warnings == ()


@pytest.mark.parametrize(
    ("uri", "lot"),
    [(HAY, "7"), ("https://farm.example/hay/L-7", "L-7"), ("urn:farm:hay:", ""), ("urn:farm:" + "x" * 21, "")],
)
def test_the_lot_is_what_the_uri_ends_in_when_that_can_be_a_lot(uri: str, lot: str) -> None:
    made = private_classes.lot_of(uri)

    assert made == lot if lot else len(made) == 12 and made.isalnum()
    assert gtin.is_valid(private_classes.key_of(uri)) and private_classes.key_of(uri).startswith("904")
