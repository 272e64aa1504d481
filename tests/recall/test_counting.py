"""Figures counted in the database are those that publishing freezes line by line."""

from __future__ import annotations

import random
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from recall import affected as affecting
from recall import casework, counting, listing, store
from recall.model import FirstTotals
from recall.refusals import UnknownLot
from recall.scope import LotLine
from tests.recall.creamery import CHEESE, MILK, Creamery, clock
from tests.recall.desk import opened

LEFT_OUT = ("by_lot", "by_lot_left_out", "bounds")


def figures(totals: dict[str, Any]) -> dict[str, Any]:
    """The totals, in no order of products."""
    kept = {name: value for name, value in totals.items() if name not in LEFT_OUT}
    return kept | {"by_product": sorted(totals["by_product"], key=lambda entry: entry["gtin"])}


async def both(conn: AsyncConnection, number: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """All that is told of a case when it is counted, and when it is listed line by line."""
    case = await store.find_case(conn, number)
    far = await counting.look(conn, case.scope)
    counted = {
        "totals": figures(await counting.totals(conn, far)), "hash": await counting.hash_of(conn, far),
        "bounds": await counting.bounds(conn, far), "lots": far.lots, "event": far.ledger_event,
    }  # fmt: skip
    affected = await affecting.trace(conn, case.scope)
    draft = await listing.compile_list(conn, case, 1, affected, None)
    listed = {
        "totals": figures(draft.totals), "hash": affected.hash, "bounds": draft.totals["bounds"],
        "lots": len(affected.lots), "event": affected.ledger_event,
    }  # fmt: skip
    return counted, listed


async def scatter(conn: AsyncConnection, rng: random.Random, lots: list[int]) -> None:
    """Holdings of any kind of these lots: broken pieces, each and kilograms, sold, destroyed, below zero."""
    words = ("active", "in_transit", "retail_sold", "destroyed", "sampled", "returned", "urn:any:other")
    parties, places = [
        list((await conn.execute(text(sql))).scalars())
        for sql in ("SELECT party_id FROM party", "SELECT place_id FROM place")
    ]
    rows = [
        {"lot": lot, "place": rng.choice(places), "owner": rng.choice(parties), "word": f"{rng.choice(words)}",
         "uom": rng.choice(("", "EA", "KGM")), "quantity": rng.choice((-2, 7, 0.5, 0.25, 0))}
        for lot in lots for _ in range(8)
    ]  # fmt: skip
    await conn.execute(
        text("INSERT INTO lot_holding (lot_id, place_id, owner_id, disposition, uom, quantity, since) VALUES"
             " (:lot, :place, :owner, :word, :uom, :quantity, now()) ON CONFLICT DO NOTHING"),
        rows,
    )  # fmt: skip
    await conn.commit()


async def test_what_is_counted_is_what_is_listed_in_any_world(conn: AsyncConnection, dairy: Creamery) -> None:
    lots = list((await conn.execute(text("SELECT lot_id FROM lot WHERE code <> ''"))).scalars())
    cases = [
        await opened(conn, dairy, lots=((MILK, "M1"),)),
        await opened(conn, dairy, codes=(dairy.code(dairy.c1[0]), dairy.code(dairy.c2[1]))),
        await opened(conn, dairy, lots=((MILK, "M1"), (CHEESE, "C2")), codes=(dairy.code(dairy.c1[3]),)),
        await opened(conn, dairy, lots=((MILK, "M2"),), include_possible=True),
    ]
    await conn.rollback()
    for seed in range(2):
        await scatter(conn, random.Random(seed), lots)
        for number in cases:
            counted, listed = await both(conn, number)
            assert counted == listed, (seed, number)
        await conn.rollback()


async def test_of_many_lots_the_totals_come_first_and_are_the_same_to_the_last_piece(
    conn: AsyncConnection, dairy: Creamery
) -> None:
    # given: one lot of milk went into more lots of cheese than are told one by one
    many = listing.LOTS_LISTED_MAX + 1
    for sql in (
        "INSERT INTO lot (product_id, code) SELECT product_id, 'X' || n FROM product, generate_series(1, :many) n"
        f" WHERE gtin = '{CHEESE}'",
        "INSERT INTO operation_output (operation_id, lot_id, at, event_id)"
        " SELECT i.operation_id, l.lot_id, i.at, i.event_id FROM lot l, operation_input i JOIN lot m USING (lot_id)"
        " WHERE l.code LIKE 'X%' AND m.code = 'M1'",
        "INSERT INTO lot_holding (lot_id, place_id, owner_id, disposition, quantity, since)"
        " SELECT lot_id, 1 + lot_id % 5, 1 + lot_id % 4, 'active', 10, now() FROM lot WHERE code LIKE 'X%'",
    ):
        await conn.execute(text(sql), {"many": many} if ":many" in sql else {})
    await conn.commit()
    number = await opened(conn, dairy, lots=((MILK, "M1"),))
    told: list[FirstTotals] = []

    # when
    preview = await casework.preview(conn, number, clock=clock, first=told.append)
    counted, listed = await both(conn, number)

    # then
    assert counted == listed
    assert (preview.hash, figures(dict(preview.totals))) == (listed["hash"], listed["totals"])
    assert preview.totals["bounds"] == listed["bounds"]
    assert preview.totals["by_lot_left_out"] == preview.lots == many + 2
    (first,) = told
    assert (first.items, first.owners, first.lots) == (preview.items, preview.owners, preview.lots)
    assert preview.items == 10 * many + 12
    assert [(gap.what, gap.where) for gap in preview.gaps if gap.where == "Mira"] == [
        ("nobody is named to call", "Mira")
    ]


async def test_a_lot_that_nobody_knows_is_not_counted_as_nothing(conn: AsyncConnection, dairy: Creamery) -> None:
    number = await opened(conn, dairy, lots=((MILK, "M1"),))
    case = await store.find_case(conn, number)
    with pytest.raises(UnknownLot):
        await counting.look(conn, case.scope.widened([LotLine(MILK, "M9")]))
