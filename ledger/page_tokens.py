"""Tokens of pages: opaque to whoever carries them, signed, and good only for the question they were made for. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson

from runtime.refusals import Invalid

TOKEN_CHARACTERS_MAX: Final = 6_000
"""Longest token that is looked at. One of a question has about 200; one of a list holds the name of its last member."""
LIFETIME: Final = timedelta(hours=24)
"""How long a token is good."""

_PURPOSE: Final = b"tracemark page token 2"
_SIGNATURE_BYTES: Final = 16


class PageTokenNotOurs(Invalid):
    """The nextPageToken was not made here, or not for this query. Take it from the Link header as it is, or begin again without it."""  # noqa: E501


class PageTokenEnded(Invalid):
    """The nextPageToken is older than 24 hours, or was given back. Begin again without it."""


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


@dataclass(frozen=True, slots=True)
class Token:
    """A token and until when it is good."""

    text: str
    expires_at: datetime


def seal(position: Position, parameters: Mapping[str, Sequence[str]], secret: str, now: datetime) -> Token:
    """The token of a position in the answer to a query."""
    as_of, event_id, at, left = astuple(position)
    return _sealed([as_of, event_id, None if at is None else at.isoformat(), left], _question(parameters), secret, now)


def unseal(token: str, parameters: Mapping[str, Sequence[str]], secret: str, now: datetime) -> Position:
    """The position. Raises ``PageTokenNotOurs`` (changed, or made for another query) and ``PageTokenEnded``."""
    as_of, event_id, at, left = _unsealed(token, _question(parameters), secret, now)
    return Position(as_of, event_id, None if at is None else datetime.fromisoformat(at), left)


def seal_member(member: str, listing: str, secret: str, now: datetime) -> Token:
    """The token of the page after ``member`` in a list."""
    return _sealed([member], _question({"list": [listing]}), secret, now)


def unseal_member(token: str, listing: str, secret: str, now: datetime) -> str:
    """The member after which the page begins; raises as ``unseal``."""
    (member,) = _unsealed(token, _question({"list": [listing]}), secret, now)
    return str(member)


def read_seal(token: str, secret: str, now: datetime) -> Token:
    """A token of whatever question or list, with its end; raises ``PageTokenNotOurs`` and ``PageTokenEnded``."""
    _, expires_at, _ = _opened(token, secret, now)
    return Token(token, expires_at)


def _sealed(place: list[Any], question: str, secret: str, now: datetime) -> Token:
    expires_at = (now + LIFETIME).replace(microsecond=0)
    body = orjson.dumps([question, int(expires_at.timestamp()), place])
    return Token(_text(_signature(body, secret) + body), expires_at)


def _unsealed(token: str, question: str, secret: str, now: datetime) -> list[Any]:
    told, _, place = _opened(token, secret, now)
    if told != question:
        raise PageTokenNotOurs
    return place


def _opened(token: str, secret: str, now: datetime) -> tuple[str, datetime, list[Any]]:
    if len(token) > TOKEN_CHARACTERS_MAX or not token.isascii():
        raise PageTokenNotOurs
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise PageTokenNotOurs from error
    signature, body = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
    if not hmac.compare_digest(signature, _signature(body, secret)) or _text(raw) != token:
        raise PageTokenNotOurs
    question, until, place = orjson.loads(body)
    expires_at = datetime.fromtimestamp(until, UTC)
    if now >= expires_at:
        raise PageTokenEnded
    return question, expires_at, place


def _signature(body: bytes, secret: str) -> bytes:
    key = hmac.digest(secret.encode("utf-8"), _PURPOSE, hashlib.sha256)
    return hmac.digest(key, body, hashlib.sha256)[:_SIGNATURE_BYTES]


def _question(parameters: Mapping[str, Sequence[str]]) -> str:
    asked = orjson.dumps({name: sorted(values) for name, values in parameters.items()}, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(asked).hexdigest()[:32]


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")
