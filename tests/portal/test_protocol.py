"""The shorter way beside the usual one, over real sockets: byte for byte the same answers."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cli.combined import Combined
from portal import protocol
from portal.app import create_app
from portal.fast_lane import FastLane
from portal.http_front import PACKED
from portal.protocol import STATE, CodeProtocol
from runtime.database import DatabaseAddress, Role
from tests.portal.arrangement import CHEESE, MILK, PALLET, arrange, item, publish, settings, until
from tests.portal.both_ways import HOST, PAGE, Side, answer_of, both_over, page, request
from tests.unhurried import NEVER_S

CODES = [
    item(1001),
    item(1001) + "/",
    item(2001),
    item(2099),  # printed, not active
    item(1007),  # skipped: never issued
    f"/01/{MILK}",
    f"/01/{MILK}/10/M1",
    f"/01/{MILK}/10/M2",
    f"/01/{MILK}/10/M9",
    f"/01/{MILK}/10/M2/21/{item(1001)[-12:]}",  # the lot told is not the lot on record
    f"/01/{MILK}/10/a%2Fb",
    f"/01/{MILK}/21/a%0Ab",
    f"/01/{CHEESE}/10/C1",
    "/01/09520123456787",  # wrong check digit
    "/01/",
    "/p" + item(1001),
    f"/p/01/{MILK}/10/a%0Ab",
    "/recall-status" + item(2001),
    "/recall-status/01/",
    f"/01/{MILK}?lang=zh",
    f"/01/{MILK}?lang=zh&linkType=all",
    f"/01/{MILK}/10/M2?linkType=gs1:pip&x=%20",
    f"/01/{MILK}/10/M2?17=261224",
    f"/01/{MILK}?linkType=gs1:nothing",
    "/01/" + "9" * 3000,
]


async def test_every_code_is_answered_alike_both_ways_in_every_form(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    await arrange(conn)
    await publish(conn, lots=[1])
    async with both_over(database, tmp_path) as both:
        told = set()
        for path in CODES:
            await both.usual.ask(request(path, **PAGE, Accept_Encoding="gzip, br"))
            await PACKED.settle()
            for fields in (PAGE, {**PAGE, "Accept-Encoding": "gzip, br"}, {"Accept": "application/json"},
                           {"Accept": "application/linkset+json"}, {"Accept": "*/*"}, {}):  # fmt: skip
                for more in ({}, {"Connection": "close"}):
                    [answer] = await both.same(request(path, **fields, **more))
                    told.add(answer.split(b" ", 2)[1])
                    assert (b"connection: close" in answer) == bool(more)

        assert told == {b"200", b"307", b"400", b"404", b"414"}
        assert both.usual.reached == len(CODES) * 13
        assert both.short.reached == 24  # only /p/… with a line break in it, which has no route of its own
        assert both.short.state.total_requests == len(CODES) * 24


async def test_a_recalled_item_is_told_as_such_the_short_way_and_its_opening_counts(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    await arrange(conn)
    async with both_over(database, tmp_path, sweep_every_s=0.1) as both:
        assert (
            b'"verdict":"no_recall_known"' in (await both.short.ask(request(item(1001), Accept="application/json")))[0]
        )
        first, again = await both.short.ask(
            page(item(1001), Accept_Language="en"), page(item(1001), Accept_Language="en"), answers=2
        )
        assert b"This is the first time it has been checked." in first
        assert first == again  # the same visitor within ten minutes
        other = await both.short.ask(page(item(1001), Accept_Language="en", User_Agent="Mozilla/5.0 (Android)"))
        assert b"Checked 2 times" in other[0]

        await publish(conn, lots=[1])

        async def is_recalled() -> bool:
            return b'"verdict":"recalled"' in (await both.short.ask(request(item(1001), Accept="application/json")))[0]

        await until(is_recalled)
        assert b"Stop using this product now." in (await both.short.ask(page(item(1001), Accept_Language="en")))[0]
        assert both.short.reached == 0


async def test_a_page_that_has_not_changed_is_answered_with_304_both_ways(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    await arrange(conn)
    async with both_over(database, tmp_path) as both:
        for path in (f"/01/{MILK}/10/M1", item(1001)):
            [answer] = await both.same(page(path))
            etag = answer.partition(b"etag: ")[2].partition(b"\r\n")[0].decode()

            for known_as in (etag, etag.removeprefix("W/"), f'"other", {etag}', "*"):
                [unchanged] = await both.same(page(path, If_None_Match=known_as))
                assert unchanged.startswith(b"HTTP/1.1 304 ")
                assert unchanged.endswith(b"\r\n\r\n")
            [changed] = await both.same(page(path, If_None_Match='W/"another"'))
            assert changed == answer
        assert both.short.reached == 0


async def test_an_answer_that_is_ready_is_not_given_any_more_when_its_lot_is_recalled_or_its_product_renamed(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    await arrange(conn)
    english = {"Accept_Language": "en", "X_Who": "one"}
    async with both_over(database, tmp_path, sweep_every_s=0.1) as both:
        for number in (1001, 1002, 1003):  # the second and third are answered from what the first left
            assert b"No recall known" in (await both.short.ask(page(item(number), **english)))[0]
        assert b"No recall known" in (await both.short.ask(page(item(2001), **english)))[0]

        await conn.execute(text("UPDATE product SET name = 'Whole milk 1 l' WHERE product_id = 1"))
        await publish(conn, lots=[1])

        async def is_new() -> bool:
            return b"Whole milk 1 l" in (await both.short.ask(page(item(2002), **english)))[0]

        await until(is_new)
        recalled = [(await both.short.ask(page(item(number), **english)))[0] for number in (1004, 1001)]
        assert all(b"Stop using this product now." in answer for answer in recalled)
        assert b"Stop using" not in (await both.short.ask(page(item(2001), **english)))[0]
        assert both.short.reached == 0


async def test_of_a_lot_recalled_in_part_each_item_is_told_its_own_verdict_the_short_way(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    await arrange(conn)
    await publish(conn, runs=[(1, 1002, 1)])
    async with both_over(database, tmp_path) as both:
        for number in (1001, 1002, 1001, 1003):
            [answer] = await both.short.ask(page(item(number), Accept_Language="en"))
            assert (b"Stop using this product now." in answer) == (number == 1002)


@pytest.mark.parametrize(
    ("pieces", "answers"),
    [
        ([request(item(1001), "HEAD", **PAGE)], 1),
        ([request(item(1001), "OPTIONS")], 1),
        ([request(item(1001), "POST", Content_Length="0")], 1),
        ([request(item(1001), version="1.0", **PAGE)], 1),
        ([request(item(1001), Content_Length="0", **PAGE)], 1),
        ([request(item(1001), Content_Length="3", **PAGE) + b"abc"], 1),
        ([request(f"/01/{MILK}", Accept="*/*")[:40], request(f"/01/{MILK}", Accept="*/*")[40:]], 1),
        ([request(f"/01/{MILK}", Transfer_Encoding="chunked") + b"0\r\n\r\n" + request("/livez")], 2),
        ([request(f"/01/{MILK}") + request(f"/01/{CHEESE}")], 2),
        ([request(f"/01/{MILK}"), request("/robots.txt"), request(f"/01/{CHEESE}"), request("/livez")], 4),
        ([request(f"/01/{MILK}"), b"GARBAGE\r\n\r\n"], 2),
        ([b"GARBAGE\r\n\r\n"], 1),
        ([request(f"/01/{MILK}", Upgrade="h2c", Connection="Upgrade")], 1),
        ([request(item(1001), X_Forwarded_For="192.0.2.1", **PAGE)], 1),
        ([request(f"/00/{PALLET}", **PAGE)], 1),
        ([request("/414/0952012345678/254/x")], 1),
        ([request("/console")], 1),
        ([page(item(1001), Connection="close"), page(item(1001))], 2),
    ],
)
async def test_what_is_odd_is_answered_by_the_usual_way(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path, pieces: list[bytes], answers: int
) -> None:
    await arrange(conn)
    async with both_over(database, tmp_path) as both:
        await both.same(*pieces, answers=answers)


async def test_requests_sent_ahead_wait_for_the_count_before_them_and_are_answered_in_order(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "HELD_BYTES_MAX", 100)  # reading stops, and goes on
    await arrange(conn)
    sent = [page(item(1001)), request(f"/01/{MILK}") + page(item(1002)), request("/livez")]
    async with both_over(database, tmp_path) as both:
        usual = await both.usual.ask(*sent, answers=4)
        reader, writer = await asyncio.open_connection(HOST, both.short.port)
        writer.write(sent[0])
        await asyncio.sleep(0)
        for piece in sent[1:]:
            writer.write(piece)
        answered = [await asyncio.wait_for(answer_of(reader, is_head=False), NEVER_S) for _ in range(4)]
        writer.close()

    assert answered == usual


async def test_a_copy_not_confirmed_in_time_clears_nobody_the_short_way(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    await arrange(conn)
    engine = database.engine(Role.OWNER, pool_size=1)
    async with (
        both_over(database, tmp_path, sweep_every_s=0.1, confirm_within_s=1.0) as both,
        engine.connect() as other,
    ):
        await other.execute(text("LOCK TABLE public_record IN ACCESS EXCLUSIVE MODE"))  # so no look succeeds
        ask = request(item(2001), Accept="application/json")

        async def is_unconfirmed() -> bool:
            return b'"verdict":"cannot_confirm"' in (await both.short.ask(ask))[0]

        await until(is_unconfirmed)
        for fields in (PAGE, {"Accept": "application/json"}):
            [answer] = await both.same(request(item(2001), **fields))
            assert answer.startswith(b"HTTP/1.1 503 ")
            assert b"retry-after: 2" in answer
        assert both.short.reached == 0
        await other.rollback()
    await engine.dispose()


async def test_who_asks_through_a_trusted_proxy_is_the_visitor_and_not_the_proxy(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    await arrange(conn)
    async with both_over(database, tmp_path) as both:

        async def opened_for(addresses: str) -> bytes:
            return (await both.same(page(item(1001), Accept_Language="en", X_Forwarded_For=addresses)))[0]

        assert b"This is the first time it has been checked." in await opened_for("192.0.2.1")
        assert b"This is the first time it has been checked." in await opened_for("192.0.2.99")  # one network
        assert b"Checked 2 times" in await opened_for("198.51.100.7")
        assert b"Checked 3 times" in await opened_for("198.51.100.7, 203.0.113.5")  # the last that is not trusted
        assert b"Checked 4 times" in (await both.short.ask(page(item(1001), Accept_Language="en")))[0]
        assert both.short.reached == 0


async def test_a_failure_of_ours_gets_its_number_from_the_usual_way(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    await arrange(conn)
    async with both_over(database, tmp_path) as both:
        made: Any = both.short.make()
        made._lane.front.hot_path.pages = None

        [answer] = await both.short.ask(request(f"/01/{MILK}", **PAGE))
        assert answer.startswith(b"HTTP/1.1 500 ")
        [answer] = await both.short.ask(page(item(1001)))
        assert answer.startswith(b"HTTP/1.1 500 ")
        assert both.short.reached == 2


async def test_a_connection_left_alone_is_closed_after_its_time(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    await arrange(conn)
    async with both_over(database, tmp_path, keep_alive_s=1) as both:
        [_, closed] = await both.short.ask(request(f"/01/{MILK}"), answers=2)
        assert closed == b""


async def test_the_portal_among_other_faces_is_answered_the_short_way_too(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    await arrange(conn)
    state: dict[str, Any] = {}
    started, ends = asyncio.Event(), asyncio.Event()

    async def another(_scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()

    async def receive() -> Any:
        if started.is_set():
            await ends.wait()
        return {"type": "lifespan.startup"}

    async def send(message: Any) -> None:
        assert message["type"].endswith(".complete")
        started.set()

    combined = Combined(create_app(settings(tmp_path), database), another, another)
    running = asyncio.create_task(combined({"type": "lifespan", "state": state}, receive, send))
    await started.wait()
    assert isinstance(state[STATE], FastLane)
    ends.set()
    await running


async def test_a_server_without_a_portal_is_as_if_there_were_no_short_way(tmp_path: Path) -> None:
    async def elsewhere(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    side = Side(elsewhere, CodeProtocol, {STATE: "something else"})
    server = await asyncio.get_running_loop().create_server(side.make, HOST, 0)
    side.port = server.sockets[0].getsockname()[1]
    [answer] = await side.ask(request(item(1001)))
    assert answer.startswith(b"HTTP/1.1 204 ")
    server.close()
    await until(side.is_quiet)
