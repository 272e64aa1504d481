"""What publishing a case would do, worked out and not done."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import holders
from ledger.codes import KeyRing
from recall import affected as affecting
from recall import listing, profiles, wording_gate
from recall.affected import AffectedSet
from recall.drafting import case_of
from recall.model import Case, CaseDraft, Gap, Preview, Saving
from recall.notices import PIECES, Line, Row
from recall.profiles import Profile
from recall.refusals import TooManyExclusions
from recall.scope import describe
from runtime.clock import Clock
from runtime.database import transaction

ROWS_MAX: Final = 20
"""Rows of the notice list that a trial shows."""
SAVINGS_MAX: Final = 50
"""Most exclusions whose savings are told, because the set is worked out once more for each of them."""


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What a draft would come to: the case with its completed texts, the profile it would be under, and its preview.

    ``rows`` are the first ``ROWS_MAX`` rows of the notice list; ``preview.lines`` says how many there are.
    """

    case: Case
    profile: Profile | None
    preview: Preview
    rows: tuple[Row, ...]


async def what_if(conn: AsyncConnection, draft: CaseDraft, *, by: str, clock: Clock, keys: KeyRing) -> WhatIf:
    """Preview a draft that nobody opened, where the database takes no change. Refuses what opening it refuses."""
    async with transaction(conn):
        await conn.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
        case = await case_of(conn, draft, by=by, clock=clock, keys=keys)
        wanted = draft.profile
        profile = profiles.choose(profiles.shipped(), wanted, case.opened_at.date()) if wanted else None
        preview, lines = await _worked_out(conn, case, clock, profile)
        return WhatIf(case, profile, preview, tuple(line.row for line in lines[:ROWS_MAX]))


async def preview_of(conn: AsyncConnection, case: Case, *, clock: Clock) -> Preview:
    """The preview of ``case`` in the caller's transaction, which has to be one in which nothing moves."""
    preview, _ = await _worked_out(conn, case, clock, None)
    return preview


async def _worked_out(
    conn: AsyncConnection, case: Case, clock: Clock, profile: Profile | None
) -> tuple[Preview, Sequence[Line]]:
    """The preview with the notice lines. ``profile`` is for a case that is not stored and so is under none yet."""
    started = time.perf_counter()
    affected = await affecting.trace(conn, case.scope)
    draft = await listing.compile_list(conn, case, case.version + 1, affected, None)
    possible = await listing.count_possible(conn, affected)
    sent = [line for line in draft.lines if line.channel != "own"]
    are_dates_told = not sent or any(line.row["ship_dates"] for line in draft.lines)
    findings = await wording_gate.findings(conn, case, are_dates_told=are_dates_told, profile=profile)
    preview = Preview(
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
    return preview, draft.lines


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
