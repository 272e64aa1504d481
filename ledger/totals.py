"""How much of whole lots is held by whom, summed in the database: by owner and by product, each line rounded up.

A *line* is what a notice has one of: a lot, an owner, a place and a unit of measure. The time follows the holdings that
are read, and nothing a holding is brought to the client: sums over a million lots are as many rows as owners and
products.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any, Final, get_args

from sqlalchemy.ext.asyncio import AsyncConnection

from ledger.model import PartyRole, PlaceKind
from ledger.statements import named_statements
from ledger.states import DECIDED, STATES, State, state_of

_SQL: Final = named_statements(Path(__file__).with_name("holders.sql"))


@dataclass(frozen=True, slots=True)
class LineSum:
    """A sum over the lines of one owner, or of one product; the other is None. ``uom`` "" = pieces.

    ``lines`` counts those to whom goods were only shipped too. ``by_state`` is as it is; ``on_hand``, ``sold``,
    ``returned`` and ``destroyed`` (sampled goods too) are rounded up line by line. What is below zero is no goods.
    """

    owner_id: int | None
    product_id: int | None
    uom: str
    lines: int
    by_state: Mapping[State, Decimal]
    on_hand: Decimal
    sold: Decimal
    returned: Decimal
    destroyed: Decimal


async def line_sums(
    conn: AsyncConnection, lots: Collection[int], *, pieces: Collection[str]
) -> tuple[tuple[LineSum, ...], tuple[LineSum, ...]]:
    """By owner and by product: what is held of these whole lots and to whom they were shipped; by unit of measure.

    The units in ``pieces`` all count pieces.
    """
    rows = (await conn.execute(_SQL["line_sums"], {"lots": sorted(lots), "pieces": sorted(pieces), **_STATES})).all()
    sums = [_sum(row) for row in rows]
    return tuple(x for x in sums if x.owner_id is not None), tuple(x for x in sums if x.product_id is not None)


def _sum(row: Any) -> LineSum:
    by_state = {state: getattr(row, state) for state in STATES}
    return LineSum(
        row.owner_id, row.product_id, row.uom, row.lines, by_state,
        row.ceil_on_hand, row.ceil_sold, row.ceil_returned, row.ceil_destroyed,
    )  # fmt: skip


def _states() -> dict[str, list[str]]:
    """``state_of`` as columns: what decides by itself, and for the rest every kind of place with every role."""
    places = list(product(get_args(PlaceKind), get_args(PartyRole)))
    return {
        "words": list(DECIDED),
        "word_states": list(DECIDED.values()),
        "kinds": [kind for kind, _role in places],
        "roles": [role for _kind, role in places],
        "place_states": [state_of("", kind, role) for kind, role in places],
    }


_STATES: Final = _states()
