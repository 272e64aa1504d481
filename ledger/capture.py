"""Taking EPCIS documents in: checked, recorded once, written into the book; all or nothing, or event by event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import event_store
from ledger.codes import KeyRing
from ledger.epcis.checks import Findings
from ledger.epcis.master_data import master_data_of
from ledger.epcis.told import Told, read_event
from ledger.epcis.validate import OWN_RANGES, check_event, events_of, examine
from ledger.event_store import Origin
from ledger.model import CaptureReport
from ledger.recording import record_told
from ledger.refusals import DocumentNotValid
from ledger.taking import Asked, Behaviour, Taking, carried_out
from runtime.clock import Clock
from runtime.database import transaction
from runtime.refusals import Fault

BATCH_EVENTS: Final = 1_000
"""Events recorded at once; a document may have more."""


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
    asked = Asked(uuid4(), by, clock, keys, behaviour)
    return await capture_looked(conn, document, asked, look(document, behaviour, warnings))


@dataclass(frozen=True, slots=True)
class Looked:
    """A document that was looked at: its events in order of time, and what is wrong with others (proceed only).

    ``events`` is None when the document is refused: ``refusal`` says why.
    """

    warnings: Sequence[tuple[str, str]]
    events: Sequence[Told] | None
    errors: Sequence[tuple[str, str]] = ()
    refusal: DocumentNotValid | None = None


def look(document: Mapping[str, Any], behaviour: Behaviour, warnings: Sequence[Fault] = ()) -> Looked:
    """Examine a document and read its events."""
    found = examine(document)
    told = [(fault.where, fault.what) for fault in (*warnings, *found.warnings)]
    try:
        events, errors = _readable(document, found, behaviour)
    except DocumentNotValid as refusal:
        return Looked(told, None, refusal=refusal)
    return Looked(told, events, errors)


async def capture_looked(
    conn: AsyncConnection, document: Mapping[str, Any], asked: Asked, looked: Looked
) -> CaptureReport:
    """As ``capture``, for a document that was looked at."""

    async def work() -> CaptureReport:
        if looked.refusal is not None:
            raise looked.refusal
        events = looked.events or ()
        async with transaction(conn):
            taking = Taking(conn, asked, master_data_of(document), looked.warnings)
            taking.errors.add(looked.errors)
            for start in range(0, len(events), BATCH_EVENTS):
                await taking.take(events[start : start + BATCH_EVENTS])
            return await taking.end()

    return await carried_out(conn, asked, work, looked.warnings)


async def record(
    conn: AsyncConnection, events: Sequence[Mapping[str, Any]], *, by: str, clock: Clock, keys: KeyRing
) -> list[int]:
    """Record events of our own making in the caller's transaction; returns the id of each, also of known ones.

    Raises ``DocumentNotValid``: an event that breaks the rules is refused here too.
    """
    found = Findings()
    for index, event in enumerate(events):
        check_event({key: value for key, value in event.items() if key != OWN_RANGES}, f"/{index}", found)
    refuse_faults(found)
    told = [read_event(event, f"/{index}") for index, event in enumerate(events)]
    recording = await record_told(conn, told, origins=[Origin(by, None)] * len(told), at=clock(), keys=keys)
    await event_store.notify_codes(conn)
    return recording.event_ids


def _readable(
    document: Mapping[str, Any], found: Findings, behaviour: Behaviour
) -> tuple[list[Told], list[tuple[str, str]]]:
    """The events in order of time, and errors for those that break the rules (proceed only)."""
    if behaviour == "rollback" or not found.fault_count:
        refuse_faults(found)
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
        refuse_faults(found)  # the document itself is broken, not only some of its events
    return sorted(told, key=lambda each: each.at), errors


def _has_events(document: Mapping[str, Any]) -> bool:
    try:
        return all(isinstance(event, dict) for _, event in events_of(document))
    except TypeError:
        return False


def refuse_faults(found: Findings) -> None:
    """Raise ``DocumentNotValid`` when there is a fault."""
    if found.faults:
        first = found.faults[0]
        raise DocumentNotValid(
            count=found.fault_count, where=first.where or "the top", what=first.what, faults=found.faults
        )
