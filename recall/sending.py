"""What a worker does with the outbox: takes a batch, hands each notice over, and writes down how it ended.

Each attempt is written down before it begins and after it ended, so that of everything a dead worker had in its hands
one notice at most is in doubt. That one is sent again under the same message key: a mail server that broke off may have
taken the letter all the same, SMTP has no way to ask, and in a recall twice is better than never. The row keeps the
doubt (``perhaps_twice``), and the same Message-ID lets the reader's mail program see one letter.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from recall import deliveries_store as outbox
from recall import media
from recall.deliveries_store import DeliveryState, Medium, Outgoing
from recall.delivery import ANSWER_CHARACTERS_MAX, JOB_BY_MEDIUM
from recall.media import Result
from runtime import jobs
from runtime.database import transaction
from runtime.jobs import WorkPlace

BATCH: Final = 200
ATTEMPTS_MAX: Final = 8
"""Most attempts of one delivery; then it is given up and stands among the dead letters."""
FIRST_PAUSE: Final = timedelta(minutes=1)
PAUSE_MAX: Final = timedelta(hours=1)

_STATE_BY_RESULT: Final = {
    Result.DELIVERED: DeliveryState.SENT,
    Result.REFUSED: DeliveryState.REFUSED,
    Result.LATER: DeliveryState.QUEUED,
}

Work = Callable[[WorkPlace, Mapping[str, Any]], Awaitable[None]]


def deliverer(medium: Medium) -> Work:
    """The job of one medium: hand over all that is due, then ask for the next when more is due later."""

    async def deliver(place: WorkPlace, _payload: Mapping[str, Any]) -> None:
        while await deliver_batch(place, medium):
            pass

    return deliver


async def deliver_due(place: WorkPlace) -> None:
    """Ask for a job of each medium of which something is due: what failed before, or was left by a dead worker."""
    async with place.engine.connect() as conn, transaction(conn):
        await outbox.release_dead_claims(conn)
        for medium, due_at in (await outbox.next_due(conn)).items():
            if due_at <= place.clock():
                await jobs.enqueue(conn, JOB_BY_MEDIUM[medium], {}, key="due")


async def deliver_batch(place: WorkPlace, medium: Medium) -> int:
    """Hand over one batch; how many deliveries were in it."""
    async with place.engine.connect() as conn, _claimed(conn, place, medium) as (claim, batch):
        if batch:
            async with media.opened(medium, place) as hand_over:
                for told in batch:
                    await _attempt(conn, place, claim, told, hand_over)
        return len(batch)


@asynccontextmanager
async def _claimed(
    conn: AsyncConnection, place: WorkPlace, medium: Medium
) -> AsyncIterator[tuple[int, tuple[Outgoing, ...]]]:
    async with transaction(conn):
        await outbox.release_dead_claims(conn)
        claim = await outbox.hold_new_claim(conn)
        batch = await outbox.take(conn, claim, medium, batch=BATCH, now=place.clock())
    try:
        yield claim, batch
    finally:
        async with transaction(conn):
            await outbox.give_back_claim(conn, claim)


async def _attempt(
    conn: AsyncConnection, place: WorkPlace, claim: int, told: Outgoing, hand_over: media.HandOver
) -> None:
    async with transaction(conn):
        if not await outbox.begin_attempt(conn, claim, told.delivery_id, place.clock()):
            return
    outcome = await hand_over(told)
    ended = _ended(outcome, told.attempts + 1)
    async with transaction(conn):
        now = place.clock()
        await outbox.end_attempt(
            conn, claim, told.delivery_id, state=ended.state, answer=outcome.answer[:ANSWER_CHARACTERS_MAX], now=now,
            due_at=now + ended.pause if ended.pause else None, perhaps_twice=outcome.perhaps_arrived,
        )  # fmt: skip
        if ended.state in outbox.DEAD:
            await outbox.escalate(conn, told.delivery_id, now)


@dataclass(frozen=True, slots=True)
class _Ended:
    state: DeliveryState
    pause: timedelta | None = None


def _ended(outcome: media.Outcome, attempts: int) -> _Ended:
    state = _STATE_BY_RESULT[outcome.result]
    if state is not DeliveryState.QUEUED:
        return _Ended(state)
    if attempts >= ATTEMPTS_MAX:
        return _Ended(DeliveryState.GIVEN_UP)
    return _Ended(state, pause_after(attempts))


def pause_after(attempts: int) -> timedelta:
    """How long to wait after so many attempts: 1, 2, 4 … minutes, an hour at most."""
    return min(FIRST_PAUSE * int(2 ** (attempts - 1)), PAUSE_MAX)
