"""From the parts of a rendering to the files that are released: joined to one, or sealed as a pack."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from labels import part_store
from labels.making import Maker, Making
from labels.model import OutputFile
from labels.ordering import subject
from labels.parts import Part, Render
from labels.refusals import RenderCancelled
from labels.render.files import GoOn
from runtime.database import transaction

LOOK_AGAIN_S: Final = 1.0
"""How often it is looked whether somebody cancelled: ten million codes take a minute to seal."""


async def whole(
    conn: AsyncConnection, render: Render, making: Making, *, parts: Sequence[Part], made: Sequence[OutputFile],
    work: Path, at: datetime, secret: str | None,
) -> list[OutputFile]:  # fmt: skip
    """The files that are released, made in the folder ``work`` of those of the parts; RenderCancelled within a second
    or two after somebody cancelled."""
    halted, cancelled = threading.Event(), RenderCancelled(job_id=render.job_id, render_id=render.render_id)

    def go_on() -> None:
        if halted.is_set():
            raise cancelled

    writing = asyncio.to_thread(
        _whole, render, making, parts=parts, made=made, work=work, at=at, secret=secret, go_on=go_on
    )
    task = asyncio.ensure_future(writing)
    try:
        while not (await asyncio.wait([task], timeout=LOOK_AGAIN_S))[0]:
            async with transaction(conn):
                now = await part_store.find_render(conn, render.render_id)
            if now.state == "cancelled":
                halted.set()
        return await task
    finally:
        halted.set()


def _whole(
    render: Render, making: Making, *, parts: Sequence[Part], made: Sequence[OutputFile], work: Path, at: datetime,
    secret: str | None, go_on: GoOn,
) -> list[OutputFile]:  # fmt: skip
    target = work / Path(render.target).name
    if render.recipe is not None:
        from labels import packs  # loads workbook and archive writers, which other renderings go without

        assert secret is not None  # a worker has it
        asked = packs.order_of(render.recipe, master_secret=secret, bound_to=subject(render.job_id))
        pieces = [piece for part in parts for piece in part.pieces]
        archive = packs.seal_lists(
            making.job, made, pieces, target, asked=asked, created_at=at, master_secret=secret, go_on=go_on
        )
        return [archive]
    if render.in_parts or len(parts) == 1:
        return list(made)
    return [Maker(making).join(parts, work, target.name, go_on)]
