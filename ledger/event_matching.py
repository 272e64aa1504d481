"""Whether an event on record is what a query asks for, as far as no column says it. Pure.

URN and Digital Link of any host are the same name here, and the URI forms of a CBV word are the bare word.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from ledger.epcis.checks import instant_of
from ledger.epcis.identifiers import Kind, Name, name_of, party_uri, place_uri
from ledger.epcis.validate import OWN_RANGES
from ledger.epcis.words import bare

Test = Callable[[Mapping[str, Any]], bool]

COMPARISONS: Final[Mapping[str, Callable[[Any, Any], bool]]] = MappingProxyType(
    {"EQ": operator.eq, "GT": operator.gt, "GE": operator.ge, "LT": operator.lt, "LE": operator.le}
)

QUANTITIES: Final = ("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList")
EPC_FIELDS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "MATCH_epc": ("epcList", "childEPCs"),
        "MATCH_parentID": ("parentID",),
        "MATCH_inputEPC": ("inputEPCList",),
        "MATCH_outputEPC": ("outputEPCList",),
        "MATCH_anyEPC": ("epcList", "childEPCs", "parentID", "inputEPCList", "outputEPCList"),
    }
)
CLASS_FIELDS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "MATCH_epcClass": ("quantityList", "childQuantityList"),
        "MATCH_inputEPCClass": ("inputQuantityList",),
        "MATCH_outputEPCClass": ("outputQuantityList",),
        "MATCH_anyEPCClass": QUANTITIES,
    }
)
_PATTERN: Final = "urn:epc:idpat:sgtin:"


@dataclass(frozen=True, slots=True)
class Match:
    """One MATCH parameter: the fields that are looked at, and the names of which one has to stand there.

    ``gtins`` come from patterns (``urn:epc:idpat:sgtin:….*``): any item of that product.
    """

    fields: tuple[str, ...]
    names: tuple[Name, ...]
    gtins: frozenset[str]
    of_classes: bool


def match_of(parameter: str, uris: Iterable[str]) -> Match:
    """The match that a MATCH parameter with these values asks for."""
    of_classes = parameter in CLASS_FIELDS
    fields = CLASS_FIELDS[parameter] if of_classes else EPC_FIELDS[parameter]
    names, gtins = [], set()
    for uri in uris:
        name = name_of(uri)
        if not of_classes and uri.startswith(_PATTERN) and name.kind is Kind.PRODUCT and name.gtin is not None:
            gtins.add(name.gtin)
        else:
            names.append(name)
    return Match(fields, tuple(names), frozenset(gtins), of_classes)


def names_one_of(match: Match, numbers: Collection[int]) -> Test:
    """Whether an event names what the match asks for.

    ``numbers`` are those of its items: our own commissioning events tell ranges of numbers where others have an
    ``epcList``.
    """
    wanted = {name.uri for name in match.names}

    def test(body: Mapping[str, Any]) -> bool:
        for uri in _uris(body, match.fields, of_classes=match.of_classes):
            name = name_of(uri)
            if name.uri in wanted or (name.gtin in match.gtins and name.serial is not None):
                return True
        runs = body.get(OWN_RANGES, ()) if "epcList" in match.fields else ()
        if runs and any(name_of(told["epcClass"]).gtin in match.gtins for told in body["quantityList"]):
            return True
        return any(lo <= number < lo + n for lo, n in runs for number in numbers)

    return test


def has_words(field: str, words: Collection[str]) -> Test:
    """``persistentDisposition``: whether ``set`` or ``unset`` has one of these words."""
    wanted = {bare(word) for word in words}
    return lambda body: any(bare(word) in wanted for word in body.get("persistentDisposition", {}).get(field, ()))


def quantity_is(comparison: str, amounts: Collection[Decimal]) -> Test:
    """Whether some quantity of the event compares so with one of these."""
    compare = COMPARISONS[comparison]
    return lambda body: any(
        "quantity" in element and any(compare(Decimal(str(element["quantity"])), amount) for amount in amounts)
        for field in QUANTITIES
        for element in body.get(field, ())
    )


def has_entry(field: str, inner: str, kind: str, values: Collection[str]) -> Test:
    """``bizTransactionList``, ``sourceList``, ``destinationList``: an entry of this type with one of these values."""
    read = _reader(inner, bare(kind))
    wanted, word = {read(value) for value in values}, bare(kind)
    return lambda body: any(
        bare(entry.get("type", "")) == word and read(entry[inner]) in wanted for entry in body.get(field, ())
    )


def declares_at(comparison: str, instant: Any) -> Test:
    """Whether the event has an ``errorDeclaration`` whose time compares so."""
    compare = COMPARISONS[comparison]

    def test(body: Mapping[str, Any]) -> bool:
        told = instant_of(body.get("errorDeclaration", {}).get("declarationTime", ""))
        return told is not None and compare(told, instant)

    return test


def declares_reason(words: Collection[str]) -> Test:
    """Whether the event was declared wrong for one of these reasons."""
    wanted = {bare(word) for word in words}
    return lambda body: bare(body.get("errorDeclaration", {}).get("reason", "")) in wanted


def corrected_by(event_ids: Collection[str]) -> Test:
    """Whether the declaration names one of these as what happened instead."""
    wanted = set(event_ids)
    return lambda body: bool(wanted.intersection(body.get("errorDeclaration", {}).get("correctiveEventIDs", ())))


def _uris(body: Mapping[str, Any], fields: Iterable[str], *, of_classes: bool) -> Iterator[str]:
    for field in fields:
        told = body.get(field, ())
        if isinstance(told, str):
            yield told
        elif of_classes:
            yield from (element["epcClass"] for element in told)
        else:
            yield from told


def _reader(inner: str, kind: str) -> Callable[[str], str]:
    if inner == "bizTransaction":
        return lambda uri: name_of(uri).uri
    return place_uri if kind == "location" else party_uri
