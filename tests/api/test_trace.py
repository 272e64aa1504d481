"""A code is traced over HTTP."""

from __future__ import annotations

import httpx2
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from access.model import Act
from tests.api.conftest import KeyMaker
from tests.world import CHEESE, little_dairy


async def test_a_trace_finds_the_milk_and_the_shop_and_what_is_open(
    client: httpx2.AsyncClient, key: KeyMaker, conn: AsyncConnection
) -> None:
    await little_dairy(conn, items=24)
    headers = await key(Act.VIEW)

    found = await client.get("/v1/trace", params={"code": f"(01){CHEESE}(10)C1"}, headers=headers)
    missing = await client.get("/v1/trace", headers=headers)
    wrong = await client.get("/v1/trace", params={"code": f"(01){CHEESE[:-1]}0"}, headers=headers)

    assert found.status_code == 200
    assert {lot["lot"] for lot in found.json()["upstream"]["lots"]} == {"M1", "M2"}
    assert "Corner Shop" in {holder["owner"]["name"] for holder in found.json()["holders"]}
    assert found.json()["as_of"]["at"].endswith("Z")
    assert (missing.status_code, wrong.status_code) == (400, 400)


async def test_a_trace_comes_as_the_file_that_is_asked_for(
    client: httpx2.AsyncClient, key: KeyMaker, conn: AsyncConnection
) -> None:
    await little_dairy(conn, items=4)
    headers = await key(Act.VIEW)
    asked = {"code": f"(01){CHEESE}(10)C1"}

    by_name = await client.get("/v1/trace", params={**asked, "format": "svg", "lang": "zh"}, headers=headers)
    by_accept = await client.get("/v1/trace", params=asked, headers={**headers, "Accept": "text/csv"})
    neither = await client.get("/v1/trace", params={**asked, "format": "docx"}, headers=headers)
    tongue = await client.get("/v1/trace", params={**asked, "lang": "xx"}, headers=headers)

    assert by_name.headers["content-type"].startswith("image/svg+xml") and "追溯链" in by_name.text
    assert by_accept.headers["content-type"].startswith("text/csv") and "went_into" in by_accept.text
    assert by_accept.headers["vary"] == "Accept"
    assert (neither.status_code, tongue.status_code) == (400, 400)


async def test_lots_that_share_a_raw_lot_are_told_when_asked_for(
    client: httpx2.AsyncClient, key: KeyMaker, conn: AsyncConnection
) -> None:
    await little_dairy(conn, items=4)
    headers = await key(Act.VIEW)
    asked = {"code": f"(01){CHEESE}(10)C1"}

    plain = (await client.get("/v1/trace", params=asked, headers=headers)).json()
    wide = (await client.get("/v1/trace", params={**asked, "siblings": "true"}, headers=headers)).json()

    assert plain["siblings"] is None
    assert [(lot["lot"], lot["through"]["lot"]) for lot in wide["siblings"]] == [("C2", "M2")]


async def test_who_had_it_is_asked_for_an_instant(
    client: httpx2.AsyncClient, key: KeyMaker, conn: AsyncConnection
) -> None:
    await little_dairy(conn, items=4)
    headers = await key(Act.VIEW)
    asked = {"code": f"(01){CHEESE}(10)C1"}

    now = (await client.get("/v1/custody", params=asked, headers=headers)).json()
    before = (await client.get("/v1/custody", params={**asked, "at": "2001-01-01T00:00:00Z"}, headers=headers)).json()

    assert sum(row["items"] for row in now["held"]) == 4 and before["held"] == []


@pytest.mark.parametrize("at", ["yesterday", "2026-03-03T06:00:00"])
async def test_an_instant_without_its_offset_is_refused(client: httpx2.AsyncClient, key: KeyMaker, at: str) -> None:
    answer = await client.get("/v1/custody", params={"code": f"{CHEESE}:C1", "at": at}, headers=await key(Act.VIEW))

    assert answer.status_code == 400 and "offset" in answer.json()["detail"]
