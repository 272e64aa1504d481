"""The board of a published case: whom the notice reached, who answered, what was found, and what needs a person now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from recall import effectiveness, reconciliation, sightings, store
from recall import responses_store as answers
from recall.deliveries_store import DEAD
from recall.model import Case
from recall.notices import CHANNELS
from recall.response_refusals import NobodyWasTold, TooManyRecipients
from recall.responses_store import Followup, LateUnit, Recipient, Sighting
from runtime.clock import Clock

OVERDUE_AFTER: Final = timedelta(hours=24)
"""Without a ladder of reminders, an answer is overdue after so long."""


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a case has come with some recipients. ``opened``: the link was opened, perhaps by a mail scanner."""

    recipients: int
    told: int
    opened: int
    answered: int
    complete: int
    overdue: int
    undelivered: int


@dataclass(frozen=True, slots=True)
class ChannelReached:
    channel: str
    reached: Reached


@dataclass(frozen=True, slots=True)
class Board:
    """All of it, at one instant. ``accounts`` counts pieces as ``reconciliation`` does.

    ``are_more_seen``, ``are_more_late``: only the newest sightings and late events are listed.
    """

    number: str
    kind: str
    state: str
    version: int
    title: str
    at: datetime
    paused_at: datetime | None
    reached: Reached
    by_channel: tuple[ChannelReached, ...]
    deliveries: tuple[tuple[str, str, int], ...]
    overdue: tuple[Recipient, ...]
    undelivered: tuple[Recipient, ...]
    accounts: Mapping[str, Any]
    checks: tuple[Mapping[str, Any], ...]
    sightings: tuple[Sighting, ...]
    late_units: tuple[LateUnit, ...]
    are_more_seen: bool
    are_more_late: bool
    recipients: tuple[Recipient, ...]

    @property
    def dead_letters(self) -> int:
        """Deliveries that nothing more happens to unless a person acts."""
        return sum(count for _, state, count in self.deliveries if state in DEAD)


async def board(conn: AsyncConnection, number: str, *, clock: Clock) -> Board:
    """The board of a case as it is now. Raises ``NoSuchCase``, ``NobodyWasTold`` and ``TooManyRecipients``."""
    case = await store.find_case(conn, number)
    followup = await answers.followup(conn, case.case_id)
    if case.version == 0 or followup is None:
        raise NobodyWasTold(number=number)
    recipients = await answers.recipients(conn, case.case_id)
    if len(recipients) > answers.RECIPIENTS_MAX:
        raise TooManyRecipients(number=number, recipients_max=answers.RECIPIENTS_MAX)
    now, late_after = clock(), _first_step(followup)
    overdue = tuple(each for each in recipients if is_overdue(each, now, late_after))
    seen = await _seen(conn, case, now)
    late = await answers.late_units(conn, case.case_id, case.version)
    return Board(
        number, case.kind.value, case.state.value, case.version, case.title, now, followup.paused_at,
        _reached(recipients, now, late_after),
        tuple(
            ChannelReached(channel, _reached(of_channel, now, late_after))
            for channel in CHANNELS
            if (of_channel := [each for each in recipients if each.channel == channel])
        ),
        await answers.delivery_counts(conn, case.case_id),
        overdue,
        tuple(each for each in recipients if is_undelivered(each)),
        await reconciliation.account(conn, case),
        tuple(await effectiveness.figures(conn, case.case_id)),
        seen[: answers.SEEN_MAX],
        late[: answers.SEEN_MAX],
        len(seen) > answers.SEEN_MAX,
        len(late) > answers.SEEN_MAX,
        recipients,
    )  # fmt: skip


def is_overdue(recipient: Recipient, now: datetime, late_after: timedelta) -> bool:
    """Told something, and no answer to it in time."""
    return recipient.answered_at is None and recipient.told_at is not None and now >= recipient.told_at + late_after


def is_undelivered(recipient: Recipient) -> bool:
    """Nothing that was sent arrived: a person has to find another way."""
    return recipient.dead and not recipient.told


def _first_step(followup: Followup) -> timedelta:
    return timedelta(hours=followup.ladder[0]["hours"]) if followup.ladder else OVERDUE_AFTER


def _reached(recipients: Iterable[Recipient], now: datetime, late_after: timedelta) -> Reached:
    recipients = list(recipients)
    return Reached(
        len(recipients),
        sum(each.told for each in recipients),
        sum(each.opened_at is not None for each in recipients),
        sum(each.answered_at is not None for each in recipients),
        sum(each.complete for each in recipients),
        sum(is_overdue(each, now, late_after) for each in recipients),
        sum(is_undelivered(each) for each in recipients),
    )


async def _seen(conn: AsyncConnection, case: Case, now: datetime) -> tuple[Sighting, ...]:
    return () if case.is_drill else await sightings.since_publication(conn, case, now=now)
