"""What the portal knows and says, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum, StrEnum
from typing import Any


class CodeState(IntEnum):
    """What became of the label of an item, as the published views tell it (1 to 3 are theirs)."""

    NOT_ACTIVE = 0  # printed, and not yet commissioned
    ACTIVE = 1
    BLOCKED = 2  # destroyed, disposed of, stolen
    OUT_OF_SERVICE = 3
    VOID = 4  # its label was voided: another one replaced it, or none


class Verdict(StrEnum):
    """What is said about a code. Never that a product is safe or genuine: nobody can know that from a code."""

    RECALLED = "recalled"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    BLOCKED = "blocked"
    NOT_ACTIVE = "not_active"
    UNUSUAL = "unusual"
    REPEAT_CHECK = "repeat_check"
    FIRST_CHECK = "first_check"
    NO_RECALL_KNOWN = "no_recall_known"
    CHECK_THE_SERIAL = "check_the_serial"
    UNKNOWN_CODE = "unknown_code"
    UNREADABLE = "unreadable"
    CANNOT_CONFIRM = "cannot_confirm"


class CheckPolicy(StrEnum):
    """How the checks of a product's items are counted."""

    EXACT = "exact"  # the page waits for its count: only so can one page be the first
    SHOWN_LATER = "shown_later"  # the page shows what was known; this opening is counted beside it
    OFF = "off"  # not counted


@dataclass(frozen=True, slots=True)
class Product:
    """A published product. ``texts`` by language: ``{"zh": {"name": …, "storage": …}}``."""

    product_id: int
    gtin: str
    name: str
    brand: str
    texts: Mapping[str, Mapping[str, Any]]
    profile: str
    ours: bool
    date_kind: str
    allergens: tuple[str, ...]
    image: str | None
    changed_in: int
    checks: CheckPolicy = CheckPolicy.EXACT


@dataclass(frozen=True, slots=True)
class Lot:
    """A published lot."""

    lot_id: int
    product_id: int
    code: str
    made_on: date | None
    best_before_on: date | None
    status: str
    made_at_place_id: int
    changed_in: int


@dataclass(frozen=True, slots=True)
class Place:
    """A place, no finer than its kind, region and country."""

    kind: str
    region: str | None
    country: str | None


@dataclass(frozen=True, slots=True)
class RecallText:
    """The words of a case in one language. ``is_original``: they were written in others, not in the one asked for."""

    title: str
    hazard: str
    actions: tuple[str, ...]
    remedies: tuple[str, ...]
    is_original: bool


@dataclass(frozen=True, slots=True)
class Recall:
    """A published case: a recall, or a withdrawal (which is never shown as one)."""

    case_id: int
    number: str
    version: int
    kind: str
    state: str
    title: str
    hazard: str
    hazard_class: int
    texts: Mapping[str, Mapping[str, Any]]
    contact: Mapping[str, str]
    published_at: datetime
    updated_at: datetime
    revision: int

    @property
    def is_withdrawal(self) -> bool:
        """A removal without danger."""
        return self.kind == "withdrawal"

    def text(self, language: str) -> RecallText:
        """The words in ``language`` (a script or region is looked past: zh serves zh-Hans); else the original ones."""
        written = _in_language(self.texts, language)
        source = written if written is not None else next(iter(self.texts.values()), {})
        title, hazard = source.get("title") or self.title, source.get("hazard") or self.hazard
        if written is None:
            title, hazard = self.title, self.hazard
        return RecallText(
            title=title,
            hazard=hazard,
            actions=tuple(source.get("actions") or ()),
            remedies=tuple(source.get("remedies") or ()),
            is_original=written is None and bool(self.texts),
        )


@dataclass(frozen=True, slots=True)
class Unusual:
    """A rule that an item's checks have met: so many were counted within so many days."""

    rule: str
    counted: int
    within_days: int


@dataclass(frozen=True, slots=True)
class Finding:
    """What the snapshot knows of an identifier.

    ``recalls`` and ``withdrawals`` name exactly the thing asked for. ``part_recalls`` name a part of it of which we
    cannot see whether it is meant: some items of a lot, some lots of a product.
    """

    is_known: bool = False
    product: Product | None = None
    lot: Lot | None = None
    place: Place | None = None
    made_at: Place | None = None
    number: int | None = None
    state: CodeState | None = None
    recalls: tuple[Recall, ...] = ()
    part_recalls: tuple[Recall, ...] = ()
    withdrawals: tuple[Recall, ...] = ()
    is_suspect: bool = False
    """The lot in the code is not the lot on record."""
    unusual: Unusual | None = None
    run: int | None = None
    """Where the item's run begins; None when its label was never released."""


NOTHING = Finding()


@dataclass(frozen=True, slots=True)
class Checks:
    """How often an item's code was checked, and when first. ``includes_this``: this opening is one of them."""

    count: int
    first_at: datetime
    includes_this: bool = True


@dataclass(frozen=True, slots=True)
class Step:
    """One line of an item's history; partners appear by role and region, by name only where the brand allows it."""

    at: datetime
    step: str
    role: str | None
    place_kind: str | None
    region: str | None
    country: str | None
    party: str | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """What a logistic unit holds of one lot: a run of numbers, or a quantity by class (``lo`` and ``n`` are None)."""

    lot_id: int
    lo: int | None
    n: int | None
    quantity: float
    uom: str


@dataclass(frozen=True, slots=True)
class Beside:
    """What was read live beside the verdict. None: not asked for, or not answered in time."""

    checks: Checks | None = None
    history: tuple[Step, ...] = ()
    contents: tuple[Content, ...] | None = None
    unit_exists: bool | None = None


ALONE = Beside()


@dataclass(frozen=True, slots=True)
class UnitLine:
    """What a logistic unit holds of one lot, and how much of it the published recalls name."""

    product: Product | None
    lot: Lot | None
    quantity: float
    uom: str
    recalled: float
    cases: tuple[Recall, ...]
    part_recalls: tuple[Recall, ...]
    """Held by quantity, of a lot that is recalled in part: which part, nobody told us."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """When the copy was last compared with the database (None: never), and whether that is recent enough."""

    at: datetime | None
    is_fresh: bool


def _in_language(texts: Mapping[str, Mapping[str, Any]], language: str) -> Mapping[str, Any] | None:
    if language in texts:
        return texts[language]
    return next((text for key, text in texts.items() if key.split("-", maxsplit=1)[0] == language), None)
