"""The head of a request: how long it may be, how long it may take, and what is no head."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from portal.protocol import CodeProtocol
from tests.portal.both_ways import HOST, Side, answer_of
from web.heads import HEAD_BYTES_MAX, PER_BODY_BYTE, BoundedHead

FIRST = b"POST / HTTP/1.1\r\nHost: it.example\r\n"
CHUNKED = FIRST + b"Transfer-Encoding: chunked\r\n\r\n"
READ_AT_ONCE = 262_144
"""What a loop takes from a connection at a time: so much may come together with the first bytes."""
TOO_MUCH = HEAD_BYTES_MAX + 2 * READ_AT_ONCE


class Hasty(BoundedHead):
    head_within_s = 0.05


async def length(_scope: Any, receive: Any, send: Any) -> None:
    """An application that tells how long the body was."""
    total, more = 0, True
    while more:
        message = await receive()
        total, more = total + len(message.get("body", b"")), message.get("more_body", False)
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(str(total)))]}
    )
    await send({"type": "http.response.body", "body": str(total).encode()})


@asynccontextmanager
async def listening(kind: type[BoundedHead] = BoundedHead) -> AsyncIterator[Side]:
    side = Side(length, kind, {})
    server = await asyncio.get_running_loop().create_server(side.make, HOST, 0)
    side.port = server.sockets[0].getsockname()[1]
    yield side
    server.close()
    await side.is_quiet()


def in_pieces(whole: bytes, size: int = 50_000) -> list[bytes]:
    return [whole[at : at + size] for at in range(0, len(whole), size)]


@pytest.mark.parametrize("kind", [BoundedHead, CodeProtocol])
@pytest.mark.parametrize(
    "endless",
    [
        FIRST + b"X: " + b"x" * TOO_MUCH,
        FIRST + b"X: x\r\n" * (TOO_MUCH // 6),
        b"GET /" + b"x" * TOO_MUCH,
        CHUNKED + b"0\r\nX: " + b"x" * TOO_MUCH,  # what may follow a body
        CHUNKED + b"1;" + b"x" * TOO_MUCH,
    ],
    ids=["a field", "fields", "an address", "a trailer", "a chunk's extension"],
)
async def test_a_head_without_an_end_is_refused_before_it_fills_the_memory(
    kind: type[BoundedHead], endless: bytes
) -> None:
    async with listening(kind) as side:
        [answer] = await side.ask(*in_pieces(endless))

    assert answer.startswith(b"HTTP/1.1 431 ") or answer == b""  # amid an answer the connection only ends
    assert side.reached == endless.startswith(CHUNKED)


@pytest.mark.parametrize(
    ("whole", "told"),
    [
        (FIRST + b"X: " + b"x" * (HEAD_BYTES_MAX - 200) + b"\r\n\r\n", b"0"),
        (FIRST + b"Content-Length: 700000\r\n\r\n" + b"b" * 700_000, b"700000"),
        (CHUNKED + b"1\r\nb\r\n" * 60_000 + b"0\r\n\r\n", b"60000"),
    ],
    ids=["a head at the limit", "a large body", "a body in the smallest chunks"],
)
async def test_a_long_head_and_a_body_of_any_length_are_taken(whole: bytes, told: bytes) -> None:
    async with listening() as side:
        answers = await side.ask(*in_pieces(whole + FIRST + b"\r\n"), answers=2)

    assert len(b"1\r\nb\r\n") - 1 < PER_BODY_BYTE
    assert [answer.rpartition(b"\r\n\r\n")[2] for answer in answers] == [told, b"0"]


@pytest.mark.parametrize(("begun", "status"), [(FIRST, b"HTTP/1.1 408 "), (b"G", b"HTTP/1.1 408 "), (b"", b"")])
async def test_a_head_that_does_not_come_ends_its_connection(begun: bytes, status: bytes) -> None:
    async with listening(Hasty) as side:
        [answer] = await side.ask(begun)

    assert answer.startswith(status)
    assert bool(answer) is bool(status)


async def test_a_connection_that_was_answered_is_not_ended_as_one_that_never_asked() -> None:
    async with listening() as side:
        reader, writer = await asyncio.open_connection(HOST, side.port)
        for _ in range(2):
            writer.write(FIRST + b"\r\n")
            assert (await answer_of(reader, is_head=False)).endswith(b"\r\n\r\n0")
            [connection] = side.state.connections
            connection._end_silent()  # type: ignore[union-attr]
        writer.close()
