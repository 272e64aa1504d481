"""From where a quantity that is told without serials is most likely taken. Pure; the rest is out of the unknown.

Goods are never taken from a place that the event gives no reason for, except when one holder alone has the lot: taking
them there would make another owner's count smaller than it is, and a recall would ask that owner for too little.
"""

from __future__ import annotations

from typing import Final

from ledger.balance import Balance, Rank
from ledger.movement import GONE, IN_TRANSIT, RECEIVING, RETURNED, SHIPPING, Movement, Where

_ARRIVING: Final = RECEIVING | {"arriving", "unloading"}
_SOLE_RANK: Final = 9


def rank_of(movement: Movement, balance: Balance, lot_id: int, uom: str) -> Rank:
    """The order in which this event takes from where the lot is."""
    gone = [where for where in balance.wheres(lot_id, uom) if where.disposition in GONE]
    sole = balance.sole_holder(lot_id, uom, gone)

    def rank(where: Where) -> int | None:
        if where.disposition in GONE:
            return _rank_returned(movement, where)
        if movement.step in SHIPPING:
            level = _rank_shipped(movement, where)
        elif movement.step in _ARRIVING:
            level = _rank_received(movement, where)
        else:
            level = _rank_at_hand(movement, where)
        if level is None and sole == (where.place_id, where.owner_id):
            return _SOLE_RANK
        return level

    return rank


def _rank_shipped(movement: Movement, where: Where) -> int | None:
    """At the place it goes from; else with the owner it comes from."""
    ends = movement.ends
    start = next((p for p in (ends.source_place_id, ends.biz_location_id, ends.read_point_id) if p is not None), None)
    if where.place_id == start:
        return 1 if where.disposition == IN_TRANSIT else 0
    if ends.source_owner_id is not None and where.owner_id == ends.source_owner_id:
        return 2
    return None


def _rank_received(movement: Movement, where: Where) -> int | None:
    """On the way to this place; else on the way from the named source; else still at the source."""
    ends = movement.ends
    from_source = where.place_id == ends.source_place_id or (
        ends.source_owner_id is not None and where.owner_id == ends.source_owner_id
    )
    if where.disposition == IN_TRANSIT:
        if where.place_id == movement.place_id:
            return 0
        return 1 if from_source else 4
    # What is at the place already was received before; another delivery cannot come out of it.
    return 2 if from_source and where.place_id != movement.place_id else None


def _rank_at_hand(movement: Movement, where: Where) -> int | None:
    """At the place of the event; else at the named source; else with the owner that the event names."""
    ends = movement.ends
    if movement.place_id is not None and where.place_id == movement.place_id:
        return 1 if where.disposition == IN_TRANSIT else 0
    if ends.source_place_id is not None and where.place_id == ends.source_place_id:
        return 2
    owners = {owner for owner in (ends.source_owner_id, movement.owner_id) if owner is not None}
    return 3 if where.owner_id in owners else None


def _rank_returned(movement: Movement, where: Where) -> int | None:
    """Only what was sold comes back."""
    if movement.disposition != RETURNED or where.disposition not in ("retail_sold", "dispensed"):
        return None
    return 0 if where.place_id in (movement.place_id, movement.ends.source_place_id) else 1
