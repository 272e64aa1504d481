"""A reading of a capture point becomes an event: checked, recorded once, or refused whole with every reason."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import capture, capture_points, store
from ledger import capture_points_store as points
from ledger.capture_points_checks import read_parameters, read_things, refused_alarms
from ledger.capture_points_event import Ends, Read, event_of, undoing
from ledger.capture_points_model import Alarm, CapturePoint, Definition, Reading, Taken
from ledger.capture_points_refusals import (
    CapturePointClosed,
    NothingToUndo,
    NotYourReading,
    Problem,
    ReadingIdTaken,
    ReadingNotFound,
    ReadingRefused,
)
from ledger.capture_points_state import problems_of, state_of
from ledger.codes import KeyRing
from ledger.model import LOT_NOT_TOLD, UNKNOWN_ID
from runtime.clock import Clock
from runtime.database import transaction

AHEAD_MINUTES_MAX: Final = 10
"""How far a reader's clock may be ahead of ours."""


async def take(
    conn: AsyncConnection, point_id: str, reading: Reading, *, by: str, role: str, clock: Clock, keys: KeyRing
) -> Taken:
    """Record what was read at a point, in one transaction; the same reading again is answered as the first time.

    Raises ``CapturePointNotFound``, ``CapturePointClosed``, ``NotYourPoint``, ``ReadingIdTaken`` (the id with another
    content) and ``ReadingRefused`` with every problem; then nothing is recorded. ``role`` is that of ``by``.
    """
    point = await capture_points.get(conn, point_id)
    capture_points.require_user(point.definition, name=by, role=role)
    seal = hashlib.sha256(orjson.dumps(reading.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)).digest()
    async with transaction(conn):
        await points.lock(conn, point_id)
        known = await points.reading(conn, point_id, reading.reading_id)
        if known is not None:
            if known.hash != seal:
                raise ReadingIdTaken(reading_id=reading.reading_id)
            return await _taken(conn, known, known_before=True)
        if not point.definition.active:
            raise CapturePointClosed(point_id=point_id)
        return await _take(conn, point, reading, seal, by=by, clock=clock, keys=keys)


async def undo(
    conn: AsyncConnection, point_id: str, reading_id: str | None, *, by: str, role: str, clock: Clock, keys: KeyRing
) -> Taken:
    """Declare a reading wrong (``did_not_occur``): the one named, or the last one of ``by`` that is not undone.

    Twice is once. A lot that the reading put on hold stays on hold: somebody has to look at it. Raises
    ``ReadingNotFound``, ``NothingToUndo``, ``NotYourReading``, and what ``take`` raises of the point.
    """
    point = await capture_points.get(conn, point_id)
    capture_points.require_user(point.definition, name=by, role=role)
    async with transaction(conn):
        await points.lock(conn, point_id)
        wanted = reading_id or await points.last_reading(conn, point_id, by)
        if wanted is None:
            raise NothingToUndo
        known = await points.reading(conn, point_id, wanted)
        if known is None:
            raise ReadingNotFound(reading_id=wanted[:100])
        if known.taken_by != by:
            raise NotYourReading(reading_id=wanted, taken_by=known.taken_by)
        taken = await _taken(conn, known, known_before=known.undone)
        if not known.undone:
            await capture.record(conn, [undoing(known.body, at=clock())], by=by, clock=clock, keys=keys)
        return replace(taken, undone=True)


async def last_of(conn: AsyncConnection, point_id: str, by: str) -> Taken | None:
    """What ``by`` read last at this point and did not undo."""
    reading_id = await points.last_reading(conn, point_id, by)
    return None if reading_id is None else await find(conn, point_id, reading_id)


async def find(conn: AsyncConnection, point_id: str, reading_id: str) -> Taken:
    """A reading on record; raises ``ReadingNotFound``."""
    known = await points.reading(conn, point_id, reading_id)
    if known is None:
        raise ReadingNotFound(reading_id=reading_id[:100])
    return await _taken(conn, known, known_before=True)


async def _take(
    conn: AsyncConnection, point: CapturePoint, reading: Reading, seal: bytes, *, by: str, clock: Clock, keys: KeyRing
) -> Taken:
    definition, now = point.definition, clock()
    things, problems = read_things(definition, reading)
    values, alarms, more = read_parameters(definition, reading)
    problems += more + _destination(definition, reading)
    if reading.at is not None and reading.at > now + timedelta(minutes=AHEAD_MINUTES_MAX):
        problems.append(Problem("in_future", "/at"))
    if definition.outside_limits == "refuse":
        problems += refused_alarms(definition, alarms)
    state = await state_of(conn, things, keys)
    problems += problems_of(definition, things, state)
    if problems:
        raise ReadingRefused(problems)
    ends = await _ends(conn, definition, reading)
    event = event_of(
        point, reading, things=things, values=values, alarms=alarms, ends=ends, at=reading.at or now, by=by
    )
    (event_id,) = await capture.record(conn, [event], by=by, clock=clock, keys=keys)
    reviewed: tuple[int, ...] = ()
    if alarms and definition.outside_limits == "review":
        reviewed = await _hold(conn, point, things, alarms, keys)
    await points.add_reading(
        conn,
        {
            "point_id": point.point_id,
            "reading_id": reading.reading_id,
            "version": point.version,
            "event_id": event_id,
            "hash": seal,
            "alarms": [_written(alarm) for alarm in alarms],
            "reviewed": list(reviewed),
            "taken_at": now,
            "taken_by": by,
        },
    )
    known = await points.reading(conn, point.point_id, reading.reading_id)
    return await _taken(conn, known, known_before=False)


def _destination(definition: Definition, reading: Reading) -> list[Problem]:
    where, there = "/destination", definition.destinations
    if not there:
        return [] if reading.destination is None else [Problem("destination_not_asked", where)]
    if reading.destination is None:
        return [] if len(there) == 1 else [Problem("destination_needed", where)]
    known = reading.destination in there
    return [] if known else [Problem("destination_unknown", where, {"destination": reading.destination[:80]})]


async def _ends(conn: AsyncConnection, definition: Definition, reading: Reading) -> Ends:
    place = await capture_points.place_on_record(conn, definition.place)
    read_point = place.uri
    if definition.read_point is not None:
        read_point = (await capture_points.place_on_record(conn, definition.read_point)).uri
    if not definition.destinations:
        return Ends(place.uri, read_point)
    there = await capture_points.place_on_record(conn, reading.destination or definition.destinations[0])
    owner, new_owner = [
        None if each.party_id == UNKNOWN_ID else await store.party_uri(conn, each.party_id) for each in (place, there)
    ]
    return Ends(place.uri, read_point, owner, there.uri, new_owner)


async def _hold(
    conn: AsyncConnection, point: CapturePoint, things: Sequence[Read], alarms: Sequence[Alarm], keys: KeyRing
) -> tuple[int, ...]:
    """Hold the lots that the alarm is about, for review: what was made, else what was read. A rejected lot stays so."""
    made = [thing for thing in things if thing.role == "output"]
    state = await state_of(conn, made or things, keys)
    released = [lot for lot in state.lots.values() if lot.status == "released" and lot.code != LOT_NOT_TOLD]
    reason = f"{point.point_id}: " + ", ".join(f"{alarm.parameter} {alarm.value}" for alarm in alarms)
    for lot in released:
        await store.put_lot(conn, lot.product_id, lot.code, {"status": "held", "status_reason": reason[:500]})
    return tuple(sorted(lot.lot_id for lot in released))


async def _taken(conn: AsyncConnection, row: Any, *, known_before: bool) -> Taken:
    lots = await store.lots_by_id(conn, list(row.reviewed))
    return Taken(
        row.point_id,
        row.version,
        row.reading_id,
        row.source_id,
        tuple(_alarm(each) for each in row.alarms),
        tuple(f"{lots[lot_id].gtin}:{lots[lot_id].code}" for lot_id in row.reviewed),
        row.taken_at,
        row.taken_by,
        known_before,
        row.undone,
    )


def _written(alarm: Alarm) -> dict[str, str | None]:
    """As text, so that a limit of 0.10 stays 0.10."""
    low, high = (None if limit is None else str(limit) for limit in (alarm.min, alarm.max))
    return {"parameter": alarm.parameter, "value": str(alarm.value), "min": low, "max": high}


def _alarm(told: Mapping[str, Any]) -> Alarm:
    low, high = (None if told[key] is None else Decimal(told[key]) for key in ("min", "max"))
    return Alarm(told["parameter"], Decimal(told["value"]), low, high)
