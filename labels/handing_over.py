"""Handing over files with labels in them: at most once, and what is unknown is for a person to say.

Whoever has such a file can print its labels. So a file is marked *unknown* before its first byte leaves, and
*delivered* when its last one has; neither is handed over or made again until a person has said what became of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from access import audit
from labels import life, part_store, store
from labels.ordering import subject
from labels.parts import Part, Render
from labels.refusals import LabelFileNotFound, LabelsGivenOut, PartNotGivenOut, ReasonMissing, RenderNotFound
from labels.release import verification_of
from labels.verification import VERIFICATION_NAME
from ledger.codes import KeyRing
from runtime.clock import Clock
from runtime.database import transaction

GIVEN, DELIVERED, RESOLVED = "labels.hand_over", "labels.delivered", "labels.resolve"
Word = Literal["delivered", "not_printed", "void"]
_MANIFEST: Final = ".manifest.json"
_SENT_TOGETHER: Final = 1 << 18


@dataclass(frozen=True, slots=True)
class Given:
    """A file that may leave now. ``parts`` is empty for one that only tells about labels."""

    path: Path
    render_id: int
    format: str
    sha256: str | None
    parts: tuple[int, ...]


async def give(conn: AsyncConnection, job_id: int, name: str, folder: Path, *, by: str, clock: Clock) -> Given:
    """Hand over the released file of this name, from the newest rendering that has it. Its labels are *unknown* from
    now on, until ``received``. Only files that a worker made under ``folder`` are handed over.

    Refuses a name that is none, and labels that were handed over before.
    """
    async with transaction(conn):
        await store.lock_job(conn, job_id)
        given, parts = await _find(conn, job_id, name, folder)
        for part in parts:
            if part.state in part_store.GIVEN_OUT:
                raise LabelsGivenOut(
                    first=part.label_first, last=part.label_last, job_id=job_id, to=part.given_to,
                    render_id=given.render_id, part=part.part, state=part.state,
                )  # fmt: skip
            await part_store.put_given(conn, given.render_id, part.part, state="unknown", given_to=by, given_at=clock())
        await audit.note(conn, by, GIVEN, subject(job_id), {"file": name, "sha256": given.sha256 or ""}, clock)
    return given


async def received(conn: AsyncConnection, job_id: int, given: Given, *, by: str, clock: Clock) -> None:
    """The last byte has left: the labels are *delivered*."""
    if not given.parts:
        return
    async with transaction(conn):
        for part in given.parts:
            await part_store.put_given(conn, given.render_id, part, state="delivered")
        details = {"file": given.path.name, "sha256": given.sha256 or ""}
        await audit.note(conn, by, DELIVERED, subject(job_id), details, clock)


async def sent(engine: AsyncEngine, job_id: int, given: Given, *, by: str, clock: Clock) -> AsyncIterator[bytes]:
    """The whole file, never a range of it; only when its last byte was taken is it noted as delivered."""
    with given.path.open("rb") as file:
        while piece := await asyncio.to_thread(file.read, _SENT_TOGETHER):
            yield piece
    async with engine.connect() as conn:  # that of the request is closed by now
        await received(conn, job_id, given, by=by, clock=clock)


async def resolve(
    conn: AsyncConnection, render_id: int, part_number: int, word: Word, reason: str, *, by: str, clock: Clock,
    keys: KeyRing, job_id: int | None = None,
) -> Part:  # fmt: skip
    """A person says what became of a part that was handed over, or may have been.

    ``delivered``: it arrived and is printed. ``not_printed``: nobody printed it, so it may be handed over again.
    ``void``: nobody knows; its labels become void for good. Refuses a part that never left, an empty reason, and with
    ``job_id`` a rendering of another job.
    """
    because = reason.strip()
    if not 1 <= len(because) <= life.REASON_CHARACTERS_MAX:
        raise ReasonMissing(characters_max=life.REASON_CHARACTERS_MAX)
    async with transaction(conn):
        render = await part_store.find_render(conn, render_id)
        if job_id is not None and render.job_id != job_id:
            raise RenderNotFound(job_id=job_id, render_id=render_id)
        part = await _given_out(conn, render_id, part_number)
    if word == "void":
        for first, last in part.pieces:  # a repeated request finds them void and goes on
            await life.void(conn, render.job_id, first, last, because, by=by, clock=clock, keys=keys)
    state = {"delivered": "delivered", "not_printed": _as_made(part), "void": "void"}[word]
    async with transaction(conn):
        await store.lock_job(conn, render.job_id)
        await _given_out(conn, render_id, part_number)
        await part_store.put_given(conn, render_id, part_number, state=state, resolved_by=by, reason=because)
        details = {"rendering": render_id, "part": part_number, "word": word, "reason": because}
        await audit.note(conn, by, RESOLVED, subject(render.job_id), details, clock)
        return await part_store.find_part(conn, render_id, part_number)


def _as_made(part: Part) -> str:
    return "read_back" if part.report is not None else "made"


async def _given_out(conn: AsyncConnection, render_id: int, part_number: int) -> Part:
    part = await part_store.find_part(conn, render_id, part_number)
    if part.state not in part_store.GIVEN_OUT:
        raise PartNotGivenOut(render_id=render_id, part=part_number, state=part.state)
    return part


async def _find(conn: AsyncConnection, job_id: int, name: str, folder: Path) -> tuple[Given, list[Part]]:
    for render in await part_store.renders_of(conn, job_id):
        if render.state == "made" and Path(render.target).is_relative_to(folder.absolute()):
            parts = await part_store.parts_of(conn, render.render_id)
            for path, held in _files(render, parts):
                if path.name == name and path.is_file():
                    sha256 = await store.output_hash(conn, job_id, path)
                    return Given(path, render.render_id, render.format, sha256, tuple(p.part for p in held)), held
    raise LabelFileNotFound(job_id=job_id, name=name)


def _files(render: Render, parts: list[Part]) -> list[tuple[Path, list[Part]]]:
    """Each file of a rendering with the parts whose labels are in it."""
    target = Path(render.target)
    files: list[tuple[Path, list[Part]]] = [(target, parts)]
    about = target / VERIFICATION_NAME if render.in_parts else verification_of(target)
    if render.in_parts:
        files = [(target / part.name, [part]) for part in parts]
    manifests: list[tuple[Path, list[Part]]] = [(path.with_name(path.name + _MANIFEST), []) for path, _ in files]
    return [*files, (about, []), *manifests]
