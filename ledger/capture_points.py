"""Capture points: put on record, found, and who may use one. ``ledger.capture_points_reading`` takes readings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import capture_points_store as points
from ledger import master_data
from ledger.capture_points_model import CapturePoint, Definition, Reading
from ledger.capture_points_refusals import CapturePointNotFound, DefinitionNotUsable, NotYourPoint, ReadingNotUsable
from ledger.model import UNKNOWN_ID, Place
from ledger.refusals import PlaceNotFound
from runtime.clock import Clock
from runtime.database import transaction
from runtime.refusals import Fault

PAGE_MAX: Final = 1_000
"""Most points of one page."""
_ROLE: Final = "role:"


def read_definition(value: Any) -> Definition:
    """A definition from JSON; raises ``DefinitionNotUsable`` with a fault for each place (a JSON pointer)."""
    try:
        return Definition.model_validate_json(orjson.dumps(value))
    except ValidationError as error:
        faults = _faults(error)
        raise DefinitionNotUsable(
            count=len(faults), where=faults[0].where, what=faults[0].what, faults=faults
        ) from None


def read_reading(value: Any) -> Reading:
    """A reading from JSON; raises ``ReadingNotUsable`` as ``read_definition`` does."""
    try:
        return Reading.model_validate_json(orjson.dumps(value))
    except ValidationError as error:
        faults = _faults(error)
        raise ReadingNotUsable(count=len(faults), where=faults[0].where, what=faults[0].what, faults=faults) from None


async def put(conn: AsyncConnection, definition: Definition, *, by: str, clock: Clock) -> CapturePoint:
    """Put a point on record, or a new version of it; the same definition again is the version that there is.

    Refuses places that are not on record (``PlaceNotFound``).
    """
    async with transaction(conn):
        await points.lock(conn, definition.id)
        for uri in (definition.place, *definition.destinations, *filter(None, [definition.read_point])):
            await place_on_record(conn, uri)
        known = await points.find(conn, definition.id)
        if known is not None and known.definition == definition:
            return known
        version = 1 if known is None else known.version + 1
        point = CapturePoint(definition.id, version, definition, clock(), by)
        await points.add(conn, point)
        return point


async def get(conn: AsyncConnection, point_id: str) -> CapturePoint:
    """The newest version of a point; raises ``CapturePointNotFound``."""
    point = await points.find(conn, point_id)
    if point is None:
        raise CapturePointNotFound(point_id=point_id[:60])
    return point


async def list_points(conn: AsyncConnection, *, after: str = "", limit: int = PAGE_MAX) -> tuple[CapturePoint, ...]:
    """The newest version of each point, by id, after this id."""
    return await points.page(conn, after, limit)


def may_use(definition: Definition, *, name: str, role: str) -> bool:
    """Whether a person or key of this name and role is one of the point's users; everybody is when it names none."""
    return not definition.users or name in definition.users or f"{_ROLE}{role}" in definition.users


def require_user(definition: Definition, *, name: str, role: str) -> None:
    """Nothing for a user of the point; raises ``NotYourPoint``."""
    if not may_use(definition, name=name, role=role):
        raise NotYourPoint(point_id=definition.id, by=name)


async def place_on_record(conn: AsyncConnection, uri: str) -> Place:
    """The place of this GLN or URI; raises ``PlaceNotFound``."""
    place = await master_data.find_place(conn, uri)
    if place is None or place.place_id == UNKNOWN_ID:
        raise PlaceNotFound(value=uri)
    return place


def _faults(error: ValidationError) -> list[Fault]:
    return [Fault(_pointer(each["loc"]), _what(each)) for each in error.errors(include_url=False)]


def _pointer(location: tuple[int | str, ...]) -> str:
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in location) or "/"


def _what(error: Mapping[str, Any]) -> str:
    message = str(error["msg"]).removeprefix("Value error, ")
    return "no such key; leave it out" if error["type"] == "extra_forbidden" else message
