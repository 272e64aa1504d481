"""How much of what each owner holds of each lot is affected: at least, most likely, at most.

A closure names lots; a notice names what one owner has of one lot. Of a lot that is affected in part nobody can say
which owner has that part, so each owner's own bounds are worked out from the lot's: at least what the sound rest of the
lot cannot fill, at most all that is affected.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

import numpy as np
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger.closure import Closure, Start
from ledger.flow_columns import places
from ledger.holders import Holding
from ledger.trace_amounts import made_of, quantities_of
from ledger.trace_levels import amounts_of
from ledger.trace_quantities import Amount

K = TypeVar("K", bound=Hashable)

OwnerOfLot = tuple[int, int, str]
"""Lot, owner and unit of measure ("" = pieces)."""


def owner_of_lot(holding: Holding) -> OwnerOfLot:
    """What a notice has a line for: a lot in the hands of an owner, wherever it is. A lot is of one product."""
    return (holding.lot_id, holding.owner_id, holding.uom)


async def bounds_by_owner(
    conn: AsyncConnection, closure: Closure, starts: Iterable[Start], held: Iterable[Holding]
) -> dict[OwnerOfLot, Amount]:
    """The bounds for each lot, owner and unit of measure; see ``bounds_of``."""
    return await bounds_of(conn, closure, starts, held, owner_of_lot)


async def bounds_of(
    conn: AsyncConnection,
    closure: Closure,
    starts: Iterable[Start],
    held: Iterable[Holding],
    shared: Callable[[Holding], K],
) -> dict[K, Amount]:
    """The bounds of the holdings that share something, in their unit of measure; ``total`` is what is held.

    ``closure`` is downstream of ``starts``, and ``held`` are holdings of its lots, or of parts of them; ``shared`` must
    tell lots and units of measure apart. Holdings of zero or less are no goods and have no bounds. One by one these are
    right, and they do not add up: two owners of half a lot each, of which half is affected, may each have none of it or
    all, and together they have just that half.
    """
    quantities: dict[tuple[K, int, str], float] = {}
    for holding in held:
        if holding.quantity > 0:
            key = (shared(holding), holding.lot_id, holding.uom)
            quantities[key] = quantities.get(key, 0.0) + float(holding.quantity)
    if not quantities:
        return {}
    made = await made_of(conn, (lot.lot_id for lot in closure.lots))
    worked = await quantities_of(conn, closure, starts, made)
    whole = {lot.lot_id for lot in closure.lots if lot.whole}
    lots = places([lot_id for _group, lot_id, _uom in quantities])
    partly = np.array([lot_id not in whole for _group, lot_id, _uom in quantities])
    of_lots = amounts_of(worked, lots, [uom for _group, _lot, uom in quantities], partly)
    parts = np.stack(of_lots.part(np.array([*quantities.values()], np.float64))).T.tolist()
    return {group: Amount(*part) for (group, _lot, _uom), part in zip(quantities, parts, strict=True)}
