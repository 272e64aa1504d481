"""A real PostgreSQL for every test that asks for one: one throw-away server per test process, one database per test.

The migrated database is made once and cloned: a clone takes tens of milliseconds.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from runtime import migrations
from runtime.database import DatabaseAddress, Role, asyncpg_url
from tests.postgres import embedded_cluster

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def cluster() -> Iterator[DatabaseAddress]:
    """A server with one migrated database, ``template``."""
    with embedded_cluster() as address:
        server = DatabaseAddress(address.url())
        asyncio.run(_statement(server, "CREATE DATABASE tracemark_template"))
        asyncio.run(migrations.migrate(named(server, "tracemark_template")))
        yield server


@pytest.fixture
def database(cluster: DatabaseAddress) -> Iterator[DatabaseAddress]:
    """A database of this test's own, schema in place, no rows."""
    name = f"test_{next(_numbers)}"
    asyncio.run(_statement(cluster, f"CREATE DATABASE {name} TEMPLATE tracemark_template"))
    yield named(cluster, name)
    asyncio.run(_statement(cluster, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
async def conn(database: DatabaseAddress) -> AsyncIterator[AsyncConnection]:
    """A staff connection to this test's database."""
    engine = database.engine(Role.STAFF, pool_size=2)
    async with engine.connect() as connection:
        yield connection
    await engine.dispose()


def named(server: DatabaseAddress, database: str) -> DatabaseAddress:
    """The same server, another database."""
    url = asyncpg_url(server.url).set(database=database)
    return DatabaseAddress(url.render_as_string(hide_password=False), portal_statement_timeout_ms=5_000)


async def _statement(server: DatabaseAddress, sql: str) -> None:
    connection = await server.connect(Role.LOGIN)
    await connection.execute(sql)
    await connection.close()
