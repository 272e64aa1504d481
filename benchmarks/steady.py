"""Load at a constant rate, whatever the server does (an open loop): a pause is seen by all who come in it.

Each request has an instant at which it is due; its time runs from then until its answer is whole, so also while it
waits for a free connection. Bare sockets, and all that are due sent at once, so that one core keeps up with 30,000 a
second. Run as ``python -m benchmarks.steady PORT PATHS CONNECTIONS SECONDS RATE HEADERS``.
"""

from __future__ import annotations

import gc
import json
import selectors
import socket
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any, Final

from benchmarks.figures import quantile
from benchmarks.generator import LAST_ANSWERS_WITHIN_S, answer_length, request_bytes
from benchmarks.loopback import HOST

TICK_S: Final = 0.0001
CONNECTIONS: Final = 256
"""Many more than are needed at once, so that it is the server that is waited for."""
RATE_MAX: Final = 40_000.0
"""Requests a second that are asked of this generator at most; how late it was itself is told."""
LATE_SHARE_MAX: Final = 0.5
"""When its own lateness (p99) is more than this share of what it measured, it was the limit."""
SHARE: Final = 0.7
"""Of the rate at which a server is saturated."""
READ_BYTES: Final = 65_536


class AnswersMissing(Exception):
    """The load is over, and answers have not come in time."""


class Line:
    """One connection, with at most one request under way."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection((HOST, port), timeout=LAST_ANSWERS_WITHIN_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.due_at: float | None = None
        self._buffer = b""
        self._needed = 0

    def has_answer(self) -> bool:
        """Take what has come; whether the answer is whole. ConnectionError when the other side hung up."""
        data = self.socket.recv(READ_BYTES)
        if not data:
            raise ConnectionError
        self._buffer = self._buffer + data if self._buffer else data
        if not self._needed:
            self._needed = answer_length(self._buffer)
        return bool(self._needed) and len(self._buffer) >= self._needed

    def is_failure(self) -> bool:
        """Whether the answer that is whole has a status from 400 on; the line is free then."""
        failed = self._buffer[9:10] >= b"4"
        self._buffer, self._needed, self.due_at = b"", 0, None
        return failed


class Pace:
    """When which request is due, and how long each took."""

    def __init__(self, requests: Iterator[bytes], rate: float, lines: Sequence[Line]) -> None:
        self._requests = requests
        self._rate = rate
        self._sent = 0
        self._waiting: deque[float] = deque()
        self._free = deque(lines)
        self._under_way = 0
        self._ready = selectors.DefaultSelector()
        for line in lines:
            self._ready.register(line.socket, selectors.EVENT_READ, line)
        self.seconds: list[float] = []
        self.late_s: list[float] = []
        """How long after it was due a request was sent for which a connection was free: our own lateness."""
        self.failures = 0

    def run(self, seconds: float) -> float:
        """Send for so long; then wait for the last answers. Returns the time that the sending took."""
        began_at = time.perf_counter()
        while (elapsed := time.perf_counter() - began_at) < seconds:
            while self._sent < elapsed * self._rate:
                self._due(began_at + self._sent / self._rate)
            if not self._take():
                time.sleep(TICK_S)
        until = time.perf_counter() + LAST_ANSWERS_WITHIN_S
        while self._under_way or self._waiting:
            if time.perf_counter() > until:
                raise AnswersMissing(f"{self._under_way + len(self._waiting)} of them")
            self._take()
        return elapsed

    def _take(self) -> int:
        found = self._ready.select(0)
        for key, _ in found:
            line: Line = key.data
            try:
                if line.has_answer() and line.due_at is not None:
                    self.seconds.append(time.perf_counter() - line.due_at)
                    self.failures += line.is_failure()
                    self._under_way -= 1
                    self._next_on(line)
            except ConnectionError:
                self._ready.unregister(line.socket)
                self.failures += 1
                self._under_way -= line.due_at is not None
        return len(found)

    def _next_on(self, line: Line) -> None:
        """The connection is free: whoever waits longest goes on it."""
        if self._waiting:
            self._send(line, self._waiting.popleft())
        else:
            self._free.append(line)

    def _due(self, at: float) -> None:
        self._sent += 1
        if self._free:
            self.late_s.append(time.perf_counter() - at)
            self._send(self._free.popleft(), at)  # in turn: a server hangs up on those that it does not hear of
        else:
            self._waiting.append(at)

    def _send(self, line: Line, due_at: float) -> None:
        self._under_way += 1
        line.due_at = due_at
        line.socket.sendall(next(self._requests))


def put(port: int, requests: Sequence[bytes], connections: int, seconds: float, rate: float) -> dict[str, Any]:
    """Put the load on and tell what came back."""
    lines = [Line(port) for _ in range(connections)]
    pace = Pace(cycle(requests), rate, lines)
    gc.freeze()  # the requests live on: a collection would be a pause of ours
    took_s = pace.run(seconds)
    for line in lines:
        line.socket.close()
    return {
        "requests": len(pace.seconds),
        "seconds": took_s,
        "failures": pace.failures,
        "p50_ms": quantile(pace.seconds, 0.5) * 1000,
        "p99_ms": quantile(pace.seconds, 0.99) * 1000,
        "late_ms": quantile(pace.late_s, 0.99) * 1000,
    }


def command(port: int, listed: Path, headers: Mapping[str, str], seconds: float, rate: float) -> list[str]:
    """The command line of such a load."""
    words = [str(port), str(listed), str(CONNECTIONS), str(seconds), str(rate), json.dumps(dict(headers))]
    return [sys.executable, "-m", "benchmarks.steady", *words]


def main(arguments: Sequence[str]) -> None:
    """As a program of its own."""
    port, listed, connections, seconds, rate, headers = arguments
    requests = [request_bytes(p, json.loads(headers)) for p in Path(listed).read_text(encoding="ascii").split()]
    print(json.dumps(put(int(port), requests, int(connections), float(seconds), float(rate))))


if __name__ == "__main__":
    main(sys.argv[1:])
