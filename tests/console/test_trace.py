"""The trace screen: a code in; the picture, the tables that say the same, and the files out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from console import trace
from console.trace_wording import WORDS
from ledger import gaps
from ledger.trace_files import FORMATS
from tests.console.conftest import Visitor, words
from tests.world import CHEESE, MILK, little_dairy

M1 = f"{MILK}:M1"


async def test_a_code_gives_the_picture_and_its_text_twin(visitor: Visitor, conn: AsyncConnection) -> None:
    await little_dairy(conn, items=24)
    browser = await visitor("ada", "viewer")

    page = await browser.get("/console/trace", params={"code": M1})
    chinese = await browser.get("/console/trace", params={"code": M1, "lang": "zh"})

    assert page.status_code == chinese.status_code == 200
    assert page.text.count("<svg ") == 1 and 'role="img"' in page.text
    said = words(page)
    assert "Corner Shop" in said and "C1" in said and "went into" in said and "24 – 24 – 24 / 24 items" not in said
    assert "Worked out in" in said and "用时" in words(chinese)
    assert f"/console/trace/files/epcis?code={MILK}%3AM1" in page.text


async def test_without_a_code_there_is_only_the_box(visitor: Visitor) -> None:
    browser = await visitor("ada", "viewer")

    page = await browser.get("/console/trace")

    assert page.status_code == 200 and "<svg" not in page.text and 'name="code"' in page.text


@pytest.mark.parametrize("code", [f"{CHEESE[:-1]}0", f"{CHEESE}:NOWHERE", "<script>alert(1)</script>"])
async def test_a_slip_of_the_pen_is_told_beside_the_box(visitor: Visitor, code: str) -> None:
    browser = await visitor("ada", "viewer")

    page = await browser.get("/console/trace", params={"code": code})

    assert page.status_code == 200 and 'role="alert"' in page.text
    assert "<script" not in page.text


async def test_the_trace_is_handed_out_as_a_file_of_each_kind(visitor: Visitor, conn: AsyncConnection) -> None:
    await little_dairy(conn, items=4)
    browser = await visitor("ada", "viewer")

    for form in FORMATS:
        file = await browser.get(f"/console/trace/files/{form}", params={"code": M1})

        assert file.status_code == 200 and file.headers["content-disposition"].startswith("attachment"), form
        assert len(file.content) > 500, form


async def test_a_format_that_is_not_made_is_not_found(visitor: Visitor) -> None:
    browser = await visitor("ada", "viewer")

    assert (await browser.get("/console/trace/files/docx", params={"code": M1})).status_code == 404


async def test_rows_that_do_not_fit_the_page_are_said_to_be_in_the_files(
    visitor: Visitor, conn: AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await little_dairy(conn, items=4)
    monkeypatch.setattr(trace, "ROWS_SHOWN_MAX", 1)
    browser = await visitor("ada", "viewer")

    assert "more are in the files" in words(await browser.get("/console/trace", params={"code": M1}))


def test_every_gap_that_the_ledger_tells_has_words_in_every_language() -> None:
    told = set(re.findall(r'"what": "([^"]+)"', Path(gaps.__file__).read_text(encoding="utf-8")))

    assert len(told) >= 9 and {f"gap_{what}" for what in told} <= WORDS["en"].keys()


def test_every_language_says_everything() -> None:
    english, chinese = WORDS["en"], WORDS["zh"]

    assert english.keys() == chinese.keys() and all(chinese.values())
    assert {key for key, said in english.items() if said == chinese[key]} <= {"file_json", "file_csv"}
