"""Signed webhooks: a message handed to an address that somebody else named.

Signed as Standard Webhooks 1.0 says (symmetric, ``v1``). The address comes from outside, so it is not trusted: it is
resolved once, every address found has to be public, and the connection goes to the very address that was looked at,
so that a name cannot point elsewhere a moment later. Redirects are not followed.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import enum
import hashlib
import hmac
import ipaddress
import re
import secrets
import socket
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import httpx2

from runtime.clock import Clock
from runtime.refusals import Invalid

TOLERANCE: Final = timedelta(minutes=5)
"""How far the time of a message may be from the receiver's clock."""
ANSWER_WITHIN_S: Final = 5.0
"""Longest time of one attempt, from the look-up of the name to the end of the answer."""
ANSWER_BYTES_MAX: Final = 64 * 1024
"""Most bytes that are read of an answer; the status decides, the rest is not waited for."""
ADDRESS_CHARACTERS_MAX: Final = 2_000
"""Longest address of a receiver."""

ID_HEADER: Final = "webhook-id"
TIME_HEADER: Final = "webhook-timestamp"
SIGNATURE_HEADER: Final = "webhook-signature"

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_SECRET: Final = "whsec_"  # noqa: S105 - the prefix that the standard gives to secrets
_SECRET_BYTES: Final = 32
_SECRET_BYTES_MIN, _SECRET_BYTES_MAX = 16, 64
_LATER: Final = frozenset({408, 425, 429})
_GONE: Final = 410
_MESSAGE_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,200}")
_HOST: Final = re.compile(rb"[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?\.?")
_INSTANT: Final = re.compile(r"[0-9]{1,12}")
# These IPv6 ranges carry an IPv4 address inside: a gateway leads on to it (RFC 6052, RFC 3056).
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")


class WebhookAddressNotUsable(Invalid):
    """The address of a webhook cannot be used: {problem}."""


class WebhookSecretNotUsable(Invalid):
    """The secret of a webhook cannot be used: it is “whsec_” and then 16 to 64 bytes in base64."""


class SignatureNotValid(Invalid):
    """The message is not signed as it should be: {problem}."""


class Result(enum.Enum):
    """What became of an attempt."""

    DELIVERED = "delivered"
    LATER = "later"
    """Not now; the same message may be sent again."""
    REFUSED = "refused"
    """This message will never be taken there."""
    GONE = "gone"
    """410: nothing is to be sent there any more."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """``status`` of the answer (None = there was none), and ``reason`` for a person."""

    result: Result
    status: int | None
    reason: str


def new_secret() -> str:
    """A secret for one receiver, of 32 random bytes."""
    return secret_from(secrets.token_bytes(_SECRET_BYTES))


def secret_from(key: bytes) -> str:
    """A secret as the standard writes it, from a key of 16 to 64 bytes of the caller's own."""
    return _SECRET + base64.b64encode(key).decode("ascii")


def sign(body: bytes, *, secret: str, message_id: str, at: datetime) -> dict[str, str]:
    """The headers that go with ``body``. A message that is sent again keeps its id and gets the new time.

    Raises ``WebhookSecretNotUsable``; ``ValueError`` for an id that is not 1 to 200 letters, digits, ``_`` or ``-``:
    a dot would make the signed text ambiguous.
    """
    if not _MESSAGE_ID.fullmatch(message_id):
        raise ValueError(f"not an id of a message: {message_id[:80]!r}")
    seconds = str(int(at.timestamp()))
    return {
        ID_HEADER: message_id,
        TIME_HEADER: seconds,
        SIGNATURE_HEADER: f"v1,{_signature(body, _key(secret), message_id, seconds)}",
    }


def verify(body: bytes, headers: Mapping[str, str], *, secret: str, clock: Clock) -> None:
    """What a receiver checks. ``headers`` with names in small letters.

    Raises ``SignatureNotValid`` when a header is missing, the time is more than ``TOLERANCE`` away, or no signature
    of the version ``v1`` (there may be several, one for each secret in force) is right.
    """
    missing = [name for name in (ID_HEADER, TIME_HEADER, SIGNATURE_HEADER) if not headers.get(name)]
    if missing:
        raise SignatureNotValid(problem=f"the header {missing[0]} is missing")
    seconds = headers[TIME_HEADER]
    if not _INSTANT.fullmatch(seconds):
        raise SignatureNotValid(problem=f"{TIME_HEADER} is not a number of seconds")
    if abs(clock().timestamp() - int(seconds)) > TOLERANCE.total_seconds():
        raise SignatureNotValid(problem="it was signed too long ago, or in the future")
    right = _signature(body, _key(secret), headers[ID_HEADER], seconds)
    told = [each.partition(",") for each in headers[SIGNATURE_HEADER].split(" ")]
    if not any(version == "v1" and hmac.compare_digest(one.encode(), right.encode()) for version, _, one in told):
        raise SignatureNotValid(problem="no signature of version v1 is right")


def check_address(url: str, *, allow_private: bool) -> httpx2.URL:
    """The address read; looks nothing up. Raises ``WebhookAddressNotUsable``.

    ``allow_private`` lets in http and addresses that are not public: for an intranet, never for strangers.
    """
    if len(url) > ADDRESS_CHARACTERS_MAX:
        raise WebhookAddressNotUsable(problem=f"it is longer than {ADDRESS_CHARACTERS_MAX} characters")
    try:
        address = httpx2.URL(url)
    except (httpx2.InvalidURL, ValueError) as error:
        raise WebhookAddressNotUsable(problem="it is no URL") from error
    if address.scheme not in (("https", "http") if allow_private else ("https",)):
        raise WebhookAddressNotUsable(problem="it has to begin with https://")
    if not address.host or address.userinfo or address.fragment:
        raise WebhookAddressNotUsable(problem="it needs a host, and no user, password or fragment")
    literal = _literal(address.host)
    if literal is None and not _HOST.fullmatch(address.raw_host):
        raise WebhookAddressNotUsable(problem="its host is no name and no address")
    if literal is not None and not allow_private and not _is_public(literal):
        raise WebhookAddressNotUsable(problem=f"{address.host} is not a public address")
    return address


async def post(
    url: str,
    body: bytes,
    *,
    secret: str,
    message_id: str,
    clock: Clock,
    allow_private: bool = False,
    headers: Mapping[str, str] | None = None,
    tls: ssl.SSLContext | None = None,
) -> Outcome:
    """Hand over one message (JSON); every way that this can end is an ``Outcome``.

    2xx is delivered; 410 gone; 408, 425, 429, 5xx and a failing network later; whatever else is refused for good, also
    an address that cannot be used. ``headers`` go along unsigned; ``tls`` names other authorities than the machine's.
    """
    try:
        address = check_address(url, allow_private=allow_private)
    except WebhookAddressNotUsable as refusal:
        return Outcome(Result.REFUSED, None, refusal.sentence())
    signed = sign(body, secret=secret, message_id=message_id, at=clock())
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            target = _target(await _addresses(address), allow_private=allow_private)
            return await _send(address, target, body, {**(headers or {}), **signed}, tls)
    except WebhookAddressNotUsable as refusal:
        return Outcome(Result.REFUSED, None, refusal.sentence())
    except TimeoutError:
        return Outcome(Result.LATER, None, f"no answer within {ANSWER_WITHIN_S:g} s")
    except (OSError, httpx2.HTTPError) as error:
        return Outcome(Result.LATER, None, f"{type(error).__name__}: {error}"[:500])


async def _send(
    address: httpx2.URL, target: str, body: bytes, headers: Mapping[str, str], tls: ssl.SSLContext | None
) -> Outcome:
    """Connect to ``target`` and speak as to the host that was named: in ``Host``, and in TLS."""
    async with httpx2.AsyncClient(
        verify=True if tls is None else tls, follow_redirects=False, trust_env=False, timeout=ANSWER_WITHIN_S
    ) as client:
        request = client.build_request(
            "POST",
            address.copy_with(host=target),
            content=body,
            headers={
                "Content-Type": "application/json",
                "User-Agent": "Tracemark",
                **headers,
                "Host": address.netloc.decode("ascii"),
            },
            extensions={"sni_hostname": address.raw_host.decode("ascii")},
        )
        answer = await client.send(request, stream=True)
        try:
            await _read_some(answer)
        finally:
            await answer.aclose()
    return _judged(answer.status_code)


async def _read_some(answer: httpx2.Response) -> None:
    arrived = 0
    async for part in answer.aiter_raw():
        arrived += len(part)
        if arrived > ANSWER_BYTES_MAX:
            return


def _judged(status: int) -> Outcome:
    reason = f"answered {status}"
    if 200 <= status < 300:
        return Outcome(Result.DELIVERED, status, reason)
    if status == _GONE:
        return Outcome(Result.GONE, status, reason)
    if status in _LATER or status >= 500:
        return Outcome(Result.LATER, status, reason)
    if 300 <= status < 400:
        return Outcome(Result.REFUSED, status, f"{reason}; redirects are not followed")
    return Outcome(Result.REFUSED, status, reason)


async def _addresses(address: httpx2.URL) -> list[str]:
    """What the name of the host stands for now."""
    port = address.port or (443 if address.scheme == "https" else 80)
    found = await asyncio.get_running_loop().getaddrinfo(address.host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


def _target(addresses: Sequence[str], *, allow_private: bool) -> str:
    """The address to connect to. One that is not public among them refuses all: a mixed answer is an attack."""
    for text in addresses:
        if not allow_private and not _is_public(ipaddress.ip_address(text.partition("%")[0])):
            raise WebhookAddressNotUsable(problem=f"its host stands for {text}, which is not a public address")
    return addresses[0]


def _is_public(address: _Address) -> bool:
    return all(each.is_global and not each.is_multicast for each in _with_inner(address))


def _with_inner(address: _Address) -> tuple[_Address, ...]:
    """The address, and the IPv4 address that a gateway would make of it."""
    if not isinstance(address, ipaddress.IPv6Address):
        return (address,)
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else address.sixtofour
    return (address,) if inner is None else (address, inner)


def _literal(host: str) -> _Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_SECRET), validate=True)
    except binascii.Error as error:
        raise WebhookSecretNotUsable from error
    if not secret.startswith(_SECRET) or not _SECRET_BYTES_MIN <= len(key) <= _SECRET_BYTES_MAX:
        raise WebhookSecretNotUsable
    return key


def _signature(body: bytes, key: bytes, message_id: str, seconds: str) -> str:
    signed = f"{message_id}.{seconds}.".encode() + body
    return base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode("ascii")
