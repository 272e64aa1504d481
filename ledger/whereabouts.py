"""Who held and who owned a thing at any instant, in what it was, and what was in it: custody and ownership in time.

Custody goes by the place: the custodian is the party whose place it is. A packed thing is where its outermost unit is,
and belongs to whom that belongs. A spell lasts from its event until the next; at the instant of an event the new state
holds. Of what was told by quantity only the present state is kept: it is answered for instants since which it has not
changed, and otherwise said to be not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from gs1 import digital_link
from gs1.identifier import Identifier
from ledger import codes, trace_reads
from ledger import whereabouts_reads as reads
from ledger.codes import KeyRing
from ledger.model import UNKNOWN_ID, Found
from ledger.starts import NothingOnRecord
from ledger.states import state_of
from ledger.trace_amounts import number
from ledger.whereabouts_reads import Spell
from runtime.clock import rfc3339
from runtime.database import read_one_state
from runtime.refusals import Invalid

Units = Mapping[int, Sequence[Spell]]


class NameOneThing(Invalid):
    """{code} names a whole product. Ask for a lot, an item, or a case or pallet of it."""


@dataclass(frozen=True, slots=True)
class Situation:
    """Where a thing was: the units around it from the innermost, and the spell that says place and owner."""

    units: tuple[int, ...]
    where: Spell
    lot_id: int | None = None


async def whereabouts(conn: AsyncConnection, identifier: Identifier, keys: KeyRing, *, at: datetime) -> dict[str, Any]:
    """Where an item, a unit or a lot was at an instant and whose, what was in it, and its whole way (``timeline``).

    ``held`` is empty for an instant before anybody told of it. Refuses what is not on record, a whole product
    (``NameOneThing``), and what has more than ``SPELLS_MAX`` spells.
    """
    await read_one_state(conn)
    found = await codes.find(conn, identifier, keys)
    code = digital_link.canonical(identifier.identity())
    answer: dict[str, Any]
    if found.number is not None:
        spells = await reads.of_number(conn, found.number)
        units = await reads.of_units(conn, {spell.inside for spell in spells if spell.inside is not None})
        answer = await _of_one_thing(conn, spells, units, at)
    elif found.unit_id is not None:
        unit_id = found.unit_id
        units = await reads.of_units(conn, [unit_id])
        answer = await _of_one_thing(conn, units[unit_id], units, at)
        answer |= await _contents(conn, unit_id, at, units[unit_id])
    elif found.lot_id is not None:
        answer = await _of_lot(conn, found.lot_id, at)
    else:
        raise _refusal(found, identifier, code)
    return {"code": code, "at": rfc3339(at), **answer}


def _refusal(found: Found, identifier: Identifier, code: str) -> Exception:
    names_product = found.product_id is not None and identifier.lot is None and identifier.serial is None
    return NameOneThing(code=code) if names_product else NothingOnRecord(code=code)


def situation_at(spells: Iterable[Spell], units: Units, at: datetime) -> Situation | None:
    """The situation of a thing at an instant; None = nobody had told of it then."""
    here = next((spell for spell in reversed(list(spells)) if spell.holds(at)), None)
    if here is None:
        return None
    around: list[int] = []
    where = here
    while where.inside is not None and where.inside not in around:
        around.append(where.inside)
        outer = next((spell for spell in reversed(units.get(where.inside, ())) if spell.holds(at)), None)
        if outer is None:
            break
        where = outer
    return Situation(tuple(around), where, here.lot_id)


def timeline(spells: Sequence[Spell], units: Units) -> list[tuple[datetime, datetime | None, Situation]]:
    """The situations of a thing one after the other, each [since, until); neighbours that are the same are one."""
    around: set[int] = set()
    todo = {spell.inside for spell in spells if spell.inside is not None}
    while todo:
        around |= todo
        todo = {s.inside for unit_id in todo for s in units.get(unit_id, ()) if s.inside is not None} - around
    edges = {edge for spell in spells for edge in (spell.since, spell.until) if edge is not None}
    first = min(edges, default=None)
    edges |= {spell.since for unit_id in around for spell in units.get(unit_id, ()) if first and spell.since > first}
    result: list[tuple[datetime, datetime | None, Situation]] = []
    ordered = sorted(edges)
    for since, until in zip(ordered, [*ordered[1:], None], strict=True):
        now = situation_at(spells, units, since)
        if now is None:
            continue
        if result and result[-1][1] == since and _same(result[-1][2], now):
            result[-1] = (result[-1][0], until, result[-1][2])
        else:
            result.append((since, until, now))
    return result


def _same(one: Situation, other: Situation) -> bool:
    return one.units == other.units and one.lot_id == other.lot_id and one.where[4:7] == other.where[4:7]


async def _of_one_thing(conn: AsyncConnection, spells: Sequence[Spell], units: Units, at: datetime) -> dict[str, Any]:
    way = timeline(spells, units)
    now = situation_at(spells, units, at)
    shown = await _Names.load(conn, [situation.where for _, _, situation in way], units)
    held = [] if now is None else [shown.situation(now) | {"items": 1}]
    steps = [
        {"since": rfc3339(since), "until": None if until is None else rfc3339(until)} | shown.situation(situation)
        for since, until, situation in way
    ]
    return {"held": held, "timeline": steps}


async def _of_lot(conn: AsyncConnection, lot_id: int, at: datetime) -> dict[str, Any]:
    runs = await reads.runs_of_lot(conn, lot_id, at)
    packed = await reads.packed_quantities_of_lot(conn, lot_id)
    loose = await reads.quantities_of_lot(conn, lot_id, at)
    units = await reads.of_units(conn, {row.unit_id for row in (*runs, *packed) if row.unit_id is not None})
    sums: dict[tuple[int, int, str, str], Any] = {}
    unknown: set[str] = set()
    for row in runs:
        key = (*_where(row, units, at), "")
        sums[key] = sums.get(key, 0) + row.items
    for row in loose:
        if row.since > at:
            unknown.add(row.uom)  # it has changed since: how much it was then is kept nowhere
        else:
            key = (row.place_id, row.owner_id, row.disposition, row.uom)
            sums[key] = sums.get(key, 0) + row.quantity
    for row in packed:
        there = situation_at(units[row.unit_id], units, at)
        if there is None or units[row.unit_id][-1].since > at:
            unknown.add(row.uom)
        else:
            key = (there.where.place_id, there.where.owner_id, there.where.disposition, row.uom)
            sums[key] = sums.get(key, 0) + row.quantity
    spells = [Spell(at, None, 0, None, place, owner, word) for place, owner, word, _uom in sums]
    shown = await _Names.load(conn, spells, {})
    held = [
        shown.situation(Situation((), spell)) | ({"items": int(amount)} if uom == "" else {"quantity": number(amount)})
        | {"uom": uom}
        for spell, ((_, _, _, uom), amount) in zip(spells, sums.items(), strict=True) if amount
    ]  # fmt: skip
    return {"held": sorted(held, key=_order), "not_known": sorted(unknown), "timeline": []}


def _order(row: Mapping[str, Any]) -> tuple[str, str, str, str]:
    return row["place"]["name"], row["owner"]["name"], row["disposition"], row["uom"]


def _where(row: Any, units: Units, at: datetime) -> tuple[int, int, str]:
    if row.unit_id is not None:
        there = situation_at(units[row.unit_id], units, at)
        if there is not None:
            return there.where.place_id, there.where.owner_id, there.where.disposition
    return row.place_id, row.owner_id, row.disposition


async def _contents(conn: AsyncConnection, unit_id: int, at: datetime, spells: Sequence[Spell]) -> dict[str, Any]:
    inside = await reads.units_in(conn, unit_id, at)
    names = await reads.names_of(conn, [other for other in inside if other != unit_id])
    found: dict[str, Any] = {"units": sorted(names.values()), "contents": await reads.contents(conn, inside, at)}
    now_inside = await reads.packed_quantities(conn, inside)
    if now_inside and spells[-1].since <= at:
        return found | {"quantities": now_inside, "not_known": []}
    return found | {"quantities": [], "not_known": sorted({row["uom"] for row in now_inside})}


@dataclass(frozen=True, slots=True)
class _Names:
    places: Mapping[int, Mapping[str, Any]]
    parties: Mapping[int, Mapping[str, Any]]
    units: Mapping[int, str]

    @classmethod
    async def load(cls, conn: AsyncConnection, spells: Sequence[Spell], units: Units) -> _Names:
        places = await trace_reads.places_by_id(conn, {spell.place_id for spell in spells})
        wanted = {spell.owner_id for spell in spells} | {place["party_id"] for place in places.values()}
        return cls(places, await trace_reads.parties_by_id(conn, wanted), await reads.names_of(conn, units))

    def situation(self, situation: Situation) -> dict[str, Any]:
        """As the answer shows it: place, custodian, owner, state, and the units around it from the innermost."""
        where = situation.where
        place, owner = self.places[where.place_id], self.parties[where.owner_id]
        known = place["party_id"] != UNKNOWN_ID
        return {
            "place": {name: place[name] for name in ("gln", "name", "kind")},
            "custodian": _party(self.parties[place["party_id"]]),
            "owner": _party(owner),
            "disposition": where.disposition,
            "state": state_of(where.disposition, place["kind"], place["party_role"] if known else owner["role"]),
            "inside": [self.units[unit_id] for unit_id in situation.units],
        }


def _party(party: Mapping[str, Any]) -> dict[str, Any]:
    return {name: party[name] for name in ("gln", "name")}
