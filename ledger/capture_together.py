"""Small documents that wait at the same moment, captured in one transaction.

Most of what a small document costs is asked of the database once a transaction, however many events it has. While one
transaction is under way others gather, so nobody waits for company that does not come.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import event_store
from ledger.capture import Looked, capture_looked, look
from ledger.codes import KeyRing
from ledger.epcis.master_data import MasterDataTold, master_data_of
from ledger.epcis.told import Told
from ledger.event_store import Origin
from ledger.model import CaptureReport
from ledger.recording import record_told
from ledger.taking import Asked, Behaviour, Taking, tried
from runtime.clock import Clock
from runtime.database import transaction
from runtime.refusals import Fault, Refusal

EVENTS_EACH_MAX: Final = 100
"""Most events of a document that shares its transaction; a larger one is captured by itself."""
EVENTS_MAX: Final = 500
"""Most events of a transaction that documents share."""
GROUPS_MAX: Final = 2
"""Transactions of this kind at a time in one process: one computes while the database works on the other."""
EVENTS_WORTH: Final = 200
"""So many events must wait before a second one is begun beside the first: fewer are cheaper to take in the next."""
_NOTHING: Final = MasterDataTold()


@dataclass(slots=True)
class _Waiting:
    """A document, and what becomes of it: a report, or None: its own request captures it."""

    document: Mapping[str, Any]
    asked: Asked
    looked: Looked
    events: Sequence[Told]
    outcome: asyncio.Future[CaptureReport | None] = field(default_factory=asyncio.Future)
    leads: bool = False


class Together:
    """The documents of one process that wait. How many is bounded by the connections that their requests hold."""

    def __init__(self) -> None:
        self._waiting: deque[_Waiting] = deque()
        self._under_way = 0

    async def capture(
        self,
        conn: AsyncConnection,
        document: Mapping[str, Any],
        *,
        by: str,
        clock: Clock,
        keys: KeyRing,
        behaviour: Behaviour = "rollback",
        warnings: Sequence[Fault] = (),
    ) -> CaptureReport:
        """As ``ledger.capture.capture``: the outcome of each document is the same as if it came alone.

        When anything in a group is refused, the whole group is undone, and each document is captured by itself.
        """
        asked = Asked(uuid4(), by, clock, keys, behaviour)
        looked = look(document, behaviour, warnings)
        events = looked.events or ()
        if not events or looked.errors or len(events) > EVENTS_EACH_MAX or master_data_of(document) != _NOTHING:
            return await capture_looked(conn, document, asked, looked)
        mine = _Waiting(document, asked, looked, events)
        await self._turn(mine)
        report = await self._lead(conn, mine) if mine.leads else mine.outcome.result()
        return report or await capture_looked(conn, document, asked, looked)

    async def _turn(self, mine: _Waiting) -> None:
        """Wait until it is decided, or until this request is the one that does the work."""
        if self._may_begin(len(mine.events)):
            self._under_way += 1
            mine.leads = True
            return
        self._waiting.append(mine)
        try:
            await mine.outcome
        except asyncio.CancelledError:  # the request was given up
            if mine in self._waiting:
                self._waiting.remove(mine)
            if mine.leads:
                self._pass_on()
            raise

    def _may_begin(self, more: int) -> bool:
        """Whether a transaction may begin now, with those that wait and ``more`` events."""
        if self._under_way == 0:
            return True
        return self._under_way < GROUPS_MAX and more + sum(len(each.events) for each in self._waiting) >= EVENTS_WORTH

    def _pass_on(self) -> None:
        """The next that waits leads, unless it does better to wait for company."""
        self._under_way -= 1
        while self._waiting and self._may_begin(0):
            following = self._waiting.popleft()
            if not following.outcome.done():
                self._under_way += 1
                following.leads = True
                following.outcome.set_result(None)
                return

    async def _lead(self, conn: AsyncConnection, mine: _Waiting) -> CaptureReport | None:
        group = self._group(mine)
        reports: Sequence[CaptureReport | None] = [None] * len(group)
        try:
            if len(group) > 1:
                reports = await _captured(conn, group) or reports
            else:
                reports = [await capture_looked(conn, mine.document, mine.asked, mine.looked)]
        finally:
            for each, report in zip(group[1:], reports[1:], strict=True):
                if not each.outcome.done():
                    each.outcome.set_result(report)
            self._pass_on()
        return reports[0]

    def _group(self, mine: _Waiting) -> list[_Waiting]:
        group, events = [mine], len(mine.events)
        while self._waiting and events + len(self._waiting[0].events) <= EVENTS_MAX:
            group.append(self._waiting.popleft())
            events += len(group[-1].events)
        return group


async def _captured(conn: AsyncConnection, group: Sequence[_Waiting]) -> list[CaptureReport] | None:
    """What became of each; None when one of them was refused, and nothing was written."""
    try:
        return await tried(lambda: _written(conn, group))
    except Refusal:
        return None


async def _written(conn: AsyncConnection, group: Sequence[_Waiting]) -> list[CaptureReport]:
    told = [(n, event) for n, each in enumerate(group) for event in each.events]
    told.sort(key=lambda pair: pair[1].at)
    origins = [Origin(group[n].asked.by, group[n].asked.capture_id) for n, _ in told]
    newest = max((each.asked.keys for each in group), key=lambda keys: keys.epochs)
    at = group[0].asked.clock()
    async with transaction(conn):
        takings = [Taking(conn, each.asked, _NOTHING, each.looked.warnings) for each in group]
        recording = await record_told(conn, [event for _, event in told], origins=origins, at=at, keys=newest)
        for (n, _), event_id, is_new in zip(told, recording.event_ids, recording.is_new, strict=True):
            takings[n].event_ids.append(event_id)
            takings[n].new += is_new
            takings[n].known += not is_new
        for index, what in recording.warnings:
            n, event = told[index]
            takings[n].warnings.add([(event.where, what)])
        reports = [taking.report() for taking in takings]
        await event_store.end_captures(conn, reports, by=[each.asked.told for each in group])
        return reports
