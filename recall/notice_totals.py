"""Totals of notice lines: over all, by channel, owner, product and lot. Pure; each item is counted once."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from recall.notices import TALLIED, Line, Owner, Person, Row, number_text


def totals(lines: Iterable[Line]) -> dict[str, Any]:
    """Counts over all, by channel, owner, product and lot: items (each once), and quantities by unit of measure."""
    overall = tally()
    channels: dict[str, dict[str, Any]] = {}
    owners: dict[tuple[str, int], dict[str, Any]] = {}
    lots: dict[tuple[str, str], dict[str, Any]] = {}
    products: dict[str, dict[str, Any]] = {}
    for line in lines:
        row = line.row
        gtin, lot = str(row["gtin"]), str(row["lot"])
        # looked up before it is made: an entry that is there already is not made again for each line
        channel = channels.get(line.channel) or channels.setdefault(
            line.channel, {"channel": line.channel, "owners": set(), **tally()}
        )
        owner = owners.get((line.channel, line.owner_id)) or owners.setdefault(
            (line.channel, line.owner_id), _owner_tally(line)
        )
        product = products.get(gtin) or products.setdefault(
            gtin, {"gtin": row["gtin"], "product": row["product"], **tally()}
        )
        of_lot = lots.get((gtin, lot)) or lots.setdefault((gtin, lot), _lot_tally(row))
        channel["owners"].add(line.owner_id)
        for counts in (overall, channel, owner, product, of_lot):
            _count(counts, row)
    for entry in channels.values():
        entry["owners"] = len(entry["owners"])
    return {
        **overall,
        "owners": len({owner_id for _, owner_id in owners}),
        "by_channel": list(channels.values()),
        "by_owner": list(owners.values()),
        "by_product": list(products.values()),
        "by_lot": list(lots.values()),
    }


def tally() -> dict[str, Any]:
    """Nothing counted yet."""
    return {**dict.fromkeys(TALLIED, 0), "quantities": {}, "lines": 0}


def owner_tally(owner_id: int, owner: Owner) -> dict[str, Any]:
    """Nothing counted yet of an owner."""
    return {
        "channel": owner.route,
        "owner_id": owner_id,
        "owner_gln": owner.gln,
        "owner_name": owner.name,
        "responsible_name": (owner.responsible or Person()).name,
        **tally(),
    }


def _owner_tally(line: Line) -> dict[str, Any]:
    return {
        "channel": line.channel,
        "owner_id": line.owner_id,
        "owner_gln": line.row["owner_gln"],
        "owner_name": line.row["owner_name"],
        "responsible_name": line.row["responsible_name"],
        **tally(),
    }


def _lot_tally(row: Row) -> dict[str, Any]:
    return {"gtin": row["gtin"], "product": row["product"], "lot": row["lot"], **tally()}


def _count(counts: dict[str, Any], row: Row) -> None:
    counts["lines"] += 1
    for name in TALLIED:
        counts[name] += row[name] or 0
    if row["uom"]:
        count_quantity(counts, str(row["uom"]), Decimal(str(row["quantity"])))


def count_quantity(counts: dict[str, Any], uom: str, quantity: Decimal) -> None:
    """Add a quantity in a unit that does not count pieces."""
    before = Decimal(counts["quantities"].get(uom, "0"))
    counts["quantities"][uom] = number_text(before + quantity)
