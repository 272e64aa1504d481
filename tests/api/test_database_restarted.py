"""The database was restarted between two requests, and nobody has noticed yet."""

from __future__ import annotations

import asyncio
import threading

import httpx2
import pytest

from runtime import database as connections
from runtime.database import DatabaseAddress, Role
from tests.api.conftest import KeyMaker

_END_ALL = """SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'tracemark staff'"""


def end_all(database: DatabaseAddress) -> None:
    """End every connection of staff while this process hears nothing: the next request meets one that died unseen."""

    async def end() -> None:
        other = await database.connect(Role.LOGIN)
        await other.execute(_END_ALL)
        await other.close()

    thread = threading.Thread(target=lambda: asyncio.run(end()))
    thread.start()
    thread.join()


async def test_the_next_request_is_answered_or_asked_to_come_again_and_the_one_after_it_is_answered(
    client: httpx2.AsyncClient, key: KeyMaker, database: DatabaseAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "UNASKED_S", 60.0)  # as within the second, however slow this machine is
    ours = await key()
    assert (await client.get("/v1/parties", headers=ours)).status_code == 200

    end_all(database)
    met = await client.get("/v1/parties", headers=ours)
    after = await client.get("/v1/parties", headers=ours)

    assert met.status_code == 200 or (met.status_code == 503 and met.headers["retry-after"])
    assert after.status_code == 200
