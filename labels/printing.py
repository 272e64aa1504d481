"""Printing a job: its serials, its batches, and files that are read back before they are released.

The verbs of a job's life are called from here too: ``order``, ``commission``, ``void``, ``reprint``, ``balance``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from labels import rendering, store
from labels.life import balance, commission, reprint, void
from labels.making import batches
from labels.model import Job, OutputFile, texts
from labels.ordering import order
from labels.refusals import TooManySerials
from ledger.codes import KeyRing
from runtime.clock import Clock

__all__ = [
    "balance", "batches", "commission", "find_job", "order", "render", "reprint", "serials", "void",
]  # fmt: skip

SERIALS_MAX: Final = 100_000
"""Most serials that are listed as texts; a larger job is handed over as a code pack."""


async def find_job(conn: AsyncConnection, job_id: int) -> Job:
    """The label job of this number; raises ``JobNotFound``."""
    return await store.find_job(conn, job_id)


async def serials(conn: AsyncConnection, job: Job | int, keys: KeyRing) -> list[str]:
    """The serials of all labels of a job, in their order. ``TooManySerials`` beyond SERIALS_MAX."""
    found = job if isinstance(job, Job) else await store.find_job(conn, job)
    if found.count > SERIALS_MAX:
        raise TooManySerials(job_id=found.job_id, count=found.count, serials_max=SERIALS_MAX)
    return [serial for batch in batches(found, keys) for serial in texts(batch.serials)]


async def render(
    conn: AsyncConnection, job_id: int, format: str, out: Path, *, by: str, clock: Clock, keys: KeyRing,  # noqa: A002 - the contract's word
    in_parts: bool = False, cells_folder: Path | None = None, processes: int = 1, told: rendering.Told | None = None,
) -> list[OutputFile]:  # fmt: skip
    """Make the labels of a job that are not void, read each one back, and release the files.

    ``out`` is the file; for ``codes`` a name ending in .csv, or a folder that receives codes.csv and manifest.json; for
    the others an existing folder receives ``labels-<job>`` with the format's ending (png and svg are ZIP archives).
    With ``in_parts`` it is a folder that receives a file for each part. A report of what was read back stands beside.

    Refuses a lot that is held, rejected or recalled (before the work, and again before the release), a file that is
    there already unless this job made it, labels that were handed over before, and whatever the renderers refuse. A
    failure leaves no file. The same request after an interruption goes on where that one was.
    """
    asked = await rendering.ask(conn, job_id, format, out, in_parts=in_parts, by=by, clock=clock)
    return await rendering.carry_out(
        conn, asked.render_id, by=by, clock=clock, keys=keys, cells_folder=cells_folder, processes=processes, told=told
    )
