"""What a document's header tells about parties, places and products (EPCIS 2.0, 9.6.1: epcisMasterData)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ledger.epcis.identifiers import name_of, party_uri, place_uri
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


@dataclass(frozen=True, slots=True)
class MasterDataTold:
    """By canonical URI; products by GTIN."""

    parties: Mapping[str, TitleTold] = field(default_factory=dict)
    places: Mapping[str, TitleTold] = field(default_factory=dict)
    products: Mapping[str, TitleTold] = field(default_factory=dict)


def master_data_of(document: Mapping[str, Any]) -> MasterDataTold:
    """Read the header. What has not the form of master data is passed over: it is beside the events, never instead."""
    parties: dict[str, TitleTold] = {}
    places: dict[str, TitleTold] = {}
    products: dict[str, TitleTold] = {}
    for kind, uri, told in _elements(document):
        if kind == "party":
            parties.setdefault(party_uri(uri), told)
        elif kind in _PLACE_KINDS:
            places.setdefault(place_uri(uri), told)
        elif kind == "epcclass":
            gtin = name_of(uri).gtin
            if gtin is not None:
                products.setdefault(gtin, told)
    return MasterDataTold(parties, places, products)


def _elements(document: Mapping[str, Any]) -> list[tuple[str, str, TitleTold]]:
    found = []
    header = _at(_at(document.get("epcisHeader"), "epcisMasterData"), "vocabularyList")
    for vocabulary in header if isinstance(header, list) else []:
        kind = local_name(str(_at(vocabulary, "type") or "")).lower()  # documents write Party and party
        elements = _at(vocabulary, "vocabularyElementList")
        for element in elements if isinstance(elements, list) else []:
            uri = _at(element, "id")
            if isinstance(uri, str):
                found.append((kind, uri, _told(_at(element, "attributes"))))
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
