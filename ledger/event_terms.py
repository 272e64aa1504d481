"""The parameters of an EPCIS 2.0 query (8.2.7.1, and the REST bindings), read. Pure.

A list stands in one parameter, its elements parted by ``|``; one of them has to fit. All parameters have to fit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from ledger import event_matching as matching
from ledger.epcis.checks import instant_of
from ledger.epcis.identifiers import place_uri
from ledger.epcis.words import ACTIONS, EVENT_TYPES, bare
from ledger.event_matching import COMPARISONS, Match, Test
from runtime.refusals import Invalid, TooMany

VALUES_MAX: Final = 1_000
"""Most elements of one list."""
COUNT_MAX: Final = 1_000_000
"""The largest eventCountLimit and maxEventCount."""

_ORDERS: Final = ("eventTime", "recordTime")
_DIRECTIONS: Final = ("ASC", "DESC")
_TIMES: Final = ("GE_eventTime", "LT_eventTime", "GE_recordTime", "LT_recordTime")
_WORDS: Final = ("EQ_bizStep", "EQ_disposition")
_PLACES: Final = ("EQ_readPoint", "WD_readPoint", "EQ_bizLocation", "WD_bizLocation")
_ENTRIES: Final = (
    ("EQ_bizTransaction_", "bizTransactionList", "bizTransaction"),
    ("EQ_source_", "sourceList", "source"),
    ("EQ_destination_", "destinationList", "destination"),
)

PARAMETERS: Final[Mapping[str, str]] = {
    "eventType": "one of these types",
    "GE_eventTime": "happened at this instant or later",
    "LT_eventTime": "happened before this instant",
    "GE_recordTime": "recorded at this instant or later",
    "LT_recordTime": "recorded before this instant",
    "EQ_action": "ADD, OBSERVE, DELETE",
    "EQ_bizStep": "one of these business steps",
    "EQ_disposition": "one of these dispositions",
    "EQ_persistentDisposition_set": "sets one of these persistent dispositions",
    "EQ_persistentDisposition_unset": "unsets one of these persistent dispositions",
    "EQ_readPoint": "one of these read points",
    "WD_readPoint": "one of these read points, or a place in it (the same GLN with an extension)",
    "EQ_bizLocation": "one of these business locations",
    "WD_bizLocation": "one of these business locations, or a place in it (the same GLN with an extension)",
    "EQ_transformationID": "one of these transformations",
    "MATCH_epc": "one of these in epcList or childEPCs",
    "MATCH_parentID": "one of these as parent",
    "MATCH_inputEPC": "one of these in inputEPCList",
    "MATCH_outputEPC": "one of these in outputEPCList",
    "MATCH_anyEPC": "one of these anywhere",
    "MATCH_epcClass": "one of these classes in quantityList or childQuantityList",
    "MATCH_inputEPCClass": "one of these classes in inputQuantityList",
    "MATCH_outputEPCClass": "one of these classes in outputQuantityList",
    "MATCH_anyEPCClass": "one of these classes anywhere",
    "EQ_quantity": "a quantity that is this",
    "GT_quantity": "a quantity above this",
    "GE_quantity": "a quantity of this or more",
    "LT_quantity": "a quantity below this",
    "LE_quantity": "a quantity of this or less",
    "EQ_eventID": "one of these events",
    "EXISTS_errorDeclaration": "true: declarations of error only",
    "GE_errorDeclarationTime": "declared wrong at this instant or later",
    "LT_errorDeclarationTime": "declared wrong before this instant",
    "EQ_errorReason": "declared wrong for one of these reasons",
    "EQ_correctiveEventID": "declared wrong, and one of these is the right one",
    "orderBy": "eventTime or recordTime (default)",
    "orderDirection": "ASC or DESC (default)",
    "eventCountLimit": "the first so many events; needs orderBy",
    "maxEventCount": "refuse (413) when there are more",
}
"""Every parameter with a fixed name, and what an event has to be. See ``PATTERNS`` for the others."""
PATTERNS: Final[Mapping[str, str]] = {
    "EQ_bizTransaction_{type}": "a business transaction of this type (bare or URI), one of these",
    "EQ_source_{type}": "a source of this type, one of these",
    "EQ_destination_{type}": "a destination of this type, one of these",
    "EQ_ILMD_{prefix:name}": "this key of the ilmd is one of these; also GT_, GE_, LT_, LE_",
    "EXISTS_ILMD_{prefix:name}": "the ilmd has this key",
    "EQ_{prefix:name}": "this extension key is one of these; also GT_, GE_, LT_, LE_",
    "EXISTS_{prefix:name}": "the event has this extension key",
}


class QueryParameterWrong(Invalid):
    """The query parameter {name} cannot be used: {problem}."""


class QueryTooComplex(TooMany):
    """The query parameter {name} has {values} elements; at most {values_max} are taken. Ask in parts."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place asked for; ``within``: or one with the same GLN and an extension."""

    uri: str
    within: bool


@dataclass(frozen=True, slots=True)
class EventQuery:
    """What is asked. Of each attribute that is not None or empty, one value has to fit; and all ``tests``."""

    parameters: Mapping[str, Sequence[str]]
    types: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    dispositions: tuple[str, ...] = ()
    event_ids: tuple[str, ...] = ()
    transformation_ids: tuple[str, ...] = ()
    happened_from: datetime | None = None
    happened_before: datetime | None = None
    recorded_from: datetime | None = None
    recorded_before: datetime | None = None
    read_points: tuple[tuple[Place, ...], ...] = ()
    biz_locations: tuple[tuple[Place, ...], ...] = ()
    matches: tuple[Match, ...] = ()
    tests: tuple[Test, ...] = ()
    declarations: bool | None = None
    marks_only: bool = False
    """Only events with a persistent disposition can fit."""
    by_event_time: bool = False
    ascending: bool = False
    count_limit: int | None = None
    count_max: int | None = None


def read_query(parameters: Mapping[str, Sequence[str]]) -> EventQuery:
    """The query that these parameters ask; raises ``QueryParameterWrong`` with the name of what cannot be used.

    The values of a parameter are the elements of its list (``split``).
    """
    for name, values in parameters.items():
        if not values or not all(values):
            raise QueryParameterWrong(name=name, problem="it has an empty value; leave it out, or say what is meant")
        if not all(text.isprintable() for text in (name, *values)):
            raise QueryParameterWrong(name=name[:80], problem="it holds a control character")
        if len(values) > VALUES_MAX:
            raise QueryTooComplex(name=name, values=len(values), values_max=VALUES_MAX)
        if not (name in PARAMETERS or _is_patterned(name)):
            raise QueryParameterWrong(name=name[:80], problem="no such parameter is known here")
    given = _Given(parameters)
    declared = given.one_of("EXISTS_errorDeclaration", ("true", "false"))
    return EventQuery(
        parameters=parameters,
        types=given.all_of("eventType", EVENT_TYPES),
        actions=given.all_of("EQ_action", ACTIONS),
        steps=tuple(bare(word) for word in given.values("EQ_bizStep")),
        dispositions=tuple(bare(word) for word in given.values("EQ_disposition")),
        event_ids=given.values("EQ_eventID"),
        transformation_ids=given.values("EQ_transformationID"),
        happened_from=given.instant("GE_eventTime"),
        happened_before=given.instant("LT_eventTime"),
        recorded_from=given.instant("GE_recordTime"),
        recorded_before=given.instant("LT_recordTime"),
        read_points=given.places("readPoint"),
        biz_locations=given.places("bizLocation"),
        matches=tuple(matching.match_of(name, given.values(name)) for name in parameters if name.startswith("MATCH_")),
        tests=tuple(_tests(given, parameters)),
        # What looks into a declaration finds declarations only, so the index of declarations can be used.
        declarations=True if _looks_into_declarations(parameters) else None if declared is None else declared == "true",
        marks_only=any(name.startswith("EQ_persistentDisposition_") for name in parameters),
        by_event_time=given.one_of("orderBy", _ORDERS) == "eventTime",
        ascending=given.one_of("orderDirection", _DIRECTIONS) == "ASC",
        **_counts(given),
    )


def split(value: str) -> tuple[str, ...]:
    """The elements of a list as it stands in an address."""
    return tuple(value.split("|"))


@dataclass(frozen=True, slots=True)
class _Given:
    """The values given, read as what they have to be."""

    parameters: Mapping[str, Sequence[str]]

    def values(self, name: str) -> tuple[str, ...]:
        return tuple(self.parameters.get(name, ()))

    def single(self, name: str) -> str | None:
        values = self.values(name)
        if len(values) > 1:
            raise QueryParameterWrong(name=name, problem="it takes one value, not a list")
        return values[0] if values else None

    def one_of(self, name: str, allowed: Sequence[str]) -> str | None:
        value = self.single(name)
        return None if value is None else self.all_of(name, allowed)[0]

    def all_of(self, name: str, allowed: Any) -> tuple[str, ...]:
        for value in self.values(name):
            if value not in allowed:
                raise QueryParameterWrong(name=name, problem=f"{value[:60]!r} is none of {', '.join(sorted(allowed))}")
        return self.values(name)

    def instant(self, name: str) -> datetime | None:
        value = self.single(name)
        if value is None:
            return None
        # A "+" that was not escaped in an address arrives as a space; an instant has no other space.
        instant = instant_of(value.replace(" ", "+"))
        if instant is None:
            raise QueryParameterWrong(
                name=name, problem=f"{value[:40]!r} is no instant with an offset, such as 2026-11-20T08:00:00Z"
            )
        return instant

    def number(self, name: str) -> Decimal:
        value = self.single(name) or ""
        try:
            number = Decimal(value)
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite():
            raise QueryParameterWrong(name=name, problem=f"{value[:40]!r} is not a number")
        return number

    def count(self, name: str) -> int | None:
        value = self.single(name)
        if value is None:
            return None
        if not (value.isascii() and value.isdecimal() and len(value) <= 9 and 1 <= int(value) <= COUNT_MAX):
            raise QueryParameterWrong(name=name, problem=f"{value[:20]!r} is not a number from 1 to {COUNT_MAX}")
        return int(value)

    def places(self, field: str) -> tuple[tuple[Place, ...], ...]:
        told = ((self.values(f"{prefix}_{field}"), prefix == "WD") for prefix in ("EQ", "WD"))
        return tuple(tuple(Place(place_uri(uri), within) for uri in uris) for uris, within in told if uris)


def _tests(given: _Given, parameters: Mapping[str, Sequence[str]]) -> list[Test]:
    tests: list[Test] = []
    for name in parameters:
        comparison, _, rest = name.partition("_")
        values = given.values(name)
        entry = next((each for each in _ENTRIES if name.startswith(each[0])), None)
        if entry is not None:
            tests.append(matching.has_entry(entry[1], entry[2], name.removeprefix(entry[0]), values))
        elif name.startswith("EQ_persistentDisposition_"):
            tests.append(matching.has_words(rest.removeprefix("persistentDisposition_"), values))
        elif rest == "quantity":
            tests.append(matching.quantity_is(comparison, given.number(name)))
        elif rest == "errorDeclarationTime":
            tests.append(matching.declares_at(comparison, given.instant(name)))
        elif name == "EQ_errorReason":
            tests.append(matching.declares_reason(values))
        elif name == "EQ_correctiveEventID":
            tests.append(matching.corrected_by(values))
        elif name not in PARAMETERS:
            key, in_ilmd = rest.removeprefix("ILMD_"), rest.startswith("ILMD_")
            if comparison == "EXISTS":
                tests.append(matching.has_field(key, in_ilmd=in_ilmd))
            else:
                tests.append(matching.field_is(key, comparison, values, in_ilmd=in_ilmd))
    return tests


def _counts(given: _Given) -> dict[str, Any]:
    limit, most = given.count("eventCountLimit"), given.count("maxEventCount")
    if limit is not None and most is not None:
        raise QueryParameterWrong(name="eventCountLimit", problem="it excludes maxEventCount; leave one of them out")
    if limit is not None and not given.values("orderBy"):
        raise QueryParameterWrong(name="eventCountLimit", problem="it needs orderBy: the first of what is not said")
    return {"count_limit": limit, "count_max": most}


def _is_patterned(name: str) -> bool:
    if any(name.startswith(prefix) and len(name) > len(prefix) for prefix, _, _ in _ENTRIES):
        return True
    comparison, _, rest = name.partition("_")
    prefix, colon, local = rest.removeprefix("ILMD_").partition(":")
    return comparison in (*COMPARISONS, "EXISTS") and bool(prefix and colon and local)


def _looks_into_declarations(parameters: Mapping[str, Sequence[str]]) -> bool:
    names = ("GE_errorDeclarationTime", "LT_errorDeclarationTime", "EQ_errorReason", "EQ_correctiveEventID")
    return any(name in parameters for name in names)
