"""Work that outlives a request happens if and only if its verb did, and is not lost with its worker."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from runtime import jobs, settings
from runtime.clock import system_clock
from runtime.database import DatabaseAddress, Role, transaction
from tests.unhurried import NEVER_S

Done = list[Mapping[str, Any]]


async def work(database: DatabaseAddress, *kinds: jobs.JobKind) -> None:
    engine = database.engine(Role.STAFF, pool_size=2)
    place = jobs.WorkPlace(settings.load({}), database, engine, system_clock, "a master secret of 32 characters.")
    await jobs.work(place, kinds, until_idle=True)
    await engine.dispose()


def noting(done: Done) -> jobs.JobKind:
    async def note(_place: jobs.WorkPlace, payload: Mapping[str, Any]) -> None:
        done.append(payload)

    return jobs.JobKind("note", note)


async def statuses(conn: AsyncConnection) -> dict[str, int]:
    return {each.status: each.count for each in await jobs.waiting(conn)}


async def test_a_job_is_done_once_its_verb_has_committed(database: DatabaseAddress, conn: AsyncConnection) -> None:
    done: Done = []
    async with transaction(conn):
        await jobs.enqueue(conn, "note", {"notice": 1}, {"notice": 2})

    await work(database, noting(done))

    assert sorted(each["notice"] for each in done) == [1, 2]
    assert await statuses(conn) == {}


async def test_a_verb_that_failed_has_asked_for_nothing(database: DatabaseAddress, conn: AsyncConnection) -> None:
    done: Done = []
    with pytest.raises(LookupError):
        async with transaction(conn):
            await jobs.enqueue(conn, "note", {"notice": 1})
            raise LookupError

    await work(database, noting(done))

    assert done == []


async def test_a_job_with_a_key_waits_once(database: DatabaseAddress, conn: AsyncConnection) -> None:
    done: Done = []
    for _ in range(3):
        async with transaction(conn):
            await jobs.enqueue(conn, "note", {"job": 7}, key="7")
            await jobs.enqueue(conn, "note", {"job": 8}, key="8")

    await work(database, noting(done))

    assert sorted(each["job"] for each in done) == [7, 8]


async def test_a_job_for_later_is_left_for_later(database: DatabaseAddress, conn: AsyncConnection) -> None:
    async with transaction(conn):
        await jobs.enqueue(conn, "note", {"reminder": 1}, after=timedelta(hours=1))

    assert await statuses(conn) == {"queued": 1}
    due = await conn.scalar(text("SELECT execute_after > now() + interval '59 minutes' FROM pgqueuer"))
    assert due is True


async def test_a_worker_that_works_until_idle_leaves_what_is_not_due(
    database: DatabaseAddress, conn: AsyncConnection
) -> None:
    done: Done = []
    async with transaction(conn):
        await jobs.enqueue(conn, "note", {"reminder": 1}, after=timedelta(hours=1))
        await jobs.enqueue(conn, "note", {"notice": 1})

    async with asyncio.timeout(NEVER_S):
        await work(database, noting(done))

    assert done == [{"notice": 1}]
    assert await statuses(conn) == {"queued": 1}


async def test_what_cannot_be_done_now_is_tried_again_and_what_fails_for_good_stays_to_be_seen(
    database: DatabaseAddress, conn: AsyncConnection
) -> None:
    tries: list[str] = []

    async def busy_at_first(_place: jobs.WorkPlace, _payload: Mapping[str, Any]) -> None:
        tries.append("busy")
        if tries.count("busy") == 1:
            raise jobs.TryLater(timedelta(0), "the printer is busy")

    async def broken(_place: jobs.WorkPlace, _payload: Mapping[str, Any]) -> None:
        tries.append("broken")
        raise ValueError("no such address")

    async with transaction(conn):
        await jobs.enqueue(conn, "busy", {})
        await jobs.enqueue(conn, "broken", {})
    await work(database, jobs.JobKind("busy", busy_at_first), jobs.JobKind("broken", broken, attempts_max=0))

    assert (tries.count("busy"), tries.count("broken")) == (2, 1)
    assert await statuses(conn) == {"failed": 1}


async def test_a_worker_told_to_stop_finishes_what_it_has_begun(
    database: DatabaseAddress, conn: AsyncConnection
) -> None:
    begun, stop, finished = asyncio.Event(), asyncio.Event(), []

    async def slow(_place: jobs.WorkPlace, _payload: Mapping[str, Any]) -> None:
        begun.set()
        await stop.wait()
        finished.append(True)

    async with transaction(conn):
        await jobs.enqueue(conn, "slow", {})
    engine = database.engine(Role.STAFF, pool_size=2)
    place = jobs.WorkPlace(settings.load({}), database, engine, system_clock, "a master secret of 32 characters.")
    running = asyncio.create_task(jobs.work(place, [jobs.JobKind("slow", slow)], stop=stop))
    await begun.wait()
    stop.set()
    await running
    await engine.dispose()

    assert finished == [True]
    assert await statuses(conn) == {}
