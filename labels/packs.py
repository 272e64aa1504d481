"""Code packs for print houses: lists of chosen columns, a file for each roll, sealed and signed.

A pack is a folder or an encrypted archive (WZ-AES-256, which 7-Zip and WinZip open) with the lists and manifest.json.
The manifest names what is in the pack and is signed with Ed25519: a print house that has our public key knows that the
codes are ours and whole.
"""

from __future__ import annotations

import asyncio
import csv
import hashlib
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pyzipper
import xlsxwriter
from sqlalchemy.ext.asyncio import AsyncConnection

from access import audit
from labels import store
from labels.job_serials import serials_of
from labels.model import Job, OutputFile
from labels.ordering import require_printable, subject
from labels.pack_manifest import MANIFEST_NAME, PackFile, signed_manifest
from labels.printable import printable_pieces
from labels.refusals import (
    ColumnUnknown,
    NothingLeftToRender,
    OutputExists,
    PackFormatUnknown,
    RollNotUsable,
    TooManyLabelsForOneFile,
)
from ledger import master_data
from ledger.codes import KeyRing
from runtime.clock import Clock
from runtime.database import transaction

PACKED: Final = "labels.pack"
COLUMNS: Final = (
    "label_number", "serial", "digital_link", "gtin", "lot", "element_string", "best_before_on", "roll",
)  # fmt: skip
DEFAULT_COLUMNS: Final = ("digital_link", "gtin", "lot", "serial", "label_number")
FILE_FORMATS: Final = ("csv", "txt", "xlsx")
ROLLS_MAX: Final = 10_000
"""Files of one pack."""
XLSX_ROWS_MAX: Final = 1_000_000
"""Codes of one workbook; a longer list is divided into rolls."""
PASSWORD_BYTES: Final = 18
LABELS_MAX: Final = 2_000_000
"""Codes of one pack; a larger job is rendered as ``codes``, which is written as it is made."""


@dataclass(frozen=True, slots=True)
class PackOrder:
    """What a print house asked for. ``per_roll`` None = one file; ``password`` None = a folder, not sealed."""

    recipient: str
    file_format: str = "csv"
    columns: tuple[str, ...] = DEFAULT_COLUMNS
    per_roll: int | None = None
    password: str | None = None


@dataclass(frozen=True, slots=True)
class Pack:
    """A finished pack: ``path`` is the archive, or the folder."""

    path: Path
    files: int
    labels: int
    label_first: int
    label_last: int
    sha256: str
    public_key: str


def new_password() -> str:
    """A password for one archive, to be told once and by another way than the archive."""
    return secrets.token_urlsafe(PASSWORD_BYTES)


async def make_pack(
    conn: AsyncConnection, job_id: int, out: Path, asked: PackOrder, *, by: str, clock: Clock, keys: KeyRing,
    master_secret: str,
) -> Pack:  # fmt: skip
    """List the codes of a job that are neither void nor recalled, a file for each ``per_roll``, with a signed manifest.

    Refuses unknown columns and formats, rolls of less than one label or more than ROLLS_MAX of them, a place that is
    taken, and a lot that is held, rejected or recalled. A failure leaves nothing behind.
    """
    _check(asked)
    if out.exists():
        raise OutputExists(path=out, job_id=job_id)
    async with transaction(conn):
        job, labels = await _labels(conn, job_id)
        if job.count > LABELS_MAX:
            raise TooManyLabelsForOneFile(format="pack", labels_max=LABELS_MAX)
        serials = await serials_of(conn, job, keys, 1, job.count)
    per_roll = asked.per_roll or len(labels)
    if -(-len(labels) // per_roll) > ROLLS_MAX or (asked.file_format == "xlsx" and per_roll > XLSX_ROWS_MAX):
        raise RollNotUsable(per_roll=per_roll, rolls_max=ROLLS_MAX, rows_max=XLSX_ROWS_MAX)
    out.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=".pack-", dir=out.parent))
    try:
        contents = _Contents(job, labels, serials, asked, per_roll)
        ready, pack = await asyncio.to_thread(_write, contents, folder, out, clock(), master_secret)
        output = OutputFile(out, "codes", pack.sha256, _bytes(ready), labels[0], labels[-1], len(labels), None)
        async with transaction(conn):
            await store.lock_job(conn, job_id)
            await require_printable(conn, await master_data.get_lot(conn, job.gtin, job.lot))
            await store.add_output(conn, job_id, output, by=by, at=clock())
            details = {"recipient": asked.recipient, "labels": len(labels), "sha256": pack.sha256}
            await audit.note(conn, by, PACKED, subject(job_id), details, clock)
            ready.rename(out)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return pack


@dataclass(frozen=True, slots=True)
class _Contents:
    """The labels of a pack: their numbers, and the serials of all labels of the job."""

    job: Job
    labels: Sequence[int]
    serials: Sequence[str]
    asked: PackOrder
    per_roll: int

    def rolls(self) -> Iterator[tuple[int, Sequence[int]]]:
        for roll, start in enumerate(range(0, len(self.labels), self.per_roll), 1):
            yield roll, self.labels[start : start + self.per_roll]

    def row(self, roll: int, label: int) -> list[Any]:
        job, serial = self.job, self.serials[label - 1]
        values = {
            "label_number": label, "serial": serial, "digital_link": job.form.link(serial), "gtin": job.gtin,
            "lot": job.lot, "roll": roll,
            "best_before_on": "" if job.best_before_on is None else job.best_before_on.isoformat(),
            "element_string": _elements(job, serial),
        }  # fmt: skip
        return [values[column] for column in self.asked.columns]


def _elements(job: Job, serial: str) -> str:
    expiry = "" if job.best_before_on is None else f"(17){job.best_before_on:%y%m%d}"
    return f"(01){job.gtin}(21){serial}{expiry}(10){job.lot}"


def _check(asked: PackOrder) -> None:
    unknown = [column for column in asked.columns if column not in COLUMNS]
    if unknown or not asked.columns or len(set(asked.columns)) != len(asked.columns):
        raise ColumnUnknown(column=", ".join(unknown) or "twice the same, or none", known=", ".join(COLUMNS))
    if asked.file_format not in FILE_FORMATS:
        raise PackFormatUnknown(format=asked.file_format, known=", ".join(FILE_FORMATS))
    if asked.per_roll is not None and asked.per_roll < 1:
        raise RollNotUsable(per_roll=asked.per_roll, rolls_max=ROLLS_MAX, rows_max=XLSX_ROWS_MAX)


async def _labels(conn: AsyncConnection, job_id: int) -> tuple[Job, list[int]]:
    job = await store.find_job(conn, job_id)
    await require_printable(conn, await master_data.get_lot(conn, job.gtin, job.lot))
    labels = [label for first, last in await printable_pieces(conn, job) for label in range(first, last + 1)]
    if not labels:
        raise NothingLeftToRender(job_id=job_id)
    return job, labels


def _write(contents: _Contents, folder: Path, out: Path, created_at: datetime, master_secret: str) -> tuple[Path, Pack]:
    """The pack under another name in ``folder``, and its description."""
    asked, inner = contents.asked, folder / "pack"
    inner.mkdir()
    files = [_write_roll(contents, inner, roll, labels) for roll, labels in contents.rolls()]
    job, labels = contents.job, contents.labels
    about = {
        "job": job.job_id, "gtin": job.gtin, "lot": job.lot, "lot_in_link": job.lot_in_link,
        "labels": len(labels), "first_label": labels[0], "last_label": labels[-1], "columns": list(asked.columns),
        "recipient": asked.recipient, "created_at": created_at.isoformat(),
    }  # fmt: skip
    manifest, public_key = signed_manifest(about, files, master_secret)
    (inner / MANIFEST_NAME).write_bytes(manifest)
    ready = inner if asked.password is None else _seal(inner, folder / "pack.zip", asked.password)
    sha256 = _sha256(inner / MANIFEST_NAME if asked.password is None else ready)
    return ready, Pack(out, len(files), len(labels), labels[0], labels[-1], sha256, public_key)


def _write_roll(contents: _Contents, folder: Path, roll: int, labels: Sequence[int]) -> PackFile:
    asked = contents.asked
    path = folder / (f"roll-{roll:05}.{asked.file_format}" if asked.per_roll else f"codes.{asked.file_format}")
    rows = (contents.row(roll, label) for label in labels)
    if asked.file_format == "xlsx":
        with xlsxwriter.Workbook(path, {"constant_memory": True, "strings_to_urls": False}) as book:
            sheet = book.add_worksheet("codes")
            for index, row in enumerate(_with_head(asked, rows)):
                for column, value in enumerate(row):
                    (sheet.write_number if isinstance(value, int) else sheet.write_string)(index, column, value)
    else:
        with path.open("w", encoding="utf-8", newline="") as file:
            delimiter = "," if asked.file_format == "csv" else "\t"
            csv.writer(file, delimiter=delimiter, lineterminator="\r\n").writerows(_with_head(asked, rows))
    return PackFile(path.name, len(labels), labels[0], labels[-1], path.stat().st_size, _sha256(path))


def _with_head(asked: PackOrder, rows: Iterator[list[Any]]) -> Iterator[list[Any]]:
    yield list(asked.columns)
    yield from rows


def _seal(folder: Path, target: Path, password: str) -> Path:
    with pyzipper.AESZipFile(target, "w", compression=pyzipper.ZIP_DEFLATED, encryption=pyzipper.WZ_AES) as archive:
        archive.setpassword(password.encode())
        for path in sorted(folder.iterdir()):
            archive.write(path, path.name)
    return target


def _bytes(ready: Path) -> int:
    return ready.stat().st_size if ready.is_file() else sum(path.stat().st_size for path in ready.iterdir())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
