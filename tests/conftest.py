"""A real PostgreSQL for every test that asks for one: one throw-away server per test process, one database per test.

The migrated database is made once and cloned; databases are emptied and used again.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy.ext.asyncio import AsyncConnection

from runtime import migrations
from runtime.database import DatabaseAddress, Role, asyncpg_url
from serials import keys
from tests import caretaker, examples, unhurried
from tests.postgres import embedded_cluster

_numbers = itertools.count(1)
_ready: list[str] = []
_uses: Counter[str] = Counter()

USES_MAX = 150

# Before --hypothesis-profile is looked at. How long an example takes says something about the machine only.
_UNHURRIED: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("usual", **_UNHURRIED)
settings.register_profile("long", max_examples=examples.LONG, **_UNHURRIED)
settings.load_profile("usual")


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
        for name in _ready:
            caretaker.leave(named(server, name))


@pytest.fixture(autouse=True)
def same_serials_in_every_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Root keys that are not by chance: one serial in 270 spells a word, and then a label has another number."""
    numbers = itertools.count()
    monkeypatch.setattr(
        keys, "new_root_key", lambda: hashlib.sha256(b"a root key of tests %d" % next(numbers)).digest()
    )


@pytest.fixture
def database(empty_database: DatabaseAddress) -> DatabaseAddress:
    """The database of this test alone. Some folders put their world into it."""
    return empty_database


@pytest.fixture
def empty_database(cluster: DatabaseAddress) -> Iterator[DatabaseAddress]:
    """A database for this test alone, schema in place, no rows.

    A database that an earlier test left is emptied and used again, which is much quicker than a new one; one that
    cannot be brought back to its first state is thrown away.
    """
    name = _ready.pop() if _ready else asyncio.run(_new(cluster))
    yield named(cluster, name)
    _uses[name] += 1
    if _uses[name] < USES_MAX and is_emptied(named(cluster, name)):
        _ready.append(name)
    else:
        caretaker.leave(named(cluster, name))
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
    return DatabaseAddress(url.render_as_string(hide_password=False), portal_statement_timeout_ms=10_000)


async def _new(server: DatabaseAddress) -> str:
    name = f"test_{next(_numbers)}"
    await _statement(server, f"CREATE DATABASE {name} TEMPLATE tracemark_template")
    return name


def is_emptied(database: DatabaseAddress) -> bool:
    """Whether the database is again as the migrations made it: no rows but theirs, sequences at their start."""
    try:
        return caretaker.do(database, _emptied)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        return False  # a test took it away, closed its door, or made something of it that cannot be undone


async def _emptied(connection: asyncpg.Connection) -> bool:
    await connection.execute(
        f"SELECT pg_terminate_backend(pid, {unhurried.NEVER_S}000) FROM pg_stat_activity"  # and wait until it is gone
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    version: str | None = await connection.fetchval("SELECT max(version_num) FROM alembic_version")
    await connection.execute(_EMPTY)
    return version == migrations.newest()


# Only tables with pages can hold rows. Deleting a test's few rows is quicker than truncating a file for each table and
# index; what deleting leaves behind slows later tests, so a database is used USES_MAX times and then made anew.
# What the migrations insert is inserted again; see schema/sql.
_EMPTY = """
DO $$
DECLARE name text;
BEGIN
    SET LOCAL session_replication_role = replica;
    FOR name IN SELECT oid::regclass::text FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'alembic_version'
              AND pg_relation_size(oid) > 0
    LOOP
        EXECUTE 'DELETE FROM ' || name;
    END LOOP;
    FOR name IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL LOOP
        PERFORM setval(quote_ident(name)::regclass, start_value, false) FROM pg_sequences WHERE sequencename = name;
    END LOOP;
    INSERT INTO party (party_id, uri, name) VALUES (0, 'urn:tracemark:unknown', 'unknown');
    INSERT INTO place (place_id, uri, name, party_id) VALUES (0, 'urn:tracemark:unknown', 'unknown', 0);
    INSERT INTO number_allocator (next) VALUES (1);
    INSERT INTO public_record (revision, changed_at) VALUES (1, now());
    INSERT INTO code_run_loss (losses) VALUES (0);
    INSERT INTO shelf (version) VALUES (1);
    INSERT INTO unusual_rule (rule, threshold, within_days, effect) VALUES
        ('many_places', 3, 7, 'verdict'), ('many_visitors', 20, 30, 'verdict'), ('off_market', 1, 30, 'alert'),
        ('after_sale', 10, 30, 'alert'), ('not_for_sale', 1, 30, 'alert'), ('not_released', 3, 7, 'alert');
END $$
"""


async def _statement(server: DatabaseAddress, sql: str) -> None:
    connection = await server.connect(Role.LOGIN)
    await connection.execute(sql)
    await connection.close()
