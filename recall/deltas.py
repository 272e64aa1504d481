"""Late facts: what the ledger learnt after a case was published, laid before a person, and held until one decides.

What late facts add is held at once: the public sees it as recalled, and no unit that turns up later slips through. What
they take away stays recalled until a second person agrees. Neither changes the notice list in silence: that takes a new
version, which is made when the proposal is accepted (``proposals``).
"""

from __future__ import annotations

import hashlib
import json
from math import ceil
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import holders
from ledger.closure import Reached
from ledger.trace import ledger_revision
from recall import affected as affecting
from recall import proposals_store as proposals
from recall import reach, store
from recall.model import Case, State
from recall.notices import PIECES
from recall.proposals_store import Proposal, Sort
from recall.scope import Area, more
from recall.scope import merged as merged_areas
from runtime.clock import Clock
from runtime.database import transaction
from runtime.jobs import WorkPlace

LEDGER: Final = "the ledger"
"""Who proposes what late facts say."""
LOTS_TOLD_MAX: Final = 1_000
"""So many lots a proposal names on each side; the counts beside them are of all."""


async def compare_all(place: WorkPlace) -> None:
    """Compare every public case with what the ledger learnt since it was last compared."""
    async with place.engine.connect() as conn:
        numbers = await proposals.to_compare(conn, await ledger_revision(conn))
        await conn.rollback()
        for number in numbers:
            await compare(conn, number, clock=place.clock)


async def compare(conn: AsyncConnection, number: str, *, clock: Clock) -> Proposal | None:
    """Work a published case out anew; what differs is held and proposed. None when nothing does."""
    async with transaction(conn):
        case = await store.lock_case(conn, number)
        if case.state not in (State.PUBLISHED, State.CLOSING) or case.is_drill:
            return None
        frozen = await store.frozen_set(conn, case)
        before = await store.frozen_area(conn, frozen.affected_set_id)
        affected = await affecting.trace(conn, case.scope, with_steps=False)
        added, removed = more(affected.area, before), more(before, affected.area)
        at = clock()
        await proposals.compared(conn, case.case_id, case.version, affected.ledger_event, at)
        if not (added or removed):
            await proposals.supersede(conn, case.case_id, at, kind=Sort.LATE_FACTS.value)
            return None
        await _hold(conn, case, added, clock)
        content = {**await _content(conn, added, removed), "area_hash": area_hash(affected.area)}
        return await proposals.propose(
            conn, case_id=case.case_id, version=case.version, kind=Sort.LATE_FACTS.value,
            ledger_event=affected.ledger_event, content=content, reason="late facts", made_by=LEDGER, made_at=at,
        )  # fmt: skip


def area_hash(area: Area) -> str:
    """SHA-256 in hexadecimal over every covered lot with its runs: the same goods, the same hash, at any revision."""
    told = [[lot_id, area[lot_id].whole, [list(run) for run in area[lot_id].runs]] for lot_id in sorted(area)]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


async def _hold(conn: AsyncConnection, case: Case, added: Area, clock: Clock) -> None:
    """Hold what is not held yet, and let every portal learn of it."""
    news = more(added, await proposals.held(conn, case.case_id))
    if news:
        await proposals.hold(conn, case.case_id, news, clock())
        await proposals.bump_publication(conn, case.case_id, await store.next_public_revision(conn))


async def _content(conn: AsyncConnection, added: Area, removed: Area) -> dict[str, Any]:
    facts = await reach.lot_facts(conn, merged_areas([added, removed]))
    told: dict[str, Any] = {}
    for name, area in (("added", added), ("removed", removed)):
        lots = sorted((facts[lot_id].gtin, facts[lot_id].code) for lot_id in area)
        told |= {f"lots_{name}": [*map(list, lots[:LOTS_TOLD_MAX])], f"lots_{name}_count": len(lots)}
        told[f"items_{name}"] = await _pieces(conn, area)
    return told


async def _pieces(conn: AsyncConnection, area: Area) -> int:
    reached = [Reached(lot_id, cover.whole, cover.runs, None, "proved") for lot_id, cover in area.items()]
    held = await holders.holdings(conn, reached)
    return ceil(sum(holding.quantity for holding in held if holding.quantity > 0 and holding.uom in PIECES))
