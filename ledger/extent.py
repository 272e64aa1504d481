"""How far a closure reaches, as columns: for sums over closures that are too large for a value each.

Where every lot is affected as a whole, and the order in time settles everything, the lots and operations are read as
bytes; else the closure is made as ever and told as columns. Both are the same lots and operations.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import genealogy
from ledger.closure import LOTS_MAX, Closure, ClosureTooLarge, Reached, Start
from ledger.closure_walk import SQL, STATES_PER_LOT_MAX, STATES_SPARE
from ledger.flow_columns import Places, places, whole_numbers


@dataclass(frozen=True, slots=True, eq=False)
class Extent:
    """``lots`` and ``operations`` sorted. ``parts`` are those of the lots that are not whole; ``possible`` those that
    no proved way reaches."""

    lots: Places
    operations: Places
    parts: tuple[Reached, ...] = ()
    possible: tuple[Reached, ...] = ()

    def whole_lots(self) -> list[int]:
        """The lots that are affected as a whole."""
        found: list[int] = np.setdiff1d(
            self.lots, places([lot.lot_id for lot in self.parts]), assume_unique=True
        ).tolist()
        return found


async def downstream(conn: AsyncConnection, starts: Iterable[Start], *, lots_max: int = LOTS_MAX) -> Extent:
    """All that was made from the starts, the starts included. Raises ``ClosureTooLarge``."""
    starts = tuple(starts)
    if (found := await whole_lots(conn, starts, lots_max=lots_max)) is not None:
        return found
    return extent_of(await genealogy.downstream_extent(conn, starts, lots_max=lots_max))


def extent_of(closure: Closure) -> Extent:
    """A closure as columns."""
    return Extent(
        places([lot.lot_id for lot in closure.lots]),
        places(closure.operation_ids),
        tuple(lot for lot in closure.lots if not lot.whole),
        tuple(lot for lot in closure.lots if lot.basis == "possible"),
    )


async def whole_lots(conn: AsyncConnection, starts: Sequence[Start], *, lots_max: int = LOTS_MAX) -> Extent | None:
    """The same where all that is reached is whole lots and sure; None where there is more to say. Raises the same."""
    if any(start.lo is not None for start in starts):
        return None
    states_max = STATES_PER_LOT_MAX * lots_max + STATES_SPARE
    values = {"lots": sorted({start.lot_id for start in starts}), "states_max": states_max}
    row = (await conn.execute(SQL["extent"], values)).one()
    lots, operations = np.unique(whole_numbers(row.lots)), np.unique(whole_numbers(row.operations))
    if row.states > states_max or len(lots) > lots_max:
        raise ClosureTooLarge(lots_max=lots_max)
    walked = {"lots": lots.tolist(), "operations": operations.tolist()}
    if row.in_part or (await conn.execute(SQL["beyond_downstream"], walked)).scalar_one():
        return None
    return Extent(lots, operations)
