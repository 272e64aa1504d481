"""The links of a code: those of the house and those of staff, level by level, and the one that fits a request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Self
from urllib.parse import quote

from gs1 import digital_link
from gs1.identifier import Granularity, Identifier
from portal.model import Finding
from web.headers import languages, negotiate

VOCABULARY: Final = "https://ref.gs1.org/voc/"
DEFAULT: Final = "defaultLink"
DEFAULT_BY_LANGUAGE: Final = "defaultLinkMulti"
PAGE_TYPE: Final = "pip"
_VARIABLE = re.compile(r"\{([a-z]+)\}")


@dataclass(frozen=True, slots=True)
class StaffLink:
    """A link that staff put on record, of a host that may be shown. ``cpv`` and ``lot`` empty: of the whole product."""

    gtin: str
    cpv: str
    lot: str
    type: str
    target: str
    title: str
    languages: tuple[str, ...] = ()
    media_type: str | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None

    def holds(self, now: datetime) -> bool:
        """Whether it is valid now."""
        is_begun = self.valid_from is None or self.valid_from <= now
        return is_begun and (self.valid_until is None or now < self.valid_until)


@dataclass(frozen=True, slots=True)
class LinkTable:
    """All links of staff, by (gtin, cpv, lot)."""

    by_level: Mapping[tuple[str, str, str], tuple[StaffLink, ...]] = field(default_factory=dict)
    changes: Mapping[str, tuple[datetime, ...]] = field(default_factory=dict)
    """By gtin: when one of its links begins or ends to be valid."""

    @classmethod
    def of(cls, links: Iterable[StaffLink]) -> Self:
        """From links in the order in which they are offered."""
        found: dict[tuple[str, str, str], list[StaffLink]] = {}
        changes: dict[str, list[datetime]] = {}
        for link in links:
            found.setdefault((link.gtin, link.cpv, link.lot), []).append(link)
            told = [at for at in (link.valid_from, link.valid_until) if at is not None]
            if told:
                changes.setdefault(link.gtin, []).extend(told)
        return cls(
            {level: tuple(each) for level, each in found.items()}, {gtin: tuple(each) for gtin, each in changes.items()}
        )

    def next_change(self, gtin: str, now: datetime) -> datetime | None:
        """When other links of this product will hold than now; None: never."""
        return min((at for at in self.changes.get(gtin, ()) if at > now), default=None)

    def at(self, gtin: str, cpv: str, lot: str, now: datetime) -> tuple[StaffLink, ...]:
        """The links of exactly this level that hold now."""
        kept = self.by_level.get((gtin, cpv, lot), ())
        return tuple(link for link in kept if link.holds(now)) if kept else ()


@dataclass(frozen=True, slots=True)
class Level:
    """One level of a code at which something is known, with its links by type (the short name in the vocabulary)."""

    identifier: Identifier
    finding: Finding
    links: Mapping[str, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Offer:
    """What all levels of one request share."""

    table: LinkTable
    base_url: str
    page_languages: Sequence[str]
    scanned: Identifier
    now: datetime

    def levels(self, known: Iterable[tuple[Identifier, Finding]]) -> Iterator[Level]:
        """The levels with their links, the most specific first. A default link of staff holds for the levels below."""
        for identifier, finding in known:
            links = _house(identifier, finding, self.base_url, self.page_languages)
            for name, written in self._staff_by_type(identifier).items():
                links[name] = written
            self._settle_default(identifier, finding, links)
            yield Level(identifier, finding, links)

    def has_variant(self, identifier: Identifier) -> bool:
        """Whether staff have links of this variant: of variants nothing else is known."""
        return bool(self.table.at(identifier.gtin or "", identifier.cpv or "", identifier.lot or "", self.now))

    def _staff_by_type(self, identifier: Identifier) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = {}
        if identifier.gtin is not None and identifier.serial is None:
            for link in self.table.at(identifier.gtin, identifier.cpv or "", identifier.lot or "", self.now):
                if link.type != DEFAULT:
                    found.setdefault(link.type, []).append(self._written(link))
        return found

    def _settle_default(self, identifier: Identifier, finding: Finding, links: dict[str, list[dict[str, Any]]]) -> None:
        """Exactly one default link, with a title and nothing else; its target stands under another type as well."""
        staff = self._defaults(identifier, finding)
        if not staff:
            return
        plain = next((link for link in staff if not link.languages), staff[0])
        default = self._written(plain)
        links[DEFAULT] = [{"href": default["href"], "title": default["title"]}]
        by_language = [self._written(link) for link in staff if link.languages]
        if by_language:
            links[DEFAULT_BY_LANGUAGE] = by_language
        pages = links.setdefault(PAGE_TYPE, [])
        if default["href"] not in [link["href"] for link in pages]:
            links[PAGE_TYPE] = [*pages, default]

    def _defaults(self, identifier: Identifier, finding: Finding) -> tuple[StaffLink, ...]:
        if identifier.gtin is None:
            return ()
        lot = identifier.lot or (finding.lot.code if finding.lot is not None else "")
        for cpv, code in dict.fromkeys(((identifier.cpv or "", lot), (identifier.cpv or "", ""), ("", lot), ("", ""))):
            here = self.table.at(identifier.gtin, cpv, code, self.now)
            if found := tuple(link for link in here if link.type == DEFAULT):
                return found
        return ()

    def _written(self, link: StaffLink) -> dict[str, Any]:
        written: dict[str, Any] = {"href": filled(link.target, self.scanned), "title": link.title}
        if link.media_type is not None:
            written["type"] = link.media_type
        if link.languages:
            written["hreflang"] = list(link.languages)
        return written


def linkset(levels: Sequence[Level], base_url: str) -> dict[str, Any]:
    """RFC 9264, one object per level, the most specific first. Keys are whole addresses: a CURIE fails the schema."""
    return {
        "linkset": [
            {
                "anchor": base_url + digital_link.path_of(level.identifier),
                "itemDescription": _name(level.identifier, level.finding),
                **{f"{VOCABULARY}{name}": list(links) for name, links in level.links.items()},
            }
            for level in levels
        ]
    }


def fitting(
    levels: Iterable[Level], link_type: str, *, accept: str | None, wanted: str | None
) -> Sequence[Mapping[str, Any]]:
    """The links of a type that fit best, at the first level that has any: by media type, then by language.

    More than one: they are equally good (Resolver 1.2, 2.6: the client is given the choice). ``wanted`` is an
    Accept-Language; a language that no link has gets those that name none, else the first.
    """
    links = next((level.links[link_type] for level in levels if link_type in level.links), ())
    return _of_language(_of_media(links, accept), wanted)


def default_of(level: Level, wanted: str | None) -> str:
    """The address of the default link, in a language that is asked for and offered."""
    spoken = level.links.get(DEFAULT_BY_LANGUAGE, ())
    chosen = languages(wanted, [code for link in spoken for code in link["hreflang"]])
    if chosen:
        return str(next(link["href"] for link in spoken if chosen[0] in link["hreflang"]))
    return str(level.links[DEFAULT][0]["href"])


def filled(target: str, scanned: Identifier) -> str:
    """The target with what was scanned in the place of its variables, encoded so that it stays one piece."""
    values = {"gtin": scanned.gtin, "lot": scanned.lot, "serial": scanned.serial, "cpv": scanned.cpv}
    return _VARIABLE.sub(lambda found: quote(values.get(found[1]) or "", safe=""), target)


def page_address(identifier: Identifier, base_url: str) -> str:
    """Where the page stands whatever a client accepts: the target of the default link, which so cannot loop."""
    return f"{base_url}/p{digital_link.path_of(identifier)}"


def _of_media(links: Sequence[Mapping[str, Any]], accept: str | None) -> Sequence[Mapping[str, Any]]:
    offered = [link["type"] for link in links if "type" in link]
    if not accept or len(set(offered)) < 2 or accept.strip() == "*/*":
        return links
    best = negotiate(accept, offered)
    return [link for link in links if link.get("type", best) == best] if best is not None else links


def _of_language(links: Sequence[Mapping[str, Any]], wanted: str | None) -> Sequence[Mapping[str, Any]]:
    spoken = languages(wanted, [code for link in links for code in link.get("hreflang", ())])
    if spoken and (wanted or "").strip() != "*":
        return [link for link in links if spoken[0] in link.get("hreflang", ())]
    spoken_by_none = [link for link in links if "hreflang" not in link] or links
    first = next(iter(spoken_by_none), {})
    return [link for link in spoken_by_none if all(link.get(key) == first.get(key) for key in ("hreflang", "type"))]


def _house(
    identifier: Identifier, finding: Finding, base_url: str, page_languages: Sequence[str]
) -> dict[str, list[dict[str, Any]]]:
    path = digital_link.path_of(identifier)
    page = page_address(identifier, base_url)
    name = _name(identifier, finding)
    links: dict[str, list[dict[str, Any]]] = {
        DEFAULT: [{"href": page, "title": name}],
        # The target of the default link under a type that says what it is (Resolver 1.2, 2.6), then by language.
        PAGE_TYPE: [
            {"href": page, "title": name, "type": "text/html"},
            *(
                {"href": f"{page}?lang={language}", "title": name, "type": "text/html", "hreflang": [language]}
                for language in page_languages
            ),
        ],
    }
    if identifier.granularity in (Granularity.PRODUCT, Granularity.LOT, Granularity.ITEM, Granularity.LOGISTIC_UNIT):
        status = f"{base_url}/recall-status{path}"
        links["recallStatus"] = [{"href": status, "title": "Recall status", "type": "application/json"}]
    if identifier.granularity in (Granularity.LOT, Granularity.ITEM):
        links["traceability"] = [{"href": page, "title": "History", "type": "text/html"}]
    return links


def _name(identifier: Identifier, finding: Finding) -> str:
    if finding.product is None:
        return f"({identifier.key}) {identifier.value}"
    parts = [finding.product.name, identifier.cpv and f"variant {identifier.cpv}"]
    parts += [identifier.lot and f"lot {identifier.lot}", identifier.serial and f"item {identifier.serial}"]
    return ", ".join(part for part in parts if part)
