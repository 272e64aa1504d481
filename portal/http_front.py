"""What both ways into the portal share: the route of the framework, and the shorter way of ``portal.protocol``.

A scan is the same on both: ``look`` (pure), what stands beside it, ``finish`` (pure), ``complete`` (pure).
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from portal.beside import Reader, Visit
from portal.hot_path import HTML, Answer, Ask, HotPath, Sight
from portal.model import Beside, Verdict
from portal.pace import Pace
from portal.packing import GZIP, Packed, codings
from portal.refresh import Refresher
from runtime.clock import Clock

GZIP_LEVEL: Final = 5
COMPRESS_BYTES_MIN: Final = 1_000
DOCUMENT_BYTES_MIN: Final = 2_500
"""A document shorter than this goes as it is: compressed it would fill its two packets no less, and cost more."""
CORS: Final = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Link, Location, Retry-After, ETag"}
_ALWAYS: Final = {"Cache-Control": "no-cache", **CORS, "Vary": "Accept, Accept-Language, Accept-Encoding"}
_WITHOUT_BODY: Final = (303, 307)


class Complete(NamedTuple):
    """An answer as it goes over the wire, but for what the server and the guards add to every one."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Front:
    """Answers scans from the copy in use. ``guard_headers`` are those of the guards, for who goes around them."""

    def __init__(
        self,
        hot_path: HotPath,
        refresher: Refresher,
        reader: Reader,
        clock: Clock,
        guard_headers: Mapping[str, str] | None = None,
        *,
        pace: Pace,
        region_header: str = "",
    ) -> None:
        self.hot_path = hot_path
        self.refresher = refresher
        self.reader = reader
        self.clock = clock
        self.guard_headers = dict(guard_headers or {})
        self.pace = pace
        self.region_header = region_header

    def look(self, ask: Ask) -> Sight | Answer:
        """What the copy says of an address; the age of the copy is asked for anew each time."""
        return self.hot_path.look(ask, self.refresher.snapshot, self.refresher.confirmation(), self.clock())

    async def read(self, sight: Sight, visit: Visit) -> Answer:
        """The answer, with what comes in time to stand beside it."""
        answer, _ = self.finish(sight, await self.reader.read(visit, sight), visit)
        return answer

    def finish(self, sight: Sight, beside: Beside, visit: Visit) -> tuple[Answer, Verdict]:
        """The answer with what was read beside it; the opening of a page is noted."""
        verdict = sight.verdict(beside)
        if verdict is Verdict.UNKNOWN_CODE and (wait_s := self.pace.unknown(visit.address)):
            return self.hot_path.too_fast(sight, wait_s), verdict
        answer = self.hot_path.answer(sight, beside, verdict)
        self.reader.note(visit, sight, verdict)
        return answer, verdict


def complete(answer: Answer, *, accept_encoding: str = "", if_none_match: str = "") -> Complete:
    """The answer with what every answer carries; compressed, or 304, as the request has it."""
    headers = {**_ALWAYS, **answer.headers}
    etag = headers.get("ETag")
    if etag is not None and answer.status == 200 and is_known(etag, if_none_match):
        return Complete(304, _raw(headers), b"")
    if answer.status in _WITHOUT_BODY:
        return Complete(answer.status, [*_raw(headers), (b"content-length", b"0")], b"")
    coding, body = _coded(answer, accept_encoding)
    if coding:
        headers["Content-Encoding"] = coding
    headers["Content-Length"] = str(len(body))
    headers["Content-Type"] = _content_type(answer.media_type)
    return Complete(int(answer.status), _raw(headers), body)


def is_known(etag: str, if_none_match: str) -> bool:
    """Whether a client that says so has the answer already: weakly compared, and ``*`` is any (RFC 9110, 13.1.2)."""
    return etag.removeprefix("W/") in if_none_match or if_none_match.strip() == "*"


def _raw(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(_name(name), value.encode("latin-1")) for name, value in headers.items()]


@lru_cache(maxsize=64)
def _name(name: str) -> bytes:
    return name.lower().encode("latin-1")


def _content_type(media_type: str) -> str:
    return f"{media_type}; charset=utf-8" if media_type == HTML or media_type.startswith("text/") else media_type


def _coded(answer: Answer, accept_encoding: str) -> tuple[str, bytes]:
    """Pages are one object for many scans: they are compressed once, off the loop. Everything else is so at once."""
    accepted = codings(accept_encoding) if accept_encoding else ()
    if answer.media_type == HTML:
        if len(answer.body) < COMPRESS_BYTES_MIN:
            return "", answer.body + answer.moment
        stem = PACKED.best(answer.body, accepted)
        return stem.coding, stem.data + stem.closed(answer.moment)
    if GZIP in accepted and len(answer.body) >= DOCUMENT_BYTES_MIN:
        return GZIP, gzip.compress(answer.body, GZIP_LEVEL, mtime=0)
    return "", answer.body


PACKED: Final = Packed()
"""Of this process: pages are the same for all who ask."""
