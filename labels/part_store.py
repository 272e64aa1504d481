"""SQL of renderings and their parts. Values in, values out; opens no transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from labels import tables as t
from labels.model import OutputFile
from labels.parts import Part, Render, RenderState
from labels.refusals import PartNotFound, RenderNotFound

GIVEN_OUT: Final = ("delivered", "unknown")
RENDERS_MAX: Final = 1_000
"""Most renderings of one job that are listed; the newest come first."""
_BUSY: Final = 0x6C61_6265  # the class of advisory locks that say: this rendering is being made
_r, _p = t.label_render.c, t.label_part.c
_RENDER: Final = (
    _r.render_id, _r.job_id, _r.format, _r.target, _r.in_parts, _r.labels, _r.state, _r.problem, _r.asked_by,
    _r.asked_at, _r.started_at, _r.ended_at, _r.start_cell, _r.right_mm, _r.down_mm, _r.recipe,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Counts:
    """Sums over the parts of a rendering: parts by state, labels made, read back, made since the latest start."""

    parts: dict[str, int]
    made: int
    read_back: int
    made_lately: int
    last_at: datetime | None


async def next_render(conn: AsyncConnection) -> int:
    """A number for a new rendering: its files are named by it, so it is needed first."""
    sequence = func.pg_get_serial_sequence("label_render", "render_id")
    return int((await conn.execute(select(func.nextval(sequence)))).scalar_one())


async def add_render(conn: AsyncConnection, values: Mapping[str, Any], parts: Sequence[Part]) -> None:
    """A rendering and the parts that have to be made."""
    rows = [
        {
            "render_id": values["render_id"], "part": part.part, "name": part.name,
            "firsts": [first for first, _ in part.pieces], "lasts": [last for _, last in part.pieces],
            "label_first": part.label_first, "label_last": part.label_last, "labels": part.labels,
        }
        for part in parts
    ]  # fmt: skip
    await conn.execute(insert(t.label_render).values(**values))
    await conn.execute(insert(t.label_part), rows)


async def find_render(conn: AsyncConnection, render_id: int, *, lock: bool = False) -> Render:
    """A rendering; with ``lock`` nobody else changes it until the transaction ends. Raises ``RenderNotFound``."""
    found = select(*_RENDER).where(_r.render_id == render_id)
    row: Any = (await conn.execute(found.with_for_update() if lock else found)).one_or_none()
    if row is None:
        raise RenderNotFound(job_id="?", render_id=render_id)
    return Render(*row)


async def renders_of(conn: AsyncConnection, job_id: int) -> list[Render]:
    """The renderings of a job, the newest first."""
    found = select(*_RENDER).where(_r.job_id == job_id).order_by(_r.render_id.desc()).limit(RENDERS_MAX)
    rows: Any = await conn.execute(found)
    return [Render(*row) for row in rows]


async def counts_of(conn: AsyncConnection, render: Render) -> Counts:
    """How many labels of a rendering are made and read back, and how many parts are in which state."""
    since = _p.made_at >= literal(render.started_at, t.label_render.c.started_at.type)
    rows = await conn.execute(
        select(
            _p.state, func.count(), func.sum(_p.labels), func.coalesce(func.sum(_p.verified), 0),
            func.coalesce(func.sum(_p.labels).filter(since), 0), func.max(_p.made_at),
        ).where(_p.render_id == render.render_id).group_by(_p.state)
    )  # fmt: skip
    counts = Counts({}, 0, 0, 0, None)
    for state, parts, labels, read_back, lately, last_at in rows:
        counts.parts[state] = parts
        if state != "to_make":
            last = max(filter(None, (counts.last_at, last_at)), default=None)
            sums = (counts.made + int(labels), counts.read_back + int(read_back), counts.made_lately + int(lately))
            counts = Counts(counts.parts, *sums, last)
    return counts


async def parts_of(conn: AsyncConnection, render_id: int) -> list[Part]:
    """The parts of a rendering, in their order."""
    return await _parts(conn, _p.render_id == render_id)


async def find_part(conn: AsyncConnection, render_id: int, part: int) -> Part:
    """One part; raises ``PartNotFound``."""
    found = await _parts(conn, _p.render_id == render_id, _p.part == part)
    if not found:
        raise PartNotFound(render_id=render_id, part=part)
    return found[0]


async def given_out(conn: AsyncConnection, job_id: int) -> list[tuple[int, Part]]:
    """The parts of a job that were handed over, or may have been, each with its rendering."""
    renders: Any = select(_r.render_id).where(_r.job_id == job_id)
    rows = await conn.execute(
        select(_p.render_id, _p.part).where(_p.render_id.in_(renders), _p.state.in_(GIVEN_OUT)).order_by(_p.label_first)
    )
    return [(row.render_id, await find_part(conn, row.render_id, row.part)) for row in rows]


async def begin_making(conn: AsyncConnection, render_id: int) -> bool:
    """Whether this connection alone makes the rendering from now on, until ``end_making`` or until it closes."""
    taken = select(func.pg_try_advisory_lock(_BUSY, func.hashint8(render_id)))
    return bool((await conn.execute(taken)).scalar_one())


async def end_making(conn: AsyncConnection, render_id: int) -> None:
    """Let others make it."""
    await conn.execute(select(func.pg_advisory_unlock(_BUSY, func.hashint8(render_id))))


async def set_state(conn: AsyncConnection, render_id: int, state: RenderState, **values: Any) -> None:
    """What a rendering is now."""
    await conn.execute(t.label_render.update().where(_r.render_id == render_id).values(state=state, **values))


async def put_made(conn: AsyncConnection, render_id: int, part: Part, output: OutputFile, at: datetime) -> None:
    """The file of a part is whole; with a report, each of its symbols was read back."""
    report = output.verified
    await _set_part(
        conn, render_id, part.part, state="made" if report is None else "read_back", sha256=output.sha256,
        bytes=output.bytes, verified=0 if report is None else report.symbols,
        report=None if report is None else asdict(report), made_at=at,
    )  # fmt: skip


async def forget_made(conn: AsyncConnection, render_id: int) -> None:
    """The files are gone: all parts have to be made again."""
    parts = t.label_part.update().where(_p.render_id == render_id, _p.state.in_(("made", "read_back")))
    await conn.execute(parts.values(state="to_make"))


async def put_given(conn: AsyncConnection, render_id: int, part: int, state: str, **values: Any) -> None:
    """Who has a part, or what a person said of it."""
    await _set_part(conn, render_id, part, state=state, **values)


async def _set_part(conn: AsyncConnection, render_id: int, part: int, **values: Any) -> None:
    changed = t.label_part.update().where(_p.render_id == render_id, _p.part == part)
    await conn.execute(changed.values(**values))


async def _parts(conn: AsyncConnection, *where: ColumnElement[bool]) -> list[Part]:
    columns = (
        _p.part, _p.firsts, _p.lasts, _p.name, _p.state, _p.sha256, _p.bytes, _p.verified, _p.report, _p.made_at,
        _p.given_to, _p.given_at,
    )  # fmt: skip
    rows: Any = await conn.execute(select(*columns).where(*where).order_by(_p.part))
    return [Part(part, tuple(zip(firsts, lasts, strict=True)), *rest) for part, firsts, lasts, *rest in rows]
