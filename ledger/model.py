"""Values of the ledger: who, where, what, and what a code was found to be.

Row 0 of parties and places is "unknown": a fact that nobody told is shown as unknown, never as missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, Literal

from gs1.identifier import Identifier

UNKNOWN_ID: Final = 0
"""Of the party and of the place that nobody told us."""
LOT_NOT_TOLD: Final = ""
"""Code of the lot that holds the items of a product whose lot nobody told us."""

PartyRole = Literal[
    "brand", "supplier", "manufacturer", "carrier", "distributor", "retailer", "food_service", "consumer", "other"
]
Channel = Literal["retail", "wholesale", "online", "food_service", "direct"]
PlaceKind = Literal["plant", "warehouse", "store", "vehicle", "home", "other"]
ContactKind = Literal["recall", "alternate", "responsible"]
Profile = Literal["food", "pharma", "auto", "consumer"]
DateKind = Literal["best_before", "use_by", "expiry"]
CheckPolicy = Literal["exact", "shown_later", "off"]
LotStatus = Literal["released", "held", "rejected"]


@dataclass(frozen=True, slots=True)
class Party:
    """A legal entity in the chain. ``channel`` is the route to market by which goods reach it; None = not told."""

    party_id: int
    uri: str
    gln: str | None
    name: str
    role: str
    channel: str | None
    country: str | None = None
    region: str | None = None
    city: str | None = None
    address: str | None = None
    name_public: bool = False
    """Whether shoppers may read the name; else they read the role and the region."""


@dataclass(frozen=True, slots=True)
class Contact:
    """The person who answers for a party in a recall, the alternate, or who is responsible for a notice being done."""

    contact_id: int
    party_id: int
    kind: str
    name: str
    phone: str | None = None
    email: str | None = None
    language: str | None = None
    hours: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A physical location. ``party_id`` is whose it is: the owner assumed when an event names none."""

    place_id: int
    uri: str
    gln: str | None
    name: str
    kind: str
    party_id: int
    country: str | None = None
    region: str | None = None
    city: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Product:
    """A kind of thing that is sold. ``ours`` says that we print codes for it."""

    product_id: int
    gtin: str
    name: str
    brand: str
    texts: Mapping[str, Any]
    profile: str
    ours: bool
    shelf_life_days: int | None
    date_kind: str
    allergens: tuple[str, ...]
    brand_party_id: int
    image: str | None
    checks: str = "exact"


@dataclass(frozen=True, slots=True)
class Lot:
    """A quantity made alike; known by GTIN and lot code. ``quantity`` is as announced, in ``uom`` (None = pieces)."""

    lot_id: int
    product_id: int
    gtin: str
    code: str
    made_on: date | None
    best_before_on: date | None
    status: str
    status_reason: str | None
    supplier_id: int
    made_at_place_id: int
    quantity: Decimal | None
    uom: str | None


@dataclass(frozen=True, slots=True)
class PartyDraft:
    """A party to put on record. One of ``uri`` and ``gln`` is needed; both must mean the same party.

    In every draft None = not told: what is on record stays, and what is new gets the usual value.
    """

    name: str
    uri: str | None = None
    gln: str | None = None
    role: PartyRole | None = None
    channel: Channel | None = None
    country: str | None = None
    region: str | None = None
    city: str | None = None
    address: str | None = None
    name_public: bool | None = None


@dataclass(frozen=True, slots=True)
class PlaceDraft:
    """A place to put on record. One of ``uri`` and ``gln`` is needed; ``party_uri`` (URI or GLN) is whose it is."""

    name: str
    uri: str | None = None
    gln: str | None = None
    kind: PlaceKind | None = None
    party_uri: str | None = None
    country: str | None = None
    region: str | None = None
    city: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class ProductDraft:
    """A product to put on record. ``texts`` is by language; ``brand_party_uri`` a URI or GLN of a known party."""

    gtin: str
    name: str
    brand: str | None = None
    texts: Mapping[str, Any] | None = None
    profile: Profile | None = None
    ours: bool | None = None
    shelf_life_days: int | None = None
    date_kind: DateKind | None = None
    allergens: tuple[str, ...] | None = None
    brand_party_uri: str | None = None
    image: str | None = None
    checks: CheckPolicy | None = None
    """How checks of its items are counted; None: as it was, at first ``exact``."""


@dataclass(frozen=True, slots=True)
class LotDraft:
    """A lot to put on record. ``made_at_uri`` and ``supplier_uri`` are URIs or GLNs of a known place and party."""

    gtin: str
    code: str
    made_on: date | None = None
    best_before_on: date | None = None
    made_at_uri: str | None = None
    supplier_uri: str | None = None
    quantity: Decimal | None = None
    uom: str | None = None
    status: LotStatus | None = None
    status_reason: str | None = None


@dataclass(frozen=True, slots=True)
class ContactDraft:
    """A contact to put on record, one of each kind for a party (URI or GLN)."""

    party_uri: str
    kind: ContactKind
    name: str
    phone: str | None = None
    email: str | None = None
    language: str | None = None
    hours: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What the ledger knows of an identifier.

    ``issued``: a label job of ours printed this serial, or somebody told us of it. ``commissioned``: it is on a thing.
    """

    identifier: Identifier
    product_id: int | None = None
    lot_id: int | None = None
    number: int | None = None
    unit_id: int | None = None
    issued: bool = False
    commissioned: bool = False


@dataclass(frozen=True, slots=True)
class CaptureReport:
    """What became of one document: ``events`` newly recorded, ``known`` told before and unchanged.

    ``errors`` and ``warnings`` are pairs of where (a JSON pointer) and what; errors only with the behaviour proceed.
    """

    capture_id: str
    created_at: datetime
    finished_at: datetime
    events: int = 0
    known: int = 0
    errors: tuple[tuple[str, str], ...] = ()
    warnings: tuple[tuple[str, str], ...] = ()
    event_ids: tuple[int, ...] = ()
    success: bool = True
