"""The log of scans: kept in memory, written in batches, coarse on purpose (the minute, no address)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
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


class Opening(NamedTuple):
    """What many share."""

    gtin: str | None
    verdict: str
    language: str


Scan = tuple[datetime, int | None, int | None, Opening, str]
"""One opening of a code's address: when, the numbers of item and lot if there are any, what was said, what asked."""


# Arrays of numbers as PostgreSQL writes them: the driver asks of each element whether it is an array itself.
_WRITE: Final = (
    "SELECT public_log_openings($1::text::bigint[], $2::text::bigint[], $3::text::bigint[], $4::text::int[],"
    " $5, $6, $7, $8)"
)


_BRACES: Final = str.maketrans("[]", "{}")


class ScanLog:
    """Takes scans without waiting; ``run`` writes them."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._kept: deque[Scan] = deque()
        self._writing: asyncio.Task[bool] | None = None
        self._some = asyncio.Event()
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, *scans: Scan) -> None:
        """Keep scans; of when they were only the minute is written."""
        kept = self._kept
        if not kept and scans:
            self._some.set()
        kept.extend(scans)
        while len(kept) > KEPT_MAX:
            kept.popleft()
            self.dropped += 1

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
        if await self._live.fetch(_WRITE, *_columns(batch), within_s=WRITE_WITHIN_S) is not None:
            return True
        room = max(KEPT_MAX - len(self._kept), 0)
        self.dropped += max(len(batch) - room, 0)
        self._kept.extendleft(reversed(batch[len(batch) - min(room, len(batch)) :]))
        return False


def _columns(batch: Sequence[Scan]) -> tuple[Any, ...]:
    """Numbers only, for each scan, and once what many share: texts cost ten times as much to send."""
    ats, numbers, lots, openings, clients = zip(*batch, strict=True)
    told = list(zip(_minutes(ats), openings, clients, strict=True))
    kinds: dict[tuple[datetime, str, str, str], str] = {}
    kind_of, gtin_of = {}, {}
    for each in dict.fromkeys(told):
        minute, (gtin, verdict, language), client = each
        kind_of[each] = kinds.setdefault((minute, verdict, language, client), str(len(kinds) + 1))
        gtin_of[each] = _number(gtin)
    shared = (list(column) for column in zip(*kinds, strict=True))
    gtins, told_kinds = (",".join([of[each] for each in told]) for of in (gtin_of, kind_of))
    return _array(numbers), _array(lots), f"{{{gtins}}}", f"{{{told_kinds}}}", *shared


def _number(gtin: str | None) -> str:
    return "NULL" if gtin is None else str(int(gtin))


def _minutes(ats: Sequence[datetime]) -> Sequence[datetime]:
    """Of instants in their order: mostly all of one minute."""
    first, last = (at.replace(second=0, microsecond=0) for at in (ats[0], ats[-1]))
    return [first] * len(ats) if first == last else [at.replace(second=0, microsecond=0) for at in ats]


def _array(numbers: Iterable[int | None]) -> str:
    """As PostgreSQL reads one: Python writes a list the same way but for its brackets and for what is not there."""
    return str(list(numbers)).replace("None", "NULL").translate(_BRACES)
