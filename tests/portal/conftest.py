"""A portal over the arranged world, made once for the tests of a file that only look at it."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from runtime.database import DatabaseAddress, Role
from tests.conftest import named
from tests.portal.arrangement import arrange, portal_of, publish

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
async def published(
    cluster: DatabaseAddress, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of a portal on a database of this file's own. Tests that write take ``database`` instead."""
    async with portal_on(cluster, tmp_path_factory.mktemp("portal"), arrange) as client:
        yield client


@pytest.fixture(scope="module")
async def milk_recalled(
    cluster: DatabaseAddress, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[httpx2.AsyncClient]:
    """The same, after the recall of the whole of lot M1."""

    async def prepare(conn: AsyncConnection) -> None:
        await arrange(conn)
        await publish(conn, case_id=1, lots=[1])

    async with portal_on(cluster, tmp_path_factory.mktemp("portal"), prepare) as client:
        yield client


@asynccontextmanager
async def portal_on(
    cluster: DatabaseAddress, folder: Path, prepare: Callable[[AsyncConnection], Awaitable[None]]
) -> AsyncIterator[httpx2.AsyncClient]:
    """A portal on a new database that ``prepare`` has filled."""
    name = f"portal_{next(_numbers)}"
    await statement(cluster, f"CREATE DATABASE {name} TEMPLATE tracemark_template")
    database = named(cluster, name)
    engine = database.engine(Role.STAFF, pool_size=1)
    async with engine.connect() as conn:
        await prepare(conn)
    await engine.dispose()
    async with portal_of(database, folder) as client:
        yield client
    await statement(cluster, f"DROP DATABASE {name} WITH (FORCE)")


async def statement(server: DatabaseAddress, sql: str) -> None:
    """Run one statement of an administrator."""
    engine = server.engine(Role.LOGIN, pool_size=1).execution_options(isolation_level="AUTOCOMMIT")
    async with engine.connect() as conn:
        await conn.execute(text(sql))
    await engine.dispose()
