"""What a worker does for subscriptions: looks for what newly fits, and hands the reports over."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import event_queries, subscriptions
from ledger import subscription_store as store
from ledger.codes import KeyRing
from ledger.commissioning import CONTEXT
from ledger.subscription_schedule import next_after, read_schedule
from ledger.subscription_store import REPORT_JOB, Report, Subscription
from runtime import jobs, webhooks
from runtime.clock import rfc3339
from runtime.database import transaction
from runtime.jobs import TryLater, WorkPlace
from runtime.webhooks import Outcome, Result

REPORT_EVENTS_MAX: Final = 500
"""Most events of one report."""
LOOK_EVENTS_MAX: Final = 5_000
"""Events looked at in one transaction; the next one goes on."""
ARRIVALS_MAX: Final = 200
"""Arrivals looked at in one transaction."""
ATTEMPTS_MAX: Final = 80
"""Attempts of one report, which are about three days; then it counts as refused."""
REPORTS_KEPT_DAYS: Final = 30
DELIVER_JOB: Final = "ledger.deliver_report"

_FIRST_DELAY_S: Final = 5
_DELAY_S_MAX: Final = 3_600


async def report_events(place: WorkPlace, payload: Mapping[str, Any]) -> None:
    """Look for one subscription, or for all streams when the payload names none."""
    async with place.engine.connect() as conn:
        async with transaction(conn):
            await store.number_arrivals(conn)
            told = payload.get("subscription_id")
            wanted = await store.streams(conn) if told is None else [UUID(told)]
        for subscription_id in wanted:
            await _report(conn, place, subscription_id)


async def deliver_report(place: WorkPlace, payload: Mapping[str, Any]) -> None:
    """Send one report, unless it has come to an end already; raises ``TryLater`` while its receiver cannot take it."""
    report_id = UUID(payload["report_id"])
    async with place.engine.connect() as conn:
        report = await store.find_report(conn, report_id)
        if report is None or report.state != "waiting":
            return
        subscription = await store.find(conn, report.subscription_id)
        if subscription is None:
            return
        body = await _document(conn, place, subscription, report)
        await conn.rollback()  # no connection's transaction is held open while the receiver thinks
        outcome = await _sent(place, subscription, report, body)
        await _note(conn, place, subscription, report, outcome)
    if outcome.result is Result.LATER and report.attempts + 1 < ATTEMPTS_MAX:
        seconds = min(_FIRST_DELAY_S * 2 ** min(report.attempts, 16), _DELAY_S_MAX)
        raise TryLater(timedelta(seconds=seconds), outcome.reason)


async def sweep(place: WorkPlace) -> None:
    """Ask for the schedules that are due, once a minute, and for streams, whose own job may have died."""
    async with place.engine.connect() as conn, transaction(conn):
        for subscription_id in await store.due(conn, place.clock()):
            named = str(subscription_id)
            await jobs.enqueue(conn, REPORT_JOB, {"subscription_id": named}, key=named)
        if await store.somebody_streams(conn):
            await jobs.enqueue(conn, REPORT_JOB, {}, key="streams")


async def forget(place: WorkPlace) -> None:
    """Drop arrivals that everybody has seen, and reports that ended more than ``REPORTS_KEPT_DAYS`` ago."""
    async with place.engine.connect() as conn, transaction(conn):
        await store.number_arrivals(conn)
        await store.forget_arrivals(conn)
        await store.forget_reports(conn, place.clock() - timedelta(days=REPORTS_KEPT_DAYS))


async def _report(conn: AsyncConnection, place: WorkPlace, subscription_id: UUID) -> None:
    """Look until nothing is new, a part in each transaction; then say when it is due again."""
    reported = False
    while True:
        async with transaction(conn):
            subscription = await store.find(conn, subscription_id, lock=True)
            if subscription is None or subscription.ended_reason is not None or _is_early(subscription, place):
                return
            fitting, more = await _look(conn, place, subscription)
            for start in range(0, len(fitting), REPORT_EVENTS_MAX):
                subscription = await _put(conn, place, subscription, fitting[start : start + REPORT_EVENTS_MAX])
            reported = reported or bool(fitting)
            if more:
                continue
            if subscription.schedule is not None:
                await _end_run(conn, place, subscription, reported=reported)
            return


def _is_early(subscription: Subscription, place: WorkPlace) -> bool:
    return subscription.next_at is not None and subscription.next_at > place.clock()


async def _end_run(conn: AsyncConnection, place: WorkPlace, subscription: Subscription, *, reported: bool) -> None:
    if not reported and subscription.report_if_empty:
        await _put(conn, place, subscription, [])
    next_at = next_after(read_schedule(subscription.schedule or {}), place.clock())
    await store.change(conn, subscription.subscription_id, next_at=next_at)


async def _look(conn: AsyncConnection, place: WorkPlace, subscription: Subscription) -> tuple[list[int], bool]:
    """The events of the next part that fit, and whether another part may be there; writes how far it is."""
    if subscription.looks_back:
        events = await store.past_events(conn, subscription, limit=LOOK_EVENTS_MAX)
        full = len(events) == LOOK_EVENTS_MAX
        done: dict[str, Any] = {"past_after": events[-1] if full else subscription.past_until}
        more = True
    else:
        arrivals = await _some_arrivals(conn, subscription)
        events = [event_id for _, ids in arrivals for event_id in ids]
        done = {"after_number": arrivals[-1][0]} if arrivals else {}
        more = bool(arrivals)
    await store.change(conn, subscription.subscription_id, looked_at=place.clock(), **done)
    if not events:
        return [], more
    parameters = await event_queries.saved_query(conn, subscription.query_name)
    keys = await KeyRing.load(conn, place.master_secret)
    since = subscription.initial_record_time
    return await event_queries.fitting(conn, parameters, events, keys=keys, recorded_from=since), more


async def _some_arrivals(conn: AsyncConnection, subscription: Subscription) -> list[tuple[int, list[int]]]:
    arrivals = await store.arrivals_after(conn, subscription.after_number, limit=ARRIVALS_MAX)
    taken, events = 0, 0
    for _, ids in arrivals:
        if taken and events + len(ids) > LOOK_EVENTS_MAX:
            break
        taken, events = taken + 1, events + len(ids)
    return arrivals[:taken]


async def _put(
    conn: AsyncConnection, place: WorkPlace, subscription: Subscription, event_ids: Sequence[int]
) -> Subscription:
    """A report into the outbox, and the job that sends it."""
    report_id = uuid4()
    await store.add_report(conn, report_id, subscription, event_ids, at=place.clock())
    await store.change(conn, subscription.subscription_id, reports=subscription.reports + 1)
    await jobs.enqueue(conn, DELIVER_JOB, {"report_id": str(report_id)})
    changed = await store.find(conn, subscription.subscription_id)
    assert changed is not None, "the row is locked"
    return changed


async def _document(conn: AsyncConnection, place: WorkPlace, subscription: Subscription, report: Report) -> bytes:
    events = await event_queries.events_named(conn, report.event_ids)
    return orjson.dumps(
        {
            "@context": list(CONTEXT),
            "type": "EPCISQueryDocument",
            "schemaVersion": "2.0",
            "creationDate": rfc3339(report.made_at),
            "epcisBody": {
                "queryResults": {
                    "subscriptionID": str(subscription.subscription_id),
                    "queryName": subscription.query_name,
                    "resultsBody": {"eventList": events},
                }
            },
        },
        default=str,
    )


async def _sent(place: WorkPlace, subscription: Subscription, report: Report, body: bytes) -> Outcome:
    token = subscriptions.token_of(subscription, place.master_secret)
    headers = {"GS1-EPCIS-Version": "2.0", "GS1-CBV-Version": "2.0"}
    if token is not None:
        digest = hmac.digest(token.encode("utf-8"), body, hashlib.sha256)
        headers["GS1-Signature"] = base64.b64encode(digest).decode("ascii")
    return await webhooks.post(
        subscription.dest,
        body,
        secret=subscriptions.secret_of(subscription.subscription_id, place.master_secret),
        message_id=report.report_id.hex,
        clock=place.clock,
        allow_private=place.settings.webhooks_to_private_addresses,
        headers=headers,
    )


async def _note(
    conn: AsyncConnection, place: WorkPlace, subscription: Subscription, report: Report, outcome: Outcome
) -> None:
    gave_up = outcome.result is Result.LATER and report.attempts + 1 >= ATTEMPTS_MAX
    state = {Result.DELIVERED: "delivered", Result.LATER: "refused" if gave_up else "waiting"}.get(
        outcome.result, "refused"
    )
    async with transaction(conn):
        await store.note_attempt(conn, report.report_id, state=state, at=place.clock(), reason=outcome.reason)
        if outcome.result is Result.GONE:
            await store.change(conn, subscription.subscription_id, ended_reason=outcome.reason)
