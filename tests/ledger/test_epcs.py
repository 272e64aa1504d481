"""The things that events name one by one, listed page by page."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from ledger.epcs import list_epcs
from tests.ledger import dairy as d


async def test_every_thing_that_was_ever_told_is_listed_once_however_the_pages_fall(conn: AsyncConnection) -> None:
    keys = await d.ring(conn)
    cheese, crate, pallet = d.items(d.CHEESE, range(1, 7)), d.item(d.CASE, 1), d.sscc(d.PALLET)
    await d.take_in(
        conn,
        keys,
        d.make(0, epcList=cheese, ilmd={"cbvmda:lotNumber": "C1"}),
        d.pack(1, crate, childEPCs=cheese[:2]),  # a crate with a serial is an item and a unit
        d.pack(2, pallet, childEPCs=[crate, cheese[5]]),
        d.tell("TransformationEvent", 3, inputEPCList=cheese[2:4], outputEPCList=d.items(d.MILK, ["M"])),  # used up
    )
    told = [*cheese, crate, d.item(d.MILK, "M"), pallet]

    for size in (1, 2, 4, 100):
        listed: list[str] = []
        while page := await list_epcs(conn, after=listed[-1] if listed else "", limit=size, keys=keys):
            assert len(page) <= size
            listed += page
        assert sorted(listed) == sorted(told)
    assert len(set(listed)) == len(listed)
