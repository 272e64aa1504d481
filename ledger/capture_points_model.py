"""A capture point as data: where it stands, what it reads, what it asks for, who may use it; and one reading of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Final, Literal, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StringConstraints,
    field_validator,
    model_validator,
)

from ledger.epcis import words

THINGS_MAX: Final = 200
"""Most codes of one reading."""
PARAMETERS_MAX: Final = 30
"""Most parameters that a point asks for."""
CHOICES_MAX: Final = 50
"""Most choices of a parameter, and most destinations of a point."""
USERS_MAX: Final = 200
"""Most people, keys and roles named by one point."""

Work = Literal[
    "commission", "pack", "unpack", "ship", "receive", "transform", "inspect", "sell", "return", "destroy", "observe"
]
Kind = Literal["item", "case", "pallet", "lot"]
Role = Literal["thing", "parent", "output"]
Policy = Literal["alarm", "review", "refuse"]
Value = bool | Decimal | str

PointId = Annotated[str, StringConstraints(pattern="^[a-z0-9][a-z0-9-]{0,59}$")]
ReadingId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]{1,100}$")]
Short = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
Uri = Annotated[str, StringConstraints(min_length=1, max_length=2_048)]
Uom = Annotated[str, StringConstraints(pattern="^[A-Z0-9]{2,3}$")]
Amount = Annotated[Decimal, Field(gt=0, lt=10**12, decimal_places=6)]
Limit = Annotated[Decimal, Field(gt=-(10**12), lt=10**12)]

WORD_BY_WORK: Final[Mapping[str, tuple[str, str | None]]] = MappingProxyType(
    {
        "commission": ("commissioning", "active"),
        "pack": ("packing", "in_progress"),
        "unpack": ("unpacking", "in_progress"),
        "ship": ("shipping", "in_transit"),
        "receive": ("receiving", "in_progress"),
        "transform": ("creating_class_instance", "active"),
        "inspect": ("inspecting", None),
        "sell": ("retail_selling", "retail_sold"),
        "return": ("receiving", "returned"),
        "destroy": ("destroying", "destroyed"),
        "observe": ("other", None),
    }
)
"""Business step and disposition of CBV 2.0 that a work stands for when the point names no other."""
HAS_PARENT: Final = frozenset({"pack", "unpack"})
STOPPED_BY_HOLD: Final = frozenset({"commission", "pack", "ship", "transform", "sell"})
"""Works that a lot on hold is not taken through, unless the point says that it is."""


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Label(_Data):
    """A text in both languages of the floor."""

    en: Short
    zh: Short


class Reads(_Data):
    """What is read in one role: of which kinds, and how many codes. ``uom`` (UN/ECE 20) is for lots; none is pieces."""

    kinds: Annotated[tuple[Kind, ...], Field(min_length=1, max_length=4)]
    min: Annotated[int, Field(ge=0, le=THINGS_MAX)] = 1
    max: Annotated[int, Field(ge=1, le=THINGS_MAX)] = THINGS_MAX
    uom: Uom | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min > self.max:
            raise ValueError(f"min {self.min} is more than max {self.max}")
        return self


class Parameter(_Data):
    """What the point asks for beside codes. ``measures`` is a measurement of EPCIS 2.0 such as Temperature."""

    name: Annotated[str, StringConstraints(pattern="^[a-z][a-z0-9_]{0,39}$")]
    label: Label
    type: Literal["number", "text", "yes_no", "choice"] = "number"
    uom: Uom | None = None
    measures: str | None = None
    min: Limit | None = None
    max: Limit | None = None
    choices: Annotated[tuple[Short, ...], Field(max_length=CHOICES_MAX)] = ()
    required: bool = True

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        numeric = (self.uom, self.measures, self.min, self.max)
        if self.type != "number" and any(value is not None for value in numeric):
            raise ValueError("only a number has uom, measures, min and max")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min} is more than max {self.max}")
        if (self.type == "choice") != bool(self.choices):
            raise ValueError("choices are needed for the type choice, and for no other")
        if self.measures is not None and self.measures not in words.MEASUREMENTS:
            raise ValueError(f"{self.measures} is no measurement of EPCIS 2.0, such as Temperature or Mass")
        return self


class Definition(_Data):
    """A capture point. ``place``, ``read_point`` and ``destinations`` are GLNs or URIs of places on record.

    ``things`` are the codes that the work is done to: the children of a unit, the inputs of a transformation.
    ``parent`` is the unit of pack and unpack, ``outputs`` what a transformation makes. ``users`` are names of people
    and keys (``key:NAME``) or roles (``role:NAME``); empty: whoever may capture.
    """

    id: PointId
    name: Label
    place: Uri
    work: Work
    things: Reads
    parent: Reads | None = None
    outputs: Reads | None = None
    parent_first: bool = True
    read_point: Uri | None = None
    line: Short | None = None
    equipment: Short | None = None
    biz_step: str | None = None
    disposition: str | None = None
    destinations: Annotated[tuple[Uri, ...], Field(max_length=CHOICES_MAX)] = ()
    parameters: Annotated[tuple[Parameter, ...], Field(max_length=PARAMETERS_MAX)] = ()
    outside_limits: Policy = "alarm"
    takes_held_lots: bool | None = None
    users: Annotated[tuple[Short, ...], Field(max_length=USERS_MAX)] = ()
    active: bool = True

    @field_validator("biz_step")
    @classmethod
    def _step_of_cbv(cls, word: str | None) -> str | None:
        if word is not None and word not in words.BIZ_STEPS:
            raise ValueError(f"{word} is no business step of CBV 2.0")
        return word

    @field_validator("disposition")
    @classmethod
    def _disposition_of_cbv(cls, word: str | None) -> str | None:
        if word is not None and word not in words.DISPOSITIONS:
            raise ValueError(f"{word} is no disposition of CBV 2.0")
        return word

    @model_validator(mode="after")
    def _work_has_its_roles(self) -> Self:
        if (self.work in HAS_PARENT) != (self.parent is not None):
            raise ValueError("parent is needed for pack and unpack, and for no other work")
        if self.parent is not None and (self.parent.min, self.parent.max) != (1, 1):
            raise ValueError("a reading has one parent: its min and max are 1")
        if self.parent is not None and not {"case", "pallet"} >= set(self.parent.kinds):
            raise ValueError("a parent is a case or a pallet")
        if (self.work == "transform") != (self.outputs is not None):
            raise ValueError("outputs are needed for transform, and for no other work")
        if (self.work == "ship") != bool(self.destinations):
            raise ValueError("destinations are needed for ship, and for no other work")
        names = [parameter.name for parameter in self.parameters]
        if len(set(names)) < len(names):
            raise ValueError("two parameters have the same name")
        if not self.things.min and self.work != "unpack":
            raise ValueError("things.min 0 is for unpack alone: no code there means all that is inside")
        return self

    @property
    def step(self) -> str:
        """Business step of its events."""
        return self.biz_step or WORD_BY_WORK[self.work][0]

    @property
    def state(self) -> str | None:
        """Disposition of its events; None leaves the goods in the state in which they are."""
        return self.disposition or WORD_BY_WORK[self.work][1]

    @property
    def stops_held_lots(self) -> bool:
        """Whether a lot on hold is refused here."""
        return self.work in STOPPED_BY_HOLD if self.takes_held_lots is None else not self.takes_held_lots

    def reads(self, role: Role) -> Reads | None:
        """What is read in this role."""
        return {"thing": self.things, "parent": self.parent, "output": self.outputs}[role]


class Thing(_Data):
    """One code as the scanner sent it. ``quantity`` in ``uom`` is needed for a lot, and refused for all else."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=2_048)]
    role: Role | None = None
    quantity: Amount | None = None
    uom: Uom | None = None


class Reading(_Data):
    """What was read once. ``at`` is when it was read; without it, when it arrived."""

    reading_id: ReadingId
    things: Annotated[tuple[Thing, ...], Field(min_length=1, max_length=THINGS_MAX)]
    parameters: Annotated[Mapping[str, StrictBool | Decimal | str], Field(max_length=PARAMETERS_MAX)] = Field(
        default_factory=dict
    )
    at: AwareDatetime | None = None
    destination: Uri | None = None
    document: Short | None = None


@dataclass(frozen=True, slots=True)
class CapturePoint:
    """A version of a point on record."""

    point_id: str
    version: int
    definition: Definition
    defined_at: datetime
    defined_by: str


@dataclass(frozen=True, slots=True)
class Alarm:
    """A parameter outside its limits."""

    parameter: str
    value: Decimal
    min: Decimal | None
    max: Decimal | None


@dataclass(frozen=True, slots=True)
class Taken:
    """A reading on record: the event of it, alarms, the lots that were held for review; ``known``: sent before."""

    point_id: str
    version: int
    reading_id: str
    event_id: str
    alarms: tuple[Alarm, ...]
    reviewed: tuple[str, ...]
    taken_at: datetime
    taken_by: str
    known: bool
    undone: bool = False
