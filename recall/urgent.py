"""The emergency path: one person publishes because nobody else can be reached, and a second one looks afterwards.

A recall that waits for a signature in the night hurts people; one that nobody ever looked at is how mistakes stay. So
the reason is kept, the review has a time, an overdue one is shown with the case, and no case is closed without it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from access import audit
from ledger.codes import KeyRing
from recall import lifecycle, proposals_store, store, wording_gate
from recall.casework import check_reason
from recall.lifecycle import Step
from recall.model import Change, Published
from recall.publishing import publish_version
from recall.refusals import NoAfterReview
from runtime.clock import Clock
from runtime.database import transaction

REVIEW_WITHIN_HOURS: Final = 24
"""So many hours after a publication by one person its review is due."""


async def publish_alone(
    conn: AsyncConnection,
    number: str,
    *,
    reason: str,
    by: str,
    clock: Clock,
    keys: KeyRing,
    override_wording: str | None = None,
) -> Published:
    """Publish a case that nobody else approved, with the reason; its review is due ``REVIEW_WITHIN_HOURS`` from now."""
    check_reason(reason, Step.PUBLISH_ALONE)
    async with transaction(conn):
        case = await store.lock_case(conn, number)
        state = lifecycle.after(case.state, Step.PUBLISH_ALONE, case.kind)
        await wording_gate.require(conn, case, override_wording)
        at = clock()
        case = await store.change_case(conn, case.case_id, published_by=by, published_at=at)
        published = await publish_version(
            conn, case, state=state, change=Change.INITIAL, note=reason, by=by, clock=clock, keys=keys
        )
        await wording_gate.require_dates(conn, number, override_wording)
        await proposals_store.insert_review(
            conn,
            case_id=case.case_id,
            reason=reason,
            published_by=by,
            published_at=at,
            due_at=at + timedelta(hours=REVIEW_WITHIN_HOURS),
        )
        details = {
            "reason": reason,
            "override_wording": override_wording,
            "hash": published.hash,
            "items": published.items,
        }
        await audit.note(conn, by, f"recall.{Step.PUBLISH_ALONE}", number, details, clock)
        return published


async def review_afterwards(conn: AsyncConnection, number: str, *, finding: str, by: str, clock: Clock) -> None:
    """Write down what a second person found when they looked at a case that one person published.

    Refuses the person who published it, a finding without words, and a case that waits for no review. A case that
    should not have been published is then cancelled or narrowed like any other.
    """
    async with transaction(conn):
        case = await store.lock_case(conn, number)
        review = await proposals_store.after_review(conn, case.case_id)
        if review is None or review.reviewed_at is not None:
            raise NoAfterReview(number=number)
        lifecycle.check_second_person(review.published_by, by)
        check_reason(finding, Step.PUBLISH_ALONE)
        at = clock()
        await proposals_store.change_review(conn, case.case_id, reviewed_by=by, reviewed_at=at, finding=finding)
        await audit.note(conn, by, "recall.after_review", number, {"finding": finding}, clock)
