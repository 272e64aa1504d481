"""What refusals say to people who read Chinese: every class, with the same values, and nothing that is no class."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from string import Formatter
from typing import Any

import pytest

from access.refusals import RightMissing
from gs1.errors import BadContent, GS1Error
from recall.refusals import StepNotPossible, UnknownLot
from runtime.refusals import Fault, NotFound, Refusal
from web.problems import of_grammar, of_refusal, unavailable
from web.refusal_texts import _table, template_of

ROOMS = ("gs1", "runtime", "ledger", "access", "recall", "labels", "web", "shoppers", "portal", "console")
NEVER_ON_A_PAGE = (
    "runtime.connecting", "runtime.embedded_postgres", "runtime.migrations", "runtime.secrets", "runtime.settings",
)  # fmt: skip
"""Their refusals stop a process before it shows a page; the command line tells them."""


def every(base: type[Any]) -> Iterator[type[Any]]:
    for one in base.__subclasses__():
        yield one
        yield from every(one)


@pytest.fixture(scope="module")
def refusals() -> list[type[Refusal]]:
    for room in ROOMS:
        package = importlib.import_module(room)
        for module in pkgutil.walk_packages(package.__path__, f"{room}."):
            importlib.import_module(module.name)
    shown = [one for one in every(Refusal) if one.__module__.split(".")[0] in ROOMS]
    return [one for one in shown if not one.__module__.startswith(NEVER_ON_A_PAGE)]


def values_of(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name is not None}


def test_every_refusal_that_a_page_can_show_is_said_in_chinese_with_the_same_values(
    refusals: list[type[Refusal]],
) -> None:
    said = {one: template_of(one, "zh") for one in refusals}

    assert len(refusals) > 250
    assert [f"{one.__module__}.{one.__name__}" for one, text in said.items() if text is None] == []
    assert [one.__name__ for one, text in said.items() if values_of(text or "") != values_of(one.template())] == []


def test_no_chinese_sentence_is_left_over_from_a_refusal_that_is_gone(refusals: list[type[Refusal]]) -> None:
    rooms = {(one.__module__.split(".")[0], one.__name__) for one in refusals}
    told = {(room, name) for room, table in _table("zh").items() if room in ROOMS and room != "gs1" for name in table}

    assert told - rooms == set()
    assert set(_table("zh")["gs1"]) == {one.default_code for one in every(GS1Error)}


def test_a_refusal_is_said_with_its_values_and_states_and_steps_in_chinese_words() -> None:
    problem = of_refusal(StepNotPossible(step="publish", state="in_review", possible="approve, send_back"))

    assert problem.said_in("zh") == "不能发布此案件：它的状态是待批准。现在可以：批准、退回。"
    assert of_refusal(UnknownLot(lot="draft 7", gtin="1")).said_in("zh") == "产品 1 没有批号 draft 7。"
    assert of_refusal(RightMissing(actor="mei", act="view")).said_in("zh") == (
        "mei 不能这样做：需要“查看”权限。请管理员给予相应的角色或密钥。"
    )


def test_a_language_without_a_table_and_a_class_without_a_sentence_are_told_apart_from_english() -> None:
    class Unheard(NotFound):
        """There is no such thing as {what}."""

    assert of_refusal(UnknownLot(lot="L", gtin="1")).said_in("fr") is None
    assert of_refusal(Unheard(what="this")).said_in("zh") is None


def test_machines_are_answered_in_english_as_before() -> None:
    document = of_refusal(UnknownLot(lot="L", gtin="1", faults=[Fault("row 1", "lot")])).document()

    assert document["detail"] == "There is no lot L of product 1."
    assert set(document) == {"type", "title", "status", "detail", "errors"}


def test_a_broken_code_and_a_failure_of_ours_are_said_in_chinese_too() -> None:
    broken = of_grammar(GS1Error("the check digit is wrong", code="bad_check_digit"))

    assert broken.said_in("zh") == "校验位不符。"
    assert of_grammar(BadContent("a GTIN of zeros", code="all_zero")).said_in("zh") == (
        "字符正确，但内容无效：例如日期、国家、件数，或全为零的代码。"
    )
    assert (unavailable().said_in("zh") or "").startswith("数据库")
