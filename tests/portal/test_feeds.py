"""Feeds of all cases and of one product or lot; and the address of a case that was taken back."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import httpx2
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from runtime.database import DatabaseAddress
from tests.portal.arrangement import (
    BASE,
    BROWSER,
    CHEESE,
    JSON,
    MILK,
    STRANGER,
    arrange,
    item,
    portal_of,
    publish,
    says,
)

ATOM = "{http://www.w3.org/2005/Atom}"


async def entries(portal: httpx2.AsyncClient, query: str) -> list[str]:
    answer = await portal.get(f"/recalls.atom{query}")
    assert answer.status_code == 200
    found = [str(each.text) for each in ElementTree.fromstring(answer.content).iter(f"{ATOM}id")]
    in_json = (await portal.get(f"/feed.json{query}")).json()
    assert [each["id"] for each in in_json["items"]] == found[1:]
    assert in_json["version"] == "https://jsonfeed.org/version/1.1"
    return [each.rsplit("/", 1)[1] for each in found[1:]]


async def test_a_feed_tells_of_one_product_or_lot_only(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    await arrange(conn)
    await publish(conn, case_id=1, lots=[1])
    await publish(conn, case_id=2, lots=[3])
    await publish(conn, case_id=3, runs=[(2, 2000, 10)])
    async with portal_of(database, tmp_path) as portal:
        assert set(await entries(portal, "")) == {"R-2026-0001", "R-2026-0002", "R-2026-0003"}
        assert set(await entries(portal, f"?gtin={MILK}")) == {"R-2026-0001", "R-2026-0003"}
        assert await entries(portal, f"?gtin={MILK}&lot=M1") == ["R-2026-0001"]
        assert await entries(portal, f"?gtin={MILK}&lot=M2") == ["R-2026-0003"]
        assert await entries(portal, f"?gtin={CHEESE}") == ["R-2026-0002"]
        assert await entries(portal, f"?gtin={MILK}&lot=M9") == []
        assert await entries(portal, f"?gtin={STRANGER}") == []
        assert (await portal.get("/recalls.atom?gtin=123")).status_code == 400


async def test_a_case_that_was_taken_back_says_so_and_one_that_never_was_does_not(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    await arrange(conn)
    await publish(conn, lots=[1])
    async with portal_of(database, tmp_path) as portal:
        await says(portal, item(1001), "recalled")
        await conn.execute(text("DELETE FROM publication"))
        await conn.execute(
            text(
                "UPDATE recall_case SET state = 'cancelled', version = 1, closed_at = now(),"
                " closing_reason = 'for staff only', public_reason = 'The test of the laboratory was wrong.'"
            )
        )
        await conn.execute(text("SELECT next_public_revision()"))
        await conn.commit()
        await says(portal, item(1001), "no_recall_known")

        page = await portal.get("/recalls/R-2026-0001", headers=BROWSER)
        assert page.status_code == 410
        assert "This recall was cancelled." in page.text
        assert "The test of the laboratory was wrong." in page.text
        assert "for staff only" not in page.text
        document = await portal.get("/recalls/R-2026-0001", headers=JSON)
        assert (document.status_code, document.json()["state"]) == (410, "cancelled")
        assert (await portal.get("/recalls/R-2026-0002", headers=BROWSER)).status_code == 404
        assert (await portal.get(f"{BASE}/recalls/x%00", headers=BROWSER)).status_code == 404


async def test_a_draft_or_drill_that_was_cancelled_is_not_told_of(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    sql = (
        "INSERT INTO recall_case (number, kind, state, version, title, hazard, hazard_class, opened_by, opened_at)"
        " VALUES ('R-2026-0001', 'recall', 'cancelled', 0, 'x', 'x', 1, 'Ada', now()),"
        " ('D-2026-0001', 'drill', 'cancelled', 1, 'x', 'x', 1, 'Ada', now())"
    )
    await conn.execute(text(sql))
    await conn.commit()
    async with portal_of(database, tmp_path) as portal:
        assert (await portal.get("/recalls/R-2026-0001", headers=BROWSER)).status_code == 404
        assert (await portal.get("/recalls/D-2026-0001", headers=BROWSER)).status_code == 404
