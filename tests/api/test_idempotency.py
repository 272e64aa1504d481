"""A POST under an Idempotency-Key is done once, whatever its address."""

from __future__ import annotations

import asyncio

import httpx2
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from access import audit
from access.model import Act
from tests.api.conftest import KeyMaker

CREAMERY = {"name": "Meadow Creamery", "gln": "9506000134307"}


async def imports(conn: AsyncConnection) -> int:
    await conn.rollback()
    return len([row async for row in audit.read(conn) if row.act == "import"])


async def test_the_second_time_gets_the_first_answer_and_does_nothing(
    client: httpx2.AsyncClient, key: KeyMaker, conn: AsyncConnection
) -> None:
    headers = {**await key(Act.IMPORT), "Idempotency-Key": "monday"}

    first = await client.post("/v1/parties", json=CREAMERY, headers=headers)
    again = await client.post("/v1/parties", json=CREAMERY, headers=headers)

    assert (again.status_code, again.json()) == (first.status_code, first.json()) == (201, first.json())
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert await imports(conn) == 1


async def test_without_a_key_each_request_is_a_new_one(
    client: httpx2.AsyncClient, key: KeyMaker, conn: AsyncConnection
) -> None:
    headers = await key(Act.IMPORT)

    for _ in range(2):
        await client.post("/v1/parties", json=CREAMERY, headers=headers)

    assert await imports(conn) == 2


@pytest.mark.parametrize(
    ("path", "name"), [("/v1/parties", "Another"), ("/v1/parties?dry_run=true", "Meadow Creamery"), ("/v1/places", "x")]
)
async def test_a_key_that_comes_back_with_something_else_is_a_conflict(
    client: httpx2.AsyncClient, key: KeyMaker, path: str, name: str
) -> None:
    headers = {**await key(Act.IMPORT), "Idempotency-Key": "monday"}
    await client.post("/v1/parties", json=CREAMERY, headers=headers)

    other = await client.post(path, json={**CREAMERY, "name": name}, headers=headers)

    assert other.status_code == 409
    assert "monday" in other.json()["detail"]


async def test_a_refused_request_may_be_mended_under_its_key(client: httpx2.AsyncClient, key: KeyMaker) -> None:
    headers = {**await key(Act.IMPORT), "Idempotency-Key": "monday"}

    refused = await client.post("/v1/parties", json={**CREAMERY, "gln": "9506000134308"}, headers=headers)
    mended = await client.post("/v1/parties", json=CREAMERY, headers=headers)

    assert (refused.status_code, mended.status_code) == (400, 201)


async def test_an_unusable_key_is_refused_before_anything_is_done(
    client: httpx2.AsyncClient, key: KeyMaker, conn: AsyncConnection
) -> None:
    headers = {**await key(Act.IMPORT), "Idempotency-Key": "x" * 129}

    answer = await client.post("/v1/parties", json=CREAMERY, headers=headers)

    assert answer.status_code == 400
    assert await imports(conn) == 0


async def test_of_several_that_come_together_all_get_one_answer(
    client: httpx2.AsyncClient, key: KeyMaker, conn: AsyncConnection
) -> None:
    headers = {**await key(Act.IMPORT), "Idempotency-Key": "rush"}

    answers = await asyncio.gather(*(client.post("/v1/parties", json=CREAMERY, headers=headers) for _ in range(4)))

    assert {answer.status_code for answer in answers} == {201}
    await conn.rollback()
    assert (await conn.execute(text("SELECT count(*) FROM party WHERE party_id > 0"))).scalar_one() == 1
