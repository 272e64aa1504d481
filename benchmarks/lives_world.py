"""What happened to each lot of the scan benchmark: made, packed on one pallet, shipped, received, put on the shelf.

The rows are those that a capture of the five events writes, so that each page shows a history of five steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from benchmarks.scan_world import PLANT
from runtime.database import DatabaseAddress, Role

DEPOT: Final = 2
FIRST_SHOP: Final = 3
"""Places, each of a party with the same number."""
SHOPS: Final = 50
STEPS: Final = ("creating_class_instance", "packing", "shipping", "receiving", "stocking")
_KINDS: Final = (("TransformationEvent", None), ("AggregationEvent", "ADD"), ("ObjectEvent", "OBSERVE"))
"""Of the first two steps, and of all others, with their action."""
_DAYS: Final = 20
"""Lots are made on so many days in turn."""
_BEGIN: Final = datetime(2026, 1, 1, 8, tzinfo=UTC)
_APART: Final = timedelta(hours=30)

Rows = tuple[str, str, Iterator[tuple[object, ...]]]
"""A table, its columns, and rows to be copied into it."""


async def write(address: DatabaseAddress, lots: int) -> None:
    """Tell the lives of the lots that ``scan_world.write`` wrote."""
    raw = await address.connect(Role.OWNER)
    try:
        async with raw.transaction():
            for table, columns, rows in (*_places(), *_lives(range(1, lots + 1))):
                await raw.copy_records_to_table(table, columns=columns.split(), records=rows, timeout=600)
            await raw.execute("UPDATE party SET name_public = true WHERE party_id = $1", PLANT)
            await raw.execute("UPDATE place SET region = 'Somerset' WHERE place_id = $1", PLANT)
            packed = "UPDATE code_run SET unit_id = lot_id, event_id = (lot_id - 1) * $1 + 2, since = $2"
            await raw.execute(packed, len(STEPS), step_at(0, 1), timeout=600)
        await raw.execute("ANALYZE", timeout=600)
    finally:
        await raw.close()


def _places() -> Iterator[Rows]:
    """Who kept and sells them. The brand lets its own name and the depot's be shown, and no shop's."""
    shops = [(n, f"Corner Shop {n}", "retailer", "store", "Kent") for n in range(FIRST_SHOP, FIRST_SHOP + SHOPS)]
    told = [(DEPOT, "North Depot", "distributor", "warehouse", "Yorkshire"), *shops]
    yield (
        "party",
        "party_id uri name role region country name_public",
        ((n, f"urn:party:{n}", name, role, region, "GB", n == DEPOT) for n, name, role, _, region in told),
    )
    yield (
        "place",
        "place_id uri name kind party_id region country",
        ((n, f"urn:place:{n}", name, kind, n, region, "GB") for n, name, _, kind, region in told),
    )


def _lives(lots: range) -> Iterator[Rows]:
    """The events of these lots, and what they left behind."""
    yield (
        "event",
        "event_id type action event_time event_offset record_time biz_step biz_location_id source_id hash body"
        " captured_by",
        (
            (event, kind, action, at, "+00:00", at, step, place, f"urn:event:{event}", f"{event}", "{}", "benchmark")
            for lot in lots
            for event, kind, action, at, step, place in _events(lot)
        ),
    )
    yield "operation", "operation_id event_id place_id", ((lot, first_event(lot), PLANT) for lot in lots)
    yield (
        "operation_output",
        "operation_id lot_id at event_id",
        ((lot, lot, step_at(lot, 0), first_event(lot)) for lot in lots),
    )
    yield (
        "unit",
        "unit_id uri since event_id place_id owner_id",
        ((lot, f"urn:pallet:{lot}", step_at(lot, 4), first_event(lot) + 4, shop_of(lot), shop_of(lot)) for lot in lots),
    )
    yield (
        "unit_history",
        "unit_id since until event_id place_id owner_id",
        (
            (lot, step_at(lot, k), step_at(lot, k + 1), first_event(lot) + k, place, place)
            for lot in lots
            for k, place in ((2, PLANT), (3, DEPOT))
        ),
    )


def first_event(lot: int) -> int:
    """The event by which the lot was made; those of ``STEPS`` follow one another."""
    return 1 + (lot - 1) * len(STEPS)


def step_at(lot: int, step: int) -> datetime:
    """When this step of ``STEPS`` happened to the lot."""
    return _BEGIN + timedelta(days=lot % _DAYS) + step * _APART


def shop_of(lot: int) -> int:
    """The place where the lot is sold."""
    return FIRST_SHOP + lot % SHOPS


def place_of(lot: int, step: int) -> int:
    """Where this step of ``STEPS`` happened to the lot."""
    return (PLANT, PLANT, PLANT, DEPOT, shop_of(lot))[step]


def _events(lot: int) -> Iterator[tuple[int, str, str | None, datetime, str, int]]:
    for number, step in enumerate(STEPS):
        kind, action = _KINDS[min(number, 2)]
        yield first_event(lot) + number, kind, action, step_at(lot, number), step, place_of(lot, number)
