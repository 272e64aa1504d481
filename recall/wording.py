"""The words of a notice: what must be there, what may not, and the standard steps when an author gave none.

First form of the linter. Sources: Regulation (EU) 2023/988 Art. 36(2) for the mandatory elements and for softening
words; FDA guidance on public warnings for "abundance of caution"; 21 CFR 7.3(j), (k) for the words that a recall must
not use. A rule of law is not decided by a list of phrases: a person may override a finding, with a reason that is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from recall.model import ACTIONS_MAX, Depth, Kind, Remedy, Text

TEXT_CHARACTERS_MAX: Final = 2_000
ACTION_WORDS_MAX: Final = 12
LANGUAGES_MAX: Final = 40

_REASSURING = "no accident or injury may be offered as reassurance"
_SOFT = "it softens the notice"
_BANNED: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "en": (
        (r"voluntar(?:y|ily)", _SOFT),
        (r"precaution(?:s|ary|arily)?", _SOFT),
        (r"discretion(?:ary|arily)?", _SOFT),
        (r"in (?:very |extremely )?(?:rare|specific|some|isolated|certain) (?:situation|case|circumstance)s?", _SOFT),
        (r"abundance of caution|out of caution", _SOFT),
        (r"no (?:\w+ ){0,3}(?:accidents?|incidents?|injur(?:y|ies)|illness(?:es)?)\b", _REASSURING),
        (
            r"(?:not|never) (?:\w+ ){0,3}(?:accidents?|incidents?|injur(?:y|ies)|illness(?:es)?) (?:\w+ ){0,2}reported",
            _REASSURING,
        ),
    ),
    "zh": (
        ("自愿|自願", _SOFT),
        ("预防性|預防性|以防万一|以防萬一|作为预防|防范性", _SOFT),
        ("[谨謹慎审審]慎起[见見]|慎重起[见見]|出[于於][谨謹审審]慎|(?:安全|保险|保險)起[见見]", _SOFT),
        ("酌情|自行决定|自行決定|自主选择是否", _SOFT),
        ("(?:极少数|极个别|个别|個別|罕见|罕見|特定|某些)(?:的)?(?:情况|情況|情形|场合)", _SOFT),
        ("(?:极小|极低|很小|极小的|极低的)概率", _SOFT),
        (
            "(?:尚未|未曾|未|没有|尚无|暂无|无)(?:收到|接到|发生|出现|发现)?(?:任何|有关|相关)?(?:人员)?(?:事故|伤害|伤亡|受伤|不良反应|疾病|投诉)",
            _REASSURING,
        ),
        ("无人(?:受伤|伤亡|患病)", _REASSURING),
    ),
}
_NOT_A_RECALL: Final = {
    "en": r"market withdrawal|product withdrawal|stock recovery",
    "zh": "撤回|撤市|库存收回",
}
_RECALL_WORD: Final = {"en": r"recall(?:s|ed|ing)?", "zh": "召回"}
_STOP: Final = {"en": r"stop|do not|don't|never", "zh": "停止|请勿|不要|切勿|勿"}
_PROMISES: Final = {
    "en": r"(?:completely|perfectly|absolutely|still|otherwise|is|are) safe",
    "zh": "(?:完全|绝对|依然|仍然|是)安全",
}
_LANGUAGE = re.compile("[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")
_CJK = re.compile("[\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about the wording: ``where`` (language, field) and ``what``; a ``blocking`` one stops publication."""

    where: str
    what: str
    blocking: bool = True


def check(texts: Mapping[str, Text], kind: Kind) -> tuple[Finding, ...]:
    """All findings over all languages, in a fixed order. A drill is checked like a recall."""
    if not texts:
        return (Finding("texts", "there is no text in any language"),)
    return tuple(finding for language, text in sorted(texts.items()) for finding in _check_text(language, text, kind))


def blocking(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Those that stop publication unless a person overrides them with a reason."""
    return tuple(finding for finding in findings if finding.blocking)


def tells_to_stop(text: Text, base: str) -> bool:
    """Whether a step tells the reader to stop using the product; True for a language that we cannot read."""
    return base not in _STOP or any(_search(base, _STOP[base], action) for action in text.actions)


def language_of(text: str) -> str:
    """``zh`` when there is a Chinese character in it, else ``en``: for a title given without its language."""
    return "zh" if _CJK.search(text) else "en"


def standard_text(title: str, hazard: str, kind: Kind, remedy: Remedy, depth: Depth) -> dict[str, Text]:
    """The author's title and hazard, with the standard steps: used when no texts were written for the case."""
    language = language_of(title + hazard)
    actions = _standard_actions(language, kind, remedy, depth)
    return {language: Text(title, hazard, actions, (_REMEDIES[language][remedy],))}


def completed(text: Text, language: str, kind: Kind, remedy: Remedy, depth: Depth) -> Text:
    """The author's text, with the standard steps and remedies of its language where it has none."""
    base = language.split("-", maxsplit=1)[0]
    if base not in _ACTIONS or (text.actions and text.remedies):
        return text
    return replace(
        text,
        actions=text.actions or _standard_actions(base, kind, remedy, depth),
        remedies=text.remedies or (_REMEDIES[base][remedy],),
    )


def is_language(tag: str) -> bool:
    """Whether this is a language tag of the simple kind (BCP 47: en, zh-CN, zh-Hant-TW)."""
    return _LANGUAGE.fullmatch(tag) is not None


def owner_action(kind: Kind, remedy: Remedy) -> str:
    """What a notice line tells the owner to do, in English and Chinese: a list goes to partners in both languages."""
    told = f"{' '.join(trade_actions(kind, remedy, 'en'))} / {''.join(trade_actions(kind, remedy, 'zh'))}"
    return f"{DRILL_MARK} {told}" if kind is Kind.DRILL else told


def trade_actions(kind: Kind, remedy: Remedy, language: str) -> tuple[str, ...]:
    """The steps that the trade is asked for, in English or Chinese."""
    return _WITHDRAWN[language] if kind is Kind.WITHDRAWAL else _TRADE[language][remedy]


DRILL_MARK: Final = "DRILL, for practice only: do nothing / 演练，无需处理。"


def _standard_actions(language: str, kind: Kind, remedy: Remedy, depth: Depth) -> tuple[str, ...]:
    if kind is Kind.WITHDRAWAL:
        return _WITHDRAWN[language]
    return _ACTIONS[language][remedy] if depth is Depth.CONSUMER else _TRADE[language][remedy]


def _check_text(language: str, text: Text, kind: Kind) -> Iterator[Finding]:
    for name, value in (("title", text.title), ("hazard", text.hazard)):
        if not value.strip():
            yield Finding(f"{language} {name}", "it is missing")
    if not any(action.strip() for action in text.actions):
        yield Finding(f"{language} actions", "there is no step that tells the reader what to do now")
    if len(text.actions) > ACTIONS_MAX:
        yield Finding(f"{language} actions", f"there are {len(text.actions)} steps; at most {ACTIONS_MAX} are read")
    base = language.split("-", maxsplit=1)[0]
    for where, value in fields(text):
        if len(value) > TEXT_CHARACTERS_MAX:
            yield Finding(f"{language} {where}", f"it has {len(value)} characters; at most {TEXT_CHARACTERS_MAX}")
        yield from (Finding(f"{language} {where}", what) for what in _banned(base, value, kind))
    yield from _advice(language, base, text, kind)


def _banned(base: str, value: str, kind: Kind) -> Iterator[str]:
    for pattern, why in _BANNED.get(base, ()):
        if found := _search(base, pattern, value):
            yield f"it says “{found}”: {why}"
    other = _RECALL_WORD if kind is Kind.WITHDRAWAL else _NOT_A_RECALL
    if (pattern := other.get(base, "")) and (found := _search(base, pattern, value)):
        yield f"it says “{found}”, which a {kind} is not"
    if (pattern := _PROMISES.get(base, "")) and (found := _search(base, pattern, value)):
        yield f"it says “{found}”: nobody can promise that in a notice"


def _advice(language: str, base: str, text: Text, kind: Kind) -> Iterator[Finding]:
    if kind is not Kind.WITHDRAWAL and not tells_to_stop(text, base):
        yield Finding(f"{language} actions", "no step tells the reader to stop using the product", blocking=False)
    for number, action in enumerate(text.actions, 1):
        if base == "en" and len(action.split()) > ACTION_WORDS_MAX:
            what = f"it has {len(action.split())} words; {ACTION_WORDS_MAX} are read at a glance"
            yield Finding(f"{language} action {number}", what, blocking=False)
    if kind is not Kind.WITHDRAWAL and not any(remedy.strip() for remedy in text.remedies):
        yield Finding(f"{language} remedies", "nothing says what the reader gets for it", blocking=False)


def fields(text: Text) -> Iterator[tuple[str, str]]:
    """Where each sentence of a text stands, and what it says."""
    yield "title", text.title
    yield "hazard", text.hazard
    yield from ((f"action {number}", action) for number, action in enumerate(text.actions, 1))
    yield from ((f"remedy {number}", remedy) for number, remedy in enumerate(text.remedies, 1))


def _search(base: str, pattern: str, value: str) -> str | None:
    bounded = pattern if base == "zh" else rf"\b(?:{pattern})\b"  # Chinese has no word boundaries
    found = re.search(bounded, value, re.IGNORECASE)
    return found.group() if found else None


_STOP_EN, _STOP_ZH = "Stop using this product now.", "请立即停止使用本产品。"
_ACTIONS: Final[dict[str, dict[Remedy, tuple[str, ...]]]] = {
    "en": {
        Remedy.RETURN: (_STOP_EN, "Keep it away from others.", "Take it back to where you got it."),
        Remedy.REFUND: (_STOP_EN, "Keep it away from others.", "Take it back to where you got it for your money."),
        Remedy.DESTROY: (_STOP_EN, "Throw it away so that nobody can use it."),
        Remedy.REPAIR: (_STOP_EN, "Ask for the free repair before you use it again."),
    },
    "zh": {
        Remedy.RETURN: (_STOP_ZH, "请单独存放，避免他人使用。", "请退回购买处。"),
        Remedy.REFUND: (_STOP_ZH, "请单独存放，避免他人使用。", "请退回购买处并领取退款。"),
        Remedy.DESTROY: (_STOP_ZH, "请妥善丢弃，使他人无法使用。"),
        Remedy.REPAIR: (_STOP_ZH, "请先联系免费维修，修好前请勿使用。"),
    },
}
_REMEDIES: Final[dict[str, dict[Remedy, str]]] = {
    "en": {
        Remedy.RETURN: "A refund or a replacement, as you choose.",
        Remedy.REFUND: "A full refund.",
        Remedy.DESTROY: "A full refund; you need not send it back.",
        Remedy.REPAIR: "A free repair, or a refund if it takes too long.",
    },
    "zh": {
        Remedy.RETURN: "可选择退款或更换。",
        Remedy.REFUND: "全额退款。",
        Remedy.DESTROY: "全额退款，无需寄回。",
        Remedy.REPAIR: "免费维修；逾期可退款。",
    },
}
_TRADE: Final[dict[str, dict[Remedy, tuple[str, ...]]]] = {
    "en": {
        Remedy.RETURN: (
            "Stop selling and using it.",
            "Keep it apart.",
            "Send it back.",
            "Tell those you passed it on to.",
        ),
        Remedy.REFUND: (
            "Stop selling and using it.",
            "Keep it apart.",
            "Refund and send back.",
            "Tell those you passed it on to.",
        ),
        Remedy.DESTROY: (
            "Stop selling and using it.",
            "Keep it apart.",
            "Destroy it and report it.",
            "Tell those you passed it on to.",
        ),
        Remedy.REPAIR: (
            "Stop selling and using it.",
            "Keep it apart.",
            "Hand it over for repair.",
            "Tell those you passed it on to.",
        ),
    },
    "zh": {
        Remedy.RETURN: ("停止销售和使用。", "隔离存放。", "退回。", "通知您的下游客户。"),
        Remedy.REFUND: ("停止销售和使用。", "隔离存放。", "退款并退回。", "通知您的下游客户。"),
        Remedy.DESTROY: ("停止销售和使用。", "隔离存放。", "销毁并上报。", "通知您的下游客户。"),
        Remedy.REPAIR: ("停止销售和使用。", "隔离存放。", "送交维修。", "通知您的下游客户。"),
    },
}
_WITHDRAWN: Final = {
    "en": ("Stop selling it.", "Keep it apart.", "Send it back."),
    "zh": ("停止销售。", "隔离存放。", "退回。"),
}
