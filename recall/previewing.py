"""What publishing a case would do, worked out and not done."""

from __future__ import annotations

import time
from dataclasses import replace
from math import ceil
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import holders
from recall import affected as affecting
from recall import listing, wording_gate
from recall.affected import AffectedSet
from recall.model import Case, Gap, Preview, Saving
from recall.notices import PIECES
from recall.refusals import TooManyExclusions
from recall.scope import describe
from runtime.clock import Clock

SAVINGS_MAX: Final = 50
"""Most exclusions whose savings are told, because the set is worked out once more for each of them."""


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
        savings=await _savings(conn, case, affected),
        at=clock(),
        took_ms=round((time.perf_counter() - started) * 1000),
    )


async def _savings(conn: AsyncConnection, case: Case, affected: AffectedSet) -> tuple[Saving, ...]:
    """What each exclusion takes out by itself: the set worked out once more without it, and compared."""
    if len(case.scope.exclude) > SAVINGS_MAX:
        raise TooManyExclusions(exclusions=len(case.scope.exclude), exclusions_max=SAVINGS_MAX)
    savings = []
    reached = await _pieces(conn, affected)
    for k, exclusion in enumerate(case.scope.exclude):
        others = case.scope.exclude[:k] + case.scope.exclude[k + 1 :]
        wider = await affecting.trace(conn, replace(case.scope, exclude=others))
        items, lots = await _pieces(conn, wider) - reached, len(wider.lots) - len(affected.lots)
        savings.append(Saving(describe(exclusion.line), exclusion.reason, exclusion.by, items, lots))
    return tuple(savings)


async def _pieces(conn: AsyncConnection, affected: AffectedSet) -> int:
    held = await holders.holdings(conn, (lot.reached for lot in affected.lots))
    return ceil(sum(holding.quantity for holding in held if holding.quantity > 0 and holding.uom in PIECES))
