"""Who holds the affected goods and how much of what they hold is affected, summed by channel and owner.

For closures too large to be shown lot by lot: the database sums what each owner has of each lot, and the bounds are
worked out as columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from sqlalchemy.ext.asyncio import AsyncConnection

from gs1.identifier import Identifier
from ledger import codes, extent, genealogy, trace_amounts, trace_reads
from ledger.closure import Start
from ledger.codes import KeyRing
from ledger.extent import Extent
from ledger.flow_columns import Numbers, Places, fractions, places, whole_numbers
from ledger.holders import PIECES, holdings
from ledger.starts import starts_of
from ledger.statements import named_statements
from ledger.trace_levels import Worked, amounts_of
from ledger.trace_quantities import Amount, rounded, whole_pieces

_SQL: Final = named_statements(Path(__file__).with_name("trace.sql"))


@dataclass(frozen=True, slots=True)
class HolderSum:
    """What one owner holds of all that was reached, in ``uom`` ("" = pieces), and how much of it is affected.

    ``channel`` None = none on record. What is below zero is below zero in all bounds, in a sum of its own.
    """

    channel: str | None
    owner_id: int
    owner: str
    uom: str
    amount: Amount


@dataclass(frozen=True, slots=True)
class Holders:
    """The sums by channel and owner, and how many lots were reached."""

    sums: tuple[HolderSum, ...]
    lots: int


async def holders_of(conn: AsyncConnection, identifier: Identifier, keys: KeyRing) -> dict[str, Any]:
    """Who holds what was made of the whole lots that this code names, in the types of JSON; no limit but the closure's.

    Refuses what is not on record. An item stands for its lot, as in a trace.
    """
    starts = await starts_of(conn, await codes.find(conn, identifier, keys))
    found = await holders_downstream(conn, [Start(lot_id) for lot_id in sorted({start.lot_id for start in starts})])
    rows = [{"channel": each.channel, "owner": each.owner, **rounded(each.amount, each.uom)} for each in found.sums]
    return {"lots": found.lots, "holders": rows}


async def holders_downstream(
    conn: AsyncConnection, starts: Iterable[Start], *, lots_max: int = genealogy.LOTS_MAX
) -> Holders:
    """All that the starts went into, by who holds it now, sorted by channel and owner. Raises ``ClosureTooLarge``."""
    starts = tuple(starts)
    below = await extent.downstream(conn, starts, lots_max=lots_max)
    made = await trace_amounts.made_of(conn, below.lots.tolist())
    quantities = await trace_amounts.worked_out_for(conn, below.lots, below.operations, starts, made)
    return Holders(await _sums(conn, below, quantities), len(below.lots))


async def affected_in_all(conn: AsyncConnection, below: Extent, starts: Iterable[Start]) -> list[int]:
    """Pieces affected at least, most likely and at most, of all that is held of these lots."""
    made = await trace_amounts.made_of(conn, below.lots.tolist())
    quantities = await trace_amounts.worked_out_for(conn, below.lots, below.operations, starts, made)
    lots, _owners, uoms, quantity = await _held(conn, below)
    counted = (quantity > 0) & np.array([uom == PIECES for uom in uoms], np.bool_)
    held, group = np.unique(lots[counted], return_inverse=True)
    partly = np.isin(held, places([lot.lot_id for lot in below.parts]))
    of_lots = amounts_of(quantities, held, [PIECES] * len(held), partly)
    sums = np.zeros(len(held))
    np.add.at(sums, group, quantity[counted])
    parts = of_lots.part(sums)
    return whole_pieces(Amount(*(float(column.sum()) for column in parts)))


async def _sums(conn: AsyncConnection, below: Extent, quantities: Worked) -> tuple[HolderSum, ...]:
    lots, owners, uoms, quantity = await _held(conn, below)
    of_lots = amounts_of(quantities, lots, uoms, np.isin(lots, places([lot.lot_id for lot in below.parts])))
    parts = np.where(quantity > 0, np.stack(of_lots.part(quantity)), quantity)
    words = list(dict.fromkeys(uoms))
    number_by_word = {word: number for number, word in enumerate(words)}
    uom = np.fromiter(map(number_by_word.__getitem__, uoms), np.int64, len(uoms))
    groups, group = np.unique(np.stack([owners, uom, quantity > 0]), axis=1, return_inverse=True)
    sums = [np.bincount(group, column, groups.shape[1]).tolist() for column in parts]
    parties = await trace_reads.parties_by_id(conn, groups[0].tolist())
    found = [
        HolderSum(parties[owner]["channel"], owner, parties[owner]["name"], words[word], Amount(*amount))
        for (owner, word, _is_there), amount in zip(groups.T.tolist(), zip(*sums, strict=True), strict=True)
    ]
    return tuple(sorted(found, key=lambda each: (each.channel or "~", each.owner, each.owner_id, each.uom)))


async def _held(conn: AsyncConnection, below: Extent) -> tuple[Places, Places, Sequence[str], Numbers]:
    """Lot, owner, unit of measure and quantity, as columns: whole lots from the holdings, parts from their runs."""
    wanted = {"lots": below.whole_lots()}
    row: Any = (await conn.execute(_SQL["held_by_owner"], wanted)).one()
    owned: dict[tuple[int, int], float] = {}
    for part in await holdings(conn, below.parts):
        key = (part.lot_id, part.owner_id)
        owned[key] = owned.get(key, 0.0) + float(part.quantity)
    return (
        np.r_[whole_numbers(row.lots), places([lot_id for lot_id, _owner in owned])],
        np.r_[whole_numbers(row.owners), places([owner_id for _lot, owner_id in owned])],
        [*(row.uoms or ()), *(PIECES for _ in owned)],
        np.r_[fractions(row.quantities), np.array([*owned.values()], np.float64)],
    )
