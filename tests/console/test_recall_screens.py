"""A published case in the console: changed by two people, checked, accounted for, claimed from, and closed."""

from __future__ import annotations

import re
from typing import Any

import httpx2
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from console import cases
from recall import effectiveness, store
from runtime.clock import system_clock
from runtime.database import transaction
from tests.console.conftest import OURS, Visitor, form_token, words
from tests.recall import creamery
from tests.recall.desk import opened, published

CHEESE = creamery.CHEESE


async def send(client: httpx2.AsyncClient, screen: str, path: str, **fields: str) -> httpx2.Response:
    """Send a form of a screen."""
    page = await client.get(f"/console/{screen}")
    data: dict[str, Any] = {"form_token": form_token(page), **fields}
    return await client.post(f"/console/{path}", data=data, headers=OURS)


def figures(page: httpx2.Response) -> dict[str, str]:
    """The numbers of the tiles by their names."""
    return dict(re.findall(r'<b data-figure="(\w+)">([^<]*)</b>', page.text))


async def test_what_frees_goods_is_proposed_and_waits_for_a_second_person(
    conn: AsyncConnection, visitor: Visitor
) -> None:
    dairy = await creamery.arrange(conn)
    number = await published(conn, dairy, lots=[(CHEESE, "C1"), (CHEESE, "C2")])
    ann, viewer = await visitor("ann", "recall_approver"), await visitor("vera", "viewer")
    at = f"cases/{number}/change"

    unsaid = await send(ann, at, f"{at}/narrow", lots=f"{CHEESE}:C2", reason=" ")
    proposed = await send(ann, at, f"{at}/narrow", lots=f"{CHEESE}:C2", reason="tested and clean")
    cancelled = await send(ann, at, f"{at}/cancel", reason="all clean", public_reason="Nothing was found.")
    page = await viewer.get(f"/console/cases/{number}?lang=zh")
    nothing = await viewer.get(f"/console/{at}")
    unknown = await send(ann, at, f"{at}/forget")
    unticked = await send(ann, at, f"{at}/widen", lots=f"{creamery.MILK}:M1")
    case = await store.find_case(conn, number)

    assert (unsaid.status_code, proposed.status_code, cancelled.status_code) == (400, 303, 303)
    assert f"{CHEESE} 的批号 C2" in words(page) and "tested and clean" in words(page) and "all clean" in words(page)
    assert "<form" not in nothing.text.split("<main")[1]
    assert (unknown.status_code, unticked.status_code) == (409, 400)
    assert (case.state.value, case.version) == ("published", 1)


async def test_a_case_is_widened_at_once_and_a_draft_cancelled_at_once(conn: AsyncConnection, visitor: Visitor) -> None:
    dairy = await creamery.arrange(conn)
    number = await published(conn, dairy, lots=[(CHEESE, "C1")])
    draft = await opened(conn, dairy, lots=[(CHEESE, "C2")])
    ann, author = await visitor("ann", "admin"), await visitor("lin", "recall_author")
    at, other = f"cases/{number}/change", f"cases/{draft}/change"

    refused = await send(author, "cases/new", f"{at}/widen", lots=f"{CHEESE}:C2", confirmed="yes")
    widened = await send(ann, at, f"{at}/widen", lots=f"{CHEESE}:C2", confirmed="yes", reason="found late")
    ended = await send(ann, other, f"{other}/cancel", reason="opened twice")
    closing = await send(ann, at, f"{at}/start_closing")
    again = await send(ann, at, f"{at}/reopen", reason="one shop more")

    assert refused.status_code == 403
    assert [each.status_code for each in (widened, ended, closing, again)] == [303] * 4
    found = await store.find_case(conn, number)
    assert (found.version, found.state.value) == (2, "published")
    assert (await store.find_case(conn, draft)).state.value == "cancelled"


async def test_the_page_of_a_published_case_shows_its_lines_with_their_bounds_page_by_page(
    conn: AsyncConnection, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = await published(conn, await creamery.arrange(conn), lots=[(CHEESE, "C1")])
    listed = await store.notice_lines(conn, number)
    monkeypatch.setattr(cases, "ROWS", 1)
    ann = await visitor("ann", "viewer")

    pages = [(await ann.get(f"/console/cases/{number}?page={n}")).text for n in range(1, len(listed.rows) + 2)]
    shown = [re.findall(r'data-label="Affected[^"]*">(\d+) – (\d+) – (\d+)<', page) for page in pages]

    bounds = ("affected_at_least", "affected_expected", "affected_at_most")
    assert len(listed.rows) > 1 and shown[-1] == []
    assert shown[:-1] == [[tuple(str(row[name]) for name in bounds)] for row in listed.rows]
    assert f"Lines 1 to 1 of {len(listed.rows)}." in pages[0] and "?page=2#lines" in pages[0]


async def test_a_case_is_published_anew_with_its_texts_when_that_is_confirmed(
    conn: AsyncConnection, visitor: Visitor
) -> None:
    number = await published(conn, await creamery.arrange(conn), lots=[(CHEESE, "C1")])
    before, at = await store.find_case(conn, number), f"cases/{number}/change"
    await conn.rollback()
    ann, author = await visitor("ann", "admin"), await visitor("lin", "recall_author")

    unconfirmed = await send(ann, at, f"{at}/update")
    refused = await send(author, "cases/new", f"{at}/update", confirmed="yes")
    done = await send(ann, at, f"{at}/update", confirmed="yes")

    assert [each.status_code for each in (unconfirmed, refused, done)] == [400, 403, 303]
    after = await store.find_case(conn, number)
    assert (after.version, after.texts) == (before.version + 1, before.texts)


async def test_a_sample_is_drawn_and_what_was_found_is_written_down(conn: AsyncConnection, visitor: Visitor) -> None:
    dairy = await creamery.arrange(conn)
    number = await published(conn, dairy, lots=[(CHEESE, "C1"), (CHEESE, "C2")])
    author, viewer = await visitor("lin", "recall_author"), await visitor("vera", "viewer")
    at = f"recalls/{number}/checks"

    wrong = await send(author, at, at, level="B", percent="many")
    too_few = await send(author, at, at, level="B", percent="5")
    drawn = await send(author, at, at, level="A", seed="monday")
    one = drawn.headers["location"].removeprefix("/console/")
    page = await author.get(f"/console/{one}")
    first, second, *_ = re.findall(r'name="outcome(\d+)"', page.text)
    taken = await send(author, one, one, **{f"outcome{first}": "followed", f"outcome{second}": "unreached"})
    stranger = await send(author, one, one, outcome999999="followed")
    (found,) = await effectiveness.figures(conn, (await store.find_case(conn, number)).case_id)

    assert (wrong.status_code, too_few.status_code, stranger.status_code) == (400, 400, 404)
    assert (taken.status_code, found["seed"]) == (303, "monday")
    assert (found["asked"], found["notified"], found["followed"], found["effective_percent"]) == (2, 1, 1, 50.0)
    assert "50.0" in words(await viewer.get(f"/console/{at}"))
    assert "<select" not in (await viewer.get(f"/console/{one}")).text


async def test_a_case_is_accounted_for_and_closed(conn: AsyncConnection, visitor: Visitor) -> None:
    dairy = await creamery.arrange(conn)
    number = await published(conn, dairy, lots=[(CHEESE, "C1")])
    admin = await visitor("ada", "admin")
    at = f"recalls/{number}/account"

    early = await send(admin, at, f"{at}/close", reason="done")
    page = await admin.get(f"/console/{at}")
    await send(admin, at, at)
    await send(
        admin, at, f"{at}/findings", disposition="destroyed", root_cause="a crack", corrective_action="a new pipe"
    )
    closed = await send(admin, at, f"{at}/close", reason="done")

    frozen = await store.frozen_set(conn, await store.find_case(conn, number))
    assert early.status_code == 409
    assert figures(page)["affected"] == str(frozen.totals["items"])
    assert closed.status_code == 303
    assert (await store.find_case(conn, number)).state.value == "closed"


async def test_a_shopper_who_asked_for_a_remedy_is_answered(conn: AsyncConnection, visitor: Visitor) -> None:
    dairy = await creamery.arrange(conn)
    number = await published(conn, dairy, lots=[(CHEESE, "C1")])
    sql = "SELECT public_take_claim('ref-1', :number, 'refund', 'C1', 2, 'mira@example.com', 'en', '\\xffd8', :at, 100)"
    async with transaction(conn):
        assert (await conn.execute(text(sql), {"number": number, "at": system_clock()})).scalar_one()
    author, viewer = await visitor("lin", "recall_author"), await visitor("vera", "viewer")

    page = await author.get("/console/claims")
    claim = re.findall(r'name="claim" value="(\d+)"', page.text)[0]
    photo = await author.get(f"/console/claims/{claim}/photo")
    unsaid = await send(author, "claims", "claims", claim=claim, state="refused")
    accepted = await send(author, "claims", "claims", claim=claim, state="accepted", answer="Money is on its way.")
    missing = await send(author, "claims?state=accepted", "claims", claim="999", state="done")

    assert "mira@example.com" in words(page) and "refund" in words(page)
    assert (unsaid.status_code, accepted.status_code, missing.status_code) == (400, 303, 404)
    assert "Money is on its way." in words(await author.get("/console/claims?state=accepted"))
    assert "Nobody has asked" in words(await author.get("/console/claims?state=received"))
    assert (photo.content, photo.headers["content-type"]) == (b"\xff\xd8", "image/jpeg")
    for path, status in (("999/photo", 404), ("x/photo", 404)):
        assert (await author.get(f"/console/claims/{path}")).status_code == status
    assert (await viewer.get("/console/claims")).status_code == 403
    assert (await viewer.get(f"/console/claims/{claim}/photo")).status_code == 403


async def test_what_is_late_stands_in_the_list_of_cases_and_on_the_board(
    conn: AsyncConnection, visitor: Visitor
) -> None:
    dairy = await creamery.arrange(conn)
    number = await published(
        conn, dairy, lots=[(CHEESE, "C1")], profile="cn-food/2015", texts={}, contact={"phone": "1"}
    )
    viewer = await visitor("vera", "viewer")

    home, board = words(await viewer.get("/console")), await viewer.get(f"/console/recalls/{number}/board?lang=zh")

    assert creamery.clock() < system_clock()
    assert "overdue" in home
    assert "启动召回（一级）" in words(board) and "已逾期" in words(board)
    assert '<noscript><meta http-equiv="refresh"' in board.text and "data-refresh-s" in board.text
    assert figures(board)["recipients"] == "4"
