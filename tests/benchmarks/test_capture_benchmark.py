"""The capture benchmark at its smallest, and the documents it sends."""

from __future__ import annotations

import asyncio

import pytest

from benchmarks import capture, capture_world, scan_world
from benchmarks.capture_world import ITEMS_PER_CASE, Supply
from benchmarks.harness import OptionOutOfRange, Options
from gs1 import sscc
from gs1.digital_link import parse
from runtime.database import DatabaseAddress


def test_the_capture_benchmark_runs_beside_the_same_events_merely_inserted(cluster: DatabaseAddress) -> None:
    report = capture.run_on(cluster, Options(rounds=1, size=capture.EVENTS_MIN, warm_up=False))

    rows = {row.case: row for row in report.rows}
    assert {"ledger, 24 events a document", "ledger, 400 events a document", "HTTP, 24 events a document"} < set(rows)
    assert all(row.ratio is not None for name, row in rows.items() if name.startswith(("ledger", "HTTP")))
    assert all(row.spread.median > 0 for row in report.rows)


def test_a_round_of_less_than_two_small_documents_is_refused(cluster: DatabaseAddress) -> None:
    with pytest.raises(OptionOutOfRange):
        capture.run_on(cluster, Options(rounds=1, size=capture.EVENTS_MIN - 1))


def test_no_document_is_handed_out_twice_and_none_is_short(database: DatabaseAddress) -> None:
    keys = asyncio.run(scan_world.write(database, 2, "a secret of this test, long enough to be one"))
    supply = Supply(keys, 2)

    documents = supply.documents(2, 400)

    events = [event for document in documents for event in document["epcisBody"]["eventList"]]
    items = {parse(epc).serial for event in events for epc in event["childEPCs"]}
    assert len({event["eventID"] for event in events}) == 800
    assert len(items) == 800 * ITEMS_PER_CASE
    assert sscc.validate(parse(events[0]["parentID"]).sscc or "") == "095200000000000011"
    with pytest.raises(ValueError, match="used up"):
        supply.documents(1, 400)


@pytest.mark.parametrize("events", [1, 416, 417, 10_000])
def test_there_are_always_lots_enough(events: int) -> None:
    assert capture_world.lots_for(events) * capture_world.CASES_PER_LOT >= events
