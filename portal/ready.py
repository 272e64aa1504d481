"""Whole answers kept ready: for items of one run, one way of asking and one count, only the serial differs.

An answer is made once on the general way (``portal.hot_path``) and kept in pieces around the serial; the next scan of
another item of the run joins them. It is given only while everything that it rests on is as it was: ``Standing``.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final, NamedTuple

from portal.beside import Visit
from portal.clients import is_a_check, kind_of
from portal.hot_path import Answer, Form, Sight
from portal.http_front import PACKED, Complete, Front
from portal.links import LinkTable
from portal.model import Beside, CheckPolicy, Checks, Verdict
from portal.packing import codings
from portal.scan_log import Scan
from portal.snapshot import Snapshot

READY_BYTES_MAX: Final = 128 * 1024 * 1024
"""Answers kept ready; the one made longest ago makes room."""
WIRES_MAX: Final = 32
"""Answers of one run and one way of asking that differ by their count."""
STAYS_S: Final = 60.0
"""An answer without a history is made anew after so long."""
HEAD_BYTES: Final = 1_000
"""Of the headers of one answer, roughly."""

_BITS_BY_LETTER: Final = bytes.maketrans(b"0123456789ABCDEFGHJKMNPQRSTVWXYZ", b"0123456789abcdefghijklmnopqrstuv")
_NOT_A_LETTER: Final = bytes(set(range(256)) - set(b"0123456789ABCDEFGHJKMNPQRSTVWXYZ"))
_SERIALS_IN_HEAD: Final = {Form.PAGE: 2, Form.LINK: 3}


class Manner(NamedTuple):
    """How somebody asks, as read from the header fields of a request. ``key``: alike for who gets the same answer."""

    key: int
    form: Form
    language: str
    user_agent: str
    client: str
    forwarded_for: str
    accept_encoding: str
    region: str
    is_check: bool


class Wire(NamedTuple):
    """An answer in pieces: the header lines around the serial, and the body."""

    status: int
    pieces: tuple[bytes, ...]
    body: bytes
    verdict: str


_scan = partial(tuple.__new__, Scan)  # a third of the cost of Scan(…)
CountKey = tuple[int, object, bool] | None


@dataclass(slots=True)
class Standing:
    """The answers ready for one run and one manner, and what they rest on."""

    snapshot: Snapshot
    ground: Hashable
    links: LinkTable
    gtin: str
    lot_id: int
    made_at: datetime
    stays_until: datetime
    waits: bool
    """The page waits for its own count."""
    counts: bool
    wires: dict[CountKey, Wire] = field(default_factory=dict)

    def bytes_held(self) -> int:
        """Roughly: a body may be held by several."""
        return sum(len(wire.body) + HEAD_BYTES for wire in self.wires.values())


class Found(NamedTuple):
    """An item that is answered from what is ready."""

    standing: Standing
    number: int
    state: int
    serial: bytes
    now: datetime


class Ready:
    """The answers kept ready of one process."""

    def __init__(self, front: Front, guard_lines: bytes) -> None:
        self._front = front
        self._shelf = front.hot_path.shelf
        self._guard_lines = guard_lines
        self._manners: dict[Hashable, int] = {}
        self._kept: dict[Hashable, Standing] = {}
        self._bytes = 0

    def manner(self, form: Form, languages: tuple[str, ...], fields: Visit, encodings: tuple[str, str]) -> Manner:
        """``encodings``: what is accepted, and for whom a proxy asks."""
        accept_encoding, forwarded_for = encodings
        key = self._manners.setdefault((form, languages, codings(accept_encoding)), len(self._manners))
        agent = fields.user_agent
        is_check = form is Form.PAGE and not fields.is_ours and is_a_check(fields.method, agent, fields.purpose)
        language = languages[0] if languages else "en"
        return Manner(
            key, form, language, agent, kind_of(agent), forwarded_for, accept_encoding, fields.region, is_check
        )

    def find(self, path: bytes, manner: Manner) -> Found | None:
        """What is ready for ``/01/{gtin}[/10/{lot}]/21/{serial}``; None: go the usual way."""
        told = b"" if len(path) == 34 and path[18:22] == b"/21/" else _told_lot(path)
        refresher = self._front.refresher
        if told is None or not refresher.is_fresh():
            return None
        serial = path[-12:]
        letters = serial.translate(_BITS_BY_LETTER, _NOT_A_LETTER)
        if len(letters) != 12:
            return None
        snapshot = refresher.snapshot
        gtin = path[4:18].decode("latin-1")
        item = snapshot.active_item(gtin, int(letters, 32))
        if item is None:
            return None
        number, run = item
        if number in self._shelf.unusual:
            return None
        key = (manner.key, run.lo, run.lot_id, run.state, told)
        standing = self._kept.get(key)
        if standing is None or standing.gtin != gtin:
            return None
        now = self._front.clock()
        if not standing.made_at <= now < standing.stays_until or standing.links is not self._shelf.links:
            return None
        if standing.snapshot is not snapshot:
            if snapshot.ground_of(gtin, run.lot_id) != standing.ground:
                self._drop(key)
                return None
            standing.snapshot = snapshot
        return Found(standing, number, run.state, serial, now)

    def note(self, found: Found, wire: Wire, manner: Manner) -> None:
        """Put the opening of a page into the log of scans."""
        if manner.form is Form.PAGE:
            of = found.standing
            self._front.reader.log.add(
                _scan((found.now, of.gtin, of.lot_id, found.number, wire.verdict, manner.language, manner.client))
            )

    def keep(self, path: bytes, manner: Manner, sight: Sight, beside: Beside, made: tuple[Answer, Complete]) -> None:
        """Keep an answer that was just given to a check with this count, when the next item may get the same."""
        told, finding, snapshot = _told_lot(path), sight.finding, sight.snapshot
        lot, product = finding.lot, finding.product
        if told is None or lot is None or product is None or finding.number is None or finding.run is None:
            return
        if (
            not (lot.code and sight.confirmation.is_fresh)
            or finding.is_suspect
            or finding.unusual
            or sight.form is not manner.form
        ):
            return
        run = snapshot.runs.at(finding.number)
        if (
            run is None
            or run.lot_id != lot.lot_id
            or snapshot.voids.at(finding.number) is not None
            or not snapshot.is_alike(run.lot_id)
        ):
            return
        verdict = sight.verdict(beside)
        wire = self._wire(path[-12:], manner, made, verdict)
        stays_s = self._stays_s(sight, manner)
        if wire is None or stays_s <= 0:
            return
        key = (manner.key, run.lo, run.lot_id, run.state, told)
        ground = snapshot.ground_of(product.gtin, lot.lot_id)
        standing = self._kept.get(key)
        is_old = standing is not None and standing.links is not self._shelf.links
        if (
            standing is None
            or is_old
            or standing.ground != ground
            or not standing.made_at <= sight.now < standing.stays_until
        ):
            self._drop(key)
            midnight = sight.now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
            standing = Standing(
                snapshot=snapshot,
                ground=ground,
                links=self._shelf.links,
                gtin=product.gtin,
                lot_id=lot.lot_id,
                made_at=sight.now,
                stays_until=min(midnight, sight.now + timedelta(seconds=stays_s)),
                waits=sight.verdict() is Verdict.NO_RECALL_KNOWN and product.checks is CheckPolicy.EXACT,
                counts=product.checks is not CheckPolicy.OFF,
            )
            self._kept[key] = standing
        self._bytes -= standing.bytes_held()
        if len(standing.wires) >= WIRES_MAX:
            standing.wires.clear()
        standing.wires[count_key(beside.checks)] = wire
        self._bytes += standing.bytes_held()
        while self._bytes > READY_BYTES_MAX:
            self._drop(next(iter(self._kept)))

    def _stays_s(self, sight: Sight, manner: Manner) -> float:
        return self._front.reader.history_fresh_for_s(sight) if manner.form is Form.PAGE else STAYS_S

    def _wire(self, serial: bytes, manner: Manner, made: tuple[Answer, Complete], verdict: Verdict) -> Wire | None:
        answer, whole = made
        is_link = manner.form is Form.LINK
        if is_link != (whole.status == 307) or serial in answer.body:
            return None
        if is_link and self._shelf.links.by_level:  # which link fits, its language and its time decide
            return None
        if not is_link and not PACKED.is_settled(answer.body, codings(manner.accept_encoding)):
            return None
        lines = b"".join(b"%b: %b\r\n" % pair for pair in whole.headers) + self._guard_lines + b"\r\n"
        pieces = tuple(lines.split(serial))
        if len(pieces) != _SERIALS_IN_HEAD[manner.form] + 1:
            return None
        return Wire(whole.status, pieces, whole.body, verdict.value)

    def _drop(self, key: Hashable) -> None:
        standing = self._kept.pop(key, None)
        if standing is not None:
            self._bytes -= standing.bytes_held()


def count_key(checks: Checks | None) -> CountKey:
    """What a page shows of a count."""
    return None if checks is None else (checks.count, checks.first_at.date(), checks.includes_this)


def _told_lot(path: bytes) -> bytes | None:
    """The lot in a path of one of the two forms, empty in the one without; None when it has another form."""
    if path[18:22] == b"/21/":
        return b"" if len(path) == 34 else None
    if path[18:22] != b"/10/" or path[-16:-12] != b"/21/":
        return None
    told = path[22:-16]
    return told if told and b"/" not in told else None
