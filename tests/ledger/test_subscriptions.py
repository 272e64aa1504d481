"""Who subscribed is told every event that fits, once, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import capture, event_queries, event_reports, subscription_store, subscriptions
from ledger.codes import KeyRing
from ledger.event_queries import NoSuchQuery
from ledger.subscription_schedule import ScheduleNotUsable
from ledger.subscription_store import REPORT_JOB, Subscription
from ledger.subscriptions import NoSuchSubscription, SubscriptionNotUsable, TooManySubscriptions, Wish
from ledger.work import KINDS
from runtime import jobs, settings, webhooks
from runtime.database import DatabaseAddress, Role, transaction
from runtime.jobs import TryLater, WorkPlace
from runtime.webhooks import WebhookAddressNotUsable
from tests.ledger import dairy as d
from tests.receiver import Receiver, answers, receiver


class Broken(Exception):
    """The worker dies here."""


class Clock:
    """A clock that tests move, and that kills the worker at its ``dies_at``-th look."""

    def __init__(self) -> None:
        self.now, self.looks, self.dies_at = d.clock(), 0, -1

    def __call__(self) -> datetime:
        self.looks += 1
        if self.looks == self.dies_at:
            raise Broken
        return self.now


@pytest.fixture
async def place(database: DatabaseAddress) -> AsyncIterator[WorkPlace]:
    engine = database.engine(Role.STAFF, pool_size=2)
    chosen = settings.load({"TRACEMARK_WEBHOOKS_TO_PRIVATE_ADDRESSES": "true"})
    yield WorkPlace(chosen, database, engine, Clock(), d.SECRET)
    await engine.dispose()


@pytest.fixture
async def keys(conn: AsyncConnection) -> KeyRing:
    return await d.ring(conn)


async def subscribed(conn: AsyncConnection, dest: str, **wish: Any) -> Subscription:
    """To everything that is added."""
    if (await conn.execute(text("SELECT count(*) FROM event_query"))).scalar_one() == 0:
        await event_queries.save_query(conn, "made", {"EQ_action": ["ADD"]}, by="anna", clock=d.clock)
    wished = Wish(dest, wish.pop("schedule", None), **wish)
    return await subscriptions.subscribe(
        conn, "made", wished, by="anna", clock=d.clock, master_secret=d.SECRET, allow_private=True
    )


def lot_made(code: str) -> dict[str, Any]:
    return d.make(1, quantityList=[d.much(d.MILK, code, 100, "LTR")])


async def told(conn: AsyncConnection, keys: KeyRing, *codes: str) -> None:
    await capture.capture(conn, d.document(*map(lot_made, codes)), by="erp", clock=d.clock, keys=keys)


async def work(place: WorkPlace) -> None:
    await jobs.work(place, KINDS, until_idle=True)


def lots_in(documents: list[dict[str, Any]]) -> list[str]:
    """The lots that the documents report, in their order."""
    lists = [each["epcisBody"]["queryResults"]["resultsBody"]["eventList"] for each in documents]
    return [event["quantityList"][0]["epcClass"].rpartition("/")[2] for events in lists for event in events]


async def in_outbox(conn: AsyncConnection) -> list[int]:
    """Every event of every report."""
    rows = await conn.execute(text("SELECT unnest(event_ids) FROM event_report ORDER BY 1"))
    found = list(rows.scalars())
    await conn.rollback()
    return found


async def test_a_stream_is_told_what_fits_and_nothing_else(
    conn: AsyncConnection, keys: KeyRing, place: WorkPlace
) -> None:
    await told(conn, keys, "M0")
    async with receiver(answers("200 OK")) as ear:
        made = await subscribed(conn, ear.url, signature_token="ours")
        await told(conn, keys, "M1")
        seen = d.receive(2, d.DEPOT, quantityList=[d.much(d.MILK, "M1", 100, "LTR")])
        await capture.capture(conn, d.document(seen), by="erp", clock=d.clock, keys=keys)
        await work(place)
        await work(place)

    (document,) = ear.documents()
    results = document["epcisBody"]["queryResults"]
    assert lots_in([document]) == ["M1"]
    assert (results["queryName"], results["subscriptionID"]) == ("made", str(made.subscription_id))
    secret = subscriptions.secret_of(made.subscription_id, d.SECRET)
    webhooks.verify(ear.body_of(0), ear.headers, secret=secret, clock=d.clock)
    digest = hmac.digest(b"ours", ear.body_of(0), hashlib.sha256)
    assert ear.headers["gs1-signature"] == base64.b64encode(digest).decode()
    _, last = await subscriptions.find_subscription(conn, "made", str(made.subscription_id))
    assert last is not None
    assert (last.state, last.attempts) == ("delivered", 1)


async def test_what_was_recorded_since_an_instant_is_told_too(
    conn: AsyncConnection, keys: KeyRing, place: WorkPlace
) -> None:
    await told(conn, keys, "M1", "M2")
    async with receiver(answers("204 No Content")) as ear:
        await subscribed(conn, ear.url, initial_record_time=d.clock())
        await subscribed(conn, ear.url, initial_record_time=d.clock() + timedelta(seconds=1))
        await told(conn, keys, "M3")
        await work(place)

    assert sorted(lots_in(ear.documents())) == ["M1", "M2", "M3"]


async def test_an_event_that_commits_after_a_later_one_is_not_passed_over(
    conn: AsyncConnection, keys: KeyRing, place: WorkPlace
) -> None:
    await told(conn, keys, "M0")  # the milk and the plant are known
    async with receiver(answers("200 OK")) as ear, place.engine.connect() as slow:
        await subscribed(conn, ear.url)
        async with transaction(slow):
            await capture.record(slow, [lot_made("M1")], by="erp", clock=d.clock, keys=keys)
            await told(conn, keys, "M2")
            # A subscription that begins now is told the slow one, which nobody could see yet, and not the other twice.
            await subscribed(conn, ear.url, initial_record_time=d.clock())
            await work(place)
            assert sorted(lots_in(ear.documents())) == ["M0", "M2", "M2"]
        await work(place)

    assert sorted(lots_in(ear.documents())) == ["M0", "M1", "M1", "M2", "M2"]


async def test_wherever_a_worker_dies_each_event_is_reported_once(
    conn: AsyncConnection, keys: KeyRing, place: WorkPlace
) -> None:
    clock = place.clock
    assert isinstance(clock, Clock)
    await told(conn, keys, "P1", "P2")
    await subscribed(conn, "http://127.0.0.1:9/", initial_record_time=d.clock())
    deaths = 0
    for round_ in range(15):
        await told(conn, keys, f"M{round_}")
        clock.looks, clock.dies_at = 0, round_ % 5 + 1
        try:
            await event_reports.report_events(place, {})
        except Broken:
            deaths += 1
    clock.dies_at = -1
    await event_reports.report_events(place, {})

    events = list((await conn.execute(text("SELECT event_id FROM event ORDER BY 1"))).scalars())
    assert len(events) == 17
    assert deaths > 4
    assert await in_outbox(conn) == events


async def test_a_report_that_was_cut_off_is_sent_again_under_the_same_id(
    conn: AsyncConnection, keys: KeyRing, place: WorkPlace
) -> None:
    async with receiver(answers("200 OK")) as ear:
        await subscribed(conn, ear.url)
        await told(conn, keys, "M1")
        await event_reports.report_events(place, {})
        report_id = (await conn.execute(text("SELECT report_id FROM event_report"))).scalar_one()
        await conn.rollback()
        payload = {"report_id": str(report_id)}
        sending = asyncio.create_task(event_reports.deliver_report(place, payload))
        ear.on_arrival = sending.cancel
        with pytest.raises(asyncio.CancelledError):
            await sending
        ear.on_arrival = lambda: None
        await event_reports.deliver_report(place, payload)
        await event_reports.deliver_report(place, payload)

    assert len(ear.requests) == 2
    assert ear.headers_of(0)["webhook-id"] == ear.headers_of(1)["webhook-id"]
    assert ear.body_of(0) == ear.body_of(1)


async def only_report(conn: AsyncConnection) -> tuple[str, int, str]:
    row = (await conn.execute(text("SELECT state, attempts, last_reason FROM event_report"))).one()
    await conn.rollback()
    return row.state, row.attempts, row.last_reason


async def test_a_receiver_that_cannot_now_is_asked_again_and_given_up_in_the_end(
    conn: AsyncConnection, keys: KeyRing, place: WorkPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_reports, "ATTEMPTS_MAX", 3)
    async with receiver(answers("503 Service Unavailable")) as ear:
        await subscribed(conn, ear.url)
        await told(conn, keys, "M1")
        await event_reports.report_events(place, {})
        report_id = (await conn.execute(text("SELECT report_id FROM event_report"))).scalar_one()
        await conn.rollback()
        delays = []
        for _ in range(2):
            with pytest.raises(TryLater) as later:
                await event_reports.deliver_report(place, {"report_id": str(report_id)})
            delays.append(later.value.delay.total_seconds())
        assert await only_report(conn) == ("waiting", 2, "answered 503")
        await event_reports.deliver_report(place, {"report_id": str(report_id)})

    assert delays == [5, 10]
    assert await only_report(conn) == ("refused", 3, "answered 503")


async def test_a_receiver_that_refuses_stays_subscribed_and_one_that_is_gone_does_not(
    conn: AsyncConnection, keys: KeyRing, place: WorkPlace
) -> None:
    async with receiver(answers("400 Bad Request")) as refusing, receiver(answers("410 Gone")) as gone:
        stays, ends = await subscribed(conn, refusing.url), await subscribed(conn, gone.url)
        for code in ("M1", "M2"):
            await told(conn, keys, code)
            await work(place)

    assert (len(refusing.requests), len(gone.requests)) == (2, 1)
    states = [(await subscription_store.find(conn, each.subscription_id)) for each in (stays, ends)]
    assert [subscriptions.state_of(each) for each in states if each is not None] == ["active", "ended"]


async def on_schedule(conn: AsyncConnection, ear: Receiver, **wish: Any) -> tuple[Subscription, dict[str, Any]]:
    made = await subscribed(conn, ear.url, schedule={"minute": "0"}, **wish)
    return made, {"subscription_id": str(made.subscription_id)}


async def test_a_schedule_gathers_what_fits_until_it_is_due(
    conn: AsyncConnection, keys: KeyRing, place: WorkPlace
) -> None:
    clock = place.clock
    assert isinstance(clock, Clock)
    async with receiver(answers("200 OK")) as ear:
        made, payload = await on_schedule(conn, ear)
        await told(conn, keys, "M1")
        await told(conn, keys, "M2")
        await event_reports.report_events(place, payload)
        assert await in_outbox(conn) == []
        clock.now = d.clock() + timedelta(hours=1)
        await event_reports.report_events(place, payload)
        await event_reports.report_events(place, payload)
        clock.now += timedelta(hours=1)
        await event_reports.report_events(place, payload)
        await work(place)

    assert [len(lots_in([each])) for each in ear.documents()] == [2]
    found = await subscription_store.find(conn, made.subscription_id)
    assert found is not None
    assert found.next_at == clock.now + timedelta(hours=1)


async def test_who_wants_to_know_of_nothing_is_told_of_nothing(
    conn: AsyncConnection, keys: KeyRing, place: WorkPlace
) -> None:
    clock = place.clock
    assert isinstance(clock, Clock)
    async with receiver(answers("200 OK")) as ear:
        _, payload = await on_schedule(conn, ear, report_if_empty=True)
        for _ in range(2):
            clock.now += timedelta(hours=1)
            await event_reports.report_events(place, payload)
        await work(place)

    assert len(ear.requests) == 2
    assert lots_in(ear.documents()) == []


async def waiting_jobs(conn: AsyncConnection, kind: str) -> int:
    return sum(each.count for each in await jobs.waiting(conn) if each.kind == kind)


async def test_what_was_missed_is_looked_for_and_what_all_have_seen_is_forgotten(
    conn: AsyncConnection, keys: KeyRing, place: WorkPlace
) -> None:
    clock = place.clock
    assert isinstance(clock, Clock)
    async with receiver(answers("200 OK")) as ear:
        made, _ = await on_schedule(conn, ear)
        await told(conn, keys, "M1")
        await event_reports.forget(place)
        await event_reports.sweep(place)
        assert await waiting_jobs(conn, REPORT_JOB) == 0
        await conn.rollback()
        clock.now += timedelta(hours=2)
        await event_reports.sweep(place)
        await event_reports.sweep(place)
        assert await waiting_jobs(conn, REPORT_JOB) == 1
        await conn.rollback()
        await work(place)
        assert lots_in(ear.documents()) == ["M1"]
        clock.now += timedelta(days=31)
        await event_reports.forget(place)

    counts = await conn.execute(
        text("SELECT (SELECT count(*) FROM event_arrival), (SELECT count(*) FROM event_report)")
    )
    assert tuple(counts.one()) == (0, 0)
    assert await subscription_store.find(conn, made.subscription_id) is not None


async def test_what_ended_is_not_told_any_more(conn: AsyncConnection, keys: KeyRing, place: WorkPlace) -> None:
    async with receiver(answers("200 OK")) as ear:
        first, second = await subscribed(conn, ear.url), await subscribed(conn, ear.url)
        await told(conn, keys, "M1")
        await subscriptions.unsubscribe(conn, "made", str(first.subscription_id))
        await event_queries.delete_query(conn, "made")
        await work(place)

    assert ear.requests == []
    assert await subscription_store.find(conn, second.subscription_id) is None


@pytest.mark.parametrize(
    ("wish", "refusal"),
    [
        ({"dest": "ftp://127.0.0.1/"}, WebhookAddressNotUsable),
        ({"schedule": {"minute": "61"}}, ScheduleNotUsable),
        ({"signature_token": ""}, SubscriptionNotUsable),
        ({"signature_token": "x" * 501}, SubscriptionNotUsable),
    ],
)
async def test_a_wish_that_cannot_be_met_is_refused(
    conn: AsyncConnection, wish: dict[str, Any], refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        await subscribed(conn, **({"dest": "http://127.0.0.1:9/"} | wish))


async def test_a_query_that_orders_cannot_be_subscribed_to_nor_can_none(conn: AsyncConnection) -> None:
    counted = {"eventCountLimit": ["5"], "orderBy": ["eventTime"]}
    await event_queries.save_query(conn, "first", counted, by="anna", clock=d.clock)
    wish = Wish("http://127.0.0.1:9/", None)

    for name, refusal in (("first", SubscriptionNotUsable), ("none", NoSuchQuery)):
        with pytest.raises(refusal):
            await subscriptions.subscribe(
                conn, name, wish, by="anna", clock=d.clock, master_secret=d.SECRET, allow_private=True
            )


async def test_there_is_a_most_of_subscriptions(conn: AsyncConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "SUBSCRIPTIONS_MAX", 1)
    await subscribed(conn, "http://127.0.0.1:9/")

    with pytest.raises(TooManySubscriptions):
        await subscribed(conn, "http://127.0.0.1:9/")


@pytest.mark.parametrize("subscription_id", ["x", str(UUID(int=0))])
async def test_a_subscription_that_is_none_is_not_found(conn: AsyncConnection, subscription_id: str) -> None:
    with pytest.raises(NoSuchSubscription):
        await subscriptions.find_subscription(conn, "made", subscription_id)
