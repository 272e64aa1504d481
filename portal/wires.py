"""Whole answers in pieces: what is the same for the items of a run, around their serial and the moment of the scan.

Bytes that only differ by the serial, the moment (``portal.pages``) or the last confirmation are joined, never rendered.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Final, NamedTuple

import orjson

from portal import wording
from portal.documents import checks_document, instant
from portal.hot_path import Answer, Form, Sight, moment_tag
from portal.http_front import PACKED, Complete, is_known
from portal.language import Tongue
from portal.model import Checks, Verdict
from portal.packing import Stem, codings
from portal.scan_log import Opening

HEAD_BYTES: Final = 2_500
"""Of the heads of one answer, and of what holds them, roughly."""

# A zero byte stands in no header and in no JSON document.
_SERIAL, _LENGTH, _TAG, _TIME, _TAIL, _COUNT = (b"\0%d" % n for n in range(6))
_GAPS: Final = (_SERIAL, _TAG, _LENGTH)
_GAP: Final = re.compile(b"(" + b"|".join(_GAPS) + b")")
_SENTENCES: Final = b'"sentences":['
_OF_THE_BODY: Final = (b"content-length", b"content-type", b"content-encoding")


@dataclass(frozen=True, slots=True)
class Lines:
    """Header lines with gaps."""

    form: bytes
    order: Callable[[tuple[bytes, ...]], object]
    """What fills its gaps: the begin, the serial, how the entity tag ends, the length of the body, by their numbers."""

    @classmethod
    def of(cls, marked: bytes) -> Lines:
        """Of lines in which ``_SERIAL``, ``_TAG`` and ``_LENGTH`` stand."""
        pieces = _GAP.split(marked.replace(b"%", b"%%"))
        order = [1 + _GAPS.index(gap) for gap in pieces[1::2]]
        return cls(b"%b" + b"%b".join(pieces[::2]), itemgetter(0, *order))

    def filled(self, begin: bytes, serial: bytes, tag: bytes, length: bytes) -> bytes:
        """``begin`` and the whole lines."""
        return self.form % self.order((begin, serial, tag, length))

    def around_the_serial(self, tag: bytes, length: bytes) -> tuple[bytes, ...]:
        """What stands before, between and after the serials."""
        return tuple(self.filled(b"", _SERIAL, tag, length).split(_SERIAL))


Moment = tuple[bytes, bytes]
"""What a page ends with, and what its entity tag ends with then."""


@dataclass(slots=True)
class Wire:
    """The page, or the redirect, of a run. ``unchanged``: its lines when the client has it already."""

    status: int
    verdict: Verdict
    lines: Lines
    unchanged: Lines
    tag: str
    """Begin of the entity tag: what lasts. Empty: it has none."""
    stem: Stem
    said: str
    """Of pages with the same, the same count is told alike at the same time."""
    opening: Opening | None = None
    """What the log of scans is told; None when it is told nothing."""
    last: tuple[datetime | None, Moment] | None = None
    """Of a page without a count: the time it told last, and the moment."""

    def end(self, moment: bytes) -> bytes:
        """What follows the body so far."""
        return self.stem.closed(moment) if self.stem.data else b""

    def is_known_as(self, tags: str, tag: bytes) -> bool:
        """Whether a client that names these tags has the answer already."""
        return self.status == 200 and bool(self.tag) and is_known(f'{self.tag}{tag.decode()}"', tags)

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
    wired, unchanged_lines = (Lines.of(each) for each in marked)
    return Wire(int(whole.status), made.verdict, wired, unchanged_lines, known_as, stem, made.verdict.value)


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
