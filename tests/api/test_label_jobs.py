"""Labels are ordered over HTTP."""

from __future__ import annotations

import httpx2
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from access.model import Act
from tests.api.conftest import KeyMaker
from tests.shop import CHEESE, cheese_in_the_shop
from tests.shop import order as order_before


async def test_labels_are_ordered_once_however_often_the_order_is_sent(
    client: httpx2.AsyncClient, key: KeyMaker, conn: AsyncConnection
) -> None:
    await cheese_in_the_shop(conn)
    await order_before(conn, lot="C2")
    headers = {**await key(Act.ORDER_LABELS, Act.VIEW), "Idempotency-Key": "labels-1"}
    order = {"gtin": CHEESE, "lot": "C1", "count": 30, "template": "a4-24"}

    first = await client.post("/v1/labels/jobs", json=order, headers=headers)
    again = await client.post("/v1/labels/jobs", json=order, headers=headers)
    shown = await client.get(first.headers["location"], headers=headers)
    jobs = (await client.get("/v1/labels/jobs", headers=headers)).json()["items"]

    assert (first.status_code, again.json()) == (201, first.json())
    assert (shown.json()["count"], shown.json()["unused"], shown.json()["outputs"]) == (30, 30, [])
    assert [(job["lot"], job["count"], job["commissioned"]) for job in jobs] == [("C1", 30, 0), ("C2", 12, 0)]


@pytest.mark.parametrize(
    ("change", "status"),
    [({"count": 0}, 400), ({"count": 1_001}, 413), ({"lot": "C9"}, 404), ({"template": "a0-1"}, 404)],
)
async def test_an_order_that_cannot_be_is_refused(
    client: httpx2.AsyncClient, key: KeyMaker, conn: AsyncConnection, change: dict[str, object], status: int
) -> None:
    await cheese_in_the_shop(conn)
    order = {"gtin": CHEESE, "lot": "C1", "count": 30, "template": "a4-24", **change}

    answer = await client.post("/v1/labels/jobs", json=order, headers=await key(Act.ORDER_LABELS))

    assert answer.status_code == status
    assert (await conn.execute(text("SELECT count(*) FROM label_job"))).scalar_one() == 0


@pytest.mark.parametrize("path", ["/v1/labels/jobs/99", "/v1/labels/jobs/x"])
async def test_what_is_not_there_is_not_found(client: httpx2.AsyncClient, key: KeyMaker, path: str) -> None:
    assert (await client.get(path, headers=await key(Act.VIEW))).status_code == 404
