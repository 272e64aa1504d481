"""The path that proves a line of a trace, as a sentence that somebody can check against the paper. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal, Protocol, get_args

from ledger.closure import Basis, Step
from runtime.clock import rfc3339

Language = Literal["en", "zh"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)

_WENT_INTO: Final = {"en": "{source} went into {product}", "zh": "{source} 用于生产 {product}"}
_DETAILS: Final = {"en": " ({details})", "zh": "（{details}）"}
_EVENT: Final = {"en": "event {event}", "zh": "事件 {event}"}
_LINE: Final = {"en": "line {line}", "zh": "生产线 {line}"}
_JOIN: Final = {"en": "; ", "zh": "；"}
_COMMA: Final = {"en": ", ", "zh": "，"}
_NAMED: Final = {"en": "Named by the code itself.", "zh": "由所查代码直接指定。"}
_POSSIBLE: Final = {
    "en": " Possible, not proved: the recorded times, or the parts of lots, do not settle it.",
    "zh": "仅为可能，尚未证实：记录的时间或批次的部分不足以确定。",
}
_END: Final = {"en": ".", "zh": "。"}

Row = Mapping[str, Any]


class Shown(Protocol):
    """What the sentences name, each by its id."""

    @property
    def lots(self) -> Mapping[int, Row]:
        """By lot_id."""

    @property
    def operations(self) -> Mapping[int, Row]:
        """By operation_id."""

    @property
    def places(self) -> Mapping[int, Row]:
        """By place_id."""


def sentence(steps: Sequence[Step], basis: Basis, shown: Shown, language: Language, *, up: bool = False) -> str:
    """``Milk M1 went into Cheese C1 (Plant, line vat 1, 2026-03-03T06:00:00Z, event 12).``, one clause a step.

    ``steps`` go from the start of the trace; upstream (``up``) they are turned, so that a clause always says what went
    into what.
    """
    if not steps:
        return _NAMED[language]
    clauses = []
    for step in reversed(steps) if up else steps:
        source, made = (step.lot_id, step.from_lot_id) if up else (step.from_lot_id, step.lot_id)
        went = _WENT_INTO[language].format(source=_name(shown.lots[source]), product=_name(shown.lots[made]))
        details = _details(shown.operations[step.operation_id], shown.places, language)
        clauses.append(went + _DETAILS[language].format(details=_COMMA[language].join(details)))
    said = _JOIN[language].join(clauses) + _END[language]
    return said + _POSSIBLE[language] if basis == "possible" else said


def _name(lot: Row) -> str:
    return f"{lot['product']} {lot['code'] or '?'}"


def _details(operation: Row, places: Mapping[int, Row], language: Language) -> list[str]:
    place = places.get(operation["place_id"])
    at: datetime | None = operation["at"]
    said = [place["name"]] if place is not None and operation["place_id"] != 0 else []
    said += [_LINE[language].format(line=operation["line"])] if operation["line"] else []
    said += [rfc3339(at)] if at is not None else []
    return [*said, _EVENT[language].format(event=operation["event_id"])]
