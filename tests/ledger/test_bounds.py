"""How much of what an owner holds of a lot is affected, as a notice tells it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import genealogy
from ledger.bounds import bounds_of
from ledger.closure import Start
from ledger.holders import holdings
from tests.ledger.records import Records, Use, day

pytestmark = pytest.mark.anyio


async def test_each_owner_of_cheese_is_told_at_least_and_at_most_how_much_of_it_is_affected(
    conn: AsyncConnection,
) -> None:
    # given: half of the milk of 100 kg of curd is bad, the curd keeps its order; the cheese is 60 at A and 40 at B
    records = Records(conn)
    milk, curd = await records.product(1, "milk"), await records.product(2, "curd")
    bad, good = await records.lot(milk, "M1"), await records.lot(milk, "M2")
    cheese, sound = await records.lot(curd, "C1"), await records.lot(curd, "C2")
    a, b = await records.party("A"), await records.party("B")
    await records.operation(day(1), [bad, good], [Use(cheese)], parameters='{"flow": "plug"}')
    await records.conn.exec_driver_sql("UPDATE operation_input SET quantity = 50, uom = 'KGM'")
    await records.conn.exec_driver_sql("UPDATE operation_output SET quantity = 100, uom = 'KGM'")
    for owner, place, quantity in ((a, 0, 60), (b, 0, 40)):
        await records.holding(cheese, place, owner, quantity, uom="KGM")
    await records.holding(sound, 0, a, 7, uom="KGM")
    await records.holding(cheese, 0, a, -3, disposition="active", uom="KGM")
    starts = [Start(bad)]
    closure = await genealogy.downstream_closure(conn, starts)
    held = await holdings(conn, closure.lots)

    # when
    bounds = await bounds_of(conn, closure, starts)
    by_owner = bounds.of(held, lambda h: (h.lot_id, h.owner_id, h.uom))
    together = bounds.of(held, lambda h: (h.lot_id, h.uom))

    # then: of A's 60 at least 10 are, because only 50 are sound; B's 40 may all be; what is below zero is no goods
    assert by_owner == {
        (cheese, a, "KGM"): pytest.approx((60, 10, 30, 50)),
        (cheese, b, "KGM"): pytest.approx((40, 0, 20, 40)),
    }
    assert together == {(cheese, "KGM"): pytest.approx((100, 50, 50, 50))}
    assert bounds.part(cheese, "KGM", Decimal(60)) == pytest.approx((60, 10, 30, 50))
    assert bounds.of([], lambda h: h.lot_id) == {}
