"""Why a capture point says no, in words for whoever stands at the line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from runtime.refusals import Conflict, Fault, Invalid, NotAllowed, NotFound

PROBLEMS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "unreadable": "{code} is no code that is read here. Scan it again",
        "wrong_kind": "{code} is not what is read here. Scan: {kinds}",
        "twice": "{code} was scanned twice. Leave one of them out",
        "too_few": "{count} scanned, at least {min} are needed",
        "too_many": "{count} scanned, at most {max} are taken",
        "unknown": "{code} is not on record. Set it aside and tell the shift lead",
        "not_commissioned": "{code} was printed, but never put to use. Commission the label first",
        "in_use_already": "{code} is in use already. Take another label",
        "packed_already": "{code} is in {unit} already. Unpack it first, or scan {unit}",
        "gone": "{code} is on record as {state}. Set it aside and tell the shift lead",
        "on_hold": "Lot {lot} is on hold. Set {code} aside",
        "lots_differ": "The codes say different lots: {lots}. Read one lot at a time",
        "quantity_missing": "Say how much of {code}",
        "quantity_not_asked": "{code} is one thing; no quantity is given for it",
        "wrong_unit": "{code} is counted in {expected} here, not in {uom}",
        "no_role": "Say of {code} whether it goes in or comes out",
        "role_not_here": "Nothing is read as {role} here",
        "parent_twice": "Two units were scanned to pack into; one is taken",
        "inside_itself": "{code} cannot go into itself",
        "parameter_missing": "{label}: say a value",
        "parameter_unknown": "{name} is not asked for here. Leave it out",
        "parameter_wrong": "{label}: {value} is not {expected}",
        "outside_limits": "{label}: {value} is outside {limits}",
        "destination_needed": "Choose where it goes",
        "destination_unknown": "{destination} is not a destination of this point",
        "destination_not_asked": "Nothing leaves here; no destination is given",
        "in_future": "The reading says a time that has not come. Set the clock of the reader",
    }
)
"""A sentence for each problem; faces that speak other languages have one for each key too."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a reading: a key of ``PROBLEMS``, where, and what fills the sentence."""

    key: str
    where: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def sentence(self) -> str:
        """In English, without a full stop."""
        return PROBLEMS[self.key].format(**self.values)


class ReadingRefused(Conflict):
    """The reading was not taken, nothing was recorded: {what}."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        faults = [Fault(problem.where, problem.sentence()) for problem in problems]
        super().__init__(what=faults[0].what, faults=faults)


class ReadingNotUsable(Invalid):
    """The reading cannot be used; {count} place(s) need mending, the first is {where}: {what}."""


class DefinitionNotUsable(Invalid):
    """The capture point cannot be used; {count} place(s) need mending, the first is {where}: {what}."""


class CapturePointNotFound(NotFound):
    """There is no capture point {point_id}."""


class CapturePointClosed(Conflict):
    """The capture point {point_id} is closed; nothing is read here any more."""


class NotYourPoint(NotAllowed):
    """The capture point {point_id} is not for {by}. Ask whoever looks after it to add you."""


class ReadingIdTaken(Conflict):
    """Under the id {reading_id} this point has read something else. Give each reading an id of its own."""


class ReadingNotFound(NotFound):
    """This point has no reading {reading_id}."""


class NotYourReading(NotAllowed):
    """{reading_id} was read by {taken_by}; only they may undo it here. Others correct it by an event."""


class NothingToUndo(Conflict):
    """You have read nothing here that could be undone."""
