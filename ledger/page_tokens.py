"""Tokens of pages: opaque to whoever carries them, signed, and good only for the question they were made for. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Final

import orjson

from runtime.refusals import Invalid

TOKEN_CHARACTERS_MAX: Final = 500
"""A token made here has about 150."""

_PURPOSE: Final = b"tracemark page token 1"
_SIGNATURE_BYTES: Final = 16


class PageTokenNotOurs(Invalid):
    """The nextPageToken was not made here, or not for this query. Take it from the Link header as it is, or begin again without it."""  # noqa: E501


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page begins: after the event ``event_id`` (0 = at the start).

    ``as_of`` is the newest event that the first page could see: what is recorded later is in no page of this answer.
    ``at`` is the event time of that event when pages go by event time; ``left`` how many events may still be given.
    """

    as_of: int
    event_id: int = 0
    at: datetime | None = None
    left: int | None = None


def seal(position: Position, parameters: Mapping[str, Sequence[str]], secret: str) -> str:
    """The token of a position in the answer to a query."""
    as_of, event_id, at, left = astuple(position)
    body = orjson.dumps([as_of, event_id, None if at is None else at.isoformat(), left])
    return base64.urlsafe_b64encode(_signature(body, parameters, secret) + body).decode("ascii").rstrip("=")


def unseal(token: str, parameters: Mapping[str, Sequence[str]], secret: str) -> Position:
    """The position; raises ``PageTokenNotOurs`` for a token that was changed, or made for another query."""
    if len(token) > TOKEN_CHARACTERS_MAX or not token.isascii():
        raise PageTokenNotOurs
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise PageTokenNotOurs from error
    signature, body = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
    if not hmac.compare_digest(signature, _signature(body, parameters, secret)):
        raise PageTokenNotOurs
    as_of, event_id, at, left = orjson.loads(body)
    return Position(as_of, event_id, None if at is None else datetime.fromisoformat(at), left)


def _signature(body: bytes, parameters: Mapping[str, Sequence[str]], secret: str) -> bytes:
    key = hmac.digest(secret.encode("utf-8"), _PURPOSE, hashlib.sha256)
    question = orjson.dumps({name: sorted(values) for name, values in parameters.items()}, option=orjson.OPT_SORT_KEYS)
    return hmac.digest(key, hashlib.sha256(question).digest() + body, hashlib.sha256)[:_SIGNATURE_BYTES]
