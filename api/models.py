"""The bodies that the API takes and gives, as models: they check what comes in and describe both in /openapi.json.

Keys that are not named here are refused: a misspelt key is a wish that would be lost in silence.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from ledger.model import Channel, ContactKind, DateKind, LotStatus, PartyRole, PlaceKind, Profile

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Short = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000)]
Uri = Annotated[str, StringConstraints(min_length=1, max_length=2_048)]
Gln = Annotated[str, StringConstraints(pattern="^[0-9]{13}$")]
Gtin = Annotated[str, StringConstraints(pattern="^[0-9]{8,14}$")]
LotCode = Annotated[str, StringConstraints(min_length=1, max_length=20)]
Code = Annotated[str, StringConstraints(min_length=1, max_length=2_048)]


class Taken(BaseModel):
    """What comes in."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Given(BaseModel):
    """What goes out; made from the values of the rooms below."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class ContactRecord(Taken):
    """Whom to call: ``recall`` answers in a recall, ``alternate`` stands in, ``responsible`` sees to a notice."""

    kind: ContactKind
    name: Name
    phone: Short | None = None
    email: Short | None = None
    language: Short | None = None
    hours: Short | None = None


class PartyRecord(Taken):
    """A legal entity in the chain, known by its GLN or a URI."""

    name: Name
    uri: Uri | None = None
    gln: Gln | None = None
    role: PartyRole | None = None
    channel: Channel | None = None
    country: Short | None = None
    region: Short | None = None
    city: Short | None = None
    address: Short | None = None
    name_public: bool | None = None
    contacts: Annotated[list[ContactRecord], Field(max_length=3)] = []


class PlaceRecord(Taken):
    """A physical location. ``party_uri`` (URI or GLN of a known party) is whose it is."""

    name: Name
    uri: Uri | None = None
    gln: Gln | None = None
    kind: PlaceKind | None = None
    party_uri: Uri | None = None
    country: Short | None = None
    region: Short | None = None
    city: Short | None = None
    address: Short | None = None


class ProductRecord(Taken):
    """A kind of thing that is sold. ``texts`` is by language; ``ours`` says that codes are printed for it here.

    What is left out stays as it is on record; a new product is ours, for consumers, best before.
    """

    gtin: Gtin
    name: Name
    brand: Short | None = None
    texts: Annotated[dict[str, Any], Field(max_length=40)] | None = None
    profile: Profile | None = None
    ours: bool | None = None
    shelf_life_days: Annotated[int, Field(ge=1, le=36_500)] | None = None
    date_kind: DateKind | None = None
    allergens: Annotated[list[Short], Field(max_length=40)] | None = None
    brand_party_uri: Uri | None = None
    image: Uri | None = None


class LotRecord(Taken):
    """A quantity made alike, known by GTIN and lot code. ``quantity`` as announced, in ``uom`` (none = pieces)."""

    gtin: Gtin
    code: LotCode
    made_on: date | None = None
    best_before_on: date | None = None
    made_at_uri: Uri | None = None
    supplier_uri: Uri | None = None
    quantity: Annotated[Decimal, Field(gt=0, max_digits=18)] | None = None
    uom: Annotated[str, StringConstraints(pattern="^[A-Z0-9]{2,3}$")] | None = None
    status: LotStatus | None = None
    status_reason: Short | None = None


class Party(Given):
    uri: str
    gln: str | None
    name: str
    role: str
    channel: str | None
    country: str | None
    region: str | None
    city: str | None
    address: str | None
    name_public: bool


class Place(Given):
    uri: str
    gln: str | None
    name: str
    kind: str
    country: str | None
    region: str | None
    city: str | None
    address: str | None


class Product(Given):
    gtin: str
    name: str
    brand: str
    texts: dict[str, Any]
    profile: str
    ours: bool
    shelf_life_days: int | None
    date_kind: str
    allergens: tuple[str, ...]
    image: str | None


class Lot(Given):
    gtin: str
    code: str
    made_on: date | None
    best_before_on: date | None
    status: str
    status_reason: str | None
    quantity: Decimal | None
    uom: str | None


class Recorded(Given):
    """How many records were put on record (``dry_run``: would be), and the report of a file's import."""

    records: int
    dry_run: bool = False
    report: dict[str, Any] | None = None


class PartyPage(Given):
    items: list[Party]
    next: str | None


class PlacePage(Given):
    items: list[Place]
    next: str | None


class ProductPage(Given):
    items: list[Product]
    next: str | None


class LotPage(Given):
    items: list[Lot]
    next: str | None


class LabelOrder(Taken):
    """An order of labels for one lot; nothing is printed by it. Without ``template`` the product's, else ``a4-24``."""

    gtin: Gtin
    lot: LotCode
    count: int
    template: Short | None = None
    best_before_on: date | None = None
    lot_in_link: bool = False


class LabelJob(Given):
    """``commissioned``, ``void`` and ``unused`` count labels and add up to ``count``."""

    job_id: int
    gtin: str
    product_name: str
    lot: str
    count: int
    commissioned: int
    void: int
    unused: int
    template: str
    best_before_on: date | None
    lot_in_link: bool
    state: str
    reprint_of: int | None
    ordered_by: str
    ordered_at: datetime


class LabelOutput(Given):
    """A file of labels ``label_first`` to ``label_last``; ``verified`` of them were read back from it."""

    output_id: int
    format: str
    sha256: str
    bytes: int
    label_first: int
    label_last: int
    verified: int
    made_by: str
    made_at: datetime


class LabelJobPage(Given):
    items: list[LabelJob]
    next: str | None


class LotNamed(Taken):
    gtin: Gtin
    lot: LotCode


class RangeNamed(Taken):
    """The items of a product from one label to another, both included."""

    first: Code
    last: Code


class WindowNamed(Taken):
    """Everything made on a line, or that was at a place, from ``from_at`` until before ``until_at``."""

    from_at: AwareDatetime
    until_at: AwareDatetime
    place: Uri | None = None
    line: Short | None = None


class TextNamed(Taken):
    """What the public reads in one language, as an author wrote it."""

    title: Words
    hazard: Words
    actions: Annotated[list[Words], Field(max_length=4)] = []
    remedies: Annotated[list[Words], Field(max_length=10)] = []


class Reason(Taken):
    """Why; it is kept."""

    reason: Words


class Closing(Reason):
    """Why it is closed; ``override`` is the reason to close it without reconciliation or findings."""

    override: Words | None = None


class Publication(Taken):
    """``override_wording``: publish in spite of faults of wording; the reason is kept.

    ``alone_because``: the emergency path. Publish without the approval of a second person, who reviews it afterwards.
    """

    override_wording: Words | None = None
    alone_because: Words | None = None


class Case(Given):
    number: str
    kind: str
    state: str
    version: int
    title: str
    hazard: str
    hazard_class: int
    depth: str
    remedy: str
    deadline_on: date | None
    texts: dict[str, Any]
    contact: dict[str, str]
    opened_by: str
    opened_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    published_by: str | None
    published_at: datetime | None
    closed_by: str | None
    closed_at: datetime | None
    closing_reason: str | None


class CaseLine(Given):
    """One line of the list. ``items``, ``lots`` and ``owners`` are of the last frozen affected set.

    ``review_due_at``: one person published it alone, and a second one has to look until then.
    """

    number: str
    kind: str
    state: str
    version: int
    title: str
    hazard_class: int
    opened_by: str
    opened_at: datetime
    published_at: datetime | None
    items: int | None
    lots: int | None
    owners: int | None
    review_due_at: datetime | None


class CasePage(Given):
    items: list[CaseLine]
    next: str | None


class CaptureJob(Given):
    """The capture job of EPCIS 2.0; ``newEvents`` and ``knownEvents`` and ``warnings`` are ours."""

    captureID: str
    createdAt: datetime
    finishedAt: datetime | None
    running: bool
    success: bool
    captureErrorBehaviour: str
    errors: list[dict[str, Any]]
    newEvents: int
    knownEvents: int
    warnings: list[dict[str, Any]]


class ProblemDocument(Given):
    """RFC 9457. Under /epcis the type is one of EPCIS 2.0 (``epcisException:ValidationException``)."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[dict[Literal["where", "what"], str]] | None = None
