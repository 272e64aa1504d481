"""Where the affected goods are now, whose they are, and what went out to whom.

Whole lots are answered from the ledger of holdings, so the time follows the number of holders and not of items; parts
of lots from the runs of numbers. Each unit is counted once, at its outermost unit's place and owner.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from ledger.genealogy import Reached
from ledger.intervals import Run, clipped, merged, size
from ledger.statements import named_statements
from runtime.refusals import TooMany

RUNS_MAX: Final = 2_000_000
"""Most runs of numbers that partial lots may bring in one answer."""
PIECES: Final = ""
"""The unit of measure in which serialized items are counted."""

_SQL = named_statements(Path(__file__).with_name("holders.sql"))


class TooManyRuns(TooMany):
    """The affected parts of lots lie in more than {runs_max} runs of numbers; name the whole lots instead."""


@dataclass(frozen=True, slots=True)
class Holding:
    """A quantity of one lot in one place, of one owner, in one disposition ("" = none told).

    ``quantity`` is in ``uom`` ("" = pieces) and negative where more went out than ever came in. ``runs`` are the very
    numbers, for parts of lots only.
    """

    lot_id: int
    place_id: int
    owner_id: int
    disposition: str
    uom: str
    quantity: Decimal
    runs: tuple[Run, ...] = ()


@dataclass(frozen=True, slots=True)
class Shipment:
    """What went out of one lot by one event. ``quantity`` is in ``uom`` ("" = pieces)."""

    event_id: int
    lot_id: int
    uom: str
    quantity: Decimal
    from_owner_id: int
    to_owner_id: int
    from_place_id: int
    to_place_id: int
    at: datetime
    documents: tuple[str, ...]


async def holdings(conn: AsyncConnection, reached: Iterable[Reached]) -> tuple[Holding, ...]:
    """Who holds how much of these lots, or of these parts of lots, now; sorted by lot, place, owner and disposition.

    The parts are what ``whole`` and ``runs`` say; pass ``lot.widest()`` to ask for all that is possible.
    """
    reached = tuple(reached)
    whole = sorted({lot.lot_id for lot in reached if lot.whole})
    rows = (await conn.execute(_SQL["holdings_of_lots"], {"lots": whole})).all()  # at once: one by one costs the most
    found = [Holding(*row) for row in rows]
    runs_by_lot = {lot.lot_id: merged(lot.runs) for lot in reached if not lot.whole and lot.runs}
    if runs_by_lot:
        found.extend(await _holdings_of_parts(conn, runs_by_lot))
    return tuple(sorted(found, key=lambda h: (h.lot_id, h.place_id, h.owner_id, h.disposition, h.uom)))


async def shipments(conn: AsyncConnection, lot_ids: Iterable[int]) -> tuple[Shipment, ...]:
    """What was shipped of these lots, in the order of time; events that were declared wrong left out."""
    rows = await conn.execute(_SQL["shipments_of_lots"], {"lots": sorted(set(lot_ids))})
    return tuple(Shipment(**{**row, "documents": tuple(row["documents"])}) for row in rows.mappings())


async def _holdings_of_parts(conn: AsyncConnection, runs_by_lot: Mapping[int, tuple[Run, ...]]) -> Sequence[Holding]:
    """In two steps, runs and then units, so that no statement needs lots and units on one node."""
    runs_by_lot = await _with_replacements(conn, runs_by_lot)
    rows = (await conn.execute(_SQL["runs_of_lots"], _columns(runs_by_lot))).all()
    if len(rows) > RUNS_MAX:
        raise TooManyRuns(runs_max=RUNS_MAX)
    unit_ids = {row.unit_id for row in rows if row.unit_id is not None}
    outermost = await outermost_units(conn, unit_ids)
    parts: dict[tuple[int, int, int, str], list[Run]] = {}
    for row in rows:
        pieces = clipped(runs_by_lot[row.lot_id], row.lo, row.n)
        parts.setdefault(_where(row, outermost), []).extend(pieces)
    return [
        Holding(*key, PIECES, Decimal(size(runs)), runs)
        for key, runs in ((key, merged(pieces)) for key, pieces in parts.items())
    ]


async def _with_replacements(
    conn: AsyncConnection, runs_by_lot: Mapping[int, tuple[Run, ...]]
) -> dict[int, tuple[Run, ...]]:
    """The same parts with the new numbers of items that were labelled anew: the item is what is held, not its label."""
    rows = await conn.execute(_SQL["replacements"], _columns(runs_by_lot))
    renewed: dict[int, list[Run]] = {}
    for row in rows:
        renewed.setdefault(row.lot_id, []).append((row.number, 1))
    return {lot_id: merged([*runs, *renewed.get(lot_id, ())]) for lot_id, runs in runs_by_lot.items()}


def _columns(runs_by_lot: Mapping[int, tuple[Run, ...]]) -> dict[str, list[int]]:
    wanted = [(lot_id, lo, n) for lot_id, runs in sorted(runs_by_lot.items()) for lo, n in runs]
    return dict(zip(("lots", "los", "ns"), (list(c) for c in zip(*wanted, strict=True)), strict=True))


async def outermost_units(conn: AsyncConnection, unit_ids: Iterable[int]) -> dict[int, Any]:
    """For each unit the row (outermost_id, place_id, owner_id, disposition) of the unit that nothing contains."""
    rows = await conn.execute(_SQL["outermost_units"], {"units": sorted(set(unit_ids))})
    return {row.unit_id: row for row in rows}


def _where(row: Any, outermost: Mapping[int, Any]) -> tuple[int, int, int, str]:
    """Lot, place, owner and disposition of a run: those of its outermost unit, or its own when it is loose."""
    unit = outermost.get(row.unit_id) if row.unit_id is not None else None
    if unit is None:
        return (row.lot_id, row.place_id, row.owner_id, row.disposition)
    return (row.lot_id, unit.place_id, unit.owner_id, unit.disposition or "")
