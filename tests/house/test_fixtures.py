"""An emptied database is as good as a new one."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from runtime.database import DatabaseAddress, Role
from tests.conftest import is_emptied
from tests.world import little_dairy


async def test_nothing_of_a_test_is_left_for_the_next(conn: AsyncConnection, database: DatabaseAddress) -> None:
    before = await state(database)
    await little_dairy(conn, items=12)
    assert await state(database) != before
    await conn.close()

    assert is_emptied(database)

    assert await state(database) == before


async def state(database: DatabaseAddress) -> dict[str, int]:
    """How many rows each table has, and where each sequence stands."""
    connection = await database.connect(Role.LOGIN)
    names = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    counts = {name: await connection.fetchval(f'SELECT count(*) FROM "{name}"') for (name,) in names}
    sequences = await connection.fetch("SELECT sequencename, coalesce(last_value, 0) FROM pg_sequences")
    await connection.close()
    return counts | {str(name): int(value) for name, value in sequences}
