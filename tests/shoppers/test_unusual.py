"""Each rule of unusual activity, what does not meet it, and clearing what was found."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from access.refusals import RightMissing
from runtime.clock import system_clock
from runtime.database import DatabaseAddress, Role
from runtime.settings import Settings
from shoppers import unusual, work
from shoppers.refusals import FindingNotFound, ReasonMissing, RuleNotUsable
from tests.portal.arrangement import MILK, arrange
from tests.runtime.mail_server import mail_server, settings_for
from tests.shoppers.people import ADA, ADMIN, VIEWER, do_what_waits, place_of

NOW = datetime.now(UTC)
ACTIVE, BLOCKED, NOT_ACTIVE = 1, 2, 0


async def see(
    database: DatabaseAddress,
    *regions: str,
    number: int = 1001,
    state: int = ACTIVE,
    at: datetime = NOW,
    visitors: int = 1,
) -> None:
    """Checks of an item, as the portal tells them: one per region and visitor."""
    portal = await database.connect(Role.PORTAL)
    rows = [(number, MILK, region, bytes([i // 256, i % 256]), state) for region in regions for i in range(visitors)]
    columns = [list(column) for column in zip(*rows, strict=True)]
    await portal.execute("SELECT public_note_sightings($1, $2, $3, $4, $5, $6)", *columns, at)
    await portal.close()


async def found(conn: AsyncConnection) -> set[str]:
    await conn.rollback()
    return {each.rule for each in await unusual.listed(conn)}


async def test_a_code_checked_in_many_places_is_found(database: DatabaseAddress, conn: AsyncConnection) -> None:
    await see(database, "CN-ZJ", "CN-SH")
    assert await found(conn) == set()

    await see(database, "FR")
    assert await found(conn) == {"many_places"}


async def test_a_household_that_checks_again_is_not_unusual(database: DatabaseAddress, conn: AsyncConnection) -> None:
    for days in range(6):
        await see(database, "CN-ZJ", "", at=NOW - timedelta(days=days), visitors=2)

    assert await found(conn) == set()


async def test_places_of_long_ago_do_not_count(database: DatabaseAddress, conn: AsyncConnection) -> None:
    await see(database, "CN-ZJ", "CN-SH", at=NOW - timedelta(days=8))
    await see(database, "FR")

    assert await found(conn) == set()


async def test_a_code_checked_by_many_visitors_is_found(database: DatabaseAddress, conn: AsyncConnection) -> None:
    await see(database, "", visitors=19)
    assert await found(conn) == set()

    await see(database, "", visitors=20)
    assert await found(conn) == {"many_visitors"}


async def test_a_check_outside_of_the_markets_is_found(database: DatabaseAddress, conn: AsyncConnection) -> None:
    await see(database, "FR", number=1002)
    await unusual.set_markets(conn, MILK, ["CN"], by=ADA, clock=system_clock)

    await see(database, "CN-ZJ")
    assert await found(conn) == set()
    await see(database, "FR")
    assert await found(conn) == {"off_market"}


async def test_a_code_that_should_not_be_on_sale_is_found(database: DatabaseAddress, conn: AsyncConnection) -> None:
    await see(database, "", state=BLOCKED)
    await see(database, "", number=1002, state=NOT_ACTIVE, visitors=3)

    assert await found(conn) == {"not_for_sale", "not_released"}


async def test_a_code_checked_often_after_its_sale_is_found(database: DatabaseAddress, conn: AsyncConnection) -> None:
    await arrange(conn)
    await see(database, "", at=NOW - timedelta(days=2), visitors=9)
    await conn.execute(
        text("UPDATE code_run SET disposition = 'retail_sold', since = :at"), {"at": NOW - timedelta(days=1)}
    )
    await conn.commit()

    await see(database, "", visitors=9)
    assert await found(conn) == set()
    await see(database, "", visitors=10)
    assert await found(conn) == {"after_sale"}


async def test_what_was_cleared_is_found_again_only_by_what_comes_after(
    database: DatabaseAddress, conn: AsyncConnection
) -> None:
    await see(database, "CN", "FR", "DE", at=NOW - timedelta(hours=2))
    (finding,) = await unusual.listed(conn)

    with pytest.raises(ReasonMissing):
        await unusual.clear(conn, finding.finding_id, reason=" ", by=ADA, clock=system_clock)
    with pytest.raises(RightMissing):
        await unusual.clear(conn, finding.finding_id, reason="A fair.", by=VIEWER, clock=system_clock)
    await unusual.clear(conn, finding.finding_id, reason="A trade fair.", by=ADA, clock=system_clock)

    later = datetime.now(UTC)
    await see(database, "IT", "ES", at=later)
    assert await found(conn) == set()
    await see(database, "PT", at=later)
    assert await found(conn) == {"many_places"}
    with pytest.raises(FindingNotFound):
        await unusual.clear(conn, finding.finding_id, reason="Again.", by=ADA, clock=system_clock)


async def test_a_rule_can_be_changed_and_switched_off(database: DatabaseAddress, conn: AsyncConnection) -> None:
    told = {"within_days": 7, "effect": "alert", "by": ADMIN, "clock": system_clock}
    await unusual.set_rule(conn, "many_places", threshold=2, enabled=False, **told)  # type: ignore[arg-type]
    await see(database, "CN", "FR")
    assert await found(conn) == set()

    await unusual.set_rule(conn, "many_places", threshold=2, enabled=True, **told)  # type: ignore[arg-type]
    await see(database, "CN")
    assert await found(conn) == {"many_places"}
    for threshold, rule in ((0, "many_places"), (2, "full_moon")):
        with pytest.raises(RuleNotUsable):
            await unusual.set_rule(conn, rule, threshold=threshold, enabled=True, **told)  # type: ignore[arg-type]


async def test_the_brand_is_told_by_mail_once(database: DatabaseAddress, conn: AsyncConnection) -> None:
    async with mail_server() as server:
        settings = settings_for(server, unusual_mail_to="quality@creamery.example")
        await see(database, "CN", "FR", "DE")
        await do_what_waits(database, settings)
        await see(database, "IT")
        await do_what_waits(database, settings)

    assert server.addresses == ["quality@creamery.example"]
    assert "many_places: 3 within 7 days" in server.taken[0].get_content()


async def test_sightings_and_scans_are_forgotten_after_their_time(
    database: DatabaseAddress, conn: AsyncConnection
) -> None:
    await see(database, "CN", at=NOW - timedelta(days=400))
    await see(database, "FR")

    place = place_of(database, Settings())
    await work.forget(place)
    await place.engine.dispose()

    assert list((await conn.execute(text("SELECT region FROM code_sighting"))).scalars()) == ["FR"]
