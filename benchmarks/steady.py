"""Load at a constant rate, whatever the server does (an open loop): a pause is seen by all who come in it.

Each request has an instant at which it is due; its time runs from then until its answer is whole, so also while it
waits for a free connection or for this program. One process holds 50,000 a second: requests are made beforehand, all
that are due are sent at once, answers are read into one buffer and counted by their length, and between two looks it
sleeps for less than a request takes.

Run as ``python -m benchmarks.steady PORT PATHS CONNECTIONS SECONDS RATE HEADERS``.
"""

from __future__ import annotations

import gc
import json
import select
import socket
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.figures import quantile
from benchmarks.generator import ANSWER_BYTES_MAX, LAST_ANSWERS_WITHIN_S, answer_length, request_bytes
from benchmarks.loopback import HOST

TICK_S: Final = 0.00004
CONNECTIONS: Final = 256
"""Many more than are needed at once, so that it is the server that is waited for."""
RATE_MAX: Final = 60_000.0
"""Requests a second that are asked of this generator at most; how late it was itself is told."""
LATE_SHARE_MAX: Final = 0.5
"""When its own lateness (p99) is more than this share of what it measured, it was the limit."""
SHARE: Final = 0.7
"""Of the rate at which a server is saturated."""
READ_BYTES: Final = 262_144
_TIMER_SLACK: Final = Path("/proc/self/timerslack_ns")
"""By how much Linux may lengthen our sleeps: 50 µs, if nobody asks for less."""
_LENGTH: Final = b"ength: "
_END_OF_HEAD: Final = b"\r\n\r\n"
_STATUS_AT: Final = 9
_FAILURE_FROM: Final = ord("4")
_HEAD_MISSING: Final = -ANSWER_BYTES_MAX - 1


class AnswersMissing(Exception):
    """The load is over, and answers have not come in time."""


class Lines:
    """The connections, each named by the number of its socket, with at most one request under way on each."""

    def __init__(self, port: int, connections: int) -> None:
        self._sockets = {each.fileno(): each for each in (_connected(port) for _ in range(connections))}
        self._poll = select.epoll() if hasattr(select, "epoll") else select.poll()
        for number in self._sockets:
            self._poll.register(number, select.POLLIN)
        size = max(self._sockets) + 1
        self.free = deque(self._sockets)
        """In turn: a server hangs up on those that it does not hear of."""
        self._due_at = [0.0] * size
        self._missing = [0] * size
        """Bytes of an answer that have not come yet, of one of which the head has come."""
        self._heads: dict[int, bytes] = {}
        self._buffer = bytearray(READ_BYTES)
        self.failures = 0

    def send(self, request: bytes, due_at: float) -> None:
        """On the line that has been free for longest."""
        number = self.free.popleft()
        self._due_at[number] = due_at
        self._sockets[number].sendall(request)

    def take(self, seconds: list[float], began_at: float) -> int:
        """Take what has come. Notes how long each answer took that is whole, and returns how many lines were heard."""
        sockets, buffer, missing, now = self._sockets, self._buffer, self._missing, time.perf_counter
        heard = self._poll.poll(0)
        for number, _ in heard:
            got = sockets[number].recv_into(buffer)
            left = missing[number] - got if missing[number] else self._left(number, got)
            if left:
                missing[number] = left if left > 0 and got else self._odd(left, got)
                continue
            missing[number] = 0
            seconds.append(now() - began_at - self._due_at[number])
            self.free.append(number)
        return len(heard)

    def close(self) -> None:
        """Hang up."""
        for each in self._sockets.values():
            each.close()

    def _left(self, number: int, got: int) -> int:
        """How many bytes of the answer are missing, when its first ones stand in the buffer."""
        buffer = self._buffer
        at, end = buffer.find(_LENGTH, 0, got), buffer.find(_END_OF_HEAD, 0, got)
        if number in self._heads or at < 0 or end < at:
            return self._left_of_pieces(number, got)
        self.failures += buffer[_STATUS_AT] >= _FAILURE_FROM
        return end + len(_END_OF_HEAD) + int(buffer[at + len(_LENGTH) : buffer.index(b"\r", at)]) - got

    def _left_of_pieces(self, number: int, got: int) -> int:
        """The same where the head comes in pieces; ``_HEAD_MISSING`` while it is not whole."""
        told = self._heads.pop(number, b"") + bytes(self._buffer[:got])
        needed = answer_length(told)
        if not needed:
            self._heads[number] = told
            return _HEAD_MISSING
        self.failures += told[_STATUS_AT] >= _FAILURE_FROM
        return needed - len(told)

    def _odd(self, left: int, got: int) -> int:
        """What is missing of an answer whose head is not there yet: not known, 0. Everything else is an error."""
        if not got:
            raise AnswersMissing("the server hung up")
        if left != _HEAD_MISSING:
            raise AnswersMissing(f"{-left} bytes came that nobody asked for")
        return 0


def drive(lines: Lines, requests: Sequence[bytes], rate: float, seconds: float) -> tuple[list[float], list[float]]:
    """How long each request took from when it was due, and how late those were sent that had a line: our own lateness.

    All that were due in these ``seconds`` are waited for. AnswersMissing when the last ones do not come.
    """
    due_at: list[float] = (np.arange(round(rate * seconds)) / rate).tolist()
    took: list[float] = []
    late: list[float] = []
    now, free, different, sent, no_line_at = time.perf_counter, lines.free, len(requests), 0, -1.0
    began_at = now()
    while len(took) < len(due_at):
        at = now() - began_at
        while sent < len(due_at) and due_at[sent] <= at:
            if not free:
                no_line_at = at  # whoever is due until now waits for the server, not for us
                break
            if due_at[sent] > no_line_at:
                late.append(now() - began_at - due_at[sent])
            lines.send(requests[sent % different], due_at[sent])
            sent += 1
        if not lines.take(took, began_at):
            if at > seconds + LAST_ANSWERS_WITHIN_S:
                raise AnswersMissing(f"{len(due_at) - len(took)} of them")
            time.sleep(TICK_S)
    return took, late


def put(port: int, requests: Sequence[bytes], connections: int, seconds: float, rate: float) -> dict[str, Any]:
    """Put the load on and tell what came back."""
    with suppress(OSError):
        _TIMER_SLACK.write_text("1", encoding="ascii")
    lines = Lines(port, connections)
    gc.freeze()  # the requests live on: a collection would be a pause of ours
    gc.disable()
    took, late = drive(lines, requests, rate, seconds)
    lines.close()
    return {
        "requests": len(took),
        "seconds": seconds,
        "failures": lines.failures,
        "p50_ms": quantile(took, 0.5) * 1000,
        "p99_ms": quantile(took, 0.99) * 1000,
        "late_ms": quantile(late, 0.99) * 1000,
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


def _connected(port: int) -> socket.socket:
    made = socket.create_connection((HOST, port), timeout=LAST_ANSWERS_WITHIN_S)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    made.setblocking(False)
    return made


if __name__ == "__main__":
    main(sys.argv[1:])
