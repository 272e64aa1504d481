"""What publishing a case would do, worked out and not done."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import holders
from ledger.codes import KeyRing
from recall import affected as affecting
from recall import counting, listing, profiles, reach, wording_gate
from recall.affected import AffectedSet
from recall.counting import Far
from recall.drafting import case_of
from recall.model import Case, CaseDraft, FirstTotals, Gap, Preview, Saving
from recall.notices import PIECES, Line, Row
from recall.profiles import Profile
from recall.refusals import TooManyExclusions
from recall.scope import describe
from runtime.clock import Clock
from runtime.database import transaction

TellFirst = Callable[[FirstTotals], None]

ROWS_MAX: Final = 20
"""Rows of the notice list that a trial shows."""
SAVINGS_MAX: Final = 50
"""Most exclusions whose savings are told, because the set is worked out once more for each of them."""


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What a draft would come to: the case with its completed texts, the profile it would be under, and its preview.

    ``rows`` are the first ``ROWS_MAX`` rows of the notice list; ``preview.lines`` says how many there are. Where
    lines are counted and not made, there are none.
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


async def preview_of(conn: AsyncConnection, case: Case, *, clock: Clock, first: TellFirst | None = None) -> Preview:
    """The preview of ``case`` in the caller's transaction, which has to be one in which nothing moves.

    ``first`` is told the totals as soon as they are known. Of many lots the lines are counted and not made: their
    figures are the same, and the totals by lot are left out.
    """
    preview, _ = await _worked_out(conn, case, clock, None, first)
    return preview


async def totals_of(conn: AsyncConnection, case: Case) -> FirstTotals:
    """The totals of the preview alone, in the caller's transaction, which has to be one in which nothing moves."""
    started = time.perf_counter()
    far = await counting.look(conn, case.scope)
    totals = await counting.totals(conn, far)
    return FirstTotals(
        case.number, far.ledger_event, totals["items"], far.lots, totals["owners"], totals, _since(started)
    )


async def _worked_out(
    conn: AsyncConnection, case: Case, clock: Clock, profile: Profile | None, first: TellFirst | None = None
) -> tuple[Preview, Sequence[Line]]:
    """The preview with the notice lines, none when they were counted only.

    ``profile`` is for a case that is not stored and so is under none yet.
    """
    started = time.perf_counter()
    far = await counting.look(conn, case.scope)
    is_large = far.lots > listing.LOTS_LISTED_MAX
    totals = await counting.totals(conn, far) if is_large or first is not None else {}
    if first is not None:
        first(FirstTotals(
            case.number, far.ledger_event, totals["items"], far.lots, totals["owners"], totals, _since(started)
        ))  # fmt: skip
    counted = await _counted(conn, far, totals) if is_large else await _listed(conn, case)
    findings = await wording_gate.findings(conn, case, are_dates_told=counted.are_dates_told, profile=profile)
    preview = Preview(
        number=case.number,
        hash=counted.hash,
        ledger_event=far.ledger_event,
        items=int(counted.totals["items"]),
        lots=far.lots,
        owners=int(counted.totals["owners"]),
        lines=int(counted.totals["lines"]),
        totals=counted.totals,
        possible=() if counted.affected is None else await listing.count_possible(conn, counted.affected),
        gaps=counted.gaps,
        wording=tuple(Gap(f"{f.what}{'' if f.blocking else ' (advice)'}", f.where) for f in findings),
        savings=() if counted.affected is None else await _savings(conn, case, counted.affected),
        at=clock(),
        took_ms=_since(started),
    )
    return preview, counted.lines


@dataclass(frozen=True, slots=True)
class _Counted:
    """What was counted, one way or the other. ``affected`` None: all lots whole and sure, and nothing excluded."""

    affected: AffectedSet | None
    hash: str
    totals: Mapping[str, Any]
    gaps: tuple[Gap, ...]
    are_dates_told: bool
    lines: Sequence[Line] = ()


async def _listed(conn: AsyncConnection, case: Case) -> _Counted:
    affected = await affecting.trace(conn, case.scope, with_steps=False)
    draft = await listing.compile_list(conn, case, case.version + 1, affected, None)
    sent = [line for line in draft.lines if line.channel != "own"]
    are_dates_told = not sent or any(line.row["ship_dates"] for line in draft.lines)
    return _Counted(affected, affected.hash, draft.totals, draft.gaps, are_dates_told, draft.lines)


async def _counted(conn: AsyncConnection, far: Far, totals: Mapping[str, Any]) -> _Counted:
    are_dates_told = all(entry["channel"] == "own" for entry in totals["by_channel"]) or await reach.are_shipped(
        conn, [*far.whole, *(lot.lot_id for lot in far.parts)]
    )
    told = {**totals, "bounds": await counting.bounds(conn, far)}
    return _Counted(
        far.affected, await counting.hash_of(conn, far), told, await _gaps(conn, far, totals), are_dates_told
    )


async def _gaps(conn: AsyncConnection, far: Far, totals: Mapping[str, Any]) -> tuple[Gap, ...]:
    owners = await reach.owners(conn, (entry["owner_id"] for entry in totals["by_owner"]))
    found = [gap for entry in totals["by_owner"] for gap in listing.gaps_of_owner(entry["owner_id"], owners)]
    rows, count = await reach.below_zero(conn, far.whole, rows_max=listing.GAPS_MAX)
    found += [listing.gap_below_zero(-row.quantity, row.uom, row.code, row.gtin) for row in rows]
    return listing.limited(found, len(found) + count - len(rows))


def _since(started: float) -> int:
    return round((time.perf_counter() - started) * 1000)


async def _savings(conn: AsyncConnection, case: Case, affected: AffectedSet) -> tuple[Saving, ...]:
    """What each exclusion takes out by itself: the set worked out once more without it, and compared."""
    if len(case.scope.exclude) > SAVINGS_MAX:
        raise TooManyExclusions(exclusions=len(case.scope.exclude), exclusions_max=SAVINGS_MAX)
    savings = []
    reached = await _pieces(conn, affected)
    for k, exclusion in enumerate(case.scope.exclude):
        others = case.scope.exclude[:k] + case.scope.exclude[k + 1 :]
        wider = await affecting.trace(conn, replace(case.scope, exclude=others), with_steps=False)
        items, lots = await _pieces(conn, wider) - reached, len(wider.lots) - len(affected.lots)
        savings.append(Saving(describe(exclusion.line), exclusion.reason, exclusion.by, items, lots))
    return tuple(savings)


async def _pieces(conn: AsyncConnection, affected: AffectedSet) -> int:
    held = await holders.holdings(conn, (lot.reached for lot in affected.lots))
    return ceil(sum(holding.quantity for holding in held if holding.quantity > 0 and holding.uom in PIECES))
