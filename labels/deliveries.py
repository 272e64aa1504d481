"""Who received the codes of a job, and by what receipt: appended, never rewritten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from access import audit
from labels import store
from labels.ordering import subject
from labels.refusals import JobNotReleased, ReceiptNotUsable
from runtime.clock import Clock
from runtime.database import transaction

DELIVERED: Final = "labels.deliver"
CHARACTERS_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class Delivery:
    """One handing over."""

    to_name: str
    receipt: str
    by: str
    at: datetime


async def deliver(conn: AsyncConnection, job_id: int, *, to: str, receipt: str, by: str, clock: Clock) -> Delivery:
    """Keep that ``to`` has the codes, by this receipt; the job is *delivered* from now on. The same again adds nothing.

    Refuses an empty name or receipt, and a job of which nothing was rendered.
    """
    name, words = to.strip(), receipt.strip()
    if not 1 <= len(name) <= CHARACTERS_MAX or not 1 <= len(words) <= CHARACTERS_MAX:
        raise ReceiptNotUsable(characters_max=CHARACTERS_MAX)
    async with transaction(conn):
        job = await store.lock_job(conn, job_id)
        if job.state != "released":
            raise JobNotReleased(job_id=job_id)
        for known in await store.deliveries(conn, job_id):
            if (known[0], known[1]) == (name, words):
                return Delivery(*known)
        delivery = Delivery(name, words, by, clock())
        await store.add_delivery(conn, job_id, to=name, receipt=words, by=by, at=delivery.at)
        await audit.note(conn, by, DELIVERED, subject(job_id), {"to": name, "receipt": words}, clock)
    return delivery


async def deliveries_of(conn: AsyncConnection, job_id: int) -> Sequence[Delivery]:
    """Who received the codes of a job, the first one first."""
    return [Delivery(*row) for row in await store.deliveries(conn, job_id)]
