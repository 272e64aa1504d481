"""What the portal keeps beside its copy of the record: links of staff, and items whose checks are unusual.

No recall depends on it. When its version has grown, what changed is read; a database that is away leaves it as it was.
"""

from __future__ import annotations

import asyncio
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

CHANGED_MAX: Final = 5_000
"""More items than this whose findings changed since a look are not read one by one: all findings are read anew."""

_VERSION = "SELECT version, links, public_watermark() AS watermark FROM public_shelf"
_LINKS = (
    "SELECT link_id, gtin, cpv, lot, type, target, title, languages, media_type, valid_from, valid_until"
    " FROM public_link WHERE link_id > $1 ORDER BY link_id LIMIT $2"
)
_UNUSUAL = (
    "SELECT finding_id, number, rule, counted, within_days FROM public_unusual"
    " WHERE finding_id < $1 ORDER BY finding_id DESC LIMIT $2"
)
# Of each item the newest finding that stands; no rule where none does any more.
_CHANGED = (
    "SELECT DISTINCT ON (c.number) c.number, u.rule, u.counted, u.within_days"
    " FROM (SELECT DISTINCT number FROM public_unusual_change WHERE changed_in >= $1 LIMIT $2) AS c"
    " LEFT JOIN public_unusual AS u USING (number) ORDER BY c.number, u.finding_id DESC NULLS LAST"
)
_LAST: Final = 2**62


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a look saw: the versions, and the watermark from which the next one reads changes."""

    version: int = 0
    links: int = 0
    watermark: int = 0


@dataclass(slots=True)
class Shelf:
    """The one holder. The table of links is replaced whole, never changed; findings are put in and taken out."""

    live: Live
    links: LinkTable = field(default_factory=LinkTable)
    unusual: dict[int, Unusual] = field(default_factory=dict)
    _seen: _Seen = field(default_factory=_Seen)

    @property
    def version(self) -> int:
        """The version that the last look saw; 0 before the first."""
        return self._seen.version

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
        """Read what changed since the last look; everything at the first, and when a database was restored."""
        rows = await self.live.fetch(_VERSION, within_s=READ_WITHIN_S)
        if not rows or rows[0]["version"] == self._seen.version:
            return
        now = _Seen(*rows[0])
        if now.links != self._seen.links and not await self._read_links():
            return
        is_later = 0 < self._seen.version < now.version and self._seen.watermark <= now.watermark
        if await (self._read_changes(self._seen.watermark) if is_later else self._read_unusual()):
            self._seen = now

    async def _read_links(self) -> bool:
        rows = await self._all(_LINKS, "link_id", 0, None)
        if rows is None:
            return False
        table = LinkTable.of(_link(row) for row in rows)
        if table != self.links:  # what is ready rests on this very table
            self.links = table
        return True

    async def _read_unusual(self) -> bool:
        rows = await self._all(_UNUSUAL, "finding_id", _LAST, UNUSUAL_MAX)
        if rows is not None:
            self.unusual = {row["number"]: _unusual(row) for row in reversed(rows)}
        return rows is not None

    async def _read_changes(self, since: int) -> bool:
        rows = await self.live.fetch(_CHANGED, since, CHANGED_MAX + 1, within_s=READ_WITHIN_S)
        if rows is None:
            return False
        if len(rows) > CHANGED_MAX:
            return await self._read_unusual()
        for row in rows:
            self.unusual.pop(row["number"], None)
            if row["rule"] is not None:
                self.unusual[row["number"]] = _unusual(row)  # at the end, where the newest are
        while len(self.unusual) > UNUSUAL_MAX:
            del self.unusual[next(iter(self.unusual))]
        return True

    async def _all(self, sql: str, key: str, begin: int, rows_max: int | None) -> list[Any] | None:
        found: list[Any] = []
        while rows_max is None or len(found) < rows_max:
            rows = await self.live.fetch(sql, found[-1][key] if found else begin, ROWS, within_s=READ_WITHIN_S)
            if rows is None:
                return None
            found += rows
            if len(rows) < ROWS:
                break
        return found[:rows_max]


def _link(row: Any) -> StaffLink:
    values = {name: value for name, value in row.items() if name != "link_id"}
    return StaffLink(**values | {"languages": tuple(row["languages"])})


def _unusual(row: Any) -> Unusual:
    return Unusual(row["rule"], row["counted"], row["within_days"])
