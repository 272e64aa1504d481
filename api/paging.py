"""Lists over HTTP: a page, and the cursor of the next one (in the body and as ``Link: rel="next"``).

A cursor is opaque; it names the last row shown, so a page costs the same wherever it stands.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from api.bodies import QueryNotUsable, answer
from api.operations import Parameter

LIMIT_DEFAULT: Final = 100
LIMIT_MAX: Final = 1_000

PARAMETERS: Final = (
    Parameter("limit", f"rows of a page, 1 to {LIMIT_MAX}", schema={"type": "integer", "default": LIMIT_DEFAULT}),
    Parameter("cursor", "where the page begins: “next” of the page before"),
)

_KEY_CHARACTERS_MAX: Final = 200


def limit_of(request: Request, *, name: str = "limit") -> int:
    """Rows asked for; refuses what is not a number from 1 to 1000."""
    text = request.query_params.get(name)
    if text is None:
        return LIMIT_DEFAULT
    if not (text.isascii() and text.isdecimal() and len(text) <= 4 and 1 <= int(text) <= LIMIT_MAX):
        raise QueryNotUsable(name=name, problem=f"{text[:20]!r} is not a number from 1 to {LIMIT_MAX}")
    return int(text)


def key_of(request: Request, *, name: str = "cursor") -> str | None:
    """The key in the request's cursor; None without one. Refuses a cursor that was not made here."""
    cursor = request.query_params.get(name)
    if cursor is None:
        return None
    try:
        text = base64.urlsafe_b64decode(cursor[:_KEY_CHARACTERS_MAX] + "=" * (-len(cursor) % 4)).decode("ascii")
    except (binascii.Error, ValueError) as error:
        raise _not_ours(name) from error
    if not text.startswith("k:"):
        raise _not_ours(name)
    return text.removeprefix("k:")


def number_of(request: Request) -> int | None:
    """The cursor's key as a number."""
    key = key_of(request)
    if key is None:
        return None
    if not (key.isdecimal() and len(key) <= 18):
        raise _not_ours("cursor")
    return int(key)


def cursor(key: object) -> str:
    """The cursor that begins after ``key``."""
    return base64.urlsafe_b64encode(f"k:{key}".encode()).decode().rstrip("=")


def page(request: Request, items: Sequence[Any], limit: int, last_key: object) -> Response:
    """A page of ``items``; there is a next one when this one is full."""
    following = cursor(last_key) if len(items) == limit else None
    headers = {}
    if following:
        headers["Link"] = next_link(request, cursor=following)
    return answer({"items": items, "next": following}, headers=headers)


def next_link(request: Request, **parameters: str) -> str:
    """The ``Link`` header to this list with other parameters; relative, because a Host header is the caller's word."""
    url = request.url.include_query_params(**parameters)
    return f'<{url.path}?{url.query}>; rel="next"'


def _not_ours(name: str) -> QueryNotUsable:
    return QueryNotUsable(name=name, problem="it was not made here; begin again without it")
