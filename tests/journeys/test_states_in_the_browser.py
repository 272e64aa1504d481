"""Each state of the page in a real browser: nothing that axe finds, nothing wider than the narrowest screen."""

from __future__ import annotations

import gzip
import re
from typing import Literal

import pytest
from axe_playwright_python.async_playwright import Axe

from portal.http_front import GZIP_LEVEL
from tests.browser import NARROW, browsing
from tests.portal.states import pages

PAGE_BYTES_MAX = 13_000
_SIDEWAYS = "[...document.querySelectorAll('.scroll')].some(each => each.scrollWidth > each.clientWidth)"
_VIOLATIONS = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations.map(each => each.id)"""


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("zh", "dark")])
async def test_axe_finds_nothing_and_every_state_fits_a_narrow_screen(
    language: str, scheme: Literal["light", "dark"]
) -> None:
    found: list[str] = []
    async with browsing(viewport=NARROW, color_scheme=scheme) as context:
        page = await context.new_page()
        await page.set_content("<html><body><img src='x.png'></body></html>")
        await page.evaluate(Axe().axe_script)
        assert "image-alt" in await page.evaluate(_VIOLATIONS)  # it does look
        for state, html in pages(language):
            await page.set_content(html, wait_until="domcontentloaded")
            violations = await page.evaluate(_VIOLATIONS)
            found += [f"{state}: {name}" for name in violations]
            if await page.evaluate("document.documentElement.scrollWidth") > NARROW["width"]:
                found.append(f"{state}: too wide")
            if await page.evaluate(_SIDEWAYS):
                found.append(f"{state}: a table is scrolled sideways")

    assert found == []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_state_is_small_and_says_no_more_than_can_be_known(language: str) -> None:
    for state, html in pages(language):
        assert len(gzip.compress(html.encode(), GZIP_LEVEL)) <= PAGE_BYTES_MAX, state
        text = re.sub(r"<style>.*?</style>|<[^>]+>", " ", html, flags=re.S).lower()
        assert "genuine" not in text, state
        assert "正品" not in text, state
        assert not re.search(r"\bsafe\b", text), state
