"""A notice as a letter on paper: one owner's own lines, what to do, the way to answer, and a form to send back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from recall import wording
from recall.deliveries_store import Outgoing
from recall.documents.header import bounds_text
from recall.letter_wording import depth_sentence, say
from recall.letters import Symbol, contact_of, drawn, heading_of, pdf_of, text_of
from recall.model import Change, Depth, Kind, Text
from recall.notice_wording import say as notice_say
from recall.notices import BOUND_COLUMNS, Row
from recall.posters import ship_dates
from recall.profiles import Profile

FORM_KEYS: Final = ("form_on_hand", "form_apart", "form_returned", "form_destroyed", "form_sold")
LINES_MAX: Final = 500
"""So many lines stand in a letter; more are named by number, and the spreadsheet beside it has them all."""


def letter(
    told: Outgoing,
    profile: Profile | None,
    depth: Depth,
    language: str,
    *,
    link: str,
    symbol: Symbol,
    address: str = "",
) -> bytes:
    """The letter as PDF, made from the lines of this recipient's notice alone: nothing of others is in it."""
    texts = {tag: Text(text["title"], text["hazard"]) for tag, text in told.texts.items()}
    is_live = told.change is not Change.CANCELLED and bool(told.lines)
    tables = [
        (say(language, key), [_row(row, language) for row in rows[:LINES_MAX]])
        for key, rows in (("your_goods", told.lines), ("not_affected", told.removed))
        if rows
    ]
    return pdf_of(
        "owner.html", language=language, is_drill=told.kind is Kind.DRILL, number=told.number, version=told.version,
        heading=heading_of(told.kind, profile, language, is_letter=True), name=told.name, address=address,
        person=told.person, text=text_of(texts, language, Text(told.title, told.hazard)), is_live=is_live,
        hazard_class=told.hazard_class, actions=wording.trade_actions(told.kind, told.remedy, language),
        depth=depth_sentence(language, depth), deadline=told.deadline_on and told.deadline_on.isoformat(),
        deadline_words=f"{notice_say(language, 'deadline')}:", sub_recall=_sub_recall(told.lines, language),
        intro=notice_say(language, f"intro_{told.change.value}"), tables=tables, form_keys=FORM_KEYS, link=link,
        qr=drawn(symbol, link), contact=contact_of(told.contact), published_on=told.made_at.date().isoformat(),
    )  # fmt: skip


def _sub_recall(rows: Sequence[Row], language: str) -> str:
    days = ship_dates(rows)
    return say(language, "sub_recall", first=days[0], last=days[-1]) if days else say(language, "sub_recall_undated")


def _row(row: Row, language: str) -> dict[str, Any]:
    uom = f" {row['uom']}" if row["uom"] else ""
    kind = "quantity" if uom else "items"
    serials = row["serial_ranges"]
    return {
        "product": row["product"], "gtin": row["gtin"], "lot": row["lot"] or "–",
        "best_before": f"{say(language, 'best_before')} {row['best_before']}" if row["best_before"] else "",
        "serials": say(language, "whole_lot") if serials == "whole lot" else serials or "",
        "shipped": _counted(row[f"{kind}_shipped"], uom), "expected": _counted(row[f"{kind}_expected_on_hand"], uom),
        "bounds": _bounds(row, uom, language),
        "ship_dates": row["ship_dates"] or "", "documents": row["documents"] or "",
    }  # fmt: skip


def _bounds(row: Row, uom: str, language: str) -> str:
    bounds = bounds_text(*(row[name] for name in BOUND_COLUMNS)).replace("\n", " ")
    return notice_say(language, "bounds", n=f"{bounds}{uom}").lstrip("；; ") if bounds else ""


def _counted(value: str | int | None, uom: str) -> str:
    return "" if value is None else f"{value}{uom}"
