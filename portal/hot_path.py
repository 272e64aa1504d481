"""From a request to an answer, without I/O: ``look`` finds and judges, ``answer`` writes.

Two steps, because between them a route may read what stands beside the verdict (history, checks, what a unit holds).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

import orjson

from gs1 import digital_link
from gs1.errors import GS1Error
from gs1.identifier import Granularity, Identifier
from portal import documents, form_wording, links, units
from portal.documents import LINKSET_CONTEXT
from portal.language import ORIGINAL, Tongue
from portal.links import VOCABULARY
from portal.model import ALONE, Beside, CodeState, Confirmation, Finding, Verdict
from portal.pages import Pages
from portal.shelf import Shelf
from portal.snapshot import Snapshot
from portal.verdict import judge
from web.headers import HEADER_LENGTH_MAX, accepts, languages, negotiate

ADDRESS_BYTES_MAX: Final = 2_048
HEADERS_MAX: Final = 1_000
"""Headers whose meaning is kept (at most 1,000 characters each): browsers send few different ones."""
ETAGS_MAX: Final = 16_000
"""Pages whose tag is kept; their bytes are those of ``Pages``."""
RETRY_AFTER_S: Final = 2
HTML: Final = "text/html"
JSON: Final = "application/json"
LINKSET: Final = "application/linkset+json"
_NAMESPACES: Final = (VOCABULARY, "https://gs1.org/voc/", "https://www.gs1.org/voc/", "gs1:")


class Form(Enum):
    """In which form the answer is wanted."""

    PAGE = "page"
    VERDICT = "verdict"
    LINKSET = "linkset"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class Ask:
    """A request as it came over the wire: ``path`` is the raw path, ``query`` the raw query."""

    path: str
    query: str = ""
    accept: str | None = None
    accept_language: str | None = None
    only: Form | None = None
    """The form that the address itself stands for (``/p/…``, ``/recall-status/…``), whatever is accepted."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back over the wire."""

    status: int
    body: bytes = b""
    media_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    moment: bytes = b""
    """The end of a page, after ``body``: what is said of this one scan."""

    @property
    def whole(self) -> bytes:
        """All of the body."""
        return self.body + self.moment


@dataclass(frozen=True, slots=True)
class Sight:
    """What was asked for, and what is known of it, before anything is read beside it."""

    identifier: Identifier
    finding: Finding
    tongue: Tongue
    form: Form
    link_type: str | None
    ask: Ask
    snapshot: Snapshot
    confirmation: Confirmation
    now: datetime

    @property
    def query(self) -> str:
        """The raw query."""
        return self.ask.query

    @property
    def accept(self) -> str | None:
        """The media types that are taken; None when the header is absent or too long to be read."""
        return _short(self.ask.accept)

    @property
    def accept_language(self) -> str | None:
        """The languages wanted, ``?lang=`` before the header."""
        return _asked_language(self.ask.query) or _short(self.ask.accept_language)

    @property
    def is_unit(self) -> bool:
        """A case or pallet: what it holds is read live."""
        return self.identifier.granularity is Granularity.LOGISTIC_UNIT

    def verdict(self, beside: Beside = ALONE) -> Verdict:
        """What is said about it, with what was read beside it."""
        fresh = self.confirmation.is_fresh
        if self.is_unit:
            held = None if beside.contents is None else units.lines(beside.contents, self.snapshot)
            return units.judge_unit(held, exists=beside.unit_exists, is_fresh=fresh)
        return judge(self.finding, is_fresh=fresh, today=self.now.date(), checks=beside.checks)


class HotPath:
    """Holds what never changes while the process runs: the public address, the languages, the pages."""

    def __init__(self, base_url: str, tongues: Mapping[str, Tongue], pages: Pages, shelf: Shelf) -> None:
        self.base_url = base_url
        self.shelf = shelf
        self.tongues = tongues
        self.pages = pages

    def resolve(self, ask: Ask, snapshot: Snapshot, confirmation: Confirmation, now: datetime) -> Answer:
        """The answer from the snapshot alone: path, headers and copy in, status, headers and body out."""
        sight = self.look(ask, snapshot, confirmation, now)
        return sight if isinstance(sight, Answer) else self.answer(sight)

    def tongue(self, ask: Ask) -> Tongue:
        """The language to answer in."""
        return self.tongues[next(iter(self._asked(ask)), ORIGINAL)]

    def look(self, ask: Ask, snapshot: Snapshot, confirmation: Confirmation, now: datetime) -> Sight | Answer:
        """Parse and find. An address that is too long or breaks the grammar is answered at once."""
        asked = self._asked(ask)
        tongue = self.tongues[next(iter(asked), ORIGINAL)]
        form, link_type = _form(ask)
        if len(ask.path) + len(ask.query) > ADDRESS_BYTES_MAX:
            return self._unreadable(HTTPStatus.REQUEST_URI_TOO_LONG, f"{ADDRESS_BYTES_MAX} bytes", tongue, form)
        path = ask.path[:-1] if ask.path.endswith("/") else ask.path  # stripped once: GS1 resolver 1.2, 2.7
        try:
            identifier = digital_link.parse_path(path)
            if ask.query and any(part[:1].isdigit() for part in ask.query.replace(";", "&").split("&")):
                identifier = digital_link.parse(f"{digital_link.CANONICAL_BASE}{path}?{ask.query}")
        except GS1Error as error:
            detail = form_wording.grammar(error, tongue) if form is Form.PAGE else str(error)
            return self._unreadable(HTTPStatus.BAD_REQUEST, detail, tongue, form)
        finding = self.shelf.marked(snapshot.find(identifier))
        return Sight(
            identifier,
            finding,
            tongue,
            form,
            link_type,
            ask,
            snapshot,
            confirmation,
            now,
        )

    def answer(self, sight: Sight, beside: Beside = ALONE, verdict: Verdict | None = None) -> Answer:
        """Write the answer in the form that is wanted; ``verdict`` when it has been decided with the same beside."""
        verdict = verdict or sight.verdict(beside)
        if sight.form is Form.PAGE:
            return self._page(sight, beside, verdict)
        if sight.form is Form.VERDICT:
            return self._verdict(sight, beside, verdict)
        return self._resolved(sight, beside, verdict)

    def _resolved(self, sight: Sight, beside: Beside, verdict: Verdict) -> Answer:
        """The linkset, one link of it, or the default link (GS1-Conformant Resolver 1.2)."""
        offer = links.Offer(self.shelf.links, self.base_url, self._languages(), sight.identifier, sight.now)
        levels = offer.levels(self._levels(sight, verdict, offer))
        first = next(levels, None)
        if first is None:
            return self._verdict(sight, beside, verdict)
        if sight.form is Form.LINKSET:
            return self._linkset(HTTPStatus.OK, sight, [first, *levels])
        if sight.link_type is not None and sight.link_type != links.DEFAULT:
            return self._link(sight, [first, *levels])
        if sight.link_type is None and _is_gone(sight.finding, verdict):
            return self._verdict(sight, beside, verdict)
        return self._redirect(sight, links.default_of(first, sight.accept_language))

    def _linkset(self, status: HTTPStatus, sight: Sight, levels: Sequence[links.Level]) -> Answer:
        headers = {"Link": f"{LINKSET_CONTEXT}, {self._links(sight.identifier)}", "Cache-Control": "no-cache"}
        return _json(status, links.linkset(levels, self.base_url), headers, LINKSET)

    def too_fast(self, sight: Sight, wait_s: int) -> Answer:
        """Too many codes that do not exist came from one network: 429, and when to come again."""
        detail = sight.tongue.gettext("Too many unknown codes came from your network. Try again in {n} seconds.")
        detail = detail.format(n=wait_s)
        headers = {"Retry-After": str(wait_s), "Cache-Control": "no-store"}
        if sight.form is Form.PAGE:
            body = self.pages.message(Verdict.UNKNOWN_CODE, sight.tongue, None, detail)
            return Answer(HTTPStatus.TOO_MANY_REQUESTS, body, HTML, headers)
        problem = {"type": "urn:tracemark:problem:too_fast", "title": "Too Many Requests", "status": 429}
        return _json(429, {**problem, "detail": detail}, headers, "application/problem+json")

    def _asked(self, ask: Ask) -> tuple[str, ...]:
        """``?lang=`` first, then ``Accept-Language``; no cookie."""
        wanted = _asked_language(ask.query)
        if wanted and (spoken := _languages(_short(wanted), tuple(self.tongues))):
            return spoken[:1]
        return _languages(_short(ask.accept_language), tuple(self.tongues))

    def _page(self, sight: Sight, beside: Beside, verdict: Verdict) -> Answer:
        confirmed_at, moment = sight.confirmation.at, b""
        if sight.is_unit:
            held = units.lines(beside.contents or (), sight.snapshot)
            body = self.pages.unit(verdict, held, units.recalls_in(held), sight.tongue, confirmed_at)
        else:
            body, moment = self.pages.scan(sight.finding, verdict, beside, sight.tongue, confirmed_at)
        headers = self._headers(sight, verdict)
        headers["ETag"] = f'W/"{_etag(body)}{moment_tag(moment)}"'
        return Answer(_status(sight, verdict), body, HTML, headers, moment)

    def _verdict(self, sight: Sight, beside: Beside, verdict: Verdict) -> Answer:
        common: dict[str, Any] = {
            "tongue": sight.tongue,
            "confirmation": sight.confirmation,
            "base_url": self.base_url,
            "revision": sight.snapshot.revision,
        }
        if sight.is_unit:
            held = units.lines(beside.contents or (), sight.snapshot)
            cases = units.recalls_in(held)
            document = documents.unit_document(sight.identifier, held=held, verdict=verdict, cases=cases, **common)
        else:
            document = documents.verdict_document(
                sight.identifier, finding=sight.finding, verdict=verdict, beside=beside, **common
            )
        return _json(_status(sight, verdict), document, self._headers(sight, verdict))

    def _link(self, sight: Sight, levels: Sequence[links.Level]) -> Answer:
        """The one link of the type that fits, at this level or the next above: 307, with the raw query passed on.

        Several that fit equally well: 300, and the linkset to choose from.
        """
        name = sight.link_type or ""
        wanted = sight.accept_language
        found = links.fitting(levels, name, accept=sight.accept, wanted=wanted)
        if not found:
            problem = {"type": "urn:tracemark:problem:no_such_link", "title": "Not Found", "status": 404}
            problem["detail"] = f"There is no link of the type {name} for this code."
            return _json(404, problem, {"Link": self._links(sight.identifier)}, "application/problem+json")
        if len(found) > 1:
            return self._linkset(HTTPStatus.MULTIPLE_CHOICES, sight, levels)
        return self._redirect(sight, found[0]["href"])

    def _redirect(self, sight: Sight, target: str) -> Answer:
        headers = {"Location": joined(target, sight.query), "Link": self._links(sight.identifier)}
        return Answer(HTTPStatus.TEMPORARY_REDIRECT, b"", JSON, {**headers, "Cache-Control": "no-cache"})

    def _levels(self, sight: Sight, verdict: Verdict, offer: links.Offer) -> Iterator[tuple[Identifier, Finding]]:
        """The levels at which something is known, the most specific first; found as they are asked for.

        An item never issued is not looked for above: serials are strict, lots and variants walk up.
        """
        if sight.is_unit:
            if verdict not in (Verdict.UNKNOWN_CODE, Verdict.CANNOT_CONFIRM):
                yield sight.identifier.identity(), sight.finding
            return
        if sight.identifier.granularity is Granularity.ITEM and not sight.finding.is_known:
            return
        for level in sight.identifier.walk_up():
            if level.cpv is not None and not offer.has_variant(level):
                continue  # of variants only the links of staff are known
            is_the_item = level.granularity is Granularity.ITEM
            finding = sight.finding if is_the_item else sight.snapshot.find(level.without_variant())
            if finding.is_known:
                yield level, finding

    def _headers(self, sight: Sight, verdict: Verdict) -> dict[str, str]:
        headers = {"Link": self._links(sight.identifier), "Cache-Control": "no-cache"}
        if verdict is Verdict.CANNOT_CONFIRM:
            headers |= {"Retry-After": str(RETRY_AFTER_S), "Cache-Control": "no-store"}
        return headers

    def _links(self, identifier: Identifier) -> str:
        address = self.base_url + digital_link.path_of(identifier)
        return f'<{address}>; rel="canonical", <{address}?linkType=linkset>; rel="linkset"; type="{LINKSET}"'

    def _unreadable(self, status: HTTPStatus, detail: str, tongue: Tongue, form: Form) -> Answer:
        if status is HTTPStatus.REQUEST_URI_TOO_LONG:
            detail = tongue.gettext("The address is longer than {limit}.").format(limit=detail)
        if form is Form.PAGE:
            return Answer(status, self.pages.message(Verdict.UNREADABLE, tongue, None, detail), HTML)
        code = "address_too_long" if status is HTTPStatus.REQUEST_URI_TOO_LONG else "unreadable"
        document = {
            "type": f"urn:tracemark:problem:{code}",
            "title": status.phrase,
            "status": int(status),
            "detail": detail,
            "verdict": Verdict.UNREADABLE.value,
        }
        return _json(status, document, {}, "application/problem+json")

    def _languages(self) -> list[str]:
        return [code for code in self.tongues if len(code) == 2]  # hreflang of GS1's schema takes no script subtag


@lru_cache(maxsize=ETAGS_MAX)
def _etag(body: bytes) -> str:
    return hashlib.blake2b(body, digest_size=12).hexdigest()


@lru_cache(maxsize=ETAGS_MAX)
def moment_tag(moment: bytes) -> str:
    """What a page's tag ends with: the same page with another count, or confirmed later, is another answer."""
    return "-" + hashlib.blake2b(moment, digest_size=6).hexdigest() if moment else ""


def joined(target: str, query: str) -> str:
    """The target with the whole raw query passed on (GS1 resolver 1.2, 2.8), before a fragment."""
    if not query:
        return target
    address, mark, fragment = target.partition("#")
    return f"{address}{'&' if '?' in address else '?'}{query}{mark}{fragment}"


def _form(ask: Ask) -> tuple[Form, str | None]:
    if ask.only is not None:
        return ask.only, None
    link_type = _link_type(ask.query)
    if link_type in ("linkset", "all"):
        return Form.LINKSET, None
    if link_type is not None:
        return Form.LINK, link_type
    return _accepted(_short(ask.accept)), None


def _asked_language(query: str) -> str:
    return dict(parse_qsl(query)).get("lang", "") if "lang=" in query else ""


def _short(header: str | None) -> str | None:
    """A header that is too long to be read counts as absent (web/headers.py); so none of that size is kept."""
    return None if header is None or len(header) > HEADER_LENGTH_MAX else header


@lru_cache(maxsize=HEADERS_MAX)
def _languages(accept_language: str | None, offered: tuple[str, ...]) -> tuple[str, ...]:
    return languages(accept_language, offered)


@lru_cache(maxsize=HEADERS_MAX)
def _accepted(accept: str | None) -> Form:
    named = [media for media in (HTML, JSON, LINKSET) if accepts(accept, media)]
    if not named and accepts(accept, "application/xhtml+xml"):
        named = [HTML]
    chosen = negotiate(accept, named) if named else None
    forms = {HTML: Form.PAGE, JSON: Form.VERDICT, LINKSET: Form.LINKSET}
    return forms[chosen] if chosen is not None else Form.LINK


def _link_type(query: str) -> str | None:
    if not query:
        return None
    for piece in query.split("&"):
        name, _, value = piece.partition("=")
        if name.lower() == "linktype" and value:
            text = unquote(value)
            prefix = next((prefix for prefix in _NAMESPACES if text.startswith(prefix)), "")
            return text[len(prefix) :]
    return None


def _status(sight: Sight, verdict: Verdict) -> int:
    if verdict is Verdict.CANNOT_CONFIRM:
        return HTTPStatus.SERVICE_UNAVAILABLE
    if verdict is Verdict.UNKNOWN_CODE or (
        verdict is Verdict.RECALLED and not sight.is_unit and not sight.finding.is_known
    ):
        return HTTPStatus.NOT_FOUND
    return HTTPStatus.GONE if _is_gone(sight.finding, verdict) else HTTPStatus.OK


def _is_gone(finding: Finding, verdict: Verdict) -> bool:
    """Taken out of service or voided, and nothing worse to say than that."""
    return verdict is Verdict.BLOCKED and finding.state in (CodeState.OUT_OF_SERVICE, CodeState.VOID)


def _json(status: int, document: Any, headers: Mapping[str, str], media_type: str = JSON) -> Answer:
    return Answer(status, orjson.dumps(document), media_type, headers)
