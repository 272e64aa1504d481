"""A pallet: what is in it, which of it is recalled, and where to reach for it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from runtime.database import DatabaseAddress
from tests.portal.arrangement import BROWSER, MILK, PALLET, arrange, publish
from tests.portal.conftest import portal_on

CASES = ["395201234567890130", "395201234567890147"]
DEEP = "395201234567890154"


@pytest.fixture(scope="module")
async def portal(
    cluster: DatabaseAddress, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[httpx2.AsyncClient]:
    async def prepare(conn: AsyncConnection) -> None:
        await arrange(conn)
        await fill(conn)
        await publish(conn, case_id=1, runs=[(1, 1000, 30)])

    async with portal_on(cluster, tmp_path_factory.mktemp("units"), prepare) as client:
        yield client


async def fill(conn: AsyncConnection) -> None:
    """A pallet of two cases: 40 of M1 in the first, 50 of M2 in the second, 60 of M1 loose; and a tower of units."""
    rows = [(1, PALLET, None), (2, CASES[0], 1), (3, CASES[1], 1), *((10 + i, None, 9 + i or None) for i in range(12))]
    for unit_id, sscc, parent in rows:
        values = {
            "id": unit_id,
            "uri": f"urn:x:{unit_id}",
            "sscc": DEEP if unit_id == 10 else sscc,
            "up": None if unit_id == 10 else parent,
        }
        sql = (
            "INSERT INTO unit (unit_id, uri, sscc, parent_id, since, event_id) OVERRIDING SYSTEM VALUE"
            " VALUES (:id, :uri, :sscc, :up, now(), 1)"
        )
        await conn.execute(text(sql), values)
    for sql in (
        "DELETE FROM code_run",
        "INSERT INTO code_run (lo, n, lot_id, unit_id, since, event_id) VALUES (1000, 40, 1, 2, now(), 1),"
        " (1040, 60, 1, 1, now(), 1), (2000, 50, 2, 3, now(), 1)",
    ):
        await conn.execute(text(sql))
    await conn.commit()


async def test_a_pallet_says_how_much_of_it_is_recalled_and_in_which_case(portal: httpx2.AsyncClient) -> None:
    page = (await portal.get(f"/check/units/{PALLET}?lang=en", headers=BROWSER)).text

    assert "Items inside: 150. Units inside: 2. Recalled: 30 items in 1 of these units (R-2026-0001)." in page
    assert ">40</td>" in page
    assert page.index(CASES[0]) < page.index(CASES[1])
    inner = (await portal.get(f"/check/units/{CASES[1]}?lang=en", headers=BROWSER)).text
    assert "Items inside: 50. Units inside: 0." in inner
    assert "pick-list" not in inner


async def test_the_pick_list_names_where_to_reach_and_how_much_to_take(portal: httpx2.AsyncClient) -> None:
    page = (await portal.get(f"/check/units/{PALLET}/pick-list?lang=en", headers=BROWSER)).text

    assert f"{PALLET} › {CASES[0]}" in page
    assert CASES[1] not in page
    assert "<td>30 items</td>" in page


async def test_a_unit_that_nobody_told_or_that_is_too_deep_is_refused_whole(portal: httpx2.AsyncClient) -> None:
    assert (await portal.get(f"/check/units/{DEEP}", headers=BROWSER)).status_code == 413
    assert (await portal.get("/check/units/106141412345678908", headers=BROWSER)).status_code == 404
    assert (await portal.get(f"/check/units/{MILK}", headers=BROWSER)).status_code == 404


async def test_many_units_in_one_list_are_each_told_apart(portal: httpx2.AsyncClient) -> None:
    codes = [PALLET, *CASES, "106141412345678908"]
    rows = (await portal.post("/v1/checks", json={"codes": codes})).json()["rows"]

    assert [row["status"] for row in rows] == ["RECALLED", "RECALLED", "NOT_RECALLED", "UNKNOWN_CODE"]
    assert rows[0]["what"] == "30 of 150 inside are recalled."
