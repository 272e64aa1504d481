"""Subscriptions to kept questions (EPCIS 2.0, 8.2.5): whoever has one is sent what newly fits.

No event is lost and none reported twice, however captures overlap and wherever a worker is killed: how far a
subscription is, the report, and the job that sends it are written in one transaction. A report may be *sent* twice,
when the worker dies between the answer and the note of it; then it carries the same ``webhook-id``.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import event_queries, event_query_store
from ledger import subscription_store as store
from ledger.subscription_schedule import next_after, read_schedule
from ledger.subscription_store import REPORT_JOB, Report, Subscription
from runtime import jobs, webhooks
from runtime.clock import Clock
from runtime.database import transaction
from runtime.refusals import Invalid, NotFound, TooMany

SUBSCRIPTIONS_MAX: Final = 1_000
"""Most subscriptions of an installation."""
TOKEN_CHARACTERS_MAX: Final = 500
"""Longest signatureToken."""

_NOT_SUBSCRIBED: Final = ("orderBy", "orderDirection", "eventCountLimit", "maxEventCount", "nextPageToken", "perPage")
_NONCE_BYTES: Final = 12


class SubscriptionNotUsable(Invalid):
    """The subscription cannot be used: {problem}."""


class NoSuchSubscription(NotFound):
    """There is no subscription {subscription_id} of the query {query_name}."""


class TooManySubscriptions(TooMany):
    """There are {subscriptions_max} subscriptions already; delete one first."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a subscriber asks for: ``schedule`` None is a stream."""

    dest: str
    schedule: Mapping[str, str] | None
    report_if_empty: bool = False
    initial_record_time: datetime | None = None
    signature_token: str | None = None


async def subscribe(
    conn: AsyncConnection,
    query_name: str,
    wish: Wish,
    *,
    by: str,
    clock: Clock,
    master_secret: str,
    allow_private: bool,
) -> Subscription:
    """Begin to report. With ``initial_record_time``, what was recorded since then is reported too.

    Raises ``NoSuchQuery``, ``WebhookAddressNotUsable``, ``ScheduleNotUsable``, ``SubscriptionNotUsable`` (the query
    orders or counts, the token is too long) and ``TooManySubscriptions``.
    """
    webhooks.check_address(wish.dest, allow_private=allow_private)
    _refuse_token(wish.signature_token)
    next_at = None if wish.schedule is None else next_after(read_schedule(wish.schedule), clock())
    parameters = await event_queries.saved_query(conn, query_name)
    ordered = [name for name in parameters if name in _NOT_SUBSCRIBED]
    if ordered:
        raise SubscriptionNotUsable(problem=f"its query has {ordered[0]}; an event is reported once, as it arrives")
    async with transaction(conn):
        if await store.count(conn) >= SUBSCRIPTIONS_MAX:
            raise TooManySubscriptions(subscriptions_max=SUBSCRIPTIONS_MAX)
        newest = await store.number_arrivals(conn)
        subscription_id = uuid4()
        added = await store.add(
            conn,
            subscription_id=subscription_id,
            query_name=query_name,
            dest=wish.dest,
            sealed_token=_sealed(wish.signature_token, subscription_id, master_secret),
            schedule=None if wish.schedule is None else dict(wish.schedule),
            report_if_empty=wish.report_if_empty,
            initial_record_time=wish.initial_record_time,
            created_at=clock(),
            created_by=by,
            next_at=next_at,
            after_number=newest,
            first_number=newest,
            past_after=0,
            past_until=0 if wish.initial_record_time is None else await event_query_store.newest(conn),
            reports=0,
        )
        if added.schedule is None:
            await jobs.enqueue(conn, REPORT_JOB, {"subscription_id": str(subscription_id)})
    return added


async def list_subscriptions(
    conn: AsyncConnection, query_name: str, *, after: UUID | None, limit: int
) -> list[tuple[Subscription, Report | None]]:
    """Those of a query, each with its newest message that was tried; raises ``NoSuchQuery``."""
    await event_queries.saved_query(conn, query_name)
    found = await store.of_query(conn, query_name, after=after, limit=limit)
    return [(each, await store.last_report(conn, each.subscription_id)) for each in found]


async def find_subscription(
    conn: AsyncConnection, query_name: str, subscription_id: str
) -> tuple[Subscription, Report | None]:
    """One of a query, with its newest message that was tried; raises ``NoSuchSubscription``."""
    found = await _found(conn, query_name, subscription_id)
    return found, await store.last_report(conn, found.subscription_id)


async def unsubscribe(conn: AsyncConnection, query_name: str, subscription_id: str) -> None:
    """End it; reports that wait are not sent any more. Raises ``NoSuchSubscription``."""
    found = await _found(conn, query_name, subscription_id)
    async with transaction(conn):
        if not await store.delete(conn, found.subscription_id):
            raise NoSuchSubscription(subscription_id=subscription_id[:60], query_name=query_name)


def state_of(subscription: Subscription) -> Literal["active", "ended"]:
    """``ended``: the receiver said that it is gone."""
    return "active" if subscription.ended_reason is None else "ended"


def secret_of(subscription_id: UUID, master_secret: str) -> str:
    """The secret that signs the messages of a subscription, as Standard Webhooks writes it; derived, never stored."""
    return webhooks.secret_from(_derived(master_secret, f"tracemark/subscription-secret/v1/{subscription_id}"))


def token_of(subscription: Subscription, master_secret: str) -> str | None:
    """The receiver's own signatureToken."""
    if subscription.sealed_token is None:
        return None
    nonce, sealed = subscription.sealed_token[:_NONCE_BYTES], subscription.sealed_token[_NONCE_BYTES:]
    return _envelope(subscription.subscription_id, master_secret).decrypt(nonce, sealed, None).decode("utf-8")


def _sealed(token: str | None, subscription_id: UUID, master_secret: str) -> bytes | None:
    if token is None:
        return None
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + _envelope(subscription_id, master_secret).encrypt(nonce, token.encode("utf-8"), None)


def _envelope(subscription_id: UUID, master_secret: str) -> AESGCM:
    return AESGCM(_derived(master_secret, f"tracemark/signature-token/v1/{subscription_id}"))


def _derived(master_secret: str, purpose: str) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=purpose.encode("ascii")).derive(master_secret.encode("utf-8"))


def _refuse_token(token: str | None) -> None:
    if token is not None and not (1 <= len(token) <= TOKEN_CHARACTERS_MAX and token.isprintable()):
        problem = f"its signatureToken has to have 1 to {TOKEN_CHARACTERS_MAX} characters, all printable"
        raise SubscriptionNotUsable(problem=problem)


async def _found(conn: AsyncConnection, query_name: str, subscription_id: str) -> Subscription:
    try:
        found = await store.find(conn, UUID(subscription_id))
    except ValueError:
        found = None
    if found is None or found.query_name != query_name:
        raise NoSuchSubscription(subscription_id=subscription_id[:60], query_name=query_name[:100])
    return found


def shown(subscription: Subscription, last: Report | None) -> dict[str, Any]:
    """The resource of EPCIS 2.0; ``state``, ``reports`` and ``lastReport`` are ours."""
    told: dict[str, Any] = {
        "subscriptionID": str(subscription.subscription_id),
        "queryName": subscription.query_name,
        "dest": subscription.dest,
        "createdAt": subscription.created_at,
        "lastExecutedAt": subscription.looked_at,
        "reportIfEmpty": subscription.report_if_empty,
        "initialRecordTime": subscription.initial_record_time,
        "state": state_of(subscription),
        "reports": subscription.reports,
        "lastNotifiedAt": last.last_at if last is not None and last.state == "delivered" else None,
        "lastReport": None
        if last is None
        else {"state": last.state, "attempts": last.attempts, "why": last.last_reason},
    }
    return told | ({"stream": True} if subscription.schedule is None else {"schedule": subscription.schedule})
