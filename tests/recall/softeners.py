"""Phrases that no notice may have: at least one for every alternative of every pattern of the linter."""

from __future__ import annotations

from collections.abc import Iterator

SOFT_EN = (
    "This is a voluntary recall.", "We voluntarily recall it.", "A precautionary measure.", "As a precaution.",
    "We take precautions.", "It was precautionarily taken back.",
    "At our discretion.", "A discretionary step.", "It is discretionarily offered.",
    "In rare situations it may break.", "In very rare cases it breaks.", "In extremely rare cases it breaks.",
    "In specific situations it may break.", "In certain circumstances it may break.", "In some cases it breaks.",
    "In isolated cases it breaks.", "Out of an abundance of caution.", "Out of caution.",
    "No accidents have been reported.", "No injuries so far.", "No injury is known.", "No illness is known.",
    "No illnesses are known.", "There were no reported incidents.",
    "We have never had an illness reported.", "We have never had illnesses reported.",
    "We had not one accident reported.",
    "We had not one incident reported.", "We had not one injury reported.", "We had never any injuries reported.",
)  # fmt: skip
NO_RECALL_EN = ("This is a market withdrawal.", "This is a product withdrawal.", "This is a stock recovery.")
PROMISES_EN = tuple(
    f"The others {word} safe." for word in ("completely", "perfectly", "absolutely", "still", "otherwise", "is", "are")
)
SOFT_ZH = (
    "本次为自愿召回。", "自願召回。", "此为预防性措施。", "預防性回收。", "以防万一。", "以防萬一。", "作为预防。",
    "防范性措施。", "出于谨慎考虑。", "出於審慎考慮。", "谨慎起见。", "为慎重起见。", "为安全起见。", "为保险起见。",
    "為保險起見。",
    "可酌情处理。", "由消费者自行决定。", "自行決定。", "自主选择是否退货。",
    "仅在极少数情况下发生。", "极个别的情况。", "个别情形。", "個別情況下可能發生。", "罕见场合。", "罕見情況。",
    "只在特定情况下发生。", "某些情形下。", "发生的概率极小概率。", "极低概率。", "很小概率。", "极小的概率。",
    "极低的概率。",
    "目前未收到任何事故报告。", "尚未接到有关投诉。", "未曾发生相关伤害。", "没有出现疾病。",
    "暂无人员伤亡。", "尚无伤害发生。",
    "未发现不良反应。", "无受伤。", "无人受伤。", "无人伤亡。", "无人患病。",
)  # fmt: skip
NO_RECALL_ZH = ("本次为撤回。", "本次撤市。", "库存收回。")
PROMISES_ZH = ("其他产品完全安全。", "绝对安全。", "依然安全。", "仍然安全。", "其他批次是安全的。")


def narrowed(pattern: str) -> Iterator[str]:
    """The pattern with one alternative left in one place of choice, for every alternative of every such place."""
    for start, end in _choices(pattern):
        for alternative in _alternatives(pattern[start:end]):
            yield f"{pattern[:start]}{alternative}{pattern[end:]}"


def _choices(pattern: str) -> Iterator[tuple[int, int]]:
    """Where something may be chosen: the whole pattern, and what stands in each group."""
    yield 0, len(pattern)
    opened: list[int] = []
    for at, character in enumerate(pattern):
        if character == "(":
            opened.append(at + 3 if pattern.startswith("(?:", at) else at + 1)
        elif character == ")":
            yield opened.pop(), at


def _alternatives(text: str) -> list[str]:
    depth, parts = 0, [""]
    for character in text:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "|" and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts
