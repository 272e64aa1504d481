"""Connections that are used again: the ones that no longer stand are replaced before anybody works on them."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from runtime import database as connections
from runtime.database import DatabaseAddress, Role

PID = text("SELECT pg_backend_pid()")


@pytest.mark.parametrize("unasked_s", [0.0, 60.0])
async def test_a_connection_that_the_server_ended_is_replaced_before_it_is_used_again(
    database: DatabaseAddress, monkeypatch: pytest.MonkeyPatch, unasked_s: float
) -> None:
    monkeypatch.setattr(connections, "UNASKED_S", unasked_s)
    engine, other = database.engine(Role.STAFF, pool_size=1), await database.connect(Role.LOGIN)
    async with engine.connect() as conn:
        before = await conn.scalar(PID)
    async with engine.connect() as conn:
        assert await conn.scalar(PID) == before  # it stands, and is used again

    await other.execute("SELECT pg_terminate_backend($1, 5000)", before)
    async with engine.connect() as conn:
        assert await conn.scalar(PID) != before

    await other.close()
    await engine.dispose()
