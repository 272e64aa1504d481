"""What a shopper is told of an item's life, read with the portal's rights."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from runtime.database import DatabaseAddress, Role
from tests.ledger.records import Records, day

pytestmark = pytest.mark.anyio

Step = tuple[str, str | None, str | None, str | None]


@pytest.fixture
async def life(conn: AsyncConnection) -> Records:
    """Milk of a farm in NZ became cheese C1; items 1000 to 1099 were made, packed and shipped, and one was sold."""
    records = Records(conn)
    farm, brand = await records.party("Green Farm", "supplier"), await records.party("Meadow", "brand")
    shop = await records.party("Corner Shop", "retailer")
    await conn.execute(
        text("UPDATE party SET country = 'NZ', region = 'Waikato' WHERE party_id = :farm"), {"farm": farm}
    )
    plant, store = (
        await records.place("plant 7", "plant", brand, "NZ"),
        await records.place("shop 9", "store", shop, "CN"),
    )
    milk = await records.lot(await records.product(1, "milk"), "M1", supplier_id=farm)
    c1 = await records.lot(await records.product(2, "cheese"), "C1")
    events = {}
    for number, (name, kind, action, step, place) in enumerate(
        (
            ("early", "ObjectEvent", "OBSERVE", "storing", plant),
            ("made", "TransformationEvent", None, None, plant),
            ("packed", "AggregationEvent", "ADD", None, plant),
            ("shipped", "ObjectEvent", "OBSERVE", "shipping", plant),
            ("received", "ObjectEvent", "OBSERVE", "receiving", store),
            ("sold", "ObjectEvent", "OBSERVE", "retail_selling", store),
        ),
        start=1,
    ):
        events[name] = await records.event(
            name, day(number), kind, action=action, biz_step=step, biz_location_id=place, read_point_id=place
        )
    await records.operation(day(2), [milk], [c1], event_id=events["made"], place_id=plant)
    pallet = await records.unit("pallet", since=day(5), event_id=events["received"], place_id=store, owner_id=shop)
    for name, since, until in (("early", 1, 3), ("packed", 3, 4), ("shipped", 4, 5)):
        await records.insert(
            "unit_history", unit_id=pallet, since=day(since), until=day(until), event_id=events[name], place_id=plant,
            owner_id=brand,
        )  # fmt: skip
    for name, since, until, unit in (("made", 2, 3, None), ("packed", 3, 6, pallet)):
        await records.insert(
            "code_run_history", lo=1000, n=100 if unit is None else 1, lot_id=c1, unit_id=unit, since=day(since),
            until=day(until), event_id=events[name], place_id=plant, owner_id=brand,
        )  # fmt: skip
    await records.run(c1, 1000, 1, since=day(6), event_id=events["sold"], place_id=store, owner_id=shop)
    await records.run(c1, 1001, 99, since=day(3), event_id=events["packed"], unit_id=pallet)
    await records.insert(
        "lot_shipment", event_id=events["shipped"], lot_id=c1, quantity=100, from_owner_id=brand, to_owner_id=shop,
        from_place_id=plant, to_place_id=store, at=day(4),
    )  # fmt: skip
    await conn.commit()
    return records


async def told(
    database: DatabaseAddress,
    number: int | None,
    lot_id: int | None,
    limit: int = 20,
    *,
    hidden: Sequence[str] = ("Corner",),
) -> list[Step]:
    engine = database.engine(Role.PORTAL, pool_size=1)
    async with engine.connect() as conn:
        rows = (
            await conn.execute(
                text("SELECT * FROM public_history(CAST(:n AS bigint), CAST(:l AS bigint), :limit)"),
                {"n": number, "l": lot_id, "limit": limit},
            )
        ).all()
    await engine.dispose()
    assert [row.at for row in rows] == sorted(row.at for row in rows)
    assert not any(name in str(row) for row in rows for name in ("Farm", "Meadow", "plant 7", "shop 9", *hidden))
    return [(row.step, row.place_kind, row.country, row.party or row.role) for row in rows]


async def test_an_item_tells_its_life_from_its_ingredients_to_its_sale(
    database: DatabaseAddress, life: Records
) -> None:
    assert await told(database, 1000, None) == [
        ("ingredient", None, "NZ", "supplier"),
        ("transforming", "plant", "NZ", "brand"),
        ("packing", "plant", "NZ", "brand"),
        ("shipping", "plant", "NZ", "brand"),
        ("receiving", "store", "CN", "retailer"),
        ("retail_selling", "store", "CN", "retailer"),
    ]


async def test_what_happened_to_its_pallet_before_it_was_packed_or_after_it_left_is_not_its_own(
    database: DatabaseAddress, life: Records
) -> None:
    assert "storing" not in [step for step, *_ in await told(database, 1050, None)]
    assert "retail_selling" not in [step for step, *_ in await told(database, 1050, None)]


async def test_a_lot_tells_where_it_was_made_and_where_it_went(database: DatabaseAddress, life: Records) -> None:
    assert [step[:3] for step in await told(database, None, life.lots["C1"])] == [
        ("ingredient", None, "NZ"), ("transforming", "plant", "NZ"), ("shipping", "store", "CN"),
    ]  # fmt: skip


async def test_an_item_that_was_only_printed_tells_how_its_lot_was_made(
    database: DatabaseAddress, life: Records
) -> None:
    assert [step for step, *_ in await told(database, 5000, life.lots["C1"])] == ["ingredient", "transforming"]
    assert await told(database, 5000, None) == []


async def test_a_step_that_was_declared_wrong_is_not_told(database: DatabaseAddress, life: Records) -> None:
    sold = (await life.conn.execute(text("SELECT event_id FROM event WHERE source_id = 'sold'"))).scalar_one()
    await life.declare_wrong(sold, day(9))
    await life.conn.commit()

    assert [step for step, *_ in await told(database, 1000, None)][-1] == "receiving"


async def test_a_long_life_keeps_its_beginning_and_its_latest_steps(database: DatabaseAddress, life: Records) -> None:
    assert [step for step, *_ in await told(database, 1000, None, limit=4)] == [
        "ingredient", "transforming", "receiving", "retail_selling",
    ]  # fmt: skip


async def test_a_partner_is_named_only_where_the_brand_allows_it_and_a_consumer_never(
    database: DatabaseAddress, life: Records
) -> None:
    allow = text("UPDATE party SET name_public = true, role = :role WHERE name = 'Corner Shop'")
    for role, shown, hidden in (("retailer", "Corner Shop", ()), ("consumer", "consumer", ("Corner",))):
        await life.conn.execute(allow, {"role": role})
        await life.conn.commit()

        of_item = await told(database, 1000, None, hidden=hidden)
        of_lot = await told(database, None, life.lots["C1"], hidden=hidden)
        assert [who for *_, who in of_item] == ["supplier", "brand", "brand", "brand", shown, shown]
        assert of_lot[-1] == ("shipping", "store", "CN", shown)
