"""Codes of a world that were copied: what shoppers' scans say about them, and about nobody else's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncConnection

from load_tests.world import pieces, recording
from load_tests.world.cohorts import Portion
from load_tests.world.recording import item_uris
from load_tests.world.scenarios import build
from load_tests.world.stages import lot
from runtime.database import DatabaseAddress
from shoppers import unusual
from tests.journeys.test_worlds import SECRET, UNITS, ready, told
from tests.portal.arrangement import BROWSER, portal_of, says

MARKETS = ("CN-ZJ", "FR", "BR")
COPIED = (1, 7)
"""The ordinals of the toasters whose codes were copied; the seller of copies sells them in every market."""
GENUINE = (2, 3, 8)


async def test_copied_codes_are_told_as_unusual_and_nobody_elses_are(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    scenario = build("S12", UNITS)
    keys = await ready(conn, scenario)
    await told(conn, keys, recording.record(scenario.world.deeds))
    toasters = item_uris(Portion(lot(pieces.TOASTER, "CL-1"), UNITS, first=1))
    paths = ["/01/" + uri.partition("/01/")[2] for uri in toasters]

    given: dict[str, Any] = {"edge_region_header": "X-Region", "master_secret": SecretStr(SECRET)}
    async with portal_of(database, tmp_path, **given) as portal:

        async def scan(ordinal: int, region: str) -> None:
            shown = await portal.get(paths[ordinal - 1], headers={**BROWSER, "x-region": region})
            assert shown.status_code == 200

        for region in MARKETS:
            for ordinal in COPIED:
                await scan(ordinal, region)
        for ordinal in GENUINE:  # a household checks the same item again, at home and once on the way
            for region in (MARKETS[0], MARKETS[0], MARKETS[1]):
                await scan(ordinal, region)

        for ordinal in COPIED:
            await says(portal, paths[ordinal - 1], "unusual")
        for ordinal in GENUINE:
            await says(portal, paths[ordinal - 1], "repeat_check")

    await conn.rollback()
    found = await unusual.listed(conn)
    assert {each.rule for each in found} == {"many_places"}
    assert len(found) == len(COPIED)
