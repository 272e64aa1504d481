"""The walk over lots and operations that a closure is made of: one statement, then again from lots taken whole."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from pathlib import Path
from typing import Final, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from ledger.closure import ClosureTooLarge, Start
from ledger.intervals import Run
from ledger.statements import named_statements

STATES_PER_LOT_MAX: Final = 8
"""Most (lot or operation, instant, part) states per lot allowed: beyond it the walk is stopped and refused."""
STATES_SPARE: Final = 10_000

SQL: Final = named_statements(Path(__file__).with_name("genealogy.sql"))

Precedes = Callable[[datetime | None, datetime | None], bool]
Key = tuple[int, bool]
"""Of a part: lot and certainty; of an operation: operation and certainty."""


class PartRun(NamedTuple):
    """Numbers [lo, lo + n) of a lot from (or until) an instant; ``made``: by an operation, not named by a start."""

    lo: int
    n: int
    at: datetime | None
    made: bool


_by_lo = attrgetter("lo")


@dataclass(slots=True)
class Part:
    """What is known of a lot with one degree of certainty, while the closure is being made."""

    at: datetime | None
    via: int | None
    whole: bool
    whole_at: datetime | None
    runs: list[PartRun]
    ordered: list[PartRun] | None = None
    longest: int = 0

    def add(self, other: Part, precedes: Precedes) -> None:
        if other.whole:
            self.take_whole(other.whole_at, precedes)
        self.runs.extend(other.runs)
        if precedes(other.at, self.at):
            self.at, self.via = other.at, other.via

    def meeting(self, lo: int, n: int) -> Iterator[PartRun]:
        """The runs that hold any of the numbers [lo, lo + n)."""
        if self.ordered is None:
            self.ordered = sorted(self.runs, key=_by_lo)
            self.longest = max((run.n for run in self.runs), default=0)
        for at in range(bisect_left(self.ordered, lo - self.longest + 1, key=_by_lo), len(self.ordered)):
            run = self.ordered[at]
            if run.lo >= lo + n:
                return
            if lo < run.lo + run.n:
                yield run

    def take_whole(self, at: datetime | None, precedes: Precedes) -> bool:
        """The lot is whole from (or until) this instant; False when it was so already."""
        if self.whole and not precedes(at, self.whole_at):
            return False
        self.whole, self.whole_at = True, at
        return True

    def may_widen(self, precedes: Precedes) -> bool:
        """Whether there are numbers of it that lie nearer to the start than the whole lot does."""
        return any(not self.whole or precedes(run.at, self.whole_at) for run in self.runs)

    def numbers(self) -> list[Run]:
        return [(run.lo, run.n) for run in self.runs]


@dataclass(frozen=True, slots=True)
class Direction:
    """What differs between the walk towards customers and the one towards ingredients. Names are of statements."""

    walk: str
    edges: str
    rows_of: str
    left_out: str
    widened: Callable[[AsyncConnection, Mapping[Key, Part]], Awaitable[dict[Key, datetime | None]]]
    """The parts that have to be taken whole, and from (or until) which instant."""
    precedes: Precedes
    """Whether the first instant lies nearer to the start of the walk; None is the start itself."""
    quantity_is_certain: bool
    """Whether a part of a lot is surely meant by a row that tells a quantity: of what was made yes, of a use no."""


@dataclass(slots=True)
class Walk:
    """What was walked through: parts of lots, and operations."""

    parts: dict[Key, Part] = field(default_factory=dict)
    operation_ids: set[int] = field(default_factory=set)
    widened: set[Key] = field(default_factory=set)
    """Parts that were taken whole."""


_State = tuple[int, datetime | None, int | None, int | None, bool]
"""Lot, instant (None = always), lo and n (None = whole), certainty."""


async def walk_from(
    conn: AsyncConnection,
    direction: Direction,
    starts: Sequence[Start],
    lots_max: int,
    *,
    in_time: bool,
    whole: Collection[Key] = (),
    known: Collection[int] = (),
) -> Walk:
    """Walk from the starts; then again from each lot that turns out to be affected as a whole, until nothing is new.

    The second walk may begin at those lots alone, because the closure of a union is the union of the closures. Parts
    in ``whole`` are taken whole from the outset; lots in ``known`` are walked through and left out of what is found.
    """
    walk = Walk()
    states: list[_State] = [(start.lot_id, None, start.lo, start.n, True) for start in starts]
    states += [(lot_id, None, None, None, certain) for lot_id, certain in whole]
    while states:
        found = await _one_walk(conn, direction, states, lots_max, in_time=in_time, known=known)
        for key, part in found.parts.items():
            if earlier := walk.parts.get(key):
                earlier.add(part, direction.precedes)
            else:
                walk.parts[key] = part
        walk.operation_ids |= found.operation_ids
        in_part = {key: part for key, part in walk.parts.items() if part.may_widen(direction.precedes)}
        widened = await direction.widened(conn, in_part) if in_part else {}
        widened = {key: at for key, at in widened.items() if walk.parts[key].take_whole(at, direction.precedes)}
        walk.widened.update(widened)
        states = [(lot_id, at, None, None, certain) for (lot_id, certain), at in sorted(widened.items())]
    return walk


async def leaves_out(conn: AsyncConnection, direction: Direction, walk: Walk) -> bool:
    """Whether anything is next to what was walked through in time that only a walk without time would reach.

    Asked by sets, which costs a part of walking again; ``walk`` must have taken every lot whole.
    """
    values = {"lots": sorted({lot_id for lot_id, _certain in walk.parts}), "operations": sorted(walk.operation_ids)}
    return bool((await conn.execute(SQL[direction.left_out], values)).scalar_one())


async def _one_walk(
    conn: AsyncConnection,
    direction: Direction,
    states: Sequence[_State],
    lots_max: int,
    *,
    in_time: bool,
    known: Collection[int],
) -> Walk:
    columns = [list(column) for column in zip(*states, strict=True)]
    states_max = STATES_PER_LOT_MAX * lots_max + STATES_SPARE
    values = dict(zip(("lots", "ats", "los", "ns", "certain"), columns, strict=True))
    options = {"in_time": in_time, "states_max": states_max, "known": list(known)}
    rows = (await conn.execute(SQL[direction.walk], {**values, **options})).all()
    walk = Walk()
    for lot_id, certain, at, whole, whole_at, via, los, ns, ats, made in rows:
        if lot_id is not None:
            runs = [] if los is None else list(map(PartRun, los, ns, ats, made))
            walk.parts[lot_id, certain] = Part(at, via, whole, whole_at, runs)
            continue
        if via > states_max:
            raise ClosureTooLarge(lots_max=lots_max)
        walk.operation_ids.update(operation_id for operation_id in los if operation_id is not None)
    return walk


def _is_earlier(a: datetime | None, b: datetime | None) -> bool:
    return b is not None and (a is None or a < b)


def _is_later(a: datetime | None, b: datetime | None) -> bool:
    return b is not None and (a is None or a > b)


async def _lots_not_told_by_serial(conn: AsyncConnection, parts: Mapping[Key, Part]) -> dict[Key, datetime | None]:
    """Parts made by an operation, of lots with things that no operation told by serial.

    Numbers that only a person named are the very ones meant and stay what they are.
    """
    made = {key: [run.at for run in part.runs if run.made] for key, part in parts.items()}
    lots = sorted({lot_id for (lot_id, _certain), ats in made.items() if ats})
    if not lots:
        return {}
    doubtful = set((await conn.execute(SQL["lots_not_told_by_serial"], {"lots": lots})).scalars())
    return {
        key: None if None in ats else min(at for at in ats if at)
        for key, ats in made.items()
        if ats and key[0] in doubtful
    }


async def _lots_with_untold_numbers(conn: AsyncConnection, parts: Mapping[Key, Part]) -> dict[Key, datetime | None]:
    """Parts with numbers whose making nobody told, of lots in which that of others was told by serial."""
    found: dict[Key, datetime | None] = {}
    for certain in (True, False):
        rows = [
            (key[0], run.lo, run.n, run.at) for key, part in parts.items() if key[1] is certain for run in part.runs
        ]
        if not rows:
            continue
        columns = dict(zip(("lots", "los", "ns", "ats"), (list(c) for c in zip(*rows, strict=True)), strict=True))
        doubtful = await conn.execute(SQL["lots_with_untold_numbers"], columns)
        found.update({(row.lot_id, certain): row.at for row in doubtful})
    return found


DOWNSTREAM = Direction(
    "downstream",
    "edges_into",
    "inputs_of",
    "beyond_downstream",
    _lots_not_told_by_serial,
    _is_earlier,
    quantity_is_certain=False,
)
UPSTREAM = Direction(
    "upstream",
    "edges_out_of",
    "outputs_of",
    "beyond_upstream",
    _lots_with_untold_numbers,
    _is_later,
    quantity_is_certain=True,
)
