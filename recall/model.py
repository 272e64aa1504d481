"""Values of the recall room: cases. Scopes are in ``scope``, affected sets in ``affected``, notices in ``notices``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from recall.scope import Scope

ACTIONS_MAX = 4
"""Most steps a notice asks of a reader: more are not read (BEIS 2020/033)."""


class Kind(StrEnum):
    """A withdrawal is a removal without danger and never shown as a recall; a drill is never shown at all."""

    RECALL = "recall"
    WITHDRAWAL = "withdrawal"
    DRILL = "drill"


class State(StrEnum):
    """Where a case stands in its life; ``lifecycle`` has the steps between."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    PUBLISHED = "published"
    CLOSING = "closing"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class Depth(StrEnum):
    """How far down the case reaches (21 CFR 7.42): each level includes those above it."""

    CONSUMER = "consumer"
    RETAIL = "retail"
    WHOLESALE = "wholesale"


class Remedy(StrEnum):
    """What an owner shall do with the goods."""

    RETURN = "return"
    DESTROY = "destroy"
    REPAIR = "repair"
    REFUND = "refund"


class Change(StrEnum):
    """What a version of a case changed."""

    INITIAL = "initial"
    UPDATED = "updated"
    WIDENED = "widened"
    NARROWED = "narrowed"
    CLOSED = "closed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Text:
    """What the public reads, in one language, as an author wrote it; never translated by machine."""

    title: str
    hazard: str
    actions: tuple[str, ...] = ()
    remedies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WindowDraft:
    """Everything made on a line, or everything that was at a place, from ``from_at`` until before ``until_at``.

    ``place`` is a GLN or the URI of a place; with ``line`` only what that line put out counts.
    """

    from_at: datetime
    until_at: datetime
    place: str | None = None
    line: str | None = None


@dataclass(frozen=True, slots=True)
class OperationDraft:
    """What operations made of which all these facts are told. ``parameter`` is a test such as ``held_s < 15``."""

    line: str | None = None
    team: str | None = None
    operator: str | None = None
    equipment: str | None = None
    place: str | None = None
    from_at: datetime | None = None
    until_at: datetime | None = None
    parameter: str | None = None


@dataclass(frozen=True, slots=True)
class SupplierDraft:
    """Every lot from a party (its GLN or URI), of one product or of all."""

    party: str
    gtin: str | None = None


@dataclass(frozen=True, slots=True)
class ExclusionDraft:
    """A part (as in ``CaseDraft.parts``) that is taken out again, with the reason."""

    part: Mapping[str, Any]
    reason: str


@dataclass(frozen=True, slots=True)
class CaseDraft:
    """What an author says of a new case.

    ``codes`` are taken as scanned or typed (``gs1.scan_data``); each names exactly what it says: an item code the item,
    a lot code the lot, an SSCC what is in it now and was in it when it was shipped, a GTIN every lot of the product.
    ``ranges`` are pairs of item codes of one product, first and last as numbered on the labels. With ``whole_lot``
    item codes name their lots. ``parts`` are read by ``recall.parts``: sets of all of these, put together by rules.

    ``profile`` is the jurisdiction profile that the case takes and keeps (``eu-gpsr``, ``cn-food/2015``).
    Without ``texts`` the title, the hazard and the standard steps for the remedy are published.
    """

    title: str
    hazard: str
    hazard_class: int
    kind: Kind = Kind.RECALL
    codes: tuple[str, ...] = ()
    lots: tuple[tuple[str, str], ...] = ()
    ranges: tuple[tuple[str, str], ...] = ()
    windows: tuple[WindowDraft, ...] = ()
    suppliers: tuple[SupplierDraft, ...] = ()
    operations: tuple[OperationDraft, ...] = ()
    parts: tuple[Mapping[str, Any], ...] = ()
    exclude: tuple[ExclusionDraft, ...] = ()
    whole_lot: bool = False
    include_possible: bool = False
    texts: Mapping[str, Text] = field(default_factory=dict)
    contact: Mapping[str, str] = field(default_factory=dict)
    depth: Depth = Depth.CONSUMER
    remedy: Remedy = Remedy.RETURN
    deadline_on: date | None = None
    profile: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """A case as it stands. ``version`` is the last published one; 0 was never published."""

    case_id: int
    number: str
    kind: Kind
    state: State
    version: int
    title: str
    hazard: str
    hazard_class: int
    depth: Depth
    remedy: Remedy
    deadline_on: date | None
    texts: Mapping[str, Text]
    contact: Mapping[str, str]
    scope: Scope
    opened_by: str
    opened_at: datetime
    approved_by: str | None = None
    approved_at: datetime | None = None
    published_by: str | None = None
    published_at: datetime | None = None
    closed_by: str | None = None
    closed_at: datetime | None = None
    closing_reason: str | None = None
    public_reason: str | None = None

    @property
    def is_drill(self) -> bool:
        """For practice: everything is worked out, nothing reaches the public or the goods."""
        return self.kind is Kind.DRILL


@dataclass(frozen=True, slots=True)
class CaseSummary:
    """One line of a list of cases. Counts are of the last frozen set; None before there is one.

    ``titles`` are the titles of its texts, by language. ``review_due_at``: one person published it alone, and a second
    one has to look until then; None when nobody has to.
    """

    case_id: int
    number: str
    kind: Kind
    state: State
    version: int
    title: str
    hazard_class: int
    opened_by: str
    opened_at: datetime
    published_at: datetime | None
    items: int | None
    lots: int | None
    owners: int | None
    review_due_at: datetime | None = None
    titles: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delta:
    """What a version changed against the one before: lots as (GTIN, lot code); ``items`` may be negative."""

    lots_added: tuple[tuple[str, str], ...]
    lots_removed: tuple[tuple[str, str], ...]
    items: int


@dataclass(frozen=True, slots=True)
class Published:
    """What was frozen and made known. ``revision`` is that of the public record; None for a drill, which has none."""

    number: str
    version: int
    change: Change
    hash: str
    ledger_event: int
    lots: int
    items: int
    owners: int
    lines: int
    revision: int | None
    took_ms: int
    delta: Delta | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """Something the record does not say and a person should find out."""

    what: str
    where: str


@dataclass(frozen=True, slots=True)
class Possible:
    """A lot that is reached only when time is ignored: shown, and included only when the author says so."""

    gtin: str
    product: str
    lot: str
    items: int


@dataclass(frozen=True, slots=True)
class Saving:
    """What an exclusion takes out: the pieces and lots that the case would reach without it, and does not."""

    what: str
    reason: str
    by: str
    items: int
    lots: int


@dataclass(frozen=True, slots=True)
class FirstTotals:
    """The figures of a preview, which come first: by channel, owner, product and state, each unit once."""

    number: str
    ledger_event: int
    items: int
    lots: int
    owners: int
    totals: Mapping[str, Any]
    took_ms: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What publishing would freeze now, without doing it. Counts are of pieces, each unit once."""

    number: str
    hash: str
    ledger_event: int
    items: int
    lots: int
    owners: int
    lines: int
    totals: Mapping[str, Any]
    possible: tuple[Possible, ...]
    gaps: tuple[Gap, ...]
    wording: tuple[Gap, ...]
    savings: tuple[Saving, ...]
    at: datetime
    took_ms: int


@dataclass(frozen=True, slots=True)
class DrillReport:
    """A timed practice: milliseconds from the code to the affected set, and to the finished notice list."""

    number: str
    trace_ms: int
    list_ms: int
    published: Published
    preview: Preview
