"""The notice list as XLSX: a sheet of rows to sort and filter, a sheet of totals, a sheet that says which case it is.

Text is written as text and never as a formula or a link; identifiers stay text, so no digit of a GTIN or GLN is lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import xlsxwriter

from recall.documents.header import LABELS, TOTALS_COLUMNS, ListHeader, put_in_place, totals_rows
from recall.notices import NOTICE_COLUMNS, Row
from recall.refusals import NoticeListTooLong

ROWS_MAX: Final = 1_000_000
"""A sheet has 1,048,576 rows."""
CELL_CHARACTERS_MAX: Final = 32_767

_WIDTHS: Final = {"owner_name": 24, "place_name": 24, "product": 28, "action": 40, "serial_ranges": 24, "gtin": 16}


def write(rows: Sequence[Row], header: ListHeader, out: Path) -> list[Path]:
    """Write ``out``. Raises ``NoticeListTooLong`` beyond a sheet's rows."""
    if len(rows) > ROWS_MAX:
        raise NoticeListTooLong(lines=len(rows), format="xlsx", lines_max=ROWS_MAX, instead="csv or json")
    return [put_in_place(out, lambda path: _write(path, rows, header))]


def _write(path: Path, rows: Sequence[Row], header: ListHeader) -> None:
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(path, {**options, "constant_memory": True}) as book:
        book.set_properties({"title": f"{header.number} v{header.version}", "comments": header.hash})
        bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bg_color": "#E8E8E8"})
        _table(_sheet(book, "notices", header), NOTICE_COLUMNS, rows, bold)
        _table(_sheet(book, "totals", header), TOTALS_COLUMNS, totals_rows(header.totals), bold)
        _case(_sheet(book, "case", header), header, bold)


def _table(sheet: Any, columns: Sequence[str], rows: Iterable[Row], bold: Any) -> None:
    sheet.freeze_panes(1, 0)
    for index, column in enumerate(columns):
        sheet.set_column(index, index, _WIDTHS.get(column, 14))
    for index, column in enumerate(columns):
        sheet.write_string(0, index, column, bold)
        if column in LABELS:
            sheet.write_comment(0, index, " ".join(LABELS[column]))
    last = 0
    for last, row in enumerate(rows, 1):
        for index, column in enumerate(columns):
            _cell(sheet, last, index, row[column])
    sheet.autofilter(0, 0, last, len(columns) - 1)


def _case(sheet: Any, header: ListHeader, bold: Any) -> None:
    sheet.set_column(0, 0, 28)
    sheet.set_column(1, 1, 80)
    row = 0
    for row, (_, english, chinese, value) in enumerate(header.fields()):
        sheet.write_string(row, 0, f"{english} {chinese}", bold)
        sheet.write_string(row, 1, value)
    if header.drill_mark:
        sheet.write_string(row + 1, 0, "DRILL 演练", bold)
        sheet.write_string(row + 1, 1, header.drill_mark)


def _sheet(book: Any, name: str, header: ListHeader) -> Any:
    """A sheet that prints the case, its version and the hash on every page; of a drill, also the mark on every page."""
    sheet = book.add_worksheet(f"DRILL {name}" if header.drill_mark else name)
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    sheet.set_footer(f"&L&8{header.number} v{header.version} {header.hash}&R&8&P / &N")
    if header.drill_mark:
        sheet.set_header("&C&B&18DRILL 演练")
        sheet.set_tab_color("#C00000")
    return sheet


def _cell(sheet: Any, row: int, column: int, value: str | int | None) -> None:
    if isinstance(value, int):
        sheet.write_number(row, column, value)
    elif value:
        if len(value) > CELL_CHARACTERS_MAX:
            raise NoticeListTooLong(
                lines=f"a cell of {len(value)} characters among its", format="xlsx", lines_max=CELL_CHARACTERS_MAX,
                instead="csv or json",
            )  # fmt: skip
        sheet.write_string(row, column, value)
