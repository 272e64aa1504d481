"""Capture points in the console: the list, the form that makes one, and the page that a handheld scanner posts to."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from access import audit
from access.model import Act
from access.permissions import require
from console.capture_points_form import form_of, told_by_form
from console.capture_points_wording import reason, say_of_points
from console.desk import HOME, Visit, language_of, refused_in, see, text_of
from ledger import capture_points
from ledger import capture_points_reading as readings
from ledger.capture_points_checks import limits_of
from ledger.capture_points_model import CapturePoint, Definition, Reading, Taken
from ledger.capture_points_refusals import (
    CapturePointNotFound,
    DefinitionNotUsable,
    ReadingIdTaken,
    ReadingNotUsable,
    ReadingRefused,
)
from ledger.refusals import PlaceNotFound
from runtime.database import transaction
from runtime.refusals import Conflict, Fault, Refusal

POINTS: Final = f"{HOME}/points"
ROWS: Final = 100
"""Points shown on one page."""

_CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Of the page at the line alone: it may run the one script of ours that makes scanning quicker."""

# A code, then for a lot how much of it, and in what unit; no code that is read here holds a space.
_LINE: Final = re.compile(r"(\S+)(?:[ \t]+(\d+(?:[.,]\d+)?)(?:[ \t]*([A-Z0-9]{2,3}))?)?")
_FIELDS: Final = (("parent", "parent"), ("things", "thing"), ("outputs", "output"))


async def list_points(visit: Visit) -> Response:
    require(visit.actor, Act.VIEW)
    after = visit.request.query_params.get("after", "")[:60]
    found = await capture_points.list_points(visit.conn, after=after, limit=ROWS + 1)
    following = found[ROWS - 1].point_id if len(found) > ROWS else None
    may_define = visit.actor.may(Act.IMPORT)
    return _page(visit, "capture_points.html", points=found[:ROWS], following=following, may_define=may_define)


async def show_form(visit: Visit) -> Response:
    """The form, empty or with a point that is on record."""
    require(visit.actor, Act.IMPORT)
    wanted = visit.request.query_params.get("point")
    point = None if wanted is None else await capture_points.get(visit.conn, wanted)
    return _form(visit, form_of(None if point is None else point.definition))


async def take_form(visit: Visit) -> Response:
    """Put the point on record, or show the form again with what needs mending."""
    require(visit.actor, Act.IMPORT)
    fields = {name: text_of(visit.form, name) for name in visit.form}
    kinds = {name: [str(kind) for kind in visit.form.getlist(name)] for name in ("kinds", "parent_kinds", "outputs")}
    try:
        known = await _known(visit, fields.get("id", ""))
        definition = capture_points.read_definition(told_by_form(fields, kinds, known))
        point = await capture_points.put(visit.conn, definition, by=visit.actor.name, clock=visit.desk.clock)
    except (DefinitionNotUsable, PlaceNotFound) as refusal:
        return _form(visit, {**fields, **kinds}, refusal)
    async with transaction(visit.conn):
        subject, details = f"capture point {point.point_id}", {"version": point.version}
        await audit.note(visit.conn, visit.actor.name, "capture_point.put", subject, details, visit.desk.clock)
    return see(f"{POINTS}/{point.point_id}")


async def show_point(visit: Visit) -> Response:
    require(visit.actor, Act.CAPTURE)
    point = await capture_points.get(visit.conn, _id(visit))
    capture_points.require_user(point.definition, name=visit.actor.name, role=visit.actor.role)
    done = visit.request.query_params.get("done")
    taken = None if done is None else await readings.find(visit.conn, point.point_id, done)
    return await _handheld(visit, point, taken=taken)


async def take_reading(visit: Visit) -> Response:
    """Record what was scanned; what cannot be taken is shown with its reasons, and the fields as they were."""
    require(visit.actor, Act.CAPTURE)
    point = await capture_points.get(visit.conn, _id(visit))
    try:
        reading = _reading(visit)
        taken = await readings.take(
            visit.conn, point.point_id, reading, by=visit.actor.name, role=visit.actor.role, clock=visit.desk.clock,
            keys=await visit.keys(),
        )  # fmt: skip
    except (ReadingNotUsable, Conflict) as refusal:
        return await _handheld(visit, point, refusal=refusal)
    return see(f"{POINTS}/{point.point_id}?done={taken.reading_id}")


async def undo_reading(visit: Visit) -> Response:
    """Take back what was read last."""
    require(visit.actor, Act.CAPTURE)
    point = await capture_points.get(visit.conn, _id(visit))
    try:
        taken = await readings.undo(
            visit.conn, point.point_id, text_of(visit.form, "reading_id") or None, by=visit.actor.name,
            role=visit.actor.role, clock=visit.desk.clock, keys=await visit.keys(),
        )  # fmt: skip
    except Conflict as refusal:
        return await _handheld(visit, point, refusal=refusal)
    return see(f"{POINTS}/{point.point_id}?done={taken.reading_id}")


async def _known(visit: Visit, point_id: str) -> Definition | None:
    try:
        return (await capture_points.get(visit.conn, point_id)).definition
    except CapturePointNotFound:
        return None


def _reading(visit: Visit) -> Reading:
    things: list[dict[str, Any]] = []
    for field, role in _FIELDS:
        for line in text_of(visit.form, field).splitlines():
            text = line.strip(" \t\r\n")
            match = _LINE.fullmatch(text)
            code, quantity, uom = match.groups() if match is not None else (text, None, None)
            if code:
                told = {"code": code, "role": role, "quantity": quantity and quantity.replace(",", "."), "uom": uom}
                things.append({key: value for key, value in told.items() if value is not None})
    prefix = "parameter:"
    told_parameters = {
        name.removeprefix(prefix): text_of(visit.form, name) for name in visit.form if name.startswith(prefix)
    }
    value = {
        "reading_id": text_of(visit.form, "reading_id"),
        "things": things,
        "parameters": told_parameters,
        "destination": text_of(visit.form, "destination") or None,
        "document": text_of(visit.form, "document").strip() or None,
    }
    return capture_points.read_reading(value)


async def _handheld(
    visit: Visit, point: CapturePoint, *, taken: Taken | None = None, refusal: Refusal | None = None
) -> Response:
    last = await readings.last_of(visit.conn, point.point_id, visit.actor.name)
    reasons = _reasons(visit.request, refusal)
    fields = {name: text_of(visit.form, name) for name in visit.form} if refusal is not None else {}
    # What was not taken is sent again under its own id: an answer that was lost is then not a second reading.
    is_other = isinstance(refusal, ReadingIdTaken)
    reading_id = str(uuid.uuid4()) if is_other else fields.get("reading_id") or str(uuid.uuid4())
    response = _page(
        visit,
        "capture_point.html",
        status=200 if refusal is None else 409,
        point=point,
        definition=point.definition,
        reading_id=reading_id,
        fields=fields,
        taken=taken,
        alarms=[] if taken is None else _alarms(point.definition, taken),
        reasons=reasons,
        last=last,
        limits_of=limits_of,
        may_define=visit.actor.may(Act.IMPORT),
    )
    response.headers["Content-Security-Policy"] = _CSP
    return response


def _reasons(request: Request, refusal: Refusal | None) -> list[str]:
    if refusal is None:
        return []
    if isinstance(refusal, ReadingRefused):
        return [reason(language_of(request), problem) for problem in refusal.problems]
    return [refused_in(request, refusal)]


def _alarms(definition: Definition, taken: Taken) -> list[dict[str, Any]]:
    by_name = {parameter.name: parameter for parameter in definition.parameters}
    return [
        {"parameter": by_name[alarm.parameter], "value": alarm.value, "limits": limits_of(by_name[alarm.parameter])}
        for alarm in taken.alarms
        if alarm.parameter in by_name
    ]


def _form(visit: Visit, fields: dict[str, Any], refusal: Refusal | None = None) -> Response:
    faults = () if refusal is None else refusal.faults or (Fault("", refused_in(visit.request, refusal)),)
    return _page(visit, "capture_point_form.html", status=400 if refusal else 200, fields=fields, faults=faults)


def _page(visit: Visit, template: str, *, status: int = 200, **values: Any) -> Response:
    language = language_of(visit.request)
    tell: Callable[..., str] = lambda key, **named: say_of_points(language, key, **named)  # noqa: E731
    response = visit.page(template, tell=tell, points_path=POINTS, **values)
    response.status_code = status
    return response


def _id(visit: Visit) -> str:
    point_id: str = visit.request.path_params["point_id"]
    return point_id if point_id.isascii() and point_id.isprintable() else "?"
