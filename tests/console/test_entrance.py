"""Who gets in, and how they leave."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import httpx2
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from access.accounts import add_account, disable
from access.model import operator
from access.sign_in import FAILURES_MAX
from console.desk import HOME, safe_next
from console.entrance import ENTERING_MAX
from runtime.clock import system_clock
from tests.console.conftest import OURS, PASSWORD, Visitor, form_token, words

Browser = Callable[[], httpx2.AsyncClient]
PAGES = (
    "/console",
    "/console/",
    "/console/cases/R-2026-0001",
    "/console/label-jobs/1",
    "/console/cases/R-2026-0001/notices/csv",
)


async def test_nobody_sees_a_page_without_signing_in(browser: Browser) -> None:
    for path in PAGES:
        answer = await browser().get(path)

        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/console/sign-in")


async def test_after_signing_in_one_is_where_one_wanted_to_go(browser: Browser, conn: AsyncConnection) -> None:
    await add_account(conn, name="lin", role="viewer", password=PASSWORD, by=operator("x"), clock=system_clock)
    client = browser()
    sent = await client.get("/console/label-jobs/7?lang=zh")
    page = await client.get(sent.headers["location"])
    wanted = {"name": "lin", "password": PASSWORD, "next": "/console/label-jobs/7?lang=zh"}

    entered = await client.post("/console/sign-in", data=wanted, headers=OURS)

    assert 'value="/console/label-jobs/7?lang=zh"' in page.text
    assert entered.headers["location"] == "/console/label-jobs/7?lang=zh"


async def test_the_session_is_a_cookie_that_scripts_and_other_sites_cannot_use(
    browser: Browser, conn: AsyncConnection
) -> None:
    await add_account(conn, name="lin", role="viewer", password=PASSWORD, by=operator("x"), clock=system_clock)

    entered = await browser().post("/console/sign-in", data={"name": "lin", "password": PASSWORD}, headers=OURS)

    cookie = entered.headers["set-cookie"]
    for part in ("HttpOnly", "SameSite=lax", "Secure", "Path=/console", "Max-Age=43200"):
        assert part in cookie
    assert "Domain" not in cookie


async def test_a_wrong_password_gets_the_page_again_with_the_reason(browser: Browser, conn: AsyncConnection) -> None:
    await add_account(conn, name="lin", role="viewer", password=PASSWORD, by=operator("x"), clock=system_clock)

    wrong = await browser().post("/console/sign-in", data={"name": "lin", "password": "nope"}, headers=OURS)
    unknown = await browser().post("/console/sign-in", data={"name": "<b>bo</b>", "password": "nope"}, headers=OURS)

    assert (wrong.status_code, unknown.status_code) == (401, 401)
    assert "do not match" in words(wrong)
    assert 'value="lin"' in wrong.text
    assert "<b>bo</b>" not in unknown.text
    assert "set-cookie" not in wrong.headers


async def test_whoever_guesses_is_locked_out(browser: Browser, conn: AsyncConnection) -> None:
    await add_account(conn, name="lin", role="viewer", password=PASSWORD, by=operator("x"), clock=system_clock)
    client = browser()
    for _ in range(FAILURES_MAX):
        await client.post("/console/sign-in", data={"name": "lin", "password": "nope"}, headers=OURS)

    answer = await client.post("/console/sign-in", data={"name": "lin", "password": PASSWORD}, headers=OURS)

    assert answer.status_code == 401


async def test_signing_out_ends_the_session_everywhere_the_cookie_was_copied(
    visitor: Visitor, browser: Browser
) -> None:
    client = await visitor("lin", "viewer")
    thief = browser()
    thief.cookies.update(client.cookies)
    token = form_token(await client.get("/console"))

    left = await client.post("/console/sign-out", data={"form_token": token}, headers=OURS)

    assert (left.status_code, left.headers["location"]) == (303, "/console/sign-in?out")
    assert "signed out" in words(await client.get("/console/sign-in?out"))
    assert (await thief.get("/console")).status_code == 303


async def test_a_disabled_account_is_out_at_the_next_page(visitor: Visitor, conn: AsyncConnection) -> None:
    client = await visitor("lin", "viewer")
    assert (await client.get("/console")).status_code == 200

    await disable(conn, "lin", by=operator("x"), clock=system_clock)

    assert (await client.get("/console")).status_code == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "same-site", "Origin": "https://other.example.com"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
async def test_a_form_on_another_site_does_nothing(visitor: Visitor, headers: dict[str, str]) -> None:
    client = await visitor("lin", "viewer")
    token = form_token(await client.get("/console"))

    answer = await client.post("/console/sign-out", data={"form_token": token}, headers=headers)

    assert answer.status_code == 403
    assert (await client.get("/console")).status_code == 200


@pytest.mark.parametrize("token", [None, "", "0" * 64])
async def test_a_form_without_the_sessions_token_does_nothing(visitor: Visitor, token: str | None) -> None:
    client = await visitor("lin", "viewer")

    answer = await client.post("/console/sign-out", data={} if token is None else {"form_token": token}, headers=OURS)

    assert answer.status_code == 403
    assert (await client.get("/console")).status_code == 200


async def test_a_form_of_somebody_else_does_not_fit(visitor: Visitor) -> None:
    lin, mei = await visitor("lin", "viewer"), await visitor("mei", "viewer")
    token = form_token(await mei.get("/console"))

    answer = await lin.post("/console/sign-out", data={"form_token": token}, headers=OURS)

    assert answer.status_code == 403


@pytest.mark.parametrize(
    "wish",
    [
        "https://evil.example/console",
        "//evil.example/console",
        "/consoles",
        "/\\evil.example",
        "/console/\r\nSet-Cookie: a=b",
        "javascript:alert(1)",
        "/console/sign-in?next=/console",
        "/console/" + "x" * 400,
        "",
    ],
)
def test_signing_in_never_leads_to_another_site(wish: str) -> None:
    assert safe_next(wish) == HOME


async def test_a_body_that_is_too_large_is_refused(browser: Browser) -> None:
    answer = await browser().post("/console/sign-in", data={"name": "x" * 70_000}, headers=OURS)

    assert answer.status_code == 413


async def test_every_page_forbids_scripts_and_frames_and_is_not_kept(visitor: Visitor) -> None:
    client = await visitor("lin", "viewer")
    for path in ("/console", "/console/sign-in", "/console/label-jobs/99", "/console/nothing"):
        answer = await client.get(path)

        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "script-src" not in policy
        assert "unsafe" not in policy
        assert "<script" not in answer.text
        assert " style=" not in answer.text
        assert answer.headers["cache-control"] == "no-store"


async def test_more_than_eight_at_the_door_are_asked_to_come_again(browser: Browser, conn: AsyncConnection) -> None:
    client = browser()
    guess = {"name": "lin", "password": "nope"}

    answers = await asyncio.gather(
        *(client.post("/console/sign-in", data=guess, headers=OURS) for _ in range(ENTERING_MAX + 4))
    )

    turned_away = [answer for answer in answers if answer.status_code == 429]
    assert {answer.status_code for answer in answers} == {401, 429}
    assert len(turned_away) == 4
    assert all(answer.headers["retry-after"] for answer in turned_away)
    assert (await client.post("/console/sign-in", data=guess, headers=OURS)).status_code == 401
