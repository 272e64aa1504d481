"""Writing the book anew: what a late or a wrong event touches is written again, from the events.

The events are the truth and the book is derived, so a late event is not squeezed in behind what followed it: the lots
and units that can depend on it are emptied, and their events are written in order of time. Lots depend on each other
through units only (what is in one unit moves together) and through the nameless lot of their product.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import event_store, replay_store, result_store
from ledger.codes import KeyRing
from ledger.epcis.told import read_event
from ledger.event_store import Stored
from ledger.projection import Recorded, Scope, find_names, project
from ledger.refusals import ReplayTooLarge

REPLAY_EVENTS_MAX: Final = 100_000
"""Most recorded events that one capture writes anew."""
BATCH_EVENTS: Final = 1_000
"""Events written into the book at once: bounds memory, not meaning."""


async def replay(
    conn: AsyncConnection,
    seeds: Scope,
    fresh: Sequence[Recorded],
    keys: KeyRing,
    *,
    events_max: int = REPLAY_EVENTS_MAX,
) -> Scope:
    """Write anew all that depends on ``seeds``, together with ``fresh`` events that are not in the book yet.

    Raises ``ReplayTooLarge`` when more than ``events_max`` events have to be written: nothing is changed then.
    """
    scope, event_ids = await _reach(conn, seeds, events_max)
    fresh_ids = frozenset(recorded.event_id for recorded in fresh)
    numbers = await replay_store.numbers_in_runs(conn, scope.lots)
    await replay_store.clear(conn, scope.lots, scope.units, event_ids)
    stored = await event_store.events_by_id(conn, event_ids - fresh_ids)
    events = sorted([*_recorded(stored), *fresh], key=lambda recorded: (recorded.told.at, recorded.event_id))
    for start in range(0, len(events), BATCH_EVENTS):
        batch = events[start : start + BATCH_EVENTS]
        names = await find_names(conn, batch, keys)
        # A nameless lot that the events need now, and that was not there before, is empty: it joins as it is.
        scope = Scope(scope.lots | await replay_store.nameless_beside(conn, scope.lots), scope.units)
        await project(conn, batch, names, scope=scope)
    await replay_store.drop_unnamed_units(conn, scope.units)
    await replay_store.tell_losses(conn, numbers, scope.lots)
    return scope


async def rebuild(conn: AsyncConnection, keys: KeyRing) -> int:
    """Write the whole book anew from the events; returns how many. Everybody else waits meanwhile.

    The result is the same as that of capturing the events in order of their time; numbers and ids stay.
    """
    numbers = await replay_store.numbers_in_runs(conn, None)
    await replay_store.clear_all(conn)
    count = 0
    async for stored in event_store.all_events(conn, size=BATCH_EVENTS):
        batch = _recorded(stored)
        await project(conn, batch, await find_names(conn, batch, keys))
        count += len(batch)
    await replay_store.drop_unnamed_units(conn, None)
    await replay_store.tell_losses(conn, numbers, None)
    return count


async def _reach(conn: AsyncConnection, seeds: Scope, events_max: int) -> tuple[Scope, set[int]]:
    """The lots and units that can depend on the seeds, and the events that touch them."""
    lots, units, events = set[int](), set[int](), set[int]()
    fresh_lots, fresh_units = set(seeds.lots), set(seeds.units)
    while fresh_lots or fresh_units:
        fresh_lots |= await replay_store.nameless_beside(conn, fresh_lots) - lots
        lots |= fresh_lots
        units |= fresh_units
        touching, linking = await replay_store.events_touching(conn, fresh_lots, fresh_units)
        events |= touching
        if len(events) > events_max:
            raise ReplayTooLarge(events=len(events), events_max=events_max)
        found_lots, found_units = await replay_store.things_of(conn, linking)
        fresh_lots, fresh_units = found_lots - lots, found_units - units
    return Scope(frozenset(lots), frozenset(units)), events


def _recorded(stored: Iterable[Stored]) -> list[Recorded]:
    return [Recorded(each.event_id, read_event(each.body, "")) for each in stored]


async def forget_wrong(conn: AsyncConnection, event_ids: Sequence[int]) -> Scope:
    """Take what wrong events told out of the genealogy; returns what they touched, which has to be replayed."""
    await result_store.forget_operations(conn, event_ids)
    await result_store.join_documents(conn, event_ids)
    lots, units = await replay_store.things_of(conn, set(event_ids))
    return Scope(frozenset(lots), frozenset(units))
