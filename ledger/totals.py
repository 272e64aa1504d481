"""How much of a closure's goods is held, summed in the database by whatever is asked: product, channel, owner …

The time follows the holdings that are read, and nothing a holding is brought to the client: sums over a million lots
are as many rows as there are groups.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal, get_args

from sqlalchemy.ext.asyncio import AsyncConnection

from ledger.closure import Reached
from ledger.holders import Holding, holdings
from ledger.statements import named_statements
from ledger.states import State, state_of

Dimension = Literal["product", "lot", "channel", "owner", "custodian", "state"]
DIMENSIONS: Final[tuple[Dimension, ...]] = get_args(Dimension)

_Group = tuple[int | None, int | None, str | None, int | None, int | None, State | None, str]
_SQL: Final = named_statements(Path(__file__).with_name("holders.sql"))


@dataclass(frozen=True, slots=True)
class Total:
    """A sum over holdings, in ``uom`` ("" = pieces). What was not asked by is None; ``channel`` "" = none on record.

    ``held`` is what is there. ``below_zero`` is what more went out than ever came in, as a positive number: the two
    are never set against each other. ``custodian_id`` is the party whose place it is.
    """

    product_id: int | None
    lot_id: int | None
    channel: str | None
    owner_id: int | None
    custodian_id: int | None
    state: State | None
    uom: str
    held: Decimal
    below_zero: Decimal


async def totals(conn: AsyncConnection, reached: Iterable[Reached], by: Collection[Dimension]) -> tuple[Total, ...]:
    """The sums over what ``holders.holdings`` tells of the same lots or parts of lots, one for each group and unit.

    Sorted by the groups. Raises what ``holders.holdings`` raises.
    """
    reached = tuple(reached)
    whole = sorted({lot.lot_id for lot in reached if lot.whole})
    parts = await holdings(conn, (lot for lot in reached if not lot.whole))
    values = {"lots": whole, "by": sorted(set(by)), **_columns(parts)}
    sums: dict[_Group, tuple[Decimal, Decimal]] = {}
    for row in await conn.execute(_SQL["totals"], values):
        state = state_of(row.disposition, row.place_kind, row.role) if "state" in by else None
        key = (row.product_id, row.lot_id, row.channel, row.owner_id, row.custodian_id, state, row.uom)
        held, below_zero = sums.get(key, (Decimal(0), Decimal(0)))
        sums[key] = (held + row.held, below_zero + row.below_zero)
    found = (Total(*key, held, below_zero) for key, (held, below_zero) in sums.items())
    return tuple(sorted(found, key=_order))


def _columns(parts: Iterable[Holding]) -> dict[str, list[Any]]:
    """Parts of lots as columns; their owner, place and product are looked up where those of whole lots are."""
    rows = tuple(parts)
    return {
        "part_lots": [part.lot_id for part in rows],
        "part_places": [part.place_id for part in rows],
        "part_owners": [part.owner_id for part in rows],
        "part_dispositions": [part.disposition for part in rows],
        "part_quantities": [part.quantity for part in rows],
    }


def _order(total: Total) -> tuple[str | int, ...]:
    names = (total.channel or "", total.state or "", total.uom)
    numbers = (total.product_id or 0, total.lot_id or 0, total.owner_id or 0, total.custodian_id or 0)
    return (*names, *numbers)
