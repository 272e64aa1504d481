"""Printing a job: its serials, its batches, and files that are read back before they are released.

The verbs of a job's life are called from here too: ``order``, ``commission``, ``void``, ``reprint``, ``balance``.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, get_args

from sqlalchemy.ext.asyncio import AsyncConnection

from access import audit
from labels import store
from labels.furniture import Furniture, compose_apart
from labels.layout import load_template, place_symbol
from labels.life import balance, commission, reprint, void
from labels.model import Batch, Job, LabelFormat, LabelText, OutputFile, texts
from labels.ordering import label_text, order, require_printable, subject
from labels.refusals import (
    FormatUnknown,
    NothingLeftToRender,
    OutputExists,
    SheetOnLabelPrinter,
    TooManySerials,
    VoidedMeanwhile,
)
from labels.render.code_pack import CODES_NAME, MANIFEST_NAME, write_code_pack
from labels.render.pdf import write_pdf
from labels.render.png import write_png
from labels.render.svg import write_svg
from labels.render.zpl import write_zpl
from labels.symbol import SymbolPlan
from ledger import master_data
from ledger.codes import KeyRing
from runtime.clock import Clock
from runtime.database import transaction

__all__ = [
    "balance", "batches", "commission", "find_job", "order", "render", "reprint", "serials", "void",
]  # fmt: skip

RENDERED: Final = "labels.render"
SERIALS_MAX: Final = 100_000
"""Most serials that are listed as texts; a larger job is handed over as a code pack."""
_READ_TOGETHER: Final = 1 << 20
_SUFFIXES: Final = {"pdf": ".pdf", "zpl": ".zpl", "png": ".zip", "svg": ".zip"}

Pieces = Sequence[tuple[int, int]]
"""Labels from first to last, several times, rising."""


async def find_job(conn: AsyncConnection, job_id: int) -> Job:
    """The label job of this number; raises ``JobNotFound``."""
    return await store.find_job(conn, job_id)


def batches(job: Job, keys: KeyRing, pieces: Pieces | None = None) -> Iterator[Batch]:
    """The labels of a job in batches of 16,384, rising; only those of ``pieces`` when given."""
    cipher = keys.cipher(job.key_epoch, job.gtin)
    for first, last in ((1, job.count),) if pieces is None else pieces:
        for start, numbers in job.numbers.batches(first, last):
            yield Batch(start, cipher.serials(numbers))


async def serials(conn: AsyncConnection, job: Job | int, keys: KeyRing) -> list[str]:
    """The serials of all labels of a job, in their order. ``TooManySerials`` beyond SERIALS_MAX."""
    found = job if isinstance(job, Job) else await store.find_job(conn, job)
    if found.count > SERIALS_MAX:
        raise TooManySerials(job_id=found.job_id, count=found.count, serials_max=SERIALS_MAX)
    return [serial for batch in batches(found, keys) for serial in texts(batch.serials)]


async def render(
    conn: AsyncConnection, job_id: int, format: str, out: Path, *, by: str, clock: Clock, keys: KeyRing  # noqa: A002 - the contract's word
) -> list[OutputFile]:  # fmt: skip
    """Make the labels of a job that are not void, read each one back, and release the file.

    ``out`` is the file; for ``codes`` a name ending in .csv, or a folder that receives codes.csv and manifest.json; for
    the others an existing folder receives ``labels-<job>`` with the format's ending (png and svg are ZIP archives).

    Refuses a lot that is held, rejected or recalled (before the work, and again before the release), a file that is
    there already unless this job made it, and whatever the renderers refuse. A failure leaves no file and no record.
    """
    kind = next((known for known in get_args(LabelFormat) if known == format), None)
    if kind is None:
        raise FormatUnknown(format=format, known=", ".join(get_args(LabelFormat)))
    async with transaction(conn):
        work = await _prepare(conn, job_id, kind, out)
    work.target.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=".labels-", dir=work.target.parent))
    try:
        draft = await asyncio.to_thread(_write, work, keys, folder)
        output = replace(draft, path=work.target)
        await _release(conn, work, output, folder, by=by, clock=clock)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return [output]


@dataclass(frozen=True, slots=True)
class _Work:
    """What is rendered where. ``target`` is the file that counts; ``beside`` come into its folder with it."""

    job: Job
    kind: LabelFormat
    text: LabelText
    pieces: Pieces
    target: Path
    beside: tuple[Path, ...]


async def _prepare(conn: AsyncConnection, job_id: int, kind: LabelFormat, out: Path) -> _Work:
    job = await store.find_job(conn, job_id)
    lot = await master_data.get_lot(conn, job.gtin, job.lot)
    await require_printable(conn, lot)
    product = await master_data.find_product(conn, job.gtin)
    assert product is not None  # a job's product is never taken off the record
    pieces = await _not_void(conn, job)
    if not pieces:
        raise NothingLeftToRender(job_id=job_id)
    template = load_template(job.template)
    if kind == "zpl" and template.cells != 1:
        raise SheetOnLabelPrinter(template=template.name, cells=template.cells)
    work = _Work(job, kind, label_text(product, lot, job.best_before_on), pieces, *_targets(job, kind, out))
    await _refuse_strangers(conn, work)
    return work


def _targets(job: Job, kind: LabelFormat, out: Path) -> tuple[Path, tuple[Path, ...]]:
    whole = out.absolute()
    if kind != "codes":
        return (whole / f"labels-{job.job_id}{_SUFFIXES[kind]}" if whole.is_dir() else whole), ()
    if whole.suffix.lower() == ".csv":
        return whole, (whole.with_name(f"{whole.name}.manifest.json"),)
    return whole / CODES_NAME, (whole / MANIFEST_NAME,)


async def _refuse_strangers(conn: AsyncConnection, work: _Work) -> None:
    """Nobody's file is overwritten: what stands there must be what this job put there."""
    job_id = work.job.job_id
    own = await store.own_outputs(conn, job_id, work.target)
    is_own = work.target.is_file() and _sha256(work.target) in own
    for path in (work.target, *work.beside):
        if path.exists() and not is_own:
            raise OutputExists(path=path, job_id=job_id)


async def _not_void(conn: AsyncConnection, job: Job) -> Pieces:
    pieces, at = [], 1
    for each in await store.ranges(conn, job.job_id, 1, job.count):
        if each.state == "void":
            if each.first > at:
                pieces.append((at, each.first - 1))
            at = each.last + 1
    return [*pieces, (at, job.count)] if at <= job.count else pieces


def _write(work: _Work, keys: KeyRing, folder: Path) -> OutputFile:
    """Render into ``folder`` under the final names."""
    job, target = work.job, folder / work.target.name
    drawn = batches(job, keys, work.pieces)
    template, form = load_template(job.template), job.form
    if work.kind == "codes":
        placement = place_symbol(template, SymbolPlan.size_for(form).side)
        place = folder if work.beside[0].name == MANIFEST_NAME else target
        return write_code_pack(
            place, form, job.lot, drawn, module_mm_min=placement.module_mm, remarks={"job": str(job.job_id)}
        )
    plan = SymbolPlan(form)
    if work.kind == "svg":
        return write_svg(target, place_symbol(template, plan.side), plan, drawn)
    furniture = _compose(work, plan)
    writers = {"pdf": write_pdf, "zpl": write_zpl, "png": write_png}
    return writers[work.kind](target, furniture, plan, drawn)


def _compose(work: _Work, plan: SymbolPlan) -> Furniture:
    return compose_apart(work.text, load_template(work.job.template), plan.side, lot_in_link=work.job.lot_in_link)


async def _release(
    conn: AsyncConnection, work: _Work, output: OutputFile, folder: Path, *, by: str, clock: Clock
) -> None:
    """Record the rendering and put the files in their places: both or neither."""
    job = work.job
    placed: list[Path] = []
    released = False
    try:
        async with transaction(conn):
            await store.lock_job(conn, job.job_id)
            await require_printable(conn, await master_data.get_lot(conn, job.gtin, job.lot))
            if await _not_void(conn, job) != work.pieces:
                raise VoidedMeanwhile(job_id=job.job_id)
            await _refuse_strangers(conn, work)
            await store.add_output(conn, job.job_id, output, by=by, at=clock())
            details = {"format": output.format, "labels": output.labels, "sha256": output.sha256}
            await audit.note(conn, by, RENDERED, subject(job.job_id), details, clock)
            for path in (work.target, *work.beside):
                (folder / path.name).replace(path)
                placed.append(path)
        released = True
    finally:
        if not released:
            for path in placed:
                path.unlink(missing_ok=True)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_READ_TOGETHER):
            digest.update(piece)
    return digest.hexdigest()
