"""What the page of a case's rules says, in each of the console's languages."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_ENGLISH: Final = {
    "rules": "Rules and documents",
    "no_profile": "This case was opened without a profile: it has no clocks.",
    "profile": "Profile",
    "sources": "Sources",
    "clocks": "Clocks",
    "what": "What is to be done",
    "due": "Due",
    "no_time": "no fixed time",
    "done": "Done",
    "source": "Source",
    "waiting": "waiting",
    "running": "running",
    "overdue": "overdue",
    "ended": "ended",
    "done_late": "done late",
    "checked": "read in the official text",
    "secondary": "from a secondary source",
    "unverified": "not verified: read the official text first",
    "tell": "Write down what was done or what happened",
    "name": "Duty or event",
    "note": "Note",
    "save": "Write down",
    "saved": "It is written down.",
    "facts": "What happened",
    "overrides": "Published in spite of the wording",
    "version": "version {n}",
    "documents": "To print",
    "notice": "Model notice",
    "poster": "Poster",
    "samr-announcement": "Announcement (China)",
    "samr-plan": "Recall plan (China)",
    "fda-status": "Status report (FDA)",
}
_CHINESE: Final = {
    "rules": "法规与文件",
    "no_profile": "本案未选择法规，没有时限。",
    "profile": "法规",
    "sources": "来源",
    "clocks": "时限",
    "what": "事项",
    "due": "截止",
    "no_time": "无固定时限",
    "done": "已完成",
    "source": "依据",
    "waiting": "未开始",
    "running": "进行中",
    "overdue": "已逾期",
    "ended": "已结束",
    "done_late": "逾期完成",
    "checked": "已核对官方文本",
    "secondary": "来自二手资料",
    "unverified": "未核实：请先查阅官方文本",
    "tell": "记录已完成的事项或发生的事件",
    "name": "事项或事件",
    "note": "备注",
    "save": "记录",
    "saved": "已记录。",
    "facts": "经过",
    "overrides": "不顾措辞问题而发布",
    "version": "第 {n} 版",
    "documents": "打印",
    "notice": "召回通知（一页）",
    "poster": "海报",
    "samr-announcement": "召回公告",
    "samr-plan": "召回计划",
    "fda-status": "状态报告（FDA）",
}
TEXTS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType({"en": _ENGLISH, "zh": _CHINESE})


def say(language: str, key: str, **values: object) -> str:
    """The text of ``key``; a missing key is a failure of ours and raises."""
    return TEXTS[language][key].format(**values)
