"""A throw-away PostgreSQL of the benchmark's own: nothing of an installation is touched."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text

from benchmarks.harness import Tell
from runtime import migrations
from runtime.database import DatabaseAddress, Role, asyncpg_url
from runtime.embedded_postgres import EmbeddedPostgres


@contextmanager
def throw_away_server(tell: Tell) -> Iterator[DatabaseAddress]:
    """A new server with the durability of a real one (each commit reaches the disk); it is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="tracemark-benchmark-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # as root the server runs as another user, who has to get here
        with EmbeddedPostgres(folder / "var", say=tell) as address:
            yield DatabaseAddress(address.url())


@contextmanager
def fresh_database(server: DatabaseAddress, name: str) -> Iterator[DatabaseAddress]:
    """A database of that name on the server, schema in place, no rows; dropped afterwards."""
    asyncio.run(_statement(server, f"CREATE DATABASE {name}"))
    try:
        address = DatabaseAddress(asyncpg_url(server.url).set(database=name).render_as_string(hide_password=False))
        asyncio.run(migrations.migrate(address))
        yield address
    finally:
        asyncio.run(_statement(server, f"DROP DATABASE {name} WITH (FORCE)"))


async def _statement(server: DatabaseAddress, sql: str) -> None:
    engine = server.engine(Role.LOGIN, pool_size=1).execution_options(isolation_level="AUTOCOMMIT")
    async with engine.connect() as conn:
        await conn.execute(text(sql))
    await engine.dispose()
