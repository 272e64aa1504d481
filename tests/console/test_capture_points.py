"""Capture points in the console: made by a form, read at with a handheld scanner that types, with or without script."""

from __future__ import annotations

import re
from string import Formatter

import httpx2
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from console import capture_points_wording as wording
from ledger import capture_points
from ledger.capture_points_refusals import PROBLEMS
from runtime.clock import system_clock
from tests.console.conftest import OURS, Visitor, form_token, words
from tests.points import CASE, LOOSE, POINT, cheese_on_the_floor

PATH = "/console/points/line-1-packing"


@pytest.fixture
async def line(conn: AsyncConnection) -> None:
    await cheese_on_the_floor(conn)
    await capture_points.put(conn, capture_points.read_definition(POINT), by="root", clock=system_clock)


async def scan(client: httpx2.AsyncClient, things: str, temperature: str, parent: str = CASE) -> httpx2.Response:
    """Fill in the page's form and send it, as a browser without script does."""
    page = await client.get(PATH)
    reading_id = re.search(r'name="reading_id" value="([^"]+)"', page.text)
    assert reading_id is not None
    data = {
        "form_token": form_token(page), "reading_id": reading_id[1], "parent": parent, "things": things,
        "parameter:core_temperature": temperature,
    }  # fmt: skip
    return await client.post(f"{PATH}/readings", data=data, headers=OURS, follow_redirects=True)


@pytest.mark.usefixtures("line")
async def test_a_worker_packs_and_sees_that_it_was_taken_and_takes_it_back(visitor: Visitor) -> None:
    client = await visitor("wang", "line_worker")

    taken = await scan(client, "\r\n".join(LOOSE), "4")
    undo = {"form_token": form_token(taken), "reading_id": str(taken.url).partition("done=")[2]}
    undone = await client.post(f"{PATH}/undo", data=undo, headers=OURS, follow_redirects=True)

    assert "✔ Taken" in words(taken) and "Undo the last one" in words(taken)
    assert "↩ Undone" in words(undone)
    assert "Undo the last one" not in words(undone)
    assert "✔ Taken" in words(await scan(client, LOOSE[0], "4"))


@pytest.mark.usefixtures("line")
async def test_what_is_not_taken_is_said_in_the_language_of_the_floor_and_nothing_scanned_is_lost(
    visitor: Visitor,
) -> None:
    client = await visitor("wang", "line_worker")
    await client.get(f"{PATH}?lang=zh")

    refused = await scan(client, f"{LOOSE[0]}\n{LOOSE[0]}X", "4")
    alarm = await scan(client, LOOSE[0], "6,5")

    assert refused.status_code == 409
    assert f"✖ 未记录 {LOOSE[0]}X 没有记录，请放到一边并告知班长" in words(refused)
    assert f"{LOOSE[0]}X</textarea>" in refused.text
    assert "⚠ 已记录，有报警 中心温度：6.5 超出 2 – 6 °C" in words(alarm)


@pytest.mark.usefixtures("line")
async def test_a_point_is_not_for_everybody(visitor: Visitor, conn: AsyncConnection) -> None:
    named = {**POINT, "users": ["role:admin"]}
    await capture_points.put(conn, capture_points.read_definition(named), by="root", clock=system_clock)
    worker, viewer, root = [
        await visitor(*who) for who in (("wang", "line_worker"), ("vi", "viewer"), ("eve", "admin"))
    ]

    assert [(await client.get(PATH)).status_code for client in (worker, viewer, root)] == [403, 403, 200]
    assert (await worker.get("/console/points/new")).status_code == 403
    assert "Packing, line 1" in words(await viewer.get("/console/points"))


@pytest.mark.usefixtures("line")
async def test_a_point_is_made_and_changed_by_a_form(visitor: Visitor, conn: AsyncConnection) -> None:
    client = await visitor("ada", "recall_author")
    told = capture_points.read_definition({**POINT, "parent_first": False})
    await capture_points.put(conn, told, by="root", clock=system_clock)
    form = await client.get("/console/points/new?point=line-1-packing")
    names = dict(re.findall(r'<input name="([^"]+)" value="([^"]*)"', form.text))
    data = {
        **names, "form_token": form_token(form), "work": "pack", "kinds": "item", "parent_kinds": "case",
        "line": "Line 7", "outside_limits": "refuse", "active": "yes", "p0_type": "number",
    }  # fmt: skip

    wrong = await client.post("/console/points/new", data={**data, "place": "9506000139999"}, headers=OURS)
    saved = await client.post("/console/points/new", data=data, headers=OURS)

    assert (wrong.status_code, saved.status_code) == (400, 303)
    assert "9506000139999" in words(wrong)
    point = await capture_points.get(conn, "line-1-packing")
    assert (point.version, point.definition.line, point.definition.outside_limits) == (3, "Line 7", "refuse")
    assert not point.definition.parent_first
    assert point.definition.parameters[0].max == 6


@pytest.mark.usefixtures("line")
async def test_the_page_at_the_line_runs_our_own_script_and_no_other_page_runs_any(visitor: Visitor) -> None:
    client = await visitor("wang", "line_worker")

    page, others = await client.get(PATH), await client.get("/console/points")

    policy = page.headers["content-security-policy"]
    assert "script-src 'self';" in policy and "unsafe" not in policy
    assert page.text.count("<script") == page.text.count('<script src="/console/static/') == 1
    assert (await client.get("/console/static/capture_point.js")).status_code == 200
    assert "script-src" not in others.headers["content-security-policy"]


def test_every_text_and_every_reason_is_there_in_both_languages() -> None:
    assert wording.TEXTS["en"].keys() == wording.TEXTS["zh"].keys()
    assert PROBLEMS.keys() == wording.PROBLEMS_ZH.keys()
    for key, english in PROBLEMS.items():
        asked = {name for _, name, _, _ in Formatter().parse(english) if name}
        told = {name for _, name, _, _ in Formatter().parse(wording.PROBLEMS_ZH[key]) if name}
        assert {name.removesuffix("_zh") for name in told} == asked, key
