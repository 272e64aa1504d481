"""The log of scans: kept in memory, written in batches, coarse on purpose (the minute, no address)."""

from __future__ import annotations

import asyncio
from collections import deque
from datetime import datetime
from typing import Any, Final, NamedTuple

from portal.live import Live

FLUSH_AFTER_S: Final = 0.02
"""A scan is written this soon after the one before it was: few rows at a time hold nobody up."""
FLUSH_ROWS: Final = 500
WRITE_WITHIN_S: Final = 2.0
TRY_AGAIN_AFTER_S: Final = 1.0
KEPT_MAX: Final = 100_000
"""Scans kept while the database is away; the oldest make room, and ``dropped`` says how many did."""


class Scan(NamedTuple):
    """One opening of a code's address."""

    at: datetime
    gtin: str | None
    lot_id: int | None
    number: int | None
    verdict: str
    language: str
    client: str


class ScanLog:
    """Takes scans without waiting; ``run`` writes them."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._kept: deque[Scan] = deque()
        self._some = asyncio.Event()
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, scan: Scan) -> None:
        """Keep one scan; it is written with its minute only."""
        if len(self._kept) >= KEPT_MAX:
            self._kept.popleft()
            self.dropped += 1
        if not self._kept:
            self._some.set()
        self._kept.append(scan)

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._some.wait()
            self._some.clear()
            await asyncio.sleep(FLUSH_AFTER_S)
            while self._kept:
                if not await self.flush():
                    await asyncio.sleep(TRY_AGAIN_AFTER_S)

    async def flush(self) -> bool:
        """Write the oldest batch; False when that did not work, and the batch is kept."""
        batch = [self._kept.popleft() for _ in range(min(FLUSH_ROWS, len(self._kept)))]
        if not batch:
            return False
        columns: list[list[Any]] = [list(column) for column in zip(*batch, strict=True)]
        columns[0] = [at.replace(second=0, microsecond=0) for at in columns[0]]
        sql = "SELECT public_log_scans($1, $2, $3, $4, $5, $6, $7)"
        if await self._live.fetch(sql, *columns, within_s=WRITE_WITHIN_S) is not None:
            return True
        room = max(KEPT_MAX - len(self._kept), 0)
        self.dropped += max(len(batch) - room, 0)
        self._kept.extendleft(reversed(batch[len(batch) - min(room, len(batch)) :]))
        return False
