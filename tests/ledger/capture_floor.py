"""The dairy's plant with its capture points, and somebody who reads there."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cli.samples import dairy
from gs1.check_digit import compute
from ledger import capture_points
from ledger import capture_points_reading as readings
from ledger.capture_points_model import Taken
from ledger.capture_points_refusals import (
    ReadingRefused,
)
from ledger.codes import KeyRing
from runtime.clock import system_clock
from tests.world import CHEESE

PACKING: dict[str, Any] = {
    "id": "line-1-packing",
    "name": {"en": "Packing, line 1", "zh": "一号线装箱"},
    "place": dairy.PLANT,
    "work": "pack",
    "line": "Line 1",
    "things": {"kinds": ["item"], "max": 12},
    "parent": {"kinds": ["case"], "max": 1},
    "parameters": [
        {
            "name": "core_temperature",
            "label": {"en": "Core temperature", "zh": "中心温度"},
            "uom": "CEL",
            "measures": "Temperature",
            "min": 2,
            "max": 6,
        }
    ],
}
SHIPPING = {
    **PACKING, "id": "dock", "work": "ship", "parent": None, "parameters": [], "line": None,
    "things": {"kinds": ["case", "pallet", "item"]}, "destinations": [dairy.DEPOT, dairy.MARKET],
}  # fmt: skip
VAT = {
    **PACKING, "id": "vat-2", "work": "transform", "parent": None, "equipment": "Vat 2", "outside_limits": "review",
    "things": {"kinds": ["lot"], "uom": "LTR"}, "outputs": {"kinds": ["lot"], "uom": "KGM"},
}  # fmt: skip


def sscc(number: int) -> str:
    body = f"3950600{number:010d}"
    return body + compute(body)


CASE = sscc(1)
LINK = f"https://id.gs1.org/01/{CHEESE}/21/"
LOOSE = [f"{LINK}L{n}" for n in range(12)]
PACKED = [f"{LINK}P{n}" for n in range(12)]
SOLD = f"{LINK}S1"


class Floor:
    """The dairy's plant with loose cheese, a case of it, one that was sold, and somebody who reads."""

    def __init__(self, conn: AsyncConnection, keys: KeyRing) -> None:
        self.conn, self.keys = conn, keys

    async def point(self, definition: dict[str, Any], **changes: Any) -> str:
        told = capture_points.read_definition({**definition, **changes})
        return (await capture_points.put(self.conn, told, by="root", clock=system_clock)).point_id

    async def read(
        self, point_id: str, *scanned: str | dict[str, Any], by: str = "wang", role: str = "line_worker", **more: Any
    ) -> Taken:
        things = [{"code": each} if isinstance(each, str) else each for each in scanned]
        reading = capture_points.read_reading({"reading_id": "r-1", "things": things, **more})
        return await readings.take(self.conn, point_id, reading, by=by, role=role, clock=system_clock, keys=self.keys)

    async def refusal(self, point_id: str, *scanned: str | dict[str, Any], **more: Any) -> list[str]:
        with pytest.raises(ReadingRefused) as refused:
            await self.read(point_id, *scanned, **more)
        return [problem.key for problem in refused.value.problems]

    async def undo(self, point_id: str, reading_id: str | None = None, by: str = "wang") -> Taken:
        return await readings.undo(
            self.conn, point_id, reading_id, by=by, role="line_worker", clock=system_clock, keys=self.keys
        )

    async def inside(self, sscc_number: str) -> int:
        found = await self.conn.execute(
            text("SELECT coalesce(sum(n), 0) FROM code_run JOIN unit USING (unit_id) WHERE sscc = :sscc"),
            {"sscc": sscc_number},
        )
        return int(found.scalar_one())

    async def event(self, taken: Taken) -> dict[str, Any]:
        found = await self.conn.execute(
            text("SELECT body FROM event WHERE source_id = :id ORDER BY event_id LIMIT 1"), {"id": taken.event_id}
        )
        return dict(found.scalar_one())
