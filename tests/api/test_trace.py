"""A code is traced over HTTP."""

from __future__ import annotations

import httpx2
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
