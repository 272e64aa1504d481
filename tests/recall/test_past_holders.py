"""Who ever had the very items of a part of a lot."""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from recall import reach
from tests.ledger.records import Records, day


@pytest.mark.parametrize("number", [7_000, 7_100, 7_200])
async def test_whoever_had_an_item_under_any_of_its_labels_is_told_of_it(conn: AsyncConnection, number: int) -> None:
    # given: item 7000 was labelled anew twice, in the hands of A, B and C; its neighbour was with D alone
    records = Records(conn)
    a, b, c, d = [await records.party(f"had it {name}", "retailer", "retail") for name in "ABCD"]
    lot = await records.lot(await records.product(900, "toaster"), "T1")
    for old, new in ((7_000, 7_100), (7_100, 7_200)):
        await records.insert("replaced_code", number=old, by_number=new, lot_id=lot, at=day(2))
    for had, owner in ((7_000, a), (7_100, b)):
        await records.insert(
            "code_run_history",
            lo=had,
            n=1,
            lot_id=lot,
            since=day(1),
            until=day(2),
            event_id=0,
            place_id=0,
            owner_id=owner,
        )
    await records.run(lot, 7_200, 1, owner_id=c)
    await records.run(lot, 7_001, 1, owner_id=d)

    # then
    assert await reach.past_holders(conn, {lot: ((number, 1),)}) == {(lot, owner) for owner in (a, b, c)}
    assert await reach.past_holders(conn, {lot: ((7_001, 1),)}) == {(lot, d)}
    assert await reach.past_holders(conn, {lot: ((7_150, 1),)}) == frozenset()
