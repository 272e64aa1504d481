"""What the recall room leaves to a worker: notices, reminders, and the look for sightings."""

from __future__ import annotations

from typing import Final

from recall import delivery, deltas, sending, sightings
from recall.delivery import JOB_BY_MEDIUM
from runtime.jobs import JobKind, Timed, WorkPlace

MAIL_LINES: Final = 4
"""Most lines to the mail server at a time, over all workers."""


async def remind(place: WorkPlace) -> None:
    """Remind those who have not answered."""
    async with place.engine.connect() as conn:
        await delivery.remind(conn, clock=place.clock)


KINDS: Final = tuple(
    JobKind(name, sending.deliverer(medium), at_once=MAIL_LINES) for medium, name in JOB_BY_MEDIUM.items()
)
TIMED: Final = (
    Timed("recall.deliver_due", "* * * * *", sending.deliver_due),
    Timed("recall.remind", "*/10 * * * *", remind),
    Timed("recall.compare", "* * * * *", deltas.compare_all),
    Timed("recall.alert_sightings", "*/15 * * * *", sightings.alert),
)
