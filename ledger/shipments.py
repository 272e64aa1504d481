"""Lines of delivery notes become shipping events, and receiving events where the arrival is told.

Lines of one note, instant, origin and destination are one event. Everything named must be on record: a lot, a unit or a
place that nobody knows is more likely a slip of the pen than a new one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal
from urllib.parse import quote

from sqlalchemy.ext.asyncio import AsyncConnection

from gs1 import digital_link, scan_data
from gs1.identifier import Granularity, Identifier
from ledger import capture, codes, master_data, trace_reads
from ledger.codes import KeyRing
from ledger.import_kinds import ShipmentDraft
from ledger.refusals import LotNotFound, PartyNotFound, PlaceNotFound
from runtime.clock import Clock, rfc3339
from runtime.refusals import Invalid, NotFound

Outcome = Literal["new", "unchanged"]


class NotOnRecord(NotFound):
    """Nothing is on record of {code}, so it cannot have been shipped. Capture its making or packing first."""


class QuantityNotTold(Invalid):
    """The code {code} names a lot or a product; write the quantity that was shipped of a lot."""


@dataclass(frozen=True, slots=True)
class _Route:
    """What lines of one event have in common. Places and parties are URIs."""

    shipped_at: datetime
    received_at: datetime | None
    document: str | None
    from_place: str | None
    from_party: str | None
    to_place: str
    to_party: str | None


@dataclass(frozen=True, slots=True)
class Line:
    """One line, with everything in it found. ``quantity`` is None for an item or a unit."""

    route: _Route
    uri: str
    quantity: Decimal | None
    uom: str | None


async def line_of(conn: AsyncConnection, draft: ShipmentDraft, keys: KeyRing) -> Line:
    """Find what a line names. Refuses places, parties, lots, items and units that are not on record."""
    from_place = None if draft.from_place is None else await _place(conn, draft.from_place)
    to_place = await _place(conn, draft.to_place)
    from_party = None if draft.from_party is None else await _party(conn, draft.from_party)
    to_party = None if draft.to_party is None else await _party(conn, draft.to_party)
    document = None if draft.document is None else _document_uri(draft.document, from_party)
    route = _Route(draft.shipped_at, draft.received_at, document, from_place, from_party, to_place, to_party)
    identifier = _identifier(draft)
    uri = digital_link.canonical(identifier.identity())
    if identifier.granularity is Granularity.LOT:
        await master_data.get_lot(conn, identifier.gtin or "", identifier.lot or "")
        if draft.quantity is None or not draft.quantity:
            raise QuantityNotTold(code=draft.code or uri)
        return Line(route, uri, draft.quantity, draft.uom)
    if identifier.granularity not in (Granularity.ITEM, Granularity.LOGISTIC_UNIT, Granularity.OTHER):
        raise QuantityNotTold(code=draft.code or uri)
    found = await codes.find(conn, identifier, keys)
    if found.number is None and found.unit_id is None:
        raise NotOnRecord(code=draft.code or draft.sscc or uri)
    return Line(route, uri, None, None)


async def record_lines(
    conn: AsyncConnection, lines: Sequence[Line], *, by: str, clock: Clock, keys: KeyRing
) -> list[Outcome]:
    """Record the events of these lines, in order of time; for each line whether its event is new."""
    before = await trace_reads.ledger_revision(conn)
    lines_by_route: dict[_Route, list[Line]] = {}
    for line in lines:
        lines_by_route.setdefault(line.route, []).append(line)
    told = [(at, route, event) for route, its in lines_by_route.items() for at, event in _events(route, its)]
    told.sort(key=lambda each: each[0])
    ids = await capture.record(conn, [event for _at, _route, event in told], by=by, clock=clock, keys=keys)
    new_routes = {route for (_at, route, _event), event_id in zip(told, ids, strict=True) if event_id > before}
    return ["new" if line.route in new_routes else "unchanged" for line in lines]


def _events(route: _Route, lines: Sequence[Line]) -> list[tuple[datetime, dict[str, Any]]]:
    goods = _goods(lines)
    ends: dict[str, Any] = {
        "destinationList": _ends("destination", route.to_party, route.to_place),
        "sourceList": _ends("source", route.from_party, route.from_place),
    }
    if route.document is not None:
        ends["bizTransactionList"] = [{"type": "desadv", "bizTransaction": route.document}]
    shipping = _event("shipping", "in_transit", route.shipped_at) | goods | ends
    if route.from_place is not None:
        shipping["readPoint"] = {"id": route.from_place}
    if route.received_at is None:
        return [(route.shipped_at, shipping)]
    receiving = _event("receiving", "in_progress", route.received_at) | goods | ends
    receiving["readPoint"] = receiving["bizLocation"] = {"id": route.to_place}
    return [(route.shipped_at, shipping), (route.received_at, receiving)]


def _event(step: str, disposition: str, at: datetime) -> dict[str, Any]:
    return {
        "type": "ObjectEvent",
        "eventTime": rfc3339(at),
        "eventTimeZoneOffset": "+00:00",
        "action": "OBSERVE",
        "bizStep": step,
        "disposition": disposition,
    }


def _goods(lines: Sequence[Line]) -> dict[str, Any]:
    """Single things once each, quantities of one lot added up."""
    things = list(dict.fromkeys(line.uri for line in lines if line.quantity is None))
    amounts: dict[tuple[str, str | None], Decimal] = {}
    for line in lines:
        if line.quantity is not None:
            amounts[line.uri, line.uom] = amounts.get((line.uri, line.uom), Decimal(0)) + line.quantity
    quantities = [
        {"epcClass": uri, "quantity": _json_number(amount)} | ({"uom": uom} if uom else {})
        for (uri, uom), amount in amounts.items()
    ]
    return ({"epcList": things} if things else {}) | ({"quantityList": quantities} if quantities else {})


def _ends(key: str, party: str | None, place: str | None) -> list[dict[str, str]]:
    named = (("owning_party", party), ("location", place))
    return [{"type": kind, key: uri} for kind, uri in named if uri is not None]


def _json_number(amount: Decimal) -> int | float:
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def _identifier(draft: ShipmentDraft) -> Identifier:
    if draft.code is not None:
        return scan_data.read(draft.code)
    if draft.sscc is not None:
        return Identifier.logistic_unit(draft.sscc)
    if draft.gtin is None or draft.lot is None:
        raise LotNotFound(gtin=draft.gtin, code=draft.lot)
    return Identifier.lot_of(draft.gtin, draft.lot)


def _document_uri(number: str, party: str | None) -> str:
    """A document number as the URI that EPCIS asks for (CBV 2.0, 8.5): under the sender's GLN where it has one."""
    if ":" in number:
        return number
    sender = (party or "").rpartition("/417/")[2]
    namespace = f"urn:epcglobal:cbv:bt:{sender}" if sender.isdigit() else "urn:tracemark:document"
    return f"{namespace}:{quote(number, safe='')}"


async def _place(conn: AsyncConnection, value: str) -> str:
    place = await master_data.find_place(conn, value)
    if place is None:
        raise PlaceNotFound(value=value)
    return place.uri


async def _party(conn: AsyncConnection, value: str) -> str:
    party = await master_data.find_party(conn, value)
    if party is None:
        raise PartyNotFound(value=value)
    return party.uri
