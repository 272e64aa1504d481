"""What counts as a check of an item, where it was, and what a shopper reads when a rule of unusual activity is met."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from portal.clients import is_a_check
from portal.sightings import region_of
from runtime.clock import system_clock
from runtime.database import DatabaseAddress
from shoppers import unusual
from tests.portal.arrangement import BROWSER, JSON, arrange, item, portal_of, publish, says, until
from tests.shoppers.people import ADA

SAFARI = BROWSER["user-agent"]


@pytest.mark.parametrize(
    ("method", "agent", "purpose", "is_one"),
    [
        ("GET", SAFARI, "", True),
        ("HEAD", SAFARI, "", False),
        ("GET", SAFARI, "prefetch;prerender", False),
        ("GET", "WhatsApp/2.24", "", False),
        ("GET", "Mozilla/5.0 (compatible; Slackbot-LinkExpanding 1.0)", "", False),
        ("GET", "curl/8.5", "", False),
        ("GET", "", "", False),
        ("GET", "Mozilla/5.0 (Linux; Android 14) MicroMessenger/8.0", "", True),
    ],
)
def test_only_a_person_who_opens_a_page_checks_an_item(method: str, agent: str, purpose: str, is_one: bool) -> None:
    assert is_a_check(method, agent, purpose) is is_one


@pytest.mark.parametrize(
    ("told", "region"),
    [
        ("CN", "CN"),
        ("cn-zj", "CN-ZJ"),
        ("XX", ""),
        ("T1", ""),
        ("", ""),
        ("Hangzhou", ""),
        ("CN\n", "CN"),
        ("120.1.2.3", ""),
    ],
)
def test_a_region_is_a_country_or_a_part_of_it_and_nothing_finer(told: str, region: str) -> None:
    assert region_of(told) == region


async def check(portal: httpx2.AsyncClient, region: str, **headers: str) -> None:
    shown = await portal.get(item(1001), headers={**BROWSER, "x-region": region, **headers})
    assert shown.status_code == 200


async def count(conn: AsyncConnection, sql: str) -> int:
    await conn.rollback()
    found: int = (await conn.execute(text(sql))).scalar_one()
    return found


async def test_a_copied_code_is_told_until_staff_clear_it_and_never_in_the_place_of_a_recall(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    await arrange(conn)
    async with portal_of(database, tmp_path, edge_region_header="X-Region") as portal:
        await says(portal, item(1001), "no_recall_known")
        for region in ("CN-ZJ", "FR", "BR"):
            await check(portal, region)
        await says(portal, item(1001), "unusual")

        page = (await portal.get(item(1001), headers=BROWSER)).text
        assert "checked in 3 places in 7 days" in page
        chinese = (await portal.get(item(1001), headers={**BROWSER, "accept-language": "zh"})).text
        assert "此码7天内在3地被查询" in chinese
        await says(portal, item(1002), "no_recall_known")

        await publish(conn, lots=[1])
        await says(portal, item(1001), "recalled")
        await conn.execute(text("DELETE FROM publication"))
        await conn.execute(text("SELECT next_public_revision()"))
        await conn.commit()
        (finding,) = await unusual.listed(conn)
        await unusual.clear(conn, finding.finding_id, reason="A fair.", by=ADA, clock=system_clock)
        await says(portal, item(1001), "repeat_check")


async def test_staff_and_previews_and_heads_leave_no_trace(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    await arrange(conn)
    async with portal_of(database, tmp_path, edge_region_header="X-Region") as portal:
        await check(portal, "FR", authorization="Bearer tmk_live_x")
        await check(portal, "FR", **{"user-agent": "WhatsApp/2.24"})
        await check(portal, "FR", **{"sec-purpose": "prefetch"})
        await portal.head(item(1001), headers=BROWSER)
        await check(portal, "CN")

        async def written() -> bool:
            return await count(conn, "SELECT count(*) FROM code_sighting") > 0

        await until(written)
    assert await count(conn, "SELECT n FROM code_check WHERE number = 1001") == 1
    assert await count(conn, "SELECT count(*) FROM code_sighting WHERE region = 'CN'") == 1
    assert await count(conn, "SELECT count(*) FROM code_sighting") == 1


async def test_without_an_edge_no_region_is_believed(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    await arrange(conn)
    async with portal_of(database, tmp_path) as portal:
        await check(portal, "FR")
    assert await count(conn, "SELECT count(*) FROM code_sighting WHERE region = ''") == 1


async def test_who_guesses_codes_is_slowed_down_and_a_known_code_is_always_answered(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    await arrange(conn)
    async with portal_of(database, tmp_path, portal_unknown_per_minute=2) as portal:
        guesses = [await portal.get(item(5000 + i), headers=BROWSER) for i in range(4)]

        assert [guess.status_code for guess in guesses] == [404, 404, 429, 429]
        assert 1 <= int(guesses[2].headers["retry-after"]) <= 60
        assert (await portal.get(item(5009), headers=JSON)).status_code == 429
        await publish(conn, lots=[1])
        await says(portal, item(1001), "recalled")
        assert (await portal.get(item(2001), headers=BROWSER)).status_code == 200
