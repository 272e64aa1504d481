"""A partner at the gate: a list pasted, typed by a hand scanner and sent as a file, a pallet, and the receipt."""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect
from sqlalchemy.ext.asyncio import AsyncConnection

from cli.serve import Face
from labels.symbol import matrix
from portal.language import load_tongues
from runtime.database import DatabaseAddress
from tests.browser import NARROW, browsing
from tests.portal.arrangement import MILK, PALLET, SECRET, STRANGER, arrange, item, publish
from tests.portal.test_unit_pages import CASES, fill
from tests.serving import free_port, served

RECALLED, CLEAR = item(1001), item(2001)
SERIAL = RECALLED.rsplit("/", maxsplit=1)[1]
TONGUES = load_tongues()
Say = Callable[[str], str]
"""A text of the page in its language."""


@asynccontextmanager
async def gate(base: str, language: str, *flags: str) -> AsyncIterator[Page]:
    """A narrow screen with scripts, on the page for lists; what axe finds on a page is a failure."""
    # axe is put into the page by the test, which the page's own policy would not allow anybody.
    async with browsing(*flags, viewport=NARROW, locale=language, bypass_csp=True, accept_downloads=True) as context:
        page = await context.new_page()
        await page.goto(f"{base}/check?lang={language}")
        yield page


async def looked_at(page: Page) -> None:
    """Nothing that axe finds, and nothing wider than the screen."""
    await page.evaluate(Axe().axe_script)
    found = await page.evaluate("async () => (await axe.run(document)).violations.map(each => each.id)")
    assert (found, page.url) == ([], page.url)
    assert await page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"], page.url


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_a_partner_checks_a_list_a_scanner_a_file_and_a_pallet(
    conn: AsyncConnection, database: DatabaseAddress, tmp_path: Path, language: str
) -> None:
    await arrange(conn)
    await fill(conn)
    await publish(conn, case_id=1, runs=[(1, 1000, 30)])
    say = TONGUES[language].gettext
    with served(database, port=free_port(), face=Face.PORTAL, secret=SECRET, data_dir=tmp_path / "var") as base:
        async with gate(base, language, *seeing(tmp_path / "label.y4m", f"{base}{RECALLED}")) as page:
            await pasted(page, base, say)
            await filmed(page, base, language, say)
            await scanned(page, base, language, say)
            await sent_as_a_file(page, base, language, say, tmp_path)
            await stopped(page, base, language, say, tmp_path / "stock.csv")
            await page.goto(f"{base}/check/units/{PALLET}?lang={language}")
            await expect(page.locator("td .tag")).to_have_text(["30"])
            await expect(page.get_by_role("link", name=CASES[0])).to_be_visible()
            await looked_at(page)


async def pasted(page: Page, base: str, say: Say) -> None:
    """A list of all kinds, its pallet looked into, and its receipt."""
    await looked_at(page)
    await page.locator("#codes").fill(f"{base}{RECALLED}\n{base}{CLEAR}\n{PALLET}\n{STRANGER}\nhello\n{MILK}:M1")
    await page.get_by_role("button", name=say("Check"), exact=True).click()
    await expect(page.locator("td .tag")).to_have_count(6)
    told = await page.locator("td .tag").all_inner_texts()
    assert (told[0], told[2], len(told), len(set(told))) == (told[0], told[0], 6, 5)
    assert told[0] == say("RECALLED")
    await expect(page.get_by_role("link", name=say("What is inside"))).to_have_count(1)
    await looked_at(page)

    await page.get_by_role("link", name=say("Receipt of this check")).click()
    await expect(page.locator("main")).to_contain_text(say("This receipt was made here and has not been altered."))
    await looked_at(page)


async def scanned(page: Page, base: str, language: str, say: Say) -> None:
    """A hand scanner types an element string, FNC1 as Ctrl+], and ends the line: the answer comes at once."""
    await page.goto(f"{base}/check?lang={language}")
    await page.locator("#codes").focus()
    await page.keyboard.type(f"01{MILK}10M1")
    await page.keyboard.press("Control+]")
    await page.keyboard.type(f"21{SERIAL}")
    await page.keyboard.press("Enter")
    await expect(page.locator("#told")).to_contain_text("R-2026-0001")
    await expect(page.locator("#told")).to_have_class("card stop")
    await looked_at(page)
    await page.get_by_role("button", name=say("Check"), exact=True).click()
    await expect(page.locator("td .tag")).to_have_text([say("RECALLED")])


def seeing(path: Path, link: str) -> tuple[str, ...]:
    """The flags of a browser whose camera sees a label; two pictures of it, for it does not lie still."""
    symbol = np.kron(np.where(np.pad(matrix(link), 4), 40, 215).astype(np.uint8), np.ones((7, 7), dtype=np.uint8))
    with path.open("wb") as film:
        film.write(b"YUV4MPEG2 W640 H480 F10:1 Ip A1:1 C420\n")
        for left in (100, 130):
            picture = np.full((480, 640), 120, dtype=np.uint8)
            picture[60 : 60 + len(symbol), left : left + len(symbol)] = symbol
            film.write(b"FRAME\n" + picture.tobytes() + bytes([128]) * (320 * 240 * 2))
    return "--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={path}"


async def filmed(page: Page, base: str, language: str, say: Say) -> None:
    """A browser that reads no codes itself gets our reader when its camera is opened, under the page's own policy."""
    browser = page.context.browser
    assert browser is not None
    context = await browser.new_context(viewport=NARROW, locale=language, permissions=["camera"])
    gained = await context.new_page()
    await gained.add_init_script("delete window.BarcodeDetector")
    asked: list[str] = []
    gained.on("request", lambda request: asked.append(request.url))
    await gained.goto(f"{base}/check?lang={language}")
    button = gained.get_by_role("button", name=say("Scan with the camera"))
    await expect(button).to_be_visible()
    assert f"{base}/check/reader.js" not in asked

    await button.click()
    await expect(gained.locator("#codes")).to_have_value(f"{base}{RECALLED}\n")
    await expect(gained.locator("#told")).to_contain_text("R-2026-0001")
    await expect(gained.locator("#told")).to_contain_text(say("RECALLED"))
    assert f"{base}/check/reader.js" in asked
    assert await gained.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    await gained.get_by_role("button", name=say("Check"), exact=True).click()
    await expect(gained.locator("td .tag")).to_have_text([say("RECALLED")])
    await context.close()


async def sent_as_a_file(page: Page, base: str, language: str, say: Say, folder: Path) -> None:
    """The file is read, its column confirmed, checked while the page waits, and comes back with columns added."""
    path = folder / "stock.csv"
    path.write_text(f"shelf;code\nA1;{base}{RECALLED}\nA2;{base}{CLEAR}\nA3;{PALLET}\n", encoding="utf-8")
    await page.goto(f"{base}/check?lang={language}")
    await page.locator("#file").set_input_files(path)
    await page.get_by_role("button", name=say("Send the file"), exact=True).click()
    await page.get_by_role("button", name=say("Check this file"), exact=True).wait_for()
    await expect(page.locator("#code")).to_have_value("2")
    await looked_at(page)

    await page.get_by_role("button", name=say("Check this file"), exact=True).click()
    await expect(page.locator("main")).to_contain_text(say("The file is checked."))
    await looked_at(page)
    async with page.expect_download() as download:
        await page.get_by_role("link", name=say("Get the file with its statuses")).click()
    back = folder / "back.csv"
    await (await download.value).save_as(back)
    with back.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    assert [row["shelf"] for row in rows] == ["A1", "A2", "A3"]
    assert [row["tracemark_status"] for row in rows] == ["RECALLED", "NOT_RECALLED", "RECALLED"]


async def stopped(page: Page, base: str, language: str, say: Say, path: Path) -> None:
    """A file is stopped where it is looked at: it is gone, and cannot be started or stopped any more."""
    await page.goto(f"{base}/check?lang={language}")
    await page.locator("#file").set_input_files(path)
    await page.get_by_role("button", name=say("Send the file"), exact=True).click()
    await page.get_by_role("button", name=say("Check this file"), exact=True).wait_for()
    await page.get_by_role("button", name=say("Stop, and delete the file"), exact=True).click()
    await expect(page.get_by_role("status")).to_have_text(say("The check was stopped and the file deleted."))
    await expect(page.get_by_role("button")).to_have_count(0)
    await looked_at(page)
    assert (await page.request.get(page.url.partition("?")[0] + "/result")).status == 404
