"""The report of a drill: how long it took to know and to list, who was reached, what was accounted for. Pure.

Made from the record as it stands when it is asked for, so that a drill that parties take part in is reported again when
their answers are in.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from recall.board import Board
from recall.documents.header import CHANNEL_NAMES
from recall.regulator import Part, Report
from recall.store import NoticeList
from runtime.clock import rfc3339

_ENGLISH: Final = {
    "heading": "Report of a drill",
    "drill": "Drill",
    "number": "Number",
    "from": "Started from",
    "at": "Practised",
    "by": "By",
    "revision": "Ledger revision",
    "times": "Times",
    "trace": "From the code to the affected set",
    "list": "From the code to the frozen notice list",
    "first": "From the notice to the first answer",
    "last": "From the notice to the last answer",
    "found": "What was found",
    "items": "Items",
    "lots": "Lots",
    "owners": "Owners",
    "reached": "Who was reached",
    "recipients": "Owners on the list",
    "told": "Told",
    "told_percent": "Reached",
    "answered": "Answered",
    "answered_percent": "Answered, of those told",
    "accounted": "Goods accounted for",
    "affected": "Affected",
    "done": "Accounted for",
    "percent": "Accounted for, share",
    "unknown": "Nobody told of",
    "channels": "By channel",
    "channel": "Channel",
    "silent": "Told, and no answer",
    "owner": "Owner",
    "ms": "{n} ms",
    "after": "{n} min",
    "missing": "nothing on record yet",
}
_CHINESE: Final = {
    "heading": "召回演练报告",
    "drill": "演练",
    "number": "编号",
    "from": "起点",
    "at": "演练时间",
    "by": "执行人",
    "revision": "账本版本",
    "times": "用时",
    "trace": "从输入编码到确定影响范围",
    "list": "从输入编码到生成通知清单",
    "first": "从发出通知到首个答复",
    "last": "从发出通知到最后一个答复",
    "found": "追溯结果",
    "items": "件数",
    "lots": "批次数",
    "owners": "货主数",
    "reached": "通知到达",
    "recipients": "清单上的货主",
    "told": "已通知",
    "told_percent": "到达率",
    "answered": "已答复",
    "answered_percent": "已通知者的答复率",
    "accounted": "货物核销",
    "affected": "受影响",
    "done": "已核销",
    "percent": "核销率",
    "unknown": "无人答复",
    "channels": "按渠道",
    "channel": "渠道",
    "silent": "已通知而未答复",
    "owner": "货主",
    "ms": "{n} 毫秒",
    "after": "{n} 分钟",
    "missing": "尚无记录",
}
_TEXTS: Final = {"en": _ENGLISH, "zh": _CHINESE}
_LANGUAGE_OF_NAMES: Final = {"en": 0, "zh": 1}
SILENT_MAX: Final = 5_000
"""Most owners without an answer told one by one; the count stands beside them."""


def drill_report(listed: NoticeList, board: Board, rehearsed: Mapping[str, Any], language: str) -> Report:
    """The report; ``rehearsed`` is what the audit trail noted of the drill: ``trace_ms`` and ``list_ms``."""
    words = _TEXTS[language]
    case, totals, reached, goods = listed.case, listed.frozen.totals, board.reached, board.accounts
    first, last = _answers(board)
    of = _LANGUAGE_OF_NAMES[language]
    silent = [
        [each.name, CHANNEL_NAMES[each.channel][of]]
        for each in board.recipients
        if each.told and each.answered_at is None
    ]
    channels = []
    for each in board.by_channel:
        counts = (each.reached.recipients, each.reached.told, each.reached.answered)
        channels.append([CHANNEL_NAMES[each.channel][of], *map(str, counts)])
    parts: tuple[Part, ...] = (
        Part(words["drill"], (
            (words["number"], case.number), (words["from"], case.title),
            (words["at"], rfc3339(listed.frozen.published_at)), (words["by"], listed.frozen.published_by),
            (words["revision"], str(listed.frozen.ledger_event)))),
        Part(words["times"], (
            (words["trace"], words["ms"].format(n=f"{rehearsed['trace_ms']:,}")),
            (words["list"], words["ms"].format(n=f"{rehearsed['list_ms']:,}")),
            (words["first"], _after(words, first)), (words["last"], _after(words, last)))),
        Part(words["found"], (
            (words["items"], f"{totals['items']:,}"), (words["lots"], f"{listed.frozen.lots:,}"),
            (words["owners"], f"{totals['owners']:,}"))),
        Part(words["reached"], (
            (words["recipients"], f"{reached.recipients:,}"), (words["told"], f"{reached.told:,}"),
            (words["told_percent"], _share(reached.told, reached.recipients)),
            (words["answered"], f"{reached.answered:,}"),
            (words["answered_percent"], _share(reached.answered, reached.told)))),
        Part(words["accounted"], (
            (words["affected"], str(goods["affected"])), (words["done"], str(goods["accounted"])),
            (words["percent"], "" if goods["accounted_percent"] is None else f"{goods['accounted_percent']} %"),
            (words["unknown"], str(goods["unknown"])))),
        Part(words["channels"], channels,
             (words["channel"], words["recipients"], words["told"], words["answered"])),
    )  # fmt: skip
    if silent:
        titles = (words["owner"], words["channel"])
        parts = (*parts, Part(f"{words['silent']}: {len(silent):,}", silent[:SILENT_MAX], titles))
    return Report(
        f"drill-report_{language}", language, words["heading"], case.number, listed.frozen.version, True,
        listed.frozen.hash, parts, words["missing"],
    )  # fmt: skip


def _answers(board: Board) -> tuple[timedelta | None, timedelta | None]:
    waits = sorted(
        each.answered_at - each.told_at
        for each in board.recipients
        if each.answered_at is not None and each.told_at is not None
    )
    return (waits[0], waits[-1]) if waits else (None, None)


def _after(words: Mapping[str, str], wait: timedelta | None) -> str:
    return "" if wait is None else words["after"].format(n=f"{wait.total_seconds() / 60:,.0f}")


def _share(part: int, whole: int) -> str:
    return f"{part / whole * 100:.1f} %" if whole else ""
