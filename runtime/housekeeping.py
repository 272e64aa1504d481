"""What a worker does for the installation itself."""

from __future__ import annotations

from typing import Final

from sqlalchemy import text

from runtime.database import transaction
from runtime.jobs import JobKind, Timed, WorkPlace

JOB_LOG_DAYS: Final = 30


async def forget_old_jobs(place: WorkPlace) -> None:
    """Drop the queue's log of jobs that ended more than ``JOB_LOG_DAYS`` ago; the rooms keep their own records."""
    async with place.engine.connect() as conn, transaction(conn):
        await conn.execute(
            text("DELETE FROM pgqueuer_log WHERE created < :now - make_interval(days => CAST(:days AS int))"),
            {"now": place.clock(), "days": JOB_LOG_DAYS},
        )


async def forget_old_receipts(place: WorkPlace) -> None:
    """Drop receipts of checks older than the setting; whoever holds one as a file can verify it all the same."""
    async with place.engine.connect() as conn, transaction(conn):
        await conn.execute(
            text("DELETE FROM check_receipt WHERE made_at < :now - make_interval(days => CAST(:days AS int))"),
            {"now": place.clock(), "days": place.settings.receipts_kept_days},
        )


KINDS: Final[tuple[JobKind, ...]] = ()
TIMED: Final = (
    Timed("runtime.forget_old_jobs", "17 3 * * *", forget_old_jobs),
    Timed("runtime.forget_old_receipts", "27 3 * * *", forget_old_receipts),
)
