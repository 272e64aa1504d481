"""Boards, deliveries, answers and bounces, as a machine with a key sees them."""

from __future__ import annotations

import httpx2
from sqlalchemy.ext.asyncio import AsyncConnection

from access.model import Act
from tests.api.conftest import KeyMaker
from tests.recall import creamery
from tests.recall.desk import published


async def test_a_key_reads_the_board_and_tells_an_answer_and_a_bounce(
    client: httpx2.AsyncClient, conn: AsyncConnection, key: KeyMaker
) -> None:
    dairy = await creamery.arrange(conn)
    number = await published(conn, dairy, lots=[(creamery.CHEESE, "C1")])
    ours, viewer = await key(), await key(Act.VIEW, name="viewer")
    answer = {
        "case_number": number, "recipient": creamery.CORNER_SHOP, "name": "Cleo", "affected": True,
        "lines": [{"gtin": creamery.CHEESE, "lot": "C1", "returned": 4}],
    }  # fmt: skip

    taken = await client.post("/v1/acknowledgements", json=answer, headers=ours)
    refused = await client.post("/v1/acknowledgements", json=answer, headers=viewer)
    bounce = await client.post("/v1/bounces", json={"reason": "full", "address": "x@y.example"}, headers=ours)
    board = (await client.get(f"/v1/recalls/{number}/board", headers=viewer)).json()
    page = (await client.get(f"/v1/recalls/{number}/deliveries?limit=2", headers=viewer)).json()
    figures = await client.post(f"/v1/recalls/{number}/reconcile", headers=ours)

    assert (taken.status_code, refused.status_code, bounce.status_code) == (201, 403, 404)
    assert (board["reached"]["answered"], board["accounts"]["returned"]) == (1, 4)
    assert (len(page["items"]), page["next"] is None) == (2, False)
    assert figures.json()["accounted_percent"] == 33.3
