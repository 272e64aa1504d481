"""What the portal keeps beside its copy of the record: links of staff, and items whose checks are unusual.

No recall depends on it. It is read anew when its version has grown; a database that is away leaves it as it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from portal.links import LinkTable, StaffLink
from portal.live import Live
from portal.model import Finding, Unusual

LOOK_EVERY_S: Final = 1.0
READ_WITHIN_S: Final = 2.0
ROWS: Final = 2_000
"""Rows read at a time: each statement of the portal has to end soon."""
UNUSUAL_MAX: Final = 200_000
"""Most items known as unusual; beyond it the newest findings are the ones that are shown."""

_VERSION = "SELECT version FROM public_shelf"
_LINKS = (
    "SELECT link_id, gtin, cpv, lot, type, target, title, languages, media_type, valid_from, valid_until"
    " FROM public_link WHERE link_id > $1 ORDER BY link_id LIMIT $2"
)
_UNUSUAL = (
    "SELECT finding_id, number, rule, counted, within_days FROM public_unusual"
    " WHERE finding_id < $1 ORDER BY finding_id DESC LIMIT $2"
)
_LAST: Final = 2**62


@dataclass(slots=True)
class Shelf:
    """The one holder; its two tables are replaced whole, never changed."""

    live: Live
    links: LinkTable = field(default_factory=LinkTable)
    unusual: Mapping[int, Unusual] = field(default_factory=dict)
    version: int = 0

    def marked(self, finding: Finding) -> Finding:
        """The finding, with what is unusual about the item."""
        if finding.number is None or not self.unusual:
            return finding
        unusual = self.unusual.get(finding.number)
        return finding if unusual is None else replace(finding, unusual=unusual)

    def offered(self, finding: Finding, types: tuple[str, ...], now: datetime) -> tuple[StaffLink, ...]:
        """The links of a page, in the order of ``types``: those of the lot stand for those of the product."""
        product = finding.product
        if product is None or not self.links.by_level:
            return ()
        found = {link.type: link for link in reversed(self.links.at(product.gtin, "", "", now))}
        if finding.lot is not None and finding.lot.code:
            found |= {link.type: link for link in reversed(self.links.at(product.gtin, "", finding.lot.code, now))}
        return tuple(found[name] for name in types if name in found)

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await self.look()

    async def look(self) -> None:
        """Read everything when the version has grown (or went back: a database restored)."""
        rows = await self.live.fetch(_VERSION, within_s=READ_WITHIN_S)
        if not rows or rows[0]["version"] == self.version:
            return
        links = await self._all(_LINKS, "link_id", 0, None)
        unusual = await self._all(_UNUSUAL, "finding_id", _LAST, UNUSUAL_MAX)
        if links is None or unusual is None:
            return
        table = LinkTable.of(_link(row) for row in links)
        if table != self.links:  # what is ready rests on this very table, and findings come more often than links
            self.links = table
        self.unusual = {row["number"]: _unusual(row) for row in reversed(unusual)}
        self.version = rows[0]["version"]

    async def _all(self, sql: str, key: str, begin: int, rows_max: int | None) -> list[Any] | None:
        found: list[Any] = []
        while rows_max is None or len(found) < rows_max:
            rows = await self.live.fetch(sql, found[-1][key] if found else begin, ROWS, within_s=READ_WITHIN_S)
            if rows is None:
                return None
            found += rows
            if len(rows) < ROWS:
                break
        return found


def _link(row: Any) -> StaffLink:
    values = {name: value for name, value in row.items() if name != "link_id"}
    return StaffLink(**values | {"languages": tuple(row["languages"])})


def _unusual(row: Any) -> Unusual:
    return Unusual(row["rule"], row["counted"], row["within_days"])
