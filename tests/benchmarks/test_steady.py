"""The open loop counts from when a request was due: whoever comes in a pause of the server has waited for it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from benchmarks import steady
from benchmarks.generator import request_bytes
from benchmarks.loopback import HOST

Answer = Callable[[socket.socket, int], None]
"""Answers the request of this number on its connection."""
REQUEST = request_bytes("/", {})
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def test_who_comes_in_a_pause_has_waited_also_for_a_free_line() -> None:
    def paused(line: socket.socket, number: int) -> None:
        time.sleep(0.2 if number == 0 else 0)
        line.sendall(OK)

    with serving(paused) as port:
        took, late = drive(port, rate=1_000, seconds=0.1, connections=1)

    assert len(took) == 100
    assert min(took) > 0.1 - 1e-3  # due 0.1 s after the first at the latest, and none was answered within 0.2 s
    assert len(late) < len(took)  # most waited for the only line, not for us


def test_answers_in_pieces_are_counted_whole_and_refusals_as_failures() -> None:
    refused = b"HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\nno"

    def in_pieces(line: socket.socket, number: int) -> None:
        answer = (OK, refused)[number % 2]
        for at in range(0, len(answer), 9):
            line.sendall(answer[at : at + 9])
            time.sleep(0.001)

    with serving(in_pieces) as port:
        told = steady.put(port, [REQUEST], 2, seconds=0.1, rate=100)

    assert (told["requests"], told["failures"]) == (10, 5)
    assert 0 < told["p50_ms"] <= told["p99_ms"]


@pytest.mark.parametrize(
    "answer, problem",
    [
        (lambda line, _: line.close(), "hung up|reset"),
        (lambda line, _: line.sendall(OK + b"!"), "1 bytes came that nobody asked for"),
        (lambda line, _: line.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"), "no Content-Length"),
    ],
)
def test_a_server_that_hangs_up_or_says_more_than_it_was_asked_ends_the_run(answer: Answer, problem: str) -> None:
    with serving(answer) as port, pytest.raises((steady.AnswersMissing, OSError, ValueError), match=problem):
        drive(port, rate=10, seconds=0.1, connections=1)


def test_a_server_that_never_answers_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steady, "LAST_ANSWERS_WITHIN_S", 0.1)

    with serving(lambda _line, _number: None) as port, pytest.raises(steady.AnswersMissing, match="2 of them"):
        drive(port, rate=20, seconds=0.1, connections=2)


def drive(port: int, *, rate: float, seconds: float, connections: int) -> tuple[list[float], list[float]]:
    """One run."""
    lines = steady.Lines(port, connections)
    try:
        return steady.drive(lines, [REQUEST], rate, seconds)
    finally:
        lines.close()


@contextmanager
def serving(answer: Answer) -> Iterator[int]:
    """A server that answers whole requests, one thread for each connection; its port."""
    numbers = iter(range(1_000_000))

    def serve(line: socket.socket) -> None:
        with line:
            while line.fileno() >= 0 and line.recv(len(REQUEST), socket.MSG_WAITALL):
                answer(line, next(numbers))

    def accept() -> None:
        while True:
            try:
                line, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(line,), daemon=True).start()

    with socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen()
        threading.Thread(target=accept, daemon=True).start()
        yield int(listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)
