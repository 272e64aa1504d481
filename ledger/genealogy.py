"""Which lots came from which: the closure of lots over operations, towards customers and towards ingredients.

What is promised:

- **Complete or refused.** A named limit that is reached raises ``ClosureTooLarge``; nothing is ever cut short.
- **In time.** A lot that was used up before it could be affected passes nothing on (``proved``). Beside it stands the
  plain closure, which ignores time: what only it reaches is ``possible``, and is the sound upper bound when the
  clocks of the recorded events are doubtful.
- **Never a miss with parts of lots.** A start may name numbers of a lot. An operation that told its inputs by serial
  counts when its numbers meet the affected ones; one that told its input by quantity only may have used any item, so it
  counts and what it made is ``possible``. What an operation made by serial is those numbers of their lot, and no more,
  only when every known item of that lot was told by serial by some operation; otherwise the lot is taken whole.
- The answer does not depend on the order of the facts or of the starts; affected(A ∪ B) = affected(A) ∪ affected(B).
- Cycles (rework, returns) end by themselves. Events that were declared wrong do not count.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from ledger.closure import LOTS_MAX, Basis, Closure, ClosureTooLarge, Reached, Start, Step
from ledger.closure_proofs import name_sources, settle
from ledger.closure_walk import DOWNSTREAM, SQL, UPSTREAM, Direction, Key, Part, Walk, leaves_out, walk_from
from ledger.intervals import Run, merged

__all__ = [
    "LOTS_MAX",
    "Basis",
    "Closure",
    "ClosureTooLarge",
    "Reached",
    "Start",
    "Step",
    "downstream",
    "downstream_closure",
    "downstream_extent",
    "operation_events",
    "path",
    "upstream",
    "upstream_closure",
]


async def downstream(
    conn: AsyncConnection, starts: Iterable[Start], *, lots_max: int = LOTS_MAX
) -> tuple[Reached, ...]:
    """All that was made from the starts, the starts included, sorted by lot_id. Raises ``ClosureTooLarge``."""
    return (await downstream_closure(conn, starts, lots_max=lots_max)).lots


async def upstream(conn: AsyncConnection, starts: Iterable[Start], *, lots_max: int = LOTS_MAX) -> tuple[Reached, ...]:
    """All that the starts were made from, the starts included, sorted by lot_id. Raises ``ClosureTooLarge``."""
    return (await upstream_closure(conn, starts, lots_max=lots_max)).lots


async def downstream_closure(conn: AsyncConnection, starts: Iterable[Start], *, lots_max: int = LOTS_MAX) -> Closure:
    """``downstream`` together with the operations walked through."""
    return await _closure(conn, DOWNSTREAM, tuple(starts), lots_max)


async def downstream_extent(conn: AsyncConnection, starts: Iterable[Start], *, lots_max: int = LOTS_MAX) -> Closure:
    """``downstream_closure`` without the steps that show how each lot was reached, and sooner: for sums."""
    return await _closure(conn, DOWNSTREAM, tuple(starts), lots_max, with_steps=False)


async def upstream_closure(conn: AsyncConnection, starts: Iterable[Start], *, lots_max: int = LOTS_MAX) -> Closure:
    """``upstream`` together with the operations walked through."""
    return await _closure(conn, UPSTREAM, tuple(starts), lots_max)


def path(reached: Iterable[Reached] | Mapping[int, Reached], lot_id: int) -> tuple[Step, ...]:
    """The steps from a start to this lot, in order from the start; none for a start and for a lot not reached."""
    by_lot = reached if isinstance(reached, Mapping) else {lot.lot_id: lot for lot in reached}
    steps: list[Step] = []
    here = by_lot.get(lot_id)
    while here is not None and here.via_operation_id is not None and here.from_lot_id is not None:
        steps.append(Step(here.from_lot_id, here.via_operation_id, here.lot_id))
        here = by_lot.get(here.from_lot_id)
    return tuple(reversed(steps))


async def operation_events(conn: AsyncConnection, operation_ids: Iterable[int]) -> dict[int, int]:
    """The event that recorded each operation (the first, when its inputs and outputs were told in several)."""
    rows = await conn.execute(SQL["operation_events"], {"operations": sorted(set(operation_ids))})
    return {row.operation_id: row.event_id for row in rows}


async def _closure(
    conn: AsyncConnection, direction: Direction, starts: Sequence[Start], lots_max: int, *, with_steps: bool = True
) -> Closure:
    in_time = await walk_from(conn, direction, starts, lots_max, in_time=True)
    settled = {lot_id for (lot_id, _certain), part in _fronts(in_time).items() if part.whole}
    # What was taken whole in time is so without time; it is handed on because known lots are not looked at again.
    plain = (
        await walk_from(conn, direction, starts, lots_max, in_time=False, whole=sorted(in_time.widened), known=settled)
        if len(settled) < len(in_time.parts) or await leaves_out(conn, direction, in_time)
        else Walk()
    )
    started = {start.lot_id for start in starts}
    if len(started | {lot_id for lot_id, _certain in (*in_time.parts, *plain.parts)}) > lots_max:
        raise ClosureTooLarge(lots_max=lots_max)
    fronts = _fronts(in_time)
    vias = {(part.via, certain) for (_lot_id, certain), part in fronts.items() if part.via is not None}
    sources = await name_sources(conn, direction, in_time, vias if with_steps else ())
    reached = _only_possible(plain, fronts)
    for (lot_id, certain), front in fronts.items():
        more = _beyond(lot_id, front, in_time, plain)
        whole, runs = _together([front])
        if lot_id in started:
            reached[lot_id] = Reached(lot_id, whole, runs, None, "scope", None, None, *more)
        else:
            source = sources.get((front.via, certain)) if front.via is not None else None
            via = front.via if source is not None else None
            basis: Basis = "proved" if certain else "possible"
            reached[lot_id] = Reached(lot_id, whole, runs, front.at, basis, via, source, *more)
    if with_steps:
        await settle(conn, direction, reached)
    return Closure(tuple(reached[lot_id] for lot_id in sorted(reached)), tuple(sorted(in_time.operation_ids)))


def _fronts(walk: Walk) -> dict[Key, Part]:
    """For each lot what is known of it most surely."""
    return {key: part for key, part in walk.parts.items() if key[1] or (key[0], True) not in walk.parts}


def _only_possible(plain: Walk, fronts: Mapping[Key, Part]) -> dict[int, Reached]:
    """The lots that are reached only when time is ignored."""
    in_time = {lot_id for lot_id, _certain in fronts}
    parts_by_lot: dict[int, list[Part]] = {}
    for (lot_id, _certain), part in plain.parts.items():
        if lot_id not in in_time:
            parts_by_lot.setdefault(lot_id, []).append(part)
    return {lot_id: Reached(lot_id, *_together(parts), None, "possible") for lot_id, parts in parts_by_lot.items()}


def _beyond(lot_id: int, front: Part, in_time: Walk, plain: Walk) -> tuple[bool, tuple[Run, ...]]:
    """What is possible of a lot beyond what stands in front: (whole, runs), or nothing."""
    if front.whole:
        return False, ()
    keys = ((lot_id, True), (lot_id, False))
    parts = [part for walk in (in_time, plain) for key in keys if (part := walk.parts.get(key)) is not None]
    widest = _together(parts)
    return widest if widest != _together([front]) else (False, ())


def _together(parts: Sequence[Part]) -> tuple[bool, tuple[Run, ...]]:
    if any(part.whole for part in parts):
        return True, ()
    return False, merged(run for part in parts for run in part.numbers())
