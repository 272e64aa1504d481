"""Names in EPCIS documents: URN and Digital Link of any host are the same thing, kept as the canonical Digital Link.

A URI that is not a sound GS1 key (a private name, a key with a wrong check digit) is a legal name all the same: it is
kept as it is, so that nothing is lost, and the capture warns of it. Calling a good number bad is worse than calling a
bad one good.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

from gs1 import check_digit, digital_link, epc
from gs1.errors import GS1Error
from gs1.identifier import LOT, PLACE_KEY, SERIAL, Granularity, Identifier

LISTS_REMEMBERED: Final = 1 << 10
"""Lists of items kept in memory, those of a case or two (``_LIST_CHARACTERS_REMEMBERED``)."""
NAMES_REMEMBERED: Final = 1 << 16
"""Parsed names kept in memory: documents name the same classes, places and parties again and again."""

_UNSOUND_GTIN = re.compile(r"/01/(\d{14})(?:/10/([^/?#]+))?(?:/21/([^/?#]+))?$")


# The usual names, canonical already and without characters that need care: read ten times as fast as by the grammar.
_PLAIN = re.compile(
    r"https://id\.gs1\.org/(?:00/(\d{18})|01/(\d{14})(?:/10/([A-Za-z0-9._-]{1,20})|/21/([A-Za-z0-9._-]{1,20}))?)"
)


_ITEMS_OF_ONE_GTIN = re.compile(r"\nhttps://id\.gs1\.org/01/([0-9]{14})/21/")
_PREFIX_CHARACTERS: Final = len("\nhttps://id.gs1.org/01/01234567890128/21/")
_SERIAL_CHARACTERS_MAX: Final = 20
_LIST_CHARACTERS_REMEMBERED: Final = 1 << 12


class Kind(StrEnum):
    """What an EPC or an EPC class names."""

    ITEM = "item"
    LOT = "lot"
    PRODUCT = "product"
    UNIT = "unit"
    """A logistic unit, an asset, or anything else that has a name of its own and no GTIN."""


class Name(NamedTuple):
    """One EPC or class, read. ``uri`` is canonical; ``doubt`` says why it is not a sound GS1 key, None when it is."""

    uri: str
    kind: Kind
    gtin: str | None = None
    lot: str | None = None
    serial: str | None = None
    sscc: str | None = None
    doubt: str | None = None


@lru_cache(maxsize=NAMES_REMEMBERED)
def name_of(uri: str) -> Name:
    """Read a name; never refuses: what is not a GS1 key is a unit known by its URI, with the doubt told."""
    plain = _PLAIN.fullmatch(uri)
    if plain is not None and _fits(plain[1] or plain[2]):
        return _plain_name(uri, plain)
    doubt = None
    try:
        identifier = epc.from_epc(uri)
    except GS1Error as error:
        doubt = str(error)
        lenient = _lenient(uri)
        if lenient is None:
            return _unsound(uri, doubt)
        identifier = lenient
    kind = _kind(identifier)
    canonical = digital_link.canonical(identifier.identity())
    if kind is Kind.UNIT:
        return Name(canonical, kind, sscc=identifier.sscc, doubt=doubt)
    return Name(canonical, kind, identifier.gtin, identifier.lot, identifier.serial, doubt=doubt)


class NameList:
    """The names of a list, each once, in the order told.

    The usual list names items of one product in their canonical form: it has ``serials``, and what works on them
    need not look at names one by one.
    """

    __slots__ = ("_lookup", "_names", "_uris", "gtin", "serials")

    def __init__(self, uris: Sequence[str]) -> None:
        self._uris = tuple(dict.fromkeys(uris))
        plain = plain_items(self._uris)
        self.gtin: str = "" if plain is None else plain[0]
        self.serials: tuple[str, ...] | None = None if plain is None else plain[1]
        # Two spellings of one thing are one name; canonical ones differ when their texts do.
        self._names = None if plain is not None else tuple(dict.fromkeys(map(name_of, self._uris)))
        self._lookup: frozenset[Name] | None = None

    def __iter__(self) -> Iterator[Name]:
        return map(name_of, self._uris) if self._names is None else iter(self._names)

    def __contains__(self, name: Name) -> bool:
        if self._lookup is None:  # an event may name a hundred thousand items, and each is asked about
            self._lookup = frozenset(self)
        return name in self._lookup

    def __len__(self) -> int:
        return len(self._uris if self._names is None else self._names)


def plain_items(uris: Sequence[str]) -> tuple[str, tuple[str, ...]] | None:
    """GTIN and serials when all of these are items of one product with a sound GTIN, in their canonical form, with
    serials of letters and digits; None for any other list."""
    try:
        text = "\n" + "\n".join(uris)
    except TypeError:
        return None
    read = _plain_items_of if len(text) > _LIST_CHARACTERS_REMEMBERED else _plain_items_remembered
    return read(text, len(uris))


def _plain_items_of(text: str, count: int) -> tuple[str, tuple[str, ...]] | None:
    start = text[:_PREFIX_CHARACTERS]
    match = _ITEMS_OF_ONE_GTIN.fullmatch(start)
    if match is None or not _fits(match[1]):
        return None
    first, *serials = text.split(start)
    joined, lengths = "".join(serials), set(map(len, serials))
    # A line more or less than elements: an element holds a line break, or does not begin like the first.
    if first or len(serials) != count or not (joined.isascii() and joined.isalnum()):
        return None
    return (match[1], tuple(serials)) if min(lengths) and max(lengths) <= _SERIAL_CHARACTERS_MAX else None


# A list is asked about when it is checked, when it is read and when it is hashed.
_plain_items_remembered = lru_cache(maxsize=LISTS_REMEMBERED)(_plain_items_of)

# Thousands of items of one event have one GTIN.
_fits = lru_cache(maxsize=1 << 12)(check_digit.fits)


@lru_cache(maxsize=NAMES_REMEMBERED)
def place_uri(uri: str) -> str:
    """The URI under which a place is stored."""
    return _stored(uri)


@lru_cache(maxsize=NAMES_REMEMBERED)
def party_uri(uri: str) -> str:
    """The URI under which a party is stored. A party named by the GLN of a place is the legal entity of that GLN."""
    stored = _stored(uri)
    start = f"{digital_link.CANONICAL_BASE}/{PLACE_KEY}/"
    if stored.startswith(start):
        return digital_link.canonical(Identifier.party(stored.removeprefix(start).partition("/")[0]))
    return stored


def doubt_about(uri: str) -> str | None:
    """Why a URI that looks like a GS1 key is not a sound one; None when it is sound, or plainly a private name."""
    name = name_of(uri)
    return name.doubt if name.doubt is not None and _looks_like_gs1(uri) else None


def _stored(uri: str) -> str:
    try:
        return digital_link.canonical(epc.from_epc(uri).identity())
    except GS1Error:
        return uri


def _kind(identifier: Identifier) -> Kind:
    return {
        Granularity.ITEM: Kind.ITEM,
        Granularity.LOT: Kind.LOT,
        Granularity.PRODUCT: Kind.PRODUCT,
    }.get(identifier.granularity, Kind.UNIT)


def _lenient(uri: str) -> Identifier | None:
    """A Digital Link that is sound but says more than CBV 8.2.4.2 lets it: a lot beside the serial, a variant."""
    if uri.startswith("urn:"):
        return None
    try:
        identifier = digital_link.parse(uri)
    except GS1Error:
        return None
    keep = tuple(pair for pair in identifier.qualifiers if pair[0] in (LOT, SERIAL, "235"))
    return Identifier(identifier.key, identifier.value, keep if identifier.gtin else identifier.qualifiers)


def _plain_name(uri: str, match: re.Match[str]) -> Name:
    sscc, gtin, lot, serial = match.groups()
    if sscc is not None:
        return Name(uri, Kind.UNIT, None, None, None, sscc)
    return Name(uri, Kind.ITEM if serial else Kind.LOT if lot else Kind.PRODUCT, gtin, lot, serial)


def _unsound(uri: str, doubt: str) -> Name:
    """A GTIN of 14 digits with a wrong check digit still names a lot or an item that goods were made from."""
    match = _UNSOUND_GTIN.search(uri)
    if match is None:
        return Name(uri, Kind.UNIT, doubt=doubt)
    gtin, lot, serial = match.groups()
    if any("%" in part or len(part) > 20 for part in (lot or "", serial or "")):
        return Name(uri, Kind.UNIT, doubt=doubt)
    kind = Kind.ITEM if serial else Kind.LOT if lot else Kind.PRODUCT
    path = f"/01/{gtin}" + (f"/21/{serial}" if serial else f"/10/{lot}" if lot else "")
    return Name(digital_link.CANONICAL_BASE + path, kind, gtin, lot, serial, doubt=doubt)


def _looks_like_gs1(uri: str) -> bool:
    return uri.startswith("urn:epc:") or re.search(r"/(00|01|41[47]|8003|8004|8006|253|255)/\d", uri) is not None
