"""Code packs for print houses: lists of chosen columns, a file for each roll, sealed and signed.

A pack is a folder or an encrypted archive (WZ-AES-256, which 7-Zip and WinZip open) with the lists and manifest.json.
The manifest names what is in the pack and is signed with Ed25519: a print house that has our public key knows that the
codes are ours and whole.
"""

from __future__ import annotations

import asyncio
import base64
import csv
import hashlib
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import pyzipper
import xlsxwriter
from sqlalchemy.ext.asyncio import AsyncConnection

from access import audit
from labels import store
from labels.job_serials import serials_of
from labels.model import Batch, Job, LinkForm, OutputFile, texts
from labels.ordering import require_printable, subject
from labels.pack_manifest import MANIFEST_NAME, PackFile, signed_manifest
from labels.parts import Part, Pieces, count, cut_lists
from labels.printable import printable_pieces
from labels.refusals import (
    ColumnUnknown,
    NothingLeftToRender,
    OutputExists,
    PackFormatUnknown,
    RollNotUsable,
    TooManyLabelsForOneFile,
)
from labels.render.code_pack import write_rows
from labels.render.files import GoOn, HashedFile, Tally, asking
from ledger import master_data
from ledger.codes import KeyRing
from runtime.clock import Clock
from runtime.database import transaction
from serials.keys import open_text, seal_text

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
LABELS_MAX: Final = 10_000_000
"""Codes of one pack."""
IN_REQUEST_MAX: Final = 100_000
"""Codes of a pack that is made while somebody waits for the answer; a larger one is made by the command."""
BROUGHT_MAX: Final = 2_000_000
"""Codes of a pack whose serials the customer brought: those are read into memory, ours are made as they are written."""
_SEALED_TOGETHER: Final = 1 << 20
_LARGE_BYTES: Final = 1 << 30
"""Of a list that an archive tells the length of in eight bytes (ZIP64)."""


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


def recipe_of(asked: PackOrder, *, master_secret: str, bound_to: str) -> dict[str, Any]:
    """What a worker needs to make the pack, to be kept until it has; the password in an envelope bound to it."""
    check_order(asked)
    sealed = seal_text(asked.password or "", master_secret=master_secret.encode("utf-8"), bound_to=bound_to)
    return {
        "recipient": asked.recipient, "format": asked.file_format, "columns": list(asked.columns),
        "per_roll": asked.per_roll, "password": base64.b64encode(sealed).decode("ascii"),
    }  # fmt: skip


def order_of(recipe: Mapping[str, Any], *, master_secret: str, bound_to: str) -> PackOrder:
    """What ``recipe_of`` kept; raises WrongMasterSecret."""
    envelope = base64.b64decode(recipe["password"])
    password = open_text(envelope, master_secret=master_secret.encode("utf-8"), bound_to=bound_to)
    return PackOrder(
        recipe["recipient"], recipe["format"], tuple(recipe["columns"]), recipe["per_roll"], password or None
    )


async def make_pack(
    conn: AsyncConnection, job_id: int, out: Path, asked: PackOrder, *, by: str, clock: Clock, keys: KeyRing,
    master_secret: str, most: int = LABELS_MAX,
) -> Pack:  # fmt: skip
    """List the codes of a job that are neither void nor recalled, a file for each ``per_roll``, with a signed manifest.

    Codes are made as they are written: memory does not grow with the job. Refuses jobs of more than ``most`` codes,
    unknown columns and formats, rolls of less than one label or more than ROLLS_MAX of them, a place that is taken, and
    a lot that is held, rejected or recalled. A failure leaves nothing behind.
    """
    check_order(asked)
    if out.exists():
        raise OutputExists(path=out, job_id=job_id)
    async with transaction(conn):
        job, pieces = await _printable(conn, job_id)
        labels_max = min(most, LABELS_MAX if job.key_epoch is not None else BROUGHT_MAX)
        if job.count > labels_max:
            raise TooManyLabelsForOneFile(format="pack", labels_max=labels_max)
        brought = () if job.key_epoch is not None else await serials_of(conn, job, keys, 1, job.count)
    total = count(pieces)
    per_roll = asked.per_roll or total
    if -(-total // per_roll) > ROLLS_MAX or (asked.file_format == "xlsx" and per_roll > XLSX_ROWS_MAX):
        raise RollNotUsable(per_roll=per_roll, rolls_max=ROLLS_MAX, rows_max=XLSX_ROWS_MAX)
    out.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=".pack-", dir=out.parent))
    try:
        contents = _Contents(job, pieces, keys.only(job.key_epoch), brought, asked, per_roll)
        ready, pack = await asyncio.to_thread(_write, contents, folder, out, clock(), master_secret)
        output = OutputFile(out, "codes", pack.sha256, _bytes(ready), pieces[0][0], pieces[-1][1], total, None)
        async with transaction(conn):
            await store.lock_job(conn, job_id)
            await require_printable(conn, await master_data.get_lot(conn, job.gtin, job.lot))
            await store.add_output(conn, job_id, output, by=by, at=clock())
            details = {"recipient": asked.recipient, "labels": total, "sha256": pack.sha256}
            await audit.note(conn, by, PACKED, subject(job_id), details, clock)
            ready.rename(out)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return pack


@dataclass(frozen=True, slots=True)
class _Contents:
    """The labels of a pack, and what their serials are made from."""

    job: Job
    pieces: Pieces
    keys: KeyRing
    brought: Sequence[str]
    """The serials of all labels of the job, when the customer brought them."""
    asked: PackOrder
    per_roll: int
    form: LinkForm = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "form", self.job.form)  # once: it checks its address each time

    def numbered(self) -> Iterator[tuple[int, str]]:
        """The labels with their serials, made as they are asked for."""
        if self.job.key_epoch is None:
            for first, last in self.pieces:
                yield from enumerate(self.brought[first - 1 : last], first)
            return
        for batch in self.batches():
            yield from enumerate(texts(batch.serials), batch.first_label)

    def batches(self) -> Iterator[Batch]:
        """Many labels at a time; of our serials only."""
        assert self.job.key_epoch is not None
        cipher = self.keys.cipher(self.job.key_epoch, self.job.gtin)
        for first, last in self.pieces:
            for start, numbers in self.job.numbers.batches(first, last):
                yield Batch(start, cipher.serials(numbers))

    @property
    def is_plain(self) -> bool:
        """Whether its lists are those of a code pack, whose rows are made many at a time."""
        is_default = (self.asked.file_format, self.asked.columns) == ("csv", DEFAULT_COLUMNS)
        return is_default and self.job.key_epoch is not None

    def row(self, roll: int, label: int, serial: str) -> list[Any]:
        job = self.job
        values = {
            "label_number": label, "serial": serial, "digital_link": self.form.link(serial), "gtin": job.gtin,
            "lot": job.lot, "roll": roll,
            "best_before_on": "" if job.best_before_on is None else job.best_before_on.isoformat(),
            "element_string": _elements(job, serial),
        }  # fmt: skip
        return [values[column] for column in self.asked.columns]


def _elements(job: Job, serial: str) -> str:
    expiry = "" if job.best_before_on is None else f"(17){job.best_before_on:%y%m%d}"
    return f"(01){job.gtin}(21){serial}{expiry}(10){job.lot}"


def check_order(asked: PackOrder) -> None:
    """Refuse columns, a file format or a roll that no pack has."""
    unknown = [column for column in asked.columns if column not in COLUMNS]
    if unknown or not asked.columns or len(set(asked.columns)) != len(asked.columns):
        raise ColumnUnknown(column=", ".join(unknown) or "twice the same, or none", known=", ".join(COLUMNS))
    if asked.file_format not in FILE_FORMATS:
        raise PackFormatUnknown(format=asked.file_format, known=", ".join(FILE_FORMATS))
    if asked.per_roll is not None and asked.per_roll < 1:
        raise RollNotUsable(per_roll=asked.per_roll, rolls_max=ROLLS_MAX, rows_max=XLSX_ROWS_MAX)


async def _printable(conn: AsyncConnection, job_id: int) -> tuple[Job, Pieces]:
    job = await store.find_job(conn, job_id)
    await require_printable(conn, await master_data.get_lot(conn, job.gtin, job.lot))
    pieces = await printable_pieces(conn, job)
    if not pieces:
        raise NothingLeftToRender(job_id=job_id)
    return job, pieces


def _write(contents: _Contents, folder: Path, out: Path, created_at: datetime, master_secret: str) -> tuple[Path, Pack]:
    """The pack under another name in ``folder``, and its description."""
    asked, inner = contents.asked, folder / "pack"
    inner.mkdir()
    files = [
        _write_roll(replace(contents, pieces=part.pieces), inner / _list_name(asked, part.part), part.part)
        for part in cut_lists(contents.pieces, contents.per_roll, asked.file_format)
    ]
    total, first, last = count(contents.pieces), contents.pieces[0][0], contents.pieces[-1][1]
    about = _about(contents.job, contents.pieces, asked, created_at)
    public_key = _write_manifest(inner, about, files, master_secret)
    ready = inner if asked.password is None else _seal(sorted(inner.iterdir()), folder / "pack.zip", asked.password)
    sha256 = _sha256(inner / MANIFEST_NAME if asked.password is None else ready)
    return ready, Pack(out, len(files), total, first, last, sha256, public_key)


def write_list(
    job: Job, part: Part, path: Path, *, keys: KeyRing, brought: Mapping[int, str], asked: PackOrder
) -> OutputFile:
    """One list of a pack that a worker makes, under the name that it will have in the archive."""
    serials = [brought[label] for label in range(1, job.count + 1)] if brought else ()
    contents = _Contents(job, part.pieces, keys, serials, asked, part.labels)
    made = _write_roll(contents, path, part.part)
    return OutputFile(path, "pack", made.sha256, made.bytes, made.first_label, made.last_label, made.labels, None)


def seal_lists(
    job: Job, lists: Sequence[OutputFile], pieces: Pieces, target: Path, *, asked: PackOrder, created_at: datetime,
    master_secret: str, go_on: GoOn,
) -> OutputFile:  # fmt: skip
    """The archive of lists that are made, with their signed manifest; the lists stay where they are. ``go_on`` is asked
    before each piece, and raises what shall end it."""
    folder = target.parent
    files = [PackFile(o.path.name, o.labels, o.labels_first, o.labels_last, o.bytes, o.sha256) for o in lists]
    _write_manifest(folder, _about(job, pieces, asked, created_at), files, master_secret)
    names = (MANIFEST_NAME, *(file.name for file in files))
    _seal([folder / name for name in names], target, asked.password or "", go_on)
    sha256, size = _sha256(target), target.stat().st_size
    return OutputFile(target, "pack", sha256, size, pieces[0][0], pieces[-1][1], count(pieces), None)


def _about(job: Job, pieces: Pieces, asked: PackOrder, created_at: datetime) -> dict[str, Any]:
    return {
        "job": job.job_id, "gtin": job.gtin, "lot": job.lot, "lot_in_link": job.lot_in_link,
        "labels": count(pieces), "first_label": pieces[0][0], "last_label": pieces[-1][1],
        "columns": list(asked.columns), "recipient": asked.recipient, "created_at": created_at.isoformat(),
    }  # fmt: skip


def _write_manifest(folder: Path, about: dict[str, Any], files: Sequence[PackFile], master_secret: str) -> str:
    """Write the manifest of lists; the public key that proves it."""
    manifest, public_key = signed_manifest(about, files, master_secret)
    (folder / MANIFEST_NAME).write_bytes(manifest)
    return public_key


def _list_name(asked: PackOrder, roll: int) -> str:
    return f"roll-{roll:05}.{asked.file_format}" if asked.per_roll else f"codes.{asked.file_format}"


def _write_roll(contents: _Contents, path: Path, roll: int) -> PackFile:
    if contents.is_plain:
        return _write_plain(contents, path)
    asked, seen = contents.asked, _Seen()
    rows = (contents.row(roll, label, serial) for label, serial in seen.passing(contents.numbered()))
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
    return PackFile(path.name, seen.labels, seen.first, seen.last, path.stat().st_size, _sha256(path))


def _write_plain(contents: _Contents, path: Path) -> PackFile:
    tally = Tally("pack", LABELS_MAX)
    with path.open("wb") as handle:
        file = HashedFile(handle, path)
        write_rows(file, contents.form, contents.job.lot, contents.batches(), tally)
    made = tally.output(path, file, None)
    return PackFile(path.name, made.labels, made.labels_first, made.labels_last, made.bytes, made.sha256)


@dataclass(slots=True)
class _Seen:
    """Counts the labels of a roll as they pass."""

    labels: int = 0
    first: int = 0
    last: int = 0

    def passing(self, numbered: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
        for label, serial in numbered:
            self.labels, self.first, self.last = self.labels + 1, self.first or label, label
            yield label, serial


def _with_head(asked: PackOrder, rows: Iterator[list[Any]]) -> Iterator[list[Any]]:
    yield list(asked.columns)
    yield from rows


def _seal(paths: Sequence[Path], target: Path, password: str, go_on: GoOn = lambda: None) -> Path:
    with pyzipper.AESZipFile(target, "w", compression=pyzipper.ZIP_DEFLATED, encryption=pyzipper.WZ_AES) as archive:
        archive.setpassword(password.encode())
        for path in paths:
            is_large = path.stat().st_size > _LARGE_BYTES
            with path.open("rb") as file, archive.open(path.name, "w", force_zip64=is_large) as sealed:
                for piece in asking(go_on, iter(partial(file.read, _SEALED_TOGETHER), b"")):
                    sealed.write(piece)
    return target


def _bytes(ready: Path) -> int:
    return ready.stat().st_size if ready.is_file() else sum(path.stat().st_size for path in ready.iterdir())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
