"""The form of a new case: rows with rules of sets, a trial beside it, and nothing that is lost."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.datastructures import FormData

from console import case_form
from console.case_form import Row, draft_of, rows_of
from console.fields import FieldNotUsable
from recall import listing, previewing
from recall.model import CaseDraft, Kind, Remedy
from recall.refusals import ScopeEmpty
from runtime.refusals import Refusal
from tests.console.conftest import OURS, Visitor, form_token, words
from tests.recall.desk import every_table
from tests.shop import CHEESE, cheese_in_the_shop

TOLD = {
    "title": "Cheese", "hazard": "It can make people ill.", "hazard_class": "1", "kind": "recall", "remedy": "refund",
    "depth": "consumer",
}  # fmt: skip


def draft(**more: str) -> CaseDraft:
    return draft_of(FormData({**TOLD, **more}))


def row(n: int, kind: str, value: str, rule: str = "or", **more: str) -> dict[str, str]:
    return {f"{name}{n}": told for name, told in {"rule": rule, "kind": kind, "value": value, **more}.items()}


def test_a_form_says_what_an_author_means() -> None:
    made = draft(lots=f"{CHEESE}:C1\n\n{CHEESE}:C2", codes="x\ny ", contact_phone=" 1 ", whole_lot="yes")

    assert (made.kind, made.remedy, made.hazard_class) == (Kind.RECALL, Remedy.REFUND, 1)
    assert (made.codes, made.lots) == (("x", "y"), ((CHEESE, "C1"), (CHEESE, "C2")))
    assert (made.contact["phone"], made.whole_lot) == ("1", True)


def test_rows_add_narrow_and_take_out() -> None:
    rows = {
        **row(0, "supplier", "9506000134314 09506000134369"),
        **row(1, "line", "Line 1", from_at="2026-11-20T08:30"),
        **row(2, "parameter", "held_s < 15", "and"),
        **row(3, "lot", f"{CHEESE}:C2", "not", reason="tested and clean"),
        **row(4, "code", ""),
    }

    made = draft(**rows)

    first = {
        "name": "any of these",
        "any": [
            {"supplier": "9506000134314", "gtin": "09506000134369"},
            {"operation": {"line": "Line 1", "from_at": "2026-11-20T08:30:00+00:00"}},
        ],
    }
    assert made.parts == ({"name": "all of these", "all": [first, {"operation": {"parameter": "held_s < 15"}}]},)
    assert [(each.part, each.reason) for each in made.exclude] == [({"lot": f"{CHEESE}:C2"}, "tested and clean")]


@pytest.mark.parametrize(
    ("told", "refused"),
    [
        (row(0, "lot", "C1"), case_form.LotsUnreadable),
        (row(0, "range", "one-code"), case_form.RangeUnreadable),
        (row(0, "place", "9506000134406", from_at="2026-11-20T08:30"), case_form.TimesMissing),
        (row(0, "team", "A", "perhaps"), case_form.ChoiceUnknown),
        (row(0, "weather", "rain"), case_form.ChoiceUnknown),
        ({**row(0, "team", "A", "and"), "codes": "x", "whole_lot": "yes"}, case_form.WholeLotsNotShared),
        (row(0, "team", "A", "and"), ScopeEmpty),
        (row(0, "line", "L", from_at="early"), FieldNotUsable),
        ({"depth": "moon"}, case_form.ChoiceUnknown),
        ({f"value{n}": "" for n in range(case_form.ROWS_MAX + 1)}, case_form.TooManyRows),
    ],
)
def test_what_a_form_cannot_mean_is_refused_by_name(told: dict[str, str], refused: type[Refusal]) -> None:
    with pytest.raises(refused):
        draft(**told)


def test_rows_are_shown_again_as_they_were_typed_and_some_are_there_at_first() -> None:
    assert len(rows_of(FormData())) == case_form.ROWS_AT_FIRST
    assert rows_of(FormData(row(0, "lot", "nonsense"))) == [Row("or", "lot", "nonsense")]


async def test_a_case_is_tried_out_without_a_trace_and_opened_and_handed_in(
    visitor: Visitor, conn: AsyncConnection
) -> None:
    await cheese_in_the_shop(conn)
    author, viewer = await visitor("lin", "recall_author"), await visitor("mei", "viewer")
    form = await author.get("/console/cases/new")
    told = {**TOLD, "form_token": form_token(form), "profile": "cn-food/2015"}

    async def press(do: str, path: str = "", **more: str) -> Any:
        return await author.post(f"/console/cases/new{path}", data={**told, "do": do, **more}, headers=OURS)

    before = await every_table(conn)
    named = row(0, "lot", f"{CHEESE}:C1")
    tried = await press("preview", **named)
    alone = await press("", "/trial", title="", **named)
    soft = await press("", "/trial?lang=zh", hazard="A voluntary step.", **named)
    await author.get("/console/cases/new?lang=en")
    wrong = await press("open", codes="not a code")
    more = await press("row", **named)
    after = await every_table(conn)
    opened = await press("submit", **named)
    drilled = await press("open", kind="drill", **named)
    page = words(await author.get(opened.headers["location"]))

    assert "script-src 'self'" in form.headers["content-security-policy"]
    assert "24 items, 1 lots, 1 owners" in words(tried) and 'value="Cheese"' in tried.text
    assert "Corner Shop" in words(alone) and "Still to be written: Title." in words(alone) and "<html" not in alone.text
    assert "within 24 hours" in words(alone)
    assert wrong.status_code == 400 and "not a code" in wrong.text and 'role="alert"' in wrong.text
    assert "value1" in more.text and f'value="{CHEESE}:C1"' in more.text
    assert before == after
    assert "英文 危害 出现“voluntary”：它淡化了公告" in words(soft)
    assert "/console/cases/D-" in drilled.headers["location"] and "never reaches the public" in words(
        await author.get(drilled.headers["location"])
    )
    assert "In review" in page and "24 Items" in page
    assert (await viewer.get("/console/cases/new")).status_code == 403


async def test_a_scope_beyond_the_limit_of_a_trial_is_refused_by_name_and_keeps_what_was_typed(
    visitor: Visitor, conn: AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await cheese_in_the_shop(conn)
    author = await visitor("lin", "recall_author")
    named = row(0, "lot", f"{CHEESE}:C1")
    out = row(1, "lot", f"{CHEESE}:C2", "not", reason="tested and clean")
    told = {**TOLD, "form_token": form_token(await author.get("/console/cases/new")), "do": "preview", **named}

    async def tried(**more: str) -> Any:
        return await author.post("/console/cases/new", data={**told, **more}, headers=OURS)

    monkeypatch.setattr(previewing, "SAVINGS_MAX", 0)
    narrowed = await tried(**out)
    monkeypatch.setattr(listing, "LINES_MAX", 1)
    within = await tried()
    monkeypatch.setattr(listing, "LINES_MAX", 0)
    too_long = await tried()

    assert "The case has 1 exclusions; what more than 0 save cannot be told. Put them in parts." in words(narrowed)
    assert "at most 0 are made in one case. Split the case." in words(too_long)
    assert (narrowed.status_code, within.status_code, too_long.status_code) == (413, 200, 413)
    assert f'value="{CHEESE}:C1"' in too_long.text
