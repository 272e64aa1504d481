"""Who has what, since when and from whom: the dairy's goods received, sold, returned, used up and recalled."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from ledger.codes import KeyRing
from tests.ledger import dairy as d
from tests.ledger.dairy import rows, shipments

C1: dict[str, Any] = {"ilmd": {"cbvmda:lotNumber": "C1"}}
PALLET, OTHER = d.sscc(d.PALLET), d.sscc(d.OTHER_PALLET)


async def test_receiving_makes_the_party_of_the_place_the_owner_and_ends_the_transit(
    conn: AsyncConnection, keys: KeyRing
) -> None:
    without_owner = d.ship(1, d.CORNER, d.SHOP, quantityList=[d.much(d.CHEESE, "C1", 10)])
    without_owner["destinationList"] = [{"type": "location", "destination": d.place(d.SHOP)}]
    await d.take_in(conn, keys, d.make(0, quantityList=[d.much(d.CHEESE, "C1", 10)]), without_owner)
    assert await d.holdings(conn, d.CHEESE, "C1") == {(d.SHOP, d.CREAMERY, "in_transit"): 10}

    await d.take_in(conn, keys, d.tell("ObjectEvent", 2, at=d.SHOP, action="OBSERVE", bizStep="receiving",
                                       quantityList=[d.much(d.CHEESE, "C1", 10)]))  # fmt: skip

    assert await d.holdings(conn, d.CHEESE, "C1") == {(d.SHOP, d.CORNER, "in_progress"): 10}
    assert await shipments(conn) == [("C1", 10, d.CREAMERY, d.CORNER, [])]


async def test_a_receipt_that_nobody_announced_is_a_shipment_too(conn: AsyncConnection, keys: KeyRing) -> None:
    await d.take_in(
        conn, keys, d.make(0, epcList=d.items(d.CHEESE, range(3)), **C1),
        d.receive(2, d.SHOP, epcList=d.items(d.CHEESE, range(3))),
    )  # fmt: skip

    assert await shipments(conn) == [("C1", 3, d.CREAMERY, d.CORNER, [])]


async def test_documents_of_a_shipment_may_be_told_before_or_after_it(conn: AsyncConnection, keys: KeyRing) -> None:
    def paper(hours: float, number: str) -> dict[str, Any]:
        papers = [{"type": "desadv", "bizTransaction": f"urn:dairy:{number}"}]
        return d.tell("TransactionEvent", hours, action="ADD", bizTransactionList=papers, epcList=[PALLET])

    items = d.items(d.CHEESE, range(3))
    await d.take_in(conn, keys, d.make(0, epcList=items, **C1), d.pack(1, PALLET, childEPCs=items), paper(2, "po7"))
    await d.take_in(conn, keys, d.ship(3, d.CORNER, d.SHOP, epcList=[PALLET]))
    await d.take_in(conn, keys, paper(4, "desadv9"))

    assert await shipments(conn) == [("C1", 3, d.CREAMERY, d.CORNER, ["urn:dairy:desadv9", "urn:dairy:po7"])]


async def test_what_nobody_told_of_comes_out_of_the_unknown_and_the_gap_is_seen(
    conn: AsyncConnection, keys: KeyRing
) -> None:
    await d.take_in(
        conn, keys, d.receive(1, d.PLANT, quantityList=[d.much(d.MILK, "M1", 500, "LTR")]),
        d.receive(1, d.PLANT, epcList=d.items(d.CHEESE, [1])),
    )  # fmt: skip

    assert await d.holdings(conn, d.MILK, "M1") == {
        (d.PLANT, d.CREAMERY, "in_progress"): 500, (None, None, ""): -500,
    }  # fmt: skip
    assert await d.holdings(conn, d.CHEESE, "") == {(d.PLANT, d.CREAMERY, "in_progress"): 1, (None, None, ""): -1}


async def test_more_than_there_is_never_makes_a_place_owe_goods(conn: AsyncConnection, keys: KeyRing) -> None:
    await d.take_in(
        conn, keys, d.make(0, quantityList=[d.much(d.MILK, "M1", 100, "LTR")]),
        d.tell("TransformationEvent", 1, at=d.PLANT, inputQuantityList=[d.much(d.MILK, "M1", 130, "LTR")],
               outputQuantityList=[d.much(d.CHEESE, "C1", 10)]),
    )  # fmt: skip

    assert await d.holdings(conn, d.MILK, "M1") == {(None, None, ""): -30}


async def test_a_transformation_uses_up_items_quantities_and_whole_pallets(
    conn: AsyncConnection, keys: KeyRing
) -> None:
    await d.take_in(
        conn, keys, d.make(0, epcList=d.items(d.CHEESE, range(10)), **C1),
        d.make(0, quantityList=[d.much(d.MILK, "M1", 100, "LTR"), d.much(d.MILK, "M2", 20, "LTR")]),
        d.pack(1, PALLET, childEPCs=d.items(d.CHEESE, range(4)), childQuantityList=[d.much(d.MILK, "M2", 20, "LTR")]),
        d.tell("TransformationEvent", 2, at=d.PLANT, inputEPCList=[PALLET, d.item(d.CHEESE, 8)],
               inputQuantityList=[d.much(d.MILK, "M1", 60, "LTR")], outputQuantityList=[d.much(d.CHEESE, "C2", 7)]),
    )  # fmt: skip

    assert await d.holdings(conn, d.CHEESE, "C1") == {(d.PLANT, d.CREAMERY, "active"): 5}
    assert await d.holdings(conn, d.MILK, "M1") == {(d.PLANT, d.CREAMERY, "active"): 40}
    assert await d.holdings(conn, d.MILK, "M2") == {}
    inputs = await rows(
        conn, "SELECT code, sum(i.quantity) FROM operation_input i JOIN lot USING (lot_id) GROUP BY 1 ORDER BY 1"
    )
    assert inputs == [("C1", 5), ("M1", 60), ("M2", 20)]
    assert await rows(conn, "SELECT count(*) FROM code_run_history WHERE until > since") == [(3,)]


async def test_one_transformation_may_be_told_in_several_events(conn: AsyncConnection, keys: KeyRing) -> None:
    vat = {"transformationID": "urn:dairy:vat:3"}
    await d.take_in(
        conn, keys,
        d.tell("TransformationEvent", 1, at=d.PLANT, inputQuantityList=[d.much(d.MILK, "M1", 60, "LTR")], **vat),
        d.tell("TransformationEvent", 5, outputQuantityList=[d.much(d.CHEESE, "C1", 7)], **vat, **{"dairy:line": "B"}),
    )  # fmt: skip

    assert await rows(conn, "SELECT transformation_id, line FROM operation") == [("urn:dairy:vat:3", "B")]
    assert await rows(conn, "SELECT count(DISTINCT operation_id) FROM (SELECT operation_id FROM operation_input"
                            " UNION SELECT operation_id FROM operation_output) x") == [(1,)]  # fmt: skip


async def test_items_learn_their_lot_when_it_is_told(conn: AsyncConnection, keys: KeyRing) -> None:
    await d.take_in(conn, keys, d.receive(1, d.SHOP, epcList=d.items(d.CHEESE, [1, 2])))

    named = f"https://id.gs1.org/01/{d.CHEESE}/10/C1/21/1"
    await d.take_in(
        conn, keys, d.tell("ObjectEvent", 2, at=d.SHOP, action="OBSERVE", bizStep="stocking", epcList=[named])
    )

    assert (d.SHOP, d.CORNER, "in_progress") in await d.holdings(conn, d.CHEESE, "C1")
    assert await rows(conn, "SELECT code, n FROM code_run JOIN lot USING (lot_id) ORDER BY code") == [
        ("", 1),
        ("C1", 1),
    ]


async def test_pieces_shipped_by_count_are_settled_when_their_serials_are_told(
    conn: AsyncConnection, keys: KeyRing
) -> None:
    await d.take_in(
        conn, keys, d.make(0, epcList=d.items(d.CHEESE, range(10)), **C1),
        d.ship(1, d.CORNER, d.SHOP, quantityList=[d.much(d.CHEESE, "C1", 4)]),
    )  # fmt: skip
    assert await d.holdings(conn, d.CHEESE, "C1") == {
        (d.PLANT, d.CREAMERY, "active"): 6, (d.SHOP, d.CORNER, "in_transit"): 4,
    }  # fmt: skip

    await d.take_in(conn, keys, d.receive(2, d.SHOP, epcList=d.items(d.CHEESE, [1, 2])))

    held = await d.holdings(conn, d.CHEESE, "C1")
    assert sum(held.values()) == 10
    assert held[d.PLANT, d.CREAMERY, "active"] == 6
    assert sum(n for (place, _, _), n in held.items() if place == d.SHOP) == 4


async def test_returned_goods_come_back_from_those_who_bought_them(conn: AsyncConnection, keys: KeyRing) -> None:
    sold = d.tell("ObjectEvent", 1, at=d.SHOP, action="OBSERVE", bizStep="retail_selling",
                  quantityList=[d.much(d.CHEESE, "C1", 3)])  # fmt: skip
    await d.take_in(conn, keys, d.make(0, d.SHOP, quantityList=[d.much(d.CHEESE, "C1", 10)]), sold)

    await d.take_in(
        conn, keys, d.receive(2, d.SHOP, quantityList=[d.much(d.CHEESE, "C1", 1)]) | {"disposition": "returned"}
    )

    assert await d.holdings(conn, d.CHEESE, "C1") == {
        (d.SHOP, d.CORNER, "active"): 7, (d.SHOP, d.CORNER, "retail_sold"): 2, (d.SHOP, d.CORNER, "returned"): 1,
    }  # fmt: skip


async def test_destroyed_and_decommissioned_goods_stay_in_the_sum(conn: AsyncConnection, keys: KeyRing) -> None:
    await d.take_in(
        conn, keys, d.make(0, epcList=d.items(d.CHEESE, range(5)), **C1),
        d.tell("ObjectEvent", 1, at=d.PLANT, action="DELETE", bizStep="destroying", epcList=d.items(d.CHEESE, [0, 1])),
        d.tell("ObjectEvent", 2, at=d.PLANT, action="DELETE", bizStep="decommissioning",
               epcList=d.items(d.CHEESE, [2])),
    )  # fmt: skip

    assert {key[2]: n for key, n in (await d.holdings(conn, d.CHEESE, "C1")).items()} == {
        "active": Decimal(2), "destroyed": Decimal(2), "inactive": Decimal(1),
    }  # fmt: skip


async def test_a_recall_survives_later_events_until_it_is_lifted(conn: AsyncConnection, keys: KeyRing) -> None:
    def marked(hours: float, **words: list[str]) -> dict[str, Any]:
        lots = [{"epcClass": d.lot(d.CHEESE, "C1")}]
        return d.tell(
            "ObjectEvent", hours, action="OBSERVE", bizStep="holding", persistentDisposition=words, quantityList=lots
        )

    holds = "SELECT count(*) FROM persistent_disposition WHERE word = 'recalled' AND unset_by IS NULL"
    await d.take_in(conn, keys, d.make(0, quantityList=[d.much(d.CHEESE, "C1", 10)]), marked(1, set=["recalled"]))
    await d.take_in(conn, keys, d.receive(2, d.SHOP, quantityList=[d.much(d.CHEESE, "C1", 4)]))
    assert await rows(conn, holds) == [(1,)]

    await d.take_in(conn, keys, marked(3, unset=["recalled"]))

    assert await rows(conn, holds) == [(0,)]


async def test_a_recall_of_a_pallet_marks_the_items_in_it_then(conn: AsyncConnection, keys: KeyRing) -> None:
    recalled = d.tell("ObjectEvent", 3, action="OBSERVE", persistentDisposition={"set": ["recalled"]}, epcList=[PALLET])
    await d.take_in(
        conn, keys, d.make(0, epcList=d.items(d.CHEESE, range(6)), **C1),
        d.pack(1, PALLET, childEPCs=d.items(d.CHEESE, range(4))),
        recalled, d.pack(4, PALLET, childEPCs=d.items(d.CHEESE, [5])),
    )  # fmt: skip

    assert await rows(conn, "SELECT sum(n) FROM persistent_disposition") == [(4,)]


async def test_a_crate_without_a_gs1_key_carries_goods_like_any_unit(conn: AsyncConnection, keys: KeyRing) -> None:
    crate = "https://farm.example/crates/17"
    await d.take_in(
        conn, keys, d.make(0, quantityList=[d.much(d.MILK, "M1", 20, "LTR")]),
        d.pack(1, crate, childQuantityList=[d.much(d.MILK, "M1", 20, "LTR")]),
        d.ship(2, d.CORNER, d.SHOP, epcList=[crate]),
    )  # fmt: skip

    assert await d.holdings(conn, d.MILK, "M1") == {(d.SHOP, d.CORNER, "in_transit"): 20}


async def test_who_had_an_item_when_stands_in_its_history(conn: AsyncConnection, keys: KeyRing) -> None:
    await d.take_in(
        conn, keys, d.make(0, epcList=d.items(d.CHEESE, [1]), **C1),
        d.ship(2, d.CORNER, d.SHOP, epcList=d.items(d.CHEESE, [1])),
        d.receive(6, d.SHOP, epcList=d.items(d.CHEESE, [1])),
    )  # fmt: skip

    spells = await rows(
        conn,
        "SELECT since, until, p.gln, disposition FROM code_run_history JOIN place p USING (place_id) ORDER BY since",
    )
    assert spells == [
        (d.MORNING, d.MORNING + timedelta(hours=2), d.PLANT, "active"),
        (d.MORNING + timedelta(hours=2), d.MORNING + timedelta(hours=6), d.SHOP, "in_transit"),
    ]


async def test_a_voided_shipment_is_no_shipment_and_what_was_sent_again_is_one(
    conn: AsyncConnection, keys: KeyRing
) -> None:
    back = {"action": "OBSERVE", "bizStep": "void_shipping", "disposition": "in_progress"}
    await d.take_in(
        conn, keys, d.make(0, epcList=d.items(d.CHEESE, range(10)), **C1),
        d.pack(1, PALLET, childEPCs=d.items(d.CHEESE, range(6))),
        d.ship(2, d.CORNER, d.SHOP, epcList=[PALLET]),
        d.ship(3, d.CORNER, d.SHOP, epcList=d.items(d.CHEESE, range(6, 10))),
    )  # fmt: skip
    assert [quantity for _, quantity, *_ in await shipments(conn)] == [6, 4]

    await d.take_in(conn, keys, d.tell("ObjectEvent", 4, at=d.PLANT, to=d.CREAMERY, epcList=[PALLET], **back))
    assert [quantity for _, quantity, *_ in await shipments(conn)] == [4]

    items = d.tell("ObjectEvent", 5, at=d.PLANT, to=d.CREAMERY, epcList=d.items(d.CHEESE, [7, 8]), **back)
    await d.take_in(conn, keys, items, d.ship(6, d.CORNER, d.DEPOT, epcList=[PALLET]))
    assert [quantity for _, quantity, *_ in await shipments(conn)] == [2, 6]
    assert (await d.holdings(conn, d.CHEESE, "C1"))[d.PLANT, d.CREAMERY, "in_progress"] == 2


async def test_more_voided_than_was_shipped_is_a_doubt_and_takes_nothing_from_others(
    conn: AsyncConnection, keys: KeyRing
) -> None:
    void = {"action": "OBSERVE", "bizStep": "void_shipping"}
    await d.take_in(
        conn, keys, d.make(0, quantityList=[d.much(d.MILK, "M1", 100, "LTR"), d.much(d.MILK, "M2", 5, "LTR")]),
        d.ship(1, d.CORNER, d.SHOP, quantityList=[d.much(d.MILK, "M1", 40, "LTR"), d.much(d.MILK, "M2", 5, "LTR")]),
    )  # fmt: skip

    report = await d.take_in(
        conn, keys, d.tell("ObjectEvent", 2, at=d.PLANT, quantityList=[d.much(d.MILK, "M1", 15, "LTR")], **void)
    )
    assert report.warnings == ()
    assert sorted((lot, quantity) for lot, quantity, *_ in await shipments(conn)) == [("M1", 25), ("M2", 5)]

    report = await d.take_in(
        conn, keys, d.tell("ObjectEvent", 3, at=d.PLANT, quantityList=[d.much(d.MILK, "M1", 30, "LTR")], **void)
    )
    assert "more is said not to have been shipped" in report.warnings[0][1]
    assert [(lot, quantity) for lot, quantity, *_ in await shipments(conn)] == [("M2", 5)]
