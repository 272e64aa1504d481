"""Who held and owned a thing at any instant, in what it was, and what was in it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from gs1.identifier import Identifier
from ledger import whereabouts_reads
from ledger.codes import KeyRing
from ledger.master_data import put_party, put_place
from ledger.model import PartyDraft, PlaceDraft
from ledger.starts import NothingOnRecord
from ledger.whereabouts import NameOneThing, whereabouts
from ledger.whereabouts_reads import TooManySpells
from runtime.database import transaction
from tests.ledger import dairy as d

pytestmark = pytest.mark.anyio

PALLET = d.sscc(d.PALLET)
C1: dict[str, Any] = {"ilmd": {"cbvmda:lotNumber": "C1"}}
CASES = [d.item(d.CASE, n) for n in range(2)]


@pytest.fixture
async def keys(conn: AsyncConnection) -> KeyRing:
    """Twenty cheeses made at 0 h, packed by tens in cases at 1 h, on a pallet at 2 h, shipped at 3 h, received at 5 h,
    the first case taken off at 6 h and one cheese of it sold at 8 h; 50 kg of the lot's curd stay at the plant."""
    async with transaction(conn):
        await put_party(conn, PartyDraft(name="Meadow Creamery", gln=d.CREAMERY, role="brand"))
        await put_party(conn, PartyDraft(name="Corner Shop", gln=d.CORNER, role="retailer"))
        await put_place(conn, PlaceDraft(name="Plant", gln=d.PLANT, kind="plant", party_uri=d.CREAMERY))
        await put_place(conn, PlaceDraft(name="Shop", gln=d.SHOP, kind="store", party_uri=d.CORNER))
    ring = await d.ring(conn)
    await d.take_in(
        conn,
        ring,
        d.make(0, epcList=d.items(d.CHEESE, range(20)), **C1),
        d.make(0, quantityList=[d.much(d.CHEESE, "K1", 50, "KGM")]),
        *(d.pack(1, case, childEPCs=d.items(d.CHEESE, range(n * 10, n * 10 + 10))) for n, case in enumerate(CASES)),
        d.pack(2, PALLET, childEPCs=CASES),
        d.ship(3, d.CORNER, d.SHOP, epcList=[PALLET]),
        d.receive(5, d.SHOP, epcList=[PALLET]),
        d.unpack(6, PALLET, childEPCs=CASES[:1]),
        d.unpack(7, CASES[0], childEPCs=d.items(d.CHEESE, range(10))),
        d.tell("ObjectEvent", 8, at=d.SHOP, action="OBSERVE", bizStep="retail_selling", disposition="retail_sold",
               epcList=[d.item(d.CHEESE, 0)]),
        d.ship(9, d.CORNER, d.SHOP, quantityList=[d.much(d.CHEESE, "K1", 20, "KGM")]),
    )  # fmt: skip
    return ring


async def ask(conn: AsyncConnection, keys: KeyRing, identifier: Identifier, hours: float) -> dict[str, Any]:
    return await whereabouts(conn, identifier, keys, at=d.MORNING + timedelta(hours=hours))


def said(row: Mapping[str, Any]) -> tuple[str, str, str, str]:
    return row["place"]["name"], row["custodian"]["name"], row["owner"]["name"], row["state"]


CHEESE = Identifier.item(d.CHEESE, "0")
OTHER = Identifier.item(d.CHEESE, "12")


async def test_an_item_is_told_at_every_instant_with_the_units_around_it(conn: AsyncConnection, keys: KeyRing) -> None:
    case = CASES[0]
    by_hour = {hour: await ask(conn, keys, CHEESE, hour) for hour in (-1, 0, 1.5, 2.5, 4, 5.5, 6.5, 7.5, 8)}

    assert by_hour[-1]["held"] == []
    assert [said(by_hour[hour]["held"][0]) for hour in (0, 4, 5.5, 8)] == [
        ("Plant", "Meadow Creamery", "Meadow Creamery", "in_plant"),
        ("Shop", "Corner Shop", "Corner Shop", "in_transit"),
        ("Shop", "Corner Shop", "Corner Shop", "at_channel"),
        ("Shop", "Corner Shop", "Corner Shop", "sold"),
    ]
    inside = {hour: answer["held"][0]["inside"] for hour, answer in by_hour.items() if answer["held"]}
    assert inside == {
        0: [], 1.5: [case], 2.5: [case, d.PALLET], 4: [case, d.PALLET], 5.5: [case, d.PALLET], 6.5: [case], 7.5: [],
        8: [],
    }  # fmt: skip


async def test_the_way_of_an_item_has_no_hole_and_ends_open(conn: AsyncConnection, keys: KeyRing) -> None:
    way = (await ask(conn, keys, OTHER, 20))["timeline"]

    assert [step["state"] for step in way] == ["in_plant", "in_plant", "in_plant", "in_transit", "at_channel"]
    assert [step["until"] for step in way[:-1]] == [step["since"] for step in way[1:]]
    assert way[-1]["until"] is None and way[-1]["inside"] == [CASES[1], d.PALLET]


async def test_a_pallet_is_asked_what_was_in_it_when_it_was_shipped_and_what_is_in_it_now(
    conn: AsyncConnection, keys: KeyRing
) -> None:
    pallet = Identifier.logistic_unit(d.PALLET)

    shipped, now, before = [await ask(conn, keys, pallet, hour) for hour in (3, 20, 1)]

    assert [(row["lot"], row["items"]) for row in shipped["contents"]] == [("C1", 20)]
    assert [(row["lot"], row["items"]) for row in now["contents"]] == [("C1", 10)]
    assert shipped["units"] == sorted(CASES) and now["units"] == CASES[1:]
    assert before["held"] == [] and before["contents"] == []


async def test_a_lot_is_counted_by_who_held_it_at_the_instant(conn: AsyncConnection, keys: KeyRing) -> None:
    lot = Identifier.lot_of(d.CHEESE, "C1")

    made, sold = await ask(conn, keys, lot, 0.5), await ask(conn, keys, lot, 9)

    assert [(said(row)[0], row["items"]) for row in made["held"]] == [("Plant", 20)]
    assert {(said(row)[3], row["items"]) for row in sold["held"]} == {("at_channel", 19), ("sold", 1)}


async def test_a_quantity_that_changed_since_is_said_to_be_not_known(conn: AsyncConnection, keys: KeyRing) -> None:
    curd = Identifier.lot_of(d.CHEESE, "K1")

    then, now = await ask(conn, keys, curd, 1), await ask(conn, keys, curd, 10)

    assert then["not_known"] == ["KGM"] and then["held"] == []
    assert {(said(row)[0], row["quantity"]) for row in now["held"]} == {("Plant", 30), ("Shop", 20)}
    assert now["not_known"] == []


@pytest.mark.parametrize(
    ("identifier", "refusal"),
    [
        (Identifier.product(d.CHEESE), NameOneThing),
        (Identifier.lot_of(d.CHEESE, "C9"), NothingOnRecord),
        (Identifier.item(d.CHEESE, "NOBODY"), NothingOnRecord),
        (Identifier.logistic_unit(d.OTHER_PALLET), NothingOnRecord),
    ],
)
async def test_what_names_no_one_thing_is_refused(
    conn: AsyncConnection, keys: KeyRing, identifier: Identifier, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        await ask(conn, keys, identifier, 5)


async def test_more_spells_than_the_limit_are_refused_and_not_cut(
    conn: AsyncConnection, keys: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whereabouts_reads, "SPELLS_MAX", 2)

    with pytest.raises(TooManySpells):
        await ask(conn, keys, CHEESE, 5)
