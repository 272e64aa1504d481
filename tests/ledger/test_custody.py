"""What is in what, and where: the dairy's goods packed, moved and taken out again."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from ledger.codes import KeyRing
from tests.ledger import dairy as d
from tests.ledger.dairy import rows, shipments

C1: dict[str, Any] = {"ilmd": {"cbvmda:lotNumber": "C1"}}
PALLET, OTHER = d.sscc(d.PALLET), d.sscc(d.OTHER_PALLET)


async def test_items_are_one_run_as_long_as_they_share_their_fate(conn: AsyncConnection, keys: KeyRing) -> None:
    await d.take_in(conn, keys, d.make(0, epcList=d.items(d.CHEESE, range(24)), **C1))
    assert await rows(conn, "SELECT n FROM code_run") == [(24,)]

    await d.take_in(conn, keys, d.tell("ObjectEvent", 1, at=d.PLANT, action="OBSERVE", bizStep="inspecting",
                                       disposition="damaged", epcList=d.items(d.CHEESE, [7])))  # fmt: skip

    assert sorted(await rows(conn, "SELECT n, disposition FROM code_run")) == [
        (1, "damaged"),
        (7, "active"),
        (16, "active"),
    ]
    assert await d.holdings(conn, d.CHEESE, "C1") == {
        (d.PLANT, d.CREAMERY, "active"): 23, (d.PLANT, d.CREAMERY, "damaged"): 1,
    }  # fmt: skip


async def test_a_pallet_takes_all_that_is_in_it_along_and_only_its_own_row_changes(
    conn: AsyncConnection, keys: KeyRing
) -> None:
    cases = [d.item(d.CASE, n) for n in range(3)]
    await d.take_in(
        conn, keys, d.make(0, epcList=d.items(d.CHEESE, range(30)), **C1),
        *(d.pack(1, case, childEPCs=d.items(d.CHEESE, range(n * 10, n * 10 + 10))) for n, case in enumerate(cases)),
        d.pack(2, PALLET, childEPCs=cases),
    )  # fmt: skip
    runs = await rows(conn, "SELECT * FROM code_run ORDER BY lo")

    await d.take_in(conn, keys, d.ship(3, d.CORNER, d.SHOP, epcList=[PALLET]))

    assert await rows(conn, "SELECT * FROM code_run ORDER BY lo") == runs
    assert await d.holdings(conn, d.CHEESE, "C1") == {(d.SHOP, d.CORNER, "in_transit"): 30}
    assert ("C1", 30, d.CREAMERY, d.CORNER, []) in await shipments(conn)


async def test_what_was_taken_out_of_a_pallet_before_it_left_stays(conn: AsyncConnection, keys: KeyRing) -> None:
    await d.take_in(
        conn, keys, d.make(0, epcList=d.items(d.CHEESE, range(10)), **C1),
        d.pack(1, PALLET, childEPCs=d.items(d.CHEESE, range(10))),
        d.unpack(2, PALLET, d.PLANT, childEPCs=d.items(d.CHEESE, [3, 4])),
        d.ship(3, d.CORNER, d.SHOP, epcList=[PALLET]),
    )  # fmt: skip

    assert await d.holdings(conn, d.CHEESE, "C1") == {
        (d.PLANT, d.CREAMERY, "active"): 2, (d.SHOP, d.CORNER, "in_transit"): 8,
    }  # fmt: skip


async def test_a_late_unpacking_is_put_in_its_place_in_time(conn: AsyncConnection, keys: KeyRing) -> None:
    await d.take_in(
        conn, keys, d.make(0, epcList=d.items(d.CHEESE, range(10)), **C1),
        d.pack(1, PALLET, childEPCs=d.items(d.CHEESE, range(10))), d.ship(3, d.CORNER, d.SHOP, epcList=[PALLET]),
    )  # fmt: skip

    await d.take_in(conn, keys, d.unpack(2, PALLET, d.PLANT, childEPCs=d.items(d.CHEESE, [3, 4])))

    assert await d.holdings(conn, d.CHEESE, "C1") == {
        (d.PLANT, d.CREAMERY, "active"): 2, (d.SHOP, d.CORNER, "in_transit"): 8,
    }  # fmt: skip
    assert [quantity for _, quantity, *_ in await shipments(conn)] == [8]


async def test_unpacking_without_children_empties_the_unit(conn: AsyncConnection, keys: KeyRing) -> None:
    await d.take_in(
        conn, keys, d.make(0, epcList=d.items(d.CHEESE, range(10)), **C1),
        d.make(0, quantityList=[d.much(d.MILK, "M1", 5)]),
        d.pack(1, d.item(d.CASE, 1), childEPCs=d.items(d.CHEESE, range(4))),
        d.pack(2, PALLET, childEPCs=[*d.items(d.CHEESE, range(4, 10)), d.item(d.CASE, 1)],
               childQuantityList=[d.much(d.MILK, "M1", 5)]),
    )  # fmt: skip

    await d.take_in(conn, keys, d.receive(5, d.SHOP, epcList=[PALLET]), d.unpack(6, PALLET))

    assert await rows(conn, "SELECT parent_id, quantity FROM unit LEFT JOIN unit_quantity USING (unit_id)") == [
        (None, None), (None, None),
    ]  # fmt: skip
    assert await rows(conn, "SELECT count(*) FROM code_run WHERE unit_id IS NULL AND n = 6") == [(1,)]
    assert await d.holdings(conn, d.MILK, "M1") == {(d.SHOP, d.CORNER, "in_progress"): 5}


async def test_repacking_moves_between_pallets_and_never_counts_twice(conn: AsyncConnection, keys: KeyRing) -> None:
    await d.take_in(
        conn, keys, d.make(0, epcList=d.items(d.CHEESE, range(6)), **C1),
        d.pack(1, PALLET, childEPCs=d.items(d.CHEESE, range(6))),
        d.pack(2, OTHER, childEPCs=d.items(d.CHEESE, range(3))), d.ship(3, d.CORNER, d.SHOP, epcList=[OTHER]),
    )  # fmt: skip

    assert await d.holdings(conn, d.CHEESE, "C1") == {
        (d.PLANT, d.CREAMERY, "active"): 3, (d.SHOP, d.CORNER, "in_transit"): 3,
    }  # fmt: skip


async def test_an_item_that_is_sold_has_left_its_case_and_one_that_is_looked_at_has_not(
    conn: AsyncConnection, keys: KeyRing
) -> None:
    await d.take_in(
        conn, keys, d.make(0, d.SHOP, epcList=d.items(d.CHEESE, range(6)), **C1),
        d.pack(1, PALLET, d.SHOP, childEPCs=d.items(d.CHEESE, range(6))),
        d.tell("ObjectEvent", 2, at=d.SHOP, action="OBSERVE", bizStep="inspecting", epcList=d.items(d.CHEESE, [1])),
        d.tell("ObjectEvent", 3, at=d.SHOP, action="OBSERVE", bizStep="retail_selling", epcList=d.items(d.CHEESE, [2])),
    )  # fmt: skip

    assert await rows(conn, "SELECT sum(n) FROM code_run WHERE unit_id IS NOT NULL") == [(5,)]
    assert await d.holdings(conn, d.CHEESE, "C1") == {
        (d.SHOP, d.CORNER, "active"): 5, (d.SHOP, d.CORNER, "retail_sold"): 1,
    }  # fmt: skip


async def test_things_listed_with_their_pallet_stay_in_it(conn: AsyncConnection, keys: KeyRing) -> None:
    items = d.items(d.CHEESE, range(4))
    await d.take_in(
        conn, keys, d.make(0, epcList=items, **C1), d.pack(1, PALLET, childEPCs=items),
        d.ship(2, d.CORNER, d.SHOP, epcList=[*items, PALLET]),
    )  # fmt: skip

    assert await rows(conn, "SELECT sum(n) FROM code_run WHERE unit_id IS NOT NULL") == [(4,)]
    assert await shipments(conn) == [("C1", 4, d.CREAMERY, d.CORNER, [])]
