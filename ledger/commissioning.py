"""Our own labels become items: one event for a range of numbers, whatever its length."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from gs1 import digital_link
from gs1.identifier import LOT, Identifier
from ledger import event_store, store
from ledger.codes import KeyRing
from ledger.epcis.told import read_event
from ledger.epcis.validate import OWN_RANGES
from ledger.event_store import Origin
from ledger.model import UNKNOWN_ID, Lot
from ledger.number_store import blocks_of_lot, commissioned_among
from ledger.recording import record_told
from ledger.refusals import AlreadyCommissioned, NothingToCommission, RangeNotOurs
from runtime.clock import Clock

CONTEXT: Final = (
    "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
    {"tracemark": "urn:tracemark:epcis:"},
)
"""JSON-LD context of the events that we make ourselves."""


async def commission_range(
    conn: AsyncConnection,
    *,
    lot_id: int,
    runs: Sequence[tuple[int, int]],
    at: datetime,
    place_id: int,
    owner_id: int,
    by: str,
    clock: Clock,
    extension: Mapping[str, Any],
) -> int:
    """Commission the numbers lo … lo + n - 1 of each run, in the caller's transaction; returns the event's id.

    One ObjectEvent ADD with the lot's class and count, and the runs under ``tracemark:numberRanges``; never a row or
    a URI per item, so the cost grows with the runs only. ``place_id`` and ``owner_id`` 0 = not told. ``extension`` is
    added to the event; its keys need a prefix.

    Refuses numbers that were not issued for this lot or were skipped (``RangeNotOurs``), ones that are commissioned
    already (``AlreadyCommissioned``), and none at all (``NothingToCommission``).
    """
    lot = (await store.lots_by_id(conn, [lot_id]))[lot_id]
    if not runs or any(n < 1 for _, n in runs):
        raise NothingToCommission
    await _refuse_others(conn, lot, runs)
    event = await _event(conn, lot, runs, at=at, place_id=place_id, owner_id=owner_id, extension=extension)
    recording = await record_told(
        conn, [read_event(event, "")], origins=[Origin(by, None)], at=clock(), keys=KeyRing({})
    )
    await event_store.notify_codes(conn)
    return recording.event_ids[0]


async def _refuse_others(conn: AsyncConnection, lot: Lot, runs: Sequence[tuple[int, int]]) -> None:
    # A job of ten million labels has tens of thousands of runs and of skipped numbers: each is looked up.
    blocks = await blocks_of_lot(conn, lot.lot_id)
    los = [block.lo for block in blocks]
    for lo, n in runs:
        index = bisect_right(los, lo) - 1
        if index < 0 or not blocks[index].issues(lo, n):
            raise RangeNotOurs(lo=lo, last=lo + n - 1)
    for lo, n, taken in await commissioned_among(conn, runs):
        raise AlreadyCommissioned(count=taken, lo=lo, last=lo + n - 1)


async def _event(
    conn: AsyncConnection,
    lot: Lot,
    runs: Sequence[tuple[int, int]],
    *,
    at: datetime,
    place_id: int,
    owner_id: int,
    extension: Mapping[str, Any],
) -> dict[str, Any]:
    lot_uri = digital_link.canonical(Identifier("01", lot.gtin, ((LOT, lot.code),)))
    event: dict[str, Any] = {
        "@context": list(CONTEXT),
        "type": "ObjectEvent",
        "eventID": f"urn:uuid:{uuid4()}",
        "eventTime": at.isoformat(),
        "eventTimeZoneOffset": "+00:00",
        "action": "ADD",
        "bizStep": "commissioning",
        "disposition": "active",
        "quantityList": [{"epcClass": lot_uri, "quantity": sum(n for _, n in runs)}],
        OWN_RANGES: [[lo, n] for lo, n in runs],
        **extension,
    }
    if place_id != UNKNOWN_ID:
        event["bizLocation"] = {"id": await store.place_uri(conn, place_id)}
    if owner_id != UNKNOWN_ID:
        event["sourceList"] = [{"type": "owning_party", "source": await store.party_uri(conn, owner_id)}]
    return event
