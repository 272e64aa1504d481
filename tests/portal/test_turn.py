"""What one turn of the loop answered leaves at its end, in order, and before anything that the server writes itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from portal.protocol import STATE
from portal.scan_log import KEPT_MAX, Opening, ScanLog
from runtime.database import DatabaseAddress
from tests.portal.arrangement import NOON, arrange, item
from tests.portal.both_ways import Both, both_over, page

OPENING = Opening(None, "unknown_code", "en")


class Wire(asyncio.Transport):
    """A connection that remembers what went over it, and that it was closed."""

    def __init__(self, order: list[Wire]) -> None:
        super().__init__({"peername": ("127.0.0.1", 4000), "sockname": ("127.0.0.1", 80)})
        self.sent = b""
        self.closed = False
        self.is_broken = False
        self._order = order

    def is_closing(self) -> bool:
        return self.closed

    def write(self, data: Any) -> None:
        assert not self.closed and not self.is_broken
        self.sent += bytes(data)
        self._order.append(self)

    def writelines(self, list_of_data: Iterable[Any]) -> None:
        self.write(b"".join(list_of_data))

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


class Desk:
    """Connections to the shorter way, and the order in which they were written to."""

    def __init__(self, both: Both) -> None:
        self.both = both
        self.order: list[Wire] = []

    def open(self) -> tuple[Any, Wire]:
        wire, protocol = Wire(self.order), self.both.short.make()
        protocol.connection_made(wire)
        return protocol, wire


@asynccontextmanager
async def desk_over(database: DatabaseAddress, conn: AsyncConnection, folder: Path) -> AsyncIterator[Desk]:
    """Connections to a portal that has the pages of a lot ready."""
    await arrange(conn)
    await conn.execute(text("UPDATE product SET checks = 'off'"))
    await conn.execute(text("UPDATE number_block SET skipped = '{}'"))
    await conn.commit()
    async with both_over(database, folder) as both:
        for number in (1001, 1002):
            await both.same(page(item(number)))
        desk = Desk(both)
        yield desk
        for connection in list(both.short.state.connections):
            connection.connection_lost(None)


async def test_the_answers_of_a_turn_leave_at_its_end_in_the_order_of_the_requests(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    async with desk_over(database, conn, tmp_path) as desk:
        opened = [desk.open() for _ in range(4)]
        log = desk.both.short.app_state[STATE].log
        await log.flush()
        for number, (protocol, _) in enumerate(opened):
            protocol.data_received(page(item(1010 + number)))
        assert not desk.order and not len(log)
        await asyncio.sleep(0)
        assert desk.order == [wire for _, wire in opened]
        for number, (_, wire) in enumerate(opened):
            [usual] = await desk.both.usual.ask(page(item(1010 + number)))
            assert wire.sent == usual
        assert len(log) >= len(opened)


async def test_who_asked_and_then_sent_nonsense_gets_the_answer_before_the_refusal(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    async with desk_over(database, conn, tmp_path) as desk:
        protocol, wire = desk.open()
        protocol.data_received(page(item(1010)))
        protocol.data_received(b"no request at all\r\n\r\n")
        assert wire.sent.startswith(b"HTTP/1.1 200 OK\r\n")
        assert wire.sent.count(b"HTTP/1.1 ") == 2 and b"HTTP/1.1 400 Bad Request" in wire.sent
        assert wire.closed


async def test_what_was_answered_is_sent_before_the_connection_ends(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    async with desk_over(database, conn, tmp_path) as desk:
        for end in ("shutdown", "eof_received", "close"):
            protocol, wire = desk.open()
            protocol.data_received(page(item(1010), **({"Connection": "close"} if end == "close" else {})))
            if end == "close":
                await asyncio.sleep(0)
            else:
                getattr(protocol, end)()
            assert wire.sent.startswith(b"HTTP/1.1 200 OK\r\n"), end
            assert wire.closed == (end != "eof_received")


async def test_who_is_gone_before_the_end_of_the_turn_is_not_written_to_and_the_others_are(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    async with desk_over(database, conn, tmp_path) as desk:
        (gone, lost), (here, kept) = desk.open(), desk.open()
        for protocol in (gone, here):
            protocol.data_received(page(item(1010)))
        lost.close()
        await asyncio.sleep(0)
        assert desk.order == [kept]


async def test_a_connection_that_cannot_be_written_to_does_not_take_the_answers_of_the_others(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    async with desk_over(database, conn, tmp_path) as desk:
        (broken, torn), (here, kept) = desk.open(), desk.open()
        torn.is_broken = True
        for protocol in (broken, here):
            protocol.data_received(page(item(1010)))
        await asyncio.sleep(0)
        assert torn.closed and desk.order == [kept]


def test_when_many_openings_come_at_once_the_oldest_make_room() -> None:
    log = ScanLog(None)  # type: ignore[arg-type]  # nothing is written
    log.add(*((NOON, number, None, OPENING, "ios") for number in range(KEPT_MAX - 1)))
    assert (len(log), log.dropped) == (KEPT_MAX - 1, 0)
    log.add(*((NOON, number, None, OPENING, "ios") for number in range(3)))
    assert (len(log), log.dropped) == (KEPT_MAX, 2)
