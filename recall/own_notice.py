"""What one recipient is told, as words, as a PDF and as a spreadsheet: its own lines and nobody else's. Pure.

``compose`` is the one place where a notice gets its form; every medium takes what it gives.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

import xlsxwriter

from recall import own_pages
from recall.deliveries_store import Outgoing
from recall.documents.csv import guarded
from recall.documents.header import LABELS, bounds_text
from recall.model import Change, Kind
from recall.notice_wording import languages_for, say
from recall.notices import BOUND_COLUMNS, NOTICE_COLUMNS, Row
from runtime.mail import SUBJECT_CHARACTERS_MAX

LINES_IN_TEXT_MAX: Final = 100
"""So many lines are written out in the words of a notice, which tells how many more there are; the sheet has all."""
LINES_IN_PAGES_MAX: Final = 5_000
"""So many lines stand in the PDF of a notice; how many more there are is said in it, and the sheet has all."""
PDF: Final = "application/pdf"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_COLUMNS: Final = ("status", *(name for name in NOTICE_COLUMNS if name not in ("affected_set_hash", "case_version")))


@dataclass(frozen=True, slots=True)
class OwnNotice:
    """The notice to one recipient. ``sheet`` is a spreadsheet (XLSX) of the same lines, ``pages`` a PDF of all of it.

    ``stem`` names both files; they are called the same in every attempt.
    """

    subject: str
    text: str
    stem: str
    sheet: bytes = field(repr=False)
    pages: bytes = field(repr=False)


def compose(told: Outgoing, *, link: str, link_until: datetime) -> OwnNotice:
    """The notice, in the recipient's language (both when none is known). ``link`` is where it is answered."""
    languages = languages_for(told.language)
    text = "\n\n".join("\n".join(_words(told, language, link, link_until)) for language in languages)
    subject = _subject(told, languages)
    is_drill = told.kind is Kind.DRILL
    stem = f"{'DRILL_' if is_drill else ''}{told.number}_v{told.version}_notice"
    named = f"{told.number} v{told.version}"
    words, tables = _printed(told, languages, link, link_until)
    mark = "DRILL 演练" if is_drill else ""
    shared, _ = _printed(replace(told, name="", person=told.person and " "), languages, "", link_until)
    pages = own_pages.pdf(
        subject, words, tables, languages=languages, stem=named, drill_mark=mark, shared=shared
    )  # fmt: skip
    return OwnNotice(subject, f"{text}\n", stem, sheet(told), pages)


def _printed(
    told: Outgoing, languages: Sequence[str], link: str, until: datetime
) -> tuple[list[str], list[tuple[str, Sequence[Row]]]]:
    """The paragraphs and tables of the PDF; tables that are too long for it say how much longer they are."""
    words = [line for language in languages for line in ("", *_words(told, language, link, until, lines=False))]
    tables: list[tuple[str, Sequence[Row]]] = []
    for key, rows in (("lines", told.lines), ("removed", told.removed)):
        if rows:
            tables.append((" ".join(say(language, key) for language in languages), _said(rows, languages)))
        if (left := len(rows) - LINES_IN_PAGES_MAX) > 0:
            words += [say(language, "more_lines", n=left) for language in languages]
    return words, tables


def _said(rows: Sequence[Row], languages: Sequence[str]) -> list[Row]:
    """The rows of a page, ``whole lot`` in the reader's words."""
    whole = " ".join(say(language, "whole_lot") for language in languages)
    shown = rows[:LINES_IN_PAGES_MAX]
    return [{**row, "serial_ranges": whole} if row["serial_ranges"] == "whole lot" else row for row in shown]


def sheet(told: Outgoing) -> bytes:
    """The lines as XLSX: text is text, never a formula or a link."""
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(out, options) as book:
        page = book.add_worksheet("DRILL" if told.kind is Kind.DRILL else "notice")
        bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bg_color": "#E8E8E8"})
        page.freeze_panes(1, 0)
        page.set_column(0, len(_COLUMNS) - 1, 16)
        for column, name in enumerate(_COLUMNS):
            page.write_string(0, column, name, bold)
            if name in LABELS:
                page.write_comment(0, column, " ".join(LABELS[name]))
        for number, (status, row) in enumerate(_rows(told), 1):
            for column, name in enumerate(_COLUMNS):
                _cell(page, number, column, status if name == "status" else row[name])
    return out.getvalue()


def _rows(told: Outgoing) -> Iterator[tuple[str, Row]]:
    yield from (("affected", row) for row in told.lines)
    yield from (("not_affected_any_more", row) for row in told.removed)


def _cell(page: Any, row: int, column: int, value: str | int | None) -> None:
    if isinstance(value, int):
        page.write_number(row, column, value)
    elif value:
        page.write_string(row, column, str(guarded(value)))


def _subject(told: Outgoing, languages: Sequence[str]) -> str:
    key = "subject_withdrawal" if told.kind is Kind.WITHDRAWAL else f"subject_{told.change.value}"
    parts = []
    for language in languages:
        before = say(language, "drill") if told.kind is Kind.DRILL else ""
        before += say(language, "reminder", step=told.step) if told.step else ""
        parts.append(before + say(language, key, number=told.number, title=_text(told, language)["title"]))
    joined = " / ".join(parts)
    plain = "".join(character if character.isprintable() else " " for character in joined)
    return plain if len(plain) <= SUBJECT_CHARACTERS_MAX else f"{plain[: SUBJECT_CHARACTERS_MAX - 1]}…"


def _words(told: Outgoing, language: str, link: str, until: datetime, *, lines: bool = True) -> Iterator[str]:
    text = _text(told, language)
    if told.kind is Kind.DRILL:
        yield from (say(language, "drill_note"), "")
    yield say(language, "greeting", person=told.person) if told.person else say(language, "greeting_nobody")
    yield from (told.name, "", say(language, _intro(told)), "", text["title"])
    if told.change is not Change.CANCELLED:
        yield f"{say(language, 'hazard')}{_colon(language)}{text['hazard']}"
        yield f"{say(language, 'class')}{_colon(language)}{told.hazard_class}"
        yield f"{say(language, 'action')}{_colon(language)}{told.action}"
        if told.deadline_on:
            yield f"{say(language, 'deadline')}{_colon(language)}{told.deadline_on.isoformat()}"
    if lines:
        yield from _listed(told.lines, "lines", language)
        yield from _listed(told.removed, "removed", language)
    yield ""
    if told.change is not Change.CANCELLED:
        yield f"{say(language, 'answer')}{_colon(language)}{link}"
        yield say(language, "answer_until", date=until.date().isoformat())
        yield say(language, "sub_recall")
    called = " · ".join(told.contact[name] for name in ("name", "phone", "email", "hours") if told.contact.get(name))
    if called:
        yield f"{say(language, 'contact')}{_colon(language)}{called}"
    yield say(language, "about", number=told.number, version=told.version)


def _colon(language: str) -> str:
    return "：" if language == "zh" else ": "


def _intro(told: Outgoing) -> str:
    if told.is_account and told.change is not Change.CANCELLED and not told.is_delta:
        return "intro_account"
    if told.change is Change.WIDENED and not told.is_delta:
        return "intro_widened_new"
    return f"intro_{told.change.value}"


def _listed(rows: Sequence[Row], heading: str, language: str) -> Iterator[str]:
    if not rows:
        return
    yield from ("", f"{say(language, heading)}{_colon(language).rstrip()}")
    yield from (f"- {_line(row, language)}" for row in rows[:LINES_IN_TEXT_MAX])
    if len(rows) > LINES_IN_TEXT_MAX:
        yield say(language, "more_lines", n=len(rows) - LINES_IN_TEXT_MAX)


def _line(row: Row, language: str) -> str:
    quantity = ""
    uom = f" {row['uom']}" if row["uom"] else ""
    shipped = row["quantity_shipped"] if uom else row["items_shipped"]
    on_hand = row["quantity_expected_on_hand"] if uom else row["items_expected_on_hand"]
    if shipped:
        quantity += say(language, "shipped", n=f"{shipped}{uom}")
    if on_hand:
        quantity += say(language, "on_hand", n=f"{on_hand}{uom}")
    if bounds := bounds_text(*(row[name] for name in BOUND_COLUMNS)):
        quantity += say(language, "bounds", n=f"{bounds.replace(chr(10), ' ')}{uom}")
    whole = row["serial_ranges"] == "whole lot"
    serials = say(language, "whole_lot") if whole else say(language, "serials", serials=row["serial_ranges"] or "?")
    place = say(language, "place", place=row["place_name"]) if row["place_name"] else ""
    return say(
        language, "line", product=row["product"], gtin=row["gtin"], lot=row["lot"] or "–", serials=serials,
        quantity=quantity, place=place,
    )  # fmt: skip


def _text(told: Outgoing, language: str) -> dict[str, str]:
    """The author's words in this language, or in whichever there is: never translated by machine."""
    exact = told.texts.get(language) or next((t for tag, t in told.texts.items() if tag.startswith(language)), None)
    text = exact or {"title": told.title, "hazard": told.hazard}
    return {"title": text["title"], "hazard": text["hazard"]}
