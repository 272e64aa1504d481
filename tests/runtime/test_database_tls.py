"""What an address says about TLS holds for every connection, SQLAlchemy's and raw ones alike."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text

from runtime.connecting import DatabaseAway
from runtime.database import DatabaseAddress, Role
from tests.runtime.tls_door import Door, tls_door


@pytest.fixture(scope="module")
async def door(cluster: DatabaseAddress, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Door]:
    async with tls_door(cluster, tmp_path_factory.mktemp("tls")) as found:
        yield found


async def ask_in_all_ways(address: DatabaseAddress) -> None:
    raw = await address.connect(Role.LOGIN)
    assert await raw.fetchval("SELECT 1") == 1
    await raw.close()
    pool = await address.pool(Role.LOGIN, size=1)
    assert await pool.fetchval("SELECT 1") == 1
    await pool.close()
    engine = address.engine(Role.LOGIN, pool_size=1)
    async with engine.connect() as conn:
        assert (await conn.execute(text("SELECT 1"))).scalar_one() == 1
    await engine.dispose()


@pytest.mark.parametrize("options", ["sslmode=require", "ssl=require", "sslmode=verify-full&sslrootcert={certificate}"])
async def test_an_address_that_asks_for_tls_is_spoken_to_by_tls_only(door: Door, options: str) -> None:
    door.by_tls = door.in_the_clear = 0

    await ask_in_all_ways(door.address(options.format(certificate=door.certificate)))

    assert (door.by_tls, door.in_the_clear) == (3, 0)


async def test_only_an_address_that_says_so_is_spoken_to_in_the_clear(door: Door) -> None:
    door.by_tls = door.in_the_clear = 0

    await ask_in_all_ways(door.address("sslmode=disable"))

    assert (door.by_tls, door.in_the_clear) == (0, 3)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ("sslmode=verify-full&sslrootcert={other}", "certificate verify failed"),
        ("sslmode=require&ssl_min_protocol_version=TLSv9", "TLSv9"),
    ],
)
async def test_a_server_that_does_not_show_that_it_is_itself_is_not_spoken_to(
    door: Door, cluster: DatabaseAddress, tmp_path: Path, options: str, problem: str
) -> None:
    async with tls_door(cluster, tmp_path) as other:
        address = door.address(options.format(other=other.certificate))
    engine = address.engine(Role.LOGIN, pool_size=1)

    with pytest.raises(DatabaseAway, match=problem):
        await address.connect(Role.LOGIN)
    with pytest.raises(DatabaseAway, match=problem):
        await address.pool(Role.LOGIN, size=1)
    with pytest.raises(DatabaseAway, match=problem):
        async with engine.connect():
            raise AssertionError("it was let in")
    await engine.dispose()


async def test_a_server_without_tls_is_refused_where_the_address_asks_for_it(
    cluster: DatabaseAddress, tmp_path: Path
) -> None:
    async with tls_door(cluster, tmp_path, has_tls=False) as plain:
        with pytest.raises(ConnectionError, match="rejected SSL upgrade"):
            await plain.address("sslmode=require").connect(Role.LOGIN)
        assert (plain.by_tls, plain.in_the_clear) == (0, 0)
        connection: asyncpg.Connection = await plain.address("sslmode=prefer").connect(Role.LOGIN)
        assert await connection.fetchval("SELECT 1") == 1
        await connection.close()
