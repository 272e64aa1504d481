"""Spells of numbers and units, as they stand on record: rows in, values out."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import MAXYEAR, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from ledger.statements import named_statements
from runtime.refusals import TooMany

SPELLS_MAX: Final = 20_000
"""Most spells, units or groups of items that one question about whereabouts may bring."""

_SQL: Final = named_statements(Path(__file__).with_name("whereabouts.sql"))


class TooManySpells(TooMany):
    """More than {spells_max} spells are on record here. Ask for an item or for one of the cases inside."""


class Spell(NamedTuple):
    """A time [since, until) in which a thing's own row did not change; ``until`` None = it is so still.

    ``inside`` is the unit that directly contained it; then place, owner and disposition are those of its outermost one.
    """

    since: datetime
    until: datetime | None
    event_id: int
    inside: int | None
    place_id: int
    owner_id: int
    disposition: str
    lot_id: int | None = None

    def holds(self, at: datetime) -> bool:
        """Whether this was so at an instant."""
        return self.since <= at and (self.until is None or at < self.until)


async def of_number(conn: AsyncConnection, number: int) -> list[Spell]:
    """The spells of one item, in order of time."""
    rows = await _rows(conn, "fates_of_number", number=number)
    return [_spell(row, row.unit_id, row.lot_id) for row in rows]


async def of_units(conn: AsyncConnection, unit_ids: Iterable[int]) -> dict[int, list[Spell]]:
    """The spells of these units and of all that ever contained them, to any depth."""
    found: dict[int, list[Spell]] = {}
    wanted = set(unit_ids)
    while wanted:
        found.update({unit_id: [] for unit_id in wanted})
        for row in await _rows(conn, "fates_of_units", units=sorted(wanted)):
            found[row.unit_id].append(_spell(row, row.parent_id, None))
        above = {spell.inside for unit_id in wanted for spell in found[unit_id] if spell.inside is not None}
        wanted = above - found.keys()
        if len(found) > SPELLS_MAX:
            raise TooManySpells(spells_max=SPELLS_MAX)
    return found


async def runs_of_lot(conn: AsyncConnection, lot_id: int, at: datetime) -> list[Any]:
    """The items of a lot at an instant: unit_id, place_id, owner_id, disposition, items."""
    return await _rows(conn, "runs_of_lot_at", lot_id=lot_id, at=at)


async def quantities_of_lot(conn: AsyncConnection, lot_id: int, at: datetime) -> list[Any]:
    """What was told by quantity: place_id, owner_id, disposition, uom, quantity, since."""
    return list((await conn.execute(_SQL["quantities_of_lot"], {"lot_id": lot_id, "at": at})).all())


async def packed_quantities_of_lot(conn: AsyncConnection, lot_id: int) -> list[Any]:
    """What of a lot is in units by quantity, now: unit_id, uom, quantity."""
    return list((await conn.execute(_SQL["packed_quantities_of_lot"], {"lot_id": lot_id})).all())


async def units_in(conn: AsyncConnection, unit_id: int, at: datetime) -> list[int]:
    """The unit itself and the units inside it at an instant."""
    return [row.unit_id for row in await _rows(conn, "units_in", unit_id=unit_id, at=at)]


async def contents(conn: AsyncConnection, unit_ids: Iterable[int], at: datetime) -> list[dict[str, Any]]:
    """The items directly in these units at an instant, by lot."""
    rows = await conn.execute(_SQL["runs_in_units_at"], {"units": sorted(unit_ids), "at": at})
    return [{**row, "items": int(row["items"])} for row in rows.mappings() if row["items"]]


async def packed_quantities(conn: AsyncConnection, unit_ids: Iterable[int]) -> list[dict[str, Any]]:
    """What is in these units by quantity, now, by lot."""
    rows = await conn.execute(_SQL["quantities_in_units"], {"units": sorted(unit_ids)})
    return [{**row, "quantity": float(row["quantity"])} for row in rows.mappings()]


async def names_of(conn: AsyncConnection, unit_ids: Iterable[int]) -> dict[int, str]:
    """Each unit's SSCC, or its URI when it has none."""
    rows = await conn.execute(_SQL["unit_names"], {"units": sorted(unit_ids)})
    return {row.unit_id: row.sscc or row.uri for row in rows}


async def _rows(conn: AsyncConnection, name: str, **values: Any) -> list[Any]:
    values["rows_max"] = SPELLS_MAX
    rows = (await conn.execute(_SQL[name], values)).all()
    if len(rows) > SPELLS_MAX:
        raise TooManySpells(spells_max=SPELLS_MAX)
    return list(rows)


def _spell(row: Any, inside: int | None, lot_id: int | None) -> Spell:
    # the driver reads 'infinity' as the last instant there is
    until = None if row.until.year == MAXYEAR else row.until
    return Spell(row.since, until, row.event_id, inside, row.place_id, row.owner_id, row.disposition or "", lot_id)
