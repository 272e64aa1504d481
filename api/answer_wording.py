"""What the page of a notice's link says, in each of our languages."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_ENGLISH: Final = {
    "title": "Answer to notice {number}",
    "drill": "This is a drill. No goods are affected.",
    "to": "For {name}",
    "hazard": "Hazard",
    "action": "What to do",
    "deadline": "Until",
    "call": "Call us",
    "cancelled": "This case was cancelled. No answer is needed.",
    "ended": "This case has ended. No answer is needed any more.",
    "done": "Your answer is complete. Thank you. To change it, call us.",
    "kept": "Your answer of {at} is kept. You can change it until you call it complete.",
    "taken": "Your answer was taken.",
    "accounts_taken": "Your accounts are taken: they are told now.",
    "your_goods": "Your goods",
    "piece_hint": "In pieces where no unit stands. Leave empty what you do not know: empty is not zero.",
    "shipped": "sent to you",
    "expected": "expected with you",
    "lot": "Lot",
    "whole_lot": "the whole lot",
    "received": "Received",
    "on_hand": "Found in all",
    "quarantined": "Set apart",
    "returned": "Sent back",
    "destroyed": "Destroyed",
    "corrected": "Corrected",
    "sold_on": "Sold on",
    "not_found": "Not found",
    "affected": "Did you have any of these goods?",
    "yes": "Yes",
    "no": "No",
    "comment": "Remark",
    "name": "Your name",
    "signature": "Signed by (name)",
    "complete": "Everything asked was done. This answer is complete.",
    "send": "Send the answer",
    "accounts": "Sold some of it on?",
    "accounts_hint": "Upload a list of your accounts (CSV or XLSX): name, email, quantity. They are told under the "
    "same notice; they do not see your quantities.",
    "accounts_named": "Accounts named so far: {n}",
    "upload": "Upload and tell them",
    "file": "File",
    "quantity": "Pieces",
    "receipt": "Receipt",
    "receipt_pdf": "Receipt as PDF",
    "receipt_line": "Answer {answer} to notice {number} version {version}, taken {at}, given by {by}",
    "not_taken": "The answer was not taken",
    "other": "中文",
}
_CHINESE: Final = {
    "title": "答复通知 {number}",
    "drill": "这是一次演练，没有货物受影响。",
    "to": "收件方：{name}",
    "hazard": "危害",
    "action": "处理要求",
    "deadline": "期限",
    "call": "联系我们",
    "cancelled": "此案件已取消，无需答复。",
    "ended": "此案件已结束，不再需要答复。",
    "done": "您的答复已完成，谢谢。如需更改，请致电我们。",
    "kept": "已保存您于 {at} 的答复。在标记完成之前可以更改。",
    "taken": "已收到您的答复。",
    "accounts_taken": "已收到客户名单，现在通知他们。",
    "your_goods": "贵方的货物",
    "piece_hint": "未注明单位的按件计。不清楚的请留空：留空不等于零。",
    "shipped": "发给贵方",
    "expected": "应在贵方",
    "lot": "批号",
    "whole_lot": "整批",
    "received": "已收到",
    "on_hand": "共找到",
    "quarantined": "已隔离",
    "returned": "已退回",
    "destroyed": "已销毁",
    "corrected": "已整改",
    "sold_on": "已转售",
    "not_found": "未找到",
    "affected": "贵方是否有这些货物？",
    "yes": "有",
    "no": "没有",
    "comment": "备注",
    "name": "您的姓名",
    "signature": "签名（姓名）",
    "complete": "要求的事项均已完成，答复完毕。",
    "send": "提交答复",
    "accounts": "已转售一部分？",
    "accounts_hint": "请上传客户名单（CSV 或 XLSX），列名为 name、email、quantity。"
    "我们会就同一通知告知他们；他们看不到贵方的数量。",
    "accounts_named": "已列出客户：{n}",
    "upload": "上传并通知",
    "file": "文件",
    "quantity": "件数",
    "receipt": "回执",
    "receipt_pdf": "PDF 回执",
    "receipt_line": "对通知 {number} 第 {version} 版的答复 {answer}，收到时间 {at}，答复人 {by}",
    "not_taken": "答复未被接受",
    "other": "English",
}

TEXTS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType({"en": _ENGLISH, "zh": _CHINESE})
LANGUAGES: Final = tuple(TEXTS)


def say(language: str, key: str, **values: object) -> str:
    """The text of ``key``; a missing key is a failure of ours and raises."""
    return TEXTS[language][key].format(**values)
