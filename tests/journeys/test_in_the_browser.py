"""A shopper's phone: the pages in a real browser, without scripts, on a narrow screen, in Chinese and English."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Page, expect
from sqlalchemy.ext.asyncio import AsyncConnection

from cli.samples.dairy import Dairy, arrange
from ledger import codes
from runtime.clock import system_clock
from runtime.database import DatabaseAddress
from tests.browser import NARROW, browsing
from tests.journeys.test_print_scan_recall_scan import publish_recall_of_milk
from tests.serving import free_port, served
from tests.world import SECRET


@asynccontextmanager
async def phone(language: str) -> AsyncIterator[Page]:
    """A page of a phone set to ``language``; scripts are off, as in the strictest in-app browser."""
    async with browsing(locale=language, viewport=NARROW, java_script_enabled=False) as context:
        yield await context.new_page()


async def world(conn: AsyncConnection, port: int) -> tuple[Dairy, codes.KeyRing]:
    dairy = await arrange(
        conn, by="tests", clock=system_clock, master_secret=SECRET, base_url=f"http://127.0.0.1:{port}", items=24
    )
    return dairy, await codes.KeyRing.load(conn, SECRET)


@pytest.mark.parametrize(
    "language, stop, clear",
    [
        ("en-GB", "Product safety recall. Stop using this product now.", "no recall"),
        ("zh-CN", "产品安全召回", "召回"),
    ],
)
async def test_the_first_thing_a_shopper_reads_is_to_stop(
    conn: AsyncConnection, database: DatabaseAddress, language: str, stop: str, clear: str
) -> None:
    port = free_port()
    dairy, keys = await world(conn, port)
    number = await publish_recall_of_milk(conn, keys)
    with served(database, port=port) as base:
        async with phone(language) as page:
            requests: list[str] = []
            page.on("request", lambda request: requests.append(request.url))

            await page.goto(dairy.link(base, dairy.c1_serials[2]))
            first = await page.locator("h1").first.inner_text()
            wider_than_the_screen = await page.locator("html").evaluate("e => e.scrollWidth")
            assert stop in first
            assert number in await page.content()
            assert (await page.title()) != ""
            assert wider_than_the_screen <= NARROW["width"]
            assert len([url for url in requests if "favicon" not in url]) == 1
            assert await page.context.cookies() == []
            assert await page.locator("a[href^='tel:']").count() >= 1

            await page.goto(dairy.link(base, dairy.c2_serials[2]))
            assert stop not in await page.content()
            assert clear in (await page.inner_text("body")).lower()


async def test_staff_sign_in_and_see_products_jobs_and_cases(conn: AsyncConnection, database: DatabaseAddress) -> None:
    from access import accounts
    from access.model import operator

    port = free_port()
    _, keys = await world(conn, port)
    number = await publish_recall_of_milk(conn, keys)
    await accounts.add_account(
        conn,
        name="ada",
        display_name="Ada",
        role="recall_author",
        password="a long enough password",
        by=operator("tests"),
        clock=system_clock,
    )
    with served(database, port=port) as base:
        async with phone("en-GB") as page:
            await page.goto(f"{base}/console")
            await page.get_by_label("Name").fill("ada")
            await page.get_by_label("Password").fill("a long enough password")
            await page.get_by_role("button", name="Sign in").click()

            for shown in (number, "Meadow Farmhouse Cheese", "C1"):
                await expect(page.locator("body")).to_contain_text(shown)
