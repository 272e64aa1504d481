"""What stands at the head of a notice list, and how its file is put in place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recall.notices import Row
from recall.store import NoticeList
from recall.wording import DRILL_MARK
from runtime.clock import rfc3339


@dataclass(frozen=True, slots=True)
class ListHeader:
    """Of one version of a case. ``totals`` are the frozen ones; ``drill_mark`` is empty but for a drill."""

    number: str
    version: int
    kind: str
    title: str
    hazard: str
    hazard_class: int
    depth: str
    remedy: str
    action: str
    deadline: str
    contact: str
    published_by: str
    published_at: str
    ledger_event: int
    hash: str
    drill_mark: str
    totals: Mapping[str, Any]

    @property
    def file_stem(self) -> str:
        """The name of the file without its ending; a drill's says so."""
        drill = "_DRILL" if self.drill_mark else ""
        return f"{self.number}_v{self.version}{drill}_notices"

    def fields(self) -> Iterator[tuple[str, str, str, str]]:
        """(name, English label, Chinese label, value) of each, in reading order."""
        for name, english, chinese in _FIELDS:
            yield name, english, chinese, str(getattr(self, name))


_FIELDS = (
    ("number", "Case", "案号"),
    ("version", "Version", "版本"),
    ("kind", "Kind", "类型"),
    ("title", "Title", "标题"),
    ("hazard", "Hazard", "危害"),
    ("hazard_class", "Hazard class", "危害等级"),
    ("depth", "Depth", "召回深度"),
    ("action", "What to do", "处理要求"),
    ("deadline", "Deadline", "期限"),
    ("contact", "Call us", "联系我们"),
    ("published_at", "Published", "发布时间"),
    ("published_by", "Published by", "发布人"),
    ("ledger_event", "Ledger revision", "账本版本"),
    ("hash", "Affected set", "影响范围校验值"),
)

LABELS: Mapping[str, tuple[str, str]] = {
    "case_number": ("Case", "案号"),
    "case_version": ("Version", "版本"),
    "channel": ("Channel", "渠道"),
    "owner_gln": ("Owner GLN", "货主GLN"),
    "owner_name": ("Owner", "货主"),
    "place_gln": ("Place GLN", "地点GLN"),
    "place_name": ("Place", "地点"),
    "gtin": ("GTIN", "GTIN"),
    "product": ("Product", "产品"),
    "lot": ("Lot", "批号"),
    "serial_ranges": ("Serials", "序列号"),
    "items_shipped": ("Items shipped", "已发件数"),
    "items_expected_on_hand": ("Items expected on hand", "应存件数"),
    "items_returned": ("Items returned", "已退件数"),
    "ship_dates": ("Ship dates", "发货日期"),
    "documents": ("Documents", "单据"),
    "action": ("What to do", "处理要求"),
    "deadline": ("Deadline", "期限"),
    "responsible_name": ("Responsible", "责任人"),
    "responsible_phone": ("Responsible phone", "责任人电话"),
    "responsible_email": ("Responsible e-mail", "责任人邮箱"),
    "contact_name": ("Recall contact", "召回联系人"),
    "contact_phone": ("Contact phone", "联系电话"),
    "contact_email": ("Contact e-mail", "联系邮箱"),
    "basis": ("Basis", "依据"),
    "items": ("Items", "件数"),
    "items_sold": ("Items sold", "已售件数"),
    "items_destroyed": ("Items destroyed", "已销毁件数"),
    "uom": ("Unit of measure", "计量单位"),
    "quantity": ("Quantity", "数量"),
    "quantity_shipped": ("Quantity shipped", "已发数量"),
    "quantity_expected_on_hand": ("Quantity expected on hand", "应存数量"),
    "quantity_returned": ("Quantity returned", "已退数量"),
    "best_before": ("Best before", "保质期至"),
    "kind": ("Kind", "类型"),
    "affected_set_hash": ("Affected set", "影响范围校验值"),
    "affected_at_least": ("Affected at least", "受影响至少"),
    "affected_expected": ("Affected most likely", "受影响预计"),
    "affected_at_most": ("Affected at most", "受影响至多"),
}
"""English and Chinese headings of the columns, for people; machines read the column names."""

CHANNEL_NAMES: Mapping[str, tuple[str, str]] = {
    "own": ("Own stock", "自有库存"),
    "retail": ("Retail", "零售"),
    "wholesale": ("Wholesale", "批发"),
    "online": ("Online", "线上"),
    "food_service": ("Food service", "餐饮"),
    "direct": ("Direct", "直销"),
    "unknown": ("Channel not known", "渠道未知"),
}


def header_of(notice_list: NoticeList) -> ListHeader:
    """The header of a notice list."""
    case, frozen = notice_list.case, notice_list.frozen
    action = str(notice_list.rows[0]["action"]) if notice_list.rows else ""
    return ListHeader(
        number=case.number,
        version=frozen.version,
        kind=case.kind.value,
        title=case.title,
        hazard=case.hazard,
        hazard_class=case.hazard_class,
        depth=case.depth.value,
        remedy=case.remedy.value,
        action=action,
        deadline=case.deadline_on.isoformat() if case.deadline_on else "",
        contact=" · ".join(
            case.contact[name] for name in ("name", "phone", "email", "hours") if case.contact.get(name)
        ),
        published_by=frozen.published_by,
        published_at=rfc3339(frozen.published_at),
        ledger_event=frozen.ledger_event,
        hash=frozen.hash,
        drill_mark=DRILL_MARK if case.is_drill else "",
        totals=frozen.totals,
    )


def put_in_place(out: Path, write: Callable[[Path], None]) -> Path:
    """Let ``write`` make the file beside its place and then move it there: a reader never sees half of it."""
    beside = out.with_name(f".{out.name}.part")
    try:
        write(beside)
        beside.replace(out)
    finally:
        beside.unlink(missing_ok=True)
    return out


def bounds_text(least: object, expected: object, most: object) -> str:
    """``≥ 3``, ``≈ 7``, ``≤ 10`` one below the other; "" where the two ends are one, or nobody worked them out."""
    return "" if least is None or least == most else f"≥ {least}\n≈ {expected}\n≤ {most}"


TOTALS_COLUMNS = (
    "over", "channel", "owner_gln", "owner_name", "items", "items_expected_on_hand", "items_sold", "items_returned",
    "items_destroyed", "quantities",
)  # fmt: skip


def totals_rows(totals: Mapping[str, Any]) -> Iterator[Row]:
    """The totals as rows with ``TOTALS_COLUMNS``: per channel, per owner, then over all."""
    for over, entries in (("channel", totals["by_channel"]), ("owner", totals["by_owner"]), ("all", [totals])):
        for entry in entries:
            row = {name: entry.get(name) for name in TOTALS_COLUMNS}
            yield {**row, "over": over, "quantities": quantities_text(entry["quantities"])}


def quantities_text(quantities: Mapping[str, str]) -> str:
    """``600 LTR; 10000 KGM``: quantities by unit of measure, kept apart."""
    return "; ".join(f"{quantity} {uom}" for uom, quantity in sorted(quantities.items()))
