"""The listener: hints arrive, a lost connection is made again, and every gap is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from runtime.database import DatabaseAddress, Role
from runtime.notifications import Listener
from tests.unhurried import NEVER_S


class Heard:
    """What a listener told."""

    def __init__(self) -> None:
        self.hints: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self.gaps: asyncio.Queue[None] = asyncio.Queue()

    def listener(self, address: DatabaseAddress) -> Listener:
        return Listener(
            address,
            Role.PORTAL,
            ["tracemark_revision"],
            on_hint=lambda channel, payload: self.hints.put_nowait((channel, payload)),
            on_gap=lambda: self.gaps.put_nowait(None),
            ping_every_s=0.1,
        )


@pytest.fixture
async def heard(database: DatabaseAddress) -> AsyncIterator[Heard]:
    heard = Heard()
    task = asyncio.create_task(heard.listener(database).run())
    async with asyncio.timeout(NEVER_S):
        await heard.gaps.get()
        yield heard
    task.cancel()


async def test_a_hint_arrives_when_its_transaction_is_committed_and_not_before(
    heard: Heard, conn: AsyncConnection
) -> None:
    await conn.execute(text("SELECT pg_notify('tracemark_revision', '7'), pg_notify('elsewhere', '8')"))
    await asyncio.sleep(0.3)
    assert heard.hints.empty()

    await conn.commit()
    assert await heard.hints.get() == ("tracemark_revision", "7")
    assert heard.hints.empty()


async def test_after_a_lost_connection_the_gap_is_told_and_hints_arrive_again(
    heard: Heard, conn: AsyncConnection
) -> None:
    sql = (
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'tracemark portal' AND datname = current_database()"
    )
    pids = (await conn.execute(text(f"{sql} ORDER BY backend_start"))).scalars().all()
    await conn.rollback()
    assert len(pids) == 1

    await conn.execute(text("SET ROLE NONE"))
    await conn.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pids[0]})
    await conn.rollback()
    await heard.gaps.get()

    await conn.execute(text("SELECT pg_notify('tracemark_revision', '9')"))
    await conn.commit()
    assert await heard.hints.get() == ("tracemark_revision", "9")


async def test_a_database_that_is_not_there_is_tried_again_until_cancelled() -> None:
    heard = Heard()
    nowhere = DatabaseAddress("postgresql+asyncpg://nobody:nothing@127.0.0.1:1/nowhere")
    task = asyncio.create_task(heard.listener(nowhere).run())

    await asyncio.sleep(0.5)
    assert not task.done()
    assert heard.gaps.empty()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
