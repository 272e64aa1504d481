"""The strict reader beside the server's own parser: what it reads, both read alike; what is odd, it leaves alone."""

from __future__ import annotations

import httptools
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal import plain_request
from portal.plain_request import PlainReader
from tests.examples import examples

CODE = b"/01/09520123456788/21/ABCDEFGHJKLM"
PLAIN = b"GET " + CODE + b" HTTP/1.1\r\nHost: id.creamery.example\r\nAccept: */*\r\n\r\n"


class Heard:
    """What httptools makes of the same bytes."""

    def __init__(self, data: bytes) -> None:
        self.url = b""
        self.fields: list[tuple[str, str]] = []
        self.begun = self.completed = 0
        self.body = b""
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as the server has it
        self.parser.feed_data(data)

    def on_message_begin(self) -> None:
        self.begun += 1

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name.decode().lower(), value.decode()))

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.completed += 1


def assert_both_read_the_same(data: bytes) -> bool:
    """True when the strict reader read it; then the parser must have seen exactly that, and nothing else."""
    request = PlainReader().read(data)
    if request is None:
        return False
    heard = Heard(data)
    assert (heard.begun, heard.completed, heard.body) == (1, 1, b"")
    assert heard.parser.get_method() == b"GET"
    assert heard.parser.get_http_version() == "1.1"
    assert heard.parser.should_keep_alive() == (not request.head.closes)
    assert not heard.parser.should_upgrade()
    url = httptools.parse_url(heard.url)
    assert (url.path.decode(), (url.query or b"").decode()) == (request.path, request.query)
    assert heard.fields == list(request.head.fields.items())
    return True


def test_a_plain_request_is_read() -> None:
    assert assert_both_read_the_same(PLAIN)
    request = PlainReader().read(PLAIN.replace(b" HTTP", b"?lang=zh HTTP"))
    assert request is not None
    assert (request.path, request.query, request.head.get("accept")) == (CODE.decode(), "lang=zh", "*/*")
    assert not request.head.closes


@pytest.mark.parametrize(
    "odd",
    [
        PLAIN[:-1],  # not whole
        PLAIN + b"GET / HTTP/1.1\r\n",  # the next one begins
        PLAIN + PLAIN,
        b"\r\n" + PLAIN,
        PLAIN.replace(b"GET", b"HEAD"),
        PLAIN.replace(b"GET", b"get"),
        PLAIN.replace(b"/1.1", b"/1.0"),
        PLAIN.replace(b"GET /", b"GET  /"),
        PLAIN.replace(b"GET /", b"GET http://id.creamery.example/"),
        PLAIN.replace(b"ABC", b"A#C"),
        PLAIN.replace(b"ABC", b"A\x00C"),
        PLAIN.replace(b"ABC", b"A\xe9C"),
        PLAIN.replace(b"\r\n", b"\n"),
        PLAIN.replace(b"Accept:", b"Accept :"),
        PLAIN.replace(b"Accept:", b" Accept:"),  # a folded line
        PLAIN.replace(b"*/*", b"*/*\r\n\ttext/html"),
        PLAIN.replace(b"*/*", b"*/* "),
        PLAIN.replace(b"*/*", b"*/*\rX: y"),
        PLAIN.replace(b"*/*", b"*/*\x00"),
        PLAIN.replace(b"Accept: */*", b"Content-Length: 0"),
        PLAIN.replace(b"Accept: */*", b"CONTENT-LENGTH: 5"),
        PLAIN.replace(b"Accept: */*", b"Transfer-Encoding: chunked"),
        PLAIN.replace(b"Accept: */*", b"Expect: 100-continue"),
        PLAIN.replace(b"Accept: */*", b"Connection: Upgrade\r\nUpgrade: websocket"),
        PLAIN.replace(b"Accept: */*", b"Connection: close, TE"),
        PLAIN.replace(b"Accept: */*", b"Host: another.example"),
        PLAIN.replace(b"Host", b"Hast"),
    ],
)
def test_what_is_odd_is_left_to_the_parser(odd: bytes) -> None:
    assert PlainReader().read(odd) is None


def test_a_request_is_left_to_the_parser_when_it_is_one_byte_too_long() -> None:
    longest = PLAIN.replace(b"*/*", b"a" * (plain_request.REQUEST_BYTES_MAX - len(PLAIN) + 3))

    assert assert_both_read_the_same(longest)
    assert PlainReader().read(longest.replace(b"aa", b"aaa", 1)) is None


def test_a_head_read_again_is_the_same_and_the_store_of_heads_does_not_grow_beyond_its_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(plain_request, "HEADS_MAX", 2)
    reader = PlainReader()

    for turn in range(5):
        data = PLAIN.replace(b"*/*", f"text/{turn}".encode())
        assert reader.read(data) == reader.read(data) != reader.read(PLAIN)
        assert len(reader._heads) <= 2


NAMES = [
    b"Host", b"Accept", b"accept", b"Connection", b"Content-Length", b"Transfer-Encoding", b"Upgrade", b"X-Y",
    b"Proxy-Connection", b"Expect", b"Keep-Alive", b"TE", b"Trailer", b"X_Y", b" X", b"", b"User-Agent",
]  # fmt: skip
VALUES = [
    b"id.creamery.example", b"*/*", b"close", b"keep-alive", b"Close", b"close, keep-alive", b"0", b"5", b"chunked",
    b"websocket", b"h2c", b"upgrade", b"", b"   ", b"a b", b"\tx", b"x\t", b"\xff", b"a:b", b"100-continue", b"a\x01",
]  # fmt: skip
LINES = st.tuples(
    st.sampled_from(NAMES),
    st.sampled_from([b":", b": ", b":  ", b" :", b":\t", b""]),
    st.one_of(st.sampled_from(VALUES), st.binary(max_size=6)),
    st.sampled_from([b"\r\n"] * 12 + [b"\n", b"\r", b"\r\n ", b"\r\n\r\n"]),
).map(b"".join)
TARGETS = st.one_of(
    st.sampled_from(
        [CODE, b"/", b"//a/b", b"/01/x?y", b"/01/x?y?z", b"/01/x?", b"*", b"http://a/b", b"/a:b@c", b"/%00"]
    ),
    st.binary(max_size=8).map(lambda end: CODE + end),
)
FIRST_LINES = st.tuples(
    st.sampled_from([b"GET"] * 8 + [b"POST", b"HEAD", b"PRI", b"GET ", b"\r\nGET"]),
    st.sampled_from([b" "] * 8 + [b"  ", b"\t"]),
    TARGETS,
    st.sampled_from(
        [b" HTTP/1.1\r\n"] * 8 + [b" HTTP/1.0\r\n", b" HTTP/1.1\n", b" HTTP/1.1 \r\n", b"\r\n", b" HTTP/2\r\n"]
    ),
).map(b"".join)
HOST = st.sampled_from([b"Host: id.creamery.example\r\n"] * 6 + [b""])
ENDS = st.sampled_from([b"\r\n"] * 8 + [b"", b"\n", b"\r\n\r\n", b"\r\nx", b"\r\n" + PLAIN])


@settings(max_examples=examples(150), deadline=None)
@given(FIRST_LINES, HOST, st.lists(LINES, max_size=4).map(b"".join), ENDS)
def test_no_request_made_of_odd_pieces_is_read_in_two_ways(first: bytes, host: bytes, lines: bytes, end: bytes) -> None:
    assert_both_read_the_same(first + host + lines + end)


@settings(max_examples=examples(150), deadline=None)
@given(st.integers(0, len(PLAIN)), st.integers(0, 4), st.binary(max_size=4))
def test_no_plain_request_with_bytes_changed_is_read_in_two_ways(at: int, gone: int, put: bytes) -> None:
    assert_both_read_the_same(PLAIN[:at] + put + PLAIN[at + gone :])
