"""The serials of a job's labels: made from its numbers, or as on record when the customer brought them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from labels import store
from labels.model import Job, texts
from ledger import codes
from ledger.codes import KeyRing


async def serials_of(conn: AsyncConnection, job: Job, keys: KeyRing, first: int, last: int) -> list[str]:
    """The serials of the labels ``first`` … ``last``, in their order."""
    if job.key_epoch is None:
        return await store.brought_serials(conn, job.numbers.numbers(first, last).tolist())
    cipher = keys.cipher(job.key_epoch, job.gtin)
    return [serial for _, numbers in job.numbers.batches(first, last) for serial in texts(cipher.serials(numbers))]


async def number_in_job(conn: AsyncConnection, job: Job, serial: str, keys: KeyRing) -> int | None:
    """The number that a serial has in this job; None when it is of no label of it."""
    return (await numbers_in_job(conn, job, [serial], keys))[0]


async def numbers_in_job(conn: AsyncConnection, job: Job, serials: Sequence[str], keys: KeyRing) -> list[int | None]:
    """As ``number_in_job``, for many."""
    if job.key_epoch is None:
        known = await codes.numbers_of(conn, [(job.gtin, serial) for serial in serials], keys)
        numbers = [known.get((job.gtin, serial)) for serial in serials]
    else:
        cipher = keys.cipher(job.key_epoch, job.gtin)
        numbers = [cipher.number(serial) for serial in serials]
    return [None if n is None or job.numbers.label_of(n) is None else n for n in numbers]
