"""A real PostgreSQL for every test that asks for one: one throw-away server per test process, one database per test.

The migrated database is made once and cloned; databases are emptied and used again.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from runtime import migrations
from runtime.database import DatabaseAddress, Role, asyncpg_url
from tests.postgres import embedded_cluster

_numbers = itertools.count(1)
_ready: list[str] = []


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
    """A database for this test alone, schema in place, no rows.

    A database that an earlier test left is emptied and used again, which is much quicker than a new one; one that
    cannot be brought back to its first state is thrown away.
    """
    name = _ready.pop() if _ready else asyncio.run(_new(cluster))
    yield named(cluster, name)
    if asyncio.run(_emptied(cluster, name)):
        _ready.append(name)
    else:
        asyncio.run(_statement(cluster, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))


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


async def _new(server: DatabaseAddress) -> str:
    name = f"test_{next(_numbers)}"
    await _statement(server, f"CREATE DATABASE {name} TEMPLATE tracemark_template")
    return name


async def _emptied(server: DatabaseAddress, name: str) -> bool:
    """Whether the database is again as the migrations made it: no rows but theirs, sequences at their start."""
    connection = await server.connect(Role.LOGIN)
    try:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()",
            name,
        )
    finally:
        await connection.close()
    try:
        connection = await named(server, name).connect(Role.LOGIN)
    except (asyncpg.PostgresError, OSError):
        return False  # a test took it away, or closed its door
    try:
        version: str | None = await connection.fetchval("SELECT max(version_num) FROM alembic_version")
        await connection.execute(_EMPTY)
        return version == migrations.newest()
    except asyncpg.PostgresError:
        return False
    finally:
        await connection.close()


# What the first migration inserts is inserted again; see schema/sql/0001.
_EMPTY = """
DO $$
DECLARE name text; used boolean; full_ones text[] := '{}';
BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %I)', name) INTO used;
        IF used THEN full_ones := full_ones || quote_ident(name); END IF;
    END LOOP;
    EXECUTE 'TRUNCATE ' || array_to_string(full_ones, ', ') || ' RESTART IDENTITY CASCADE';
    FOR name IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL LOOP
        EXECUTE format('ALTER SEQUENCE %I RESTART', name);
    END LOOP;
    INSERT INTO party (party_id, uri, name) VALUES (0, 'urn:tracemark:unknown', 'unknown');
    INSERT INTO place (place_id, uri, name, party_id) VALUES (0, 'urn:tracemark:unknown', 'unknown', 0);
    INSERT INTO number_allocator (next) VALUES (1);
    INSERT INTO public_record (revision, changed_at) VALUES (1, now());
    INSERT INTO code_run_loss (losses) VALUES (0);
END $$
"""


async def _statement(server: DatabaseAddress, sql: str) -> None:
    connection = await server.connect(Role.LOGIN)
    await connection.execute(sql)
    await connection.close()
