"""Reads that come close together go to the database in one statement, each waited for no longer than its deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Final, Generic, TypeVar

KEYS_MAX: Final = 64
"""Most keys of one statement: a larger one would make the first of them wait for the last."""
WAITING_MAX: Final = 10_000
"""Keys waiting to be read; beyond it a read is not made, and its answer is None, as when it is late."""

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Together(Generic[Key, Value]):
    """Collects the keys that are asked for while a statement runs, and reads them with the next one."""

    def __init__(self, read: Callable[[Sequence[Key]], Awaitable[Mapping[Key, Value] | None]], within_s: float) -> None:
        self._read = read
        self._within_s = within_s
        self._waiting: dict[Key, list[tuple[asyncio.Future[Value | None], asyncio.TimerHandle]]] = {}
        self._worker: asyncio.Task[None] | None = None

    def ask(self, key: Key) -> asyncio.Future[Value | None]:
        """The value, to be awaited; None when there is none, when it cannot be read, and when it is late."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Value | None] = loop.create_future()
        waiting = self._waiting.get(key)
        if waiting is None and len(self._waiting) >= WAITING_MAX:
            answer.set_result(None)
            return answer
        if waiting is None:
            waiting = self._waiting[key] = []
        waiting.append((answer, loop.call_later(self._within_s, _tell, answer, None)))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        return answer

    async def close(self) -> None:
        """Answer no more; who still waits is answered None at the deadline."""
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.wait([self._worker])

    async def _work(self) -> None:
        while self._waiting:
            keys = list(self._waiting)[:KEYS_MAX]
            asked = [self._waiting.pop(key) for key in keys]
            found = await self._read(keys)
            for key, waiting in zip(keys, asked, strict=True):
                for answer, late in waiting:
                    late.cancel()
                    _tell(answer, None if found is None else found.get(key))


def _tell(answer: asyncio.Future[Value | None], value: Value | None) -> None:
    if not answer.done():
        answer.set_result(value)
