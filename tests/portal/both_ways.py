"""The shorter way of an answer beside the usual one, over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from portal.app import create_app
from portal.protocol import STATE, CodeProtocol
from runtime.clock import Clock
from runtime.database import DatabaseAddress
from tests import unhurried
from tests.portal.arrangement import BROWSER, NOON, settings, until

HOST = "127.0.0.1"
SAFARI = "Mozilla/5.0 (iPhone) Safari"
PAGE = {"Accept": BROWSER["accept"], "User-Agent": SAFARI, "Accept-Language": "zh-CN,zh;q=0.9"}


class Side:
    """One server, and how many requests reached its application."""

    def __init__(
        self, app: Any, kind: type[HttpToolsProtocol], state: dict[str, Any], *, keep_alive_s: int = unhurried.NEVER_S
    ) -> None:
        self.reached = 0
        self.state = ServerState()
        self.state.default_headers = [(b"date", b"Tue, 24 Nov 2026 12:00:00 GMT")]

        async def counted(scope: Any, receive: Any, send: Any) -> None:
            self.reached += 1
            await app(scope, receive, send)

        config = Config(counted, access_log=False, lifespan="off", timeout_keep_alive=keep_alive_s)
        config.load()
        self.config, self.kind, self.app_state = config, kind, state
        self.port = 0

    def make(self) -> HttpToolsProtocol:
        """The protocol of a new connection."""
        return self.kind(config=self.config, server_state=self.state, app_state=self.app_state)

    async def ask(self, *pieces: bytes, answers: int = 1) -> list[bytes]:
        """Whole answers to bytes sent in these pieces on one connection; ``b""`` where the connection was closed."""
        loop, reader = asyncio.get_running_loop(), asyncio.StreamReader()
        writer, _ = await loop.create_connection(lambda: Hearing(reader), HOST, self.port)
        try:
            for piece in pieces:
                writer.write(piece)
                await asyncio.sleep(0.02 if len(pieces) > 1 else 0)
            is_head = pieces[0].startswith(b"HEAD")
            return [
                await asyncio.wait_for(answer_of(reader, is_head=is_head), unhurried.NEVER_S) for _ in range(answers)
            ]
        finally:
            writer.close()

    async def is_quiet(self) -> bool:
        """Close what is open; True when nothing is."""
        for connection in list(self.state.connections):
            connection.shutdown()
        return not self.state.connections and not self.state.tasks


class Hearing(asyncio.StreamReaderProtocol):
    """Hears all that was said before a reset: who goes on sending to a closed connection is answered by one."""

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(None)


async def answer_of(reader: asyncio.StreamReader, *, is_head: bool) -> bytes:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as cut:
        return cut.partial
    fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
    size = 0 if is_head else int(fields.get(b"content-length", b"0"))
    return head + await reader.readexactly(size)


class Both:
    """The shorter way, and the usual one, over one application."""

    def __init__(self, short: Side, usual: Side) -> None:
        self.short, self.usual = short, usual

    async def same(self, *pieces: bytes, answers: int = 1) -> list[bytes]:
        """The answers, after both ways gave the same. A recall does not wait for its count, so the comparison does."""
        counter = self.short.app_state[STATE].front.reader.counter
        await counter.settle()
        usual = await self.usual.ask(*pieces, answers=answers)
        for _ in ("made", "ready"):
            await counter.settle()
            short = await self.short.ask(*pieces, answers=answers)
            assert short == usual, f"the shorter way: {short}\nthe usual one: {usual}"
        return usual


@asynccontextmanager
async def both_over(
    database: DatabaseAddress,
    folder: Path,
    clock: Clock = lambda: NOON,
    *,
    keep_alive_s: int = unhurried.NEVER_S,
    **changes: Any,
) -> AsyncIterator[Both]:
    """Both ways over one portal whose clock stands still, unless another is given."""
    chosen = settings(folder, **({"sweep_every_s": 10.0} | changes))
    app: Any = create_app(chosen, database, clock)
    async with app.router.lifespan_context(app) as state:
        short = Side(app, CodeProtocol, state, keep_alive_s=keep_alive_s)
        both = Both(short, Side(app, HttpToolsProtocol, {}, keep_alive_s=keep_alive_s))
        loop = asyncio.get_running_loop()
        servers = [await loop.create_server(side.make, HOST, 0) for side in (both.short, both.usual)]
        for side, server in zip((both.short, both.usual), servers, strict=True):
            side.port = server.sockets[0].getsockname()[1]
        try:
            yield both
        finally:
            for server in servers:
                server.close()
            for side in (both.short, both.usual):
                await until(side.is_quiet)


def request(path: str, method: str = "GET", version: str = "1.1", **fields: str) -> bytes:
    lines = [
        f"{method} {path} HTTP/{version}",
        f"Host: {HOST}",
        *(f"{k.replace('_', '-')}: {v}" for k, v in fields.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def page(path: str, **fields: str) -> bytes:
    return request(path, **{**PAGE, **{name.replace("_", "-"): value for name, value in fields.items()}})
