"""A partner's file in, the same file back with what is known of each row: streamed, and never a formula in it."""

from __future__ import annotations

import asyncio
import csv
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from portal import check_tables, check_wording
from portal.check_ods import OpenDocument
from portal.check_rows import Row, Status
from portal.check_tables import Columns, Kind
from portal.checks import Checker, harmless
from portal.language import ORIGINAL, Tongue

BATCH_ROWS: Final = 2_000
SHOWN_MAX: Final = 200
"""Rows that need somebody, told beside the file."""
ADDED: Final = (
    "tracemark_status",
    "verdict",
    "product",
    "lot",
    "recalls",
    "remark",
    "duplicate_of_row",
    "confirmed_at",
)
AFFECTED: Final = (Status.RECALLED, Status.CHECK_THE_SERIAL)

_SUFFIX = {Kind.TEXT: ".csv", Kind.WORKBOOK: ".xlsx", Kind.OPEN_DOCUMENT: ".ods"}


class Stopped(Exception):
    """Somebody asked for the work to end; what was written is thrown away."""


@dataclass(slots=True)
class Done:
    """What came of a file."""

    rows: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    shown: list[Row] = field(default_factory=list)
    """The first rows that are not ``NOT_RECALLED``; the file has them all."""
    input_sha256: str = ""
    result_sha256: str = ""

    @property
    def found_recalled(self) -> bool:
        """Something is recalled, or has to be checked by its serial."""
        return any(self.counts[status.value] for status in AFFECTED)


class _Out(Protocol):
    def write(self, cells: Sequence[str]) -> None:
        """Write one row."""

    def close(self) -> None:
        """Finish the file."""


def suffix(path: Path) -> str:
    """How the answer's name ends: text stays text, a workbook comes back as the kind of workbook that it was."""
    return _SUFFIX[check_tables.kind_of(path)]


async def check_file(
    source: Path,
    target: Path | None,
    columns: Columns,
    checker: Checker,
    *,
    confirmed_at: str,
    tell: Callable[[int], None] = lambda rows: None,
    keep: Callable[[Row], None] = lambda row: None,
    tongue: Tongue | None = None,
) -> Done:
    """Check all rows of ``source`` and write them with what is known to ``target`` (None: nothing is written).

    In the column of remarks the status and the remark are said in ``tongue``; without one the remark alone, in English.

    ``tell`` hears how many rows are done and may raise ``Stopped``; ``keep`` sees every row. The order stays. Refused
    files leave no ``target`` behind.
    """
    done = Done(input_sha256=file_sha256(source))
    draft = target.with_name(f".{target.name}.part") if target is not None else None
    out = _open(source, draft) if draft is not None else None
    try:
        await _run(source, columns, checker, done, out, confirmed_at=confirmed_at, tell=tell, keep=keep, tongue=tongue)
        if out is not None:
            out.close()
            out = None
        if draft is not None and target is not None:
            done.result_sha256 = file_sha256(draft)
            draft.rename(target)
    finally:
        if out is not None:
            out.close()
        if draft is not None:
            draft.unlink(missing_ok=True)
    return done


async def _run(
    source: Path,
    columns: Columns,
    checker: Checker,
    done: Done,
    out: _Out | None,
    *,
    confirmed_at: str,
    tell: Callable[[int], None],
    keep: Callable[[Row], None],
    tongue: Tongue | None,
) -> None:
    lines = check_tables.rows_of(source)
    if columns.has_header:
        head = next(lines, [])
        if out is not None:
            out.write([*head, *ADDED])
    elif out is not None:
        width = check_tables.preview(source).columns
        out.write([*(f"column_{number}" for number in range(1, width + 1)), *ADDED])
    width = 0
    for batch in _batches(lines):
        codes, faults = [], {}
        for index, line in enumerate(batch):
            code, fault = columns.code_of(line)
            codes.append(code)
            if fault:
                faults[index] = fault
        for line, row in zip(batch, await checker.rows(codes, faults), strict=True):
            done.counts[row.status.value] += 1
            if row.status is not Status.NOT_RECALLED and len(done.shown) < SHOWN_MAX:
                done.shown.append(row)
            keep(row)
            if out is not None:
                width = max(width, len(line))
                out.write([*line, *[""] * (width - len(line)), *_told(row, confirmed_at, tongue)])
        done.rows += len(batch)
        tell(done.rows)
        await asyncio.sleep(0)


def file_sha256(path: Path) -> str:
    """The hash of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _told(row: Row, confirmed_at: str, tongue: Tongue | None) -> list[str]:
    again = str(row.duplicate_of) if row.duplicate_of is not None else ""
    recalls = " ".join(row.recalls)
    product, what = row.product or "", row.what
    if tongue is not None and tongue.code != ORIGINAL:
        product, what = row.product_in(tongue), check_wording.remark_of(row, tongue)
    return [row.status.value, row.verdict.value, product, row.lot or "", recalls, what, again, confirmed_at]


def _batches(lines: Iterator[list[str]]) -> Iterator[list[list[str]]]:
    batch: list[list[str]] = []
    for line in lines:
        batch.append(line)
        if len(batch) == BATCH_ROWS:
            yield batch
            batch = []
    if batch:
        yield batch


def _open(source: Path, draft: Path) -> _Out:
    kind = check_tables.kind_of(source)
    if kind is not Kind.TEXT:
        return _Workbook(draft) if kind is Kind.WORKBOOK else OpenDocument(draft)
    is_list = check_tables.preview(source).columns == 1
    return _Text(draft, "," if is_list else check_tables.delimiter_of(source))


class _Text:
    """CSV with the delimiter of the file that came, in UTF-8 with a mark that spreadsheets know."""

    def __init__(self, path: Path, delimiter: str) -> None:
        self._file = path.open("w", encoding="utf-8-sig", newline="")
        self._writer = csv.writer(self._file, delimiter=delimiter)

    def write(self, cells: Sequence[str]) -> None:
        self._writer.writerow([harmless(cell) for cell in cells])

    def close(self) -> None:
        self._file.close()


class _Workbook:
    """XLSX written row by row, texts as texts: a spreadsheet neither calculates with them nor rounds them."""

    def __init__(self, path: Path) -> None:
        import xlsxwriter

        options = {"constant_memory": True, "tmpdir": str(path.parent), "strings_to_formulas": False}
        self._book: Any = xlsxwriter.Workbook(str(path), options)
        self._sheet = self._book.add_worksheet("checked")
        self._row = 0

    def write(self, cells: Sequence[str]) -> None:
        for column, cell in enumerate(cells):
            if cell:
                self._sheet.write_string(self._row, column, str(cell))
        self._row += 1

    def close(self) -> None:
        self._book.close()
