"""A shopper asks for a remedy, reports a problem and wants to be told of recalls: on a narrow screen."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Page, expect
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cli.serve import Face
from portal import reports as portal_reports
from runtime.database import DatabaseAddress
from runtime.secrets import link_code
from shoppers.letters import CONFIRM, END
from tests.journeys.test_lists_in_the_browser import TONGUES, Say, gate, looked_at
from tests.portal.arrangement import MILK, SECRET, arrange, publish
from tests.serving import free_port, served

NUMBER = "R-2026-0001"
PATIENCE_MS = 60_000


async def test_a_shopper_claims_reports_and_asks_to_be_told_in_both_languages(
    conn: AsyncConnection, database: DatabaseAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await arrange(conn)
    await publish(conn, lots=[1])
    mail = {"smtp_host": "127.0.0.1", "mail_from": "recalls@creamery.example"}
    with served(database, port=free_port(), face=Face.PORTAL, secret=SECRET, data_dir=tmp_path / "var", **mail) as base:
        async with gate(base, "en") as page:
            for alert_id, language in enumerate(("en", "zh"), start=1):
                say = TONGUES[language].gettext
                await claims(page, base, language, say)
                await reports(page, base, language, say, monkeypatch)
                await asks_to_be_told(page, base, language, say, alert_id)

    kept = await conn.execute(text("SELECT code, pieces, contact, language FROM remedy_claim ORDER BY claim_id"))
    assert [tuple(row) for row in kept] == [("M1", 2, "mira@example.org", language) for language in ("en", "zh")]
    kept = await conn.execute(text("SELECT lot, words, language FROM problem_report ORDER BY report_id"))
    assert [tuple(row) for row in kept] == [("M1", "It tastes of metal.", language) for language in ("en", "zh")]
    assert set((await conn.execute(text("SELECT email FROM recall_alert"))).scalars()) == {None}


async def claims(page: Page, base: str, language: str, say: Say) -> None:
    """From the page of the recall; a contact of blanks is not one, and what was typed stays."""
    await page.goto(f"{base}/recalls/{NUMBER}?lang={language}")
    await page.locator(f"a[href*='/recalls/{NUMBER}/claim']").click()
    await looked_at(page)
    await page.get_by_label(say("Code or lot on the pack (if you have it)")).fill("Ｍ１")
    await page.get_by_label(say("How many pieces do you have?")).fill("2")
    await page.get_by_label(say("E-mail or telephone")).fill("  ")
    await page.locator("#agrees").check()
    await page.get_by_role("button", name=say("Send the claim")).click()
    await expect(page.get_by_role("alert")).to_be_visible(timeout=PATIENCE_MS)
    assert await page.locator("#code").input_value() == "M1"
    await looked_at(page)

    await page.get_by_label(say("E-mail or telephone")).fill("mira@example.org")
    await page.locator("#agrees").check()
    await page.get_by_role("button", name=say("Send the claim")).click()
    await expect(page.get_by_role("heading", level=2)).to_have_text(
        say("We have received your claim."), timeout=PATIENCE_MS
    )
    await looked_at(page)


async def reports(page: Page, base: str, language: str, say: Say, patch: pytest.MonkeyPatch) -> None:
    """A form sent sooner than a person can fill it comes back with all that was written."""
    patch.setattr(portal_reports, "FORM_OPEN_S_MIN", 600)  # however slow this machine is
    await page.goto(f"{base}/report?gtin={MILK}&lot=M1&lang={language}")
    await looked_at(page)
    await page.get_by_label(say("What is wrong?")).fill("It tastes of metal.")
    await page.get_by_role("button", name=say("Send the report")).click()
    await expect(page.get_by_role("alert")).to_be_visible(timeout=PATIENCE_MS)
    await looked_at(page)
    assert await page.locator("#words").input_value() == "It tastes of metal."

    patch.setattr(portal_reports, "FORM_OPEN_S_MIN", 0)
    await page.get_by_role("button", name=say("Send the report")).click()
    await expect(page.get_by_text(say("Thank you. We have received your report."))).to_be_visible(timeout=PATIENCE_MS)


async def asks_to_be_told(page: Page, base: str, language: str, say: Say, alert_id: int) -> None:
    """The wish, and the two links of its letters: each does something only when its button is pressed."""
    await page.goto(f"{base}/alerts?gtin={MILK}&lot=M1&lang={language}")
    await looked_at(page)
    await page.get_by_label(say("Your e-mail address")).fill("mira@example.org")
    await page.get_by_role("button", name=say("Tell me of recalls")).click()
    await expect(page.get_by_text(say("Look into your mailbox."))).to_be_visible(timeout=PATIENCE_MS)

    for step, purpose, button, told in (
        ("confirm", CONFIRM, "Yes, tell me of recalls", "Confirmed. We write to you when this product is recalled."),
        ("end", END, "No more letters", "You will get no more letters."),
    ):
        await page.goto(f"{base}/alerts/{alert_id}/{step}/{link_code(SECRET, purpose, alert_id)}?lang={language}")
        await looked_at(page)
        await page.get_by_role("button", name=say(button)).click()
        await expect(page.get_by_text(say(told))).to_be_visible(timeout=PATIENCE_MS)
    await looked_at(page)
