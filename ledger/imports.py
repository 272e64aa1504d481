"""Files of parties, places, products, lots, inspections and shipments: taken whole, or not at all.

One header row, one record a row. Each record is put on record by the very functions that the rest of the ledger uses; a
cell that is empty leaves what is on record as it is. Importing the same file again changes nothing.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from gs1.errors import GS1Error
from ledger import import_rows, shipments
from ledger.cells import CellWrong, Notes
from ledger.codes import KeyRing
from ledger.import_kinds import KINDS, Draft, Kind, RowWrong, ShipmentDraft
from ledger.import_words_zh import NAME_BY_COLUMN, column_of
from ledger.spreadsheets import FileNotReadable, FileTooLarge, Row, Table, read_rows
from runtime.clock import Clock
from runtime.database import transaction
from runtime.refusals import Fault, Invalid, NotFound, Refusal

__all__ = ["FileNotReadable", "FileTooLarge", "ImportRefused", "ImportReport", "import_file", "kinds", "template"]

FAULTS_MAX: Final = 200
"""After so many refused cells the rest of a file is not looked at; the report says so."""
VALUE_SHOWN_MAX: Final = 80
"""Characters of a refused value that are shown."""

Outcome = Literal["new", "changed", "unchanged"]


class UnknownKind(NotFound):
    """There is no import of {kind}; choose one of: {kinds}"""


class HeaderWrong(Invalid):
    """The header of {name} cannot be used: {what} Nothing was changed."""


class ImportRefused(Invalid):
    """{name} was not taken: {count} cell(s) or row(s) are wrong, first {where}: {what} Nothing was changed."""


@dataclass(frozen=True, slots=True)
class RowFault:
    """What is wrong in a row: ``column`` is "" when it is the row as a whole; ``hint`` says what to write instead."""

    line: int
    column: str
    value: str
    reason: str
    hint: str

    def fault(self) -> Fault:
        """The same for people: where, and what to mend."""
        where = f"row {self.line}" + (f", column {self.column}" if self.column else "")
        value = f"“{self.value}” " if self.value else ""
        return Fault(where, f"{value}{self.reason}" + (f"; {self.hint}." if self.hint else "."))


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did, or (``dry_run``) would do. ``new``, ``changed`` and ``unchanged`` count rows.

    ``notes`` say what was repaired or assumed. ``refused`` is filled by a dry run only: without it, wrong rows raise.
    """

    kind: str
    name: str
    encoding: str
    rows: int
    new: int
    changed: int
    unchanged: int
    notes: tuple[str, ...]
    refused: tuple[RowFault, ...]
    dry_run: bool


class _OnlyTried(Exception):
    """Not an error: the way out of a transaction that shall leave nothing behind."""


@dataclass(slots=True)
class _Reading:
    """The records of a file, and what was found on the way."""

    records: list[tuple[int, Mapping[str, Any], tuple[Draft, ...]]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    faults: list[RowFault] = field(default_factory=list)


def kinds() -> tuple[str, ...]:
    """The kinds of files that are taken."""
    return tuple(KINDS)


def template(kind: str, *, language: Literal["zh", "en"] = "en") -> str:
    """A CSV file with the columns of this kind and one example row, which the import takes as it stands.

    In Chinese it begins with a byte order mark: without one, spreadsheet programs there open it as GB18030.
    """
    columns = _kind(kind).columns
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    if language == "zh":
        out.write("\ufeff")
    writer.writerow([NAME_BY_COLUMN[column.name] if language == "zh" else column.name for column in columns])
    writer.writerow([column.example for column in columns])
    return out.getvalue()


async def import_file(
    conn: AsyncConnection,
    kind: str,
    path_or_bytes: Path | bytes,
    *,
    by: str,
    clock: Clock,
    keys: KeyRing,
    dry_run: bool = False,
    name: str | None = None,
) -> ImportReport:
    """Take a file whole, or refuse it whole; a dry run changes nothing and reports what would change.

    Raises ``UnknownKind``, ``FileTooLarge``, ``FileNotReadable``, ``HeaderWrong``; and without ``dry_run``
    ``ImportRefused`` with a fault for each wrong cell, or the refusal of what the shipments did.
    """
    wanted = _kind(kind)
    data = path_or_bytes if isinstance(path_or_bytes, bytes) else path_or_bytes.read_bytes()
    name = name or (path_or_bytes.name if isinstance(path_or_bytes, Path) else f"The {kind} file")
    table = read_rows(data, name)
    columns = _columns(table, wanted, name)
    reading = _read(table, wanted, columns)
    outcomes: list[Outcome] = []
    try:
        async with transaction(conn):
            outcomes = await _put(conn, reading, by=by, clock=clock, keys=keys)
            if dry_run or reading.faults:
                raise _OnlyTried
    except _OnlyTried:
        if not dry_run:
            raise _refusal(name, reading.faults) from None
    counts = {outcome: outcomes.count(outcome) for outcome in ("new", "changed", "unchanged")}
    notes, refused = tuple(reading.notes), tuple(reading.faults)
    return ImportReport(
        kind, name, table.encoding, len(table.rows), notes=notes, refused=refused, dry_run=dry_run, **counts
    )


def _kind(kind: str) -> Kind:
    if kind not in KINDS:
        raise UnknownKind(kind=kind, kinds=", ".join(KINDS))
    return KINDS[kind]


def _columns(table: Table, kind: Kind, name: str) -> list[str | None]:
    """The column of each cell of a row; None where the header is empty."""
    known = kind.column_by_name
    found: list[str | None] = []
    faults: list[Fault] = []
    for place, written in enumerate(table.header, 1):
        column = column_of(written) or written.lower().replace(" ", "_").replace("-", "_")
        if not column:
            found.append(None)
        elif column not in known:
            near = get_close_matches(column, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known are: {', '.join(known)}."
            faults.append(Fault(f"column {place}", f"There is no column “{written}”; {hint}"))
        elif column in found:
            faults.append(Fault(f"column {place}", f"The column {column} stands twice."))
        else:
            found.append(column)
    missing = [column.name for column in kind.columns if column.is_required and column.name not in found]
    if not faults:  # a misspelt column is not missing as well
        faults = [Fault("header", f"The column {column} is missing.") for column in missing]
    if faults:
        raise HeaderWrong(name=name, what=" ".join(fault.what for fault in faults[:3]), faults=faults)
    return found


def _read(table: Table, kind: Kind, columns: Sequence[str | None]) -> _Reading:
    reading = _Reading()
    for row in table.rows:
        if len(reading.faults) >= FAULTS_MAX:
            reading.faults.append(RowFault(row.line, "", "", "and all that follow were not looked at", ""))
            break
        values = _values(row, kind, columns, reading)
        if values is None:
            continue
        try:
            reading.records.append((row.line, values, kind.drafts(values)))
        except RowWrong as wrong:
            shown = str(values.get(wrong.column, ""))
            reading.faults.append(RowFault(row.line, wrong.column, shown, wrong.reason, wrong.hint))
    return reading


def _values(row: Row, kind: Kind, columns: Sequence[str | None], reading: _Reading) -> Mapping[str, Any] | None:
    """The filled cells of a row, read; None when any is wrong."""
    if len(row.cells) > len(columns):
        extra = str(row.cells[-1])[:VALUE_SHOWN_MAX]
        hint = "a text with a comma in it has to stand in quotation marks"
        reading.faults.append(RowFault(row.line, "", extra, "stands in a cell that has no column", hint))
        return None
    values: dict[str, Any] = {}
    wrong = False
    for name, cell in zip(columns, row.cells, strict=False):
        if name is None or cell == "":
            continue
        notes = Notes()
        try:
            values[name] = kind.column_by_name[name].read(cell, notes)
        except CellWrong as error:
            wrong = True
            fault = RowFault(row.line, name, str(cell)[:VALUE_SHOWN_MAX], error.reason, error.hint)
            reading.faults.append(fault)
        reading.notes.extend(f"Row {row.line}, column {name}: “{cell}” {note}." for note in notes.told)
    for column in kind.columns:
        if column.is_required and column.name in columns and column.name not in values and not wrong:
            wrong = True
            reading.faults.append(RowFault(row.line, column.name, "", "is empty", "fill it in"))
    return None if wrong else values


async def _put(conn: AsyncConnection, reading: _Reading, *, by: str, clock: Clock, keys: KeyRing) -> list[Outcome]:
    """Put all records on record; what is refused is added to the faults."""
    outcomes: list[Outcome] = []
    lines: list[shipments.Line] = []
    for line, values, drafts in reading.records:
        if len(reading.faults) >= FAULTS_MAX:
            break
        try:
            for draft in drafts:
                if isinstance(draft, ShipmentDraft):
                    lines.append(await shipments.line_of(conn, draft, keys))
                    continue
                outcome = await import_rows.put(conn, draft, values)
                if draft is drafts[0]:
                    outcomes.append(outcome)
                elif outcome != "unchanged" and outcomes[-1] == "unchanged":
                    outcomes[-1] = "changed"
        except (Refusal, GS1Error) as refusal:
            reading.faults.append(_row_fault(line, values, refusal))
    if lines and not reading.faults:
        outcomes.extend(await shipments.record_lines(conn, lines, by=by, clock=clock, keys=keys))
    return outcomes


def _row_fault(line: int, values: Mapping[str, Any], refusal: Refusal | GS1Error) -> RowFault:
    """The refusal of a row, at the cell that it speaks of."""
    if isinstance(refusal, GS1Error):
        return RowFault(line, "code", str(values.get("code", ""))[:VALUE_SHOWN_MAX], "cannot be read", str(refusal))
    spoken_of = {value for value in refusal.values.values() if isinstance(value, str)}
    column = next((name for name, value in values.items() if value in spoken_of), "")
    shown = str(values.get(column, ""))[:VALUE_SHOWN_MAX]
    return RowFault(line, column, shown, f"was refused: {refusal.sentence().rstrip('.')}", "")


def _refusal(name: str, faults: Sequence[RowFault]) -> ImportRefused:
    shown = [fault.fault() for fault in faults]
    return ImportRefused(name=name, count=len(faults), where=shown[0].where, what=shown[0].what, faults=shown)


def faults_as_rows(refused: Sequence[RowFault]) -> Iterator[dict[str, Any]]:
    """For machines: line, column, value, reason and hint of each refused row."""
    for fault in refused:
        yield {name: getattr(fault, name) for name in ("line", "column", "value", "reason", "hint")}
