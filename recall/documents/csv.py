"""The notice list as CSV: one row of column names, then the rows; UTF-8 with the mark by which spreadsheets see it."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from recall.documents.header import TOTALS_COLUMNS, ListHeader, put_in_place, totals_rows
from recall.notices import NOTICE_COLUMNS, Row

_FORMULA_STARTS: Final = tuple("=+-@\t\r\n＝＋－＠")


def write(rows: Sequence[Row], header: ListHeader, out: Path) -> list[Path]:
    """Write ``out``, and beside it the totals (``….totals.csv``)."""
    totals = out.with_name(f"{out.stem}.totals.csv")
    return [
        put_in_place(out, lambda path: _write(path, NOTICE_COLUMNS, rows)),
        put_in_place(
            totals,
            lambda path: _write(
                path, (*TOTALS_COLUMNS, "affected_set_hash"), _sealed(totals_rows(header.totals), header.hash)
            ),
        ),
    ]


def guarded(value: str | int | None) -> str | int:
    """A cell that no spreadsheet takes for a formula: text that begins like one gets an apostrophe in front (OWASP)."""
    if value is None:
        return ""
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return f"'{value}"
    return value


def _write(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows([guarded(row[name]) for name in columns] for row in rows)


def _sealed(rows: Iterable[Row], seal: str) -> Iterable[Row]:
    return ({**row, "affected_set_hash": seal} for row in rows)
