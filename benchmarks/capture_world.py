"""Documents for the capture benchmark: cases of 24 items packed in the order in which their codes came off the roll."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final

import numpy as np

from benchmarks import scan_world
from benchmarks.scan_world import ITEMS_PER_LOT, PLANT_URI
from gs1.check_digit import compute
from ledger.codes import KeyRing
from runtime.clock import rfc3339

ITEMS_PER_CASE: Final = 24
CASES_PER_LOT: Final = ITEMS_PER_LOT // ITEMS_PER_CASE
_CONTEXT: Final = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
_PACKED_AT: Final = datetime(2026, 2, 1, tzinfo=UTC)

Document = dict[str, Any]


class Supply:
    """Hands out documents that nobody has captured yet, until the lots are used up."""

    def __init__(self, keys: KeyRing, lots: int) -> None:
        self._events = _packing(keys, lots)

    def documents(self, count: int, events_each: int) -> list[Document]:
        """``count`` documents of ``events_each`` packing events. ValueError when the lots are used up."""
        made = [_document(list(islice(self._events, events_each))) for _ in range(count)]
        if made and len(made[-1]["epcisBody"]["eventList"]) < events_each:
            raise ValueError("the lots of the benchmark are used up")
        return made


def shuffle(document: Document) -> None:
    """Let the cases of a document be filled with its items in any order, as from one heap."""
    events = document["epcisBody"]["eventList"]
    by_product: dict[str, list[str]] = {}
    for event in events:
        by_product.setdefault(event["childEPCs"][0].partition("/21/")[0], []).extend(event["childEPCs"])
    for items in by_product.values():
        random.Random(len(items)).shuffle(items)
    for event in events:
        items = by_product[event["childEPCs"][0].partition("/21/")[0]]
        event["childEPCs"] = [items.pop() for _ in event["childEPCs"]]


def lots_for(events: int) -> int:
    """How many lots so many packing events need."""
    return -(-events // CASES_PER_LOT) + 1


def _packing(keys: KeyRing, lots: int) -> Iterator[Document]:
    number = 0
    for lot in range(1, lots + 1):
        gtin, first = scan_world.gtin_of_lot(lot), scan_world.first_number(lot)
        serials = keys.cipher(keys.newest, gtin).serials(np.arange(first, first + ITEMS_PER_LOT, dtype=np.int64))
        epcs = [f"https://id.gs1.org/01/{gtin}/21/{row.tobytes().decode('ascii')}" for row in serials]
        for case in range(CASES_PER_LOT):
            number += 1
            yield _packed(number, epcs[case * ITEMS_PER_CASE : (case + 1) * ITEMS_PER_CASE])


def _packed(number: int, epcs: list[str]) -> Document:
    payload = f"0952{number:013d}"
    return {
        "type": "AggregationEvent",
        "eventID": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, payload)}",
        "eventTime": rfc3339(_PACKED_AT + timedelta(seconds=number)),
        "eventTimeZoneOffset": "+00:00",
        "action": "ADD",
        "bizStep": "packing",
        "disposition": "in_progress",
        "parentID": f"https://id.gs1.org/00/{payload}{compute(payload)}",
        "childEPCs": epcs,
        "readPoint": {"id": PLANT_URI},
        "bizLocation": {"id": PLANT_URI},
    }


def _document(events: list[Document]) -> Document:
    return {
        "@context": [_CONTEXT],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": rfc3339(_PACKED_AT),
        "epcisBody": {"eventList": events},
    }
