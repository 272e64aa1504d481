"""From holdings and shipments to notice lines and totals. Pure: values in, values out.

One line per owner, place, product, lot and unit of measure, grouped by channel, then owner. Each unit is counted
once, where it is now: a line's ``items`` are its own holdings, so the lines add up to the totals and the totals to the
holdings. What was shipped to an owner is told beside it and never added up over owners: the same pallet is shipped many
times. An owner who holds nothing any more but was sent some gets a line too: somebody has it from them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from math import ceil, floor
from typing import Any, Final

from ledger.intervals import merged
from ledger.trace_quantities import Amount
from recall.intervals import Runs
from recall.refusals import TooManyLines

PIECES: Final = frozenset({"", "C62", "EA", "H87"})
"""Units of measure that count things (UN/ECE Recommendation 20: one, each, piece); all others are kept apart."""

CONTRACT_COLUMNS: Final = (
    "case_number", "case_version", "channel", "owner_gln", "owner_name", "place_gln", "place_name", "gtin", "product",
    "lot", "serial_ranges", "items_shipped", "items_expected_on_hand", "items_returned", "ship_dates", "documents",
    "action", "deadline", "responsible_name", "responsible_phone", "responsible_email", "contact_name", "contact_phone",
    "contact_email", "basis",
)  # fmt: skip
NOTICE_COLUMNS: Final = (
    *CONTRACT_COLUMNS,
    "items", "items_sold", "items_destroyed", "uom", "quantity", "quantity_shipped", "quantity_expected_on_hand",
    "quantity_returned", "best_before", "kind", "affected_set_hash", "affected_at_least", "affected_expected",
    "affected_at_most",
)  # fmt: skip
"""The contract's columns in its order, then ours: ``items`` = on hand + sold + returned + destroyed, each unit once.

``affected_…`` bound how many of the line's items (or of its quantity) are affected; empty where nobody worked it out.
"""

CHANNELS: Final = ("own", "retail", "wholesale", "online", "food_service", "direct", "unknown")
"""Own: goods of the brand itself, which have not gone to market. Unknown: nobody told us the owner's channel."""
_OWN_ROLES: Final = frozenset({"brand", "manufacturer"})

_RETURNED: Final = frozenset({"returned"})
_SOLD: Final = frozenset({"sold"})
_GONE: Final = frozenset({"destroyed", "sampled"})

Row = dict[str, str | int | None]


@dataclass(frozen=True, slots=True)
class Held:
    """A quantity of a lot, where and whose it is, in what state (``ledger.states``). ``runs`` only for partial lots."""

    lot_id: int
    place_id: int
    owner_id: int
    state: str
    uom: str
    quantity: Decimal
    runs: Runs = ()


@dataclass(frozen=True, slots=True)
class Sent:
    """A quantity of a lot that went to an owner at a place; ``proved``: among it the very items of a partial lot."""

    lot_id: int
    owner_id: int
    place_id: int
    uom: str
    quantity: Decimal
    at: datetime
    documents: tuple[str, ...] = ()
    proved: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """Whom to call."""

    name: str = ""
    phone: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class Owner:
    """A party as notices need it; ``contacts`` by kind: recall, alternate, responsible."""

    name: str
    gln: str | None = None
    role: str = "other"
    channel: str | None = None
    contacts: Mapping[str, Person] = field(default_factory=dict)

    @property
    def route(self) -> str:
        """The channel a notice is grouped under."""
        if self.channel is not None:
            return self.channel
        return "own" if self.role in _OWN_ROLES else "unknown"

    @property
    def recall_contact(self) -> Person | None:
        """Who answers for the party in a recall; the alternate when there is none."""
        return self.contacts.get("recall") or self.contacts.get("alternate")

    @property
    def responsible(self) -> Person | None:
        """Who answers for a line of the notice being done; the recall contact when nobody else is named."""
        return self.contacts.get("responsible") or self.recall_contact


@dataclass(frozen=True, slots=True)
class Site:
    """A place as notices need it; ``party_role`` is of the party whose place it is, None when nobody's that we know."""

    name: str
    gln: str | None = None
    kind: str = "other"
    party_role: str | None = None


@dataclass(frozen=True, slots=True)
class LotOnNotice:
    """An affected lot as notices need it. ``basis``: scope, proved or possible."""

    lot_id: int
    gtin: str
    product: str
    code: str
    whole: bool
    basis: str
    best_before_on: date | None = None


@dataclass(frozen=True, slots=True)
class Header:
    """What every line of a list has in common."""

    case_number: str
    case_version: int
    kind: str
    affected_set_hash: str
    action: str
    deadline_on: date | None = None


BoundsOfPart = Callable[[int, str, Decimal], Amount]
"""Of so much of a lot, in a unit of measure, how much is affected."""


@dataclass(frozen=True, slots=True)
class World:
    """Who and what the ids mean. ``serial_words`` says the items of runs in words (serials, label numbers).

    ``bounds`` is None where lines are only counted.
    """

    lots: Mapping[int, LotOnNotice]
    owners: Mapping[int, Owner]
    places: Mapping[int, Site]
    serial_words: Callable[[Runs], str]
    bounds: BoundsOfPart | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a notice list; ``row`` has exactly ``NOTICE_COLUMNS``, in their order."""

    channel: str
    owner_id: int
    place_id: int
    lot_id: int
    row: Row


@dataclass(slots=True)
class _Sum:
    quantity: Decimal = Decimal(0)
    on_hand: Decimal = Decimal(0)
    sold: Decimal = Decimal(0)
    returned: Decimal = Decimal(0)
    destroyed: Decimal = Decimal(0)
    shipped: Decimal = Decimal(0)
    runs: Runs = ()
    dates: set[str] = field(default_factory=set)
    documents: set[str] = field(default_factory=set)


_Key = tuple[int, int, int, str]


def group(
    held: Iterable[Held], sent: Iterable[Sent], world: World, header: Header, *, lines_max: int | None = None
) -> tuple[Line, ...]:
    """The notice lines, by channel, owner, place, product, lot and unit of measure.

    Holdings of zero or less are no goods and make no line (``affected`` reports them as gaps). For a part of a lot the
    record of shipments does not say which items went: ``items_shipped`` is then left empty, never guessed.
    Refuses (``TooManyLines``) more than ``lines_max`` lines, before the first one is made.
    """
    sums: dict[_Key, _Sum] = {}
    for holding in held:
        if holding.quantity > 0:
            _add_held(sums, holding)
    for shipment in sent:
        if shipment.lot_id in world.lots and _gets_a_line(shipment, sums, world):
            _add_sent(sums, shipment)
    if lines_max is not None and len(sums) > lines_max:
        raise TooManyLines(lines=len(sums), lines_max=lines_max)
    lines = (_line(key, total, world, header) for key, total in sums.items())
    return tuple(sorted(lines, key=_order))


def whole_row(told: Mapping[str, Any]) -> Row:
    """A stored row with all columns in their order; columns that came after it was frozen are empty in it."""
    return {name: told.get(name) for name in NOTICE_COLUMNS}


def _add_held(sums: dict[_Key, _Sum], holding: Held) -> None:
    total = sums.setdefault(_key(holding.owner_id, holding.place_id, holding.lot_id, holding.uom), _Sum())
    total.quantity += holding.quantity
    if holding.state in _SOLD:
        total.sold += holding.quantity
    elif holding.state in _RETURNED:
        total.returned += holding.quantity
    elif holding.state in _GONE:
        total.destroyed += holding.quantity
    else:
        total.on_hand += holding.quantity
    if holding.runs:
        total.runs = merged((*total.runs, *holding.runs))


def _gets_a_line(shipment: Sent, sums: Mapping[_Key, _Sum], world: World) -> bool:
    """Of a part of a lot, only owners who are known to hold or to have held the very items are told."""
    key = _key(shipment.owner_id, shipment.place_id, shipment.lot_id, shipment.uom)
    return world.lots[shipment.lot_id].whole or key in sums or shipment.proved


def _add_sent(sums: dict[_Key, _Sum], shipment: Sent) -> None:
    total = sums.setdefault(_key(shipment.owner_id, shipment.place_id, shipment.lot_id, shipment.uom), _Sum())
    total.shipped += shipment.quantity
    total.dates.add(shipment.at.date().isoformat())
    total.documents.update(shipment.documents)


def _key(owner_id: int, place_id: int, lot_id: int, uom: str) -> _Key:
    return owner_id, place_id, lot_id, "" if uom in PIECES else uom


def _line(key: _Key, total: _Sum, world: World, header: Header) -> Line:
    owner_id, place_id, lot_id, uom = key
    owner, place, lot = world.owners[owner_id], world.places[place_id], world.lots[lot_id]
    row: Row = {
        "case_number": header.case_number,
        "case_version": header.case_version,
        "channel": owner.route,
        "owner_gln": owner.gln,
        "owner_name": owner.name,
        "place_gln": place.gln,
        "place_name": place.name,
        "gtin": lot.gtin,
        "product": lot.product,
        "lot": lot.code,
        "serial_ranges": "whole lot" if lot.whole else world.serial_words(total.runs),
        **_counted(total, uom, lot.whole),
        "ship_dates": "; ".join(sorted(total.dates)),
        "documents": "; ".join(sorted(total.documents)),
        "action": header.action,
        "deadline": header.deadline_on.isoformat() if header.deadline_on else None,
        **_person("responsible", owner.responsible),
        **_person("contact", owner.recall_contact),
        "basis": lot.basis,
        "best_before": lot.best_before_on.isoformat() if lot.best_before_on else None,
        "kind": header.kind,
        "affected_set_hash": header.affected_set_hash,
        **_bounded(total.quantity, lot_id, uom, world.bounds),
    }
    return Line(owner.route, owner_id, place_id, lot_id, {name: row[name] for name in NOTICE_COLUMNS})


def _counted(total: _Sum, uom: str, whole: bool) -> Row:
    shipped = total.shipped if whole else None
    if uom:
        return {
            **dict.fromkeys(_ITEM_COLUMNS),
            "uom": uom,
            "quantity": number_text(total.quantity),
            "quantity_shipped": number_text(shipped),
            "quantity_expected_on_hand": number_text(total.on_hand),
            "quantity_returned": number_text(total.returned),
        }
    return {
        **dict.fromkeys(_QUANTITY_COLUMNS),
        "uom": None,
        "items": sum(map(ceil, (total.on_hand, total.sold, total.returned, total.destroyed))),
        "items_shipped": None if shipped is None else ceil(shipped),
        "items_expected_on_hand": ceil(total.on_hand),  # a broken piece is a piece that somebody has to look for
        "items_sold": ceil(total.sold),
        "items_returned": ceil(total.returned),
        "items_destroyed": ceil(total.destroyed),
    }


def _bounded(quantity: Decimal, lot_id: int, uom: str, bounds: BoundsOfPart | None) -> Row:
    """Pieces are whole: the lower bound is rounded down, the upper one up."""
    if bounds is None:
        return dict.fromkeys(BOUND_COLUMNS)
    _, lower, expected, upper = bounds(lot_id, uom, quantity)
    if uom:
        told = (number_text(Decimal(str(round(value, 6)))) for value in (lower, expected, upper))
        return dict(zip(BOUND_COLUMNS, told, strict=True))
    pieces = (floor(lower + _ROUNDING), round(expected), ceil(upper - _ROUNDING))
    return dict(zip(BOUND_COLUMNS, pieces, strict=True))


BOUND_COLUMNS: Final = ("affected_at_least", "affected_expected", "affected_at_most")
_ROUNDING: Final = 1e-6
_QUANTITY_COLUMNS: Final = ("quantity", "quantity_shipped", "quantity_expected_on_hand", "quantity_returned")
TALLIED: Final = ("items", "items_expected_on_hand", "items_sold", "items_returned", "items_destroyed")
_ITEM_COLUMNS: Final = (*TALLIED, "items_shipped")


def number_text(value: Decimal | None) -> str | None:
    """A quantity as people write it: no exponent, no trailing zeros."""
    if value is None:
        return None
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _person(prefix: str, person: Person | None) -> Row:
    person = person or Person()
    return {f"{prefix}_name": person.name, f"{prefix}_phone": person.phone, f"{prefix}_email": person.email}


def _order(line: Line) -> tuple[Any, ...]:
    row = line.row
    place = (str(row["place_name"]), line.place_id)
    return (
        CHANNELS.index(line.channel),
        str(row["owner_name"]), line.owner_id, *place,
        str(row["product"]), str(row["gtin"]), str(row["lot"]), line.lot_id, str(row["uom"] or ""),
    )  # fmt: skip
