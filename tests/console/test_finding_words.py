"""What the linter says, in the words of a Chinese page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from console import finding_words
from recall import listing, notice_check, profiles, wording
from recall.model import Depth, Gap, Kind, Text
from recall.notice_check import WholeNotice
from recall.notices import Owner, Site
from recall.wording import Finding

BAD = Text(
    "Market withdrawal of cheese 撤回",
    "A voluntary step, no injuries are known, it is safe, out of an abundance of caution. 自愿，无人受伤，绝对安全。",
    ("Take it back to where it came from whenever you happen to pass by the shop again.", *["x"] * 20),
    (),
)
EMPTY = Text("", "", (), ())


def _findings() -> Iterator[Finding]:
    yield from wording.check({}, Kind.RECALL)
    for kind in Kind:
        for text in (BAD, EMPTY, replace(BAD, title="A recall 召回" + "x" * 3_000)):
            yield from wording.check({"en": text, "zh": text}, kind)
    for profile in profiles.shipped().values():
        for depth in Depth:
            texts = {"en": BAD, "zh": BAD, "de": BAD}
            yield from notice_check.check(WholeNotice(texts, are_dates_told=False, depth=depth), profile)


def _gaps() -> Iterator[Gap]:
    nobody, someone = Owner("unknown"), Owner("Mira", "9506000134376")
    yield from listing.gaps_of_owner(0, {0: nobody}, Site("Hall 3"))
    yield from listing.gaps_of_owner(7, {7: someone})
    yield listing.gap_below_zero(Decimal(12), "KGM", "M1", "09506000134369")
    yield listing.limited([Gap("x", "y")] * 300, 300)[-1]


def test_every_finding_and_gap_is_said_in_chinese() -> None:
    told: list[Finding | Gap] = [*_findings(), *_gaps()]
    assert len({each.what for each in told}) > 40
    for each in told:
        said = finding_words.in_chinese(each.what)
        assert said is not None and re.search("[\u4e00-\u9fff]", said), each
        assert "“" in each.what or not re.search(r"\b(?:the|it|no)\b", said), each
    assert {finding_words.place_in_chinese(each.where) for each in _findings()} >= {"英文 危害", "英文 步骤 1", "日期"}


def test_what_nobody_has_said_in_chinese_stays_english_and_is_marked() -> None:
    unknown = Gap("the moon is <blue>", "sky")
    assert finding_words.line(unknown, "zh") == '<b>sky</b> <span lang="en">the moon is &lt;blue&gt;</span>'
    known = Gap("it is missing", "en title")
    assert finding_words.line(known, "zh") == "<b>英文 标题</b> 缺失"
    assert finding_words.line(known, "en") == '<b>en title</b> <span lang="en">it is missing</span>'


@pytest.mark.parametrize("why", ["it softens the notice", "nobody can promise that in a notice"])
def test_the_reason_inside_a_finding_is_said_in_chinese_too(why: str) -> None:
    said = finding_words.in_chinese(f"it says “voluntary”: {why} (advice)")
    assert said is not None and "voluntary" in said and "the" not in said.replace("voluntary", "")
