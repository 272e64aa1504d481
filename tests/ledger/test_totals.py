"""Sums over all that is held of whole lots, by owner and by product: always those of the holdings one by one."""

from __future__ import annotations

import random
from collections import defaultdict
from decimal import Decimal
from math import ceil
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger.closure import Reached
from ledger.holders import holdings
from ledger.states import STATES, state_of
from ledger.totals import line_sums
from tests.ledger.records import Records, day

pytestmark = pytest.mark.anyio

WORDS = ("active", "in_transit", "sellable_accessible", "retail_sold", "destroyed", "sampled", "returned", "")
PIECES = ("", "EA")
FATES = {"sold": "sold", "returned": "returned", "destroyed": "destroyed", "sampled": "destroyed"}


async def six_lots(records: Records, rng: random.Random) -> None:
    """Six lots of two products, in pieces, halves of pieces and kilograms, some below zero; and shipments."""
    parties = [0] + [
        await records.party(f"party {k}", role, channel)
        for k, (role, channel) in enumerate((("retailer", "retail"), ("brand", None), ("consumer", "direct")))
    ]
    kinds = (("store", parties[1]), ("plant", parties[2]), ("vehicle", 0), ("home", parties[3]))
    places = [0] + [await records.place(f"place {k}", kind, party) for k, (kind, party) in enumerate(kinds)]
    products = [await records.product(k, f"thing {k}") for k in (1, 2)]
    for k in range(6):
        lot = await records.lot(products[k % 2], f"L{k}")
        for place in places:
            for word in rng.sample(WORDS, 3):
                amount, uom = rng.choice((-3, 5, 0.5, 0.25, 0)), rng.choice(("KGM", "", "EA"))
                await records.holding(lot, place, rng.choice(parties), amount, disposition=word, uom=uom)
        event = await records.event(f"sent {k}", day(1))
        await records.insert(
            "lot_shipment", event_id=event, lot_id=lot, uom="", quantity=9, from_owner_id=0, from_place_id=0,
            to_owner_id=parties[1], to_place_id=rng.choice(places), at=day(1),
        )  # fmt: skip
        if k % 3 == 0:
            await records.declare_wrong(event, day(2))


async def by_hand(records: Records) -> dict[tuple[str, int, str], dict[str, Decimal | int]]:
    """The same sums line by line."""

    async def read(sql: str) -> dict[int, Any]:
        return {row[0]: row for row in await records.conn.execute(text(sql))}

    product_by_lot = await read("SELECT lot_id, product_id FROM lot")
    party = await read("SELECT party_id, role FROM party")
    place = await read("SELECT place_id, kind, party_id FROM place")
    lines = defaultdict[Any, defaultdict[str, Decimal]](lambda: defaultdict(Decimal))
    for h in await holdings(records.conn, (Reached(lot, True, (), None, "scope") for lot in records.lots.values())):
        at = place[h.place_id]
        role = party[at.party_id].role if at.party_id else party[h.owner_id].role
        if h.quantity > 0:
            line = lines[h.lot_id, h.place_id, h.owner_id, "" if h.uom in PIECES else h.uom]
            line[state_of(h.disposition, at.kind, role)] += h.quantity
    for row in await records.conn.execute(
        text("SELECT lot_id, to_place_id, to_owner_id FROM lot_shipment WHERE event_id NOT IN"
             " (SELECT event_id FROM event_declared_wrong)")
    ):  # fmt: skip
        lines[*row, ""]["unknown"] += 0
    sums = defaultdict[Any, defaultdict[str, Any]](lambda: defaultdict(Decimal))
    for (lot, _place, owner, uom), states in lines.items():
        fates = defaultdict[str, Decimal](Decimal)
        for state, quantity in states.items():
            fates[FATES.get(state, "on_hand")] += quantity
        for group in (("owner", owner, uom), ("product", product_by_lot[lot].product_id, uom)):
            sums[group]["lines"] += 1
            for state, quantity in states.items():
                sums[group][f"state {state}"] += quantity
            for fate, quantity in fates.items():
                sums[group][fate] += ceil(quantity)
    return {group: {name: value for name, value in told.items() if value} for group, told in sums.items()}


@pytest.mark.parametrize("seed", [1, 2])
async def test_the_sums_are_those_of_the_holdings_line_by_line(conn: AsyncConnection, seed: int) -> None:
    records = Records(conn)
    await six_lots(records, random.Random(seed))

    by_owner, by_product = await line_sums(conn, records.lots.values(), pieces=PIECES)

    found = {}
    for side, sums in (("owner", by_owner), ("product", by_product)):
        for each in sums:
            told = {name: getattr(each, name) for name in ("lines", "on_hand", "sold", "returned", "destroyed")}
            told |= {f"state {state}": each.by_state[state] for state in STATES}
            key = (side, each.owner_id if side == "owner" else each.product_id, each.uom)
            found[key] = {name: value for name, value in told.items() if value}
    assert found == await by_hand(records)
    assert await line_sums(conn, [], pieces=PIECES) == ((), ())
