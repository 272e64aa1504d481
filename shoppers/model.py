"""Values of the shoppers room."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class LinkDraft:
    """A link as staff write it. ``lot`` and ``cpv`` empty: of the whole product. ``languages`` empty: of any."""

    gtin: str
    type: str
    target: str
    title: str
    cpv: str = ""
    lot: str = ""
    languages: tuple[str, ...] = ()
    media_type: str | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A link on record. ``is_allowed``: its host may be shown; until then the public does not see it."""

    link_id: int
    gtin: str
    cpv: str
    lot: str
    type: str
    target: str
    title: str
    languages: tuple[str, ...]
    media_type: str | None
    valid_from: datetime | None
    valid_until: datetime | None
    is_allowed: bool
    added_by: str
    added_at: datetime


@dataclass(frozen=True, slots=True)
class Host:
    """A host that links may lead to, once a second person has allowed it."""

    host: str
    asked_by: str
    asked_at: datetime
    allowed_by: str | None
    allowed_at: datetime | None


class ReportState(StrEnum):
    """What became of a report."""

    NEW = "new"
    IN_WORK = "in_work"
    CLOSED = "closed"
    SPAM = "spam"


@dataclass(frozen=True, slots=True)
class Report:
    """A problem that a shopper told."""

    report_id: int
    reference: str
    gtin: str | None
    lot: str | None
    serial: str | None
    kind: str
    words: str
    contact: str | None
    language: str
    has_photo: bool
    state: ReportState
    taken_at: datetime
    closed_by: str | None
    closed_at: datetime | None
    closing_note: str | None


@dataclass(frozen=True, slots=True)
class Rule:
    """What counts as unusual: ``threshold`` or more within ``within_days`` days. ``effect``: verdict or alert only."""

    rule: str
    threshold: int
    within_days: int
    effect: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class Unusual:
    """A rule that an item's checks have met."""

    finding_id: int
    number: int
    gtin: str | None
    rule: str
    effect: str
    counted: int
    within_days: int
    found_at: datetime
    cleared_by: str | None
    cleared_at: datetime | None
    clearing_reason: str | None


@dataclass(frozen=True, slots=True)
class Alert:
    """A wish to be told of recalls of a product, or of one lot of it."""

    alert_id: int
    email: str
    gtin: str
    lot: str
    language: str
    product: str
    is_confirmed: bool
