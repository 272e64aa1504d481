"""What the ledger leaves to a worker."""

from __future__ import annotations

from typing import Final

from ledger import capture_jobs, event_reports
from ledger.subscription_store import REPORT_JOB
from runtime.jobs import JobKind, Timed

CAPTURES_AT_ONCE: Final = 2
"""Large documents captured at a time, over all workers."""

KINDS: Final[tuple[JobKind, ...]] = (
    # One attempt more than are made: it writes down that the capture is given up.
    JobKind(capture_jobs.KIND, capture_jobs.take_in, CAPTURES_AT_ONCE, attempts_max=capture_jobs.ATTEMPTS_MAX + 1),
    JobKind(REPORT_JOB, event_reports.report_events),
    JobKind(event_reports.DELIVER_JOB, event_reports.deliver_report, at_once=20),
)
TIMED: Final[tuple[Timed, ...]] = (
    Timed("ledger.forget_old_capture_files", "41 3 * * *", capture_jobs.forget_old_files),
    Timed("ledger.sweep_subscriptions", "* * * * *", event_reports.sweep),
    Timed("ledger.forget_arrivals", "43 3 * * *", event_reports.forget),
)
