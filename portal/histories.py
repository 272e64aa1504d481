"""The histories shown beside a verdict, read many at a time and kept for a moment. No recall depends on them."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from portal.live import HISTORY_WITHIN_S, Live
from portal.model import CodeState, Step
from portal.together import Together

HISTORY_FRESH_S: Final = 30.0
"""A kept history older than this, or up to twice this, is shown on while it is read again beside it: each has an age of
its own, so that those read together are not read again together. Only when it is not known what was told since."""
HISTORY_AGE_S_MAX: Final = 300.0
"""One older than this is waited for. A step of the item itself changes its run, and is seen at once."""
HISTORIES_MAX: Final = 20_000
"""Histories kept; the one kept longest makes room."""


CONFIRMED_FOR_S: Final = 10.0
"""A history of whose lot nothing was told since it was read is as good as one just read, for so long at a time."""
QUIET_S_MAX: Final = 900.0
"""Older than this, or up to twice this, it is read anew all the same: a partner or place may have another name."""
LOOK_EVERY_S: Final = 1.0
LOOKED_WITHIN_S: Final = 10.0
"""When nobody could look for so long, histories go by their age alone."""
TOLD_MAX: Final = 100_000
"""Lots of which it is known when something was last told; beyond it something was told of every one."""
REFRESHES_MAX: Final = 256
"""Histories read anew at a time for who does not wait; one more is asked for when it is next shown."""


class Whose(NamedTuple):
    """Whose history. ``run``, ``state`` and ``revision`` are part of it: what changes them is seen at once."""

    number: int | None
    lot_id: int | None
    state: CodeState | None
    revision: int
    run: int | None = None
    """Where the item's run begins: items of one run mostly share their history (``public_history_is_shared``)."""

    @property
    def all_of_the_run(self) -> Whose:
        """Every item of the run."""
        return self._replace(number=None)


class Kept(NamedTuple):
    """A history, for how many seconds it is fresh, and for how many it may be shown while it is read anew."""

    steps: tuple[Step, ...]
    fresh_s: float
    shown_s: float


class Histories:
    """Reads histories within a deadline. An empty one is kept as well; one that did not come in time is not."""

    def __init__(self, live: Live, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._live = live
        self._monotonic = monotonic
        self._kept: OrderedDict[Whose, tuple[float, tuple[Step, ...]]] = OrderedDict()
        self._refreshing: set[Whose] = set()
        self._since: int | None = None
        self._looked_at = float("-inf")
        self._told_at: dict[int, float] = {}
        self._all_told_at = float("-inf")
        self._together: Together[Whose, tuple[Step, ...]] = Together(self._read, HISTORY_WITHIN_S * live.patience)

    def kept(self, whose: Whose) -> tuple[Step, ...] | None:
        """The history when it was read a while ago, of the item or of its run; None when it has to be waited for."""
        key = self._key(whose)
        found = self._kept.get(key)
        if found is None:
            return None
        left = self._left(key, found)
        if left.shown_s < 0:
            return None
        if left.fresh_s < 0:
            self._refresh(whose, key)
        return left.steps

    def of_the_run(self, whose: Whose) -> Kept | None:
        """The history that all items of the run share, as it was last read; None when it was not, or they do not."""
        key = whose.all_of_the_run
        found = self._kept.get(key)
        return None if found is None else self._left(key, found)

    def again(self, whose: Whose) -> Kept | None:
        """As ``of_the_run``; read anew beside when it is not fresh, and nobody waits."""
        found = self.of_the_run(whose)
        if found is None or found.fresh_s <= 0:
            self._refresh(whose, whose.all_of_the_run)
        return found

    def ask(self, whose: Whose) -> asyncio.Future[tuple[Step, ...] | None]:
        """The life of the item, or of the lot, to be awaited; None when it does not come in time."""
        return self._together.ask(whose)

    async def run(self) -> None:
        """Look of which lots something was told, until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Learn of which lots something was told since the last look; their histories are not fresh any more."""
        asked_at = self._monotonic()
        news = await self._live.lots_told(self._since, TOLD_MAX)
        if news is None:
            return
        now = self._monotonic()
        is_first_or_went_back = self._since is None or news.watermark < self._since
        if is_first_or_went_back or news.lots is None or len(self._told_at) + len(news.lots) > TOLD_MAX:
            self._all_told_at = now
            self._told_at.clear()
        else:
            self._told_at.update(dict.fromkeys(news.lots, now))
        self._since, self._looked_at = news.watermark, asked_at

    async def close(self) -> None:
        """Read no more."""
        await self._together.close()

    def _left(self, key: Whose, found: tuple[float, tuple[Step, ...]]) -> Kept:
        """How long a history that was read is fresh. By what was told of its lot since, when that is known."""
        read_at, steps = found
        now = self._monotonic()
        if key.lot_id is None or now - self._looked_at > LOOKED_WITHIN_S:
            return Kept(steps, HISTORY_FRESH_S * _spread(key) - (now - read_at), HISTORY_AGE_S_MAX - (now - read_at))
        told_at = max(self._all_told_at, self._told_at.get(key.lot_id, float("-inf")))
        if read_at <= told_at:
            return Kept(steps, -1.0, HISTORY_AGE_S_MAX - (now - told_at))
        is_young = now - read_at <= QUIET_S_MAX * _spread(key)
        return Kept(steps, CONFIRMED_FOR_S if is_young else -1.0, HISTORY_AGE_S_MAX)

    def _key(self, whose: Whose) -> Whose:
        of_run = whose.all_of_the_run
        return of_run if whose.number is not None and of_run in self._kept else whose

    def _refresh(self, whose: Whose, key: Whose) -> None:
        """Read anew, and nobody waits. Once for all who share it: each of them would ask by a number of its own."""
        if key not in self._refreshing and len(self._refreshing) < REFRESHES_MAX:
            self._refreshing.add(key)
            self.ask(whose).add_done_callback(lambda _answer: self._refreshing.discard(key))

    async def _read(self, wanted: Sequence[Whose]) -> Mapping[Whose, tuple[Step, ...]] | None:
        asked_at = self._monotonic()
        told = await self._live.histories([(whose.number, whose.lot_id) for whose in wanted])
        if told is None:
            return None
        for whose, life in zip(wanted, told, strict=True):
            is_of_the_run = life.is_shared and whose.run is not None
            key = whose.all_of_the_run if is_of_the_run else whose
            self._kept[key] = (asked_at, life.steps)
            self._kept.move_to_end(key)
        while len(self._kept) > HISTORIES_MAX:
            self._kept.popitem(last=False)
        return {whose: life.steps for whose, life in zip(wanted, told, strict=True)}


def _spread(key: Whose) -> float:
    return 1 + hash(key) % 100 / 100
