"""The dairy of the tests that follow goods, and its floor with capture points."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cli.samples import dairy
from cli.samples.epcis import document, event, packed, place
from ledger import book_store, capture, codes
from ledger.codes import KeyRing
from ledger.master_data import put_party, put_place
from ledger.model import PartyDraft, PlaceDraft
from runtime.clock import system_clock
from runtime.database import transaction
from tests import kept
from tests.ledger import dairy as d
from tests.ledger.capture_floor import CASE, LOOSE, PACKED, SOLD, Floor
from tests.world import SECRET


@pytest.fixture
async def keys(conn: AsyncConnection) -> AsyncIterator[KeyRing]:
    """The dairy with its places and owners; afterwards a full count must find what the holdings say."""
    await kept.once(kept.behind(conn), "the dairy's places and owners", partial(_places, conn))
    yield await d.ring(conn)
    await conn.execute(text("SELECT 1"))
    assert await book_store.differences(conn) == []


async def _places(conn: AsyncConnection) -> None:
    async with transaction(conn):
        for name, gln in (("Meadow Creamery", d.CREAMERY), ("Corner Shop", d.CORNER)):
            await put_party(conn, PartyDraft(name=name, gln=gln))
        for name, gln, owner in (
            ("Plant", d.PLANT, d.CREAMERY),
            ("Depot", d.DEPOT, d.CREAMERY),
            ("Shop", d.SHOP, d.CORNER),
        ):
            await put_place(conn, PlaceDraft(name=name, gln=gln, party_uri=owner))
    await d.ring(conn)


@pytest.fixture
async def floor(conn: AsyncConnection) -> Floor:
    await kept.once(kept.behind(conn), "the floor with its capture points", partial(_goods_on_the_floor, conn))
    async with transaction(conn):
        return Floor(conn, await codes.KeyRing.load(conn, SECRET))


async def _goods_on_the_floor(conn: AsyncConnection) -> None:
    now = system_clock()
    await dairy.master_data_of(conn, now)
    async with transaction(conn):
        keys = await codes.ensure_key(conn, SECRET, clock=system_clock)
    made = {
        "action": "ADD", "epcList": [*LOOSE, *PACKED, SOLD], "ilmd": {"cbvmda:lotNumber": "C1"},
        "bizLocation": place(dairy.PLANT),
    }  # fmt: skip
    events = [
        *dairy.production(now),
        event("ObjectEvent", now - timedelta(hours=9), "commissioning", "active", **made),
        packed(now - timedelta(hours=8), CASE, PACKED, dairy.PLANT),
        event(
            "ObjectEvent", now - timedelta(hours=7), "retail_selling", "retail_sold", action="OBSERVE", epcList=[SOLD]
        ),
    ]
    await capture.capture(conn, document(now, events), by="tests", clock=system_clock, keys=keys)
