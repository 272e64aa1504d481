"""Rows out of a CSV or an XLSX file, with the limits that keep a broken or hostile file from doing harm.

CSV may be UTF-8, UTF-16 or GB18030 with commas, semicolons or tabs. Of an XLSX the first sheet is read; what a formula
last showed is its value. Nothing is guessed of a cell here: a number stays a number, a date a date, so that whoever
reads the column can see what a spreadsheet program did to it.
"""

from __future__ import annotations

import codecs
import csv
import io
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, XmlError, ZipError

from ledger.xlsx_guard import XlsxNotSafe, check_xlsx
from runtime.refusals import Invalid, TooMany

BYTES_MAX: Final = 50 * 1024 * 1024
"""Largest file."""
ROWS_MAX: Final = 200_000
"""Most rows, the header included."""
COLUMNS_MAX: Final = 200
CELL_LENGTH_MAX: Final = 4_000
"""Most characters of one cell."""

Cell = str | int | float | bool | date | datetime | time | timedelta

_OLD_EXCEL: Final = b"\xd0\xcf\x11\xe0"
_DELIMITERS: Final = (",", ";", "\t", "|")


class FileTooLarge(TooMany):
    """{name} has more than {limit} {what}. Split it into several files."""


class FileNotReadable(Invalid):
    """{name} cannot be read as a table: {reason}"""


@dataclass(frozen=True, slots=True)
class Row:
    """One record. ``line`` is where it stands in the file, counted from 1; "" is an empty cell."""

    line: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """The header (as written), the records, and how the file was read (``encoding`` is ``xlsx`` for a workbook)."""

    header: tuple[str, ...]
    rows: tuple[Row, ...]
    encoding: str


def read_rows(data: bytes, name: str) -> Table:
    """The table in a file. Rows without any content are left out.

    Raises ``FileTooLarge`` at a limit, and ``FileNotReadable`` with what to do about it.
    """
    if len(data) > BYTES_MAX:
        raise FileTooLarge(name=name, limit=BYTES_MAX, what="bytes")
    if data.startswith(_OLD_EXCEL):
        raise FileNotReadable(
            name=name, reason="it is an old or encrypted Excel file; save it as .xlsx without a password."
        )
    rows, encoding = (_xlsx(data, name), "xlsx") if data.startswith(b"PK\x03\x04") else _csv(data, name)
    kept = [Row(line, _checked(cells, line, name)) for line, cells in rows if any(cell != "" for cell in cells)]
    if not kept:
        raise FileNotReadable(name=name, reason="it is empty; the first row must name the columns.")
    header = tuple(str(cell).strip() for cell in kept[0].cells)
    return Table(header, tuple(kept[1:]), encoding)


def _checked(cells: tuple[Cell, ...], line: int, name: str) -> tuple[Cell, ...]:
    """The cells of a row without the empty ones at its end."""
    length = max((index for index, cell in enumerate(cells, 1) if cell != ""), default=0)
    if length > COLUMNS_MAX:
        raise FileTooLarge(name=f"Row {line} of {name}", limit=COLUMNS_MAX, what="columns")
    if any(isinstance(cell, str) and len(cell) > CELL_LENGTH_MAX for cell in cells):
        raise FileTooLarge(name=f"A cell in row {line} of {name}", limit=CELL_LENGTH_MAX, what="characters")
    return cells[:length]


def _csv(data: bytes, name: str) -> tuple[list[tuple[int, tuple[Cell, ...]]], str]:
    text, encoding = _decoded(data, name)
    if "\x00" in text:
        raise FileNotReadable(name=name, reason="it has null characters; it is neither a CSV nor an XLSX file.")
    first = text.lstrip("\r\n").partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[tuple[int, tuple[Cell, ...]]] = []
    line = 1
    try:
        for cells in reader:
            rows.append((line, tuple(cell.strip() for cell in cells)))
            line = reader.line_num + 1
            if len(rows) > ROWS_MAX:
                raise FileTooLarge(name=name, limit=ROWS_MAX, what="rows")
    except csv.Error as error:
        reason = f"row {line} is broken ({error}); look for a quotation mark that is not closed."
        raise FileNotReadable(name=name, reason=reason) from error
    return rows, encoding


def _decoded(data: bytes, name: str) -> tuple[str, str]:
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if data.startswith(mark):
            return _with(data[len(mark) :], encoding, name), encoding
    if guess := _utf_16_without_mark(data):
        return _with(data, guess, name), guess
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return _with(data, "gb18030", name), "gb18030"


def _with(data: bytes, encoding: str, name: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        reason = f"byte {error.start + 1} is not {encoding.upper()}; save the file as CSV UTF-8 or as XLSX."
        raise FileNotReadable(name=name, reason=reason) from error


def _utf_16_without_mark(data: bytes) -> str | None:
    """Column names are Latin letters, so in UTF-16 every second byte at the beginning is zero."""
    head = data[:64]
    if len(head) >= 4 and head[1::2].count(0) * 4 > len(head):
        return "utf-16-le"
    if len(head) >= 4 and head[0::2].count(0) * 4 > len(head):
        return "utf-16-be"
    return None


def _xlsx(data: bytes, name: str) -> list[tuple[int, tuple[Cell, ...]]]:
    try:
        check_xlsx(data, rows_max=ROWS_MAX, columns_max=COLUMNS_MAX)
    except XlsxNotSafe as error:
        raise FileNotReadable(name=name, reason=str(error)) from error
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(data)) as book:
            rows: list[list[Cell]] = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except (CalamineError, PasswordError, XmlError, ZipError) as error:
        raise FileNotReadable(
            name=name, reason=f"the workbook is damaged ({error}); save it again as .xlsx."
        ) from error
    return [
        (line, tuple(cell.strip() if isinstance(cell, str) else cell for cell in row))
        for line, row in enumerate(rows, 1)
    ]
