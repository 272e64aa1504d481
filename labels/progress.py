"""How far the renderings of a job are, for whoever waits: read from the database, also while they are made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from labels import part_store, store
from labels.parts import Render
from labels.refusals import RenderNotFound
from runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class Progress:
    """One rendering. ``made`` and ``read_back`` count labels; ``parts`` counts parts by what became of them.

    ``labels_per_s`` is since its latest start, ``remaining_s`` what that leaves to wait; None while nobody can tell.
    """

    render_id: int
    job_id: int
    format: str
    in_parts: bool
    state: str
    problem: str | None
    labels: int
    made: int
    read_back: int
    parts: dict[str, int]
    labels_per_s: float | None
    remaining_s: float | None
    asked_by: str
    asked_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    files: tuple[str, ...]
    """Names of the released files."""


async def progress_of(conn: AsyncConnection, job_id: int, *, clock: Clock) -> tuple[Progress, ...]:
    """Each rendering of a job, the newest first; raises ``JobNotFound``."""
    await store.find_job(conn, job_id)
    return tuple([await _progress(conn, render, clock) for render in await part_store.renders_of(conn, job_id)])


async def progress_of_one(conn: AsyncConnection, job_id: int, render_id: int, *, clock: Clock) -> Progress:
    """One rendering of a job; raises ``RenderNotFound``."""
    render = await part_store.find_render(conn, render_id)
    if render.job_id != job_id:
        raise RenderNotFound(job_id=job_id, render_id=render_id)
    return await _progress(conn, render, clock)


async def _progress(conn: AsyncConnection, render: Render, clock: Clock) -> Progress:
    counts = await part_store.counts_of(conn, render)
    rate = _rate(render, counts, clock)
    left = render.labels - counts.made
    return Progress(
        render_id=render.render_id, job_id=render.job_id, format=render.format, in_parts=render.in_parts,
        state=render.state, problem=render.problem, labels=render.labels, made=counts.made,
        read_back=counts.read_back, parts=counts.parts, labels_per_s=rate,
        remaining_s=round(left / rate, 1) if rate and render.state == "making" else None,
        asked_by=render.asked_by, asked_at=render.asked_at, started_at=render.started_at, ended_at=render.ended_at,
        files=await _files(conn, render),
    )  # fmt: skip


def _rate(render: Render, counts: part_store.Counts, clock: Clock) -> float | None:
    if render.started_at is None or not counts.made_lately:
        return None
    until = (render.ended_at or clock()) if render.state == "making" else render.ended_at or counts.last_at
    seconds = (until - render.started_at).total_seconds() if until else 0
    return round(counts.made_lately / seconds, 1) if seconds > 0 else None


async def _files(conn: AsyncConnection, render: Render) -> tuple[str, ...]:
    if render.state != "made":
        return ()
    if not render.in_parts:
        return (Path(render.target).name,)
    return tuple(part.name for part in await part_store.parts_of(conn, render.render_id))
