"""Counts checks of items: many scans in one statement, each waiting no longer than its deadline."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache, partial
from ipaddress import ip_address, ip_network
from typing import Final

from portal.live import Live
from portal.model import Checks
from portal.together import Together
from runtime.clock import Clock

STATEMENT_WITHIN_S: Final = 2.0
BATCH_MAX: Final = 256
WAITING_MAX: Final = 10_000
"""Scans waiting to be counted; beyond it they are not counted, and ``missed`` says how many."""
COUNTS_KEPT_MAX: Final = 20_000
"""Counts that this process knows without asking, for products whose pages do not wait."""
NETWORKS_MAX: Final = 4_096
"""Addresses whose network is kept, in memory only: the same phone opens several pages."""


Tell = Callable[["Checks | None"], None]
"""Is called once: with the count, or with None when it is not known in time."""


@dataclass(slots=True)
class _Waiting:
    number: int
    visitor: bytes
    tells: list[Tell]
    late_at: float

    def tell(self, checks: Checks | None) -> None:
        tells, self.tells = self.tells, []
        for tell in tells:
            tell(checks)


class CheckCounter:
    """Exactly one caller is told that it was the first: the database counts, and a number stands once in a batch.

    A page waits ``within_s`` for its count. The count goes on, and is durable, when the page does not wait.
    """

    def __init__(self, live: Live, clock: Clock, *, within_s: float) -> None:
        self._live = live
        self._clock = clock
        self._within_s = within_s
        self._waiting: deque[_Waiting] = deque()
        self._impatient: deque[_Waiting] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._worker: asyncio.Task[None] | None = None
        self._reads: Together[int, Checks] = Together(self._read, within_s)
        self._last: dict[int, Checks] = {}
        self.missed = 0

    def ask(self, number: int, visitor: bytes, tell: Tell) -> None:
        """Count one check of the item and tell the count; None when it is not known in time. It goes on all the same.

        One timer for all who wait: one for each costs a tenth of a page.
        """
        if len(self._waiting) >= WAITING_MAX:
            self.missed += 1
            tell(None)
            return
        loop = asyncio.get_running_loop()
        waiting = _Waiting(number, visitor, [tell], loop.time() + self._within_s)
        self._waiting.append(waiting)
        self._impatient.append(waiting)
        if self._timer is None:
            self._timer = loop.call_later(self._within_s, self._give_up)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())

    async def count(self, number: int, visitor: bytes) -> Checks | None:
        """As ``ask``, to be awaited."""
        answer: asyncio.Future[Checks | None] = asyncio.get_running_loop().create_future()
        self.ask(number, visitor, lambda checks: None if answer.done() else answer.set_result(checks))
        return await answer

    def count_later(self, number: int, visitor: bytes) -> Checks | None:
        """Count without waiting; the count as this process last knew it, which does not include this opening."""
        self.ask(number, visitor, partial(self._remember, number))
        return self._last.get(number)

    async def read(self, number: int) -> Checks | None:
        """The count as it is, without counting; None when there is none, or it is not known in time."""
        return await self._reads.ask(number)

    def tell(self, number: int, tell: Tell) -> None:
        """As ``read``, told."""
        self._reads.ask(number).add_done_callback(lambda answer: tell(answer.result()))

    async def close(self) -> None:
        """Count what waits, then stop."""
        await self.settle()
        if self._worker is not None:
            self._worker.cancel()
        await self._reads.close()

    async def settle(self) -> None:
        """Wait until what waits is counted, no longer than a statement may take."""
        if self._worker is not None:
            await asyncio.wait([self._worker], timeout=STATEMENT_WITHIN_S * self._live.patience)

    def _give_up(self) -> None:
        loop = asyncio.get_running_loop()
        now, waiting = loop.time(), self._impatient
        while waiting and (waiting[0].late_at <= now or not waiting[0].tells):
            waiting.popleft().tell(None)
        self._timer = loop.call_later(waiting[0].late_at - now, self._give_up) if waiting else None

    async def _work(self) -> None:
        while self._waiting:
            batch = self._next_batch()
            known = await self._counted(batch, self._clock())
            for each in batch:
                each.tell(known.get(each.number))

    def _next_batch(self) -> list[_Waiting]:
        """One number at most once: of two scans of an item at one moment, the second is counted after the first."""
        batch: dict[int, _Waiting] = {}
        waiting, self._waiting = self._waiting, deque()
        for each in waiting:
            same = batch.get(each.number)
            if same is not None and same.visitor == each.visitor:
                same.tells, each.tells = (
                    same.tells + each.tells,
                    [],
                )  # who reloads a page twice at once is still one check
            elif same is not None or len(batch) == BATCH_MAX:
                self._waiting.append(each)
            else:
                batch[each.number] = each
        return list(batch.values())

    async def _read(self, numbers: Sequence[int]) -> Mapping[int, Checks] | None:
        sql = "SELECT number, n, first_at FROM public_read_checks($1)"
        rows = await self._live.fetch(sql, list(numbers), within_s=self._within_s)
        if rows is None:
            return None
        return {number: Checks(n, first_at, includes_this=False) for number, n, first_at in rows}

    async def _counted(self, batch: list[_Waiting], seen_at: datetime) -> dict[int, Checks]:
        sql = "SELECT number, n, first_at FROM public_count_checks($1, $2, $3)"
        numbers, visitors = [each.number for each in batch], [each.visitor for each in batch]
        rows = await self._live.fetch(sql, numbers, visitors, seen_at, within_s=STATEMENT_WITHIN_S)
        if rows is None:
            self.missed += len(batch)
        return {number: Checks(n, first_at) for number, n, first_at in rows or ()}

    def _remember(self, number: int, checks: Checks | None) -> None:
        if checks is not None:
            if len(self._last) >= COUNTS_KEPT_MAX:
                self._last.clear()
            self._last[number] = replace(checks, includes_this=False)


def visitor_hash(secret: bytes, address: str, user_agent: str, at: datetime) -> bytes:
    """Who scanned, only as far as to know them again today: a hash of a shortened address, salted by the day.

    The address is cut to /24 (IPv4) or /48 (IPv6) first, so that it cannot be had back even by trying all of them.
    """
    hashed = _salted(secret, at.date()).copy()
    hashed.update(f"{_network(address)}\n{user_agent}".encode())
    return hashed.digest()


@lru_cache(maxsize=2)
def _salted(secret: bytes, day: date) -> hashlib.blake2b:
    """Begun with the salt of the day: to begin anew costs as much as all the rest."""
    return hashlib.blake2b(digest_size=16, key=hmac.digest(secret, f"visitor/{day.isoformat()}".encode(), "sha256"))


@lru_cache(maxsize=NETWORKS_MAX)
def _network(address: str) -> str:
    try:
        return str(ip_network((address, 48 if ip_address(address).version == 6 else 24), strict=False).network_address)
    except ValueError:
        return ""
