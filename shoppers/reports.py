"""Problems that shoppers told: read by a person, put into a state. No report ever changes a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from access import audit
from access.model import Act, Actor
from access.permissions import require
from runtime.clock import Clock
from runtime.database import transaction
from shoppers import store
from shoppers.model import Report, ReportState
from shoppers.refusals import ReasonMissing, ReportNotFound, ReportStateUnknown

NOTE_CHARACTERS_MAX: Final = 1_000
PAGE: Final = 50


async def put(conn: AsyncConnection, reference: str, state: str, *, note: str = "", by: Actor, clock: Clock) -> Report:
    """Put a report into a state. Closing it needs a note, which stays on record."""
    require(by, Act.HANDLE_REPORTS)
    if state not in set(ReportState) - {ReportState.NEW}:
        raise ReportStateUnknown(state=state[:20], states=", ".join(set(ReportState) - {ReportState.NEW}))
    if len(note) > NOTE_CHARACTERS_MAX or (state == ReportState.CLOSED and not note.strip()):
        raise ReasonMissing(characters_max=NOTE_CHARACTERS_MAX)
    async with transaction(conn):
        found = await store.put_report(conn, reference, state=state, note=note or None, by=by.name, at=clock())
        if found is None:
            raise ReportNotFound(reference=reference[:40])
        await audit.note(conn, by.name, "report.put", reference, {"state": state, "note": note}, clock)
        return found


async def listed(conn: AsyncConnection, *, state: str | None = None, before: int | None = None) -> Sequence[Report]:
    """Reports, the newest first, ``PAGE`` at a time."""
    return await store.list_reports(conn, state=state, before=before, limit=PAGE)


async def photo(conn: AsyncConnection, reference: str) -> bytes:
    """The photo of a report: JPEG, as it was drawn anew when it came in."""
    found = await store.photo_of(conn, reference)
    if found is None:
        raise ReportNotFound(reference=reference[:40])
    return found
