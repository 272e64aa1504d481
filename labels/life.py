"""What becomes of labels: on an item, out of use, replaced. Each verb locks its job, so that its ranges never overlap.

A label is unused, commissioned or void. Commissioned labels may still be voided: their items' codes go out of service.
Void is for good. A repeated request changes nothing; one that overlaps what was done before is refused and names where.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from access import audit
from gs1 import digital_link
from gs1.identifier import Identifier
from labels import job_lists, store
from labels.job_serials import number_in_job, serials_of
from labels.model import Balance, Done, Job, LabelRange
from labels.ordering import order_replacement, require_printable, subject
from labels.refusals import (
    AppliedLater,
    ItemGone,
    JobNotReleased,
    LabelsCommissioned,
    LabelsNotInJob,
    LabelsVoid,
    ReasonMissing,
    SerialNotInJob,
    TooManyToVoid,
)
from ledger import capture, commissioning, master_data
from ledger.codes import KeyRing
from ledger.movement import GONE, REPLACED
from ledger.refusals import PlaceNotFound
from runtime.clock import Clock, rfc3339
from runtime.database import transaction

COMMISSIONED, VOIDED, REPRINTED = "labels.commission", "labels.void", "labels.reprint"
VOID_ITEMS_MAX: Final = 100_000
"""Most commissioned labels that are voided in one go: the ledger is told each of their items."""
ITEMS_PER_EVENT: Final = 1_000
REASON_CHARACTERS_MAX: Final = 500


async def commission(
    conn: AsyncConnection, job_id: int, first: int | None = None, last: int | None = None, *,
    place: str | None = None, at: datetime | None = None, by: str, clock: Clock, keys: KeyRing,
) -> Done:  # fmt: skip
    """The labels ``first`` … ``last`` are on their items: their codes are active from now on.

    With neither bound, all labels that are still unused. ``place`` (GLN or URI) is where they were applied, by default
    where the lot was made; the items belong to the party of that place, else to the brand's. ``at`` is when, by default
    now; it may lie before the order, because history is sometimes told afterwards.

    The same labels again change nothing. Refuses labels of which a part is commissioned or any is void, a job of which
    no rendering was released, a lot that is held, rejected or recalled, an unknown place, an instant in the future.
    """
    async with transaction(conn):
        job = await store.lock_job(conn, job_id)
        chosen = _bounds(job, first, last)
        done = await store.ranges(conn, job_id, *chosen)
        pieces = _unused(chosen, done)
        if first is not None or last is not None:
            _refuse_overlap(job, chosen, done, "void")
            if pieces:
                _refuse_overlap(job, chosen, done, "commissioned")
        if not pieces:
            return Done(job_id, *chosen, _labels(_part(done, chosen, "commissioned")), changed=False)
        return await _put_on(conn, job, pieces, place=place, at=at, by=by, clock=clock)


async def commission_pieces(
    conn: AsyncConnection, job_id: int, pieces: Sequence[tuple[int, int]], *, place: str | None = None,
    at: datetime | None = None, by: str, clock: Clock,
) -> Done:  # fmt: skip
    """As ``commission``, for labels from first to last several times, rising: what was really applied. One event.

    Labels that are all commissioned already change nothing; a part of them, or a void one, is refused.
    """
    async with transaction(conn):
        job = await store.lock_job(conn, job_id)
        whole = _bounds(job, pieces[0][0], pieces[-1][1])
        done = await store.ranges(conn, job_id, *whole)
        count = sum(high - low + 1 for low, high in pieces)
        if sum(_labels(_part(done, piece, "commissioned")) for piece in pieces) == count:
            return Done(job_id, *whole, count, changed=False)
        for piece in pieces:
            _refuse_overlap(job, piece, done, "void")
            _refuse_overlap(job, piece, done, "commissioned")
        return await _put_on(conn, job, pieces, place=place, at=at, by=by, clock=clock)


async def _put_on(
    conn: AsyncConnection, job: Job, pieces: Sequence[tuple[int, int]], *, place: str | None, at: datetime | None,
    by: str, clock: Clock,
) -> Done:  # fmt: skip
    now = _now(clock)
    if at is not None and at > now:
        raise AppliedLater(at=rfc3339(at))
    if job.state != "released":
        raise JobNotReleased(job_id=job.job_id)
    place_id, owner_id = await _where(conn, job, place)
    event_id = await _activate(
        conn, job, pieces, place_id=place_id, owner_id=owner_id, at=at or now, by=by, clock=clock
    )
    details = {"labels": _words(pieces), "place_id": place_id, "event_id": event_id}
    await audit.note(conn, by, COMMISSIONED, subject(job.job_id), details, clock)
    count = sum(high - low + 1 for low, high in pieces)
    return Done(job.job_id, pieces[0][0], pieces[-1][1], count, changed=True, event_id=event_id)


async def void(
    conn: AsyncConnection, job_id: int, first: int, last: int, reason: str, *, by: str, clock: Clock, keys: KeyRing
) -> Done:
    """Take the labels ``first`` … ``last`` out of use for good: spoiled, lost, stolen. A scan of one is told so.

    Labels that are on items are voided too: the ledger is told that their codes went out of service (ObjectEvent
    DELETE, decommissioning). The same labels again change nothing, also with another reason. Refuses labels of which
    only a part is void, an empty reason, and more than VOID_ITEMS_MAX commissioned labels at once.
    """
    because = _reason(reason)
    async with transaction(conn):
        job = await store.lock_job(conn, job_id)
        chosen = _bounds(job, first, last)
        done = await store.ranges(conn, job_id, *chosen)
        void_now = _labels(_part(done, chosen, "void"))
        if void_now == chosen[1] - chosen[0] + 1:
            return Done(job_id, *chosen, void_now, changed=False)
        _refuse_overlap(job, chosen, done, "void")
        event_id = await _take_out(conn, job, chosen, done, because, by=by, clock=clock, keys=keys)
        await audit.note(conn, by, VOIDED, subject(job_id), {"labels": _words([chosen]), "reason": because}, clock)
    return Done(job_id, *chosen, chosen[1] - chosen[0] + 1, changed=True, event_id=event_id)


async def reprint(
    conn: AsyncConnection, job_id: int, serial: str, reason: str, *, by: str, clock: Clock, master_secret: str
) -> Job:
    """Order one new label with a new serial in the place of one that is spoiled; the old one becomes void.

    The new job has one label, like those of the old one; render it to print it. When the old label was on an item, its
    code goes out of service and the new one is commissioned at once, for the same lot, where the item is and for the
    party whose it is, as *active* and loose: it inherits nothing else (no unit, no other disposition, no history). The
    old number keeps its place in the chain, is not counted any more, and a case that names it names the new one too.

    Refuses a serial that is not of this job, a void label, a lot that is held, rejected or recalled, an item that is
    recalled or gone (sold, destroyed, …), and an empty reason.
    """
    because = _reason(reason)
    async with transaction(conn):
        job = await store.lock_job(conn, job_id)
        keys = await KeyRing.load(conn, master_secret)
        label = await _label_of(conn, job, serial, keys)
        number = job.numbers.number_of(label)
        await require_printable(conn, await master_data.get_lot(conn, job.gtin, job.lot), [(number, 1)])
        done = await store.ranges(conn, job_id, label, label)
        _refuse_overlap(job, (label, label), done, "void")
        item = await store.item_place(conn, number) if done else None
        if item is not None and item.disposition in GONE:
            raise ItemGone(serial=serial, disposition=item.disposition)
        new, keys = await order_replacement(conn, job, by=by, clock=clock, master_secret=master_secret)
        await _take_out(conn, job, (label, label), done, because, by=by, clock=clock, keys=keys, replaced_by=new.job_id)
        if item is not None:
            await _activate(
                conn, new, [(1, 1)], place_id=item.place_id, owner_id=item.owner_id, at=_now(clock), by=by, clock=clock
            )
            await store.add_replaced(
                conn, number=number, by_number=new.numbers.number_of(1), lot_id=job.lot_id, at=clock()
            )
        details = {"label": label, "replaced_by": new.job_id, "commissioned": item is not None, "reason": because}
        await audit.note(conn, by, REPRINTED, subject(job_id), details, clock)
        return new


async def balance(conn: AsyncConnection, job_id: int) -> Balance:
    """What became of a job's labels now: ordered = commissioned + void + unused."""
    line = await job_lists.find_job(conn, job_id)
    return Balance(line.count, line.commissioned, line.void)


async def _activate(
    conn: AsyncConnection, job: Job, pieces: Sequence[tuple[int, int]], *, place_id: int, owner_id: int, at: datetime,
    by: str, clock: Clock,
) -> int:  # fmt: skip
    """Tell the ledger of the items, and keep that their labels are on them."""
    runs = [run for piece in pieces for run in job.numbers.runs(*piece)]
    await require_printable(conn, await master_data.get_lot(conn, job.gtin, job.lot), runs)
    extension = {"tracemark:labelJob": job.job_id, "tracemark:labels": _words(pieces)}
    event_id: int = await commissioning.commission_range(
        conn, lot_id=job.lot_id, runs=runs, at=at, place_id=place_id, owner_id=owner_id, by=by, clock=clock,
        extension=extension,
    )  # fmt: skip
    added = [LabelRange(*piece, "commissioned", None, by, clock(), event_id) for piece in pieces]
    await store.put_ranges(conn, job.job_id, (), added)
    await store.tell_scanners(conn)
    return event_id


async def _take_out(
    conn: AsyncConnection, job: Job, chosen: tuple[int, int], done: Sequence[LabelRange], reason: str, *, by: str,
    clock: Clock, keys: KeyRing, replaced_by: int | None = None,
) -> int | None:  # fmt: skip
    """Void labels, none of which is void yet; the id of the last event that the ledger was told, if any."""
    at = _now(clock)
    items = _part(done, chosen, "commissioned")
    if _labels(items) > VOID_ITEMS_MAX:
        raise TooManyToVoid(count=_labels(items), labels_max=VOID_ITEMS_MAX)
    disposition = "inactive" if replaced_by is None else REPLACED
    told = _decommissioning(conn, job, items, keys, at=at, disposition=disposition)
    events = [event async for event in told]
    event_ids = await capture.record(conn, events, by=by, clock=clock, keys=keys) if events else []
    event_id = event_ids[-1] if event_ids else None
    kept = list(_outside(done, chosen))
    added = LabelRange(*chosen, "void", reason, by, at, event_id, replaced_by)
    await store.put_ranges(conn, job.job_id, done, [*kept, added])
    await store.add_void_codes(conn, job.numbers.runs(*chosen), at)
    await store.tell_scanners(conn)
    return event_id


async def _decommissioning(
    conn: AsyncConnection, job: Job, items: Iterable[LabelRange], keys: KeyRing, *, at: datetime, disposition: str
) -> AsyncIterator[Mapping[str, Any]]:
    """The events by which items' codes go out of service."""
    for each in items:
        for first in range(each.first, each.last + 1, ITEMS_PER_EVENT):
            serials = await serials_of(conn, job, keys, first, min(each.last, first + ITEMS_PER_EVENT - 1))
            yield {
                "type": "ObjectEvent",
                "eventTime": rfc3339(at),
                "eventTimeZoneOffset": "+00:00",
                "action": "DELETE",
                "bizStep": "decommissioning",
                "disposition": disposition,
                "epcList": [_uri(job, serial) for serial in serials],
            }


def _uri(job: Job, serial: str) -> str:
    return digital_link.canonical(Identifier.item(job.gtin, serial))


async def _where(conn: AsyncConnection, job: Job, place: str | None) -> tuple[int, int]:
    """Place and owner of items whose labels are applied now."""
    if place is None:
        place_id = (await master_data.get_lot(conn, job.gtin, job.lot)).made_at_place_id
        party_id = await store.party_of_place(conn, place_id)
    else:
        found = await master_data.find_place(conn, place)
        if found is None:
            raise PlaceNotFound(value=place)
        place_id, party_id = found.place_id, found.party_id
    return place_id, party_id or await store.brand_party(conn, job.product_id)


def _now(clock: Clock) -> datetime:
    """The present instant in whole milliseconds, as events tell it: else a void could come before what it voids."""
    now = clock()
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def _bounds(job: Job, first: int | None, last: int | None) -> tuple[int, int]:
    low, high = 1 if first is None else first, job.count if last is None else last
    if not 1 <= low <= high <= job.count:
        raise LabelsNotInJob(job_id=job.job_id, count=job.count, first=low, last=high)
    return low, high


async def _label_of(conn: AsyncConnection, job: Job, serial: str, keys: KeyRing) -> int:
    number = await number_in_job(conn, job, serial, keys)
    label = None if number is None else job.numbers.label_of(number)
    if label is None:
        raise SerialNotInJob(job_id=job.job_id, serial=serial)
    return label


def _reason(text: str) -> str:
    reason = text.strip()
    if not 1 <= len(reason) <= REASON_CHARACTERS_MAX:
        raise ReasonMissing(characters_max=REASON_CHARACTERS_MAX)
    return reason


def _refuse_overlap(job: Job, chosen: tuple[int, int], done: Sequence[LabelRange], state: str) -> None:
    overlap = _part(done, chosen, state)
    if overlap:
        refusal = LabelsVoid if state == "void" else LabelsCommissioned
        words = _words([(each.first, each.last) for each in overlap])
        raise refusal(job_id=job.job_id, first=chosen[0], last=chosen[1], overlap=words)


def _part(done: Iterable[LabelRange], chosen: tuple[int, int], state: str) -> list[LabelRange]:
    """The ranges of one state, cut to the chosen labels."""
    return [
        replace(each, first=max(each.first, chosen[0]), last=min(each.last, chosen[1]))
        for each in done
        if each.state == state and each.first <= chosen[1] and each.last >= chosen[0]
    ]


def _outside(done: Iterable[LabelRange], chosen: tuple[int, int]) -> Iterator[LabelRange]:
    """What is left of the ranges beside the chosen labels."""
    for each in done:
        if each.first < chosen[0]:
            yield replace(each, last=min(each.last, chosen[0] - 1))
        if each.last > chosen[1]:
            yield replace(each, first=max(each.first, chosen[1] + 1))


def _unused(chosen: tuple[int, int], done: Iterable[LabelRange]) -> list[tuple[int, int]]:
    """The chosen labels that nothing was done with yet."""
    pieces, at = [], chosen[0]
    for each in done:
        if each.first > at:
            pieces.append((at, each.first - 1))
        at = max(at, each.last + 1)
    return [*pieces, (at, chosen[1])] if at <= chosen[1] else pieces


def _labels(ranges: Iterable[LabelRange]) -> int:
    return sum(each.labels for each in ranges)


_WORDS_MAX: Final = 20
"""Ranges that are named in a sentence; of more, the first ones."""


def _words(pieces: Sequence[tuple[int, int]]) -> str:
    named = ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in pieces[:_WORDS_MAX])
    rest = len(pieces) - _WORDS_MAX
    return f"{named} and {rest} more ranges" if rest > 0 else named
