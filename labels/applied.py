"""Commissioning by what was scanned: from the first code to the last, or by the file of what was really applied."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from gs1 import scan_data
from gs1.errors import GS1Error
from labels import store
from labels.job_serials import numbers_in_job
from labels.life import commission_pieces
from labels.model import Done, Job, LabelRange
from labels.refusals import AppliedNotTaken, CodeNotOfJob, ColumnMissing
from ledger.codes import KeyRing
from ledger.spreadsheets import Row, read_rows
from runtime.clock import Clock
from runtime.database import transaction
from runtime.refusals import Fault

CODE_COLUMNS: Final = ("digital_link", "code", "serial")
"""The columns by which a file names labels; the first that is there counts. A code pack has them."""


async def commission_codes(
    conn: AsyncConnection, job_id: int, first_code: str, last_code: str, *, place: str | None = None,
    at: datetime | None = None, by: str, clock: Clock, keys: KeyRing,
) -> Done:  # fmt: skip
    """The labels from one scanned code to another are on their items, both included; a roll may run either way.

    Refuses (CodeNotOfJob) a code that is no label of this job, and whatever ``life.commission`` refuses.
    """
    async with transaction(conn):
        job = await store.find_job(conn, job_id)
        found = await _labels_of(conn, job, (first_code, last_code), keys)
    for code, label in zip((first_code, last_code), found, strict=True):
        if isinstance(label, str):
            raise CodeNotOfJob(code=code[:200], job_id=job_id, why=label)
    first, last = sorted(label for label in found if isinstance(label, int))
    return await commission_pieces(conn, job_id, [(first, last)], place=place, at=at, by=by, clock=clock)


async def commission_file(
    conn: AsyncConnection, job_id: int, data: bytes, name: str, *, place: str | None = None,
    at: datetime | None = None, by: str, clock: Clock, keys: KeyRing,
) -> Done:  # fmt: skip
    """The labels in a CSV or XLSX file are on their items: what the line's scanner really saw, in any order.

    The file has a column ``digital_link``, ``code`` or ``serial``. It is taken whole or not at all: AppliedNotTaken has
    a fault for each row that names no label of this job, one named before, a void one, or one commissioned already
    (unless all are: then nothing changes).
    """
    column, rows = code_rows(data, name)
    async with transaction(conn):
        job = await store.find_job(conn, job_id)
        labels = await _labels_of(conn, job, [str(row.cells[column]) for row in rows], keys)
        done = await store.ranges(conn, job_id, 1, job.count)
    faults, before = _judge(rows, labels, done)
    if len(before) < len(rows):  # some are new: then none may have been told before
        faults += [Fault(f"row {line}", "this label is commissioned already; leave it out.") for line in before]
    if faults:
        raise AppliedNotTaken(name=name, count=len(faults), line=faults[0].where, what=faults[0].what, faults=faults)
    pieces = _pieces(label for label in labels if isinstance(label, int))
    return await commission_pieces(conn, job_id, pieces, place=place, at=at, by=by, clock=clock)


def code_rows(data: bytes, name: str) -> tuple[int, list[Row]]:
    """The rows of a file of codes that hold one, and the column of the code. Refuses a file without such a column."""
    table = read_rows(data, name)
    header = [cell.lower() for cell in table.header]
    column = next((header.index(wanted) for wanted in CODE_COLUMNS if wanted in header), None)
    if column is None:
        raise ColumnMissing(name=name, wanted=" or ".join(CODE_COLUMNS), found=", ".join(table.header) or "nothing")
    rows = [row for row in table.rows if len(row.cells) > column and row.cells[column] != ""]
    if not rows:
        raise AppliedNotTaken(name=name, count=1, line="row 2", what="the file names no label.")
    return column, rows


def _judge(
    rows: Sequence[Row], labels: Sequence[int | str], done: Sequence[LabelRange]
) -> tuple[list[Fault], list[int]]:
    """What is wrong with each row, and the lines of the labels that were commissioned before."""
    faults: list[Fault] = []
    before: list[int] = []
    line_by_label: dict[int, int] = {}
    firsts = [each.first for each in done]
    for row, label in zip(rows, labels, strict=True):
        where = f"row {row.line}"
        if isinstance(label, str):
            faults.append(Fault(where, f"it names no label of this job: {label}."))
            continue
        if label in line_by_label:
            faults.append(Fault(where, f"the same label stands in row {line_by_label[label]}."))
            continue
        line_by_label[label] = row.line
        at = bisect_right(firsts, label) - 1
        state = done[at].state if at >= 0 and label <= done[at].last else None
        if state == "void":
            faults.append(Fault(where, f"label {label} is void."))
        elif state == "commissioned":
            before.append(row.line)
    return faults, before


async def _labels_of(conn: AsyncConnection, job: Job, codes: Sequence[str], keys: KeyRing) -> list[int | str]:
    """The label number of each code, or why it is none of this job."""
    read = [_serial_of(job, code) for code in codes]
    serials = [serial for serial, why in read if not why]
    numbers = iter(await numbers_in_job(conn, job, serials, keys))
    found: list[int | str] = []
    for _, why in read:
        if why:
            found.append(why)
            continue
        number = next(numbers)
        label = None if number is None else job.numbers.label_of(number)
        found.append("no such serial was issued for it" if label is None else label)
    return found


def _serial_of(job: Job, code: str) -> tuple[str, str]:
    """The serial in a scanned code, or why there is none; a text that is no GS1 code is taken for the serial itself."""
    text = code.strip()
    if not text.startswith(("http", "/", "(", "]", "urn:", "\x1d")):
        return text, ""
    try:
        identifier = scan_data.read(text)
    except GS1Error as error:
        return "", f"it cannot be read ({error})"
    if identifier.gtin != job.gtin:
        return "", f"it is of {identifier.gtin or identifier.key}, not of {job.gtin}"
    if identifier.lot not in (None, job.lot):
        return "", f"it is of lot {identifier.lot}, not of {job.lot}"
    return (identifier.serial, "") if identifier.serial else ("", "it has no serial")


def _pieces(labels: Iterable[int]) -> list[tuple[int, int]]:
    """Label numbers as ranges from first to last, rising."""
    pieces: list[tuple[int, int]] = []
    for label in sorted(labels):
        if pieces and pieces[-1][1] == label - 1:
            pieces[-1] = (pieces[-1][0], label)
        else:
            pieces.append((label, label))
    return pieces
