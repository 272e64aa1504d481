"""Whole answers kept ready: for items of one run and one way of asking, only the serial and the moment differ.

An answer is made once on the general way (``portal.hot_path``) and kept in pieces (``portal.wires``); the next scan of
another item of the run joins them. It is given only while everything that it rests on is as it was: ``Standing``.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Final, NamedTuple
from weakref import ref

from portal.beside import Visit
from portal.clients import is_a_check, kind_of
from portal.histories import Whose
from portal.hot_path import Answer, Form, Sight, moment_tag
from portal.http_front import Complete, Front
from portal.links import LinkTable
from portal.model import Beside, CheckPolicy, Checks, CodeState, Step, Verdict
from portal.packing import codings
from portal.pages import told_at
from portal.plain_request import Head
from portal.scan_log import Opening
from portal.sightings import region_of
from portal.snapshot import Snapshot
from portal.verdict import UNUSUAL_CHECKS_MIN
from portal.wires import Document, Made, Moment, Wire, document_of, wire_of

READY_MB: Final = 256
"""Answers kept ready, unless the settings say otherwise; the one made longest ago makes room."""
MANNERS_MAX: Final = 1_000
"""Ways of asking that are known; what was kept for those forgotten makes room in its turn."""
MOMENTS_MAX: Final = 20_000
"""Ends of pages kept: many pages tell the same count at the same time."""
LOOKS_AGAIN_S: Final = 1.0
"""So long a page is shown on while its history is read anew beside it, and then looked at again."""

BITS_BY_LETTER: Final = bytes.maketrans(b"0123456789ABCDEFGHJKMNPQRSTVWXYZ", b"0123456789abcdefghijklmnopqrstuv")
_NO_MOMENT: Final = (b"", b"")
NOT_A_LETTER: Final = bytes(set(range(256)) - set(b"0123456789ABCDEFGHJKMNPQRSTVWXYZ"))


@dataclass(frozen=True, slots=True)
class Manner:
    """How somebody asks, as read from the header fields of a request. ``key``: alike for who gets the same answer."""

    key: int
    form: Form
    language: str
    user_agent: str
    client: str
    accept_encoding: str
    region: str
    is_check: bool
    closes: bool


@dataclass(slots=True)
class Standing:
    """The answers ready for one run and one manner, and what they rest on."""

    seen: ref[Snapshot]
    """The copy with which it was last compared; it is not kept alive, as a copy may hold a million lots."""
    revision: int
    """Of that copy."""
    ground: Hashable
    links: LinkTable
    gtin: str
    lot_id: int
    made_at: datetime
    until: datetime
    """Midnight, as dates are told and some have passed then, or when a link of the product begins or ends to hold."""
    looks_at: datetime
    """When its history is asked for again."""
    shown_until: datetime
    """When its history is too old to be shown."""
    history: tuple[Step, ...]
    waits: bool
    """The page waits for its own count."""
    counts: bool
    wires: dict[int, Wire] = field(default_factory=dict)
    """By what a count says, never by the count: ``kind_of_count``."""
    documents: dict[int, Document] = field(default_factory=dict)
    """As ``wires``, for machines."""

    def bytes_held(self) -> int:
        """Roughly: a body may be held by several."""
        documents = sum(document.bytes_held() for document in self.documents.values())
        return documents + sum(wire.bytes_held() for wire in self.wires.values())


class Found(NamedTuple):
    """An item that is answered from what is ready."""

    standing: Standing
    number: int
    run: int
    state: int
    serial: bytes
    now: datetime
    revision: int
    confirmed_at: datetime | None
    """These two of the copy in which it was found: a newer one may be in use when its count is there."""


class Ready:
    """The answers kept ready of one process."""

    def __init__(self, front: Front, guard_lines: bytes, *, bytes_max: int = READY_MB * 1024 * 1024) -> None:
        self._front = front
        self._shelf = front.hot_path.shelf
        self._guard_lines = guard_lines
        self.bytes_max = bytes_max
        self._manners: dict[Hashable, int] = {}
        self._keys = count()
        self._kept: dict[Hashable, Standing] = {}
        self._bytes = 0
        self.dropped = 0
        """Bytes that were dropped so far."""
        self._moments: dict[Hashable, Moment] = {}
        self._told: tuple[datetime | None, datetime | None] = (None, None)

    def __len__(self) -> int:
        return len(self._kept)

    def manner(self, form: Form, language: str, fields: Visit, head: Head) -> Manner:
        """``fields``: who asks, and how."""
        accept_encoding, closes = head.get("accept-encoding"), head.closes
        wanted = head.get("accept-language") if form is Form.LINK else ""  # a link may be of a language we do not speak
        if len(self._manners) >= MANNERS_MAX:
            self._manners.clear()
        alike = (form, language, wanted, codings(accept_encoding), closes)
        key = self._manners.get(alike)
        if key is None:
            key = self._manners[alike] = next(self._keys)
        agent, region = fields.user_agent, region_of(fields.region)
        is_check = form is Form.PAGE and not fields.is_ours and is_a_check(fields.method, agent, fields.purpose)
        return Manner(key, form, language, agent, kind_of(agent), accept_encoding, region, is_check, closes)

    def find(self, path: bytes, manner: Manner) -> Found | None:
        """What is ready for ``/01/{gtin}[/10/{lot}]/21/{serial}``; None: go the usual way."""
        told = b"" if len(path) == 34 and path[18:22] == b"/21/" else _told_lot(path)
        refresher = self._front.refresher
        if told is None or not refresher.is_fresh():
            return None
        serial = path[-12:]
        letters = serial.translate(BITS_BY_LETTER, NOT_A_LETTER)
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
        if standing is None or standing.gtin != gtin or standing.links is not self._shelf.links:
            return None
        now = self._front.clock()
        if standing.seen() is not snapshot:
            if snapshot.ground_of(gtin, run.lot_id) != standing.ground:
                self._drop(key)
                return None
            standing.seen, standing.revision = ref(snapshot), snapshot.revision
        if not standing.made_at <= now < standing.until:
            return None
        if now >= standing.looks_at and not self.may_stay(standing, number, run.lo, run.state, now):
            self._drop(key)
            return None
        return Found(standing, number, run.lo, run.state, serial, now, snapshot.revision, refresher.confirmed_at)

    def wire(self, found: Found, checks: Checks | None) -> Wire | None:
        """The answer with such a count; None when it was not made yet."""
        return found.standing.wires.get(kind_of_count(checks))

    def moment(self, wire: Wire, checks: Checks | None, manner: Manner, confirmed_at: datetime | None) -> Moment:
        """What the answer ends with when this is the count; a redirect tells none."""
        if manner.form is not Form.PAGE:
            return _NO_MOMENT
        at = self.time_told(confirmed_at)
        if checks is None:
            if wire.last is None or wire.last[0] is not at:
                wire.last = (at, self._made(wire, None, manner, at))
            return wire.last[1]
        key = (wire.said, manner.language, at, checks.count, checks.first_at.date())
        made = self._moments.get(key)
        if made is None:
            if len(self._moments) >= MOMENTS_MAX:
                self._moments.clear()  # they differ by the time told: the old ones are of no use
            made = self._moments[key] = self._made(wire, checks, manner, at)
        return made

    def _made(self, wire: Wire, checks: Checks | None, manner: Manner, at: datetime | None) -> Moment:
        front = self._front.hot_path
        moment = front.pages.moment(wire.verdict, checks, front.tongues[manner.language], at)
        return moment, moment_tag(moment).encode()

    def filled(self, found: Found, checks: Checks | None) -> tuple[int, bytes, bytes] | None:
        """Status, header lines and body of a verdict for machines; None when it was not made yet."""
        document = found.standing.documents.get(kind_of_count(checks))
        if document is None:
            return None
        return document.status, *document.filled(found.serial, checks, found.confirmed_at, found.revision)

    def note(self, found: Found, wire: Wire, manner: Manner) -> None:
        """Put the opening of a page into the log of scans."""
        if wire.opening is not None:
            scan = (found.now, found.number, found.standing.lot_id, wire.opening, manner.client)
            self._front.reader.log.add(scan)

    def keep(self, path: bytes, manner: Manner, sight: Sight, beside: Beside, made: tuple[Answer, Complete]) -> None:
        """Keep an answer that was just given with this count, when the next item may get the same."""
        told_lot, finding, snapshot = _told_lot(path), sight.finding, sight.snapshot
        lot, product, run = finding.lot, finding.product, None
        if finding.number is not None and not finding.is_suspect and finding.unusual is None:
            run = snapshot.runs.at(finding.number)
        if told_lot is None or lot is None or product is None or finding.number is None or run is None:
            return
        if not (lot.code and sight.confirmation.is_fresh) or sight.form is not manner.form:
            return
        if run.lot_id != lot.lot_id or snapshot.voids.at(finding.number) is not None:
            return
        if not snapshot.is_alike(run.lot_id):
            return  # single items of it are named
        fresh_s: tuple[float, float] | None = (float("inf"), float("inf"))
        if sight.form is not Form.LINK:
            fresh_s = self._front.reader.history_of_the_run_s(sight, beside.history)
        if fresh_s is None or fresh_s[0] <= 0:
            return
        key = (manner.key, run.lo, run.lot_id, run.state, told_lot)
        standing = self._standing(key, sight, beside, fresh_s)
        self._bytes -= standing.bytes_held()
        told = Made(*made, sight.verdict(beside), path[-12:], manner.form, manner.accept_encoding)
        self._add(standing, manner, sight, beside.checks, told)
        self._bytes += standing.bytes_held()
        while self._bytes > self.bytes_max:
            self._drop(next(iter(self._kept)))

    def _standing(self, key: Hashable, sight: Sight, beside: Beside, fresh_s: tuple[float, float]) -> Standing:
        """The one that is kept and still stands, or a new one."""
        product, lot, now = sight.finding.product, sight.finding.lot, sight.now
        assert product is not None and lot is not None
        ground = sight.snapshot.ground_of(product.gtin, lot.lot_id)
        kept = self._kept.get(key)
        if (
            kept is not None
            and kept.links is self._shelf.links
            and (kept.gtin, kept.ground, kept.history) == (product.gtin, ground, beside.history)
            and kept.made_at <= now < kept.until
        ):
            return kept
        self._drop(key)
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        other_links_at = self._shelf.links.next_change(product.gtin, now) or midnight
        looks_at, shown_until = (now + timedelta(seconds=min(s, 86_400.0)) for s in fresh_s)
        made = self._kept[key] = Standing(
            seen=ref(sight.snapshot),
            revision=sight.snapshot.revision,
            ground=ground,
            links=self._shelf.links,
            gtin=product.gtin,
            lot_id=lot.lot_id,
            made_at=now,
            until=min(midnight, other_links_at),
            looks_at=looks_at,
            shown_until=shown_until,
            history=beside.history,
            waits=sight.verdict() is Verdict.NO_RECALL_KNOWN and product.checks is CheckPolicy.EXACT,
            counts=product.checks is not CheckPolicy.OFF,
        )
        return made

    def _add(self, standing: Standing, manner: Manner, sight: Sight, checks: Checks | None, made: Made) -> None:
        last = self._guard_lines + (b"connection: close\r\n\r\n" if manner.closes else b"\r\n")
        if manner.form is not Form.VERDICT:
            wire = wire_of(made, last)
            if wire is not None:
                if manner.form is Form.PAGE:
                    wire.opening = Opening(standing.gtin, wire.said, manner.language)
                standing.wires[kind_of_count(checks)] = wire
            return
        document = document_of(made, sight, checks, last)
        if document is not None:
            standing.documents[kind_of_count(checks)] = document

    def may_stay(self, standing: Standing, number: int, run: int, state: int, now: datetime) -> bool:
        """Whether the history is still the one shown; it is read anew beside, and shown on until it is too old."""
        whose = Whose(number, standing.lot_id, CodeState(state), standing.revision, run)
        read = self._front.reader.histories.again(whose)
        if read is None:
            standing.looks_at = now + timedelta(seconds=LOOKS_AGAIN_S)
            return now < standing.shown_until
        steps, fresh_s, shown_s = read
        standing.looks_at = now + timedelta(seconds=max(fresh_s, LOOKS_AGAIN_S))
        standing.shown_until = now + timedelta(seconds=shown_s)
        return steps == standing.history

    def time_told(self, confirmed_at: datetime | None) -> datetime | None:
        """The time that pages tell of this confirmation, one object while it is the same."""
        if self._told[0] is not confirmed_at:
            at = told_at(confirmed_at)
            self._told = (confirmed_at, self._told[1] if at == self._told[1] else at)  # one object while it is the same
        return self._told[1]

    def _drop(self, key: Hashable) -> None:
        standing = self._kept.pop(key, None)
        if standing is not None:
            self._bytes -= standing.bytes_held()
            self.dropped += standing.bytes_held()


def kind_of_count(checks: Checks | None) -> int:
    """Alike for counts of which a page says the same but for its moment (``portal.verdict.judge``)."""
    if checks is None:
        return 0
    if checks.count >= UNUSUAL_CHECKS_MIN:
        return 3
    return 1 if checks.includes_this and checks.count == 1 else 2


def _told_lot(path: bytes) -> bytes | None:
    """The lot in a path of one of the two forms, empty in the one without; None when it has another form."""
    if path[18:22] == b"/21/":
        return b"" if len(path) == 34 else None
    if path[18:22] != b"/10/" or path[-16:-12] != b"/21/":
        return None
    told = path[22:-16]
    return told if told and b"/" not in told else None
