"""The camera is offered only where the browser really reads a symbol; everybody else is shown the way by photo."""

from __future__ import annotations

import re

import numpy as np
import zxingcpp
from playwright.async_api import expect

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
HERE = "http://localhost/check"
"""A secure place for a browser, answered by the test."""


def detector(listed: str, found: str) -> str:
    """A browser's own reader, as browsers of different makers behave."""
    return (
        f"window.BarcodeDetector = class {{ static async getSupportedFormats() {{ return {listed}; }}"
        f" async detect(image) {{ {found} }} }};"
    )


async def test_the_camera_is_offered_where_a_symbol_is_really_read() -> None:
    read = "return image.width ? [{rawValue: 'TRACEMARK'}] : [];"
    browsers = {
        "none": ("", False),
        "lists nothing": (detector("[]", read), False),
        "lists and finds nothing": (detector("['qr_code']", "return [];"), False),
        "lists and breaks": (detector("['qr_code']", "throw new Error('not here');"), False),
        "reads other symbols only": (detector("['ean_13']", read), False),
        "reads": (detector("['qr_code', 'ean_13']", read), True),
    }
    offered = {}
    async with browsing() as context:
        for name, (own, _) in browsers.items():
            page = await context.new_page()
            await page.add_init_script(own or "delete window.BarcodeDetector")
            await page.route(HERE, lambda route: route.fulfill(body=FORM, content_type="text/html"))
            await page.route("**/check.js", lambda route: route.fulfill(body=SCRIPT, content_type="text/javascript"))
            await page.goto(HERE, wait_until="load")
            await page.evaluate("new Promise(resolve => setTimeout(resolve))")  # after all that the script awaits
            offered[name] = await page.locator("#camera").is_visible()
            if offered[name]:  # and where none is there, or it is not allowed, that is said
                await page.locator("#camera").click()
                await expect(page.locator("#told")).to_contain_text("The camera cannot be used.")
                await expect(page.locator("#view")).to_be_hidden()
            assert "For browsers that cannot read codes with the camera" in await page.inner_text("main")
            await page.close()

    assert offered == {name: expected for name, (_, expected) in browsers.items()}


def test_the_symbol_that_a_browser_is_tried_with_can_be_read() -> None:
    rows = re.search(r'const probe = "([0-9a-f ]+)"', SCRIPT)
    assert rows is not None
    modules = np.array([[int(row, 16) >> (20 - x) & 1 for x in range(21)] for row in rows[1].split()], dtype=np.uint8)

    picture = np.kron(np.pad(1 - modules, 4, constant_values=1) * 255, np.ones((8, 8), dtype=np.uint8))

    assert [found.text for found in zxingcpp.read_barcodes(picture)] == ["TRACEMARK"]
