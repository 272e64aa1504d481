"""What the labels room leaves to a worker."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from labels import part_store, rendering
from labels.compiled import cells_folder
from labels.refusals import RenderBusy
from ledger.codes import KeyRing
from runtime.database import transaction
from runtime.jobs import JobKind, Timed, TryLater, WorkPlace
from runtime.refusals import Refusal

RENDERS_AT_ONCE: Final = 2
"""Renderings that all workers together make at a time; each may use several processes."""
_BUSY_AGAIN: Final = timedelta(seconds=10)


async def render_labels(place: WorkPlace, payload: Mapping[str, Any]) -> None:
    """Carry out a rendering. What was refused or cancelled is on its record, and is not tried again."""
    async with place.engine.connect() as conn:
        async with transaction(conn):
            keys = await KeyRing.load(conn, place.master_secret)
            render = await part_store.find_render(conn, int(payload["render_id"]))
        try:
            await rendering.carry_out(
                conn, render.render_id, by=render.asked_by, clock=place.clock, keys=keys,
                cells_folder=cells_folder(place.settings.data_dir), processes=place.settings.label_processes,
                master_secret=place.master_secret,
            )  # fmt: skip
        except RenderBusy as busy:
            raise TryLater(_BUSY_AGAIN, str(busy)) from busy
        except Refusal:
            return


KINDS: Final = (JobKind(rendering.RENDER_JOB, render_labels, at_once=RENDERS_AT_ONCE, attempts_max=3),)
TIMED: Final[tuple[Timed, ...]] = ()
