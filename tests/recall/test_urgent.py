"""The emergency path: one person publishes, a second one looks afterwards."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from recall import casework, proposals_store, store, urgent
from recall.model import State
from recall.refusals import (
    AfterReviewMissing,
    NoAfterReview,
    ReasonNeeded,
    SecondPersonNeeded,
    StepNotPossible,
    WordingNotPublishable,
)
from tests.recall.creamery import CHEESE, NOW, Creamery, clock
from tests.recall.desk import marked_lots, opened, published

REASON = "People are ill and nobody else can be reached."


async def test_one_person_publishes_with_a_reason_and_a_second_one_reviews_it(
    conn: AsyncConnection, dairy: Creamery
) -> None:
    number = await opened(conn, dairy, lots=((CHEESE, "C2"),))
    with pytest.raises(ReasonNeeded):
        await urgent.publish_alone(conn, number, reason=" ", by="Ada", clock=clock, keys=dairy.keys)
    done = await urgent.publish_alone(conn, number, reason=REASON, by="Ada", clock=clock, keys=dairy.keys)

    assert (done.version, await marked_lots(conn)) == (1, {"C2": "whole"})
    ((waiting, review),) = await proposals_store.reviews_due(conn)
    await conn.rollback()
    assert (waiting, review.published_by, review.due_at) == (number, "Ada", NOW + timedelta(hours=24))
    assert not review.is_overdue(NOW + timedelta(hours=24))
    assert review.is_overdue(NOW + timedelta(hours=25))
    assert [(each.number, each.review_due_at) for each in await store.list_cases(conn)] == [(number, review.due_at)]
    with pytest.raises(AfterReviewMissing):
        await casework.close(conn, number, reason="all found", by="Ben", clock=clock, override="a test")
    with pytest.raises(SecondPersonNeeded):
        await urgent.review_afterwards(conn, number, finding="right", by="ada", clock=clock)
    await urgent.review_afterwards(conn, number, finding="It was right to publish it.", by="Ben", clock=clock)
    assert await proposals_store.reviews_due(conn) == ()
    assert [each.review_due_at for each in await store.list_cases(conn)] == [None]
    await conn.rollback()
    closed = await casework.close(conn, number, reason="all found", by="Ben", clock=clock, override="a test")
    assert closed.state is State.CLOSED


async def test_a_case_that_two_people_published_waits_for_no_review(conn: AsyncConnection, dairy: Creamery) -> None:
    number = await published(conn, dairy, lots=((CHEESE, "C2"),))
    with pytest.raises(NoAfterReview):
        await urgent.review_afterwards(conn, number, finding="right", by="Cleo", clock=clock)
    with pytest.raises(StepNotPossible):
        await urgent.publish_alone(conn, number, reason=REASON, by="Ada", clock=clock, keys=dairy.keys)


async def test_haste_does_not_excuse_the_wording(conn: AsyncConnection, dairy: Creamery) -> None:
    number = await opened(conn, dairy, lots=((CHEESE, "C2"),), hazard="A precautionary measure.")
    with pytest.raises(WordingNotPublishable):
        await urgent.publish_alone(conn, number, reason=REASON, by="Ada", clock=clock, keys=dairy.keys)
    assert (await store.find_case(conn, number)).version == 0
