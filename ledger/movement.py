"""Where an event takes things: place, owner and disposition, from its business step and what it names. Pure.

Place: the destination when goods are sent or sold, else the business location, else the other of the two, else the
read point. An event that names none leaves things where they were (EPCIS 2.0, 7.3.5: true until contradicted).

Owner: the destination's owning party when one is named. Receiving and accepting without one makes the party of the
place the owner, when that is known. Shipping without one leaves the owner, with the goods in transit at the
destination. A thing that is made, or whose owner nobody told, belongs to the named source or to the party of its place.

Disposition: as told; else what the step implies; goods that arrive are no longer in transit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from ledger.epcis.told import Told
from ledger.model import UNKNOWN_ID

IN_TRANSIT: Final = "in_transit"
RETURNED: Final = "returned"
SHIPPING: Final = frozenset({"shipping", "consigning"})
RECEIVING: Final = frozenset({"receiving", "accepting"})
VOID_SHIPPING: Final = "void_shipping"
ENDS_TRANSIT: Final = RECEIVING | {
    "stocking", "storing", "stock_taking", "cycle_counting", "unpacking", "retail_selling", VOID_SHIPPING,
}  # fmt: skip
REPLACED: Final = "urn:tracemark:epcis:replaced"
"""Disposition of an old number whose item goes on under a new one: a thing is counted by its newest number only."""
GONE: Final = frozenset(
    {"retail_sold", "dispensed", "destroyed", "disposed", "inactive", "stolen", "sampled", REPLACED}
)
"""Dispositions of things that are no longer stock: they have left their unit, and no count is taken from them."""

_IMPLIED: Final[Mapping[str, str]] = {
    "shipping": IN_TRANSIT, "consigning": IN_TRANSIT, "departing": IN_TRANSIT, "retail_selling": "retail_sold",
    "dispensing": "dispensed", "destroying": "destroyed", "decommissioning": "inactive", "killing": "inactive",
    "sampling": "sampled",
}  # fmt: skip
_TO_DESTINATION: Final = SHIPPING | {"retail_selling", "dispensing", "departing"}


class Where(NamedTuple):
    """Place, owner and disposition ("" = none told) of some goods: a key of the ledger of holdings."""

    place_id: int
    owner_id: int
    disposition: str


UNKNOWN: Final = Where(UNKNOWN_ID, UNKNOWN_ID, "")
"""Where goods come from that nobody told of before: it balances what is found elsewhere, and shows the gap."""


class Ends(NamedTuple):
    """The ids of the places and parties that an event names; None = not named."""

    biz_location_id: int | None
    read_point_id: int | None
    source_place_id: int | None
    destination_place_id: int | None
    source_owner_id: int | None
    destination_owner_id: int | None


class Movement(NamedTuple):
    """What one event does to the things it names; None = leaves it."""

    at: datetime
    event_id: int
    step: str | None
    place_id: int | None
    owner_id: int | None
    disposition: str | None
    party_of_place_id: int
    party_of_destination_id: int
    ends: Ends

    @property
    def says_nothing(self) -> bool:
        """Whether the event tells neither place, owner nor disposition."""
        return self.place_id is None and self.owner_id is None and self.disposition is None

    def from_(self, where: Where) -> Where:
        """Where goods are after the event that were ``where`` before it."""
        place_id = where.place_id if self.place_id is None else self.place_id
        owner_id = where.owner_id if self.owner_id is None else self.owner_id
        if owner_id == UNKNOWN_ID:
            owner_id = self.ends.source_owner_id or self.party_of_place_id
        if self.disposition is not None:
            return Where(place_id, owner_id, self.disposition)
        arrived = where.disposition == IN_TRANSIT and self.step in ENDS_TRANSIT
        return Where(place_id, owner_id, "in_progress" if arrived else where.disposition)

    def takes_out(self, where: Where) -> bool:
        """Whether things packed in a unit that is ``where`` cannot be in it any more: gone, elsewhere, or another's."""
        if self.disposition in GONE:
            return True
        after = self.from_(where)
        moved = where.place_id not in (UNKNOWN_ID, after.place_id)
        return moved or (self.owner_id is not None and where.owner_id not in (UNKNOWN_ID, after.owner_id))


@dataclass(slots=True)
class Shipment:
    """What of one lot went by one event to whom and where; a part may come from here, a part from there."""

    lot_id: int
    uom: str
    to_owner_id: int
    to_place_id: int
    quantity_by_start: dict[tuple[int, int], Decimal] = field(default_factory=dict)
    """By owner and place that it came from."""

    @property
    def quantity(self) -> Decimal:
        """All of it."""
        return sum(self.quantity_by_start.values(), Decimal(0))

    @property
    def start(self) -> tuple[int, int]:
        """Owner and place that most of it came from; unknown when no one gave most."""
        most = max(self.quantity_by_start.values())
        starts = [start for start, quantity in self.quantity_by_start.items() if quantity == most]
        return starts[0] if len(starts) == 1 else (UNKNOWN_ID, UNKNOWN_ID)

    def add(self, owner_id: int, place_id: int, quantity: Decimal) -> None:
        """More of the same."""
        start = (owner_id, place_id)
        self.quantity_by_start[start] = self.quantity_by_start.get(start, Decimal(0)) + quantity


@dataclass(frozen=True, slots=True)
class Void:
    """So much of a lot was not shipped after all: these items, or what is in these units, or any of it."""

    lot_id: int
    uom: str
    quantity: Decimal
    unit_ids: tuple[int, ...]
    lo: int | None
    n: int | None


def movement_of(
    told: Told, event_id: int, ends: Ends, party_by_place: Mapping[int, int], *, deletes: bool = False
) -> Movement:
    """Read the movement of an event. ``deletes``: it takes identifiers out of service (ObjectEvent DELETE)."""
    order = (ends.biz_location_id, ends.destination_place_id)
    if told.step in _TO_DESTINATION:
        order = (ends.destination_place_id, ends.biz_location_id)
    place_id = next((place for place in (*order, ends.read_point_id) if place is not None), None)
    party_of_place_id = UNKNOWN_ID if place_id is None else party_by_place.get(place_id, UNKNOWN_ID)
    owner_id = ends.destination_owner_id
    if owner_id is None and told.step in RECEIVING and party_of_place_id != UNKNOWN_ID:
        owner_id = party_of_place_id
    party_of_destination_id = party_by_place.get(ends.destination_place_id or UNKNOWN_ID, UNKNOWN_ID)
    disposition = told.disposition or _IMPLIED.get(told.step or "") or ("inactive" if deletes else None)
    return Movement(
        at=told.at,
        event_id=event_id,
        step=told.step,
        place_id=place_id,
        owner_id=owner_id,
        disposition=disposition,
        party_of_place_id=party_of_place_id,
        party_of_destination_id=party_of_destination_id,
        ends=ends,
    )


def making_of(movement: Movement) -> Where:
    """Where things are that the event makes."""
    disposition = movement.disposition or "active"
    return movement.from_(UNKNOWN)._replace(disposition=disposition)
