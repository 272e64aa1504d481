"""What a document's header tells about parties, places and products (EPCIS 2.0, 9.6.1: epcisMasterData)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

from ledger.epcis.checks import instant_of
from ledger.epcis.identifiers import Name, name_of, party_uri, place_uri
from ledger.epcis.words import local_name

_NAME_KEYS: Final = ("name", "descriptionShort", "tradeItemDescription", "regulatedProductName", "functionalName")
_PLACE_KINDS: Final = ("location", "bizlocation", "businesslocation", "readpoint")
_ADDRESS_KEYS: Final = ("streetAddressOne", "streetAddress", "streetAddressTwo", "postalCode")


@dataclass(frozen=True, slots=True)
class TitleTold:
    """What is told of one party, place or product; None = not told."""

    name: str | None = None
    owner_uri: str | None = None
    country: str | None = None
    region: str | None = None
    city: str | None = None
    address: str | None = None
    brand: str | None = None


INSPECTION: Final = "urn:tracemark:epcis:inspection"
"""Attribute of a lot in the header: an object with at, result, and perhaps report and inspector."""
RESULTS: Final = ("passed", "failed", "pending")


class InspectionTold(NamedTuple):
    """One look at a lot; the standard has no word for its result that every reader knows."""

    gtin: str
    lot: str
    at: datetime
    result: str
    report: str | None
    inspector: str | None


@dataclass(frozen=True, slots=True)
class MasterDataTold:
    """By canonical URI; products by GTIN."""

    parties: Mapping[str, TitleTold] = field(default_factory=dict)
    places: Mapping[str, TitleTold] = field(default_factory=dict)
    products: Mapping[str, TitleTold] = field(default_factory=dict)
    inspections: tuple[InspectionTold, ...] = ()


def master_data_of(document: Mapping[str, Any]) -> MasterDataTold:
    """Read the header. What has not the form of master data is passed over: it is beside the events, never instead."""
    parties: dict[str, TitleTold] = {}
    places: dict[str, TitleTold] = {}
    products: dict[str, TitleTold] = {}
    inspections: list[InspectionTold] = []
    for kind, uri, attributes in _elements(document):
        told = _told(attributes)
        if kind == "party":
            parties.setdefault(party_uri(uri), told)
        elif kind in _PLACE_KINDS:
            places.setdefault(place_uri(uri), told)
        elif kind == "epcclass":
            name = name_of(uri)
            inspections += _inspections(name, attributes)
            if name.gtin is not None and (name.lot is None or told != TitleTold()):
                products.setdefault(name.gtin, told)
    return MasterDataTold(parties, places, products, tuple(inspections))


def _elements(document: Mapping[str, Any]) -> list[tuple[str, str, Any]]:
    found = []
    header = _at(_at(document.get("epcisHeader"), "epcisMasterData"), "vocabularyList")
    for vocabulary in header if isinstance(header, list) else []:
        kind = local_name(str(_at(vocabulary, "type") or "")).lower()  # documents write Party and party
        elements = _at(vocabulary, "vocabularyElementList")
        for element in elements if isinstance(elements, list) else []:
            uri = _at(element, "id")
            if isinstance(uri, str):
                found.append((kind, uri, _at(element, "attributes")))
    return found


def _inspections(name: Name, attributes: Any) -> list[InspectionTold]:
    if name.gtin is None or name.lot is None:
        return []
    found = []
    for attribute in attributes if isinstance(attributes, list) else []:
        value = _at(attribute, "attribute") if _at(attribute, "id") == INSPECTION else None
        at, result = instant_of(str(_at(value, "at"))), _at(value, "result")
        if at is not None and result in RESULTS:
            more = (told if isinstance(told := _at(value, key), str) else None for key in ("report", "inspector"))
            found.append(InspectionTold(name.gtin, name.lot, at, result, *more))
    return found


def _told(attributes: Any) -> TitleTold:
    values: dict[str, str] = {}
    for attribute in attributes if isinstance(attributes, list) else []:
        value = _at(attribute, "attribute")
        if isinstance(value, str) and value.strip():
            values.setdefault(local_name(str(_at(attribute, "id") or "")), value.strip())
    address = ", ".join(values[key] for key in _ADDRESS_KEYS if key in values)
    owner = values.get("owning_party")
    return TitleTold(
        name=next((values[key] for key in _NAME_KEYS if key in values), None),
        owner_uri=None if owner is None else party_uri(owner),
        country=values.get("countryCode"),
        region=values.get("state") or values.get("region"),
        city=values.get("city"),
        address=address or None,
        brand=values.get("brandName") or values.get("labelDescription"),
    )


def _at(thing: Any, key: str) -> Any:
    return thing.get(key) if isinstance(thing, dict) else None
