"""Arrangements that many tests begin with: made once in each test process, their rows put back for every later test.

Putting rows back takes some tens of milliseconds, telling the same story to the ledger half a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from io import BytesIO
from typing import Any, TypeVar, cast

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection

from runtime.database import DatabaseAddress
from tests import caretaker

T = TypeVar("T")

# Only tables with pages can hold rows.
_TABLES = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'alembic_version'
      AND pg_relation_size(oid) > 0
"""
_SEQUENCES = """
SELECT quote_ident(sequencename), last_value FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """What an arrangement answered, and all that it left in the database."""

    answer: Any
    rows: dict[str, bytes]
    sequences: dict[str, int]


_kept: dict[Hashable, Kept] = {}


async def once(database: DatabaseAddress, key: Hashable, arrange: Callable[[], Awaitable[T]]) -> T:
    """As ``await arrange()``, which tells its story to ``database``, to which nothing else was told yet.

    ``key`` tells arrangements apart: whatever changes what is arranged belongs into it. The answer is shared by all
    tests of a process: nobody changes it.
    """
    if key in _kept:
        await put_back(database, _kept[key])
    else:
        _kept[key] = await taken(database, await arrange())
    return cast(T, _kept[key].answer)


def once_by_commands(database: DatabaseAddress, key: Hashable, arrange: Callable[[], T]) -> T:
    """As ``once``, for what is arranged outside of an event loop."""
    if key in _kept:
        asyncio.run(put_back(database, _kept[key]))
    else:
        _kept[key] = asyncio.run(taken(database, arrange()))
    return cast(T, _kept[key].answer)


def behind(conn: AsyncConnection) -> DatabaseAddress:
    """The database of a connection."""
    return DatabaseAddress(conn.engine.url.render_as_string(hide_password=False))


async def taken(database: DatabaseAddress, answer: Any) -> Kept:
    """All rows of a database, to be put back."""

    async def read(connection: asyncpg.Connection) -> Kept:
        rows = {}
        for (name,) in await connection.fetch(_TABLES):
            file = BytesIO()
            await connection.copy_from_table(name, output=file, format="binary")
            rows[name] = file.getvalue()
        return Kept(answer, rows, dict(await connection.fetch(_SEQUENCES)))

    return await caretaker.done(database, read)


async def put_back(database: DatabaseAddress, kept: Kept) -> None:
    """The kept rows, in place of those that the migrations insert."""

    async def write(connection: asyncpg.Connection) -> None:
        async with connection.transaction():
            told = [f"DELETE FROM {name};" for (name,) in await connection.fetch(_TABLES)]
            told += [f"SELECT setval('{name}', {last});" for name, last in kept.sequences.items()]
            await connection.execute(" ".join(["SET LOCAL session_replication_role = replica;", *told]))
            for name, rows in kept.rows.items():
                await connection.copy_to_table(name, source=BytesIO(rows), format="binary")

    await caretaker.done(database, write)
