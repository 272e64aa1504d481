"""Links are put on record by staff; one that leads to a new host is shown when a second person has allowed it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from access.model import Actor
from access.refusals import RightMissing
from runtime.clock import system_clock
from runtime.settings import Settings
from shoppers import links
from shoppers.model import Link, LinkDraft
from shoppers.refusals import HostByTheSamePerson, LinkExists, LinkNotFound, LinkNotUsable
from tests.portal.arrangement import MILK, STRANGER, arrange
from tests.shoppers.people import ADA, ADMIN, BOB, VIEWER

LEAFLET = LinkDraft(MILK, "epil", "https://docs.creamery.example/{gtin}/{lot}", "Leaflet", languages=("en", "zh-CN"))


async def add(
    conn: AsyncConnection, draft: LinkDraft = LEAFLET, *, by: Actor = ADA, settings: Settings | None = None
) -> Link:
    return await links.add(conn, draft, by=by, settings=settings or Settings(), clock=system_clock)


async def shown(conn: AsyncConnection) -> list[str]:
    return list((await conn.execute(text("SELECT target FROM public_link"))).scalars())


async def test_a_link_to_a_new_host_waits_for_a_second_person(conn: AsyncConnection) -> None:
    await arrange(conn)
    link = await add(conn)
    assert not link.is_allowed
    assert await shown(conn) == []

    with pytest.raises(HostByTheSamePerson):
        await links.allow_host(conn, "docs.creamery.example", by=ADA, clock=system_clock)
    await links.allow_host(conn, "docs.creamery.example", by=BOB, clock=system_clock)

    assert await shown(conn) == [LEAFLET.target]


async def test_a_host_of_the_settings_or_of_an_administrator_needs_nobody_else(conn: AsyncConnection) -> None:
    await arrange(conn)

    assert (await add(conn, settings=Settings(link_hosts="x.example, docs.creamery.example"))).is_allowed
    assert (await add(conn, replace(LEAFLET, target="https://brand.example/"), by=ADMIN)).is_allowed


async def test_a_host_that_is_forbidden_takes_its_links_from_the_public_at_once(conn: AsyncConnection) -> None:
    await arrange(conn)
    await add(conn, by=ADMIN)

    await links.forbid_host(conn, "docs.creamery.example", by=ADA, clock=system_clock)

    assert await shown(conn) == []


async def test_a_link_that_was_removed_is_shown_no_more_and_may_be_put_on_record_again(conn: AsyncConnection) -> None:
    await arrange(conn)
    link = await add(conn, by=ADMIN)

    await links.remove(conn, link.link_id, by=ADA, clock=system_clock)
    assert await shown(conn) == []
    with pytest.raises(LinkNotFound):
        await links.remove(conn, link.link_id, by=ADA, clock=system_clock)
    assert (await add(conn, by=ADMIN)).link_id != link.link_id


async def test_the_same_link_is_on_record_once(conn: AsyncConnection) -> None:
    await arrange(conn)
    await add(conn)

    with pytest.raises(LinkExists):
        await add(conn)
    await add(conn, replace(LEAFLET, lot="M1"))


@pytest.mark.parametrize(
    "target",
    [
        "http://docs.creamery.example/",
        "javascript:alert(1)",
        "//docs.creamery.example/",
        "https://ada:secret@docs.creamery.example/",
        "https://10.0.0.1/",
        "https://localhost/",
        "https://{lot}.example/",
        "https://docs.creamery.example/{password}",
        "https://docs.creamery.example\\@evil.example/",
        "https://docs.creamery.example/a b",
        "https://docs.creamery.example/\u4e00",
        "https://docs.creamery.example/" + "a" * 1_000,
        "https://[::1",
    ],
)
async def test_a_target_that_could_lead_elsewhere_is_refused(conn: AsyncConnection, target: str) -> None:
    await arrange(conn)

    with pytest.raises(LinkNotUsable):
        await add(conn, replace(LEAFLET, target=target), by=ADMIN)


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "recallStatus"},
        {"type": "linkset"},
        {"type": "gs1:pip"},
        {"title": " "},
        {"languages": ("english",)},
        {"media_type": "html"},
        {"lot": "x" * 21},
        {"gtin": STRANGER},
    ],
)
async def test_a_link_that_the_resolver_could_not_give_out_is_refused(
    conn: AsyncConnection, changes: dict[str, str]
) -> None:
    await arrange(conn)

    with pytest.raises(LinkNotUsable):
        await add(conn, replace(LEAFLET, **changes), by=ADMIN)  # type: ignore[arg-type]


async def test_who_may_only_look_puts_no_link_on_record(conn: AsyncConnection) -> None:
    await arrange(conn)

    with pytest.raises(RightMissing):
        await add(conn, by=VIEWER)
