"""The steps that show how a closure reached a lot: each lot gets one, and following them always ends at a start."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from ledger.closure import Reached
from ledger.closure_walk import SQL, Direction, Key, Part, PartRun, Precedes, Walk
from ledger.intervals import overlaps


async def name_sources(
    conn: AsyncConnection, direction: Direction, walk: Walk, vias: Collection[Key]
) -> dict[Key, int]:
    """For each operation (and certainty): the lot on the side of the start that led to it first."""
    if not vias:
        return {}
    rows = (await conn.execute(SQL[direction.rows_of], {"operations": sorted({via for via, _certain in vias})})).all()
    best: dict[Key, tuple[datetime, datetime | None, int]] = {}
    for operation_id, lot_id, at, lo, n in rows:
        for certain in (True, False):
            if (operation_id, certain) not in vias:
                continue
            for degree in (True,) if certain else (True, False):
                part = walk.parts.get((lot_id, degree))
                if part is None or not _explains(part, at, lo, n, direction=direction, certain=certain):
                    continue
                candidate, so_far = (at, part.at, lot_id), best.get((operation_id, certain))
                if so_far is None or _is_better(candidate, so_far, direction.precedes):
                    best[operation_id, certain] = candidate
    return {key: lot_id for key, (_at, _since, lot_id) in best.items()}


def _explains(part: Part, at: datetime, lo: int | None, n: int | None, *, direction: Direction, certain: bool) -> bool:
    """Whether this part of a lot, as early as it was affected, makes the row of an operation an affected one."""
    if part.whole and not direction.precedes(at, part.whole_at):
        return True
    met: Iterable[PartRun] = ()
    if lo is not None and n is not None:
        met = part.meeting(lo, n)
    elif direction.quantity_is_certain or not certain:
        met = part.runs
    return any(not direction.precedes(at, run.at) for run in met)


def _is_better(
    one: tuple[datetime, datetime | None, int], other: tuple[datetime, datetime | None, int], precedes: Precedes
) -> bool:
    """The row nearer to the start, then the lot affected earlier, then the smaller lot_id."""
    for a, b in ((one[0], other[0]), (one[1], other[1])):
        if a != b:
            return a is None or precedes(a, b) if b is not None else False
    return one[2] < other[2]


async def settle(conn: AsyncConnection, direction: Direction, reached: dict[int, Reached]) -> None:
    """Give every lot a step that leads to a start.

    Lots reached only when time is ignored have none yet; and steps of one and the same instant (a day told without an
    hour) can point at each other. Both are led to a settled lot, nearest first.
    """
    unsettled = _without_way_to_a_start(reached)
    if not unsettled:
        return
    rows = (await conn.execute(SQL[direction.edges], {"lots": sorted(unsettled)})).all()
    while unsettled:
        found: dict[int, Reached] = {}
        for row in rows:
            lot, source = reached[row.lot_id], reached.get(row.from_lot_id)
            if row.lot_id not in unsettled or row.lot_id in found or source is None or row.from_lot_id in unsettled:
                continue
            if _leads(row, source, lot, direction):
                at = lot.at if lot.at is not None else row.at
                found[row.lot_id] = replace(lot, at=at, via_operation_id=row.operation_id, from_lot_id=row.from_lot_id)
        if not found:
            raise AssertionError(f"lots without a way to a start: {sorted(unsettled)[:10]}")
        reached.update(found)
        unsettled -= found.keys()


def _leads(row: Any, source: Reached, lot: Reached, direction: Direction) -> bool:
    """Whether this edge explains ``lot``: always by its numbers, and by its instants when the lot is proved."""
    if lot.basis != "proved":
        widest = source.widest()
        return widest.whole or row.lo is None or overlaps(widest.runs, row.lo, row.n)
    meant = overlaps(source.runs, row.lo, row.n) if row.lo is not None else direction.quantity_is_certain
    if source.basis == "possible" or not (source.whole or meant):
        return False
    in_order = row.at == lot.at and not direction.precedes(row.at, row.from_at)
    return in_order and not (source.at is not None and direction.precedes(row.from_at, source.at))


def _without_way_to_a_start(reached: Mapping[int, Reached]) -> set[int]:
    """The lots whose steps do not end at a start."""
    settled: set[int] = {lot_id for lot_id, lot in reached.items() if lot.basis == "scope"}
    unsettled: set[int] = set()
    for lot_id in reached:
        trail: dict[int, None] = {}
        here: int | None = lot_id
        while here is not None and here not in settled and here not in unsettled and here not in trail:
            trail[here] = None
            lot = reached.get(here)
            here = lot.from_lot_id if lot is not None else None
        (settled if here in settled else unsettled).update(trail)
    return unsettled
