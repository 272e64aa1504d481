"""Reads and writes beside the verdict: each has a deadline, and the answer stands without it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple

import asyncpg
import structlog

from portal.model import Content, Step
from runtime.database import DatabaseAddress, Role
from web.problems import is_of_the_world

POOL_SIZE: Final = 8
PATIENCE_OF_A_FILE: Final = 20.0
"""A whole file is checked beside no page: nobody holds a phone, and a late answer is worth more than none."""
CONNECT_WITHIN_S: Final = 2.0
REST_S: Final = 1.0
"""After a failure to connect nobody tries again for so long: a database that is away is not asked once per scan."""
GIVE_BACK_WITHIN_S: Final = 1.0
"""So long a late statement may take to be stopped; then its connection is ended, and another made when needed."""
SAY_AGAIN_S: Final = 60.0
HISTORY_WITHIN_S: Final = 0.15
HISTORY_STEPS_MAX: Final = 12
"""Steps shown; the newest ones. It is a page for shoppers, not the record."""
LOTS_TOLD_WITHIN_S: Final = 2.0
CONTENTS_WITHIN_S: Final = 0.25
CONTENTS_ROWS_MAX: Final = 200_000

_FAILURES = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
_log = structlog.get_logger("portal")


class ContentsTooMany(Exception):
    """The unit holds more runs than are judged in one answer: nothing is said rather than a part."""


class Life(NamedTuple):
    """What happened to an item or a lot. ``is_shared``: to every item of its run alike."""

    steps: tuple[Step, ...]
    is_shared: bool


class News(NamedTuple):
    """The lots of which something was told, None when they are too many, and the watermark of the next look."""

    watermark: int
    lots: list[int] | None


class Live:
    """A pool of the portal's role, made when first needed; asyncpg makes its lost connections again.

    ``patience``: so many times the deadlines of its callers are waited for.
    """

    def __init__(self, address: DatabaseAddress, *, patience: float = 1.0) -> None:
        self._address = address
        self.patience = patience
        self._pool: asyncpg.Pool | None = None
        self._making: asyncio.Task[asyncpg.Pool] | None = None
        self._rests_until = float("-inf")
        self._said_at: dict[str, float] = {}
        self._giving_back: set[asyncio.Task[None]] = set()

    async def fetch(self, sql: str, *arguments: object, within_s: float) -> list[Any] | None:
        """The rows; None when the database did not answer within the deadline. Failures of ours are logged."""
        try:
            async with asyncio.timeout(within_s * self.patience):
                pool = await self._open()
                if pool is None:
                    return None
                return await self._fetch(pool, sql, arguments)
        except _FAILURES as error:
            if not is_of_the_world(error):
                self._say(sql, error)
            return None

    async def _fetch(self, pool: asyncpg.Pool, sql: str, arguments: Sequence[object]) -> list[Any]:
        connection = await pool.acquire()
        try:
            rows: list[Any] = await connection.fetch(sql, *arguments)
        except BaseException:
            # Not waited for: a statement that is late is being stopped, and on a wire that passes nothing for ever.
            task = asyncio.create_task(_give_back(pool, connection))
            self._giving_back.add(task)
            task.add_done_callback(self._giving_back.discard)
            raise
        await pool.release(connection)
        return rows

    async def histories(self, wanted: Sequence[tuple[int | None, int | None]]) -> list[Life] | None:
        """The lives of items (number, lot) or lots (None, lot), in the order asked; None when they are late."""
        sql = (
            "SELECT w.i, w.number IS NOT NULL AND public_history_is_shared(w.number) AS is_shared,"
            " h.at, h.step, h.role, h.place_kind, h.region, h.country, h.party"
            " FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS w (number, lot_id, i)"
            " LEFT JOIN LATERAL public_history(w.number, w.lot_id, $3)"
            " WITH ORDINALITY AS h (at, step, place_kind, region, country, role, party, k) ON true ORDER BY w.i, h.k"
        )
        numbers, lots = [number for number, _ in wanted], [lot_id for _, lot_id in wanted]
        rows = await self.fetch(sql, numbers, lots, HISTORY_STEPS_MAX, within_s=HISTORY_WITHIN_S)
        if rows is None:
            return None
        found: list[list[Step]] = [[] for _ in wanted]
        shared = [False for _ in wanted]
        for row in rows:
            shared[row["i"] - 1] = row["is_shared"]
            if row["step"] is not None:
                found[row["i"] - 1].append(Step(*(row[name] for name in Step.__dataclass_fields__)))
        return [Life(tuple(steps), is_shared) for steps, is_shared in zip(found, shared, strict=True)]

    async def lots_told(self, since: int | None, limit: int) -> News | None:
        """Of which lots something was told since a watermark (None: only the watermark); None when it is late."""
        sql = "SELECT watermark, lots FROM public_lots_told($1, $2)"
        rows = await self.fetch(sql, since, limit, within_s=LOTS_TOLD_WITHIN_S)
        return None if rows is None else News(rows[0]["watermark"], rows[0]["lots"])

    async def contents(self, sscc: str) -> tuple[Content, ...] | None:
        """What is inside a unit. Empty: nothing, or no such unit (``unit_exists`` knows). None: no answer in time."""
        sql = "SELECT lot_id, lo, n, quantity, uom FROM public_unit_contents($1) LIMIT $2"
        rows = await self.fetch(sql, sscc, CONTENTS_ROWS_MAX + 1, within_s=CONTENTS_WITHIN_S)
        if rows is None:
            return None
        if len(rows) > CONTENTS_ROWS_MAX:
            raise ContentsTooMany
        return tuple(
            Content(row["lot_id"], row["lo"], row["n"], float(row["quantity"] or 0), row["uom"] or "") for row in rows
        )

    async def unit_exists(self, sscc: str) -> bool | None:
        """Whether the unit was ever told of; None when the database did not answer in time."""
        rows = await self.fetch("SELECT public_unit_exists($1) AS it", sscc, within_s=CONTENTS_WITHIN_S)
        return None if rows is None else bool(rows[0]["it"])

    async def warm(self) -> None:
        """Make the pool before the first scan comes; without a database it is made later."""
        await self.fetch("SELECT 1", within_s=CONNECT_WITHIN_S)

    async def close(self) -> None:
        """Let go of the connections."""
        if self._making is not None:
            self._making.cancel()
        if self._pool is not None:
            self._pool.terminate()
            self._pool = None
        await asyncio.gather(*self._giving_back, return_exceptions=True)

    def _say(self, sql: str, error: Exception) -> None:
        """Log a failure of ours, each statement's once a minute: one per scan would bury the log."""
        now = time.monotonic()
        if now >= self._said_at.get(sql, float("-inf")) + SAY_AGAIN_S:
            self._said_at[sql] = now
            _log.error("a read beside the verdict failed", sql=sql, exc_info=error)

    async def _open(self) -> asyncpg.Pool | None:
        """The pool. It is made in a task of its own: a caller whose deadline passes must not stop it half way."""
        if self._pool is not None:
            return self._pool
        if self._making is None and time.monotonic() >= self._rests_until:
            self._rests_until = time.monotonic() + REST_S
            self._making = asyncio.create_task(self._make())
            self._making.add_done_callback(self._made)
        return None if self._making is None else await asyncio.shield(self._making)

    async def _make(self) -> asyncpg.Pool:
        async with asyncio.timeout(CONNECT_WITHIN_S * self.patience):
            return await self._address.pool(Role.PORTAL, size=POOL_SIZE)

    def _made(self, task: asyncio.Task[asyncpg.Pool]) -> None:
        self._making = None
        if not task.cancelled() and task.exception() is None:
            self._pool = task.result()


async def _give_back(pool: asyncpg.Pool, connection: Any) -> None:
    with suppress(*_FAILURES):  # the connection was lost, or is ended: the pool makes another
        await pool.release(connection, timeout=GIVE_BACK_WITHIN_S)
