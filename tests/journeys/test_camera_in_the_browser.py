"""The camera is opened with the browser's own reader where that really reads a symbol, else with ours, fetched then."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import zxingcpp
from playwright.async_api import BrowserContext, Page, Route, expect

from portal.pages import FOLDER
from tests.browser import browsing
from tests.portal.states import PAGES, TONGUES

SCRIPT = (FOLDER / "check.js").read_text(encoding="utf-8")
SHOWN = {
    **dict.fromkeys(("rows", "codes", "summary", "as_of", "problem", "receipt"), ""),
    **dict.fromkeys(("rows_max", "file_rows_max", "file_megabytes_max", "kept_hours"), 1),
    "words": "{}",
}
FORM = PAGES.page("check.html", TONGUES["en"], **SHOWN).decode()
FAKE_CAMERA = ("--use-fake-device-for-media-stream",)
HERE = "http://localhost/check"
"""A secure place for a browser, answered by the test."""


def detector(listed: str, found: str) -> str:
    """A browser's own reader, as browsers of different makers behave."""
    return (
        f"window.BarcodeDetector = class {{ static async getSupportedFormats() {{ return {listed}; }}"
        f" async detect(image) {{ {found} }} }};"
    )


@asynccontextmanager
async def opened(context: BrowserContext, own: str, reader: str | None) -> AsyncIterator[tuple[Page, list[str]]]:
    """The page in a browser with ``own``, and whether it asked for our ``reader``; None where that cannot be had."""
    page = await context.new_page()
    asked: list[str] = []
    await page.add_init_script(own or "delete window.BarcodeDetector")
    await page.route(HERE, lambda route: route.fulfill(body=FORM, content_type="text/html"))
    await page.route("**/check.js", lambda route: route.fulfill(body=SCRIPT, content_type="text/javascript"))

    async def ours(route: Route) -> None:
        asked.append(route.request.url)
        await route.fulfill(status=404 if reader is None else 200, body=reader or "", content_type="text/javascript")

    await page.route("**/reader.js", ours)
    await page.goto(HERE, wait_until="load")
    yield page, asked
    await page.close()


async def test_our_reader_is_fetched_where_the_browsers_own_reads_nothing() -> None:
    read = "return image.width ? [{rawValue: 'TRACEMARK'}] : [];"
    browsers = {
        "none": ("", True),
        "lists nothing": (detector("[]", read), True),
        "lists and finds nothing": (detector("['qr_code']", "return [];"), True),
        "lists and breaks": (detector("['qr_code']", "throw new Error('not here');"), True),
        "reads other symbols only": (detector("['ean_13']", read), True),
        "reads": (detector("['qr_code', 'ean_13']", read), False),
    }
    fetched = {}
    async with browsing(*FAKE_CAMERA, permissions=["camera"]) as context:
        for name, (own, _) in browsers.items():
            async with opened(context, own, "postMessage([])") as (page, asked):
                await page.locator("#camera").click()
                await expect(page.locator("#view")).to_be_visible()
                await expect(page.locator("#camera")).to_be_hidden()
                fetched[name] = bool(asked)

    assert fetched == {name: expected for name, (_, expected) in browsers.items()}


async def test_a_camera_or_reader_that_is_not_there_is_said_and_a_photo_offered() -> None:
    async with browsing(*FAKE_CAMERA, permissions=["camera"]) as allowed:
        assert allowed.browser is not None
        not_allowed = await allowed.browser.new_context()
        for context, fetched in ((allowed, 1), (not_allowed, 0)):
            async with opened(context, "", None) as (page, asked):
                await page.locator("#camera").click()
                await expect(page.locator("#told")).to_contain_text("The camera cannot be used. Send a photo")
                await expect(page.locator("#view")).to_be_hidden()
                await expect(page.locator("#camera")).to_be_visible()
                assert len(asked) == fetched

        async with opened(allowed, "delete Navigator.prototype.mediaDevices", None) as (page, _):
            assert await page.evaluate("navigator.mediaDevices") is None
            await expect(page.locator("#camera")).to_be_hidden()
            await expect(page.locator("#photo")).to_be_visible()


async def test_only_what_two_pictures_in_a_row_say_becomes_a_row() -> None:
    misreading = (
        "if (image.width) return [{rawValue: 'TRACEMARK'}];"
        " window.n = (window.n || 0) + 1; if (window.n > 9) window.over = true;"
        " return [{rawValue: ['A', 'B', 'A', 'C', 'C', 'C', 'B', 'C', 'A'][window.n - 1] || 'A' + window.n}];"
    )
    async with (
        browsing(*FAKE_CAMERA, permissions=["camera"]) as context,
        opened(context, detector("['qr_code']", misreading), None) as (page, _),
    ):
        await page.locator("#camera").click()
        await page.wait_for_function("window.over")
        await expect(page.locator("#codes")).to_have_value("C\n")


def test_the_symbol_that_a_browser_is_tried_with_can_be_read() -> None:
    rows = re.search(r'const probe = "([0-9a-f ]+)"', SCRIPT)
    assert rows is not None
    modules = np.array([[int(row, 16) >> (20 - x) & 1 for x in range(21)] for row in rows[1].split()], dtype=np.uint8)

    picture = np.kron(np.pad(1 - modules, 4, constant_values=1) * 255, np.ones((8, 8), dtype=np.uint8))

    assert [found.text for found in zxingcpp.read_barcodes(picture)] == ["TRACEMARK"]
