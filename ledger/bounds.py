"""How much of what somebody holds of each lot is affected: at least, most likely, at most.

A closure names lots; a notice names what one owner has of one lot. Of a lot that is affected in part nobody can say
which owner has that part, so each owner's own bounds are worked out from the lot's: at least what the sound rest of the
lot cannot fill, at most all that is affected.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

import numpy as np
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger.closure import Closure, Start
from ledger.flow_columns import places
from ledger.holders import Holding
from ledger.trace_amounts import made_of, quantities_of
from ledger.trace_levels import Worked, amounts_of
from ledger.trace_quantities import Amount

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Bounds:
    """The bounds of the lots of one closure, to be asked for parts of them. ``whole``: the lots reached as a whole."""

    worked: Worked
    whole: frozenset[int]

    def part(self, lot_id: int, uom: str, quantity: Decimal) -> Amount:
        """The bounds of so much of a lot, in its unit of measure."""
        return self.worked.of(lot_id, uom, only_told=lot_id not in self.whole).part(float(quantity))

    def of(self, held: Iterable[Holding], shared: Callable[[Holding], K]) -> dict[K, Amount]:
        """The bounds of the holdings that share something, in their unit of measure; ``total`` is what is held.

        ``held`` are holdings of the closure's lots, or of parts of them; ``shared`` must tell lots and units of measure
        apart. Holdings of zero or less are no goods and have no bounds. One by one these are right, and they do not add
        up: two owners of half a lot each, of which half is affected, may each have none of it or all, and together they
        have just that half.
        """
        quantities: dict[tuple[K, int, str], float] = {}
        for holding in held:
            if holding.quantity > 0:
                key = (shared(holding), holding.lot_id, holding.uom)
                quantities[key] = quantities.get(key, 0.0) + float(holding.quantity)
        if not quantities:
            return {}
        lots = places([lot_id for _group, lot_id, _uom in quantities])
        partly = np.array([lot_id not in self.whole for _group, lot_id, _uom in quantities])
        of_lots = amounts_of(self.worked, lots, [uom for _group, _lot, uom in quantities], partly)
        parts = np.stack(of_lots.part(np.array([*quantities.values()], np.float64))).T.tolist()
        return {group: Amount(*part) for (group, _lot, _uom), part in zip(quantities, parts, strict=True)}


async def bounds_of(conn: AsyncConnection, closure: Closure, starts: Iterable[Start]) -> Bounds:
    """The bounds of what is downstream of ``starts``, as ``closure`` has it."""
    made = await made_of(conn, (lot.lot_id for lot in closure.lots))
    worked = await quantities_of(conn, closure, starts, made)
    return Bounds(worked, frozenset(lot.lot_id for lot in closure.lots if lot.whole))
