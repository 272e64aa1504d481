"""A timed practice. The same code as a recall, with a stopwatch; by construction nothing of it reaches the public."""

from __future__ import annotations

import time

from sqlalchemy.ext.asyncio import AsyncConnection

from access import audit
from ledger.codes import KeyRing
from recall import lifecycle, store
from recall.drafting import open_draft
from recall.lifecycle import Step
from recall.model import CaseDraft, Change, DrillReport, Kind
from recall.previewing import preview_of
from recall.publishing import publish_version
from runtime.clock import Clock
from runtime.database import transaction


async def drill(
    conn: AsyncConnection,
    code: str,
    *,
    by: str,
    clock: Clock,
    keys: KeyRing,
    title: str | None = None,
    whole_lot: bool = True,
) -> DrillReport:
    """Practise a recall from one code: open, work out, freeze, write the notice list, and say how long each took.

    An item code stands for its lot (``whole_lot``), as it would when a complaint comes in. The public record, the
    published views and the dispositions of the goods are not touched. Refuses what ``open_case`` refuses.
    """
    started = time.perf_counter()
    draft = CaseDraft(
        title=title or f"Drill from {code[:100]}", hazard="none: a drill", hazard_class=3, kind=Kind.DRILL,
        codes=(code,), whole_lot=whole_lot,
    )  # fmt: skip
    async with transaction(conn):
        case = await open_draft(conn, draft, by=by, clock=clock, keys=keys)
        state = lifecycle.after(case.state, Step.REHEARSE, case.kind)
        preview = await preview_of(conn, case, clock=clock)
        trace_ms = _since(started)
        case = await store.change_case(conn, case.case_id, published_by=by, published_at=clock())
        published = await publish_version(
            conn, case, state=state, change=Change.INITIAL, note=None, by=by, clock=clock, keys=keys
        )
        list_ms = _since(started)
        details = {"trace_ms": trace_ms, "list_ms": list_ms, "items": published.items, "hash": published.hash}
        await audit.note(conn, by, f"recall.{Step.REHEARSE}", case.number, details, clock)
        return DrillReport(case.number, trace_ms, list_ms, published, preview)


def _since(started: float) -> int:
    return round((time.perf_counter() - started) * 1000)
