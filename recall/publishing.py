"""Freezing a version of a case and making it known, inside the transaction of a verb."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import capture
from ledger.codes import KeyRing
from recall import affected as affecting
from recall import delivery, disposition, listing, reach, store
from recall import proposals_store as proposals
from recall.affected import AffectedSet
from recall.listing import NoticeDraft
from recall.model import Case, Change, Delta, Kind, Published, State
from recall.refusals import NothingAffected, WouldFreeGoods
from recall.scope import Area, more
from runtime.clock import Clock

LOTS_TOLD: Final = 20
"""So many lots are named when a step is refused because it would set them free."""


async def publish_version(
    conn: AsyncConnection,
    case: Case,
    *,
    state: State,
    change: Change,
    note: str | None,
    by: str,
    clock: Clock,
    keys: KeyRing,
    by_two: bool = False,
) -> Published:
    """Freeze the affected set, write its notice lines, mark the goods, show the case to the public: in this order.

    Refuses (``WouldFreeGoods``) a version that takes out goods, unless two people agreed to it (``by_two``).

    A drill goes the same way up to the notice lines and no further: nothing of it reaches the goods or the public.
    """
    started = time.perf_counter()
    await store.hold_ledger(conn)
    affected = await affecting.trace(conn, case.scope)
    if not affected.lots:
        raise NothingAffected(number=case.number)
    version = case.version + 1
    draft = await listing.compile_list(conn, case, version, affected, keys)
    before_id, before, delta = await _before(conn, case, affected, draft)
    if delta is not None and not by_two and not case.is_drill:
        await _refuse_to_free(conn, case, before, affected.area)
    at, took_ms = clock(), _since(started)
    set_id = await store.freeze(
        conn, case, ledger_event=affected.ledger_event, hash=affected.hash, lots=affected.lots, lines=draft.lines,
        totals={**draft.totals, **_delta_as_json(delta)}, took_ms=took_ms, at=at,
    )  # fmt: skip
    revision = None
    if not case.is_drill:
        await _mark(conn, case, before, affected.area, version=version, by=by, clock=clock, keys=keys)
        revision = await store.next_public_revision(conn)
        await store.put_publication(
            conn, case, version=version, state=state, affected_set_id=set_id, at=at, revision=revision
        )
    await store.insert_version(
        conn, case, version=version, affected_set_id=set_id, change=change, note=note, by=by, at=at, revision=revision
    )
    await store.change_case(conn, case.case_id, version=version, state=state.value)
    await proposals.release(conn, case.case_id)
    await proposals.supersede(conn, case.case_id, at)
    await delivery.tell_version(
        conn, case, version=version, change=change, set_id=set_id, before_id=before_id, by=by, clock=clock
    )
    return Published(
        case.number, version, change, affected.hash, affected.ledger_event, len(affected.lots), draft.items,
        draft.owners, len(draft.lines), revision, _since(started), delta,
    )  # fmt: skip


async def take_back(conn: AsyncConnection, case: Case, *, by: str, clock: Clock, keys: KeyRing) -> None:
    """Show a published case no more and free its goods, but for those that another public recall names.

    Whoever was told of it is told that it is taken back.
    """
    frozen = await store.frozen_set(conn, case)
    await delivery.tell_cancelled(conn, case, set_id=frozen.affected_set_id, clock=clock)
    if case.is_drill:
        return
    await store.hold_ledger(conn)
    before = await store.frozen_area(conn, frozen.affected_set_id)
    await proposals.release(conn, case.case_id)
    await proposals.supersede(conn, case.case_id, clock())
    await store.remove_publication(conn, case.case_id)
    await _mark(conn, case, before, {}, version=case.version + 1, by=by, clock=clock, keys=keys)
    await store.next_public_revision(conn)


async def _mark(
    conn: AsyncConnection,
    case: Case,
    before: Area,
    after: Area,
    *,
    version: int,
    by: str,
    clock: Clock,
    keys: KeyRing,
) -> None:
    """Tell the ledger what is recalled now and was not before, and the other way round. A withdrawal marks nothing."""
    if case.kind is not Kind.RECALL:
        return
    lots = disposition.lots_of((before, after))
    facts = await reach.lot_facts(conn, lots)
    others = await reach.covered_by_others(conn, case.case_id, lots)
    freed, recalled = disposition.changes(before, after, others)
    at = clock()
    told = f"{case.number} v{version}"
    events = disposition.events(freed, facts, case=told, at=at, recalled=False)
    events += disposition.events(recalled, facts, case=told, at=at, recalled=True)
    for event in events:  # one by one: what the ledger keeps in mind for a call grows with the lots it names
        await capture.record(conn, [event], by=by, clock=clock, keys=keys)


async def _before(
    conn: AsyncConnection, case: Case, affected: AffectedSet, draft: NoticeDraft
) -> tuple[int | None, Area, Delta | None]:
    """The set of the version before, what it covered, and what this one changes."""
    if case.version == 0:
        return None, {}, None
    frozen = await store.frozen_set(conn, case)
    before, after = await store.frozen_area(conn, frozen.affected_set_id), affected.area
    facts = await reach.lot_facts(conn, disposition.lots_of((before, after)))
    named = {lot_id: (lot.gtin, lot.code) for lot_id, lot in facts.items()}
    added = tuple(sorted(named[lot_id] for lot_id in after.keys() - before.keys()))
    removed = tuple(sorted(named[lot_id] for lot_id in before.keys() - after.keys()))
    return frozen.affected_set_id, before, Delta(added, removed, draft.items - frozen.items)


async def _refuse_to_free(conn: AsyncConnection, case: Case, before: Area, after: Area) -> None:
    freed = more(before, after)
    if freed:
        facts = await reach.lot_facts(conn, freed)
        lots = ", ".join(sorted(f"lot {facts[lot_id].code} of {facts[lot_id].gtin}" for lot_id in freed)[:LOTS_TOLD])
        raise WouldFreeGoods(number=case.number, lots=lots + (" and others" if len(freed) > LOTS_TOLD else ""))


def _delta_as_json(delta: Delta | None) -> Mapping[str, Any]:
    if delta is None:
        return {}
    lots = {"lots_added": list(map(list, delta.lots_added)), "lots_removed": list(map(list, delta.lots_removed))}
    return {"delta": {**lots, "items": delta.items}}


def _since(started: float) -> int:
    return round((time.perf_counter() - started) * 1000)
