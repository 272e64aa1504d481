"""``/v1/capture-points``: steps of the work as data, and what is read there."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from starlette.responses import Response

from access import audit
from access.model import Act
from api import paging
from api.bodies import answer, read_json
from api.models import Given
from api.operations import JSON, Call, Operation, Parameter
from ledger import capture_points
from ledger import capture_points_reading as readings
from ledger.capture_points_model import CapturePoint, Definition, Reading, Taken
from runtime.database import transaction

_PATH: Final = "/v1/capture-points"
_POINT: Final = Parameter("point_id", "id of the capture point", where="path", required=True)
_READING: Final = Parameter("reading_id", "id that the reader gave the reading", where="path", required=True)


class CapturePointGiven(Given):
    """The newest version of a point; ``definition`` as it is put on record."""

    point_id: str
    version: int
    definition: dict[str, Any]
    defined_at: datetime
    defined_by: str


class CapturePointPage(Given):
    """Points by id."""

    items: list[CapturePointGiven]
    next: str | None


class AlarmGiven(Given):
    """A parameter outside its limits."""

    parameter: str
    value: Decimal
    min: Decimal | None
    max: Decimal | None


class ReadingGiven(Given):
    """A reading on record. ``event_id`` is the eventID; ``known``: sent before; ``reviewed``: lots put on hold."""

    point_id: str
    version: int
    reading_id: str
    event_id: str
    alarms: list[AlarmGiven]
    reviewed: list[str]
    taken_at: datetime
    taken_by: str
    known: bool
    undone: bool


async def list_points(call: Call) -> Response:
    limit = paging.limit_of(call.request)
    found = await capture_points.list_points(call.conn, after=paging.key_of(call.request) or "", limit=limit)
    items = [_given(point) for point in found]
    return paging.page(call.request, items, limit, found[-1].point_id if found else None)


async def put_point(call: Call) -> Response:
    """Put a capture point on record, or a new version of it. The same definition again changes nothing."""
    definition = capture_points.read_definition(read_json(call.body))
    point = await capture_points.put(call.conn, definition, by=call.by, clock=call.clock)
    async with transaction(call.conn):
        subject, details = f"capture point {point.point_id}", {"version": point.version}
        await audit.note(call.conn, call.by, "capture_point.put", subject, details, call.clock)
    headers = {"Location": f"{_PATH}/{point.point_id}"}
    return answer(_given(point), 201, headers)


async def show_point(call: Call) -> Response:
    """A capture point as it is now."""
    point: CapturePoint = await capture_points.get(call.conn, _id(call))
    return answer(_given(point))


async def take_reading(call: Call) -> Response:
    """Record what was read. The same reading_id is the same reading, however often it is sent."""
    reading = capture_points.read_reading(read_json(call.body))
    taken = await readings.take(
        call.conn, _id(call), reading, by=call.by, role=call.actor.role, clock=call.clock, keys=await call.keys()
    )
    return answer(_shown(taken), 201, {"Location": f"{_PATH}/{taken.point_id}/readings/{taken.reading_id}"})


async def show_reading(call: Call) -> Response:
    """A reading, and whether it was undone."""
    return answer(_shown(await readings.find(call.conn, _id(call), call.request.path_params["reading_id"])))


async def undo_reading(call: Call) -> Response:
    """Declare a reading wrong, by whoever made it."""
    taken = await readings.undo(
        call.conn,
        _id(call),
        call.request.path_params["reading_id"],
        by=call.by,
        role=call.actor.role,
        clock=call.clock,
        keys=await call.keys(),
    )
    return answer(_shown(taken))


def _id(call: Call) -> str:
    point_id: str = call.request.path_params["point_id"]
    return point_id if point_id.isascii() and point_id.isprintable() else "?"


def _given(point: CapturePoint) -> CapturePointGiven:
    return CapturePointGiven(
        point_id=point.point_id,
        version=point.version,
        definition=point.definition.model_dump(),
        defined_at=point.defined_at,
        defined_by=point.defined_by,
    )


def _shown(taken: Taken) -> ReadingGiven:
    return ReadingGiven.model_validate(taken)


OPERATIONS: Final = (
    Operation(
        "GET",
        _PATH,
        list_points,
        "List capture points",
        (Act.VIEW, Act.CAPTURE),
        answers=CapturePointPage,
        parameters=paging.PARAMETERS,
        refuses=(400,),
    ),
    Operation(
        "POST",
        _PATH,
        put_point,
        "Put a capture point on record, or change it",
        (Act.IMPORT,),
        status=201,
        answers=CapturePointGiven,
        takes={JSON: Definition},
        refuses=(400, 404, 413, 415),
        repeatable=True,
    ),
    Operation(
        "GET",
        f"{_PATH}/{{point_id}}",
        show_point,
        "Show a capture point",
        (Act.VIEW, Act.CAPTURE),
        answers=CapturePointGiven,
        parameters=(_POINT,),
        refuses=(404,),
    ),
    Operation(
        "POST",
        f"{_PATH}/{{point_id}}/readings",
        take_reading,
        "Record what was read at a capture point",
        (Act.CAPTURE,),
        status=201,
        answers=ReadingGiven,
        takes={JSON: Reading},
        parameters=(_POINT,),
        refuses=(400, 404, 409, 413, 415),
        repeatable=True,
    ),
    Operation(
        "GET",
        f"{_PATH}/{{point_id}}/readings/{{reading_id}}",
        show_reading,
        "Show a reading of a capture point",
        (Act.VIEW, Act.CAPTURE),
        answers=ReadingGiven,
        parameters=(_POINT, _READING),
        refuses=(404,),
    ),
    Operation(
        "POST",
        f"{_PATH}/{{point_id}}/readings/{{reading_id}}/undo",
        undo_reading,
        "Undo a reading of a capture point",
        (Act.CAPTURE,),
        answers=ReadingGiven,
        parameters=(_POINT, _READING),
        refuses=(404, 409),
        repeatable=True,
    ),
)
