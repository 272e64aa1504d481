"""What a reading says, held against the ledger: is the thing known, in use, packed, gone, or its lot on hold?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from gs1.identifier import Granularity
from ledger import capture_points_store as points
from ledger import codes, store
from ledger.capture_points_event import Read
from ledger.capture_points_model import Definition
from ledger.capture_points_refusals import Problem
from ledger.capture_points_store import ItemNow, UnitNow
from ledger.codes import KeyRing
from ledger.model import Found, Lot

_STOPPED_BY_PACKING: Final = frozenset({"pack", "ship", "sell", "transform", "destroy"})
_STOPPED_WHEN_GONE: Final = frozenset({"pack", "ship", "sell", "transform", "destroy"})
_GONE: Final = frozenset({"retail_sold", "dispensed", "destroyed", "disposed", "inactive", "stolen"})


@dataclass(frozen=True, slots=True)
class State:
    """What is on record of the things of a reading."""

    found: Mapping[str, Found]
    items: Mapping[int, ItemNow]
    units: Mapping[str, UnitNow]
    lots: Mapping[int, Lot]
    lots_by_uri: Mapping[str, frozenset[int]]
    """The lots of a thing: its own, or those inside it."""


async def state_of(conn: AsyncConnection, things: Sequence[Read], keys: KeyRing) -> State:
    """Look all of the things up."""
    found = {thing.uri: await codes.find(conn, thing.identifier, keys) for thing in things}
    numbers = [one.number for one in found.values() if one.number is not None]
    items = await points.items_now(conn, numbers)
    units = await points.units_now(conn, list(found))
    inside = await points.lots_inside(conn, [unit.unit_id for unit in units.values()])
    lots_by_uri: dict[str, frozenset[int]] = {}
    for uri, one in found.items():
        own = set() if one.lot_id is None else {one.lot_id}
        lots_by_uri[uri] = frozenset(own | (inside.get(units[uri].unit_id, set()) if uri in units else set()))
    lots = await store.lots_by_id(conn, sorted({lot_id for ids in lots_by_uri.values() for lot_id in ids}))
    return State(found, items, units, lots, lots_by_uri)


def problems_of(definition: Definition, things: Sequence[Read], state: State) -> list[Problem]:
    """Why these things cannot be taken here now; one reason for each thing, the most urgent."""
    return [problem for thing in things if (problem := _problem(definition, thing, state)) is not None]


def _problem(definition: Definition, thing: Read, state: State) -> Problem | None:
    held = [state.lots[lot_id] for lot_id in sorted(state.lots_by_uri[thing.uri]) if lot_id in state.lots]
    stopped = next((lot for lot in held if lot.status != "released"), None)
    if stopped is not None and definition.stops_held_lots:
        return Problem("on_hold", thing.where, {"code": thing.code, "lot": stopped.code})
    if thing.is_lot:
        return _of_lot(definition, thing, state)
    is_made = thing.role == "output" or (definition.work == "commission" and thing.role == "thing")
    if is_made:
        return _of_new(thing, state)
    if thing.role == "parent":
        return _unknown(thing) if definition.work == "unpack" and thing.uri not in state.units else None
    return _of_known(definition, thing, state)


def _of_lot(definition: Definition, thing: Read, state: State) -> Problem | None:
    """A lot that is made, or that arrives from outside, may be new; any other has to be on record."""
    may_be_new = thing.role == "output" or definition.work in ("commission", "receive", "return")
    return None if may_be_new or state.found[thing.uri].lot_id is not None else _unknown(thing)


def _of_new(thing: Read, state: State) -> Problem | None:
    found = state.found[thing.uri]
    in_use = thing.uri in state.units or (found.number is not None and found.number in state.items)
    return Problem("in_use_already", thing.where, {"code": thing.code}) if in_use else None


def _of_known(definition: Definition, thing: Read, state: State) -> Problem | None:
    found, unit = state.found[thing.uri], state.units.get(thing.uri)
    item = None if found.number is None else state.items.get(found.number)
    if unit is None and item is None:
        if thing.identifier.granularity is Granularity.ITEM and found.issued:
            return Problem("not_commissioned", thing.where, {"code": thing.code})
        return None if definition.work in ("receive", "return") else _unknown(thing)
    around = unit.parent_uri if unit is not None else item.unit_uri if item is not None else None
    if around is not None and definition.work in _STOPPED_BY_PACKING:
        return Problem("packed_already", thing.where, {"code": thing.code, "unit": around.rsplit("/", 1)[-1]})
    disposition = unit.disposition if unit is not None else item.disposition if item is not None else None
    if disposition in _GONE and definition.work in _STOPPED_WHEN_GONE:
        return Problem("gone", thing.where, {"code": thing.code, "state": disposition})
    return None


def _unknown(thing: Read) -> Problem:
    return Problem("unknown", thing.where, {"code": thing.code})
