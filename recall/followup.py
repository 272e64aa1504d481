"""What governs the work on a published case: its ladder of reminders, and whether it rests."""

from __future__ import annotations

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from access import audit
from recall import responses_store as answers
from recall import store
from recall.delivery import read_ladder
from recall.response_refusals import NobodyWasTold
from recall.responses_store import Followup
from runtime.clock import Clock
from runtime.database import transaction


async def change_ladder(conn: AsyncConnection, number: str, ladder: str, *, by: str, clock: Clock) -> Followup:
    """Other reminders for this case (``24:recall,72:alternate,168:phone``; empty for none), from now on."""
    rungs = orjson.dumps([{"hours": rung.hours, "to": rung.to} for rung in read_ladder(ladder)]).decode()
    async with transaction(conn):
        found = await _followup(conn, number)
        await answers.change_followup(conn, found.case_id, ladder=rungs)
        await audit.note(conn, by, "recall.ladder", number, {"ladder": ladder}, clock)
        return await _followup(conn, number)


async def pause(conn: AsyncConnection, number: str, *, by: str, clock: Clock) -> Followup:
    """No reminders go out until ``resume``; answers are taken all the same."""
    async with transaction(conn):
        found = await _followup(conn, number)
        await answers.pause(conn, found.case_id, by=by, at=found.paused_at or clock())
        await audit.note(conn, by, "recall.pause", number, {}, clock)
        return await _followup(conn, number)


async def resume(conn: AsyncConnection, number: str, *, by: str, clock: Clock) -> Followup:
    """Reminders go on, one step at a time: a pause is not made up for by several letters at once."""
    async with transaction(conn):
        found = await _followup(conn, number)
        await answers.pause(conn, found.case_id, by=None, at=None)
        await audit.note(conn, by, "recall.resume", number, {}, clock)
        return await _followup(conn, number)


async def _followup(conn: AsyncConnection, number: str) -> Followup:
    case = await store.lock_case(conn, number)
    found = await answers.followup(conn, case.case_id)
    if found is None:
        raise NobodyWasTold(number=number)
    return found
