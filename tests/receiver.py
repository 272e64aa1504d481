"""A receiver of webhooks on this machine, which keeps what it got."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any


class Receiver:
    """Keeps the requests it got, and answers each in the same way; ``on_arrival`` is called before the answer."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.requests: list[bytes] = []
        self.port = 0
        self.on_arrival: Callable[[], object] = lambda: None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        self.requests.append(head + await reader.readexactly(length))
        self.on_arrival()
        writer.write(self.answer)
        writer.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def headers(self) -> dict[str, str]:
        """Of the last request, names in small letters."""
        return self.headers_of(-1)

    def headers_of(self, which: int) -> dict[str, str]:
        lines = self.requests[which].split(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
        return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}

    def body_of(self, which: int) -> bytes:
        return self.requests[which].split(b"\r\n\r\n", maxsplit=1)[1]

    def documents(self) -> list[dict[str, Any]]:
        return [json.loads(self.body_of(which)) for which in range(len(self.requests))]


@asynccontextmanager
async def receiver(answer: bytes, tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """It listens as long as the block lasts."""
    place = Receiver(answer)
    server = await asyncio.start_server(place.serve, "127.0.0.1", 0, ssl=tls)
    place.port = server.sockets[0].getsockname()[1]
    async with server:
        yield place


def answers(status: str, *headers: str, body: bytes = b"") -> bytes:
    """An answer as it goes over the wire."""
    head = "\r\n".join((f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers))
    return head.encode() + b"\r\n\r\n" + body
