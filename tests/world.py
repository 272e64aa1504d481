"""The fixture world of the tests: the little dairy (see ``cli.samples.dairy``), arranged on a real database."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from cli.samples import dairy
from cli.samples.dairy import CHEESE, CORNER_SHOP, MILK, MIRA, NORTH_DEPOT, RIVER_MARKET, Dairy
from runtime.clock import Clock, system_clock
from tests import kept

__all__ = [
    "BASE_URL",
    "CHEESE",
    "CORNER_SHOP",
    "MILK",
    "MIRA",
    "NORTH_DEPOT",
    "RIVER_MARKET",
    "SECRET",
    "Dairy",
    "little_dairy",
]

SECRET = "a secret of the tests, long enough to be one"
BASE_URL = "https://id.example.com"


async def little_dairy(conn: AsyncConnection, *, items: int = 48, clock: Clock = system_clock) -> Dairy:
    """C1 and C2 with ``items`` each: C1 through North Depot to the Corner Shop and Mira, C2 to River Market."""

    async def arranged() -> Dairy:
        return await dairy.arrange(conn, by="tests", clock=clock, master_secret=SECRET, base_url=BASE_URL, items=items)

    return await kept.once(kept.behind(conn), ("the little dairy", items, clock), arranged)
