"""``/epcis/v2``: the capture interface of EPCIS 2.0 (GS1 EPCIS 2.0, REST bindings).

A document of the usual size is recorded before it is answered: its job is finished when its address is given out. A
larger one is put aside as it arrives, and a worker captures it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.responses import Response

from access.model import Act
from api import models, paging
from api.bodies import QueryNotUsable, answer
from api.gs1_headers import (
    BEHAVIOURS,
    CONTEXT,
    GS1_HEADERS,
    JSON_LD,
    TEXT_XML,
    XML,
    check_headers,
    limits,
)
from api.operations import JSON, Call, Operation, Parameter
from ledger import capture_jobs, lists
from ledger.epcis import read as epcis_read
from ledger.lists import CaptureJob
from ledger.model import CaptureReport
from ledger.taking import Behaviour
from runtime.clock import rfc3339
from runtime.refusals import Conflict, Fault, Invalid, NotFound

_BASE: Final = "/epcis/v2"
_EITHER: Final = (Act.CAPTURE, Act.VIEW)


class BehaviourNotKnown(Invalid):
    """GS1-Capture-Error-Behaviour is {told!r}; it is rollback (all or nothing) or proceed (what can be taken)."""


class CaptureNotFound(NotFound):
    """There is no capture job {capture_id}."""


class EventNotFound(NotFound):
    """No event is known as {event_id}."""


class EventKnown(Conflict):
    """This event was told before and is on record as {event_id}; nothing was changed."""


async def capture_document(call: Call) -> Response:
    """Record a document: 202 with the address of its job."""
    check_headers(call)
    behaviour = _behaviour(call.request.headers.get("gs1-capture-error-behaviour", "rollback").lower())
    if call.received.file is not None:
        file = call.received.keep()
        capture_id = await capture_jobs.put_aside(call.conn, file, by=call.by, clock=call.clock, behaviour=behaviour)
        job = await _job(call, capture_id)
    else:
        job = _ended(await _capture(call, behaviour), behaviour)
    headers = GS1_HEADERS | limits(call) | {"Location": f"{_BASE}/capture/{job.captureID}"}
    return answer(job, 202, headers)


async def capture_event(call: Call) -> Response:
    """Record one event: 201 with its address; 409 when it was told before."""
    check_headers(call)
    report = await _capture(call, "rollback", single=True)
    event_id = await lists.name_of_event(call.conn, report.event_ids[0]) if report.event_ids else None
    if event_id is None or not report.events:
        raise EventKnown(event_id=event_id or "the same content")
    headers = GS1_HEADERS | {"Location": f"{_BASE}/events/{quote(event_id, safe='')}"}
    return answer({"eventID": event_id}, 201, headers)


async def show_capture(call: Call) -> Response:
    return answer(await _job(call, _uuid(call.request.path_params["capture_id"])), headers=GS1_HEADERS)


async def list_captures(call: Call) -> Response:
    """Jobs, the newest first, paged as the standard says (perPage, nextPageToken)."""
    limit = paging.limit_of(call.request, name="perPage")
    found = await lists.list_captures(call.conn, before=_position(call), limit=limit)
    headers = dict(GS1_HEADERS)
    if len(found) == limit:
        last = found[-1]
        token = paging.cursor(f"{last.created_at.isoformat()}|{last.capture_id}")
        headers["Link"] = paging.next_link(call.request, nextPageToken=token)
    return answer([_shown(job) for job in found], headers=headers)


async def show_event(call: Call) -> Response:
    """One event as it was told, in the standard's frame for answers."""
    event_id = call.request.path_params["event_id"]
    body = await lists.find_event(call.conn, event_id) if event_id.isprintable() else None
    if body is None:
        raise EventNotFound(event_id=event_id)
    return answer(query_document(call, [body]), headers=GS1_HEADERS)


def query_document(call: Call, events: Sequence[Mapping[str, Any]], name: str = "SimpleEventQuery") -> dict[str, Any]:
    """Events in the standard's frame for answers."""
    return {
        "@context": [CONTEXT],
        "type": "EPCISQueryDocument",
        "schemaVersion": "2.0",
        "creationDate": rfc3339(call.clock()),
        "epcisBody": {"queryResults": {"queryName": name, "resultsBody": {"eventList": events}}},
    }


def _behaviour(told: str) -> Behaviour:
    if told not in BEHAVIOURS:
        raise BehaviourNotKnown(told=told[:40])
    return "proceed" if told == "proceed" else "rollback"


async def _capture(call: Call, behaviour: Behaviour, *, single: bool = False) -> CaptureReport:
    warnings: list[Fault] = []
    document = epcis_read.read_document(call.body, "the body", warnings)
    if single and "epcisBody" in document:
        raise HTTPException(400, f"One event is taken here. Send a document to {_BASE}/capture.")
    return await call.world.together.capture(
        call.conn,
        document,
        by=call.by,
        clock=call.clock,
        keys=await call.keys(),
        behaviour=behaviour,
        warnings=warnings,
    )


async def _job(call: Call, capture_id: UUID) -> models.CaptureJob:
    job = await lists.find_capture(call.conn, capture_id)
    if job is None:
        raise CaptureNotFound(capture_id=capture_id)
    return _shown(job)


def _shown(job: CaptureJob) -> models.CaptureJob:
    return models.CaptureJob(
        captureID=str(job.capture_id),
        createdAt=job.created_at,
        finishedAt=job.finished_at,
        running=job.running,
        success=job.success,
        captureErrorBehaviour=job.behaviour,
        errors=[_error(pair) for pair in job.errors],
        newEvents=job.events,
        knownEvents=job.known,
        warnings=[_place(pair) for pair in job.warnings],
    )


def _ended(report: CaptureReport, behaviour: Behaviour) -> models.CaptureJob:
    """As ``_shown``, of what was captured just now: it need not be read again."""
    return models.CaptureJob(
        captureID=report.capture_id,
        createdAt=report.created_at,
        finishedAt=report.finished_at,
        running=False,
        success=report.success,
        captureErrorBehaviour=behaviour,
        errors=[_error(pair) for pair in report.errors],
        newEvents=report.events,
        knownEvents=report.known,
        warnings=[_place(pair) for pair in report.warnings],
    )


def _error(pair: Any) -> dict[str, Any]:
    told = _place(pair)
    kind = "epcisException:ValidationException"
    return {"type": kind, "title": "Bad Request", "status": 400, "detail": f"{told['where']}: {told['what']}", **told}


def _place(pair: Any) -> dict[str, str]:
    """``{"where": …, "what": …}``, whichever way the pair was kept."""
    return (
        {"where": pair["where"], "what": pair["what"]}
        if isinstance(pair, dict)
        else dict(zip(("where", "what"), pair, strict=True))
    )


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise CaptureNotFound(capture_id=text[:60]) from error


def _position(call: Call) -> tuple[datetime, UUID] | None:
    key = paging.key_of(call.request, name="nextPageToken")
    if key is None:
        return None
    try:
        at, capture_id = key.split("|")
        return datetime.fromisoformat(at), UUID(capture_id)
    except ValueError as error:
        raise QueryNotUsable(name="nextPageToken", problem="it was not made here; begin again without it") from error


_BEHAVIOUR = Parameter("GS1-Capture-Error-Behaviour", "rollback (default) or proceed", where="header")
_REFUSES: Final = (400, 406, 409, 413, 415)
_TAKES: Final = {JSON: None, JSON_LD: None, XML: None, TEXT_XML: None}

OPERATIONS: Final = (
    Operation(
        "POST",
        f"{_BASE}/capture",
        capture_document,
        "Record the events of an EPCIS document",
        (Act.CAPTURE,),
        status=202,
        answers=models.CaptureJob,
        takes=_TAKES,
        folder=capture_jobs.FOLDER,
        parameters=(_BEHAVIOUR,),
        refuses=_REFUSES,
        repeatable=True,
        reads_codes=True,
    ),
    Operation(
        "GET",
        f"{_BASE}/capture",
        list_captures,
        "List capture jobs, the newest first",
        _EITHER,
        parameters=(
            Parameter("perPage", "jobs of a page", schema={"type": "integer", "default": paging.LIMIT_DEFAULT}),
            Parameter("nextPageToken", "where the page begins; from the Link header of the page before"),
        ),
        refuses=(400,),
    ),
    Operation(
        "GET",
        f"{_BASE}/capture/{{capture_id}}",
        show_capture,
        "Show a capture job",
        _EITHER,
        answers=models.CaptureJob,
        parameters=(Parameter("capture_id", "of the job", where="path", required=True),),
        refuses=(404,),
    ),
    Operation(
        "POST",
        f"{_BASE}/events",
        capture_event,
        "Record one event",
        (Act.CAPTURE,),
        status=201,
        takes=_TAKES,
        refuses=_REFUSES,
        repeatable=True,
        reads_codes=True,
    ),
    Operation(
        "GET",
        f"{_BASE}/events/{{event_id:path}}",
        show_event,
        "Show an event as it was told",
        (Act.VIEW,),
        parameters=(Parameter("event_id", "eventID, percent-encoded", where="path", required=True),),
        refuses=(404,),
    ),
)
