"""An old copy clears nobody: what is said when the database is away, and how the copy follows it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from gs1.digital_link import parse_path
from portal.model import Confirmation
from portal.refresh import WORLD, Refresher, read_once
from portal.store import Loaded, catch_up, load
from runtime.database import DatabaseAddress, Role
from serials.keys import WrongMasterSecret
from tests.portal.arrangement import (
    BROWSER,
    JSON,
    MILK,
    NOON,
    SECRET,
    arrange,
    item,
    portal_of,
    publish,
    says,
    until,
)

NOWHERE = DatabaseAddress("postgresql+asyncpg://nobody:nothing@127.0.0.1:1/nowhere")


class Ticks:
    """A clock of seconds that stands until it is moved."""

    def __init__(self) -> None:
        self.at_s = 100.0

    def __call__(self) -> float:
        return self.at_s


def refresher(database: DatabaseAddress, ticks: Ticks) -> Refresher:
    return Refresher(
        database,
        SECRET,
        clock=lambda: NOON + timedelta(seconds=ticks.at_s),
        sweep_every_s=1,
        confirm_within_s=5,
        monotonic=ticks,
    )


async def test_without_a_database_the_portal_starts_and_says_that_it_cannot_confirm(tmp_path: Path) -> None:
    async with portal_of(NOWHERE, tmp_path) as portal:
        for path in (item(1001), f"/01/{MILK}", "/00/395201234567890123"):
            answer = await portal.get(path, headers=JSON)
            assert (answer.status_code, answer.json()["verdict"]) == (503, "cannot_confirm")
            assert answer.headers["retry-after"] == "2"
        page = await portal.get(item(1001), headers=BROWSER)
        assert page.status_code == 503
        assert "We cannot confirm the recall status right now." in page.text
        assert (await portal.get(item(1001))).status_code == 503
        assert (await portal.get("/recalls.json")).status_code == 503
        assert (await portal.get("/readyz")).status_code == 503
        assert (await portal.get("/livez")).status_code == 200
        assert (await portal.get("/foo", headers=JSON)).status_code == 400  # a broken code is broken all the same


async def test_a_database_that_goes_away_is_noticed_and_one_that_comes_back_is_believed_again(
    cluster: DatabaseAddress, database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    await arrange(conn)
    name = (await conn.execute(text("SELECT current_database()"))).scalar_one()
    await conn.commit()
    admin = cluster.engine(Role.LOGIN, pool_size=1).execution_options(isolation_level="AUTOCOMMIT")
    async with portal_of(database, tmp_path, confirm_within_s=1) as portal, admin.connect() as power:
        await says(portal, item(1001), "no_recall_known")

        await power.execute(text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false"))
        sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
        await power.execute(text(sql), {"name": name})
        await says(portal, item(1001), "cannot_confirm")
        assert (await portal.get(item(1001), headers=JSON)).json()["confirmed_at"] is not None

        await power.execute(text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true"))
        await says(portal, item(1001), "no_recall_known")
    await admin.dispose()


async def test_a_copy_is_confirmed_until_the_limit_and_not_a_moment_longer(
    database: DatabaseAddress, conn: AsyncConnection
) -> None:
    await arrange(conn)
    ticks = Ticks()
    copy = refresher(database, ticks)
    assert not copy.confirmation().is_fresh

    await copy.look()
    ticks.at_s += 5
    at_the_limit = copy.confirmation()
    ticks.at_s += 0.01

    assert at_the_limit.is_fresh
    assert not copy.confirmation().is_fresh
    await copy.look()
    assert copy.confirmation().is_fresh


async def test_a_look_that_failed_confirms_nothing() -> None:
    copy = refresher(NOWHERE, Ticks())

    with pytest.raises(ConnectionRefusedError):
        await copy.look()
    assert copy.confirmation().at is None
    assert not copy.confirmation().is_fresh


async def test_keys_that_do_not_open_stop_the_start(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    await arrange(conn)

    with pytest.raises(WrongMasterSecret):
        async with portal_of(database, tmp_path, master_secret="x" * 40):
            pass


async def test_a_change_committed_late_by_a_transaction_that_began_early_is_not_missed(
    database: DatabaseAddress, conn: AsyncConnection
) -> None:
    await arrange(conn)
    engine = database.engine(Role.STAFF, pool_size=1)
    portal = await database.connect(Role.PORTAL)
    async with engine.connect() as slow:
        await slow.execute(text("UPDATE lot SET status = 'held' WHERE code = 'M1'"))  # began, not yet committed
        loaded = await load(portal, SECRET)
        await conn.execute(text("UPDATE lot SET status = 'held' WHERE code = 'M2'"))
        await conn.commit()
        middle = await catch_up(portal, loaded, SECRET)
        await slow.commit()
    last = await catch_up(portal, middle, SECRET)
    await portal.close()
    await engine.dispose()

    assert [status_of(loaded, lot_id) for lot_id in (1, 2)] == ["released", "released"]
    assert [status_of(middle, lot_id) for lot_id in (1, 2)] == ["released", "held"]
    assert [status_of(last, lot_id) for lot_id in (1, 2)] == ["held", "held"]


async def test_news_laid_over_a_copy_make_the_same_copy_as_a_new_load(
    database: DatabaseAddress, conn: AsyncConnection
) -> None:
    await arrange(conn)
    portal = await database.connect(Role.PORTAL)
    old = await load(portal, SECRET)
    changes = [
        "UPDATE code_run SET n = 40, changed_in = pg_current_xact_id()::text::bigint WHERE lo = 1000",
        "INSERT INTO code_run (lo, n, lot_id, since, event_id, disposition)"
        " VALUES (1040, 60, 1, now(), 1, 'destroyed'), (7000, 1, 2, now(), 1, NULL)",
        "INSERT INTO foreign_serial (gtin, serial, number) VALUES ('09520123456788', 'S-1', 7000)",
        "UPDATE product SET name = 'Whole milk 1 l' WHERE product_id = 1",
        "INSERT INTO void_code (lo, n, at) VALUES (2001, 3, now())",
        "INSERT INTO number_block (lo, n, kind, gtin, lot_id, key_epoch)"
        " VALUES (3000, 5, 'label', '09520123456788', 1, 1)",
    ]
    for sql in changes:
        await conn.execute(text(sql))
    await conn.commit()
    await publish(conn, runs=[(1, 1090, 5)])

    caught_up = (await catch_up(portal, old, SECRET)).snapshot
    anew = (await load(portal, SECRET)).snapshot
    unchanged = await catch_up(portal, await load(portal, SECRET), SECRET)
    await portal.close()

    paths = [*(item(number) for number in (1000, 1039, 1040, 1092, 1099, 2001, 2004, 3004, 3005))]
    for path in [*paths, f"/01/{MILK}/21/S-1", f"/01/{MILK}/10/M1", f"/01/{MILK}"]:
        assert caught_up.find(parse_path(path)) == anew.find(parse_path(path)), path
    assert caught_up.revision == anew.revision == unchanged.snapshot.revision
    assert anew.find(parse_path(item(1092))).recalls


def status_of(loaded: Loaded, lot_id: int) -> str:
    lot = loaded.snapshot.lots.get(lot_id)
    assert lot is not None
    return lot.status


async def test_the_recall_is_heard_without_waiting_for_the_next_sweep(
    database: DatabaseAddress, conn: AsyncConnection
) -> None:
    await arrange(conn)
    # Sweeps so far apart that only the hint can bring the news while the test waits.
    copy = Refresher(database, SECRET, clock=lambda: NOON, sweep_every_s=3_600, confirm_within_s=60)
    running = asyncio.create_task(copy.run())

    async def is_recalled() -> bool:
        return bool(copy.snapshot.find(parse_path(item(1001))).recalls)

    async def is_loaded() -> bool:
        return copy.snapshot.find(parse_path(item(1001))).is_known

    await until(is_loaded)
    assert not await is_recalled()
    await publish(conn, lots=[1])
    await until(is_recalled)
    running.cancel()
    await asyncio.wait([running])


async def test_a_list_is_judged_as_of_the_moment_its_reading_began_however_long_that_took(
    database: DatabaseAddress, conn: AsyncConnection
) -> None:
    await arrange(conn)
    await publish(conn, lots=[1])
    began_at = NOON - timedelta(hours=1)

    snapshot, confirmation = await read_once(database, SECRET, clock=lambda: began_at)

    assert snapshot.find(parse_path(item(1001))).recalls
    assert confirmation == Confirmation(began_at, is_fresh=True)
    with pytest.raises(WORLD):
        await read_once(NOWHERE, SECRET, clock=lambda: NOON)


async def test_a_copy_knows_that_items_were_lost_since_it_was_loaded(
    database: DatabaseAddress, conn: AsyncConnection
) -> None:
    await arrange(conn)
    portal = await database.connect(Role.PORTAL)
    old = await load(portal, SECRET)
    await conn.execute(text("DELETE FROM code_run WHERE lo = 2000"))
    await conn.execute(text("UPDATE code_run_loss SET losses = losses + 1"))
    await conn.commit()

    caught_up = await catch_up(portal, old, SECRET)
    anew = await catch_up(portal, await load(portal, SECRET), SECRET)
    await portal.close()

    assert (old.losses_since, caught_up.losses_since, anew.losses_since) == (0, 1, 0)
    assert old.snapshot.runs.at(2001) is not None
    assert anew.snapshot.runs.at(2001) is None


async def test_a_running_portal_loads_anew_when_an_item_was_taken_back(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    await arrange(conn)
    async with portal_of(database, tmp_path, sweep_every_s=0.1) as portal:
        await says(portal, item(1001), "no_recall_known")
        await conn.execute(text("DELETE FROM code_run WHERE lo = 1000"))
        await conn.execute(text("UPDATE code_run_loss SET losses = losses + 1"))
        await conn.commit()
        await says(portal, item(1001), "not_active")
