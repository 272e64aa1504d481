"""Small documents that wait at the same moment share a transaction, and each has the outcome it would have alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ledger import book_store
from ledger.capture_together import EVENTS_EACH_MAX, Together
from ledger.codes import KeyRing
from ledger.model import CaptureReport
from ledger.refusals import DocumentNotValid, EventIdTaken
from ledger.replay import rebuild
from runtime.database import DatabaseAddress, Role, transaction
from tests.ledger import dairy as d

Document = Mapping[str, Any]


@pytest.fixture
async def engine(database: DatabaseAddress) -> AsyncIterator[AsyncEngine]:
    engine = database.engine(Role.STAFF, pool_size=12)
    yield engine
    await engine.dispose()


async def at_once(engine: AsyncEngine, keys: KeyRing, *documents: Document) -> list[CaptureReport | BaseException]:
    """What becomes of documents that arrive at the same moment, each over a connection of its own."""
    together = Together()
    async with AsyncExitStack() as stack:
        conns = [await stack.enter_async_context(engine.connect()) for _ in documents]
        work = (
            together.capture(conn, document, by=f"line {number}", clock=d.clock, keys=keys)
            for number, (conn, document) in enumerate(zip(conns, documents, strict=True))
        )
        return list(await asyncio.gather(*work, return_exceptions=True))


def cases(count: int) -> list[Document]:
    """A document for each case that is packed, all of one lot."""
    made = d.make(0, epcList=d.items(d.CHEESE, range(4 * count)), ilmd={"cbvmda:lotNumber": "C1"})
    packed = (
        d.pack(1 + n, d.item(d.CASE, n), childEPCs=d.items(d.CHEESE, range(4 * n, 4 * n + 4))) for n in range(count)
    )
    return [d.document(made), *(d.document(event) for event in packed)]


def reports(outcomes: list[CaptureReport | BaseException]) -> list[CaptureReport]:
    assert not [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    return [outcome for outcome in outcomes if isinstance(outcome, CaptureReport)]


async def captures(conn: AsyncConnection) -> list[tuple[Any, ...]]:
    rows = await conn.execute(
        text("SELECT captured_by, success, events, known FROM capture ORDER BY captured_by, success")
    )
    return [tuple(row) for row in rows]


async def test_documents_that_wait_share_a_transaction_and_each_has_its_own_report(
    conn: AsyncConnection, engine: AsyncEngine
) -> None:
    keys = await d.ring(conn)

    told = reports(await at_once(engine, keys, *cases(8)))

    assert [(report.events, report.known, report.success) for report in told] == [(1, 0, True)] * 9
    assert await captures(conn) == [(f"line {number}", True, 1, 0) for number in range(9)]
    owners = await conn.execute(
        text("SELECT e.captured_by, c.captured_by FROM event e JOIN capture c USING (capture_id)")
    )
    assert all(event_by == capture_by for event_by, capture_by in owners)
    assert await conn.scalar(text("SELECT count(DISTINCT CAST(xmin AS text)) FROM event")) == 2  # one led, eight waited


async def test_the_book_of_documents_taken_together_is_that_of_one_by_one(
    conn: AsyncConnection, engine: AsyncEngine
) -> None:
    keys = await d.ring(conn)
    shipped = d.document(d.ship(20, d.CORNER, d.SHOP, epcList=[d.item(d.CASE, n) for n in range(4)]))
    late = d.document(d.pack(0.5, d.sscc(d.PALLET), childEPCs=[d.item(d.CASE, 7)]))

    reports(await at_once(engine, keys, shipped, *cases(8), late))

    assert await book_store.differences(await begun(conn)) == []
    before = await d.book(conn)
    await rebuild(conn, keys)
    assert await d.book(conn) == before


async def test_what_two_documents_tell_is_new_in_one_and_known_in_the_other(
    conn: AsyncConnection, engine: AsyncEngine
) -> None:
    keys = await d.ring(conn)
    document = d.document(d.make(0, quantityList=[d.much(d.MILK, "M1", 500, "LTR")]))

    told = reports(await at_once(engine, keys, *[document] * 6))

    assert sorted((report.events, report.known) for report in told) == [(0, 1)] * 5 + [(1, 0)]
    assert len({report.event_ids for report in told}) == 1
    assert await d.count(conn, "event") == 1


async def test_a_document_that_is_refused_leaves_the_others_as_they_are(
    conn: AsyncConnection, engine: AsyncEngine
) -> None:
    keys = await d.ring(conn)
    first = d.make(0, quantityList=[d.much(d.MILK, "M1", 500, "LTR")], eventID="urn:dairy:event:1")
    async with engine.connect() as other:
        await d.take_in(other, keys, first)
    changed = d.document({**first, "quantityList": [d.much(d.MILK, "M1", 600, "LTR")]})
    broken = d.document({**first, "eventTime": "yesterday"})

    outcomes = await at_once(engine, keys, *cases(4), changed, broken)

    assert [type(outcome) for outcome in outcomes] == [CaptureReport] * 5 + [EventIdTaken, DocumentNotValid]
    assert await d.count(conn, "event") == 6
    assert [row for row in await captures(conn) if not row[1]] == [("line 5", False, 0, 0), ("line 6", False, 0, 0)]


async def test_a_large_document_is_captured_by_itself(conn: AsyncConnection, engine: AsyncEngine) -> None:
    keys = await d.ring(conn)
    many = [d.make(n, quantityList=[d.much(d.MILK, f"M{n}", 1)]) for n in range(EVENTS_EACH_MAX + 1)]

    told = reports(await at_once(engine, keys, d.document(*many), *cases(4)))

    assert [report.events for report in told] == [EVENTS_EACH_MAX + 1] + [1] * 5


async def test_a_request_that_was_given_up_holds_nobody_up(conn: AsyncConnection, engine: AsyncEngine) -> None:
    keys, together = await d.ring(conn), Together()
    async with AsyncExitStack() as stack:
        work = []
        for document in cases(6):
            own = await stack.enter_async_context(engine.connect())
            work.append(asyncio.create_task(together.capture(own, document, by="anna", clock=d.clock, keys=keys)))
        await asyncio.sleep(0)
        work[3].cancel()
        outcomes = await asyncio.gather(*work, return_exceptions=True)

    assert [type(outcome) for outcome in outcomes].count(CaptureReport) == 6
    assert isinstance(outcomes[3], asyncio.CancelledError)


async def begun(conn: AsyncConnection) -> AsyncConnection:
    """A connection whose transaction has begun, for work below the library."""
    async with transaction(conn):
        pass
    await conn.execute(text("SELECT 1"))
    return conn
