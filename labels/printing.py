"""Printing a job: its serials, its batches, and files that are read back before they are released.

The verbs of a job's life are called from here too: ``order``, ``commission``, ``void``, ``reprint``, ``balance``.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from labels import store
from labels.job_serials import serials_of
from labels.life import balance, commission, reprint, void
from labels.making import batches
from labels.model import Job
from labels.ordering import order
from labels.refusals import TooManySerials
from labels.rendering import render
from ledger.codes import KeyRing

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
    return await serials_of(conn, found, keys, 1, found.count)
