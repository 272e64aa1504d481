"""Which labels of a job may be made now: not those that are void, and not those of items that are recalled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from labels import store
from labels.model import Job
from labels.numbering import Numbering
from labels.parts import Pieces


async def printable_pieces(conn: AsyncConnection, job: Job) -> Pieces:
    """The labels that may be made, from first to last several times, rising; empty when there is none.

    A recalled item is left out, also when its recall names it by an older label: a new copy of its code would help
    nobody but a copier. Whether the lot may be printed at all is ``ordering.require_printable``.
    """
    ranges = await store.ranges(conn, job.job_id, 1, job.count)
    out = [(each.first, each.last) for each in ranges if each.state == "void"]
    numbers = job.numbers
    for lo, n in await store.recalled_runs(conn, job.lot_id, numbers.lo, numbers.n):
        labels = _labels_of(numbers, max(lo, numbers.lo), min(lo + n, numbers.lo + numbers.n))
        if labels is not None:
            out.append(labels)
    return tuple(_gaps(job.count, sorted(out)))


def _labels_of(numbers: Numbering, lo: int, end: int) -> tuple[int, int] | None:
    """First and last label of the numbers lo … end - 1; None when all of them are skipped."""
    first = next((label for number in range(lo, end) if (label := numbers.label_of(number)) is not None), None)
    last = next((label for number in range(end - 1, lo - 1, -1) if (label := numbers.label_of(number))), None)
    return None if first is None or last is None else (first, last)


def _gaps(count: int, out: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    at = 1
    for first, last in out:
        if first > at:
            yield at, first - 1
        at = max(at, last + 1)
    if at <= count:
        yield at, count
