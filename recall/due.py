"""What is due in cases: the clocks of their profiles, and the reviews of what one person published."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from recall import proposals_store, rules, store
from recall.clocks import ClockState, DutyClock
from recall.model import State
from recall.proposals_store import AfterReview
from recall.rules_refusals import NoProfile
from runtime.clock import Clock

OPEN: tuple[State, ...] = (State.DRAFT, State.IN_REVIEW, State.APPROVED, State.PUBLISHED, State.CLOSING)
"""Where a case has work left; one that ended has no clock that runs."""


@dataclass(frozen=True, slots=True)
class Due:
    """The open clocks of a case, the soonest first, those without a fixed time last; and a review that is open."""

    clocks: tuple[DutyClock, ...] = ()
    review: AfterReview | None = None
    is_review_overdue: bool = False

    @property
    def overdue(self) -> tuple[DutyClock, ...]:
        """The clocks that ran out."""
        return tuple(each for each in self.clocks if each.state is ClockState.OVERDUE)

    @property
    def next_at(self) -> datetime | None:
        """When the next clock runs out; None when none has a time."""
        return next((each.due_at for each in self.clocks if each.due_at is not None), None)


async def due_of(conn: AsyncConnection, number: str, *, clock: Clock) -> Due:
    """What is due in one case; nothing in one that has ended. Raises ``NoSuchCase``."""
    case = await store.find_case(conn, number)
    if case.state not in OPEN:
        return Due()
    review = await proposals_store.after_review(conn, case.case_id)
    if review is not None and review.reviewed_at is not None:
        review = None
    try:
        found = await rules.read_rules(conn, number, clock=clock)
    except NoProfile:
        clocks: list[DutyClock] = []
    else:
        clocks = [each for each in found.clocks if each.state in (ClockState.RUNNING, ClockState.OVERDUE)]
    late = datetime.max.replace(tzinfo=clock().tzinfo)
    clocks.sort(key=lambda each: each.due_at or late)
    return Due(tuple(clocks), review, review is not None and review.is_overdue(clock()))


async def due_by_number(conn: AsyncConnection, numbers: Iterable[str], *, clock: Clock) -> dict[str, Due]:
    """The same of the cases of one page of a list."""
    return {number: await due_of(conn, number, clock=clock) for number in numbers}
