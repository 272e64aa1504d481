"""What a notice to an owner says around its lines, in each of our languages."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_ENGLISH: Final = {
    "subject_initial": "URGENT: product recall {number}: {title}",
    "subject_updated": "URGENT: product recall {number}, new text: {title}",
    "subject_widened": "URGENT: product recall {number} is widened: {title}",
    "subject_narrowed": "Product recall {number} is narrowed: {title}",
    "subject_cancelled": "Product recall {number} is cancelled: {title}",
    "subject_withdrawal": "Please act: product withdrawal {number}: {title}",
    "reminder": "Reminder {step}: ",
    "drill": "DRILL: ",
    "drill_note": "THIS IS A DRILL. No goods are affected. Please answer as you would in a recall.",
    "greeting": "To {person}",
    "greeting_nobody": "To whoever answers for recalls",
    "intro_initial": "You have, or were sent, goods that are being taken back. Stop selling and using them now.",
    "intro_updated": "The text of a notice that you have was changed. This is what holds now.",
    "intro_widened": "More goods are affected. Stop selling and using these as well:",
    "intro_widened_new": "You have, or were sent, goods that are being taken back. Stop selling and using them now.",
    "intro_narrowed": "Fewer goods are affected than we told you before.",
    "intro_cancelled": "We take back what we told you. The goods named before are not affected under this number.",
    "intro_account": "Your supplier named you: affected goods were sold on to you. Stop selling and using them now.",
    "hazard": "Hazard",
    "class": "Hazard class",
    "action": "What to do",
    "deadline": "Until",
    "lines": "Your goods",
    "removed": "Not affected any more",
    "line": "{product}, GTIN {gtin}, lot {lot}, {serials}{quantity}{place}",
    "shipped": "; shipped to you: {n}",
    "on_hand": "; expected with you: {n}",
    "bounds": "; affected of these: {n}",
    "place": "; at {place}",
    "whole_lot": "the whole lot",
    "serials": "serials {serials}",
    "sub_recall": "If you sold some of it on, name your accounts on the same page: they are told in your name.",
    "answer": "Answer here, no account is needed",
    "answer_until": "The link opens until {date}. It is yours alone: do not pass it on.",
    "contact": "Call us",
    "about": "Notice {number} version {version}. The same lines are attached as a PDF and as a spreadsheet.",
    "more_lines": "… and {n} more lines: see the attached spreadsheet.",
}
_CHINESE: Final = {
    "subject_initial": "紧急：产品召回 {number}：{title}",
    "subject_updated": "紧急：产品召回 {number} 内容更新：{title}",
    "subject_widened": "紧急：产品召回 {number} 范围扩大：{title}",
    "subject_narrowed": "产品召回 {number} 范围缩小：{title}",
    "subject_cancelled": "产品召回 {number} 已取消：{title}",
    "subject_withdrawal": "请处理：产品下架 {number}：{title}",
    "reminder": "第 {step} 次提醒：",
    "drill": "演练：",
    "drill_note": "这是一次演练，没有货物受影响。请像真实召回时一样答复。",
    "greeting": "{person}：",
    "greeting_nobody": "召回负责人：",
    "intro_initial": "贵方持有或曾收到需要收回的货物。请立即停止销售和使用。",
    "intro_updated": "贵方收到的通知内容有更新，以下为现行内容。",
    "intro_widened": "受影响的货物增加。以下货物也请立即停止销售和使用：",
    "intro_widened_new": "贵方持有或曾收到需要收回的货物。请立即停止销售和使用。",
    "intro_narrowed": "受影响的货物比此前通知的少。",
    "intro_cancelled": "此前的通知作废。此前列出的货物不再因此案号受影响。",
    "intro_account": "贵方的供货方告知，受影响的货物已转售给贵方。请立即停止销售和使用。",
    "hazard": "危害",
    "class": "危害等级",
    "action": "处理要求",
    "deadline": "期限",
    "lines": "贵方的货物",
    "removed": "不再受影响",
    "line": "{product}，GTIN {gtin}，批号 {lot}，{serials}{quantity}{place}",
    "shipped": "；发给贵方 {n}",
    "on_hand": "；应在贵方 {n}",
    "bounds": "；其中受影响：{n}",
    "place": "；地点：{place}",
    "whole_lot": "整批",
    "serials": "序列号 {serials}",
    "sub_recall": "如已转售，请在同一页面列出贵方的客户，我们会以贵方名义通知他们。",
    "answer": "请在此答复，无需账号",
    "answer_until": "链接有效期至 {date}，仅供贵方使用，请勿转发。",
    "contact": "联系电话",
    "about": "通知 {number} 第 {version} 版。相同内容见所附 PDF 和表格。",
    "more_lines": "……另有 {n} 行，见所附表格。",
}

TEXTS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType({"en": _ENGLISH, "zh": _CHINESE})


def languages_for(language: str | None) -> tuple[str, ...]:
    """The contact's language when we speak it; both when nobody told us one, or another."""
    base = (language or "").split("-", maxsplit=1)[0].lower()
    return (base,) if base in TEXTS else tuple(TEXTS)


def say(language: str, key: str, **values: object) -> str:
    """The text of ``key``; a missing key is a failure of ours and raises."""
    return TEXTS[language][key].format(**values)
