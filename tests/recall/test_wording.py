"""The notice linter: what must be said, and what may not."""

from __future__ import annotations

import pytest

from recall import wording
from recall.model import Depth, Kind, Remedy, Text

EN = Text(
    "Meadow Farmhouse Cheese 400 g",
    "The cheese may contain Listeria, which can cause serious illness.",
    ("Stop eating this cheese now.", "Take it back to the shop."),
    ("A full refund.", "A replacement."),
)
ZH = Text(
    "牧场农家奶酪 400 克",
    "产品可能含有李斯特菌,食用后可能导致严重疾病。",
    ("请立即停止食用。", "请退回购买处。"),
    ("全额退款。",),
)


def _changed(text: Text, **changes: object) -> Text:
    values = {"title": text.title, "hazard": text.hazard, "actions": text.actions, "remedies": text.remedies, **changes}
    return Text(**values)  # type: ignore[arg-type]


def test_model_notices_in_english_and_chinese_pass_without_a_word() -> None:
    assert wording.check({"en": EN, "zh": ZH}, Kind.RECALL) == ()


@pytest.mark.parametrize(
    "phrase",
    [
        "This is a voluntary recall.", "As a precaution we ask you to stop.", "This precautionary step is for you.",
        "At your discretion you may return it.", "Only in rare situations can this happen.",
        "It happens in specific situations.", "Out of an abundance of caution.", "No injuries have been reported.",
        "No reported accidents so far.", "We have never had an accident reported.", "VOLUNTARILY recalled.",
        "A market withdrawal of cheese.",
    ],
)  # fmt: skip
def test_softening_english_is_refused(phrase: str) -> None:
    findings = wording.check({"en": _changed(EN, hazard=f"{EN.hazard} {phrase}")}, Kind.RECALL)
    assert [f.where for f in wording.blocking(findings)] == ["en hazard"]


@pytest.mark.parametrize(
    "phrase",
    ["本公司自愿召回。", "出于谨慎考虑。", "此为预防性措施。", "消费者可酌情处理。",
     "仅在极少数情况下发生。", "目前未收到任何事故报告。", "尚无伤害发生。", "无人受伤。", "本次撤回产品。"],
)  # fmt: skip
def test_softening_chinese_is_refused(phrase: str) -> None:
    findings = wording.check({"zh": _changed(ZH, hazard=ZH.hazard + phrase)}, Kind.RECALL)
    assert [f.where for f in wording.blocking(findings)] == ["zh hazard"]


@pytest.mark.parametrize(
    "phrase", ["It may injure your hands.", "The accident risk is high.", "Withdrawal symptoms can follow."]
)
def test_plain_words_about_danger_pass(phrase: str) -> None:
    assert wording.check({"en": _changed(EN, hazard=phrase)}, Kind.RECALL) == ()


@pytest.mark.parametrize(("field", "empty"), [("title", " "), ("hazard", ""), ("actions", ()), ("actions", ("", " "))])
def test_a_notice_without_title_hazard_or_steps_is_refused(field: str, empty: object) -> None:
    findings = wording.blocking(wording.check({"en": _changed(EN, **{field: empty})}, Kind.RECALL))
    assert [f.where for f in findings] == [f"en {field}"]


def test_four_steps_are_read_and_five_are_not() -> None:
    four = ("Stop using it.", "Keep it apart.", "Take it back.", "Call us.")
    assert wording.check({"en": _changed(EN, actions=four)}, Kind.RECALL) == ()
    assert wording.blocking(wording.check({"en": _changed(EN, actions=(*four, "Tell others."))}, Kind.RECALL))


def test_advice_does_not_stop_a_publication() -> None:
    findings = wording.check({"en": _changed(EN, actions=("Take it back.",), remedies=())}, Kind.RECALL)
    assert {f.where for f in findings} == {"en actions", "en remedies"}
    assert wording.blocking(findings) == ()


def test_a_withdrawal_is_never_called_a_recall() -> None:
    text = Text("Cheese with a wrong weight on it", "The weight is wrong; there is no danger.", ("Stop selling it.",))
    assert wording.check({"en": text}, Kind.WITHDRAWAL) == ()
    recalled = _changed(text, title="Recall of cheese")
    assert [f.where for f in wording.check({"en": recalled}, Kind.WITHDRAWAL)] == ["en title"]


@pytest.mark.parametrize("remedy", Remedy)
@pytest.mark.parametrize("depth", Depth)
@pytest.mark.parametrize(("title", "hazard"), [(EN.title, EN.hazard), (ZH.title, ZH.hazard)])
def test_the_standard_steps_pass_their_own_linter(remedy: Remedy, depth: Depth, title: str, hazard: str) -> None:
    texts = wording.standard_text(title, hazard, Kind.RECALL, remedy, depth)
    assert list(texts) == [wording.language_of(title)]
    assert wording.check(texts, Kind.RECALL) == ()


def test_a_drill_tells_owners_to_do_nothing() -> None:
    assert "do nothing" in wording.owner_action(Kind.DRILL, Remedy.RETURN)
    assert "do nothing" not in wording.owner_action(Kind.RECALL, Remedy.RETURN)
