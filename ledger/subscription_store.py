"""SQL of subscriptions: who wants to be told, which events have arrived, and the outbox of reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import tables as t
from runtime.database import raw

REPORT_JOB: Final = "ledger.report_events"
"""The job that looks for subscriptions."""

_ARRIVALS: Final = "event_arrival"
_S: Final = t.event_subscription.c
_R: Final = t.event_report.c


@dataclass(frozen=True, slots=True)
class Subscription:
    """Who wants to be told what, and how far that is done. ``schedule`` None: whenever something fits."""

    subscription_id: UUID
    query_name: str
    dest: str
    sealed_token: bytes | None
    schedule: dict[str, str] | None
    report_if_empty: bool
    initial_record_time: datetime | None
    created_at: datetime
    created_by: str
    next_at: datetime | None
    after_number: int
    first_number: int
    past_after: int
    past_until: int
    looked_at: datetime | None
    reports: int
    ended_reason: str | None

    @property
    def looks_back(self) -> bool:
        """Whether there are events from before it began that nobody looked at for it yet."""
        return self.past_after < self.past_until


@dataclass(frozen=True, slots=True)
class Report:
    """One message of the outbox. ``state``: waiting, delivered, refused."""

    report_id: UUID
    subscription_id: UUID
    number: int
    event_ids: list[int]
    made_at: datetime
    state: str
    attempts: int
    last_at: datetime | None
    last_reason: str | None


async def number_arrivals(conn: AsyncConnection) -> int:
    """Number what arrived since; returns the newest number. The lock lasts until the transaction ends, so numbers
    become visible in their order: who has looked up to one has seen all below it.
    """
    await conn.execute(text("SELECT pg_advisory_xact_lock(hashtext(:what))"), {"what": _ARRIVALS})
    await conn.execute(
        text(
            "UPDATE event_arrival a SET number = nextval('event_arrival_numbers') FROM (SELECT arrival_id"
            " FROM event_arrival WHERE number IS NULL ORDER BY arrival_id) n WHERE a.arrival_id = n.arrival_id"
        )
    )
    newest = select(func.coalesce(func.max(t.event_arrival.c.number), 0))
    return int((await conn.execute(newest)).scalar_one())


async def arrivals_after(conn: AsyncConnection, number: int, *, limit: int) -> list[tuple[int, list[int]]]:
    """(number, events) of the next arrivals."""
    a = t.event_arrival.c
    statement = select(a.number, a.event_ids).where(a.number > number).order_by(a.number).limit(limit)
    return [(row.number, list(row.event_ids)) for row in await conn.execute(statement)]


async def past_events(conn: AsyncConnection, subscription: Subscription, *, limit: int) -> list[int]:
    """The next events that were there when it began: not those of transactions that were under way, which arrive."""
    rows = await conn.execute(
        text(
            "SELECT e.event_id FROM event e WHERE e.event_id > :after AND e.event_id <= :until AND e.event_id NOT IN ("
            " SELECT unnest(a.event_ids) FROM event_arrival a WHERE a.number IS NULL OR a.number > :first"
            ") ORDER BY e.event_id LIMIT :n"
        ),
        {
            "after": subscription.past_after,
            "until": subscription.past_until,
            "first": subscription.first_number,
            "n": limit,
        },
    )
    return list(rows.scalars())


async def forget_arrivals(conn: AsyncConnection) -> None:
    """Drop arrivals that every subscription has looked at. The caller has numbered them, and holds the lock."""
    await conn.execute(
        text(
            "DELETE FROM event_arrival WHERE number <= (SELECT coalesce(min(CASE WHEN past_after < past_until"
            " THEN first_number ELSE after_number END), (SELECT max(number) FROM event_arrival))"
            " FROM event_subscription WHERE ended_reason IS NULL)"
        )
    )


async def forget_reports(conn: AsyncConnection, before: datetime) -> None:
    """Drop reports that came to an end before."""
    await conn.execute(t.event_report.delete().where(_R.state != "waiting", _R.last_at < before))


async def add(conn: AsyncConnection, **values: Any) -> Subscription:
    """A new one."""
    row = (await conn.execute(t.event_subscription.insert().values(**values).returning(t.event_subscription))).one()
    return Subscription(*row)


async def count(conn: AsyncConnection) -> int:
    """How many there are."""
    return int((await conn.execute(select(func.count()).select_from(t.event_subscription))).scalar_one())


async def of_query(conn: AsyncConnection, query_name: str, *, after: UUID | None, limit: int) -> list[Subscription]:
    """Those of a query, in the order of their ids."""
    statement = select(t.event_subscription).where(_S.query_name == query_name)
    if after is not None:
        statement = statement.where(_S.subscription_id > after)
    rows = await conn.execute(statement.order_by(_S.subscription_id).limit(limit))
    return [Subscription(*row) for row in rows]


async def find(conn: AsyncConnection, subscription_id: UUID, *, lock: bool = False) -> Subscription | None:
    """``lock``: until the transaction ends, nobody else looks for this one."""
    statement = select(t.event_subscription).where(_S.subscription_id == subscription_id)
    row = (await conn.execute(statement.with_for_update() if lock else statement)).first()
    return None if row is None else Subscription(*row)


async def delete(conn: AsyncConnection, subscription_id: UUID) -> bool:
    """Forget it and its reports; False when there is none."""
    result = await conn.execute(t.event_subscription.delete().where(_S.subscription_id == subscription_id))
    return bool(result.rowcount)


async def streams(conn: AsyncConnection) -> list[UUID]:
    """Those that want to be told at once."""
    statement = select(_S.subscription_id).where(_S.schedule.is_(None), _S.ended_reason.is_(None))
    return list((await conn.execute(statement.order_by(_S.subscription_id))).scalars())


async def somebody_streams(conn: AsyncConnection) -> bool:
    """Whether there is one that wants to be told at once."""
    statement = "SELECT EXISTS (SELECT FROM event_subscription WHERE schedule IS NULL AND ended_reason IS NULL)"
    return bool(await (await raw(conn)).fetchval(statement))


async def due(conn: AsyncConnection, now: datetime) -> list[UUID]:
    """Those whose schedule says now."""
    statement = select(_S.subscription_id).where(_S.next_at <= now, _S.ended_reason.is_(None))
    return list((await conn.execute(statement)).scalars())


async def change(conn: AsyncConnection, subscription_id: UUID, **values: Any) -> None:
    """Write how far it is."""
    await conn.execute(t.event_subscription.update().where(_S.subscription_id == subscription_id).values(**values))


async def add_report(
    conn: AsyncConnection, report_id: UUID, subscription: Subscription, event_ids: Sequence[int], *, at: datetime
) -> None:
    """Put a message into the outbox."""
    await conn.execute(
        t.event_report.insert().values(
            report_id=report_id,
            subscription_id=subscription.subscription_id,
            number=subscription.reports + 1,
            event_ids=list(event_ids),
            made_at=at,
            state="waiting",
            attempts=0,
        )
    )


async def find_report(conn: AsyncConnection, report_id: UUID) -> Report | None:
    """A message of the outbox."""
    row = (await conn.execute(select(t.event_report).where(_R.report_id == report_id))).first()
    return None if row is None else Report(*row)


async def last_report(conn: AsyncConnection, subscription_id: UUID) -> Report | None:
    """The newest message that was tried."""
    statement = select(t.event_report).where(_R.subscription_id == subscription_id, _R.last_at.is_not(None))
    row = (await conn.execute(statement.order_by(_R.number.desc()).limit(1))).first()
    return None if row is None else Report(*row)


async def note_attempt(conn: AsyncConnection, report_id: UUID, *, state: str, at: datetime, reason: str) -> None:
    """Write what became of an attempt; what has ended stays as it ended."""
    await conn.execute(
        t.event_report.update()
        .where(_R.report_id == report_id, _R.state == "waiting")
        .values(state=state, attempts=_R.attempts + 1, last_at=at, last_reason=reason[:500])
    )
