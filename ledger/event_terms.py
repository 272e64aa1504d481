"""The parameters of an EPCIS 2.0 query (8.2.7.1, and the REST bindings), read. Pure.

A list stands in one parameter, its elements parted by ``|``; one of them has to fit. All parameters have to fit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from ledger import event_fields as fields
from ledger import event_matching as matching
from ledger.epcis.checks import instant_of
from ledger.epcis.identifiers import place_uri
from ledger.epcis.words import ACTIONS, EVENT_TYPES, bare, local_name
from ledger.event_matching import Match, Test
from ledger.event_parameters import PARAMETERS
from runtime.refusals import Invalid, TooMany

VALUES_MAX: Final = 1_000
"""Most elements of one list."""
COUNT_MAX: Final = 1_000_000
"""The largest eventCountLimit and maxEventCount."""

_ORDERS: Final = ("eventTime", "recordTime")
_DIRECTIONS: Final = ("ASC", "DESC")
_ENTRIES: Final = (
    ("EQ_bizTransaction_", "bizTransactionList", "bizTransaction"),
    ("EQ_source_", "sourceList", "source"),
    ("EQ_destination_", "destinationList", "destination"),
)
_SENSOR_TIMES: Final = ("time", "startTime", "endTime")
_SENSOR_WORDS: Final = (
    "type", "deviceID", "dataProcessingMethod", "microorganism", "chemicalSubstance", "bizRules",
    "coordinateReferenceSystem", "stringValue", "booleanValue", "hexBinaryValue", "uriValue",
)  # fmt: skip
_ATTRIBUTES: Final[Mapping[str, str]] = {
    "name": "name", "streetAddressOne": "address", "streetAddress": "address", "city": "city", "state": "region",
    "region": "region", "countryCode": "country", "owning_party": "owner",
}  # fmt: skip
# The JSON schema of queries writes these where the texts of the standard have the others.
_ALSO_WRITTEN: Final[Mapping[str, str]] = {
    "GE_errorDeclaration_Time": "GE_errorDeclarationTime",
    "LT_errorDeclaration_Time": "LT_errorDeclarationTime",
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
class Attribute:
    """Master data asked for: a place of which ``column`` is one of ``values`` (None = is told at all)."""

    column: str
    values: tuple[str, ...] | None


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
    read_point_attributes: tuple[tuple[Attribute, ...], ...] = ()
    biz_location_attributes: tuple[tuple[Attribute, ...], ...] = ()
    """Of each group of attributes one has to fit."""
    matches: tuple[Match, ...] = ()
    tests: tuple[Test, ...] = ()
    declarations: bool | None = None
    marks_only: bool = False
    """Only events with a persistent disposition can fit."""
    sensors: bool | None = None
    """True: only events with sensor data can fit; False: only events without."""
    by_event_time: bool = False
    ascending: bool = False
    count_limit: int | None = None
    count_max: int | None = None


def read_query(parameters: Mapping[str, Sequence[str]]) -> EventQuery:
    """The query that these parameters ask; raises ``QueryParameterWrong`` with the name of what cannot be used.

    The values of a parameter are the elements of its list (``split``).
    """
    parameters = {_ALSO_WRITTEN.get(name, name): _existing(name, values) for name, values in parameters.items()}
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
    declared = given.truth("EXISTS_errorDeclaration")
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
        declarations=True if _looks_into_declarations(parameters) else declared,
        marks_only=any(name.startswith("EQ_persistentDisposition_") for name in parameters),
        read_point_attributes=given.attributes("readPoint"),
        biz_location_attributes=given.attributes("bizLocation"),
        sensors=True if _looks_into_sensors(parameters) else given.truth("EXISTS_sensorElementList"),
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

    def truth(self, name: str) -> bool | None:
        value = self.one_of(name, ("true", "false"))
        return None if value is None else value == "true"

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

    def numbers(self, name: str) -> tuple[Decimal, ...]:
        """One number; of EQ several."""
        return tuple(_number(name, value) for value in self.values(name) if name.startswith("EQ_") or self.single(name))

    def count(self, name: str) -> int | None:
        value = self.single(name)
        if value is None:
            return None
        if not (value.isascii() and value.isdecimal() and len(value) <= 9 and 1 <= int(value) <= COUNT_MAX):
            raise QueryParameterWrong(name=name, problem=f"{value[:20]!r} is not a number from 1 to {COUNT_MAX}")
        return int(value)

    def attributes(self, field: str) -> tuple[tuple[Attribute, ...], ...]:
        names = self.values(f"HASATTR_{field}")
        groups = [tuple(Attribute(_column(f"HASATTR_{field}", name), None) for name in names)] if names else []
        start = f"EQATTR_{field}_"
        for parameter in self.parameters:
            if parameter.startswith(start):
                column = _column(parameter, parameter.removeprefix(start))
                groups.append((Attribute(column, self.values(parameter)),))
        return tuple(groups)

    def places(self, field: str) -> tuple[tuple[Place, ...], ...]:
        told = ((self.values(f"{prefix}_{field}"), prefix == "WD") for prefix in ("EQ", "WD"))
        return tuple(tuple(Place(place_uri(uri), within) for uri in uris) for uris, within in told if uris)


def _tests(given: _Given, parameters: Mapping[str, Sequence[str]]) -> list[Test]:
    return [test for name in parameters if (test := _test(given, name)) is not None]


def _test(given: _Given, name: str) -> Test | None:
    """What no column says; None for the parameters that are looked up."""
    comparison, _, rest = name.partition("_")
    values = given.values(name)
    entry = next((each for each in _ENTRIES if name.startswith(each[0])), None)
    if entry is not None:
        return matching.has_entry(entry[1], entry[2], name.removeprefix(entry[0]), values)
    if name.startswith("EQ_persistentDisposition_"):
        return matching.has_words(rest.removeprefix("persistentDisposition_"), values)
    if rest == "quantity":
        return matching.quantity_is(comparison, given.numbers(name))
    if rest == "percRank":
        return fields.reports_number(comparison, rest, given.numbers(name))
    if rest in _SENSOR_TIMES:
        return fields.measured_at(comparison, rest, given.instant(name))
    if comparison == "EQ" and rest in _SENSOR_WORDS:
        return fields.senses(rest, given.all_of(name, ("true", "false")) if rest == "booleanValue" else values)
    if rest == "errorDeclarationTime":
        return matching.declares_at(comparison, given.instant(name))
    if name == "EQ_errorReason":
        return matching.declares_reason(values)
    if name == "EQ_correctiveEventID":
        return matching.corrected_by(values)
    return None if name in PARAMETERS else _patterned(given, name)


def _patterned(given: _Given, name: str) -> Test | None:
    measure = fields.measure_of(name)
    if measure is not None:
        return fields.measure_is(measure, given.numbers(name))
    field = fields.field_of(name)
    if field is None:
        return None
    if field.comparison != "EXISTS":
        return fields.field_is(field, given.values(name))
    there = fields.has_field(field)
    return there if given.truth(name) else lambda body: not there(body)


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
    if re.fullmatch("EQATTR_(readPoint|bizLocation)_.+", name):
        return True
    return fields.measure_of(name) is not None or fields.field_of(name) is not None


def _existing(name: str, values: Sequence[str]) -> Sequence[str]:
    """EXISTS asks by its name alone: no value, or a number, is true (the standard's void)."""
    plain = name.startswith("EXISTS_") and list(values) in ([""], ["1"])
    return ("true",) if plain else values


def _column(name: str, attribute: str) -> str:
    column = _ATTRIBUTES.get(local_name(attribute))
    if column is None:
        kept = ", ".join(sorted(_ATTRIBUTES))
        raise QueryParameterWrong(name=name, problem=f"of a place, {attribute[:60]!r} is not kept; {kept} are")
    return column


def _number(name: str, value: str) -> Decimal:
    try:
        number = Decimal(value)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise QueryParameterWrong(name=name, problem=f"{value[:40]!r} is not a number")
    return number


def _looks_into_declarations(parameters: Mapping[str, Sequence[str]]) -> bool:
    names = ("GE_errorDeclarationTime", "LT_errorDeclarationTime", "EQ_errorReason", "EQ_correctiveEventID")
    return any(name in parameters for name in names)


def _looks_into_sensors(parameters: Mapping[str, Sequence[str]]) -> bool:
    words = (*_SENSOR_TIMES, *_SENSOR_WORDS, "percRank")
    return any(name.partition("_")[2] in words for name in parameters)
