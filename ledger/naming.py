"""What a batch of events names, and what stands beside the book when it is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from ledger.book import PIECES
from ledger.epcis.identifiers import Name, NameList
from ledger.epcis.told import Told
from ledger.model import LOT_NOT_TOLD
from ledger.movement import Ends, Shipment, Void

UnitNamed = tuple[str, str | None, int | None]
"""URI, SSCC, and number when it is an item itself."""


UNIT_KEYS: Final = frozenset({"unit_uri_key", "unit_sscc_key", "unit_number_key"})
"""The constraints by which a unit that two transactions name first is one unit."""


class NewUnit(NamedTuple):
    """A unit that this batch names first. ``since`` is when, until an event tells more of it."""

    unit_id: int
    uri: str
    sscc: str | None
    number: int | None
    since: datetime


@dataclass(frozen=True, slots=True)
class Names:
    """What the names in a batch of events stand for, and which of them are in ``scope`` (None = all)."""

    number_by_serial: Mapping[str, Mapping[str, int]]
    """Of items, by GTIN."""
    lot_by_number: Mapping[int, int]
    """Of items whose lot is on record already; what an event tells comes first."""
    lot_by_class: Mapping[tuple[str, str], int] = field(default_factory=dict)
    ended_at_by_number: Mapping[int, datetime] = field(default_factory=dict)
    """Of items that were used up."""
    unit_by_uri: Mapping[str, int] = field(default_factory=dict)
    new_units: Sequence[NewUnit] = ()
    """Those that have an id and are not on record yet: the book puts them there, as they are then."""
    place_by_uri: Mapping[str, int] = field(default_factory=dict)
    party_by_uri: Mapping[str, int] = field(default_factory=dict)
    party_by_place: Mapping[int, int] = field(default_factory=dict)
    scope_lots: frozenset[int] | None = None
    scope_units: frozenset[int] | None = None

    def number(self, name: Name) -> int:
        """The number of an item."""
        return self.number_by_serial[name.gtin or ""][name.serial or ""]

    def numbers(self, epcs: NameList) -> list[int]:
        """The numbers of the items of a list that has ``serials``, in its order."""
        return list(map(self.number_by_serial[epcs.gtin].__getitem__, epcs.serials or ()))

    def ends(self, told: Told) -> Ends:
        """The places and parties that an event names."""
        place, party = self.place_by_uri, self.party_by_uri
        return Ends(
            biz_location_id=None if told.biz_location is None else place[told.biz_location],
            read_point_id=None if told.read_point is None else place[told.read_point],
            source_place_id=None if told.source_place is None else place[told.source_place],
            destination_place_id=None if told.destination_place is None else place[told.destination_place],
            source_owner_id=None if told.source_owner is None else party[told.source_owner],
            destination_owner_id=None if told.destination_owner is None else party[told.destination_owner],
        )

    def has_lot(self, lot_id: int) -> bool:
        """Whether a lot is in scope."""
        return self.scope_lots is None or lot_id in self.scope_lots

    def lots_named(self, told: Told) -> set[int]:
        """The lots in scope whose classes an event names, also where it moves nothing."""
        named = {(quantity.name.gtin or "", quantity.name.lot or LOT_NOT_TOLD) for quantity in told.all_quantities}
        return {lot_id for key in named if (lot_id := self.lot_by_class.get(key)) is not None and self.has_lot(lot_id)}

    def has_unit(self, unit_id: int) -> bool:
        """Whether a unit is in scope."""
        return self.scope_units is None or unit_id in self.scope_units


@dataclass(frozen=True, slots=True)
class Part:
    """One input or output of an operation. ``lo`` and ``n`` when it is told by serial."""

    lot_id: int
    quantity: Decimal | None
    uom: str
    lo: int | None = None
    n: int | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """What one TransformationEvent used up and made."""

    event_id: int
    at: datetime
    transformation_id: str | None
    place_id: int
    line: str | None
    team: str | None
    operator: str | None
    equipment: str | None
    parameters: Mapping[str, Any]
    inputs: tuple[Part, ...]
    outputs: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Made:
    """A lot came into being at a place (0 = not told), by a party."""

    lot_id: int
    place_id: int
    owner_id: int


@dataclass(slots=True)
class Results:
    """What stands beside the book after a batch. ``doubts`` are pairs of event and what is odd."""

    shipments: list[tuple[int, datetime, tuple[str, ...], Shipment]] = field(default_factory=list)
    voids: list[tuple[int, datetime, Void]] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)
    made: list[Made] = field(default_factory=list)
    received: list[Made] = field(default_factory=list)
    doubts: list[tuple[int, str]] = field(default_factory=list)
    has_documents: bool = False
    """Whether any event is a TransactionEvent, which tells documents of shipments told by others."""
    things: dict[int, tuple[set[int], set[int]]] = field(default_factory=dict)
    """Of each event the lots and the units that it touches."""


def lot_code_of(told: Told, name: Name) -> str | None:
    """The lot that an event tells of an item: in its name, or in the ilmd of what it makes (EPCIS 2.0, 7.3.6)."""
    if name.lot is not None or told.lot_code is None:
        return name.lot
    return told.lot_code if told.type == "ObjectEvent" or name in told.output_epcs else None


def has_one_lot_code(told: Told, epcs: NameList) -> bool:
    """Whether ``lot_code_of`` says the same of all items of a list that has ``serials``: what the ilmd tells."""
    return told.lot_code is None or told.type == "ObjectEvent" or epcs is told.output_epcs


def joined(parts: Iterable[Part]) -> list[Part]:
    """The same parts, with runs of one lot that follow each other as one: fewer rows in the genealogy."""
    result: list[Part] = []
    for part in sorted(parts, key=lambda part: (part.lot_id, part.lo is None, part.lo or 0)):
        last = result[-1] if result else None
        follows = last is not None and last.lo is not None and last.n is not None and part.lo == last.lo + last.n
        if last is not None and follows and last.lot_id == part.lot_id:
            n = (last.n or 0) + (part.n or 0)
            result[-1] = Part(part.lot_id, Decimal(n), PIECES, last.lo, n)
        else:
            result.append(part)
    return result
