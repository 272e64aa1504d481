"""A request that comes twice is answered twice and done once."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from access import idempotency
from access.model import KeptAnswer
from access.refusals import IdempotencyKeyNotUsable, IdempotencyKeyReused, RequestUnfinished
from runtime.database import DatabaseAddress, Role
from tests.access.people import HandClock


async def _begin(
    conn: AsyncConnection,
    clock: HandClock,
    *,
    key: str = "k1",
    actor: str = "key:erp",
    route: str = "POST /v1/recalls",
    body: bytes = b"a",
    repeatable: bool = False,
) -> KeptAnswer | None:
    return await idempotency.begin(
        conn, key=key, actor=actor, route=route, request_hash=body, clock=clock, repeatable=repeatable
    )


async def test_the_second_time_gets_the_answer_of_the_first(conn: AsyncConnection) -> None:
    clock = HandClock()

    assert await _begin(conn, clock) is None
    await idempotency.keep(conn, key="k1", actor="key:erp", status=201, body={"case": "R-2026-0001"})

    assert await _begin(conn, clock) == KeptAnswer(201, {"case": "R-2026-0001"})


async def test_the_same_key_of_another_actor_is_another_key(conn: AsyncConnection) -> None:
    clock = HandClock()
    await _begin(conn, clock)

    assert await _begin(conn, clock, actor="key:wms") is None


@pytest.mark.parametrize(("route", "body"), [("POST /v1/labels/jobs", b"a"), ("POST /v1/recalls", b"b")])
async def test_a_key_stands_for_one_request_only(conn: AsyncConnection, route: str, body: bytes) -> None:
    clock = HandClock()
    await _begin(conn, clock)

    with pytest.raises(IdempotencyKeyReused, match="k1"):
        await _begin(conn, clock, route=route, body=body)


async def test_of_two_at_the_same_time_one_works_and_the_other_waits(database: DatabaseAddress) -> None:
    engine = database.engine(Role.STAFF, pool_size=4)

    async def attempt() -> str:
        async with engine.connect() as conn:
            try:
                return "works" if await _begin(conn, HandClock()) is None else "repeats"
            except RequestUnfinished:
                return "waits"

    outcomes = await asyncio.gather(*(attempt() for _ in range(4)))
    await engine.dispose()

    assert sorted(outcomes) == ["waits", "waits", "waits", "works"]


async def test_work_that_knows_its_own_repetitions_may_begin_again_when_it_was_cut_off(conn: AsyncConnection) -> None:
    clock = HandClock()
    await _begin(conn, clock)

    with pytest.raises(RequestUnfinished):
        await _begin(conn, clock)
    assert await _begin(conn, clock, repeatable=True) is None


async def test_a_refused_request_may_come_again_when_it_is_mended(conn: AsyncConnection) -> None:
    clock = HandClock()
    await _begin(conn, clock, body=b"broken")
    await idempotency.release(conn, key="k1", actor="key:erp")

    assert await _begin(conn, clock, body=b"mended") is None


async def test_an_answer_is_forgotten_after_a_week_and_not_before(conn: AsyncConnection) -> None:
    clock = HandClock()
    await _begin(conn, clock)
    await idempotency.keep(conn, key="k1", actor="key:erp", status=200, body=[])

    clock.move(days=7)
    assert await _begin(conn, clock) == KeptAnswer(200, [])
    clock.move(seconds=1)
    assert await _begin(conn, clock) is None


@pytest.mark.parametrize("key", ["", "a b", "ключ", "x" * 129, "a\x00"])
async def test_an_unusable_key_is_refused(conn: AsyncConnection, key: str) -> None:
    with pytest.raises(IdempotencyKeyNotUsable, match="128"):
        await _begin(conn, HandClock(), key=key)
