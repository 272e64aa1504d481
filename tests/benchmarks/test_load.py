"""Programs beside us and the load on them: real processes on loopback."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path

import brotli
import pytest

from benchmarks import load, machine, static_files
from benchmarks.generator import answer_length, request_bytes
from benchmarks.load import LoadFailed
from benchmarks.loopback import HOST
from benchmarks.processes import PortTaken, ProgramNotReady, free_port, listening, require_free
from benchmarks.static_files import Answer

WRK_WORDS = """
Running 2s test @ http://127.0.0.1:8080
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     0.90ms    0.51ms   9.31ms   91.41%
  Latency Distribution
     50%  730.00us
     75%    0.98ms
     90%    1.20ms
     99%    2.57ms
  168914 requests in 2.00s, 541.27MB read
Requests/sec:  84457.00
Transfer/sec:    270.63MB
"""


def test_the_words_of_wrk_are_read_as_figures() -> None:
    seen = load.read_wrk(WRK_WORDS, used_s=1.64)

    assert (seen.requests, seen.seconds, seen.failures, seen.p50_ms, seen.p99_ms) == (168914, 2.0, 0, 0.73, 2.57)
    assert seen.per_s == pytest.approx(84457)
    assert seen.busy_share == pytest.approx(0.82)


def test_wrong_answers_and_broken_connections_are_failures() -> None:
    words = WRK_WORDS + "  Socket errors: connect 0, read 1, write 0, timeout 2\n  Non-2xx or 3xx responses: 7\n"

    assert load.read_wrk(words, used_s=1.0).failures == 10


def test_a_generator_that_says_nothing_useful_has_failed() -> None:
    with pytest.raises(LoadFailed, match="unable to connect"):
        load.read_wrk("unable to connect to 127.0.0.1:1 Connection refused", used_s=0.1)


def test_the_length_of_an_answer_is_known_once_its_head_has_come() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nCONTENT-LENGTH: 5\r\n\r\n"

    assert answer_length(head[:-1]) == 0
    assert answer_length(head) == len(head) + 5
    with pytest.raises(ValueError, match="no Content-Length"):
        answer_length(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")


def test_a_request_goes_over_the_wire_with_its_headers() -> None:
    assert request_bytes("/01/1", {"Accept": "*/*"}) == b"GET /01/1 HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n\r\n"


def test_the_bare_responder_gives_the_very_bytes_and_the_own_generator_counts_them(tmp_path: Path) -> None:
    body = brotli.compress(b"<html>a page</html>")
    paths = static_files.write(tmp_path, "html", [Answer(body, "br")]) + static_files.write(
        tmp_path, "json", [Answer(b"{}", "")]
    )
    port = free_port()

    with static_files.serving(tmp_path, port, server=static_files.BARE) as pid:
        raw = exchange(port, request_bytes(paths[0], {}))
        seen = load.put(port, [*paths, f"{static_files.REDIRECT}1"], {}, 0.5, generator=load.OWN)
        unknown = load.put(port, ["/html/7.html"], {}, 0.1, generator=load.OWN)
        used_s = machine.cpu_s([pid])

    assert raw.endswith(b"\r\n\r\n" + body)
    assert b"content-encoding: br" in raw
    assert seen.requests > load.CONNECTIONS
    assert seen.failures == 0
    assert 0 < seen.p50_ms <= seen.p99_ms
    assert unknown.failures == unknown.requests > 0
    assert used_s is None or used_s > 0


def test_a_port_that_somebody_listens_on_is_refused_and_left_alone() -> None:
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        port = other.getsockname()[1]

        with pytest.raises(PortTaken, match=str(port)), listening([sys.executable, "-c", "pass"], port):
            pass

        with socket.create_connection((HOST, port)):
            pass
    require_free(free_port())


def test_a_program_that_ends_instead_of_listening_is_refused_with_its_last_words() -> None:
    port = free_port()

    with (
        pytest.raises(ProgramNotReady, match="no such folder"),
        listening([sys.executable, "-c", "raise SystemExit('no such folder')"], port),
    ):
        pass


def test_a_program_of_ours_is_gone_after_its_block_and_knows_no_setting_of_ours(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TRACEMARK_BASE_URL", "https://id.example.com")
    port, told = free_port(), tmp_path / "told"
    program = (
        "import http.server, json, os, pathlib, sys;"
        f"pathlib.Path({str(told)!r}).write_text(json.dumps([n for n in os.environ if n.startswith('TRACEMARK_')]));"
        f"http.server.HTTPServer(({HOST!r}, {port}), http.server.SimpleHTTPRequestHandler).serve_forever()"
    )

    with listening([sys.executable, "-c", program], port, settings={"TRACEMARK_LOG_LEVEL": "error"}):
        pass

    assert json.loads(told.read_text()) == ["TRACEMARK_LOG_LEVEL"]
    require_free(port)


def exchange(port: int, request: bytes) -> bytes:
    """The whole answer to one request."""
    with socket.create_connection((HOST, port)) as client:
        client.sendall(request)
        answer = client.recv(65536)
        while len(answer) < answer_length(answer):
            answer += client.recv(65536)
    return answer
