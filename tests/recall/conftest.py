"""The small dairy, told to the ledger once; every test of this room works on a copy of its own."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator

import pytest

from runtime.database import DatabaseAddress, Role
from tests.conftest import _statement, named
from tests.recall import creamery
from tests.recall.creamery import Creamery

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def dairy(cluster: DatabaseAddress) -> Creamery:
    """The dairy, in the database ``tracemark_dairy``, which nobody changes."""
    asyncio.run(_statement(cluster, "CREATE DATABASE tracemark_dairy TEMPLATE tracemark_template"))
    return asyncio.run(_arranged(named(cluster, "tracemark_dairy")))


@pytest.fixture
def database(cluster: DatabaseAddress, dairy: Creamery) -> Iterator[DatabaseAddress]:
    """A copy of the dairy's database, of this test's own."""
    name = f"test_recall_{next(_numbers)}"
    asyncio.run(_statement(cluster, f"CREATE DATABASE {name} TEMPLATE tracemark_dairy"))
    yield named(cluster, name)
    asyncio.run(_statement(cluster, f"DROP DATABASE {name} WITH (FORCE)"))


async def _arranged(address: DatabaseAddress) -> Creamery:
    engine = address.engine(Role.STAFF, pool_size=1)
    async with engine.connect() as conn:
        arranged = await creamery.arrange(conn)
    await engine.dispose()
    return arranged
