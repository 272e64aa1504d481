"""A floor for tests of capture points through the faces: loose cheese in the plant, and a point that packs it."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from cli.samples import dairy
from cli.samples.epcis import document, event, place
from ledger import capture, codes
from runtime.clock import system_clock
from runtime.database import transaction
from tests import kept
from tests.world import CHEESE, SECRET

LINK: Final = f"https://id.gs1.org/01/{CHEESE}/21/"
LOOSE: Final = [f"{LINK}L{n}" for n in range(4)]
CASE: Final = "(00)395060000000000771"
POINT: Final[dict[str, Any]] = {
    "id": "line-1-packing",
    "name": {"en": "Packing, line 1", "zh": "一号线装箱"},
    "place": dairy.PLANT,
    "work": "pack",
    "line": "Line 1",
    "things": {"kinds": ["item"], "max": 12},
    "parent": {"kinds": ["case"], "max": 1},
    "parameters": [
        {
            "name": "core_temperature", "label": {"en": "Core temperature", "zh": "中心温度"}, "uom": "CEL",
            "measures": "Temperature", "min": "2", "max": "6",
        }
    ],
}  # fmt: skip


async def cheese_on_the_floor(conn: AsyncConnection) -> None:
    """Four pieces of lot C1, in the plant and in no case."""
    await kept.once(kept.behind(conn), "cheese on the floor", partial(_arranged, conn))


async def _arranged(conn: AsyncConnection) -> None:
    now = system_clock()
    await dairy.master_data_of(conn, now)
    async with transaction(conn):
        keys = await codes.ensure_key(conn, SECRET, clock=system_clock)
    made = {"action": "ADD", "epcList": LOOSE, "ilmd": {"cbvmda:lotNumber": "C1"}, "bizLocation": place(dairy.PLANT)}
    events = [event("ObjectEvent", now - timedelta(hours=9), "commissioning", "active", **made)]
    await capture.capture(conn, document(now, events), by="tests", clock=system_clock, keys=keys)
