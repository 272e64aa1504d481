"""Who, where, what: put on record and found by any name."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import master_data as m
from ledger.model import ContactDraft, LotDraft, PartyDraft, PlaceDraft, ProductDraft
from ledger.refusals import (
    IdentifierNotUsable,
    LotNotFound,
    NotNamed,
    PartyNotFound,
    PlaceNotFound,
    ProductNotFound,
    UrisDiffer,
)
from tests.ledger import dairy as d

SPELLINGS = [
    d.CREAMERY,
    f"https://id.gs1.org/417/{d.CREAMERY}",
    f"https://dairy.example/417/{d.CREAMERY}",
    "urn:epc:id:pgln:9506000.20001",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_a_party_is_found_by_its_gln_in_any_spelling(conn: AsyncConnection, spelling: str) -> None:
    party = await m.put_party(conn, PartyDraft(name="Meadow Creamery", gln=d.CREAMERY, role="brand"))

    assert await m.find_party(conn, spelling) == party
    assert await m.find_party(conn, d.CORNER) is None


async def test_a_party_put_twice_is_one_and_keeps_what_is_not_told_again(conn: AsyncConnection) -> None:
    first = await m.put_party(conn, PartyDraft(name="Corner", gln=d.CORNER, channel="retail", name_public=True))

    second = await m.put_party(conn, PartyDraft(name="Corner Shop", uri=f"https://id.gs1.org/417/{d.CORNER}"))

    assert (second.party_id, second.name, second.channel, second.name_public) == (
        first.party_id,
        "Corner Shop",
        "retail",
        True,
    )


async def test_a_place_without_a_gln_is_known_by_its_uri_and_a_room_by_its_extension(conn: AsyncConnection) -> None:
    stable = await m.put_place(conn, PlaceDraft(name="Stable", uri="https://farm.example/stable"))
    room = await m.put_place(conn, PlaceDraft(name="Cold room", uri=f"{d.place(d.PLANT)}/254/7", gln=d.PLANT))
    plant = await m.put_place(conn, PlaceDraft(name="Plant", gln=d.PLANT, kind="plant"))

    assert (stable.gln, room.gln, plant.gln) == (None, d.PLANT, d.PLANT)
    assert len({stable.place_id, room.place_id, plant.place_id}) == 3
    assert await m.find_place(conn, "urn:epc:id:sgln:9506000.10001.7") == room


async def test_names_that_cannot_be_are_refused(conn: AsyncConnection) -> None:
    with pytest.raises(IdentifierNotUsable, match="check digit"):
        await m.put_party(conn, PartyDraft(name="Typo", gln="9506000200018"))
    with pytest.raises(NotNamed):
        await m.put_party(conn, PartyDraft(name="Nobody"))
    with pytest.raises(UrisDiffer):
        await m.put_party(conn, PartyDraft(name="Two", gln=d.CORNER, uri=d.party(d.CREAMERY)))
    with pytest.raises(IdentifierNotUsable, match="GTIN"):
        await m.put_product(conn, ProductDraft("9506000134353", "Milk"))


async def test_a_product_is_stored_with_14_digits_and_updated_in_place(conn: AsyncConnection) -> None:
    first = await m.put_product(conn, ProductDraft("9506000134352", "Milk", texts={"zh": {"name": "牛奶"}}))

    second = await m.put_product(conn, ProductDraft(d.MILK, "Whole milk", allergens=("milk",), ours=True))

    assert (second.product_id, second.gtin, second.allergens) == (first.product_id, d.MILK, ("milk",))
    assert await m.find_product(conn, "9506000134352") == second


async def test_what_a_record_leaves_out_stays_as_it_is(conn: AsyncConnection) -> None:
    told = ProductDraft(
        d.MILK,
        "Milk",
        "Meadow",
        {"zh": {"name": "牛奶"}},
        "food",
        False,
        9,
        "use_by",
        ("milk",),
        image="https://a.example/m",
    )
    before = await m.put_product(conn, told)
    party = await m.put_party(conn, PartyDraft(name="Farm", gln=d.CORNER, role="supplier"))
    place = await m.put_place(conn, PlaceDraft(name="Plant", gln=d.PLANT, kind="plant"))

    after = await m.put_product(conn, ProductDraft(d.MILK, "Whole milk"))

    assert after == replace(before, name="Whole milk")
    assert (await m.put_party(conn, PartyDraft(name="Farm", gln=d.CORNER))) == party
    assert (await m.put_place(conn, PlaceDraft(name="Plant", gln=d.PLANT))) == place
    cleared = await m.put_product(conn, ProductDraft(d.MILK, "Whole milk", brand="", allergens=()))
    assert (cleared.brand, cleared.allergens, cleared.texts) == ("", (), before.texts)
    assert (await m.put_product(conn, ProductDraft(d.CHEESE, "Cheese"))).ours


async def test_a_lot_belongs_to_its_product_and_knows_where_it_comes_from(conn: AsyncConnection) -> None:
    await m.put_product(conn, ProductDraft(d.MILK, "Milk"))
    await m.put_product(conn, ProductDraft(d.CHEESE, "Cheese"))
    farm = await m.put_party(conn, PartyDraft(name="Farm", uri="urn:farm:1", role="supplier"))
    plant = await m.put_place(conn, PlaceDraft(name="Plant", gln=d.PLANT))

    lot = await m.put_lot(
        conn,
        LotDraft(
            d.MILK, "M/1", date(2026, 3, 1), date(2026, 3, 9), made_at_uri=d.PLANT, supplier_uri="urn:farm:1",
            quantity=Decimal(500), uom="LTR",
        ),
    )  # fmt: skip
    held = await m.put_lot(conn, LotDraft(d.MILK, "M/1", status="held", status_reason="smell"))

    assert (lot.supplier_id, lot.made_at_place_id, lot.status) == (farm.party_id, plant.place_id, "released")
    assert (held.lot_id, held.status, held.made_on) == (lot.lot_id, "held", date(2026, 3, 1))
    assert await m.find_lot(conn, d.CHEESE, "M/1") is None
    with pytest.raises(LotNotFound):
        await m.get_lot(conn, d.CHEESE, "M/1")


async def test_a_lot_of_what_nobody_knows_is_refused(conn: AsyncConnection) -> None:
    with pytest.raises(ProductNotFound):
        await m.put_lot(conn, LotDraft(d.MILK, "M1"))
    await m.put_product(conn, ProductDraft(d.MILK, "Milk"))
    with pytest.raises(PlaceNotFound):
        await m.put_lot(conn, LotDraft(d.MILK, "M1", made_at_uri=d.PLANT))
    with pytest.raises(PartyNotFound):
        await m.put_lot(conn, LotDraft(d.MILK, "M1", supplier_uri=d.CORNER))
    for code in ("", "x" * 21, "a b"):
        with pytest.raises(IdentifierNotUsable, match="lot code"):
            await m.put_lot(conn, LotDraft(d.MILK, code))


async def test_a_party_has_one_contact_of_each_kind(conn: AsyncConnection) -> None:
    party = await m.put_party(conn, PartyDraft(name="Corner", gln=d.CORNER))
    await m.put_contact(conn, ContactDraft(d.CORNER, "recall", "Ann", phone="1"))
    await m.put_contact(conn, ContactDraft(d.CORNER, "alternate", "Bob"))
    await m.put_contact(conn, ContactDraft(d.CORNER, "recall", "Cecil"))

    contacts = await m.contacts_of(conn, [party.party_id])

    assert [(contact.kind, contact.name, contact.phone) for contact in contacts] == [
        ("alternate", "Bob", None), ("recall", "Cecil", "1"),
    ]  # fmt: skip
    with pytest.raises(PartyNotFound):
        await m.put_contact(conn, ContactDraft(d.CREAMERY, "recall", "Dan"))
