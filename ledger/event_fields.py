"""What an event says in keys of somebody's own, and in sensor data: where a parameter looks, and whether it fits. Pure.

A key is known by its prefix and name as it was told (``dairy:vat``), or by its namespace and name
(``https://ns.example.com/dairy#vat``) where the event has the full name, or a context that gives the prefix.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any, Final

from ledger.epcis.checks import instant_of
from ledger.event_matching import COMPARISONS, QUANTITIES, Test

Compare = Callable[[Any, Any], bool]

_SECTIONS: Final = (
    "ILMD", "ERROR_DECLARATION", "SENSORELEMENT", "SENSORMETADATA", "SENSORREPORT", "readPoint", "bizLocation",
)  # fmt: skip
_FIELD: Final = re.compile(
    rf"(?P<comparison>EQ|GT|GE|LT|LE|EXISTS)_(?P<inner>INNER_)?(?:(?P<section>{'|'.join(_SECTIONS)})_)?(?P<key>[^:]+:.+)"
)
_MEASURE: Final = re.compile(
    r"(?P<comparison>EQ|GT|GE|LT|LE)_(?P<key>value|minValue|maxValue|meanValue|sDev|percValue|quantity)_(?P<uom>[A-Z0-9]{2,4})"
)
_MEASUREMENT: Final = re.compile(r"(?:gs1:|https?://(?:www\.|ref\.)?gs1\.org/voc/)(?:MeasurementType-)?([A-Za-z]+)")
_OF_METADATA: Final = ("deviceID", "dataProcessingMethod", "bizRules", "time", "startTime", "endTime")


@dataclass(frozen=True, slots=True)
class Field:
    """One key: in which part of the event it stands (``""`` = the event itself), and whether deeper inside."""

    comparison: str
    section: str
    key: str
    inner: bool


@dataclass(frozen=True, slots=True)
class Measure:
    """A number in a unit."""

    comparison: str
    key: str
    uom: str


def field_of(name: str) -> Field | None:
    """The key that a parameter asks for; None when its name is not of that kind."""
    found = _FIELD.fullmatch(name)
    if found is None:
        return None
    return Field(found["comparison"], found["section"] or "", found["key"], found["inner"] is not None)


def measure_of(name: str) -> Measure | None:
    """The number that a parameter asks for; None when its name is not of that kind."""
    found = _MEASURE.fullmatch(name)
    return None if found is None else Measure(found["comparison"], found["key"], found["uom"])


def has_field(field: Field) -> Test:
    """Whether the key stands there."""
    return lambda body: any(True for _ in _values(body, field))


def field_is(field: Field, values: Collection[str]) -> Test:
    """Whether the key has one of these values, or compares so with one of them.

    Numbers are compared as numbers, instants as instants, other texts as texts for EQ only.
    """
    compare = COMPARISONS[field.comparison]

    def test(body: Mapping[str, Any]) -> bool:
        told = (one for value in _values(body, field) for one in _scalars(value))
        return any(_compares(compare, one, value) for one in told for value in values)

    return test


def measure_is(measure: Measure, amounts: Collection[Decimal]) -> Test:
    """Whether a quantity, or a sensor report, has this number in this very unit; units are not converted."""
    compare = COMPARISONS[measure.comparison]

    def test(body: Mapping[str, Any]) -> bool:
        found = _quantities(body) if measure.key == "quantity" else _parts(body, "SENSORREPORT")
        return any(
            part.get("uom") == measure.uom
            and measure.key in part
            and any(compare(Decimal(str(part[measure.key])), amount) for amount in amounts)
            for part in found
        )

    return test


def reports_number(comparison: str, key: str, amounts: Collection[Decimal]) -> Test:
    """Whether a sensor report has this number (a percentile rank: it has no unit)."""
    compare = COMPARISONS[comparison]
    return lambda body: any(
        key in part and any(compare(Decimal(str(part[key])), amount) for amount in amounts)
        for part in _parts(body, "SENSORREPORT")
    )


def measured_at(comparison: str, key: str, instant: Any) -> Test:
    """``time``, ``startTime``, ``endTime``: whether sensor data tell one that compares so."""
    compare = COMPARISONS[comparison]

    def test(body: Mapping[str, Any]) -> bool:
        told = (instant_of(value) for value in _sensor_values(body, key) if isinstance(value, str))
        return any(at is not None and compare(at, instant) for at in told)

    return test


def senses(key: str, values: Collection[str]) -> Test:
    """Whether sensor data have one of these values under ``key``."""
    wanted = {_sensor_word(key, value) for value in values}

    def test(body: Mapping[str, Any]) -> bool:
        told = (one for value in _sensor_values(body, key) for one in _scalars(value))
        return any(_sensor_word(key, one) in wanted for one in told)

    return test


def _sensor_word(key: str, value: str) -> str:
    if key == "type":
        found = _MEASUREMENT.fullmatch(value)
        return found[1] if found else value
    return value.lower() if key == "hexBinaryValue" else value


def _sensor_values(body: Mapping[str, Any], key: str) -> Iterator[Any]:
    for part in _parts(body, "SENSORREPORT"):
        if key in part:
            yield part[key]
    if key in _OF_METADATA:
        for part in _parts(body, "SENSORMETADATA"):
            if key in part:
                yield part[key]


def _quantities(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for name in QUANTITIES:
        yield from body.get(name, ())


def _values(body: Mapping[str, Any], field: Field) -> Iterator[Any]:
    keys = _told_as(field.key, body)
    for part in _parts(body, field.section):
        for mapping in _inside(part) if field.inner else (part,):
            for key in keys:
                if key in mapping:
                    yield mapping[key]


def _told_as(key: str, body: Mapping[str, Any]) -> Sequence[str]:
    """The key, and the forms that the event's own context gives it."""
    contexts = body.get("@context", ())
    forms = [key]
    for context in contexts if isinstance(contexts, list) else [contexts]:
        if isinstance(context, Mapping):
            forms += [
                f"{prefix}:{key.removeprefix(namespace)}"
                for prefix, namespace in context.items()
                if isinstance(namespace, str) and key.startswith(namespace) and key != namespace
            ]
    return forms


def _elements(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from (element for element in body.get("sensorElementList", ()) if isinstance(element, Mapping))


def _one(key: str) -> Callable[[Mapping[str, Any]], Iterator[Mapping[str, Any]]]:
    return lambda body: iter([body[key]] if isinstance(body.get(key), Mapping) else [])


_PARTS: Final[Mapping[str, Callable[[Mapping[str, Any]], Iterator[Mapping[str, Any]]]]] = MappingProxyType(
    {
        "": lambda body: iter([body]),
        "ILMD": _one("ilmd"),
        "ERROR_DECLARATION": _one("errorDeclaration"),
        "readPoint": _one("readPoint"),
        "bizLocation": _one("bizLocation"),
        "SENSORELEMENT": _elements,
        "SENSORMETADATA": lambda body: (
            element["sensorMetadata"] for element in _elements(body) if "sensorMetadata" in element
        ),
        "SENSORREPORT": lambda body: (
            report for element in _elements(body) for report in element.get("sensorReport", ())
        ),
    }
)


def _parts(body: Mapping[str, Any], section: str) -> Iterator[Mapping[str, Any]]:
    return _PARTS[section](body)


def _inside(part: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every object inside the extensions of this one, at any depth; without recursion, because depth is not ours."""
    waiting = [value for key, value in part.items() if ":" in key]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Mapping):
            yield value
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def _scalars(told: Any) -> Iterator[str]:
    waiting = [told]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, Mapping):
            waiting.append(value.get("@value", value.get("#text")))
        elif value is not None:
            yield str(value).lower() if isinstance(value, bool) else str(value)


def _compares(compare: Compare, told: str, value: str) -> bool:
    if compare is COMPARISONS["EQ"] and told == value:
        return True
    try:
        return compare(Decimal(told), Decimal(value))
    except InvalidOperation:
        first, second = instant_of(told), instant_of(value)
        return first is not None and second is not None and compare(first, second)
