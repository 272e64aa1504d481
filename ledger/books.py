"""Do the ledger's books balance? Counted again from the runs, never trusted."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import book_store, event_store
from ledger.codes import KeyRing
from ledger.replay import rebuild
from runtime.database import transaction
from runtime.refusals import Conflict


@dataclass(frozen=True, slots=True)
class Check:
    """One rule of the books, how many rows break it, and one of them."""

    what: str
    wrong: int
    example: str | None


# Runs never overlap (kept by the writer's lock, not by a constraint), and a run lies inside one block of numbers.
_OVERLAPS = """
    SELECT lo, before FROM (SELECT lo, lag(lo + n) OVER (ORDER BY lo) AS before FROM code_run) AS runs WHERE before > lo
"""
_OUTSIDE = """
    SELECT r.lo FROM code_run r WHERE NOT EXISTS (
        SELECT FROM number_block b WHERE r.lo >= b.lo AND r.lo < b.lo + b.n)
    OR NOT EXISTS (
        SELECT FROM number_block b WHERE r.lo + r.n - 1 >= b.lo AND r.lo + r.n <= b.lo + b.n)
"""
_CYCLES = """
    WITH RECURSIVE up (unit_id, parent_id, depth) AS (
        SELECT unit_id, parent_id, 1 FROM unit WHERE parent_id IS NOT NULL
        UNION
        SELECT up.unit_id, u.parent_id, up.depth + 1 FROM up JOIN unit u ON u.unit_id = up.parent_id
        WHERE u.parent_id IS NOT NULL AND up.depth < 50
    ) SELECT unit_id FROM up WHERE depth >= 50 OR unit_id = parent_id
"""
_CHECKS = {
    "runs of numbers never overlap": _OVERLAPS,
    "each run lies in blocks of numbers": _OUTSIDE,
    "no unit is inside itself": _CYCLES,
}
_HOLDINGS = "holdings equal a full recount"


class BooksDiffer(Conflict):
    """Written anew, the book would not balance ({what}); it was left as it was. Keep a backup and report this."""


async def write_anew(conn: AsyncConnection, keys: KeyRing) -> int:
    """Write the whole book anew from the events, which are the truth; how many they were. Nobody else writes meanwhile.

    Raises ``BooksDiffer`` when a check fails afterwards: nothing is changed then.
    """
    async with transaction(conn):
        await event_store.begin(conn)
        count = await rebuild(conn, keys)
        wrong = [check for check in await examine(conn) if check.wrong]
        if wrong:
            raise BooksDiffer(what=wrong[0].what)
        await event_store.notify_codes(conn)
    return count


async def examine(conn: AsyncConnection) -> list[Check]:
    """Run every check over the whole ledger; time grows with it."""
    checks = []
    for what, sql in _CHECKS.items():
        rows = (await conn.execute(text(sql))).all()
        checks.append(Check(what, len(rows), str(tuple(rows[0])) if rows else None))
    differing = await book_store.differences(conn)
    return [*checks, Check(_HOLDINGS, len(differing), str(differing[0]) if differing else None)]
