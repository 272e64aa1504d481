"""The small dairy, told to the ledger once; every test of this room has it in a database of its own."""

from __future__ import annotations

import asyncio

import pytest

from runtime.database import DatabaseAddress, Role
from tests import kept
from tests.recall import creamery
from tests.recall.creamery import Creamery


@pytest.fixture
def dairy(empty_database: DatabaseAddress) -> Creamery:
    """The dairy, in this test's database."""
    return asyncio.run(_arranged(empty_database))


@pytest.fixture
def database(empty_database: DatabaseAddress, dairy: Creamery) -> DatabaseAddress:
    """A database that holds the dairy."""
    return empty_database


async def _arranged(address: DatabaseAddress) -> Creamery:
    async def told() -> Creamery:
        engine = address.engine(Role.STAFF, pool_size=1)
        async with engine.connect() as conn:
            arranged = await creamery.arrange(conn)
        await engine.dispose()
        return arranged

    return await kept.once(address, "the small dairy", told)
