"""Sums over all that is held, by whatever is asked: always those of the holdings one by one."""

from __future__ import annotations

import random
from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger.closure import Reached
from ledger.holders import holdings
from ledger.states import state_of
from ledger.totals import DIMENSIONS, Dimension, totals
from tests.ledger.records import Records

pytestmark = pytest.mark.anyio

WORDS = ("active", "in_transit", "sellable_accessible", "retail_sold", "destroyed", "")


@pytest.fixture
async def records(conn: AsyncConnection) -> Records:
    """Six lots of two products, in pieces and kilograms, some below zero; and some numbered runs."""
    rng, records = random.Random(7), Records(conn)
    parties = [
        await records.party(f"party {k}", role, channel)
        for k, (role, channel) in enumerate((("retailer", "retail"), ("brand", None), ("distributor", "wholesale")))
    ]
    places = [0] + [
        await records.place(f"place {k}", kind, party)
        for k, (kind, party) in enumerate((("store", parties[0]), ("plant", parties[1]), ("vehicle", 0)))
    ]
    products = [await records.product(k, f"thing {k}") for k in (1, 2)]
    for k in range(6):
        lot = await records.lot(products[k % 2], f"L{k}")
        for place in places:
            for owner in rng.sample([0, *parties], 2):
                amount = rng.choice((-3, 5, 40, 0))
                await records.holding(
                    lot, place, owner, amount, disposition=rng.choice(WORDS), uom=rng.choice(("K", ""))
                )
        await records.run(lot, 1000 * k, 50, place_id=places[1], owner_id=parties[0], disposition="in_transit")
    return records


def every_lot(records: Records) -> list[Reached]:
    """All whole but the last, of which ten numbers are meant."""
    *whole, part = records.lots.values()
    return [
        *(Reached(lot, True, (), None, "scope") for lot in whole),
        Reached(part, False, ((5010, 10),), None, "scope"),
    ]


async def facts(records: Records) -> dict[str, dict[int, Any]]:
    async def read(sql: str) -> dict[int, Any]:
        return {row[0]: row for row in await records.conn.execute(text(sql))}

    return {
        "lot": await read("SELECT lot_id, product_id FROM lot"),
        "party": await read("SELECT party_id, role, channel FROM party"),
        "place": await read("SELECT place_id, kind, party_id FROM place"),
    }


@pytest.mark.parametrize("by", [(), ("channel", "owner"), ("product", "state"), ("custodian", "lot"), DIMENSIONS])
async def test_the_sums_are_those_of_the_holdings_one_by_one(records: Records, by: tuple[Dimension, ...]) -> None:
    world, expected = await facts(records), defaultdict[Any, Decimal](Decimal)
    for h in await holdings(records.conn, every_lot(records)):
        place, owner = world["place"][h.place_id], world["party"][h.owner_id]
        role = world["party"][place.party_id].role if place.party_id else owner.role
        group: dict[Dimension, Any] = {
            "product": world["lot"][h.lot_id].product_id, "lot": h.lot_id, "channel": owner.channel or "",
            "owner": h.owner_id, "custodian": place.party_id, "state": state_of(h.disposition, place.kind, role),
        }  # fmt: skip
        key = tuple(group[name] if name in by else None for name in DIMENSIONS)
        expected[*key, h.uom, h.quantity > 0] += abs(h.quantity)

    found = await totals(records.conn, every_lot(records), by)

    told = defaultdict[Any, Decimal](Decimal)
    for total in found:
        key = (total.product_id, total.lot_id, total.channel, total.owner_id, total.custodian_id, total.state)
        told[*key, total.uom, True] += total.held
        told[*key, total.uom, False] += total.below_zero
    assert {key: amount for key, amount in told.items() if amount} == expected
    assert len(found) == len({(*key[:-1],) for key in expected})


async def test_goods_that_went_out_without_ever_coming_in_do_not_lower_what_others_hold(records: Records) -> None:
    [(held, below_zero)] = [
        (total.held, total.below_zero)
        for total in await totals(records.conn, every_lot(records), ())
        if total.uom == "K"
    ]

    assert below_zero > 0
    assert held - below_zero == sum(
        h.quantity for h in await holdings(records.conn, every_lot(records)) if h.uom == "K"
    )


async def test_nothing_reached_is_no_group_at_all(records: Records) -> None:
    assert await totals(records.conn, [], DIMENSIONS) == ()
    assert Decimal(0) not in {
        total.held + total.below_zero for total in await totals(records.conn, every_lot(records), ())
    }
