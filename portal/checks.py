"""A partner's list of codes: the same list back, a status for each row. Unknown is never folded into not recalled."""

from __future__ import annotations

import asyncio
import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final

from gs1 import scan_data
from gs1.errors import GS1Error
from gs1.identifier import Granularity, Identifier
from portal import units
from portal.live import ContentsTooMany, Live
from portal.model import Confirmation, Finding, Verdict
from portal.snapshot import Snapshot
from portal.verdict import judge, shown_cases
from portal.wording import quantity
from runtime.refusals import Invalid, TooMany

PAGE_ROWS_MAX: Final = 1_000
API_ROWS_MAX: Final = 10_000
UNITS_MAX: Final = 200
"""Cases and pallets in one list: what each holds is read live."""
CODE_LENGTH_MAX: Final = 2_048
AT_A_TIME: Final = 100
"""Rows judged before other requests are let pass."""

_SPREADSHEET_NUMBER = re.compile(r"[0-9][.,][0-9]+E\+?[0-9]+", re.I)
_BREAKS = re.compile(r"[\r\n\t]+")
_SPACES: Final = " \t\r\n\u00a0\u3000\ufeff"  # not what Python strips: FNC1 (0x1D) means something in a code
_CODE_COLUMNS: Final = ("digital_link", "code", "link", "url", "epc", "sscc")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


class ListTooLong(TooMany):
    """The list has {rows} codes; at most {rows_max} are checked at once. Nothing was checked. Split the list."""


class ListEmpty(Invalid):
    """There is no code in what was sent. Give one code per line."""


class FileUnreadable(Invalid):
    """The file cannot be read as text ({problem}). Save it as CSV (UTF-8) and send it again."""


class Status(StrEnum):
    """What a partner does with a row."""

    RECALLED = "RECALLED"
    NOT_RECALLED = "NOT_RECALLED"
    CHECK_THE_SERIAL = "CHECK_THE_SERIAL"
    UNKNOWN_CODE = "UNKNOWN_CODE"
    UNREADABLE = "UNREADABLE"
    NOT_OURS = "NOT_OURS"
    UNDER_REVIEW = "UNDER_REVIEW"
    CANNOT_CONFIRM = "CANNOT_CONFIRM"


_STATUS_BY_VERDICT: Final = {
    Verdict.RECALLED: Status.RECALLED,
    Verdict.CHECK_THE_SERIAL: Status.CHECK_THE_SERIAL,
    Verdict.UNKNOWN_CODE: Status.UNKNOWN_CODE,
    Verdict.UNREADABLE: Status.UNREADABLE,
    Verdict.CANNOT_CONFIRM: Status.CANNOT_CONFIRM,
    # Not a recall, and not to be sold on as if nothing were: a person has to look.
    Verdict.WITHDRAWN: Status.UNDER_REVIEW,
    Verdict.BLOCKED: Status.UNDER_REVIEW,
    Verdict.NOT_ACTIVE: Status.UNDER_REVIEW,
    Verdict.UNUSUAL: Status.UNDER_REVIEW,
}


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the answer, in the order asked."""

    code: str
    status: Status
    verdict: Verdict
    gtin: str | None = None
    lot: str | None = None
    serial: str | None = None
    sscc: str | None = None
    product: str | None = None
    recalls: tuple[str, ...] = ()
    what: str = ""
    duplicate_of: int | None = None
    """The row (from 1) in which the same code stood first."""

    def document(self) -> dict[str, Any]:
        """The row as JSON."""
        return {
            "code": self.code,
            "status": self.status.value,
            "verdict": self.verdict.value,
            "gtin": self.gtin,
            "lot": self.lot,
            "serial": self.serial,
            "sscc": self.sscc,
            "product": self.product,
            "recalls": list(self.recalls),
            "what": self.what,
            "duplicate_of": self.duplicate_of,
        }


async def check(
    codes: Sequence[str], *, snapshot: Snapshot, confirmation: Confirmation, today: date, live: Live, rows_max: int
) -> list[Row]:
    """A status for each code, in the same order. Raises ``ListTooLong``, ``ListEmpty``; nothing is checked in part."""
    if len(codes) > rows_max:
        raise ListTooLong(rows=len(codes), rows_max=rows_max)
    if not codes:
        raise ListEmpty()
    rows: list[Row] = []
    first: dict[str, int] = {}
    units_read = 0
    for index, code in enumerate(codes):
        identifier, fault = read(code)
        if identifier is None:
            row = Row(code, Status.UNREADABLE, Verdict.UNREADABLE, what=fault)
        elif identifier.granularity is Granularity.LOGISTIC_UNIT:
            units_read += 1
            row = await _unit_row(code, identifier, snapshot, confirmation, live if units_read <= UNITS_MAX else None)
        else:
            row = check_one(code, identifier, snapshot, confirmation, today)
        rows.append(row if code not in first else _again(row, first[code]))
        first.setdefault(code, index + 1)
        if index % AT_A_TIME == AT_A_TIME - 1:
            await asyncio.sleep(0)
    return rows


def check_one(code: str, identifier: Identifier, snapshot: Snapshot, confirmation: Confirmation, today: date) -> Row:
    """The row of a product, a lot or an item."""
    finding = snapshot.find(identifier)
    verdict = judge(finding, is_fresh=confirmation.is_fresh, today=today)
    status = _STATUS_BY_VERDICT.get(verdict, Status.NOT_RECALLED)
    if verdict is Verdict.UNKNOWN_CODE and finding.product is None:
        status = Status.NOT_OURS
    lot = finding.lot.code if finding.lot is not None else identifier.lot
    return Row(
        code=code,
        status=status,
        verdict=verdict,
        gtin=identifier.gtin,
        lot=lot or None,
        serial=identifier.serial,
        product=finding.product.name if finding.product is not None else None,
        recalls=tuple(case.number for case in shown_cases(finding, verdict)),
        what=_remark(finding, verdict),
    )


def read(code: str) -> tuple[Identifier | None, str]:
    """The identifier, or None and what is wrong with the text."""
    if len(code) > CODE_LENGTH_MAX:
        return None, f"The code has more than {CODE_LENGTH_MAX} characters."
    if _SPREADSHEET_NUMBER.fullmatch(code):
        return (
            None,
            "A spreadsheet turned this number into a rounded one. Format the column as text and enter it again.",
        )
    try:
        return scan_data.read(code), ""
    except GS1Error as error:
        return None, str(error)


def codes_of_text(text: str) -> list[str]:
    """One code per line; tabs separate too, as handheld scanners and spreadsheets paste them."""
    return [code for part in _BREAKS.split(text) if (code := part.strip(_SPACES))]


def codes_of_file(body: bytes) -> list[str]:
    """The codes of a CSV file: the column named as one, else gtin with lot and serial, else the first column."""
    rows = [row for row in csv.reader(io.StringIO(_decoded(body))) if any(cell.strip() for cell in row)]
    if not rows:
        return []
    header = [cell.strip(_SPACES).lower() for cell in rows[0]]
    column = next((header.index(name) for name in _CODE_COLUMNS if name in header), None)
    if column is not None:
        return [_cell(row, column) for row in rows[1:]]
    if "gtin" in header:
        places = [header.index(name) for name in ("gtin", "lot", "serial") if name in header]
        return [
            _assembled([_cell(row, place) for place in places], [header[place] for place in places]) for row in rows[1:]
        ]
    return [_cell(row, 0) for row in rows]


def as_csv(rows: Iterable[Row]) -> bytes:
    """The list with its statuses, for a spreadsheet: no cell is taken as a formula."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(("code", "status", "verdict", "gtin", "lot", "serial", "sscc", "product", "recalls", "remark"))
    for row in rows:
        cells = (row.code, row.status.value, row.verdict.value, row.gtin, row.lot, row.serial, row.sscc, row.product)
        writer.writerow([_harmless(cell or "") for cell in (*cells, " ".join(row.recalls), row.what)])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def summary(rows: Sequence[Row]) -> dict[str, int]:
    """How many rows have each status that occurs."""
    return {status.value: n for status in Status if (n := sum(row.status is status for row in rows))}


async def _unit_row(
    code: str, identifier: Identifier, snapshot: Snapshot, confirmation: Confirmation, live: Live | None
) -> Row:
    if live is None:
        what = f"Only {UNITS_MAX} cases or pallets are looked into at once."
        return Row(code, Status.CANNOT_CONFIRM, Verdict.CANNOT_CONFIRM, sscc=identifier.sscc, what=what)
    try:
        contents = await live.contents(identifier.value)
        exists = True if contents else await live.unit_exists(identifier.value)
    except ContentsTooMany:
        contents, exists = None, None
    held = units.lines(contents, snapshot) if contents is not None else None
    verdict = units.judge_unit(held, exists=exists, is_fresh=confirmation.is_fresh)
    recalled = sum(line.recalled for line in held or ())
    inside = sum(line.quantity for line in held or ())
    return Row(
        code=code,
        status=_STATUS_BY_VERDICT.get(verdict, Status.NOT_RECALLED),
        verdict=verdict,
        sscc=identifier.sscc,
        recalls=tuple(case.number for case in units.recalls_in(held or ())),
        what=f"{quantity(recalled, '')} of {quantity(inside, '')} inside are recalled." if recalled else "",
    )


def _remark(finding: Finding, verdict: Verdict) -> str:
    if finding.is_suspect:
        return "The lot in the code is not the lot on record."
    if verdict is Verdict.UNKNOWN_CODE and finding.product is not None:
        return "The product is known, this lot or item is not."
    return ""


def _again(row: Row, first: int) -> Row:
    return Row(**{**{name: getattr(row, name) for name in Row.__slots__}, "duplicate_of": first})


def _decoded(body: bytes) -> str:
    encodings = ("utf-16",) if body[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            return body.decode(encoding)
        except UnicodeDecodeError as error:
            problem = f"{encoding}: {error.reason}"
    raise FileUnreadable(problem=problem)


def _assembled(values: list[str], names: list[str]) -> str:
    """The forms in which ``gs1.scan_data`` reads a GTIN with a lot, a serial, or both."""
    by_name = dict(zip(names, values, strict=True))
    gtin, lot, serial = (by_name.get(name, "") for name in ("gtin", "lot", "serial"))
    if serial:
        return f"{gtin}/{lot}/{serial}"
    return f"{gtin}:{lot}" if lot else gtin


def _cell(row: Sequence[str], column: int) -> str:
    return row[column].strip(_SPACES) if column < len(row) else ""


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
