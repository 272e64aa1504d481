"""Where items are checked, told to the rules of unusual activity: in batches, beside the verdict, coarse on purpose."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from typing import Final, NamedTuple

from portal.live import Live
from runtime.clock import Clock

FLUSH_EVERY_S: Final = 0.2
FLUSH_ROWS: Final = 200
"""So many in so long a time at most: 1,000 a second and process. Looking for copies must not cost what scans cost."""
WRITE_WITHIN_S: Final = 2.0
KEPT_MAX: Final = 20_000
"""Sightings that wait; beyond it new ones are left out, and ``dropped`` says how many. The rules need not see all."""

_REGION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?", re.ASCII)  # ISO 3166-1, or 3166-2
_NOWHERE: Final = ("XX", "T1")  # how edges write "unknown" and "over Tor"


class Sighting(NamedTuple):
    """One check of an item. ``region`` is empty when nobody told; ``visitor`` is a hash salted per day."""

    number: int
    gtin: str | None
    region: str
    visitor: bytes
    state: int | None


def region_of(told: str) -> str:
    """The region as the edge wrote it, when it is one; else empty."""
    region = told.strip().upper()
    return region if _REGION.fullmatch(region) and region[:2] not in _NOWHERE else ""


class Sightings:
    """Takes sightings without waiting; ``run`` writes them."""

    def __init__(self, live: Live, clock: Clock) -> None:
        self._live = live
        self._clock = clock
        self._kept: deque[Sighting] = deque()
        self._writing: asyncio.Task[bool] | None = None
        self.dropped = 0

    def has_room(self) -> bool:
        """Whether one more is kept; when not, it counts as dropped."""
        if len(self._kept) < KEPT_MAX:
            return True
        self.dropped += 1
        return False

    def add(self, sighting: Sighting) -> None:
        """Keep one sighting, for which ``has_room``."""
        self._kept.append(sighting)

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await asyncio.sleep(FLUSH_EVERY_S)
            await self.flush()

    async def flush(self) -> bool:
        """Write the oldest batch, or see the one written that is under way; False when that did not work.

        The batch is then kept. Who is cancelled does not stop it: whether a stopped statement was carried out nobody
        knows, so its batch would be lost or written twice.
        """
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
            self._writing.add_done_callback(self._written)
        return await asyncio.shield(self._writing)

    async def close(self) -> None:
        """Write what is kept, as long as that works; nothing may be writing any more but what is under way."""
        if self._writing is not None:
            await self.flush()
        while self._kept and await self.flush():
            pass

    def _written(self, _task: asyncio.Task[bool]) -> None:
        self._writing = None

    async def _write(self) -> bool:
        batch = [self._kept.popleft() for _ in range(min(FLUSH_ROWS, len(self._kept)))]
        if not batch:
            return False
        columns = [list(column) for column in zip(*batch, strict=True)]
        sql = "SELECT public_note_sightings($1, $2, $3, $4, $5, $6)"
        if await self._live.fetch(sql, *columns, self._clock(), within_s=WRITE_WITHIN_S) is not None:
            return True
        self._kept.extendleft(reversed(batch))
        return False
