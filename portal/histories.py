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

HISTORY_AGE_S_MAX: Final = 5.0
"""How old a kept history may be: who opens the page again after a step was recorded sees it a few seconds later."""
HISTORIES_MAX: Final = 10_000
"""Histories kept; the one kept longest makes room."""


class Whose(NamedTuple):
    """Whose history. ``state`` and ``revision`` are part of it: what changes them is seen at once, whatever the age."""

    number: int | None
    lot_id: int | None
    state: CodeState | None
    revision: int


class Histories:
    """Reads histories within a deadline. An empty one is kept as well; one that did not come in time is not."""

    def __init__(self, live: Live, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._live = live
        self._monotonic = monotonic
        self._kept: OrderedDict[Whose, tuple[float, tuple[Step, ...]]] = OrderedDict()
        self._together: Together[Whose, tuple[Step, ...]] = Together(self._read, HISTORY_WITHIN_S)

    def kept(self, whose: Whose) -> tuple[Step, ...] | None:
        """The history when it was read a moment ago; None when it has to be read."""
        found = self._kept.get(whose)
        if found is None:
            return None
        if self._monotonic() - found[0] > HISTORY_AGE_S_MAX:
            del self._kept[whose]
            return None
        return found[1]

    def ask(self, whose: Whose) -> asyncio.Future[tuple[Step, ...] | None]:
        """The life of the item, or of the lot, to be awaited; None when it does not come in time."""
        return self._together.ask(whose)

    async def close(self) -> None:
        """Read no more."""
        await self._together.close()

    async def _read(self, wanted: Sequence[Whose]) -> Mapping[Whose, tuple[Step, ...]] | None:
        asked_at = self._monotonic()
        told = await self._live.histories([(whose.number, whose.lot_id) for whose in wanted])
        if told is None:
            return None
        found = dict(zip(wanted, told, strict=True))
        for whose, steps in found.items():
            self._kept[whose] = (asked_at, steps)
            self._kept.move_to_end(whose)
        while len(self._kept) > HISTORIES_MAX:
            self._kept.popitem(last=False)
        return found
