"""What publishing a case would do, worked out and not done."""

from __future__ import annotations

import time

from sqlalchemy.ext.asyncio import AsyncConnection

from recall import affected as affecting
from recall import listing, wording_gate
from recall.model import Case, Gap, Preview
from runtime.clock import Clock


async def preview_of(conn: AsyncConnection, case: Case, *, clock: Clock) -> Preview:
    """The preview of ``case`` in the caller's transaction, which has to be one in which nothing moves."""
    started = time.perf_counter()
    affected = await affecting.trace(conn, case.scope)
    draft = await listing.compile_list(conn, case, case.version + 1, affected, None)
    possible = await listing.count_possible(conn, affected)
    sent = [line for line in draft.lines if line.channel != "own"]
    are_dates_told = not sent or any(line.row["ship_dates"] for line in draft.lines)
    findings = await wording_gate.findings(conn, case, are_dates_told=are_dates_told)
    return Preview(
        number=case.number,
        hash=affected.hash,
        ledger_event=affected.ledger_event,
        items=draft.items,
        lots=len(affected.lots),
        owners=draft.owners,
        lines=len(draft.lines),
        totals=draft.totals,
        possible=possible,
        gaps=draft.gaps,
        wording=tuple(Gap(f"{f.what}{'' if f.blocking else ' (advice)'}", f.where) for f in findings),
        at=clock(),
        took_ms=round((time.perf_counter() - started) * 1000),
    )
