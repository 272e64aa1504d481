"""Load at a constant rate, whatever the server does (an open loop): a pause is seen by all who come in it.

Each request has an instant at which it is due; its time runs from then until its answer is whole, so also while it
waits for a free connection. Run as ``python -m benchmarks.steady PORT PATHS CONNECTIONS SECONDS RATE HEADERS``.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any, Final, cast

import uvloop

from benchmarks.figures import quantile
from benchmarks.generator import LAST_ANSWERS_WITHIN_S, answer_length, request_bytes
from benchmarks.loopback import HOST

TICK_S: Final = 0.0005
CONNECTIONS: Final = 256
"""Many more than are needed at once, so that it is the server that is waited for."""
RATE_MAX: Final = 8_000.0
"""Requests a second that this generator itself keeps up with on one core."""
SHARE: Final = 0.7
"""Of the rate at which a server is saturated."""


class Line(asyncio.Protocol):
    """One connection, with at most one request under way."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._buffer = b""
        self._needed = 0
        self._due_at: float | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # of uvloop, which has classes of its own
        self._pace.free.append(self)

    def send(self, request: bytes, due_at: float) -> None:
        """One request, due at this instant."""
        assert self._transport is not None
        self._due_at = due_at
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer = self._buffer + data if self._buffer else data
        if not self._needed:
            self._needed = answer_length(self._buffer)
        if self._needed and len(self._buffer) >= self._needed and self._due_at is not None:
            self._pace.answered(time.perf_counter() - self._due_at, failed=self._buffer[9:10] >= b"4")
            self._buffer, self._needed, self._due_at = b"", 0, None
            self._pace.next_on(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._pace.lost(under_way=self._due_at is not None)


class Pace:
    """When which request is due, and how long each took."""

    def __init__(self, requests: Iterator[bytes], rate: float) -> None:
        self._requests = requests
        self._rate = rate
        self._sent = 0
        self._waiting: deque[float] = deque()
        self.free: deque[Line] = deque()
        self.seconds: list[float] = []
        self.failures = 0
        self.under_way = 0

    async def run(self, seconds: float) -> float:
        """Send for so long; then wait for the last answers. Returns the time that the sending took."""
        began_at = time.perf_counter()
        while (elapsed := time.perf_counter() - began_at) < seconds:
            while self._sent < elapsed * self._rate:
                self._due(began_at + self._sent / self._rate)
            await asyncio.sleep(TICK_S)
        async with asyncio.timeout(LAST_ANSWERS_WITHIN_S):
            while self.under_way or self._waiting:  # noqa: ASYNC110 - rarely more than once
                await asyncio.sleep(TICK_S)
        return elapsed

    def answered(self, took_s: float, *, failed: bool) -> None:
        """Count one answer."""
        self.under_way -= 1
        self.seconds.append(took_s)
        self.failures += failed

    def lost(self, *, under_way: bool) -> None:
        """Count a broken connection, and the answer that will not come on it."""
        self.failures += 1
        self.under_way -= under_way

    def next_on(self, line: Line) -> None:
        """The connection is free: whoever waits longest goes on it."""
        if self._waiting:
            self._send(line, self._waiting.popleft())
        else:
            self.free.append(line)

    def _due(self, at: float) -> None:
        self._sent += 1
        if self.free:
            self._send(self.free.popleft(), at)  # in turn: a server hangs up on those that it does not hear of
        else:
            self._waiting.append(at)

    def _send(self, line: Line, due_at: float) -> None:
        self.under_way += 1
        line.send(next(self._requests), due_at)


async def put(port: int, requests: Sequence[bytes], connections: int, seconds: float, rate: float) -> dict[str, Any]:
    """Put the load on and tell what came back."""
    pace = Pace(cycle(requests), rate)
    for _ in range(connections):
        await asyncio.get_running_loop().create_connection(lambda: Line(pace), HOST, port)
    took_s = await pace.run(seconds)
    return {
        "requests": len(pace.seconds),
        "seconds": took_s,
        "failures": pace.failures,
        "p50_ms": quantile(pace.seconds, 0.5) * 1000,
        "p99_ms": quantile(pace.seconds, 0.99) * 1000,
    }


def command(port: int, listed: Path, headers: Mapping[str, str], seconds: float, rate: float) -> list[str]:
    """The command line of such a load."""
    words = [str(port), str(listed), str(CONNECTIONS), str(seconds), str(rate), json.dumps(dict(headers))]
    return [sys.executable, "-m", "benchmarks.steady", *words]


def main(arguments: Sequence[str]) -> None:
    """As a program of its own."""
    port, listed, connections, seconds, rate, headers = arguments
    requests = [request_bytes(p, json.loads(headers)) for p in Path(listed).read_text(encoding="ascii").split()]
    print(json.dumps(uvloop.run(put(int(port), requests, int(connections), float(seconds), float(rate)))))


if __name__ == "__main__":
    main(sys.argv[1:])
