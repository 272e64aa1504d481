"""Whole answers in pieces: what is the same for the items of a run, around their serial and the moment of the scan.

Bytes that only differ by the serial, the moment (``portal.pages``) or the last confirmation are joined, never rendered.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

import orjson

from portal import wording
from portal.documents import checks_document, instant
from portal.hot_path import Answer, Form, Sight, moment_tag
from portal.http_front import PACKED, Complete
from portal.language import Tongue
from portal.model import Checks, Verdict
from portal.packing import Stem, codings

MOMENTS_MAX: Final = 8
"""Moments of one answer for which its head is kept made: the count and the time told change slowly."""
HEAD_BYTES: Final = 2_500
"""Of the heads of one answer, and of what holds them, roughly."""

# A zero byte stands in no header and in no JSON document.
_SERIAL, _LENGTH, _TAG, _TIME, _TAIL, _COUNT = (b"\0%d" % n for n in range(6))
_SENTENCES: Final = b'"sentences":['
_OF_THE_BODY: Final = (b"content-length", b"content-type", b"content-encoding")


class Sent(NamedTuple):
    """An answer for one moment: its head around the serial, the same for 304, and how the body ends."""

    head: tuple[bytes, ...]
    unchanged: tuple[bytes, ...]
    end: bytes


@dataclass(slots=True)
class Wire:
    """The page, or the redirect, of a run. ``lines``: the header lines with the places that differ marked."""

    status: int
    verdict: Verdict
    lines: bytes
    unchanged: bytes
    tag: str
    """Begin of the entity tag: what lasts. Empty: it has none."""
    stem: Stem
    sent: dict[bytes, Sent] = field(default_factory=dict)
    last: tuple[datetime | None, Sent, bytes] | None = None
    """Of a page without a count: the time it told last, that answer, and its moment."""

    def at(self, moment: bytes) -> Sent:
        """The answer that ends with this moment."""
        made = self.sent.get(moment)
        if made is None:
            if len(self.sent) >= MOMENTS_MAX:
                self.sent.clear()
            end = self.stem.closed(moment) if self.stem.data else b""
            length, tag = b"%d" % (len(self.stem.data) + len(end)), moment_tag(moment).encode()
            head = self.lines.replace(_LENGTH, length).replace(_TAG, tag)
            unchanged = self.unchanged.replace(_TAG, tag)
            made = self.sent[moment] = Sent(tuple(head.split(_SERIAL)), tuple(unchanged.split(_SERIAL)), end)
        return made

    def is_known_as(self, tags: str, moment: bytes) -> bool:
        """Whether a client that names these tags has the answer already."""
        return self.status == 200 and bool(self.tag) and f'{self.tag}{moment_tag(moment)}"' in tags

    def bytes_held(self) -> int:
        """Roughly: a body may be held by several."""
        return len(self.stem.data) + HEAD_BYTES


@dataclass(frozen=True, slots=True)
class Document:
    """The verdict of a run for machines, its places marked."""

    status: int
    verdict: Verdict
    lines: bytes
    body: bytes
    tongue: Tongue

    def filled(
        self, serial: bytes, checks: Checks | None, confirmed_at: datetime | None, revision: int
    ) -> tuple[bytes, bytes]:
        """The header lines and the body for one item, with its count, as of the copy in which it was found."""
        sentences, told = _sentences(self.verdict, checks, self.tongue, confirmed_at), _checks(checks)
        body = self.body.replace(_SERIAL, serial).replace(_TAIL, _tail(confirmed_at, revision))
        body = body.replace(_TIME, sentences).replace(_COUNT, told)
        return self.lines.replace(_SERIAL, serial).replace(_LENGTH, b"%d" % len(body)), body

    def bytes_held(self) -> int:
        """Roughly."""
        return len(self.lines) + len(self.body)


class Made(NamedTuple):
    """An answer that was just given, and how it was asked for."""

    answer: Answer
    whole: Complete
    verdict: Verdict
    serial: bytes
    form: Form
    accept_encoding: str


def wire_of(made: Made, last_lines: bytes) -> Wire | None:
    """The page or redirect in pieces; None when it is not one that another item may get."""
    answer, whole = made.answer, made.whole
    is_link = made.form is Form.LINK
    stem = Stem("", b"")
    if not is_link:
        accepted = codings(made.accept_encoding)
        if not PACKED.is_settled(answer.body, accepted):
            return None
        stem = PACKED.best(answer.body, accepted)
    if is_link != (whole.status == 307) or made.serial in answer.body:
        return None
    tag = moment_tag(answer.moment)
    known_as = answer.headers.get("ETag", "").removesuffix(f'{tag}"')
    lines, unchanged = [], []
    for name, value in whole.headers:
        told = value
        if name == b"content-length" and not is_link:
            told = _LENGTH
        elif name == b"etag":
            told = known_as.encode() + _TAG + b'"'
        line = b"%b: %b\r\n" % (name, told)
        lines.append(line)
        if name not in _OF_THE_BODY:
            unchanged.append(line)
    marked = [(b"".join(some) + last_lines).replace(made.serial, _SERIAL) for some in (lines, unchanged)]
    return Wire(int(whole.status), made.verdict, marked[0], marked[1], known_as, stem)


def document_of(made: Made, sight: Sight, checks: Checks | None, last_lines: bytes) -> Document | None:
    """The verdict for machines in pieces; None when a place in it is not found exactly as often as it has to be."""
    whole, confirmation, tongue = made.whole, sight.confirmation, sight.tongue
    if whole.status != 200 or any(name == b"content-encoding" for name, _ in whole.headers):
        return None
    places = {
        _SENTENCES + _sentences(made.verdict, checks, tongue, confirmation.at): _SENTENCES + _TIME,
        _checks(checks): _COUNT,
        _tail(confirmation.at, sight.snapshot.revision): _TAIL,
    }
    body = whole.body.replace(made.serial, _SERIAL)
    if body.count(_SERIAL) != 2:
        return None
    for text, mark in places.items():
        if body.count(text) != 1:
            return None
        body = body.replace(text, mark)
    lines = [b"%b: %b\r\n" % (n, _LENGTH if n == b"content-length" else v) for n, v in whole.headers]
    marked = (b"".join(lines) + last_lines).replace(made.serial, _SERIAL)
    return Document(int(whole.status), made.verdict, marked, body, tongue)


def _tail(confirmed_at: datetime | None, revision: int) -> bytes:
    at = instant(confirmed_at)
    return b'"confirmed_at":%b,"revision":%d}' % (b"null" if at is None else f'"{at}"'.encode(), revision)


def _checks(checks: Checks | None) -> bytes:
    return b'"checks":' + orjson.dumps(checks_document(checks))


def _sentences(verdict: Verdict, checks: Checks | None, tongue: Tongue, at: datetime | None) -> bytes:
    """Those of the moment, as they stand at the begin of the list; for each verdict there are always as many."""
    return orjson.dumps(wording.moment(verdict, checks, tongue, at))[1:-1]
