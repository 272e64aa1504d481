"""A partner's file as rows of text: CSV in the usual encodings, XLSX and ODS; and which of its columns hold what."""

from __future__ import annotations

import codecs
import csv
import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Self

import python_calamine

from portal import check_cells, checks, typed
from runtime.refusals import Invalid, TooMany

FILE_BYTES_MAX: Final = 50 * 1024 * 1024
FILE_ROWS_MAX: Final = 1_000_000
"""Rows of a file, the header beside them."""
COLUMNS_MAX: Final = 200
CELL_CHARACTERS_MAX: Final = 32_000
UNPACKED_BYTES_MAX: Final = 1024 * 1024 * 1024
"""A small workbook may unpack to a huge one: what it says of itself is looked at first."""
PREVIEW_ROWS: Final = 12
LOOKED_AT_ROWS: Final = 200

_SHARE_MIN: Final = 0.6
"""A column whose cells can be read as codes by this share is one of codes."""
_MEDIA_TYPE_AT: Final = 30
"""Where the name of the first entry of a ZIP begins; of an ODS it is ``mimetype``, stored (OpenDocument, 2, 3.3)."""
_ODS: Final = b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet"
_ENCODINGS: Final = ("utf-8-sig", "gb18030", "cp1252")
_DELIMITERS: Final = ",;\t|"
_LINES_LOOKED_AT: Final = 20
_CHUNK_BYTES: Final = 1024 * 1024


class FileUnreadable(Invalid):
    """The file cannot be read ({problem}). Save it as CSV (UTF-8) or XLSX and send it again."""


class FileTooLarge(TooMany):
    """The file has more than {most:,} {what}. Nothing was checked. Split the file."""


class ColumnUnknown(Invalid):
    """The file has no column {column} for {role}: it has {columns} columns, counted from 1."""


class NoColumnOfCodes(Invalid):
    """No column of the file holds codes. Say which one does: a column of codes, of SSCCs, or of GTINs."""


class Kind(StrEnum):
    """What a file is, by its content, not by its name."""

    TEXT = "text"
    WORKBOOK = "workbook"
    OPEN_DOCUMENT = "open_document"


ROLES: Final = ("code", "sscc", "gtin", "lot", "serial")
_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "code": (
        "digital_link",
        "code",
        "codes",
        "link",
        "url",
        "uri",
        "epc",
        "barcode",
        "qr",
        "二维码",
        "条码",
        "编码",
        "码",
    ),
    "sscc": ("sscc", "pallet", "case", "箱码", "托盘码", "托盘"),
    "gtin": ("gtin", "ean", "upc", "product_code", "商品条码", "商品编码"),
    "lot": ("lot", "batch", "lot_number", "batch_number", "批号", "批次"),
    "serial": ("serial", "serial_number", "sn", "序列号"),
}


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column (from 0) holds what; ``has_header``: the first row names the columns."""

    has_header: bool = False
    code: int | None = None
    sscc: int | None = None
    gtin: int | None = None
    lot: int | None = None
    serial: int | None = None

    def plain(self) -> dict[str, Any]:
        """The same for JSON."""
        return asdict(self)

    @classmethod
    def of(cls, plain: Mapping[str, Any], columns: int) -> Self:
        """From what ``plain`` gave, or a form; refuses columns that are not there, and none at all."""
        for role in ROLES:
            column = plain.get(role)
            if column is not None and not 0 <= column < columns:
                raise ColumnUnknown(column=column + 1, role=role, columns=columns)
        made = cls(**plain)
        if made.code is None and made.sscc is None and made.gtin is None:
            raise NoColumnOfCodes()
        return made

    def code_of(self, row: Sequence[str]) -> tuple[str, str]:
        """The code of a row in a form that is read, and what is known to be wrong with its cells."""
        for column in (self.code, self.sscc):
            cell = _cell(row, column)
            if cell:
                return cell, check_cells.damage_of(cell)
        gtin, lot, serial = (_cell(row, column) for column in (self.gtin, self.lot, self.serial))
        fault = next((found for cell in (gtin, lot, serial) if (found := check_cells.damage_of(cell))), "")
        if serial:
            return f"{gtin}/{lot}/{serial}", fault
        return (f"{gtin}:{lot}" if lot else gtin), fault


@dataclass(frozen=True, slots=True)
class Preview:
    """The first rows of a file and what its columns seem to hold."""

    kind: Kind
    rows: tuple[tuple[str, ...], ...]
    columns: int
    mapping: Columns | None
    sheet: str | None = None

    def plain(self) -> dict[str, Any]:
        """The same for JSON."""
        return {
            "kind": self.kind.value,
            "rows": [list(row) for row in self.rows],
            "columns": self.columns,
            "mapping": self.mapping.plain() if self.mapping else None,
            "sheet": self.sheet,
        }


def kind_of(path: Path) -> Kind:
    """By the first bytes: a ZIP is a workbook, and ODS says what it is; the old XLS is refused; the rest is text."""
    with path.open("rb") as file:
        head = file.read(_MEDIA_TYPE_AT + len(_ODS))
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise FileUnreadable(problem="it is an old or a locked workbook")
    if not head.startswith(b"PK\x03\x04"):
        return Kind.TEXT
    return Kind.OPEN_DOCUMENT if head[_MEDIA_TYPE_AT:] == _ODS else Kind.WORKBOOK


def rows_of(path: Path) -> Iterator[list[str]]:
    """All rows that are not empty. Refused: unreadable files, too many rows or columns, cells that are too long."""
    if path.stat().st_size > FILE_BYTES_MAX:
        raise FileTooLarge(most=FILE_BYTES_MAX, what="bytes")
    rows = _text_rows(path) if kind_of(path) is Kind.TEXT else _workbook_rows(path)
    for number, row in enumerate(rows, start=1):
        if number > FILE_ROWS_MAX + 1:
            raise FileTooLarge(most=FILE_ROWS_MAX, what="rows")
        if len(row) > COLUMNS_MAX:
            raise FileTooLarge(most=COLUMNS_MAX, what="columns")
        yield row


def preview(path: Path) -> Preview:
    """Look at the first rows and guess what the columns hold; ``mapping`` is None when none seems to hold codes."""
    rows: list[tuple[str, ...]] = []
    for row in rows_of(path):
        rows.append(tuple(row))
        if len(rows) > LOOKED_AT_ROWS:
            break
    if not rows:
        raise checks.ListEmpty()
    columns = max(len(row) for row in rows)
    sheet = None if kind_of(path) is Kind.TEXT else _sheet_name(path)
    return Preview(kind_of(path), tuple(rows[:PREVIEW_ROWS]), columns, detect(rows), sheet)


def detect(rows: Sequence[Sequence[str]]) -> Columns | None:
    """What the columns hold: by the names in the first row, else by what their cells can be read as."""
    names = [cell.strip().lower().replace(" ", "_").replace("-", "_") for cell in rows[0]]
    found: dict[str, int] = {}
    for role in ROLES:
        column = next((names.index(name) for name in _NAMES[role] if name in names), None)
        if column is not None:
            found[role] = column
    if {"code", "sscc", "gtin"} & set(found):
        return Columns(has_header=True, **found)
    columns = max(len(row) for row in rows)
    readable = [_readable(rows, column) for column in range(columns)]
    best = max(range(columns), key=lambda column: readable[column])
    if readable[best] < _SHARE_MIN and columns > 1:
        return None
    head = rows[0][best] if best < len(rows[0]) else ""
    has_header = len(rows) > 1 and checks.read(head)[0] is None and not any(c.isdigit() for c in head)
    return Columns(has_header=has_header, code=best)


def delimiter_of(path: Path) -> str:
    """What stands between the cells of a text file: what all its first rows hold. A tab when there is nothing: a code
    may hold a comma, and never a tab. A cell may hold a line break, so a row is not a line.
    """
    with io.TextIOWrapper(path.open("rb"), encoding=encoding_of(path), newline="") as file:
        first = [file.readline(CELL_CHARACTERS_MAX) for _ in range(_LINES_LOOKED_AT)]
    lines = [line for line in first if line.strip()]
    best, most = "\t", 0
    for delimiter in _DELIMITERS:
        rows = list(csv.reader(lines, delimiter=delimiter))
        whole = rows[:-1] if first[-1] and len(rows) > 1 else rows  # the last one may go on
        fewest = min((len(row) - 1 for row in whole), default=0)
        if fewest > most:
            best, most = delimiter, fewest
    return best


def encoding_of(path: Path) -> str:
    """The encoding in which the whole file can be read: UTF-8 and UTF-16 by what they are, then GB18030, CP1252."""
    with path.open("rb") as file:
        head = file.read(2)
    candidates = ("utf-16",) if head in (b"\xff\xfe", b"\xfe\xff") else _ENCODINGS
    for encoding in candidates:
        if _can_read(path, encoding):
            return encoding
    raise FileUnreadable(problem="its encoding is none of UTF-8, UTF-16, GB18030, CP1252")


def _can_read(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _text_rows(path: Path) -> Iterator[list[str]]:
    csv.field_size_limit(CELL_CHARACTERS_MAX)
    with path.open(encoding=encoding_of(path), newline="") as file:
        try:
            for row in csv.reader(file, delimiter=delimiter_of(path)):
                if any(cell.strip() for cell in row):
                    yield row
        except csv.Error as error:
            raise FileUnreadable(problem=str(error)) from error


def _workbook_rows(path: Path) -> Iterator[list[str]]:
    """The first visible sheet, from its first cell that holds something."""
    sheet = _first_sheet(path)
    for row in sheet.iter_rows():
        cells = [check_cells.text_of(value) for value in row]
        if any(len(cell) > CELL_CHARACTERS_MAX for cell in cells):
            raise FileTooLarge(most=CELL_CHARACTERS_MAX, what="characters in a cell")
        if any(cell.strip() for cell in cells):
            yield cells


def _first_sheet(path: Path) -> Any:
    try:
        with zipfile.ZipFile(path) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > UNPACKED_BYTES_MAX:
                raise FileTooLarge(most=UNPACKED_BYTES_MAX, what="bytes when it is unpacked")
        workbook = python_calamine.load_workbook(str(path))
        name = _visible_sheet(workbook)
        return workbook.get_sheet_by_name(name)
    except (python_calamine.CalamineError, zipfile.BadZipFile, OSError) as error:
        raise FileUnreadable(problem=str(error) or type(error).__name__) from error


def _visible_sheet(workbook: Any) -> str:
    for sheet in workbook.sheets_metadata:
        if sheet.visible == python_calamine.SheetVisibleEnum.Visible:
            return str(sheet.name)
    raise FileUnreadable(problem="no sheet of it can be seen")


def _sheet_name(path: Path) -> str:
    return _visible_sheet(python_calamine.load_workbook(str(path)))


def _readable(rows: Sequence[Sequence[str]], column: int) -> float:
    cells = [cell for row in rows[:LOOKED_AT_ROWS] if (cell := _cell(row, column))]
    if not cells:
        return 0.0
    return sum(checks.read(cell)[0] is not None or bool(check_cells.damage_of(cell)) for cell in cells) / len(cells)


def _cell(row: Sequence[str], column: int | None) -> str:
    if column is None or column >= len(row):
        return ""
    cell = row[column]
    if isinstance(cell, check_cells.Damaged):
        return cell
    return cell.strip(typed.SPACES)
