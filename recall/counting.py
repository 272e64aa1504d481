"""What a scope reaches, counted in the database: the figures of its notice list without the lines of it.

Where every affected lot is affected as a whole nothing a lot is brought to the client but its name for the hash; parts
of lots, which are few, are told line by line as ever. The figures are those that publishing would freeze.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import ceil
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import extent, trace_holders
from ledger.closure import Start
from ledger.extent import Extent
from ledger.states import STATES
from ledger.totals import LineSum, line_sums
from ledger.trace import ledger_revision
from recall import affected as affecting
from recall import listing, notice_totals, reach
from recall.affected import AffectedLot, AffectedSet
from recall.notices import CHANNELS, PIECES, Line, Owner
from recall.scope import Scope


@dataclass(frozen=True, slots=True, eq=False)
class Far:
    """How far a scope reaches: ``whole`` lots by lot_id, and ``parts`` of lots. ``affected`` None = not one by one."""

    scope: Scope
    ledger_event: int
    starts: tuple[Start, ...]
    extent: Extent
    whole: Sequence[int]
    parts: tuple[AffectedLot, ...] = ()
    affected: AffectedSet | None = None

    @property
    def lots(self) -> int:
        """How many lots are affected, in whole or in part."""
        return len(self.whole) + len(self.parts)


async def look(conn: AsyncConnection, scope: Scope) -> Far:
    """How far ``scope`` reaches now. Raises what ``affected.trace`` raises."""
    begun, removed = await affecting.starts_of(conn, scope)
    whole = await extent.whole_lots(conn, begun) if begun and not removed else None
    if whole is not None:
        return Far(scope, await ledger_revision(conn), begun, whole, whole.lots.tolist())
    found = await affecting.trace(conn, scope, with_steps=False)
    parts = tuple(lot for lot in found.lots if not lot.whole)
    whole_lots = [lot.lot_id for lot in found.lots if lot.whole]
    return Far(scope, found.ledger_event, begun, extent.extent_of(found.closure), whole_lots, parts, found)


async def totals(conn: AsyncConnection, far: Far) -> dict[str, Any]:
    """The totals of the notice list, without those by lot and without bounds."""
    by_owner, by_product = await line_sums(conn, far.whole, pieces=PIECES)
    lines, held = await listing.lines_of(conn, far.parts, listing.NO_HEADER, None)
    owners = await reach.owners(conn, (each.owner_id for each in by_owner if each.owner_id is not None))
    products = await reach.products(conn, (each.product_id for each in by_product if each.product_id is not None))
    states = {str(state): Decimal(0) for state in STATES}
    for each in by_owner:
        for state, quantity in each.by_state.items() if each.uom == "" else ():
            states[state] += quantity
    for holding in held:
        if holding.quantity > 0 and holding.uom in PIECES:
            states[holding.state] += holding.quantity
    return {
        **_together(lines, by_owner, by_product, owners, products),
        "lots": far.lots,
        "by_state": {state: ceil(quantity) for state, quantity in states.items()},
        "by_lot": [],
        "by_lot_left_out": far.lots,
    }


async def hash_of(conn: AsyncConnection, far: Far) -> str:
    """The hash of the set that publishing would freeze."""
    if far.affected is not None:
        return far.affected.hash
    started = {start.lot_id for start in far.starts}
    rows = await reach.lots_in_order(conn, far.whole)
    lots: list[list[Any]] = [
        [gtin, code, True, "scope" if lot_id in started else "proved", []] for lot_id, gtin, code in rows
    ]
    return affecting.seal_of(far.scope, far.ledger_event, lots)


async def bounds(conn: AsyncConnection, far: Far) -> list[int]:
    """Pieces affected at least, most likely and at most, of all that is held."""
    return await trace_holders.affected_in_all(conn, far.extent, far.starts)


def _together(
    lines: Iterable[Line],
    by_owner: Iterable[LineSum],
    by_product: Iterable[LineSum],
    owners: Mapping[int, Owner],
    products: Mapping[int, tuple[str, str]],
) -> dict[str, Any]:
    """The totals of some lines, and of sums over others."""
    found = notice_totals.totals(lines)
    channels = {entry["channel"]: entry for entry in found["by_channel"]}
    told_owners = {entry["owner_id"]: entry for entry in found["by_owner"]}
    told_products = {entry["gtin"]: entry for entry in found["by_product"]}
    for each in by_owner:
        owner_id = each.owner_id or 0
        owner = owners[owner_id]
        channel = channels.setdefault(owner.route, {"channel": owner.route, "owners": 0, **notice_totals.tally()})
        entry = told_owners.setdefault(owner_id, notice_totals.owner_tally(owner_id, owner))
        for into in (found, channel, entry):
            _add(into, each)
    for each in by_product:
        gtin, name = products[each.product_id or 0]
        _add(told_products.setdefault(gtin, {"gtin": gtin, "product": name, **notice_totals.tally()}), each)
    for route, entry in channels.items():
        entry["owners"] = sum(owner["channel"] == route for owner in told_owners.values())
    return {
        **found,
        "owners": len(told_owners),
        "by_channel": sorted(channels.values(), key=lambda entry: CHANNELS.index(entry["channel"])),
        "by_owner": sorted(told_owners.values(), key=_order_of_owner),
        "by_product": sorted(told_products.values(), key=lambda entry: (entry["product"], entry["gtin"])),
    }


def _add(tally: dict[str, Any], more: LineSum) -> None:
    tally["lines"] += more.lines
    if more.uom:
        notice_totals.count_quantity(tally, more.uom, sum(more.by_state.values(), Decimal(0)))
        return
    parts = {
        "items_expected_on_hand": more.on_hand, "items_sold": more.sold, "items_returned": more.returned,
        "items_destroyed": more.destroyed,
    }  # fmt: skip
    for name, amount in parts.items():
        tally[name] += int(amount)
        tally["items"] += int(amount)


def _order_of_owner(entry: Mapping[str, Any]) -> tuple[int, str, int]:
    return CHANNELS.index(entry["channel"]), entry["owner_name"], entry["owner_id"]
