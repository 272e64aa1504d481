"""What the API takes for a case: its starts, its changes, and what a second person finds."""
# ruff: noqa: RUF012 - the defaults of a pydantic model are copied for each of its values

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from api.models import Code, Gtin, LotNamed, Name, RangeNamed, Reason, Short, Taken, TextNamed, Uri, WindowNamed, Words


class SupplierNamed(Taken):
    """Every lot from a party (its GLN or URI), of one product or of all."""

    party: Uri
    gtin: Gtin | None = None


class OperationNamed(Taken):
    """What operations made of which all these facts are told; ``parameter`` is a test such as ``held_s < 15``."""

    line: Short | None = None
    team: Short | None = None
    operator: Short | None = None
    equipment: Short | None = None
    place: Uri | None = None
    from_at: AwareDatetime | None = None
    until_at: AwareDatetime | None = None
    parameter: Short | None = None


class Excluded(Taken):
    """A part that is taken out again, with the reason."""

    part: dict[str, Any]
    reason: Words


class CaseOpened(Taken):
    """A case to open as a draft, from at least one start. ``parts`` are sets of starts, by any, all, but."""

    title: Words
    hazard: Words
    hazard_class: Annotated[int, Field(ge=1, le=3, description="1 serious, 2 temporary, 3 unlikely harm")]
    kind: Literal["recall", "withdrawal"] = "recall"
    codes: Annotated[list[Code], Field(max_length=10_000)] = []
    lots: Annotated[list[LotNamed], Field(max_length=10_000)] = []
    ranges: Annotated[list[RangeNamed], Field(max_length=1_000)] = []
    windows: Annotated[list[WindowNamed], Field(max_length=100)] = []
    suppliers: Annotated[list[SupplierNamed], Field(max_length=100)] = []
    operations: Annotated[list[OperationNamed], Field(max_length=100)] = []
    parts: Annotated[list[dict[str, Any]], Field(max_length=1_000)] = []
    exclude: Annotated[list[Excluded], Field(max_length=50)] = []
    whole_lot: bool = False
    include_possible: bool = False
    texts: dict[Annotated[str, StringConstraints(pattern="^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")], TextNamed] = {}
    contact: dict[Literal["name", "phone", "email", "hours"], Short] = {}
    depth: Literal["consumer", "retail", "wholesale"] = "consumer"
    remedy: Literal["return", "destroy", "repair", "refund"] = "return"
    deadline_on: date | None = None
    profile: Short = ""


class Cancelling(Reason):
    """Why it is cancelled; ``public_reason`` may be read at the address of the case."""

    public_reason: Words | None = None


class Widening(Taken):
    """What is added to a published case."""

    codes: Annotated[list[Code], Field(max_length=10_000)] = []
    lots: Annotated[list[LotNamed], Field(max_length=10_000)] = []
    ranges: Annotated[list[RangeNamed], Field(max_length=1_000)] = []
    windows: Annotated[list[WindowNamed], Field(max_length=100)] = []
    suppliers: Annotated[list[SupplierNamed], Field(max_length=100)] = []
    operations: Annotated[list[OperationNamed], Field(max_length=100)] = []
    whole_lot: bool = False
    reason: Words


class Updating(Taken):
    """Texts for the public, by language; those in force stay when none are given."""

    texts: dict[Annotated[str, StringConstraints(pattern="^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")], TextNamed] = {}
    override_wording: Words | None = None


class Narrowing(Reason):
    """What a published case shall not name any more, and why; a second person accepts it."""

    codes: Annotated[list[Code], Field(max_length=10_000)] = []
    lots: Annotated[list[LotNamed], Field(max_length=10_000)] = []
    ranges: Annotated[list[RangeNamed], Field(max_length=1_000)] = []


class Finding(Taken):
    """What a second person found when looking at a case that one person published."""

    finding: Words


class FactTold(Taken):
    """An event of a case, or a duty that was done; ``at`` is now when it is left out."""

    name: Name
    at: AwareDatetime | None = None
    note: Short = ""
