"""What the ledger leaves to a worker."""

from __future__ import annotations

from typing import Final

from ledger import capture_jobs
from runtime.jobs import JobKind, Timed

CAPTURES_AT_ONCE: Final = 2
"""Large documents captured at a time, over all workers."""

KINDS: Final = (
    # One attempt more than are made: it writes down that the capture is given up.
    JobKind(capture_jobs.KIND, capture_jobs.take_in, CAPTURES_AT_ONCE, attempts_max=capture_jobs.ATTEMPTS_MAX + 1),
)
TIMED: Final = (Timed("ledger.forget_old_capture_files", "41 3 * * *", capture_jobs.forget_old_files),)
