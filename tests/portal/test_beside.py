"""What stands beside a verdict: the count of checks and the log of scans, with and without a database."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from portal import counting, scan_log
from portal.clients import is_a_check, kind_of
from portal.counting import CheckCounter, visitor_hash
from portal.live import Live
from portal.model import CodeState
from portal.scan_log import Opening, ScanLog
from portal.sightings import Sighting, Sightings
from runtime.database import DatabaseAddress, Role
from tests.portal.arrangement import BROWSER, MILK, NOON, arrange, item, portal_of, until
from tests.unhurried import NEVER_S

NOWHERE = DatabaseAddress("postgresql+asyncpg://nobody:nothing@127.0.0.1:1/nowhere")
SCAN = (NOON.replace(second=31), 1001, 1, Opening(MILK, "first_check", "en"), "ios")
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Safari/605"


async def test_without_a_database_a_check_is_not_counted_and_that_is_known() -> None:
    counter = CheckCounter(Live(NOWHERE), lambda: NOON, within_s=NEVER_S)

    assert await counter.count(1001, b"visitor") is None
    assert counter.missed == 1


async def test_more_scans_than_may_wait_are_not_counted_and_that_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "WAITING_MAX", 0)
    counter = CheckCounter(Live(NOWHERE), lambda: NOON, within_s=NEVER_S)

    assert await counter.count(1001, b"visitor") is None
    assert counter.missed == 1


async def test_the_same_visitor_counts_once_in_ten_minutes_and_again_later(database: DatabaseAddress) -> None:
    live = Live(database, patience=100)
    now = [NOON]
    counter = CheckCounter(live, lambda: now[0], within_s=NEVER_S)

    async def count_after(minutes: int, visitor: bytes) -> int:
        now[0] += timedelta(minutes=minutes)
        checks = await counter.count(1001, visitor)
        assert checks is not None
        assert checks.first_at == NOON
        return checks.count

    assert [await count_after(m, v) for m, v in ((0, b"Mira"), (9, b"Mira"), (1, b"Ada"), (10, b"Ada"))] == [1, 1, 2, 3]
    await live.close()


async def test_one_who_opens_a_page_twice_at_once_is_one_check_and_another_a_second(database: DatabaseAddress) -> None:
    live = Live(database, patience=100)
    await live.warm()
    counter = CheckCounter(live, lambda: NOON, within_s=NEVER_S)

    told = await asyncio.gather(*(counter.count(1001, visitor) for visitor in (b"Mira", b"Mira", b"Ada")))
    assert [checks.count for checks in told if checks is not None] == [1, 1, 2]
    await live.close()


async def test_a_page_waits_no_longer_for_its_count_than_is_set_and_the_check_is_counted_all_the_same(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    await arrange(conn)
    engine = database.engine(Role.OWNER, pool_size=1)
    async with portal_of(database, tmp_path, portal_count_within_ms=10) as portal, engine.connect() as other:
        await other.execute(text("LOCK TABLE code_check IN ACCESS EXCLUSIVE MODE"))
        page = (await portal.get(item(2001), headers=BROWSER)).text
        assert "No recall is known" in page
        assert "first time" not in page
        await other.rollback()

        async def is_counted() -> bool:
            return (await conn.execute(text("SELECT n FROM code_check WHERE number = 2001"))).scalar() == 1

        await until(is_counted)
    await engine.dispose()


async def test_what_stands_beside_is_waited_for_as_many_times_longer_as_is_set(database: DatabaseAddress) -> None:
    sql, hurried, patient = "SELECT pg_sleep(0.05)", Live(database), Live(database, patience=10_000)

    assert await hurried.fetch(sql, within_s=0.01) is None
    assert await patient.fetch(sql, within_s=0.01) is not None
    await hurried.close()
    await patient.close()


async def test_reading_the_count_does_not_change_it(database: DatabaseAddress) -> None:
    live = Live(database, patience=100)
    counter = CheckCounter(live, lambda: NOON, within_s=NEVER_S)

    assert await counter.read(1001) is None
    await counter.count(1001, b"Mira")
    for _ in range(2):
        checks = await counter.read(1001)
        assert checks is not None
        assert checks.count == 1
    await live.close()


async def test_scans_are_kept_while_the_database_is_away_and_written_when_it_is_back(
    database: DatabaseAddress, conn: AsyncConnection
) -> None:
    away, back = ScanLog(Live(NOWHERE)), Live(database, patience=100)
    away.add(SCAN)
    assert not await away.flush()
    assert (len(away), away.dropped) == (1, 0)

    log = ScanLog(back)
    log.add(SCAN)
    assert await log.flush()
    assert len(log) == 0
    await back.close()
    row = (await conn.execute(text("SELECT at, gtin, number FROM scan_log"))).one()
    assert tuple(row) == (NOON, MILK, 1001)


@pytest.mark.parametrize("table", ["scan_log", "code_sighting"])
async def test_what_is_being_written_when_the_portal_stops_is_written_once(
    database: DatabaseAddress, conn: AsyncConnection, table: str
) -> None:
    live = Live(database, patience=100)
    await live.warm()
    log, sightings = ScanLog(live), Sightings(live, lambda: NOON)
    running = asyncio.create_task(log.run() if table == "scan_log" else sightings.run())
    engine = database.engine(Role.OWNER, pool_size=1)
    async with engine.connect() as other:
        await other.execute(text(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
        log.add(SCAN)
        sightings.add(Sighting(1001, MILK, "CN", b"Mira", CodeState.ACTIVE))

        async def is_waiting() -> bool:
            sql = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = CAST(:table AS regclass)"
            return bool((await conn.execute(text(sql), {"table": table})).scalar_one())

        await until(is_waiting)
        running.cancel()
        await asyncio.wait([running])
        closing = asyncio.create_task(log.close() if table == "scan_log" else sightings.close())
        await asyncio.sleep(0)
        await other.rollback()
        await closing
    await engine.dispose()
    await live.close()

    assert (await conn.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one() == 1


async def test_scans_beyond_the_limit_are_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan_log, "KEPT_MAX", 3)
    log = ScanLog(Live(NOWHERE))

    for _ in range(5):
        log.add(SCAN)
    assert (len(log), log.dropped) == (3, 2)


def test_a_visitor_is_known_again_today_and_not_tomorrow() -> None:
    def known_as(address: str, agent: str = IPHONE, days: int = 0) -> bytes:
        return visitor_hash(b"secret", address, agent, NOON + timedelta(days=days))

    assert known_as("192.0.2.17") == known_as("192.0.2.99")  # one /24
    assert known_as("192.0.2.17") != known_as("192.0.3.17")
    assert known_as("2001:db8:1::5") == known_as("2001:db8:1:ffff::1")  # one /48
    assert known_as("192.0.2.17") != known_as("192.0.2.17", days=1)
    assert known_as("192.0.2.17") != known_as("192.0.2.17", "another browser")
    assert known_as("testclient") == known_as("not an address")


@pytest.mark.parametrize(
    ("agent", "kind"),
    [
        (IPHONE, "ios"),
        ("Mozilla/5.0 (Linux; Android 15) Chrome/140", "android"),
        ("Mozilla/5.0 (iPhone) MicroMessenger/8.0", "wechat"),
        ("Mozilla/5.0 (Linux; Android 15) AlipayClient/10", "alipay"),
        ("Mozilla/5.0 (Windows NT 10.0) Firefox/150", "desktop"),
        ("WhatsApp/2.23", "bot"),
        ("Mozilla/5.0 (compatible; Googlebot/2.1)", "bot"),
        ("curl/8.5", "machine"),
        ("", "machine"),
        ("Lynx", "other"),
    ],
)
def test_a_client_is_one_of_a_few_kinds(agent: str, kind: str) -> None:
    assert kind_of(agent) == kind


def test_opening_a_page_is_a_check_and_looking_ahead_is_not() -> None:
    assert is_a_check("GET", IPHONE, "")
    assert not is_a_check("HEAD", IPHONE, "")
    assert not is_a_check("GET", IPHONE, "prefetch;prerender")
    assert not is_a_check("GET", "Slackbot-LinkExpanding 1.0", "")
    assert not is_a_check("POST", IPHONE, "")
