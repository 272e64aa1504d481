"""A server that follows another may be behind it: nobody is cleared from its copy, and whoever runs it is told why."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from portal import store
from runtime.connecting import DatabaseIsStandby
from runtime.database import DatabaseAddress, Role
from tests.cli.commands import tracemark
from tests.conftest import named
from tests.portal.arrangement import JSON, SECRET, arrange, item, portal_of, publish, says, until
from tests.portal.conftest import statement
from tests.standby import Standby, standby_of


@pytest.fixture(scope="module")
async def primary(cluster: DatabaseAddress) -> AsyncIterator[DatabaseAddress]:
    await statement(cluster, "CREATE DATABASE followed TEMPLATE tracemark_template")
    yield named(cluster, "followed")
    await statement(cluster, "DROP DATABASE followed WITH (FORCE)")


@pytest.fixture(scope="module")
async def standby(primary: DatabaseAddress) -> AsyncIterator[Standby]:
    engine = primary.engine(Role.STAFF, pool_size=1)
    async with engine.connect() as conn:
        await arrange(conn)
    await engine.dispose()
    async with standby_of(primary) as server:
        yield server


async def test_a_connection_that_was_led_to_a_standby_confirms_nothing(
    standby: Standby, primary: DatabaseAddress
) -> None:
    """Behind a pooler the server may change while the connection stays: what it is, is asked with the revision."""
    there = await primary.connect(Role.PORTAL)
    loaded = await store.load(there, SECRET)
    assert await store.catch_up(there, loaded, SECRET) is loaded
    await there.close()

    led = await standby.connect(role="tracemark_portal")
    with pytest.raises(DatabaseIsStandby):
        await store.catch_up(led, loaded, SECRET)
    with pytest.raises(DatabaseIsStandby):
        await store.load(led, SECRET)
    await led.close()


def test_an_operator_is_told_that_an_address_leads_to_a_standby(
    standby: Standby, primary: DatabaseAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRACEMARK_MASTER_SECRET", SECRET)
    monkeypatch.setenv("TRACEMARK_DATABASE_URL", standby.url)
    refused = tracemark("doctor")
    monkeypatch.setenv("TRACEMARK_DATABASE_URL", primary.url)
    monkeypatch.setenv("TRACEMARK_PORTAL_DATABASE_URL", standby.url)
    examined = tracemark("doctor", "--json")

    assert (refused.status, examined.status) == (1, 1)
    assert "is a standby: it follows another server and may be behind it" in refused.err
    [portal] = [finding for finding in examined.json if finding["what"] == "the portal's database"]
    assert not portal["good"]
    assert "the database is a standby" in portal["found"]


async def test_a_portal_on_a_standby_clears_nobody_until_the_server_is_promoted(
    standby: Standby, primary: DatabaseAddress, tmp_path: Path
) -> None:
    """The standby stands still while a recall is published: it would go on saying that none is known."""
    await standby.ask("SELECT pg_wal_replay_pause()")
    engine = primary.engine(Role.STAFF, pool_size=1)
    async with engine.connect() as conn:
        await publish(conn, lots=[1])
    await engine.dispose()

    async def has_arrived() -> bool:
        return bool(await standby.ask("SELECT count(*) FROM publication"))

    address = DatabaseAddress(standby.url, portal_statement_timeout_ms=5_000)
    async with portal_of(address, tmp_path) as portal:
        answer, ready = await portal.get(item(1000), headers=JSON), await portal.get("/readyz")
        assert (answer.status_code, answer.json()["verdict"]) == (503, "cannot_confirm")
        assert ready.status_code == 503
        assert "the database is a standby: it follows another server" in ready.json()["faults"]["public record"]

        await standby.ask("SELECT pg_wal_replay_resume()")
        await until(has_arrived)
        await standby.ask("SELECT pg_promote()")
        await says(portal, item(1000), "recalled")
        assert (await portal.get("/readyz")).status_code == 200
