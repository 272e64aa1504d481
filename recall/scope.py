"""What a case names itself: lines that are included, lines that are taken out again with a reason. Pure.

A scope is what an author said, and is kept with every version; what follows from it is the affected set. Areas are what
lines resolve to: lots, whole or by runs of numbers, with union and subtraction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from ledger.intervals import merged as merged_runs
from ledger.intervals import overlaps
from recall.intervals import Runs, subtract
from runtime.clock import rfc3339

LINES_MAX: Final = 10_000
"""Most lines of one scope; a longer list of items is a lot, a range or a window."""
DEPTH_MAX: Final = 8
"""How deep named parts may lie in each other."""
COMPARISONS: Final = ("<", "<=", "=", ">=", ">")


@dataclass(frozen=True, slots=True)
class LotLine:
    """A whole lot. ``widened_from`` tells the serial of the item whose lot was meant."""

    gtin: str
    lot: str
    widened_from: str | None = None


@dataclass(frozen=True, slots=True)
class ItemLine:
    """One item; ``number`` is its place in the ledger's numbers, found when the case was opened."""

    gtin: str
    serial: str
    number: int


@dataclass(frozen=True, slots=True)
class RangeLine:
    """The items of a product from the number of one label to the number of another, both included."""

    gtin: str
    first_serial: str
    last_serial: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class UnitLine:
    """What is in a logistic unit now, and what was in it when it was shipped, to any depth."""

    sscc: str


@dataclass(frozen=True, slots=True)
class ProductLine:
    """Every lot of a product that is on record when the affected set is worked out."""

    gtin: str


@dataclass(frozen=True, slots=True)
class WindowLine:
    """What a line put out, or what was at a place, in ``[from_at, until_at)``. Both instants are aware."""

    from_at: datetime
    until_at: datetime
    place_uri: str | None = None
    line: str | None = None


@dataclass(frozen=True, slots=True)
class SupplierLine:
    """Every lot that we have from a party, by master data or by shipment; of one product when ``gtin`` says so."""

    party_uri: str
    gtin: str | None = None


@dataclass(frozen=True, slots=True)
class OperationLine:
    """What operations made of which all these facts are told; at least one of them is.

    ``parameter`` ``comparison`` ``limit`` is a test of one process parameter, such as ``held_s < 15``. The instants are
    aware; the window is ``[from_at, until_at)``, open where one is missing.
    """

    line: str | None = None
    team: str | None = None
    operator: str | None = None
    equipment: str | None = None
    place_uri: str | None = None
    from_at: datetime | None = None
    until_at: datetime | None = None
    parameter: str | None = None
    comparison: str | None = None
    limit: str | None = None


class Rule(StrEnum):
    """How a named part is made of its parts: in any of them, in all of them, or in the first and in no other."""

    ANY = "any"
    ALL = "all"
    BUT = "but"


@dataclass(frozen=True, slots=True)
class PartLine:
    """A named part of a scope: lines put together by a rule of sets. Parts may hold parts (``DEPTH_MAX``)."""

    name: str
    rule: Rule
    parts: tuple[ScopeLine, ...]


ScopeLine = (
    LotLine | ItemLine | RangeLine | UnitLine | ProductLine | WindowLine | SupplierLine | OperationLine | PartLine
)

_KINDS: Final[dict[str, type[Any]]] = {
    "lot": LotLine,
    "item": ItemLine,
    "range": RangeLine,
    "logistic_unit": UnitLine,
    "product": ProductLine,
    "window": WindowLine,
    "supplier": SupplierLine,
    "operation": OperationLine,
    "part": PartLine,
}
_NAMES: Final = {kind: name for name, kind in _KINDS.items()}


@dataclass(frozen=True, slots=True)
class Exclusion:
    """What is taken out again, why, and by whose agreement."""

    line: ScopeLine
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class Scope:
    """``include_possible`` adds the lots that are reached only when the order of events in time is not believed."""

    include: tuple[ScopeLine, ...]
    exclude: tuple[Exclusion, ...] = ()
    include_possible: bool = False

    def widened(self, lines: Iterable[ScopeLine]) -> Scope:
        """With these lines too. An exclusion of the very same line is taken back: the newest word counts."""
        added = tuple(lines)
        kept = tuple(exclusion for exclusion in self.exclude if exclusion.line not in added)
        return replace(self, include=_distinct((*self.include, *added)), exclude=kept)

    def narrowed(self, exclusions: Iterable[Exclusion]) -> Scope:
        """Without these."""
        return replace(self, exclude=(*self.exclude, *exclusions))


def describe(line: ScopeLine) -> str:
    """A line as a person would say it."""
    match line:
        case LotLine():
            return f"lot {line.lot} of {line.gtin}"
        case ItemLine():
            return f"item {line.serial} of {line.gtin}"
        case RangeLine():
            return f"items {line.first_serial} to {line.last_serial} of {line.gtin}"
        case UnitLine():
            return f"logistic unit {line.sscc}"
        case ProductLine():
            return f"all lots of {line.gtin}"
        case WindowLine():
            where = " ".join(part for part in (line.line and f"line {line.line}", line.place_uri) if part)
            return f"{where} from {rfc3339(line.from_at)} until {rfc3339(line.until_at)}"
        case SupplierLine():
            return f"all lots from supplier {line.party_uri}" + (f" of {line.gtin}" if line.gtin else "")
        case OperationLine():
            return "made by " + ", ".join(_told_facts(line))
        case PartLine():
            return f"{line.name} ({_RULE_WORDS[line.rule].join(map(describe, line.parts))})"


_RULE_WORDS: Final = {Rule.ANY: " or ", Rule.ALL: " and ", Rule.BUT: " but not "}


def _told_facts(line: OperationLine) -> Iterator[str]:
    for name in ("line", "team", "operator", "equipment"):
        value = getattr(line, name)
        if value is not None:
            yield f"{name} {value}"
    if line.parameter is not None:
        yield f"{line.parameter} {line.comparison} {line.limit}"
    if line.place_uri is not None:
        yield f"at {line.place_uri}"
    if line.from_at is not None:
        yield f"from {rfc3339(line.from_at)}"
    if line.until_at is not None:
        yield f"until {rfc3339(line.until_at)}"


def line_as_json(line: ScopeLine) -> dict[str, Any]:
    """A line for storing and hashing; instants in RFC 3339."""
    if isinstance(line, PartLine):
        return {"kind": "part", "name": line.name, "rule": line.rule.value, "parts": [*map(line_as_json, line.parts)]}
    values = {name: _plain(value) for name, value in asdict(line).items() if value is not None}
    return {"kind": _NAMES[type(line)], **values}


def as_json(scope: Scope) -> dict[str, Any]:
    """The scope for storing and hashing; ``from_json`` gives an equal one."""
    return {
        "include": [line_as_json(line) for line in scope.include],
        "exclude": [{**line_as_json(x.line), "reason": x.reason, "by": x.by} for x in scope.exclude],
        "include_possible": scope.include_possible,
    }


def from_json(value: Mapping[str, Any]) -> Scope:
    """The scope that ``as_json`` wrote."""
    return Scope(
        tuple(line_of_json(entry) for entry in value["include"]),
        tuple(Exclusion(line_of_json(entry), entry["reason"], entry["by"]) for entry in value["exclude"]),
        value["include_possible"],
    )


@dataclass(frozen=True, slots=True)
class Cover:
    """How much of a lot: all of it (``whole``, with no runs), or the numbers in ``runs``."""

    whole: bool
    runs: Runs = ()

    @property
    def is_empty(self) -> bool:
        return not self.whole and not self.runs


WHOLE: Final = Cover(whole=True)

Area = Mapping[int, Cover]
"""By lot_id; a lot that is not in it is not covered at all."""


def area_of_runs(runs: Iterable[tuple[int, int, int]]) -> Area:
    """From (lot_id, lo, n)."""
    by_lot: dict[int, list[tuple[int, int]]] = {}
    for lot_id, lo, n in runs:
        by_lot.setdefault(lot_id, []).append((lo, n))
    return {lot_id: Cover(whole=False, runs=merged_runs(found)) for lot_id, found in by_lot.items()}


def merged(areas: Iterable[Area]) -> Area:
    """What is in any of them."""
    result: dict[int, Cover] = {}
    for area in areas:
        for lot_id, cover in area.items():
            result[lot_id] = _either(result.get(lot_id), cover)
    return result


def without(area: Area, removed: Area, numbers: Mapping[int, Runs]) -> Area:
    """What is left of ``area``. ``numbers`` has all numbers of each lot that is whole and loses only some of them."""
    return {
        lot_id: left for lot_id, cover in area.items() if not (left := _left(lot_id, cover, removed, numbers)).is_empty
    }


def shared(a: Area, b: Area) -> Area:
    """What is in both."""
    both = {lot_id: _in_both(a[lot_id], b[lot_id]) for lot_id in a.keys() & b.keys()}
    return {lot_id: cover for lot_id, cover in both.items() if not cover.is_empty}


def more(area: Area, than: Area) -> Area:
    """What of ``area`` is not in ``than``; of a lot that was there in part and is whole now, all of it."""
    found: dict[int, Cover] = {}
    for lot_id, cover in area.items():
        old = than.get(lot_id)
        if old is None or (cover.whole and not old.whole):
            found[lot_id] = WHOLE if cover.whole else cover
        elif not old.whole and (left := subtract(cover.runs, old.runs)):
            found[lot_id] = Cover(whole=False, runs=left)
    return found


def meet(a: Area, b: Area) -> bool:
    """Whether the two have anything in common."""
    return any(_both(a[lot_id], b[lot_id]) for lot_id in a.keys() & b.keys())


def broken_lots(area: Area, removed: Area) -> frozenset[int]:
    """The whole lots that would lose single items: their numbers have to be known first."""
    return frozenset(
        lot_id for lot_id, cover in removed.items() if not cover.whole and lot_id in area and area[lot_id].whole
    )


def _either(a: Cover | None, b: Cover) -> Cover:
    if a is None:
        return b
    if a.whole or b.whole:
        return WHOLE
    return Cover(whole=False, runs=merged_runs((*a.runs, *b.runs)))


def _in_both(a: Cover, b: Cover) -> Cover:
    if a.whole or b.whole:
        return b if a.whole else a
    return Cover(whole=False, runs=subtract(a.runs, subtract(a.runs, b.runs)))


def _both(a: Cover, b: Cover) -> bool:
    if a.whole or b.whole:
        return not a.is_empty and not b.is_empty
    return any(overlaps(a.runs, lo, n) for lo, n in b.runs)


def _left(lot_id: int, cover: Cover, removed: Area, numbers: Mapping[int, Runs]) -> Cover:
    gone = removed.get(lot_id)
    if gone is None:
        return cover
    if gone.whole:
        return Cover(whole=False)
    return Cover(whole=False, runs=subtract(numbers[lot_id] if cover.whole else cover.runs, gone.runs))


def _distinct(lines: Iterable[ScopeLine]) -> tuple[ScopeLine, ...]:
    return tuple(dict.fromkeys(lines))


def line_of_json(entry: Mapping[str, Any]) -> ScopeLine:
    """The line that ``line_as_json`` wrote."""
    if entry["kind"] == "part":
        return PartLine(entry["name"], Rule(entry["rule"]), tuple(map(line_of_json, entry["parts"])))
    kind = _KINDS[entry["kind"]]
    values: dict[str, Any] = {name: entry.get(name) for name in kind.__dataclass_fields__}
    for name in ("from_at", "until_at"):
        if values.get(name) is not None:
            values[name] = datetime.fromisoformat(values[name])
    line: ScopeLine = kind(**values)
    return line


def _plain(value: object) -> object:
    return rfc3339(value) if isinstance(value, datetime) else value
