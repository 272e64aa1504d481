"""A trace as tables for people with a spreadsheet: rows for XLSX, and all of them in one CSV.

Text is written as text and never as a formula or a link; identifiers stay text, so no digit of a GTIN is lost.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import xlsxwriter

from runtime.refusals import TooMany

ROWS_MAX: Final = 1_000_000
"""A sheet has 1,048,576 rows."""
CELL_CHARACTERS_MAX: Final = 32_767

Cell = str | int | float | bool | None

_FORMULA_STARTS: Final = tuple("=+-@\t\r\n＝＋－＠")
_LOT: Final = ("gtin", "lot", "product", "status", "recalled", "made_on", "best_before_on")


class TooMuchForASheet(TooMany):
    """A sheet holds {rows_max} rows, a cell {characters_max} characters, and this trace has more. Take JSON."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table."""

    name: str
    columns: tuple[str, ...]
    rows: Sequence[Mapping[str, Cell]]


def sheets_of(answer: Mapping[str, Any]) -> list[Sheet]:
    """The tables of a trace answer."""
    down, up = answer["downstream"], answer["upstream"]
    return [
        Sheet("starts", (*_LOT, "items", "serial", "sscc"), answer["starts"]),
        Sheet(
            "made_from", (*_LOT, "raw", "supplier", "inspection", "basis", "path", "because"),
            [{**lot, "inspection": _result(lot["inspection"]), "path": _list(lot["path"])} for lot in up["lots"]],
        ),
        Sheet(
            "went_into",
            (*_LOT, "items", "uom", "of", "lower", "expected", "upper", "whole", "from", "basis", "path", "because"),
            [
                {**lot, **amounts, "path": _list(lot["path"])}
                for lot in down["lots"] for amounts in lot["affected"] or [{}]
            ],
        ),
        Sheet("holders", (
            "channel", "owner_gln", "owner", "role", "place_gln", "place", "country", "region", "items", "uom", "of",
            "lower", "expected", "upper", "contact", "phone", "email", "responsible", "responsible_phone",
            "responsible_email",
        ), [row for holder in answer["holders"] for row in _holder(holder)]),
        Sheet("where", ("state", "items"), [{"state": key, "items": value} for key, value in answer["where"].items()]),
        Sheet(
            "balance",
            ("gtin", "lot", "uom", "told_by", "made", "held", "used", "from_outside", "unaccounted"),
            answer["balance"],
        ),
        Sheet("gaps", ("what", "gtin", "lot", "event", "quantity", "uom", "place", "owner", "since"), answer["gaps"]),
        Sheet("as_of", ("event", "at", "took_ms"), [answer["as_of"]]),
    ]  # fmt: skip


def _holder(holder: Mapping[str, Any]) -> Iterable[dict[str, Cell]]:
    contact, responsible = holder["contact"] or {}, holder["responsible"] or {}
    shown = {
        "channel": holder["channel"], "owner_gln": holder["owner"]["gln"], "owner": holder["owner"]["name"],
        "role": holder["owner"]["role"], "place_gln": holder["place"]["gln"], "place": holder["place"]["name"],
        "country": holder["place"]["country"], "region": holder["place"]["region"], "items": holder["items"],
        "contact": contact.get("name"), "phone": contact.get("phone"), "email": contact.get("email"),
        "responsible": responsible.get("name"), "responsible_phone": responsible.get("phone"),
        "responsible_email": responsible.get("email"),
    }  # fmt: skip
    return [{**shown, **amounts} for amounts in holder["affected"]]


def _result(inspection: Mapping[str, Any] | None) -> str | None:
    return None if inspection is None else str(inspection["result"])


def _list(values: Iterable[Any]) -> str:
    return " ".join(map(str, values))


def csv_of(sheets: Sequence[Sheet]) -> bytes:
    """All tables in one: ``part`` says which; UTF-8 with the mark by which spreadsheets see it."""
    columns = list(dict.fromkeys(column for sheet in sheets for column in sheet.columns))
    many = len(sheets) > 1
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(["part", *columns] if many else columns)
    for sheet in sheets:
        part = [sheet.name] if many else []
        writer.writerows(
            part + [_guarded(row.get(column) if column in sheet.columns else None) for column in columns]
            for row in sheet.rows
        )
    return out.getvalue().encode("utf-8-sig")


def xlsx_of(sheets: Sequence[Sheet]) -> bytes:
    """A workbook, one sheet a table. Raises ``TooMuchForASheet``."""
    out = io.BytesIO()
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
    with xlsxwriter.Workbook(out, options) as book:
        bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bg_color": "#E8E8E8"})
        for table in sheets:
            if len(table.rows) > ROWS_MAX:
                raise TooMuchForASheet(rows_max=ROWS_MAX, characters_max=CELL_CHARACTERS_MAX)
            sheet = book.add_worksheet(table.name)
            sheet.freeze_panes(1, 0)
            for index, column in enumerate(table.columns):
                sheet.set_column(index, index, 40 if column in ("because", "missing", "product") else 16)
                sheet.write_string(0, index, column, bold)
            for line, row in enumerate(table.rows, 1):
                for index, column in enumerate(table.columns):
                    _write(sheet, line, index, row.get(column))
            sheet.autofilter(0, 0, max(len(table.rows), 1), len(table.columns) - 1)
    return out.getvalue()


def _write(sheet: Any, line: int, index: int, value: Cell) -> None:
    if value is None:
        return
    if isinstance(value, int | float) and not isinstance(value, bool):
        sheet.write_number(line, index, value)
        return
    text = _text(value)
    if len(text) > CELL_CHARACTERS_MAX:
        raise TooMuchForASheet(rows_max=ROWS_MAX, characters_max=CELL_CHARACTERS_MAX)
    sheet.write_string(line, index, text)


def _text(value: Cell) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _guarded(value: Cell) -> str | int | float:
    """A cell that no spreadsheet takes for a formula: text that begins like one gets an apostrophe in front (OWASP)."""
    if value is None:
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    text = _text(value)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
