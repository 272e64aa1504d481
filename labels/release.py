"""What a rendering will make and where, and the step in which its files come into their places: all or none."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from access import audit
from labels import part_store, store
from labels.layout import STRAIGHT, Feed, Template, moved
from labels.model import Job, LabelFormat, LabelText, OutputFile
from labels.ordering import label_text, require_printable, subject
from labels.parts import PART_CODES, SUFFIXES, Part, Pieces, Render, cut, cut_lists
from labels.printable import printable_pieces
from labels.refusals import (
    FeedNotForFormat,
    LabelsGivenOut,
    NothingLeftToRender,
    OutputExists,
    SheetOnLabelPrinter,
    VoidedMeanwhile,
)
from labels.render.code_pack import CODES_NAME, MANIFEST_NAME
from labels.single_labels import Singles, singles_of
from labels.template_shelf import find_template
from labels.verification import VERIFICATION_NAME, write_verification
from ledger import master_data
from runtime.clock import Clock
from runtime.database import transaction

RENDERED: Final = "labels.render"
_READ_TOGETHER: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Plan:
    """What is made of a job now. ``target`` is the one file, or the folder of the parts."""

    job: Job
    kind: LabelFormat
    text: LabelText
    pieces: Pieces
    target: Path
    in_parts: bool
    parts: tuple[Part, ...]
    template: Template
    feed: Feed
    singles: Singles | None
    """For labels that are composed one by one."""
    recipe: dict[str, Any] | None = None
    """Of a pack: what the print house asked for."""

    @property
    def sheet(self) -> Template:
        """The template as the feed moves it."""
        return moved(self.template, self.feed.right_mm, self.feed.down_mm)

    @property
    def manifest_beside(self) -> bool:
        """Whether a code pack's manifest bears the name of its list."""
        return self.in_parts or self.target.name != CODES_NAME

    @property
    def files(self) -> tuple[Path, ...]:
        """The files with labels or codes in them, in their places."""
        return tuple(self.target / part.name for part in self.parts) if self.in_parts else (self.target,)

    @property
    def beside(self) -> tuple[Path, ...]:
        """The files that tell about them; a pack has them in it."""
        if self.kind == "pack":
            return ()
        if self.kind == "codes":
            names = [f"{path.name}.manifest.json" if self.manifest_beside else MANIFEST_NAME for path in self.files]
            return tuple(path.with_name(name) for path, name in zip(self.files, names, strict=True))
        return (self.target / VERIFICATION_NAME if self.in_parts else verification_of(self.target),)


def verification_of(path: Path) -> Path:
    """Where the report about one file stands."""
    return path.with_name(f"{path.name}.{VERIFICATION_NAME}")


def targets_of(job_id: int, kind: LabelFormat, out: Path, *, in_parts: bool) -> Path:
    """The file that a person means with ``out``: an existing folder receives one of a given name."""
    if in_parts:
        return out
    if kind != "codes":
        return out / f"labels-{job_id}{SUFFIXES[kind]}" if out.is_dir() else out
    return out if out.suffix.lower() == ".csv" else out / CODES_NAME


async def plan_of(
    conn: AsyncConnection, job_id: int, kind: LabelFormat, target: Path, *, in_parts: bool, feed: Feed = STRAIGHT,
    recipe: dict[str, Any] | None = None,
) -> Plan:  # fmt: skip
    """What would be made now, or why nothing can be. Inside the caller's transaction."""
    job = await store.find_job(conn, job_id)
    lot = await master_data.get_lot(conn, job.gtin, job.lot)
    await require_printable(conn, lot)
    product = await master_data.find_product(conn, job.gtin)
    assert product is not None  # a job's product is never taken off the record
    pieces = await printable_pieces(conn, job)
    if not pieces:
        raise NothingLeftToRender(job_id=job_id)
    await _refuse_given_out(conn, job_id, pieces)
    template = await _template(conn, job, kind, feed)
    text = label_text(product, lot, job.best_before_on)
    if recipe is not None:
        suffix, per_list = recipe["format"], min(recipe["per_roll"] or PART_CODES, PART_CODES)
        lists = tuple(cut_lists(pieces, per_list, suffix))
        return Plan(job, kind, text, pieces, target, False, lists, template, feed, None, recipe)
    singles = singles_of(job, kind, is_medicine=product.profile == "pharma")
    if singles is not None:
        singles.check(pieces, in_parts=in_parts)
    parts = cut(
        pieces, kind, template.cells, f"labels-{job_id}", in_parts=in_parts, used_cells=feed.start_cell - 1,
        labels_max=None if singles is None else singles.labels_max,
    )  # fmt: skip
    if not in_parts and len(parts) == 1:
        parts = [replace(parts[0], name=target.name)]
    return Plan(job, kind, text, pieces, target, in_parts, tuple(parts), template, feed, singles)


async def _template(conn: AsyncConnection, job: Job, kind: LabelFormat, feed: Feed) -> Template:
    """What the job is printed on; only a PDF has sheets that lie one way or another."""
    template = await find_template(conn, job.template)
    if kind == "zpl" and template.cells != 1:
        raise SheetOnLabelPrinter(template=template.name, cells=template.cells)
    if kind != "pdf" and feed != STRAIGHT:
        raise FeedNotForFormat(format=kind)
    template.check_start_cell(feed.start_cell)
    moved(template, feed.right_mm, feed.down_mm)  # refuses what leaves the page
    return template


async def refuse_strangers(conn: AsyncConnection, plan: Plan) -> None:
    """Nobody's file is overwritten: what stands there must be what this job put there."""
    job_id = plan.job.job_id
    is_own = True
    for path in plan.files:
        if path.exists():
            own = await store.own_outputs(conn, job_id, path)
            if not (path.is_file() and _sha256(path) in own):
                raise OutputExists(path=path, job_id=job_id)
        else:
            is_own = False
    for path in plan.beside:
        if path.exists() and not is_own:
            raise OutputExists(path=path, job_id=job_id)


async def release(
    conn: AsyncConnection, render: Render, plan: Plan, outputs: Sequence[OutputFile], work: Path, *, by: str,
    clock: Clock,
) -> list[OutputFile]:  # fmt: skip
    """Record the files and put them in their places: both or neither."""
    job = plan.job
    placed: list[Path] = []
    released = False
    if plan.kind not in ("codes", "pack"):
        write_verification(work / plan.beside[0].name, render, outputs)
    named = [replace(output, path=path) for output, path in zip(outputs, plan.files, strict=True)]
    try:
        async with transaction(conn):
            await store.lock_job(conn, job.job_id)
            await require_printable(conn, await master_data.get_lot(conn, job.gtin, job.lot))
            if await printable_pieces(conn, job) != plan.pieces:
                raise VoidedMeanwhile(job_id=job.job_id)
            await refuse_strangers(conn, plan)
            for output in named:
                await store.add_output(conn, job.job_id, output, by=by, at=clock())
            await part_store.set_state(
                conn, render.render_id, "made", ended_at=clock(), recipe=without_password(render.recipe)
            )
            await audit.note(conn, by, RENDERED, subject(job.job_id), _details(render, named), clock)
            for path in (*plan.files, *plan.beside):
                path.parent.mkdir(parents=True, exist_ok=True)
                (work / path.name).replace(path)
                placed.append(path)
        released = True
    finally:
        if not released:
            for path in placed:
                path.unlink(missing_ok=True)
    return named


def without_password(recipe: dict[str, Any] | None) -> dict[str, Any] | None:
    """A recipe that nothing is made from any more."""
    return None if recipe is None else {name: value for name, value in recipe.items() if name != "password"}


def _details(render: Render, outputs: Sequence[OutputFile]) -> dict[str, object]:
    """What the audit trail keeps: of many parts one hash over their hashes, or its limit could be passed."""
    seal = hashlib.sha256("".join(output.sha256 for output in outputs).encode("ascii")).hexdigest()
    recipient = {} if render.recipe is None else {"recipient": render.recipe["recipient"]}
    return {
        **recipient,
        "rendering": render.render_id,
        "format": render.format,
        "labels": sum(output.labels for output in outputs),
        "files": len(outputs),
        "sha256": outputs[0].sha256 if len(outputs) == 1 else seal,
    }


async def _refuse_given_out(conn: AsyncConnection, job_id: int, pieces: Pieces) -> None:
    for render_id, part in await part_store.given_out(conn, job_id):
        if any(first <= part.label_last and last >= part.label_first for first, last in pieces):
            raise LabelsGivenOut(
                first=part.label_first, last=part.label_last, job_id=job_id, to=part.given_to, render_id=render_id,
                part=part.part, state=part.state,
            )  # fmt: skip


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_READ_TOGETHER):
            digest.update(piece)
    return digest.hexdigest()
