"""A preview of a recall on the terminal: the totals first, then the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cli.output import counted, say, table
from recall.model import FirstTotals, Preview, Published

_PREVIEW_TABLES = {
    "by_product": ("product", "items", "quantities"),
    "by_lot": ("product", "lot", "items", "quantities"),
    "by_channel": ("channel", "owners", "items", "quantities"),
    "by_owner": ("owner_name", "channel", "items", "quantities", "responsible_name"),
}


def reached(reach: Published | Preview | FirstTotals) -> str:
    """How much, in how many lots, at how many owners."""
    return f"{counted(reach.items, 'item')} in {counted(reach.lots, 'lot')} at {counted(reach.owners, 'owner')}"


def print_first(found: FirstTotals) -> None:
    """The totals, which are known before all that a preview says of them."""
    say(f"{found.number}: {reached(found)} (counted in {found.took_ms:,} ms)")
    for part in ("by_product", "by_channel", "by_owner"):
        _print_totals(found.totals, part)


def _print_totals(totals: Mapping[str, Any], part: str) -> None:
    columns, rows = _PREVIEW_TABLES[part], totals.get(part) or []
    if rows:
        say()
        titles = [column.removesuffix("_name") for column in columns]
        table(titles, [[row.get(column) for column in columns] for row in rows], title=part.replace("_", " "))


def print_rest(found: Preview) -> None:
    """What a preview says beyond its totals."""
    _print_totals(found.totals, "by_lot")
    at_least, likely, at_most = found.totals["bounds"]
    say(f"\naffected: at least {at_least:,}, most likely {likely:,}, at most {at_most:,} items")
    for saving in found.savings:
        say(f"taken out: {saving.what} ({saving.reason}, {saving.by}): saves {counted(saving.items, 'item')}")
    for lot in found.possible:
        items = counted(lot.items, "item")
        say(f"possible, not included: {lot.product} lot {lot.lot}, {items} (see --include-possible)")
    for gap in found.gaps:
        say(f"gap: {gap.where}: {gap.what}")
    for remark in found.wording:
        say(f"wording: {remark.where}: {remark.what}")
