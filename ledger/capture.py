"""Taking EPCIS documents in: checked, recorded once, written into the book; all or nothing, or event by event."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Literal
from uuid import UUID, uuid4

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import event_store
from ledger.codes import KeyRing
from ledger.epcis.checks import Findings
from ledger.epcis.master_data import MasterDataTold, master_data_of
from ledger.epcis.told import Told, read_event
from ledger.epcis.validate import OWN_RANGES, check_event, events_of, examine
from ledger.model import CaptureReport
from ledger.recording import Recording, record_told
from ledger.refusals import DocumentNotValid
from runtime.clock import Clock
from runtime.database import transaction
from runtime.refusals import Fault, Refusal

Behaviour = Literal["rollback", "proceed"]

BATCH_EVENTS: Final = 1_000
"""Events recorded at once; a document may have more."""
TRIES_MAX: Final = 4
"""How often a capture is tried when the database ended it because two captures waited for each other."""

_WAITED_FOR_EACH_OTHER: Final = ("40P01", "40001")


async def capture(
    conn: AsyncConnection,
    document: Mapping[str, Any],
    *,
    by: str,
    clock: Clock,
    keys: KeyRing,
    behaviour: Behaviour = "rollback",
    warnings: Sequence[Fault] = (),
) -> CaptureReport:
    """Take in a document, or a bare event, as ``ledger.epcis.read.read_document`` gave it.

    ``rollback``: all events or none; raises ``DocumentNotValid`` with every fault, or the refusal of an event. Only
    the job stays on record as failed, and the refusal's value ``capture_id`` names it. ``proceed``: what is right is
    recorded, and the report has an error for each event that is not. ``warnings`` of the reading are added to those
    of the capture.
    """
    capture_id = uuid4()
    found = examine(document)
    told_warnings = [(fault.where, fault.what) for fault in (*warnings, *found.warnings)]
    try:
        return await _tried(
            lambda: _capture(
                conn, document, found, capture_id, by=by, clock=clock, keys=keys, behaviour=behaviour,
                warnings=told_warnings,
            )
        )  # fmt: skip
    except Refusal as refusal:
        refusal.values["capture_id"] = str(capture_id)
        errors = [(fault.where, fault.what) for fault in refusal.faults] or [("", refusal.sentence())]
        async with transaction(conn):
            await event_store.begin_capture(conn, capture_id, at=clock(), behaviour=behaviour, by=by)
            await event_store.end_capture(
                conn, capture_id, at=clock(), success=False, events=0, known=0, errors=errors, warnings=told_warnings
            )
        raise


async def record(
    conn: AsyncConnection, events: Sequence[Mapping[str, Any]], *, by: str, clock: Clock, keys: KeyRing
) -> list[int]:
    """Record events of our own making in the caller's transaction; returns the id of each, also of known ones.

    Raises ``DocumentNotValid``: an event that breaks the rules is refused here too.
    """
    found = Findings()
    for index, event in enumerate(events):
        check_event({key: value for key, value in event.items() if key != OWN_RANGES}, f"/{index}", found)
    _refuse_faults(found)
    told = [read_event(event, f"/{index}") for index, event in enumerate(events)]
    recording = await record_told(conn, told, by=by, at=clock(), keys=keys)
    await event_store.notify_codes(conn)
    return recording.event_ids


async def _capture(
    conn: AsyncConnection,
    document: Mapping[str, Any],
    found: Findings,
    capture_id: UUID,
    *,
    by: str,
    clock: Clock,
    keys: KeyRing,
    behaviour: Behaviour,
    warnings: Sequence[tuple[str, str]],
) -> CaptureReport:
    events, errors = _readable(document, found, behaviour)
    header = master_data_of(document)
    async with transaction(conn):
        at = clock()
        await event_store.begin_capture(conn, capture_id, at=at, behaviour=behaviour, by=by)
        take = _Taking(conn, by=by, clock=clock, keys=keys, capture_id=capture_id, header=header)
        for start in range(0, len(events), BATCH_EVENTS):
            batch = events[start : start + BATCH_EVENTS]
            await (take.all_of(batch) if behaviour == "rollback" else take.what_is_right_of(batch))
        errors += take.errors
        report = CaptureReport(
            capture_id=str(capture_id),
            events=take.total.new,
            known=take.total.known,
            errors=tuple(errors),
            warnings=(*warnings, *take.total.warnings),
            event_ids=tuple(take.total.event_ids),
            success=not errors,
        )
        await event_store.end_capture(
            conn, capture_id, at=clock(), success=report.success, events=report.events, known=report.known,
            errors=report.errors, warnings=report.warnings,
        )  # fmt: skip
        await event_store.notify_codes(conn)
    return report


class _Taking:
    """One document being taken in."""

    def __init__(
        self,
        conn: AsyncConnection,
        *,
        by: str,
        clock: Clock,
        keys: KeyRing,
        capture_id: UUID,
        header: MasterDataTold,
    ) -> None:
        self._conn, self._by, self._clock, self._keys = conn, by, clock, keys
        self._capture_id, self._header = capture_id, header
        self.total = Recording()
        self.errors: list[tuple[str, str]] = []

    async def all_of(self, batch: Sequence[Told]) -> None:
        """Record all of these; any refusal goes up."""
        recording = await record_told(
            self._conn, batch, by=self._by, at=self._clock(), keys=self._keys, capture_id=self._capture_id,
            master_data=self._header,
        )  # fmt: skip
        self.total.event_ids += recording.event_ids
        self.total.warnings += recording.warnings
        self.total.new += recording.new
        self.total.known += recording.known

    async def what_is_right_of(self, batch: Sequence[Told]) -> None:
        """Record these together; when one is refused, each by itself."""
        try:
            async with self._conn.begin_nested():
                await self.all_of(batch)
        except Refusal as refusal:
            if len(batch) == 1:
                self.errors.append((batch[0].where, refusal.sentence()))
                return
            middle = len(batch) // 2
            await self.what_is_right_of(batch[:middle])
            await self.what_is_right_of(batch[middle:])


def _readable(
    document: Mapping[str, Any], found: Findings, behaviour: Behaviour
) -> tuple[list[Told], list[tuple[str, str]]]:
    """The events in order of time, and errors for those that break the rules (proceed only)."""
    if behaviour == "rollback" or not found.fault_count:
        _refuse_faults(found)
        told = [read_event(event, where) for where, event in events_of(document)]
        return sorted(told, key=lambda each: each.at), []
    errors: list[tuple[str, str]] = []
    told = []
    of_events = 0
    for where, event in events_of(document) if _has_events(document) else ():
        one = Findings()
        check_event(event, where, one)
        of_events += one.fault_count
        if one.fault_count:
            errors += [(fault.where, fault.what) for fault in one.faults]
        else:
            told.append(read_event(event, where))
    if found.fault_count > of_events:
        _refuse_faults(found)  # the document itself is broken, not only some of its events
    return sorted(told, key=lambda each: each.at), errors


def _has_events(document: Mapping[str, Any]) -> bool:
    try:
        return all(isinstance(event, dict) for _, event in events_of(document))
    except TypeError:
        return False


def _refuse_faults(found: Findings) -> None:
    if found.faults:
        first = found.faults[0]
        raise DocumentNotValid(
            count=found.fault_count, where=first.where or "the top", what=first.what, faults=found.faults
        )


async def _tried(work: Callable[[], Awaitable[CaptureReport]]) -> CaptureReport:
    """Do the work; again when the database ended it because two transactions waited for each other."""
    for _ in range(TRIES_MAX - 1):
        try:
            return await work()
        except (DBAPIError, asyncpg.PostgresError) as error:
            if _state(error) not in _WAITED_FOR_EACH_OTHER:
                raise
    return await work()


def _state(error: BaseException) -> str | None:
    inner = error.orig if isinstance(error, DBAPIError) else error
    return getattr(inner, "sqlstate", None)
