"""Do the ledger's books balance? Counted again from the runs, never trusted."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


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
        SELECT FROM number_block b WHERE r.lo >= b.lo AND r.lo + r.n <= b.lo + b.n)
"""
# A packed run is where its outermost unit is; counted from there, a lot's pieces are what its holdings say, by place.
# Class-level pieces (quantities told without serials) are in the holdings too, so the runs may not exceed them.
_HOLDINGS = """
    WITH RECURSIVE outermost (unit_id, top) AS (
        SELECT unit_id, unit_id FROM unit WHERE parent_id IS NULL
        UNION ALL
        SELECT u.unit_id, o.top FROM unit u JOIN outermost o ON u.parent_id = o.unit_id
    ), counted AS (
        SELECT r.lot_id, coalesce(u.place_id, r.place_id) AS place_id,
               coalesce(u.owner_id, r.owner_id) AS owner_id, sum(r.n) AS n
        FROM code_run r LEFT JOIN outermost o ON o.unit_id = r.unit_id LEFT JOIN unit u ON u.unit_id = o.top
        GROUP BY 1, 2, 3
    ), held AS (
        SELECT lot_id, place_id, owner_id, sum(quantity) AS n FROM lot_holding WHERE uom = '' GROUP BY 1, 2, 3
    )
    SELECT counted.lot_id, counted.place_id, counted.owner_id, counted.n, held.n
    FROM counted LEFT JOIN held USING (lot_id, place_id, owner_id) WHERE counted.n > coalesce(held.n, 0)
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
    "each run lies in a block of numbers": _OUTSIDE,
    "holdings cover every serialized item, place by place": _HOLDINGS,
    "no unit is inside itself": _CYCLES,
}


async def examine(conn: AsyncConnection) -> list[Check]:
    """Run every check over the whole ledger; time grows with it."""
    checks = []
    for what, sql in _CHECKS.items():
        rows = (await conn.execute(text(sql))).all()
        checks.append(Check(what, len(rows), str(tuple(rows[0])) if rows else None))
    return checks
