"""Checking labels on the line: is this one of the right job, of the right lot, and not seen before?

A session is one run of one line. The first time a label is seen in it is kept; the second time is an alarm, because the
same label stands on two items or was printed twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from gs1 import scan_data
from gs1.errors import GS1Error
from labels import store
from labels.model import Job
from labels.refusals import SessionNameNotUsable
from ledger import codes
from ledger.codes import KeyRing
from runtime.clock import Clock
from runtime.database import transaction

LineVerdict = Literal[
    "right", "seen_before", "void", "other_job", "other_lot", "other_product", "not_issued", "unreadable"
]
CHECKS_KEPT: Final = timedelta(days=30)
SESSION_CHARACTERS_MAX: Final = 60
CODE_CHARACTERS_MAX: Final = 2_048


@dataclass(frozen=True, slots=True)
class LineCheck:
    """What was found. ``label`` is its number in the job ``job_id`` that it is of; ``seen`` labels in the session."""

    verdict: LineVerdict
    job_id: int | None = None
    label: int | None = None
    serial: str | None = None
    lot: str | None = None
    seen: int = 0

    @property
    def is_right(self) -> bool:
        """Whether the item may go on."""
        return self.verdict == "right"


async def check_label(
    conn: AsyncConnection, code: str, *, job_id: int, session: str, by: str, clock: Clock, keys: KeyRing
) -> LineCheck:
    """Judge one scanned code against the job that runs on the line, and remember it.

    Never refuses a code: one that cannot be read is a finding. Refuses an unknown job, and a session without a name.
    Only right labels are remembered: a wrong one stays wrong however often it is seen.
    """
    if not 1 <= len(session.strip()) <= SESSION_CHARACTERS_MAX:
        raise SessionNameNotUsable(characters_max=SESSION_CHARACTERS_MAX)
    async with transaction(conn):
        job = await store.find_job(conn, job_id)
        found, number = await _judge(conn, code, job, keys)
        if number is None:
            return found
        await store.forget_checks(conn, before=clock() - CHECKS_KEPT)
        is_new = await store.add_check(conn, session.strip(), number, by=by, at=clock())
        seen = await store.count_checks(conn, session.strip())
    verdict: LineVerdict = "right" if is_new else "seen_before"
    return LineCheck(verdict, found.job_id, found.label, found.serial, found.lot, seen)


async def _judge(conn: AsyncConnection, code: str, job: Job, keys: KeyRing) -> tuple[LineCheck, int | None]:
    """What is wrong with a code, or its number when it is a live label of the job."""
    try:
        identifier = scan_data.read(code[:CODE_CHARACTERS_MAX])
    except GS1Error:
        return LineCheck("unreadable"), None
    gtin, serial = identifier.gtin, identifier.serial
    if gtin is None or serial is None:
        return LineCheck("unreadable"), None
    if gtin != job.gtin:
        return LineCheck("other_product", serial=serial), None
    number = (await codes.numbers_of(conn, [(gtin, serial)], keys)).get((gtin, serial))
    if number is None:
        return LineCheck("not_issued", serial=serial), None
    label = job.numbers.label_of(number)
    if label is None:
        other = await store.job_of_number(conn, number)
        lot = None if other is None else other.lot
        kind: LineVerdict = "other_lot" if lot != job.lot else "other_job"
        return LineCheck(kind, None if other is None else other.job_id, serial=serial, lot=lot), None
    if identifier.lot not in (None, job.lot):
        return LineCheck("other_lot", job.job_id, label, serial, identifier.lot), None
    if any(each.state == "void" for each in await store.ranges(conn, job.job_id, label, label)):
        return LineCheck("void", job.job_id, label, serial, job.lot), None
    return LineCheck("right", job.job_id, label, serial, job.lot), number
