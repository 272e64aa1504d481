"""The screens of recalls in a real browser: nothing that axe finds, nothing too wide, and a trial that is live."""

from __future__ import annotations

import re

import httpx2
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import BrowserContext, Route
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.browser import NARROW, browsing
from tests.console.conftest import OURS, Visitor, form_token
from tests.recall import creamery
from tests.recall.desk import opened, published
from tests.world import BASE_URL

_VIOLATIONS = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations.map(
    each => each.id + " " + each.nodes[0].html.slice(0, 120))"""
_TABS_MAX = 90


async def answered_by(context: BrowserContext, client: httpx2.AsyncClient) -> None:
    """Let the console answer the browser, with the session of ``client``."""

    async def answer(route: Route) -> None:
        asked = route.request
        kind = asked.headers.get("content-type")
        headers = {**OURS, **({"Content-Type": kind} if kind else {})}
        found = await client.request(asked.method, asked.url, headers=headers, content=asked.post_data_buffer)
        told = {name: value for name, value in found.headers.items() if name != "content-length"}
        await route.fulfill(status=found.status_code, headers=told, body=found.content)

    await context.route("**/*", answer)


async def styled(client: httpx2.AsyncClient, path: str) -> str:
    """A screen with its styles in it and without scripts: axe is loaded once and looks at one after the other."""
    html = (await client.get(path)).text
    for sheet in re.findall(r'<link rel="stylesheet" href="([^"]+)">', html):
        style = (await client.get(sheet)).text
        html = html.replace(f'<link rel="stylesheet" href="{sheet}">', f"<style>{style}</style>")
    return re.sub(r"<script.*?</script>", "", html)


async def test_every_screen_of_a_recall_is_for_everybody_and_the_form_shows_its_reach_while_it_is_typed(
    conn: AsyncConnection, visitor: Visitor
) -> None:
    dairy = await creamery.arrange(conn)
    number = await published(conn, dairy, lots=[(creamery.CHEESE, "C1")])
    draft = await opened(conn, dairy, lots=[(creamery.CHEESE, "C2")], profile="cn-food/2015")
    client = await visitor("ada", "admin")
    token = form_token(await client.get("/console/cases/new"))
    check = await client.post(
        f"/console/recalls/{number}/checks", data={"form_token": token, "level": "A"}, headers=OURS
    )
    screens = [
        f"/console/cases/{draft}", f"/console/cases/{number}?code=(01){creamery.CHEESE}(10)C2",
        f"/console/cases/{number}/change", f"/console/recalls/{number}/board", f"/console/recalls/{number}/checks",
        check.headers["location"], f"/console/recalls/{number}/account", f"/console/recalls/{draft}/rules",
        "/console/claims", "/console/cases/new",
    ]  # fmt: skip

    found = []
    async with browsing(viewport=NARROW) as context:
        page = await context.new_page()
        await page.set_content("<html></html>")
        await page.evaluate(Axe().axe_script)
        for language in ("zh", "en"):
            for screen in screens:
                await page.set_content(await styled(client, f"{screen}{'&' if '?' in screen else '?'}lang={language}"))
                found += [f"{screen} {language}: {name}" for name in await page.evaluate(_VIOLATIONS)]
                if await page.evaluate("document.documentElement.scrollWidth") > NARROW["width"]:
                    found.append(f"{screen} {language}: too wide")

        await answered_by(context, client)
        await page.goto(f"{BASE_URL}/console/cases/new?lang=en")
        await page.get_by_label("Lots, one a line").fill(f"{creamery.CHEESE}:C1")
        await page.locator("#trial").get_by_text("12 items, 1 lots").wait_for()
        tabs = 0
        while tabs < _TABS_MAX and await page.evaluate("document.activeElement.value") != "submit":
            await page.keyboard.press("Tab")
            tabs += 1

    assert found == []
    assert tabs < _TABS_MAX
