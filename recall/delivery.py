"""Telling the owners: the outbox that a publication fills, and what people do with it.

A publication makes one delivery per recipient and medium in its own transaction, so that nobody is told of a case that
was not published and nobody is forgotten of one that was. Sending is a worker's (``sending``).
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
from base64 import b64encode
from collections.abc import Mapping
from math import ceil
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from access import audit
from recall import deliveries_store as outbox
from recall import store
from recall.deliveries_store import DEAD, Delivery, DeliveryState, Medium, Rung
from recall.model import Case, Change
from recall.response_refusals import (
    AddressNotUsable,
    DeliveryNotThere,
    LadderNotUsable,
    NobodyWasTold,
    NoSuchParty,
    NotInThisState,
)
from runtime import jobs, mail, webhooks
from runtime.clock import Clock
from runtime.database import transaction

ACCOUNT_LEVELS_MAX: Final = 4
"""Most hands between an owner and an account that is named in a sub-recall."""
JOBS_AT_ONCE: Final = 8
"""So many jobs at most are asked for by one publication: each goes on until nothing is due."""
PER_JOB: Final = 200
ANSWER_CHARACTERS_MAX: Final = 500
STANDARD_LADDER: Final = "24:recall,72:alternate,168:phone"

JOB_BY_MEDIUM: Final[Mapping[Medium, str]] = {
    Medium.EMAIL: "recall.deliver_email",
    Medium.WEBHOOK: "recall.deliver_webhook",
    Medium.FILE: "recall.deliver_file",
}


async def tell_version(
    conn: AsyncConnection,
    case: Case,
    *,
    version: int,
    change: Change,
    set_id: int,
    before_id: int | None,
    by: str,
    clock: Clock,
) -> None:
    """Fill the outbox for a version, inside the verb that publishes it.

    Whoever is new is told all; who has more, what is new; who has nothing new, nothing. Of a drill the deliveries are
    written down and not sent, but to parties that take part in drills. Doing it again changes nothing.
    """
    await outbox.put_notices(
        conn, case, version=version, change=change, set_id=set_id, before_id=before_id,
        ladder=read_ladder(STANDARD_LADDER), by=by, at=clock(), levels_max=ACCOUNT_LEVELS_MAX,
    )  # fmt: skip
    await ask_for_work(conn, case.case_id, version=version, change=change)


async def tell_cancelled(conn: AsyncConnection, case: Case, *, set_id: int, clock: Clock) -> None:
    """Inside the verb that cancels: what has not gone out is stopped, and all who were told are told so."""
    await outbox.put_cancellations(conn, case, set_id=set_id, at=clock())
    await ask_for_work(conn, case.case_id, version=case.version, change=Change.CANCELLED)


async def ask_for_work(conn: AsyncConnection, case_id: int, *, version: int, change: Change) -> None:
    """Ask for as many jobs as the deliveries of this version are worth."""
    for medium, count in (await outbox.count_queued(conn, case_id, version=version, change=change)).items():
        wanted = min(ceil(count / PER_JOB), JOBS_AT_ONCE)
        await jobs.enqueue(conn, JOB_BY_MEDIUM[medium], *({} for _ in range(wanted)))


async def remind(conn: AsyncConnection, *, clock: Clock) -> int:
    """Remind those who have not answered in time, by the ladder of their case; how many deliveries that made."""
    async with transaction(conn):
        made = await outbox.put_reminders(conn, clock())
        if made:
            await jobs.enqueue(conn, JOB_BY_MEDIUM[Medium.EMAIL], {}, key="due")
        return made


async def bounce(
    conn: AsyncConnection,
    *,
    reason: str,
    by: str,
    clock: Clock,
    delivery_id: int | None = None,
    address: str | None = None,
) -> Delivery:
    """Record that a letter came back; whoever stands in for the contact is told at once, or the recipient is called.

    Named by its delivery, or by the address it went to (the last letter there). Refuses what was never sent.
    """
    async with transaction(conn):
        if delivery_id is None and address:
            delivery_id = await outbox.sent_to(conn, address.strip())
        found = None if delivery_id is None else await outbox.find_delivery(conn, delivery_id)
        if found is None:
            raise DeliveryNotThere(which=delivery_id or address or "without a number or an address")
        await _settle(conn, found, DeliveryState.BOUNCED, (DeliveryState.SENT,), reason, clock)
        await outbox.escalate(conn, found.delivery_id, clock())
        await jobs.enqueue(conn, JOB_BY_MEDIUM[Medium.EMAIL], {})
        await audit.note(
            conn, by, "recall.bounce", found.number, {"delivery": found.delivery_id, "reason": reason[:200]}, clock
        )
        return await _again(conn, found)


async def done_by_hand(conn: AsyncConnection, delivery_id: int, *, note: str, by: str, clock: Clock) -> Delivery:
    """Record that somebody was called, or that a letter was posted. Refuses deliveries that are not a person's work."""
    async with transaction(conn):
        found = await _find(conn, delivery_id)
        told = f"{by}: {note}" if note.strip() else by
        await _settle(conn, found, DeliveryState.SENT, (DeliveryState.BY_HAND,), told, clock, is_attempt=True)
        await audit.note(conn, by, "recall.told", found.number, {"delivery": delivery_id, "note": note[:200]}, clock)
        return await _again(conn, found)


async def send_again(conn: AsyncConnection, delivery_id: int, *, by: str, clock: Clock) -> Delivery:
    """Put a dead letter back into the queue, after a person has mended what was wrong."""
    async with transaction(conn):
        found = await _find(conn, delivery_id)
        if found.medium not in JOB_BY_MEDIUM:
            raise NotInThisState(delivery=delivery_id, state=f"a {found.medium} delivery", wanted="sent by a worker")
        await _settle(conn, found, DeliveryState.QUEUED, DEAD, f"again, by {by}", clock)
        await jobs.enqueue(conn, JOB_BY_MEDIUM[found.medium], {})
        await audit.note(conn, by, "recall.send_again", found.number, {"delivery": delivery_id}, clock)
        return await _again(conn, found)


async def set_medium(
    conn: AsyncConnection,
    party: str,
    medium: Medium,
    address: str,
    *,
    secret: str,
    by: str,
    clock: Clock,
    allow_private: bool = False,
) -> str | None:
    """From now on the party (GLN or URI) gets its notices by this medium as well; a webhook's signing secret.

    ``file``: ``address`` is the name of a folder under the data directory; ``letter``: an address of the post.
    ``allow_private`` lets webhooks go into the own network.
    """
    _check_address(medium, address, allow_private=allow_private)
    async with transaction(conn):
        found = await outbox.set_medium(conn, party, medium, address.strip(), by=by, at=clock())
        if found is None:
            raise NoSuchParty(party=party)
        await audit.note(conn, by, "recall.set_medium", party, {"medium": medium.value, "address": address}, clock)
        return webhook_secret(secret, *found) if medium is Medium.WEBHOOK else None


async def drop_medium(conn: AsyncConnection, party: str, medium: Medium, *, by: str, clock: Clock) -> None:
    """The party gets its notices by this medium no more."""
    async with transaction(conn):
        if not await outbox.drop_medium(conn, party, medium):
            raise NoSuchParty(party=f"{party} with the medium {medium}")
        await audit.note(conn, by, "recall.drop_medium", party, {"medium": medium.value}, clock)


async def take_part_in_drills(conn: AsyncConnection, party: str, *, wanted: bool, by: str, clock: Clock) -> None:
    """Whether the party (GLN or URI) is really told in drills, from the next one on."""
    async with transaction(conn):
        if not await outbox.take_part(conn, party, wanted=wanted):
            raise NoSuchParty(party=party)
        await audit.note(conn, by, "recall.drill_participant", party, {"takes_part": wanted}, clock)


async def list_deliveries(
    conn: AsyncConnection,
    number: str,
    *,
    state: DeliveryState | None = None,
    medium: Medium | None = None,
    after: int = 0,
    limit: int = outbox.PAGE,
) -> tuple[Delivery, ...]:
    """A page of a case's deliveries. Raises ``NoSuchCase`` and, of a case that told nobody yet, ``NobodyWasTold``."""
    case = await store.find_case(conn, number)
    if case.version == 0:
        raise NobodyWasTold(number=number)
    return await outbox.list_deliveries(conn, case, state=state, medium=medium, after=after, limit=limit)


def read_ladder(text: str) -> tuple[Rung, ...]:
    """``24:recall,72:alternate,168:phone``: hours after the notice, and whom; raises ``LadderNotUsable``."""
    rungs = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        hours, _, to = part.partition(":")
        if not (hours.isascii() and hours.isdecimal() and to in ("recall", "alternate", "phone")):
            raise LadderNotUsable(text=text[:200])
        rungs.append(Rung(int(hours), to))
    if any(later.hours <= earlier.hours for earlier, later in itertools.pairwise(rungs)):
        raise LadderNotUsable(text=text[:200])
    return tuple(rungs)


def webhook_secret(master_secret: str, party_id: int, key_number: int) -> str:
    """What signs the messages to this party. It follows from the master secret, so no table holds it."""
    told = f"tracemark recall webhook {party_id} {key_number}".encode()
    return f"whsec_{b64encode(hmac.digest(master_secret.encode(), told, hashlib.sha256)).decode()}"


def _check_address(medium: Medium, address: str, *, allow_private: bool) -> None:
    text = address.strip()
    if medium in (Medium.EMAIL, Medium.PHONE):
        raise AddressNotUsable(address=text[:100], problem="mail and calls go to the party's contacts; import those")
    if medium is Medium.FILE and not (text and text.replace("-", "").replace("_", "").isalnum() and text.isascii()):
        raise AddressNotUsable(address=text[:100], problem="name a folder with letters, digits, - and _")
    if medium is Medium.WEBHOOK:
        webhooks.check_address(text, allow_private=allow_private)
    if not text or len(text) > mail.SUBJECT_CHARACTERS_MAX or not text.isprintable():
        raise AddressNotUsable(address=text[:100], problem="it is empty, too long, or has control characters")


async def _find(conn: AsyncConnection, delivery_id: int) -> Delivery:
    found = await outbox.find_delivery(conn, delivery_id)
    if found is None:
        raise DeliveryNotThere(which=delivery_id)
    return found


async def _again(conn: AsyncConnection, delivery: Delivery) -> Delivery:
    return await _find(conn, delivery.delivery_id)


async def _settle(  # noqa: PLR0917 - what moves, where to, from where, with which words
    conn: AsyncConnection,
    found: Delivery,
    state: DeliveryState,
    of: tuple[DeliveryState, ...],
    answer: str,
    clock: Clock,
    *,
    is_attempt: bool = False,
) -> None:
    moved = await outbox.settle(
        conn, found.delivery_id, state=state, answer=answer[:ANSWER_CHARACTERS_MAX], now=clock(), of=of,
        is_attempt=is_attempt,
    )  # fmt: skip
    if not moved:
        raise NotInThisState(delivery=found.delivery_id, state=found.state.value, wanted=" or ".join(of))
