"""The signed link in a notice: whoever holds it may answer for one recipient of one version. Pure.

Nothing is stored for it: the signature is made with a key that follows from the master secret. It ends after
``LINK_DAYS`` and can be taken back sooner (the notice's row says so).
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from recall.response_refusals import LinkNotValid

LINK_DAYS: Final = 90
_CONTENT: Final = struct.Struct(">QQI")  # notice_id, recipient_id, end in seconds
_SEAL_BYTES: Final = 18
_CHARACTERS: Final = (_CONTENT.size + _SEAL_BYTES) * 4 // 3 + ((_CONTENT.size + _SEAL_BYTES) % 3 > 0)


@dataclass(frozen=True, slots=True)
class Link:
    """What a link opens, and until when."""

    notice_id: int
    recipient_id: int
    until: datetime


def ends_at(made_at: datetime) -> datetime:
    """When the link of a notice that was made at ``made_at`` ends (whole seconds)."""
    return (made_at + timedelta(days=LINK_DAYS)).replace(microsecond=0)


def token(master_secret: str, link: Link) -> str:
    """The link's token: letters, digits, ``-`` and ``_``."""
    content = _CONTENT.pack(link.notice_id, link.recipient_id, int(link.until.timestamp()))
    return urlsafe_b64encode(content + _seal(master_secret, content)).decode().rstrip("=")


def read(master_secret: str, text: str, *, now: datetime) -> Link:
    """What ``text`` opens; raises ``LinkNotValid`` for everything that we did not sign, and after its end."""
    if len(text) != _CHARACTERS or not text.isascii():
        raise LinkNotValid
    try:
        told = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError as error:
        raise LinkNotValid from error
    content, seal = told[: _CONTENT.size], told[_CONTENT.size :]
    if not hmac.compare_digest(seal, _seal(master_secret, content)):
        raise LinkNotValid
    notice_id, recipient_id, ends = _CONTENT.unpack(content)
    link = Link(notice_id, recipient_id, datetime.fromtimestamp(ends, UTC))
    if now >= link.until:
        raise LinkNotValid
    return link


def address(base_url: str, text: str) -> str:
    """Where the page of this token stands."""
    return f"{base_url}/a/{text}"


def _seal(master_secret: str, content: bytes) -> bytes:
    key = hmac.digest(master_secret.encode(), b"tracemark recall answers", hashlib.sha256)
    return hmac.digest(key, content, hashlib.sha256)[:_SEAL_BYTES]
