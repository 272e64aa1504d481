"""What a reading says, held against its point: codes read, roles given, counts, parameters and limits. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Final

from gs1 import scan_data
from gs1.errors import GS1Error
from gs1.identifier import Granularity, Identifier
from ledger.capture_points_event import Read
from ledger.capture_points_model import HAS_PARENT, Alarm, Definition, Parameter, Reading, Reads, Role, Thing, Value
from ledger.capture_points_refusals import Problem
from ledger.unit_signs import sign_of

CODE_SHOWN_MAX: Final = 80
"""Characters of a code that are shown in a reason."""
TEXT_CHARACTERS_MAX: Final = 500
"""Characters of a parameter that is a text."""

_YES_NO: Final[Mapping[str, bool]] = {"yes": True, "true": True, "no": False, "false": False}
_ROLES: Final[tuple[Role, ...]] = ("parent", "thing", "output")


def read_things(definition: Definition, reading: Reading) -> tuple[list[Read], list[Problem]]:
    """The codes of a reading in their roles, and all that is wrong with them as they stand."""
    problems: list[Problem] = []
    things: list[Read] = []
    seen: set[str] = set()
    for index, (thing, role) in enumerate(_with_roles(definition, reading.things)):
        where = f"/things/{index}"
        reads = None if role is None else definition.reads(role)
        if role is None or reads is None:
            shown = {"code": shown_code(thing.code), "role": role}
            problems.append(Problem("no_role" if role is None else "role_not_here", where, shown))
            continue
        found = _read(thing, role, reads, where, problems)
        if found is None:
            continue
        if found.uri in seen:
            same_parent = any(other.role == "parent" and other.uri == found.uri for other in things)
            key = "inside_itself" if same_parent or role == "parent" else "twice"
            problems.append(Problem(key, where, {"code": found.code}))
        seen.add(found.uri)
        things.append(found)
    return things, problems + _counts(definition, reading, things) + _lots(definition, things)


def read_parameters(definition: Definition, reading: Reading) -> tuple[dict[str, Value], list[Alarm], list[Problem]]:
    """The parameters by name, those outside their limits, and what is wrong with the others."""
    problems = [
        Problem("parameter_unknown", f"/parameters/{name}", {"name": name})
        for name in sorted(reading.parameters.keys() - {parameter.name for parameter in definition.parameters})
    ]
    values: dict[str, Value] = {}
    alarms: list[Alarm] = []
    for parameter in definition.parameters:
        told = reading.parameters.get(parameter.name)
        where = f"/parameters/{parameter.name}"
        if told is None or told == "":
            if parameter.required:
                problems.append(Problem("parameter_missing", where, {"label": parameter.label.en, **_named(parameter)}))
            continue
        value = _value(parameter, told)
        if value is None:
            expected = {"label": parameter.label.en, "value": told, "expected": _expected(parameter)}
            problems.append(Problem("parameter_wrong", where, {**expected, **_named(parameter)}))
            continue
        values[parameter.name] = value
        if isinstance(value, Decimal) and _is_outside(parameter, value):
            alarms.append(Alarm(parameter.name, value, parameter.min, parameter.max))
    return values, alarms, problems


def refused_alarms(definition: Definition, alarms: Sequence[Alarm]) -> list[Problem]:
    """The alarms as problems, for a point that refuses what is outside its limits."""
    by_name = {parameter.name: parameter for parameter in definition.parameters}
    return [
        Problem(
            "outside_limits",
            f"/parameters/{alarm.parameter}",
            {
                "label": by_name[alarm.parameter].label.en,
                "value": alarm.value,
                "limits": limits_of(by_name[alarm.parameter]),
                **_named(by_name[alarm.parameter]),
            },
        )
        for alarm in alarms
    ]


def limits_of(parameter: Parameter) -> str:
    """``2 – 6 °C``, ``≥ 2``, ``≤ 6``, or nothing."""
    low, high = parameter.min, parameter.max
    if low is not None and high is not None:
        text = f"{low} – {high}"
    elif low is not None:
        text = f"≥ {low}"
    else:
        text = "" if high is None else f"≤ {high}"
    return f"{text} {sign_of(parameter.uom)}" if text and parameter.uom else text


def shown_code(code: str) -> str:
    """A code as a person can read it: what the scanner sent without its control characters, cut when it is long."""
    text = "".join(c if c.isprintable() else " " for c in code).strip()
    return text if len(text) <= CODE_SHOWN_MAX else f"{text[: CODE_SHOWN_MAX - 1]}…"


def kinds_of(identifier: Identifier) -> frozenset[str]:
    """What the thing may be: an SSCC does not say whether it is a case or a pallet; a serialized case is an item."""
    return {
        Granularity.ITEM: frozenset({"item", "case"}),
        Granularity.LOT: frozenset({"lot"}),
        Granularity.LOGISTIC_UNIT: frozenset({"case", "pallet"}),
    }.get(identifier.granularity, frozenset())


def _with_roles(definition: Definition, things: Sequence[Thing]) -> list[tuple[Thing, Role | None]]:
    """Each thing with its role: the one told, else the one that its place in the row says; None when neither does."""
    work = definition.work
    told_parent = any(thing.role == "parent" for thing in things)
    at = (0 if definition.parent_first else len(things) - 1) if work in HAS_PARENT and not told_parent else None
    given: list[tuple[Thing, Role | None]] = []
    for index, thing in enumerate(things):
        assumed: Role | None = "parent" if index == at else None if work == "transform" else "thing"
        given.append((thing, thing.role or assumed))
    return given


def _read(thing: Thing, role: Role, reads: Reads, where: str, problems: list[Problem]) -> Read | None:
    code = shown_code(thing.code)
    try:
        identifier = scan_data.read(thing.code)
    except GS1Error:
        problems.append(Problem("unreadable", where, {"code": code}))
        return None
    if not kinds_of(identifier) & frozenset(reads.kinds):
        problems.append(Problem("wrong_kind", where, {"code": code, "kinds": ", ".join(reads.kinds)}))
        return None
    is_lot = identifier.granularity is Granularity.LOT
    if is_lot and thing.quantity is None:
        problems.append(Problem("quantity_missing", where, {"code": code}))
    elif not is_lot and thing.quantity is not None:
        problems.append(Problem("quantity_not_asked", where, {"code": code}))
    elif is_lot and thing.uom not in (None, reads.uom):
        values = {"code": code, "uom": sign_of(thing.uom), "expected": sign_of(reads.uom) or "pieces"}
        problems.append(Problem("wrong_unit", where, values))
    return Read(where, code, role, identifier, thing.quantity, reads.uom if is_lot else None)


def _counts(definition: Definition, reading: Reading, things: Sequence[Read]) -> list[Problem]:
    problems = []
    for role in _ROLES:
        reads = definition.reads(role)
        count = sum(1 for _thing, each in _with_roles(definition, reading.things) if each == role)
        if reads is None:
            continue
        if role == "parent" and count > 1:
            problems.append(Problem("parent_twice", "/things"))
        elif count > reads.max:
            problems.append(Problem("too_many", "/things", {"count": count, "max": reads.max, "role": role}))
        elif count < reads.min:
            problems.append(Problem("too_few", "/things", {"count": count, "min": reads.min, "role": role}))
    return problems


def _lots(definition: Definition, things: Sequence[Read]) -> list[Problem]:
    """Items that are made together are of one lot, because the event says the lot once."""
    role = {"commission": "thing", "transform": "output"}.get(definition.work)
    items = [thing.identifier for thing in things if thing.role == role and not thing.is_lot]
    lots = sorted({item.lot for item in items if item.lot is not None})
    return [Problem("lots_differ", "/things", {"lots": ", ".join(lots)})] if len(lots) > 1 else []


def _value(parameter: Parameter, told: Value) -> Value | None:
    """The value in its type; None when it is not of it."""
    if parameter.type == "yes_no":
        return told if isinstance(told, bool) else _YES_NO.get(str(told).strip().lower())
    if parameter.type == "number":
        return None if isinstance(told, bool) else _decimal(str(told))
    text = str(told).strip()
    if isinstance(told, bool) or not text or len(text) > TEXT_CHARACTERS_MAX:
        return None
    return text if parameter.type == "text" or text in parameter.choices else None


def _decimal(text: str) -> Decimal | None:
    try:
        value = Decimal(text.strip().replace(",", "."))
    except InvalidOperation:
        return None
    return value if value.is_finite() and abs(value) < Decimal(10) ** 12 else None


def _is_outside(parameter: Parameter, value: Decimal) -> bool:
    below = parameter.min is not None and value < parameter.min
    return below or (parameter.max is not None and value > parameter.max)


def _expected(parameter: Parameter) -> str:
    return {
        "number": "a number",
        "yes_no": "yes or no",
        "text": f"a text of at most {TEXT_CHARACTERS_MAX} characters",
        "choice": ", ".join(parameter.choices),
    }[parameter.type]


def _named(parameter: Parameter) -> dict[str, str]:
    return {"label_zh": parameter.label.zh}
