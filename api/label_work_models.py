"""The bodies of label work after the order, in and out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from api.models import Code, Given, Short, Taken, Uri, Words
from labels import packs

LabelNumber = Annotated[int, Field(ge=1, le=10**12)]
Told = Annotated[str, Field(min_length=1, max_length=500)]


class Applied(Taken):
    """Which labels are on their items: ``first`` to ``last``, or ``first_code`` to ``last_code``, or these ``codes``;
    with none of them, all that are unused. ``place`` is a GLN or URI, ``at`` when; without them, the plant and now."""

    first: LabelNumber | None = None
    last: LabelNumber | None = None
    first_code: Code | None = None
    last_code: Code | None = None
    codes: Annotated[list[Code], Field(min_length=1, max_length=10_000)] | None = None
    place: Uri | None = None
    at: AwareDatetime | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = ((self.first, self.last), (self.first_code, self.last_code), (self.codes,))
        if sum(any(each is not None for each in way) for way in ways) > 1:
            raise ValueError("name labels by numbers, or by two codes, or by a list of codes, not in two ways")
        if (self.first_code is None) != (self.last_code is None):
            raise ValueError("first_code and last_code come together")
        return self


class LabelsVoided(Taken):
    first: LabelNumber
    last: LabelNumber
    reason: Words


class LabelReplaced(Taken):
    serial: Annotated[str, Field(min_length=1, max_length=20)]
    reason: Words


class Receipt(Taken):
    """Who has the codes now, and by what receipt."""

    to: Told
    receipt: Told


class PackOrder(Taken):
    """A pack of codes for ``recipient``, sealed with ``password``; a file for each ``per_roll`` labels, else one."""

    recipient: Told
    format: Literal["csv", "txt", "xlsx"] = "csv"
    columns: Annotated[list[Short], Field(min_length=1, max_length=20)] | None = None
    per_roll: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    password: Annotated[str, Field(min_length=12, max_length=200)]

    def order(self) -> packs.PackOrder:
        """As the labels room takes it."""
        columns = packs.DEFAULT_COLUMNS if self.columns is None else tuple(self.columns)
        return packs.PackOrder(self.recipient, self.format, columns, self.per_roll, self.password)


class PackChecked(Given):
    """What a pack was found to hold. ``ours``: it was signed by this installation."""

    job: int
    gtin: str
    lot: str
    labels: int
    files: int
    recipient: str
    created_at: str
    public_key: str
    ours: bool


class LineScan(Taken):
    """One scan on the line. ``session`` is a name for the run of the line: a label is right once in it."""

    job_id: LabelNumber
    session: Annotated[str, Field(min_length=1, max_length=60)]
    code: Annotated[str, Field(min_length=1, max_length=2_048)]


class LogisticsOrder(Taken):
    """Without ``company_prefix`` that of the installation's settings; without ``extension`` the kind's."""

    kind: Literal["case", "pallet"]
    count: Annotated[int, Field(ge=1, le=1_000)]
    company_prefix: Annotated[str, Field(pattern="^[0-9]{4,12}$")] | None = None
    extension: Annotated[int, Field(ge=0, le=9)] | None = None


class UnitsApplied(Taken):
    place: Uri | None = None


class LabelsDone(Given):
    """What was done to ``labels`` labels between two of them; not ``changed``: it had been done before."""

    job_id: int
    label_first: int
    label_last: int
    labels: int
    changed: bool
    event_id: int | None


class NewJob(Given):
    job_id: int


class Delivered(Given):
    to_name: str
    receipt: str
    by: str
    at: datetime


class Template(Given):
    """A sheet or roll; ``cells`` labels on a page."""

    name: str
    title: Short
    page_width_mm: float
    page_height_mm: float
    cells: int
    cell_width_mm: float
    cell_height_mm: float
    dpi: int


class TemplateList(Given):
    items: list[Template]


class LineCheck(Given):
    """``verdict`` is ``right`` or why not; ``seen`` right labels in this session so far."""

    verdict: Literal[
        "right", "seen_before", "void", "other_job", "other_lot", "other_product", "not_issued", "unreadable"
    ]
    is_right: bool
    job_id: int | None
    label: int | None
    serial: str | None
    lot: str | None
    seen: int


class LogisticsLine(Given):
    logistics_job_id: int
    kind: str
    company_prefix: str
    extension: int
    count: int
    commissioned_event_id: int | None
    ordered_by: str
    ordered_at: datetime


class LogisticsJob(LogisticsLine):
    ssccs: list[str]


class UnitsDone(Given):
    event_id: int
    changed: bool
