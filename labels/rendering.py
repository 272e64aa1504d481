"""Making the files of a job part by part: asked for, carried out, gone on with after an interruption, cancelled.

The parts stand in the database before the first is made. Each is made under another name, read back, and noted when it
is whole; whoever goes on begins with the first that is not, and the same labels give the same bytes. The files come
into their places together, at the end, and only if the lot may still be printed and no label was voided meanwhile.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args

from sqlalchemy.ext.asyncio import AsyncConnection

from access import audit
from labels import part_store
from labels.job_serials import serials_of
from labels.layout import STRAIGHT, Feed
from labels.making import Making, make_parts, prepare
from labels.model import Job, LabelFormat, OutputFile, VerifyReport
from labels.ordering import subject
from labels.parts import SUFFIXES, Part, Render
from labels.refusals import FormatUnknown, RenderBusy, RenderCancelled, RenderEnded, RenderNotFound, VoidedMeanwhile
from labels.release import plan_of, refuse_strangers, release, targets_of, without_password
from labels.whole_files import whole
from ledger.codes import KeyRing
from runtime.clock import Clock
from runtime.database import transaction
from runtime.refusals import Refusal

if TYPE_CHECKING:
    from labels.packs import PackOrder

RENDER_JOB: Final = "labels.render"
ASKED, CANCELLED = "labels.render_asked", "labels.render_cancelled"
Told = Callable[[int, int], None]
"""Hears how many labels are made, of how many."""
OPEN: Final = ("asked", "making", "stopped")


async def render(
    conn: AsyncConnection, job_id: int, format: str, out: Path, *, by: str, clock: Clock, keys: KeyRing,  # noqa: A002 - the contract's word
    in_parts: bool = False, feed: Feed = STRAIGHT, cells_folder: Path | None = None, processes: int = 1,
    told: Told | None = None,
) -> list[OutputFile]:  # fmt: skip
    """Make the labels of a job that are not void, read each one back, and release the files.

    ``out`` is the file; for ``codes`` a name ending in .csv, or a folder that receives codes.csv and manifest.json; for
    the others an existing folder receives ``labels-<job>`` with the format's ending (png and svg are ZIP archives).
    With ``in_parts`` it is a folder that receives a file for each part. A report of what was read back stands beside.

    Refuses a lot that is held, rejected or recalled (before the work, and again before the release), a file that is
    there already unless this job made it, labels that were handed over before, and whatever the renderers refuse. A
    failure leaves no file. The same request after an interruption goes on where that one was.
    """
    asked = await ask(conn, job_id, format, out, in_parts=in_parts, feed=feed, by=by, clock=clock)
    return await carry_out(
        conn, asked.render_id, by=by, clock=clock, keys=keys, cells_folder=cells_folder, processes=processes, told=told
    )


async def ask(
    conn: AsyncConnection, job_id: int, format: str, out: Path, *, in_parts: bool, feed: Feed = STRAIGHT, by: str,  # noqa: A002 - the contract's word
    clock: Clock,
) -> Render:  # fmt: skip
    """Note that a job's labels shall be made, and in which parts. Nothing is made yet.

    ``out`` is the file or folder; with ``in_parts`` it is the folder. The same request, while its files are not made,
    is the same rendering: it is gone on with. Refuses a lot that is held, rejected or recalled, labels that were handed
    over before, a file that is there already unless this job made it, a sheet for a label printer.
    """
    kind = _kind(format)
    if kind == "pack":
        raise FormatUnknown(format=format, known=", ".join(known for known in get_args(LabelFormat) if known != "pack"))
    async with transaction(conn):
        return await _ask(
            conn, job_id, kind, lambda _: out.absolute(), in_parts=in_parts, feed=feed, by=by, clock=clock
        )


async def ask_worker(
    conn: AsyncConnection, job_id: int, format: str, folder: Path, *, in_parts: bool, feed: Feed = STRAIGHT, by: str,  # noqa: A002 - the contract's word
    clock: Clock,
) -> Render:  # fmt: skip
    """As ``ask``; a worker carries it out, into a folder of its own under ``folder``."""
    kind = _kind(format)
    if kind == "pack":
        raise FormatUnknown(format=format, known="pack by ask_pack")

    def place(render_id: int) -> Path:
        own = folder.absolute() / f"job-{job_id}" / f"rendering-{render_id}"
        return own if in_parts else own / f"labels-{job_id}{SUFFIXES[kind]}"

    async with transaction(conn):
        render = await _ask(conn, job_id, kind, place, in_parts=in_parts, feed=feed, by=by, clock=clock)
        await _enqueue(conn, render, by=by, clock=clock)
    return render


async def ask_pack(
    conn: AsyncConnection, job_id: int, asked: PackOrder, folder: Path, *, by: str, clock: Clock, master_secret: str
) -> Render:
    """Have a worker make a print house's pack, list by list: an archive sealed with the password of ``asked``.

    A list holds ``per_roll`` codes and never more than a million; watched, cancelled, gone on with and handed over as
    any rendering. Refuses what ``packs.make_pack`` refuses, and a password that is too short.
    """
    from labels import packs, sealed_packs  # load workbook and archive writers, which other renderings go without

    sealed_packs.require_password(asked.password)
    recipe = packs.recipe_of(asked, master_secret=master_secret, bound_to=subject(job_id))

    def place(render_id: int) -> Path:
        return folder.absolute() / f"job-{job_id}" / f"rendering-{render_id}" / f"pack-{job_id}.zip"

    async with transaction(conn):
        render = await _ask(
            conn, job_id, "pack", place, in_parts=False, feed=STRAIGHT, by=by, clock=clock, recipe=recipe
        )
        await _enqueue(conn, render, by=by, clock=clock)
    return render


async def _enqueue(conn: AsyncConnection, render: Render, *, by: str, clock: Clock) -> None:
    from runtime.jobs import enqueue  # here: who prints ten labels at once shall not wait for the queue's library

    await enqueue(conn, RENDER_JOB, {"render_id": render.render_id}, key=str(render.render_id))
    details = {"rendering": render.render_id, "format": render.format}
    await audit.note(conn, by, ASKED, subject(render.job_id), details, clock)


def files_folder(data_dir: Path) -> Path:
    """Where a worker of an installation puts the files of label jobs."""
    return data_dir / "labels"


async def carry_out(
    conn: AsyncConnection, render_id: int, *, by: str, clock: Clock, keys: KeyRing, cells_folder: Path | None,
    processes: int, told: Told | None = None, master_secret: str | None = None,
) -> list[OutputFile]:  # fmt: skip
    """Make what is not made yet, read each label back, and release the files. What was released before stays.

    Raises ``RenderBusy`` while another process makes it, ``RenderCancelled``, and what making refuses. Any failure
    takes away what was made and is told by the record; only a process that is killed leaves its parts, to go on with.
    ``told`` hears after each part how many labels are made. A pack is sealed and signed with the ``master_secret``.
    """
    async with _alone(conn, render_id):
        async with transaction(conn):
            render = await part_store.find_render(conn, render_id, lock=True)
            if render.state == "cancelled":
                raise RenderCancelled(job_id=render.job_id, render_id=render_id)
            if render.state not in OPEN:
                return []
            parts = await part_store.parts_of(conn, render_id)
            await part_store.set_state(conn, render_id, "making", started_at=clock(), problem=None)
        work = _work_folder(render)
        try:
            async with transaction(conn):
                plan = await plan_of(
                    conn, render.job_id, render.format, Path(render.target), in_parts=render.in_parts, feed=render.feed,
                    recipe=render.recipe,
                )  # fmt: skip
                brought = await _brought(conn, plan.job, keys)
            if [part.pieces for part in parts] != [part.pieces for part in plan.parts]:
                raise VoidedMeanwhile(job_id=render.job_id)
            work.mkdir(parents=True, exist_ok=True)
            making = await asyncio.to_thread(prepare, plan, keys, cells_folder=cells_folder, brought=brought)
            lists = await _make(conn, render, making, parts, work, clock=clock, processes=processes, told=told)
            made = await whole(
                conn, render, making, parts=parts, made=lists, work=work, at=clock(), secret=master_secret
            )
            outputs = await release(conn, render, plan, made, work, by=by, clock=clock)
        except Exception as error:  # whatever failed: no file may stay that was not released, and the record says why
            shutil.rmtree(work, ignore_errors=True)
            await _note_failure(conn, render, error)
            raise
        shutil.rmtree(work, ignore_errors=True)
        return outputs


async def cancel(conn: AsyncConnection, job_id: int, render_id: int, *, by: str, clock: Clock) -> Render:
    """Stop a rendering between two parts; its files are thrown away. Refuses one that has ended."""
    async with transaction(conn):
        render = await part_store.find_render(conn, render_id, lock=True)
        if render.job_id != job_id:
            raise RenderNotFound(job_id=job_id, render_id=render_id)
        if render.state not in OPEN:
            raise RenderEnded(job_id=job_id, render_id=render_id, state=render.state)
        recipe = without_password(render.recipe)
        await part_store.set_state(conn, render_id, "cancelled", ended_at=clock(), recipe=recipe)
        await audit.note(conn, by, CANCELLED, subject(job_id), {"rendering": render_id}, clock)
    try:
        async with _alone(conn, render_id):
            shutil.rmtree(_work_folder(render), ignore_errors=True)  # of a process that was killed
    except RenderBusy:
        pass  # whoever makes it sees the state after the part at hand, and cleans up
    async with transaction(conn):
        return await part_store.find_render(conn, render_id)


def _kind(format: str) -> LabelFormat:  # noqa: A002 - the contract's word
    kind: LabelFormat | None = next((known for known in get_args(LabelFormat) if known == format), None)
    if kind is None:
        raise FormatUnknown(format=format, known=", ".join(get_args(LabelFormat)))
    return kind


async def _ask(
    conn: AsyncConnection, job_id: int, kind: LabelFormat, place: Callable[[int], Path], *, in_parts: bool, feed: Feed,
    by: str, clock: Clock, recipe: dict[str, Any] | None = None,
) -> Render:  # fmt: skip
    for known in await part_store.renders_of(conn, job_id):
        alike = (known.format, known.in_parts, known.feed) == (kind, in_parts, feed)
        if known.state in OPEN and alike and without_password(known.recipe) == without_password(recipe):
            target = targets_of(job_id, kind, place(known.render_id), in_parts=in_parts)
            plan = await plan_of(conn, job_id, kind, target, in_parts=in_parts, feed=feed, recipe=recipe)
            parts = await part_store.parts_of(conn, known.render_id)
            if str(target) == known.target and [p.pieces for p in parts] == [p.pieces for p in plan.parts]:
                return known
    render_id = await part_store.next_render(conn)
    target = targets_of(job_id, kind, place(render_id), in_parts=in_parts)
    plan = await plan_of(conn, job_id, kind, target, in_parts=in_parts, feed=feed, recipe=recipe)
    await refuse_strangers(conn, plan)
    values = {
        "render_id": render_id, "job_id": job_id, "format": kind, "target": str(target), "in_parts": in_parts,
        "labels": sum(part.labels for part in plan.parts), "asked_by": by, "asked_at": clock(),
        "start_cell": feed.start_cell, "right_mm": feed.right_mm, "down_mm": feed.down_mm, "recipe": recipe,
    }  # fmt: skip
    await part_store.add_render(conn, values, plan.parts)
    return await part_store.find_render(conn, render_id)


async def _make(
    conn: AsyncConnection, render: Render, making: Making, parts: list[Part], work: Path, *, clock: Clock,
    processes: int, told: Told | None,
) -> list[OutputFile]:  # fmt: skip
    made = {part.part: _as_made(render, part, work) for part in parts if _is_whole(part, work)}
    to_make = [part for part in parts if part.part not in made]
    async for part, output in make_parts(making, to_make, work, processes=processes):
        async with transaction(conn):
            now = await part_store.find_render(conn, render.render_id, lock=True)
            if now.state == "cancelled":
                raise RenderCancelled(job_id=render.job_id, render_id=render.render_id)
            await part_store.put_made(conn, render.render_id, part, output, clock())
        made[part.part] = output
        if told is not None:
            told(sum(each.labels for each in made.values()), render.labels)
    return [made[part.part] for part in parts]


async def _brought(conn: AsyncConnection, job: Job, keys: KeyRing) -> dict[int, str]:
    """The serials by label of a job whose serials the customer brought; of ours they follow from the numbers."""
    if job.key_epoch is not None:
        return {}
    return dict(enumerate(await serials_of(conn, job, keys, 1, job.count), 1))


def _is_whole(part: Part, work: Path) -> bool:
    """Whether a part that was made before an interruption is still there."""
    path = work / part.name
    return part.state in ("made", "read_back") and path.is_file() and path.stat().st_size == part.bytes


def _as_made(render: Render, part: Part, work: Path) -> OutputFile:
    assert part.sha256 is not None and part.bytes is not None  # the table's check: it was made
    report = None
    if part.report is not None:
        report = VerifyReport(**{**part.report, "pages": tuple(part.report["pages"])})
    return OutputFile(
        work / part.name, render.format, part.sha256, part.bytes, part.label_first, part.label_last, part.labels, report
    )


async def _note_failure(conn: AsyncConnection, render: Render, error: Exception) -> None:
    async with transaction(conn):
        await part_store.forget_made(conn, render.render_id)
        if isinstance(error, RenderCancelled):
            return
        problem = str(error) or type(error).__name__
        if isinstance(error, Refusal):
            recipe = without_password(render.recipe)
            await part_store.set_state(conn, render.render_id, "refused", problem=problem, recipe=recipe)
        else:  # a worker tries again, and needs the password once more
            await part_store.set_state(conn, render.render_id, "stopped", problem=problem)


def _work_folder(render: Render) -> Path:
    """Where the parts are made: beside their place, so that moving them there is one step."""
    return Path(render.target).parent / f".labels-rendering-{render.render_id}"


@asynccontextmanager
async def _alone(conn: AsyncConnection, render_id: int) -> AsyncIterator[None]:
    """Only this connection makes the rendering; a process that dies lets go of it."""
    async with transaction(conn):
        if not await part_store.begin_making(conn, render_id):
            render = await part_store.find_render(conn, render_id)
            raise RenderBusy(job_id=render.job_id, render_id=render_id)
    try:
        yield
    finally:
        async with transaction(conn):
            await part_store.end_making(conn, render_id)
