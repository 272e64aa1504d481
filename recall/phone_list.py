"""Whom to call: the deliveries by telephone that wait for a person, as a spreadsheet and as a page."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any, Final

import xlsxwriter

from recall.deliveries_store import Delivery
from recall.documents.csv import guarded
from recall.letters import pdf_of
from recall.store import NoticeList

COLUMNS: Final = ("delivery", "owner", "GLN", "channel", "person", "telephone", "addressee", "step", "reached", "note")
_HEADS_ZH: Final = ("编号", "货主", "GLN", "渠道", "联系人", "电话", "对象", "次数", "已联系", "备注")
CALLS_MAX: Final = 10_000
"""Most calls on one list."""


def rows(calls: Sequence[Delivery]) -> list[list[str]]:
    """One row a call; ``reached`` and ``note`` are for the person who calls."""
    return [
        [str(c.delivery_id), c.name, c.gln or "", c.channel, c.contact_name, c.address or c.phone, c.addressee,
         str(c.step), "", ""]
        for c in calls
    ]  # fmt: skip


def xlsx(listed: NoticeList, calls: Sequence[Delivery]) -> bytes:
    """The list as XLSX: text is text, never a formula or a link."""
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(out, options) as book:
        page = book.add_worksheet("DRILL" if listed.case.is_drill else "calls")
        bold = book.add_format({"bold": True, "bg_color": "#E8E8E8", "text_wrap": True})
        page.freeze_panes(1, 0)
        page.set_column(0, len(COLUMNS) - 1, 18)
        for column, pair in enumerate(zip(COLUMNS, _HEADS_ZH, strict=True)):
            page.write_string(0, column, "\n".join(pair), bold)
        for number, row in enumerate(rows(calls), 1):
            for column, value in enumerate(row):
                page.write_string(number, column, str(guarded(value)))
    return out.getvalue()


def pdf(listed: NoticeList, calls: Sequence[Delivery], language: str) -> bytes:
    """The list as pages to tick off."""
    heads = _HEADS_ZH if language == "zh" else COLUMNS
    part: dict[str, Any] = {"title": "", "columns": heads, "rows": rows(calls)}
    heading = "电话通知名单" if language == "zh" else "Whom to call"
    return pdf_of(
        "regulator.html", language=language, is_drill=listed.case.is_drill, number=listed.case.number,
        version=listed.frozen.version, heading=f"{heading} · {listed.case.number}", parts=[part], missing="",
        hash=listed.frozen.hash,
    )  # fmt: skip
