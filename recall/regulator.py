"""Reports to authorities, from the record: FDA's status report, and the recall plan and announcement of China.

What the record does not say is not made up: the field stands empty and is marked, for a person to fill in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from recall.board import Board
from recall.letters import contact_of, heading_of, text_of
from recall.model import Text
from recall.posters import channels_of, products_of, ship_dates
from recall.profiles import Profile
from recall.responses_store import Followup
from recall.store import NoticeList
from runtime.clock import rfc3339

LOTS_MAX: Final = 2_000
"""Most lots told one by one in a report; the count stands beside them."""
CONSIGNEES_MAX: Final = 5_000
_MISSING: Final = {"en": "not on record: to be filled in", "zh": "无记录，请补充"}
_TO_FILL_IN: Final = {
    "en": ("To be filled in before it is filed", "Not on record", ", "),
    "zh": ("提交前须补充", "无记录的项目", "、"),
}
_LEVELS: Final = {1: "一级", 2: "二级", 3: "三级"}


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a report: pairs of label and value, or a table when it has ``columns``."""

    title: str
    rows: Sequence[Sequence[str]]
    columns: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """A report by its parts; the same values go to PDF and JSON."""

    kind: str
    language: str
    heading: str
    number: str
    version: int
    is_drill: bool
    hash: str
    parts: tuple[Part, ...]
    missing: str = ""

    def values(self) -> dict[str, Any]:
        """For the template ``regulator.html``."""
        return {
            "language": self.language, "heading": self.heading, "number": self.number, "version": self.version,
            "is_drill": self.is_drill, "hash": self.hash, "parts": self.parts,
            "missing": self.missing or _MISSING[self.language],
        }  # fmt: skip


def fda_status(listed: NoticeList, board: Board, followup: Followup | None) -> Report:
    """The fields of 21 CFR 7.53: notified, answered, silent, accounted for, checks, expected completion."""
    goods, reached = board.accounts, board.reached
    days = sorted({each.told_at.date().isoformat() for each in board.recipients if each.told_at is not None})
    media = sorted({medium for medium, state, _ in board.deliveries if state == "sent"})
    silent = [each for each in board.recipients if each.told and each.answered_at is None]
    rows = (
        ("Consignees notified", f"{reached.told} of {reached.recipients}"),
        ("Dates of notification", f"{days[0]} to {days[-1]}" if days else ""),
        ("Method of notification", ", ".join(media)),
        ("Consignees that answered", str(reached.answered)),
        ("Consignees that did not answer", str(len(silent))),
        ("Quantity on hand at consignees when the notice came", str(goods["on_hand"])),
        ("Quantity returned", str(goods["returned"])),
        ("Quantity destroyed", str(goods["destroyed"])),
        ("Quantity corrected", str(goods["corrected"])),
        ("Quantity accounted for", f"{goods['accounted']} of {goods['affected']}"),
        ("Quantity unknown", str(goods["unknown"])),
        ("Effectiveness checks", "; ".join(_checked(check) for check in board.checks)),
        ("Estimated completion", listed.case.deadline_on.isoformat() if listed.case.deadline_on else ""),
        ("Disposition of the goods", followup.disposition if followup else ""),
    )
    answered = [
        [row["owner_name"], str(row["shipped"]), str(row["on_hand"]), str(row["returned"]), str(row["destroyed"])]
        for row in goods["by_owner"]
    ][:CONSIGNEES_MAX]
    parts = (
        Part("Recall", _identity(listed, "en", board)), Part("Status", rows),
        Part("By consignee", answered, ("Consignee", "Shipped", "On hand", "Returned", "Destroyed")),
        Part("Not answered (identity on request)", [[e.name, e.channel] for e in silent[:CONSIGNEES_MAX]],
             ("Consignee", "Channel")),
    )  # fmt: skip
    return _report("fda-status", "en", "Recall status report", listed, parts)


def samr_plan(listed: NoticeList, profile: Profile | None, facts: Mapping[str, str]) -> Report:
    """召回计划. The fields are those of a plan under the rule of 2015; what the record lacks is marked."""
    case, totals = listed.case, listed.frozen.totals
    text = text_of(case.texts, "zh", Text(case.title, case.hazard))
    contact, person = contact_of(case.contact), case.contact.get("name", "")
    parts = (
        Part("召回单位", (("名称", facts.get("firm", "")), ("法定代表人", ""), ("具体负责人", person),
                       ("联系方式", contact.get("phone", "")))),
        Part("召回产品", _products_zh(listed), ("名称", "商标", "GTIN", "批号", "保质期至")),
        Part("召回内容", (
            ("召回原因及危害后果", text.hazard), ("召回等级", _LEVELS[case.hazard_class]),
            ("召回数量", _quantity(totals)), ("涉及区域和渠道", "、".join(channels_of(listed.rows, "zh"))),
            ("流程", "停止销售、隔离存放、通知下游、退回或处置、复核"),
            ("期限", case.deadline_on.isoformat() if case.deadline_on else ""),
            ("公告内容和发布媒体", ""), ("经营者义务", _joined(_actions(listed, text))),
            ("处置措施和费用承担", _joined(text.remedies)), ("预期效果", ""))),
    )  # fmt: skip
    return _report("samr-plan", "zh", f"{heading_of(case.kind, profile, 'zh').removesuffix('公告')}计划", listed, parts)


def samr_announcement(listed: NoticeList, profile: Profile | None, facts: Mapping[str, str]) -> Report:
    """召回公告, with the fields of an announcement under the rule of 2015."""
    case = listed.case
    text = text_of(case.texts, "zh", Text(case.title, case.hazard))
    days, person = ship_dates(listed.rows), case.contact.get("name", "")
    parts = (
        Part("召回单位", (("名称", facts.get("firm", "")), ("法定代表人", ""), ("具体负责人", person),
                       ("电话", case.contact.get("phone", "")), ("电子邮箱", case.contact.get("email", "")))),
        Part("召回产品", _products_zh(listed), ("名称", "商标", "GTIN", "批号", "保质期至")),
        Part("召回说明", (
            ("召回原因", text.hazard), ("召回等级", _LEVELS[case.hazard_class]),
            ("起止日期", f"{listed.frozen.published_at.date()} 至 {case.deadline_on or '（待定）'}"),
            ("发货日期", f"{days[0]} 至 {days[-1]}" if days else ""),
            ("区域和渠道", "、".join(channels_of(listed.rows, "zh"))),
            ("经营者义务", "停止购进和销售，封存，通知下游，并在显著位置张贴本公告"),
            ("消费者须知", _joined(_actions(listed, text))), ("退货和赔偿流程", _joined(text.remedies)))),
    )  # fmt: skip
    return _report("samr-announcement", "zh", heading_of(case.kind, profile, "zh"), listed, parts)


def _report(kind: str, language: str, heading: str, listed: NoticeList, parts: tuple[Part, ...]) -> Report:
    """The report; what the record lacks is named at its top, so that nobody finds it out at the authority."""
    case, frozen = listed.case, listed.frozen
    missing = [row[0] for part in parts if not part.columns for row in part.rows if not row[1]]
    if missing:
        title, label, comma = _TO_FILL_IN[language]
        parts = (Part(title, ((label, comma.join(missing)),)), *parts)
    return Report(kind, language, heading, case.number, frozen.version, case.is_drill, frozen.hash, parts)


def _identity(listed: NoticeList, language: str, board: Board) -> list[tuple[str, str]]:
    case = listed.case
    text = text_of(case.texts, language, Text(case.title, case.hazard))
    lots = list(dict.fromkeys(f"{row['gtin']} {row['lot']}" for row in listed.rows))
    more = f" and {len(lots) - LOTS_MAX} more" if len(lots) > LOTS_MAX else ""
    return [
        ("Case", f"{case.number} version {listed.frozen.version}"), ("Product", text.title), ("Reason", text.hazard),
        ("Hazard class", str(case.hazard_class)), ("Depth", case.depth.value),
        ("Codes (GTIN and lot)", "; ".join(lots[:LOTS_MAX]) + more),
        ("Initiated", rfc3339(listed.frozen.published_at)), ("As of", rfc3339(board.at)),
    ]  # fmt: skip


def _checked(check: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in check.items() if not isinstance(value, list | dict | tuple))


def _actions(listed: NoticeList, text: Text) -> tuple[str, ...]:
    return text.actions or (str(listed.rows[0]["action"]) if listed.rows else "",)


def _joined(sentences: Sequence[str]) -> str:
    return "；".join(sentence.rstrip("。.") for sentence in sentences)


def _products_zh(listed: NoticeList) -> list[list[str]]:
    products, left = products_of(listed.rows, "zh", {}, LOTS_MAX)
    rows = [[p.name, p.brand, p.gtin, lot.code, lot.best_before] for p in products for lot in p.lots]
    return [*rows, [f"另有 {left} 个批次，见通知清单", "", "", "", ""]] if left else rows


def _quantity(totals: Mapping[str, Any]) -> str:
    others = "；".join(f"{quantity} {uom}" for uom, quantity in sorted(totals["quantities"].items()))
    return f"{totals['items']} 件" + (f"；{others}" if others else "")
