"""What people write down of deeds: an EPCIS event for each, documents of them, and who and where as master data.

Recording loses nothing. Every thing is named as a shop floor would: goods with serials one by one, others by lot and
quantity, packed ones by their unit.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from gs1 import check_digit
from ledger import master_data
from ledger.model import PartyDraft, PlaceDraft, ProductDraft
from load_tests.world.cohorts import PIECES, Deed, LotName, Portion, Site, World
from runtime.clock import rfc3339
from runtime.database import transaction

Event = dict[str, Any]

EVENTS_PER_DOCUMENT: Final = 200
CONTEXT: Final = [
    "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
    {"world": "https://world.example/terms/"},
]
_LINK: Final = "https://id.gs1.org"
_STEPS: Final = {
    "make": "commissioning", "turn": "creating_class_instance", "pack": "packing", "unpack": "unpacking",
    "ship": "shipping", "receive": "receiving", "sell": "retail_selling", "bring_back": "receiving",
    "destroy": "destroying", "sample": "sampling", "lose": "holding",
}  # fmt: skip
# Sampled goods are told by the step alone: the vocabulary has no such disposition.
_DISPOSITIONS: Final = {
    "pack": "in_progress", "unpack": "in_progress", "ship": "in_transit", "receive": "in_progress",
    "sell": "retail_sold", "bring_back": "returned", "destroy": "destroyed", "lose": "unknown",
}  # fmt: skip


def gtin(number: int) -> str:
    """A sound GTIN of the range that is kept free for examples."""
    body = f"0952{number:09d}"
    return body + check_digit.compute(body)


def unit_name(number: int) -> str:
    """A sound SSCC, as a Digital Link."""
    body = f"39521{number:012d}"
    return f"{_LINK}/00/{body}{check_digit.compute(body)}"


def place_uri(name: str) -> str:
    """The URI of a site: world places have no GLN."""
    return f"https://world.example/places/{_slug(name)}"


def party_uri(name: str) -> str:
    """The URI of a firm."""
    return f"https://world.example/firms/{_slug(name)}"


def serial_of(lot: LotName, ordinal: int) -> str:
    """The serial of an item, which is its own within the product."""
    return f"{lot.code}-{ordinal}"


def item_uris(portion: Portion) -> list[str]:
    """Every item of a portion by name; none when it has no serials."""
    if portion.first is None:
        return []
    lot, ordinals = portion.lot, range(portion.first, portion.first + portion.amount)
    return [f"{_LINK}/01/{lot.gtin}/21/{serial_of(lot, ordinal)}" for ordinal in ordinals]


def record(deeds: Sequence[Deed], *, since: int = 0, block: int = 0) -> list[Event]:
    """An event for each deed from number ``since`` on, in order of time, each with an id that never changes."""
    name = "" if not block else f"{block}/"
    return [_event(deed, f"{name}{number}") for number, deed in enumerate(deeds) if number >= since]


def documents(events: Sequence[Event], *, events_max: int = EVENTS_PER_DOCUMENT) -> Iterator[dict[str, Any]]:
    """The events as EPCIS documents of at most so many each, in the order in which they are given."""
    for start in range(0, len(events), events_max):
        some = list(events[start : start + events_max])
        yield {
            "@context": CONTEXT,
            "type": "EPCISDocument",
            "schemaVersion": "2.0",
            "creationDate": max(event["eventTime"] for event in some),
            "epcisBody": {"eventList": some},
        }


async def put_on_record(conn: AsyncConnection, world: World) -> None:
    """The firms, places and products of a world, as people would have entered them before."""
    sites = {site.name: site for deed in world.deeds for site in (deed.site, deed.to) if site is not None}
    firms = {site.firm.name: site.firm for site in sites.values()}
    async with transaction(conn):
        for firm in firms.values():
            await master_data.put_party(
                conn, PartyDraft(name=firm.name, uri=party_uri(firm.name), role=firm.role, channel=firm.channel)
            )
        for site in sites.values():
            draft = PlaceDraft(
                name=site.name, uri=place_uri(site.name), kind=site.kind, party_uri=party_uri(site.firm.name)
            )
            await master_data.put_place(conn, draft)
        for number in sorted({lot.gtin for lot in world.lots}):
            await master_data.put_product(conn, ProductDraft(gtin=number, name=f"Product {number}", ours=False))


def _event(deed: Deed, number: str) -> Event:
    event: Event = {
        "type": "ObjectEvent",
        "eventID": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'https://world.example/deeds/{number}')}",
        "eventTime": _instant(deed.at),
        "eventTimeZoneOffset": "+00:00",
        "bizStep": _STEPS[deed.kind],
        "bizLocation": {"id": place_uri(deed.site.name)},
    }
    if deed.kind in _DISPOSITIONS:
        event["disposition"] = _DISPOSITIONS[deed.kind]
    if deed.line is not None:
        event["world:line"] = deed.line
    event.update({f"world:{name}": value for name, value in deed.facts.items()})
    event.update(_things(deed))
    event.update(_route(deed))
    return event


def _things(deed: Deed) -> Event:
    if deed.kind == "turn":
        told: Event = {"type": "TransformationEvent"}
        told |= _named("inputEPCList", "inputQuantityList", deed.inputs)
        told |= _named("outputEPCList", "outputQuantityList", deed.outputs)
        told |= _lot_of_items(deed)
        return told if deed.process is None else {**told, "transformationID": f"urn:world:process:{deed.process}"}
    if deed.kind in ("pack", "unpack"):
        parent, *children = deed.units
        told = _named("childEPCs", "childQuantityList", deed.outputs, children)
        action = "ADD" if deed.kind == "pack" else "DELETE"
        return {"type": "AggregationEvent", "action": action, "parentID": parent, **told}
    told = _named("epcList", "quantityList", deed.outputs, deed.units)
    return {"action": "ADD", **told, **_lot_of_items(deed)} if deed.kind == "make" else {"action": "OBSERVE", **told}


def _lot_of_items(deed: Deed) -> Event:
    """Items do not name their lot themselves: what is made says it for all its items, which are of one lot."""
    codes = {portion.lot.code for portion in deed.outputs if portion.first is not None}
    return {"ilmd": {"cbvmda:lotNumber": codes.pop()}} if codes else {}


def _route(deed: Deed) -> Event:
    """Where goods come from and go to; arrivals are told where they arrive."""
    if deed.to is None or deed.kind in ("destroy", "sample", "lose"):
        return {}
    if deed.kind == "receive":
        return {"bizLocation": {"id": place_uri(deed.to.name)}}
    route: Event = {"sourceList": _ends("source", deed.site), "destinationList": _ends("destination", deed.to)}
    return {**route, "bizLocation": {"id": place_uri(deed.to.name)}} if deed.kind == "bring_back" else route


def _ends(key: str, site: Site) -> list[dict[str, str]]:
    return [
        {"type": "owning_party", key: party_uri(site.firm.name)},
        {"type": "location", key: place_uri(site.name)},
    ]


def _named(items_key: str, classes_key: str, portions: Iterable[Portion], units: Iterable[str] = ()) -> Event:
    """The things of an event: items and units by name, the rest by lot and quantity."""
    portions = tuple(portions)
    names = [*units, *(uri for portion in portions for uri in item_uris(portion))]
    classes = [_class(portion) for portion in portions if portion.first is None]
    return {key: told for key, told in ((items_key, names), (classes_key, classes)) if told}


def _class(portion: Portion) -> dict[str, Any]:
    told: dict[str, Any] = {
        "epcClass": f"{_LINK}/01/{portion.lot.gtin}/10/{portion.lot.code}",
        "quantity": portion.amount,
    }
    return told if portion.uom == PIECES else {**told, "uom": portion.uom}


def _instant(at: datetime) -> str:
    return rfc3339(at)


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
