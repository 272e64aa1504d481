"""Reads a request only when it is whole, simple and without a body; of everything else it says nothing.

What is read here must be read by the server's own parser in the same way: a request that the two see differently is how
requests are smuggled. So this reader knows one form only, and hands on whatever differs from it by a single byte.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

REQUEST_BYTES_MAX: Final = 8_192
"""A longer request is handed on."""
HEADS_MAX: Final = 1_000
HEAD_BYTES_KEPT_MAX: Final = 2_048
"""Heads kept as read (together at most about 6 MB): phones of one kind send the same bytes but for the first line."""

_END: Final = b"\r\n\r\n"
_FIRST_LINE = re.compile(
    rb"GET (/[A-Za-z0-9\-._~!$&'()*+,;=:@%/]*)(?:\?([A-Za-z0-9\-._~!$&'()*+,;=:@%/?]*))? HTTP/1\.1"
)
# No folded lines, no obsolete bytes, no blank before the colon or at the end: RFC 9112, 5 and 2.2.
_FIELDS = re.compile(rb"(?:[A-Za-z0-9\-]+:(?:[ -~]*[!-~])?\r\n)+")
_NOT_PLAIN: Final = frozenset(
    (
        "content-length",
        "transfer-encoding",
        "expect",
        "upgrade",
        "http2-settings",
        "te",
        "trailer",
        "keep-alive",
        "proxy-connection",
    )
)


PASSING: Final = (
    "x-forwarded-for",
    "if-none-match",
    "cookie",
    "referer",
    "via",
    "forwarded",
    "traceparent",
    "tracestate",
    "x-real-ip",
    "x-request-id",
    "x-correlation-id",
    "x-amzn-trace-id",
    "x-amz-cf-id",
    "cf-ray",
    "cf-connecting-ip",
    "true-client-ip",
)
"""Fields whose values differ from request to request: heads are alike without them. The first two are read all the
same; of the others nothing is."""


class Passing(NamedTuple):
    """What a head said in its passing fields."""

    forwarded_for: str = ""
    if_none_match: str = ""


class PassingFields:
    """Takes the values of passing fields out of a head. ``kept``: a field that is read and so stays."""

    def __init__(self, kept: str = "") -> None:
        names = "|".join(re.escape(name) for name in PASSING if name != kept).encode("ascii")
        self._values = re.compile(rb"\r\n(" + names + rb"): *([!-~](?:[ -~]*[!-~])?)(?=\r\n)", re.IGNORECASE)

    def cut(self, rest: bytes) -> tuple[bytes, Passing]:
        """The head without the values (their names stay), and the values; unchanged when there are none.

        ``rest`` is what follows the path. A field that stands twice stays twice: such a head is never known.
        """
        pieces = self._values.split(rest)
        if len(pieces) == 1:
            return rest, _NOTHING_PASSING
        values: dict[bytes, bytes] = {}
        left = [pieces[0]]
        for name, value, after in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
            if values.setdefault(name.lower(), value) is not value:
                return rest, _NOTHING_PASSING
            left += (b"\r\n", name, b":", after)
        told = (values.get(name, b"").decode("ascii") for name in (b"x-forwarded-for", b"if-none-match"))
        return b"".join(left), Passing(*told)


_NOTHING_PASSING: Final = Passing()


class Head(NamedTuple):
    """The header fields of a request, by lower-case name."""

    fields: Mapping[str, str]
    closes: bool
    """``Connection: close``: the connection ends with this answer."""

    def get(self, name: str) -> str:
        """The value of a field; empty when it is not there."""
        return self.fields.get(name, "")


class PlainRequest(NamedTuple):
    """A GET without a body, whose bytes are exactly those that were read."""

    path: str
    query: str
    head: Head


class PlainReader:
    """Remembers the heads it has read."""

    def __init__(self) -> None:
        self._heads: dict[bytes, Head] = {}

    def read(self, data: bytes) -> PlainRequest | None:
        """The request; None when ``data`` is anything but one whole plain request."""
        if len(data) > REQUEST_BYTES_MAX or not data.endswith(_END):
            return None
        first_line, _, rest = data.partition(b"\r\n")
        match = _FIRST_LINE.fullmatch(first_line)
        if match is None:
            return None
        head = self._heads.get(rest) or self._read_head(rest)
        if head is None:
            return None
        path, query = match.groups(b"")
        return PlainRequest(path.decode("ascii"), query.decode("ascii"), head)

    def _read_head(self, rest: bytes) -> Head | None:
        if _FIELDS.fullmatch(rest, 0, len(rest) - 2) is None:
            return None
        fields: dict[str, str] = {}
        for line in rest[:-4].decode("ascii").split("\r\n"):
            name, _, value = line.partition(":")
            name = name.lower()
            if name in fields or name in _NOT_PLAIN:
                return None
            fields[name] = value.strip(" ")
        connection = fields.get("connection", "keep-alive").lower()
        if connection not in ("keep-alive", "close") or "host" not in fields:
            return None
        head = Head(fields, closes=connection == "close")
        if len(rest) <= HEAD_BYTES_KEPT_MAX:
            if len(self._heads) >= HEADS_MAX:
                self._heads.clear()  # refilled in a moment by those that come often
            self._heads[rest] = head
        return head
