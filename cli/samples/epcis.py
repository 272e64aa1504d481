"""Short ways to write EPCIS 2.0 events by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from runtime.clock import rfc3339

CONTEXT: list[Any] = [
    "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
    {"plant": "https://tracemark.example/plant/"},
]
Event = dict[str, Any]


def document(created_at: datetime, events: Iterable[Event]) -> dict[str, Any]:
    """An EPCIS document around ``events``."""
    return {
        "@context": CONTEXT,
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": rfc3339(created_at),
        "epcisBody": {"eventList": list(events)},
    }


def lot(gtin: str, code: str, quantity: float | None = None, uom: str | None = None) -> dict[str, Any]:
    """A quantity element of a lot."""
    element: dict[str, Any] = {"epcClass": f"https://id.gs1.org/01/{gtin}/10/{code}"}
    if quantity is not None:
        element["quantity"] = quantity
    if uom is not None:
        element["uom"] = uom
    return element


def place(gln: str) -> dict[str, str]:
    """A read point or business location."""
    return {"id": f"https://id.gs1.org/414/{gln}"}


def parties(kind: str, *, owner: str, place_gln: str | None = None) -> list[dict[str, str]]:
    """A ``sourceList`` or ``destinationList``: who has title, and where."""
    rows = [{"type": "owning_party", kind: owner if ":" in owner else f"https://id.gs1.org/417/{owner}"}]
    if place_gln:
        rows.append({"type": "location", kind: f"https://id.gs1.org/414/{place_gln}"})
    return rows


def event(kind: str, at: datetime, step: str, disposition: str | None = None, **more: Any) -> Event:
    """An event of ``kind`` at ``at``; ``more`` are its other fields."""
    body: Event = {"type": kind, "eventTime": rfc3339(at), "eventTimeZoneOffset": "+00:00", "bizStep": step}
    if disposition:
        body["disposition"] = disposition
    return body | more


def packed(at: datetime, sscc: str, epcs: Sequence[str], gln: str, **more: Any) -> Event:
    """``epcs`` go into the case or pallet ``sscc``."""
    return event(
        "AggregationEvent",
        at,
        "packing",
        "in_progress",
        action="ADD",
        parentID=unit(sscc),
        childEPCs=list(epcs),
        readPoint=place(gln),
        bizLocation=place(gln),
        **more,
    )


def unit(sscc: str) -> str:
    """The address of a logistic unit."""
    return f"https://id.gs1.org/00/{sscc}"


def shipped(
    at: datetime, what: Mapping[str, Any], *, source: tuple[str, str], to: tuple[str, str], papers: str
) -> Event:
    """Goods leave ``source`` (owner GLN, place GLN) for ``to``, with a despatch advice."""
    return event(
        "ObjectEvent",
        at,
        "shipping",
        "in_transit",
        action="OBSERVE",
        **what,
        readPoint=place(source[1]),
        bizTransactionList=[{"type": "desadv", "bizTransaction": f"urn:tracemark:document:{papers}"}],
        sourceList=parties("source", owner=source[0], place_gln=source[1]),
        destinationList=parties("destination", owner=to[0], place_gln=to[1]),
    )


def received(at: datetime, what: Mapping[str, Any], *, by: tuple[str, str]) -> Event:
    """Goods arrive at ``by`` (owner GLN, place GLN)."""
    return event(
        "ObjectEvent",
        at,
        "receiving",
        "in_progress",
        action="OBSERVE",
        **what,
        readPoint=place(by[1]),
        bizLocation=place(by[1]),
        destinationList=parties("destination", owner=by[0], place_gln=by[1]),
    )
