"""A small load generator: raw sockets on uvloop, one request at a time on each connection.

Run as ``python -m benchmarks.generator PORT PATHS CONNECTIONS SECONDS HEADERS`` it writes one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any, Final, cast

import uvloop

from benchmarks.figures import quantile
from benchmarks.loopback import HOST

_END_OF_HEAD: Final = b"\r\n\r\n"
_LENGTH: Final = b"\r\ncontent-length:"
_FAILURE_FROM: Final = b"4"
LAST_ANSWERS_WITHIN_S: Final = 20.0
ANSWER_BYTES_MAX: Final = 16 * 1024 * 1024


class Connection(asyncio.Protocol):
    """Sends the next request when the answer to the last one is whole."""

    def __init__(self, requests: Iterator[bytes], tally: Tally) -> None:
        self._requests = requests
        self._tally = tally
        self._buffer = bytearray()
        self._needed = 0
        self._sent_at = 0.0
        self._waits = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # of uvloop, which has classes of its own
        self._send()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._needed:
            self._needed = answer_length(self._buffer)
        if self._needed and len(self._buffer) >= self._needed:
            self._tally.add(time.perf_counter() - self._sent_at, failed=self._buffer[9:10] >= _FAILURE_FROM)
            self._waits = False
            self._buffer.clear()
            self._needed = 0
            self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        self._tally.lose(under_way=self._waits)

    def _send(self) -> None:
        if not self._tally.over and self._transport is not None:
            self._tally.sent()
            self._waits = True
            self._sent_at = time.perf_counter()
            self._transport.write(next(self._requests))


class Tally:
    """Times of the answers; when the load is over, those under way are still waited for."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.failed = 0
        self.broken = 0
        self.over = False
        self.under_way = 0
        self.all_answered = asyncio.Event()

    def sent(self) -> None:
        """Count one request."""
        self.under_way += 1

    def add(self, seconds: float, *, failed: bool) -> None:
        """Count one answer."""
        self.seconds.append(seconds)
        self.failed += failed
        self._one_less()

    def lose(self, *, under_way: bool) -> None:
        """Count a broken connection, and the answer that will not come on it."""
        self.broken += 1
        if under_way:
            self._one_less()

    def _one_less(self) -> None:
        self.under_way -= 1
        if self.over and not self.under_way:
            self.all_answered.set()


def answer_length(buffer: bytes | bytearray) -> int:
    """Bytes of the whole answer whose head has come, 0 while it has not. ValueError without Content-Length."""
    end = buffer.find(_END_OF_HEAD)
    if end < 0:
        return 0
    head = bytes(buffer[:end]).lower()
    at = head.find(_LENGTH)
    if at < 0:
        raise ValueError("the answer has no Content-Length; this generator reads no other kind")
    length = int(head[at + len(_LENGTH) :].split(b"\r\n", 1)[0])
    if length > ANSWER_BYTES_MAX:
        raise ValueError(f"the answer has {length} bytes, more than {ANSWER_BYTES_MAX}")
    return end + len(_END_OF_HEAD) + length


def request_bytes(path: str, headers: Mapping[str, str]) -> bytes:
    """One GET as it goes over the wire."""
    fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n{fields}\r\n".encode("ascii")


async def generate(port: int, requests: Sequence[bytes], connections: int, seconds: float) -> dict[str, Any]:
    """Put the load on and tell what came back."""
    loop, tally, waiting = asyncio.get_running_loop(), Tally(), cycle(requests)
    started_at = time.perf_counter()
    for _ in range(connections):
        await loop.create_connection(lambda: Connection(waiting, tally), HOST, port)
    await asyncio.sleep(seconds)
    tally.over = True
    if tally.under_way:
        async with asyncio.timeout(LAST_ANSWERS_WITHIN_S):
            await tally.all_answered.wait()
    took_s = time.perf_counter() - started_at
    if not tally.seconds:
        raise SystemExit("not one answer came")
    return {
        "requests": len(tally.seconds),
        "seconds": took_s,
        "failures": tally.failed + tally.broken,
        "p50_ms": quantile(tally.seconds, 0.5) * 1000,
        "p99_ms": quantile(tally.seconds, 0.99) * 1000,
    }


def main(arguments: Sequence[str]) -> None:
    """As a program of its own."""
    port, listed, connections, seconds, headers = arguments
    paths = Path(listed).read_text(encoding="ascii").split()
    requests = [request_bytes(path, json.loads(headers)) for path in paths]
    print(json.dumps(uvloop.run(generate(int(port), requests, int(connections), float(seconds)))))


if __name__ == "__main__":
    main(sys.argv[1:])
