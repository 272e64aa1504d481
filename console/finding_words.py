"""What the linter and the list of gaps say, in Chinese: they speak English, as all that machines read does.

A sentence is known by its English form with its placeholders; what stands in them is taken over as it is, or said in
Chinese too where it is a sentence of ours. A sentence that is not known stays English and is marked as such.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final

from markupsafe import Markup, escape

_SENTENCES: Final = {
    "there is no text in any language": "没有任何语言的文本",
    "it is missing": "缺失",
    "there is no step that tells the reader what to do now": "没有告诉读者现在该怎么做的步骤",
    "there are {n} steps; at most {max} are read": "共有 {n} 个步骤；读者最多读 {max} 个",
    "it has {n} characters; at most {max}": "有 {n} 个字符；最多 {max} 个",
    "it has {n} words; {max} are read at a glance": "有 {n} 个词；一眼能读的是 {max} 个",
    "it says “{found}”, which a recall is not": "出现“{found}”，而召回并不是",
    "it says “{found}”, which a drill is not": "出现“{found}”，而演练并不是",
    "it says “{found}”, which a withdrawal is not": "出现“{found}”，而撤回并不是",
    "it says “{found}”: {why}": "出现“{found}”：{why}",
    "no accident or injury may be offered as reassurance": "不得以未发生事故或伤害来安抚读者",
    "it softens the notice": "它淡化了公告",
    "nobody can promise that in a notice": "公告中谁也不能作此保证",
    "not where illness or a positive test exists (guidance on public warnings)":
        "有患病或检出阳性时不得使用（公众警示指南）",
    "these are not recalls (21 CFR 7.3(j), 7.3(k))": "这些不是召回（21 CFR 7.3(j)、7.3(k)）",
    "no step tells the reader to stop using the product": "没有让读者停止使用产品的步骤",
    "nothing says what the reader gets for it": "没有说明读者能得到什么补救",
    "{key}: no step tells the reader to stop using the product": "{key}：没有让读者停止使用产品的步骤",
    "{key}: the word “recall” stands in none of its texts": "{key}：文本中没有“召回”一词",
    "{key}: give a telephone number or an address of an online service": "{key}：请提供电话号码或在线服务地址",
    "{key}: the dates of distribution are not on record for any owner": "{key}：没有任何货主的发货日期记录",
    "{key} has no heading in this language yet": "{key} 尚无此语言的标题",
    "it is “{found}”; {key} wants exactly “{wanted}”": "现为“{found}”；{key} 要求必须是“{wanted}”",
    "{key}: it offers {n} of repair, replacement and refund; at least {max} must be offered":
        "{key}：维修、更换、退款中提供了 {n} 项；至少须提供 {max} 项",
    "{key}: no sentence says that it reaches the {level} level": "{key}：没有说明召回深度（{level}）的句子",
    "{key}: a depth of wholesale needs a written rationale": "{key}：召回深度仅到批发时须有书面理由",
    "the owner is not known": "货主不明",
    "nobody is named to call": "未指定联系人",
    "the channel is not known": "渠道不明",
    "{amount} more went out than ever came in": "出库比入库多 {amount}",
    "and {n} more": "另有 {n} 项",
    "the notice list has them all": "通知清单中有全部内容",
    "lot {lot} of {gtin}": "{gtin} 的批次 {lot}",
    "{owner} at {place}": "{owner}，地点：{place}",
    "say what is recalled": "请说明召回什么",
    "say what can happen to people": "请说明会对人造成什么危害",
    "{n} is not 1, 2 or 3": "{n} 不是 1、2 或 3",
    "it is not a language tag such as en or zh-CN": "不是 en 或 zh-CN 这样的语言标签",
    "{what} (advice)": "{what}（建议）",
}  # fmt: skip
_PLACES: Final = {
    "title": "标题", "hazard": "危害", "hazard class": "危害等级", "actions": "步骤", "action": "步骤",
    "remedies": "补救", "remedy": "补救", "heading": "抬头", "depth": "召回深度", "text": "文本", "texts": "文本",
    "contact": "联系方式", "dates": "日期", "en": "英文", "zh": "中文",
}  # fmt: skip
_OURS: Final = frozenset({"why", "what"})
"""Placeholders in which a sentence of ours stands."""


def in_chinese(sentence: str) -> str | None:
    """The sentence in Chinese; None where nobody has said it yet."""
    for pattern, told in _patterns():
        if (found := pattern.fullmatch(sentence)) is not None:
            values = found.groupdict()
            said = {name: in_chinese(value) if name in _OURS else value for name, value in values.items()}
            return None if None in said.values() else told.format(**said)
    return None


def place_in_chinese(where: str) -> str | None:
    """Where a finding stands: ``en action 2`` is 英文 步骤 2."""
    if where in _PLACES:
        return _PLACES[where]
    parts = [_PLACES.get(part, part if part.isdecimal() else "") for part in where.split(" ")]
    return " ".join(parts) if all(parts) else in_chinese(where)


def line(gap: Any, language: str) -> Markup:
    """A finding, a gap or a fault (``where``, ``what``) as the words of a list; marked as English where it is."""
    if language == "zh" and (what := in_chinese(gap.what)) is not None:
        return Markup("<b>{}</b> {}").format(place_in_chinese(gap.where) or gap.where, what)
    return Markup('<b>{}</b> <span lang="en">{}</span>').format(gap.where, escape(gap.what))


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """The most particular first: those with the most letters of their own."""
    ordered = sorted(_SENTENCES.items(), key=lambda pair: -len(re.sub(r"{\w+}", "", pair[0])))
    return tuple((re.compile(_pattern(english), re.DOTALL), chinese) for english, chinese in ordered)


def _pattern(english: str) -> str:
    pieces = re.split(r"{(\w+)}", english)
    return "".join(f"(?P<{piece}>.*?)" if n % 2 else re.escape(piece) for n, piece in enumerate(pieces))
