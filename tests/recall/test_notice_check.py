"""The linter of whole notices: each jurisdiction's elements, and every softening phrase in English and Chinese."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncConnection

from recall import casework, notice_check, profiles, rules, wording
from recall.model import Depth, Kind, Text
from recall.notice_check import WholeNotice
from recall.refusals import WordingNotPublishable
from tests.recall.creamery import CHEESE, MILK, Creamery, clock
from tests.recall.desk import opened
from tests.recall.softeners import (
    NO_RECALL_EN,
    NO_RECALL_ZH,
    PROMISES_EN,
    PROMISES_ZH,
    SOFT_EN,
    SOFT_ZH,
    narrowed,
)

EN = Text(
    "Recall of Meadow Farmhouse Cheese 400 g",
    "The cheese may contain Listeria, which can cause serious illness.",
    ("Stop eating this cheese now.", "Take it back to the shop."),
    ("A full refund or a replacement, as you choose.",),
)
ZH = Text(
    "召回牧场农家奶酪 400 克", "产品可能含有李斯特菌，食用后可能导致严重疾病。", ("请立即停止食用。", "请退回购买处。"),
    ("可选择退款或更换。",),
)  # fmt: skip


def _of(key: str, **changes: object) -> WholeNotice:
    profile = profiles.shipped()[key]
    whole = WholeNotice(
        {"en": EN, "zh": ZH}, Kind.RECALL, profile.notice.headings, notice_check.depth_sentences(Depth.CONSUMER),
        {"phone": "0800 111"},
    )  # fmt: skip
    return replace(whole, **changes)  # type: ignore[arg-type]


def _blocked(key: str, **changes: object) -> list[str]:
    found = notice_check.check(_of(key, **changes), profiles.shipped()[key])
    return [finding.where for finding in wording.blocking(found)]


@pytest.mark.parametrize("key", sorted(profiles.shipped()))
def test_the_model_notice_passes_under_every_profile_in_both_languages(key: str) -> None:
    assert notice_check.check(_of(key), profiles.shipped()[key]) == ()


@pytest.mark.parametrize("phrase", (*SOFT_EN, *NO_RECALL_EN, *PROMISES_EN))
def test_every_softening_phrase_in_english_blocks(phrase: str) -> None:
    texts = {"en": replace(EN, hazard=f"{EN.hazard} {phrase}")}
    assert "en hazard" in _blocked("eu-gpsr/2024", texts=texts)


@pytest.mark.parametrize("phrase", (*SOFT_ZH, *NO_RECALL_ZH, *PROMISES_ZH))
def test_every_softening_phrase_in_chinese_blocks(phrase: str) -> None:
    assert "zh hazard" in _blocked("cn-food/2015", texts={"zh": replace(ZH, hazard=ZH.hazard + phrase)})


def test_every_alternative_of_every_banned_pattern_has_a_phrase_that_it_catches() -> None:
    phrases = {
        "en": (*SOFT_EN, *NO_RECALL_EN, *PROMISES_EN, "A recall.", "Recalls.", "Recalled.", "Recalling."),
        "zh": (*SOFT_ZH, *NO_RECALL_ZH, *PROMISES_ZH, "召回。"),
    }
    patterns = [(base, pattern) for base, told in wording._BANNED.items() for pattern, _why in told]
    for words in (wording._NOT_A_RECALL, wording._RECALL_WORD, wording._PROMISES):
        patterns += words.items()
    patterns += [(each.language, each.pattern) for p in profiles.shipped().values() for each in p.notice.banned]
    uncaught = [
        (base, alone)
        for base, pattern in patterns
        for alone in narrowed(pattern)
        if not any(wording._search(base, alone, phrase) for phrase in phrases[base])
    ]
    assert uncaught == []


@pytest.mark.parametrize(
    "heading",
    ["", "Product Safety Recall", "Important product safety recall", "Product safety recall!", "Safety notice"],
)
def test_the_heading_of_the_european_notice_is_word_for_word(heading: str) -> None:
    assert _blocked("eu-gpsr/2024", headings={"en": heading, "zh": "产品安全召回"}) == ["en heading"]


@pytest.mark.parametrize(
    "key, changes, where",
    [
        ("eu-gpsr/2024", {"contact": {"email": "a@b.example"}}, "contact"),
        ("eu-gpsr/2024", {"texts": {"en": replace(EN, actions=("Take it back.",))}}, "en actions"),
        ("eu-gpsr/2024", {"texts": {"en": replace(EN, remedies=("A full refund.",))}}, "en remedies"),
        ("cn-goods/2020", {"texts": {"zh": replace(ZH, remedies=())}}, "zh remedies"),
        ("us-fda-food/1978", {"are_dates_told": False}, "dates"),
        ("us-fda-food/1978", {"depth_sentences": {"en": "", "zh": "本次召回实施至消费者层级。"}}, "en depth"),
        ("us-fda-food/1978", {"depth": Depth.RETAIL, "texts": {"en": EN}}, "en depth"),
        ("us-cpsc/2010", {"texts": {"en": replace(EN, title="Meadow Farmhouse Cheese")}}, "en text"),
    ],
)  # fmt: skip
def test_an_element_that_the_law_wants_and_that_is_missing_blocks(
    key: str, changes: dict[str, object], where: str
) -> None:
    assert _blocked(key, **changes) == [where]


def test_one_remedy_is_enough_where_no_choice_is_asked_for() -> None:
    assert _blocked("cn-food/2015", texts={"zh": replace(ZH, remedies=("全额退款。",))}) == []


async def test_a_case_is_not_published_without_the_elements_of_its_law_unless_a_reason_is_kept(
    conn: AsyncConnection, dairy: Creamery
) -> None:
    number = await opened(conn, dairy, lots=((MILK, "M1"),), profile="eu-gpsr")
    await casework.approve(conn, number, by="Ben", clock=clock)
    assert [gap.where for gap in (await casework.preview(conn, number, clock=clock)).wording] == ["contact"]
    with pytest.raises(WordingNotPublishable, match="telephone number"):
        await casework.publish(conn, number, by="Ben", clock=clock, keys=dairy.keys)

    reason = "the number follows at noon"
    await casework.publish(conn, number, by="Ben", clock=clock, keys=dairy.keys, override_wording=reason)
    found = await rules.read_rules(conn, number, clock=clock)
    assert [(each.version, each.reason, each.by) for each in found.overrides] == [(1, reason, "Ben")]
    kept = await conn.execute(sql("SELECT details ->> 'override_wording' FROM audit WHERE act = 'recall.publish'"))
    assert kept.scalar_one() == reason


async def test_dates_of_distribution_are_asked_for_where_goods_went_out(conn: AsyncConnection, dairy: Creamery) -> None:
    numbers = []
    for _ in range(2):
        told = {"profile": "us-fda-food", "contact": {"phone": "0800 111"}, "lots": ((CHEESE, "C1"),)}
        numbers.append(await opened(conn, dairy, **told))
        await casework.approve(conn, numbers[-1], by="Ben", clock=clock)
    known, unknown = numbers
    assert (await casework.publish(conn, known, by="Ben", clock=clock, keys=dairy.keys)).version == 1

    await conn.execute(sql("DELETE FROM lot_shipment"))
    await conn.commit()
    with pytest.raises(WordingNotPublishable, match="dates of distribution"):
        await casework.publish(conn, unknown, by="Ben", clock=clock, keys=dairy.keys)
    assert (await casework.preview(conn, unknown, clock=clock)).wording[0].where == "dates"
