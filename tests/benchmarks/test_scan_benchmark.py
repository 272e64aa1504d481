"""The scan benchmark at its smallest, and the promise behind it: a scan is answered from memory."""

from __future__ import annotations

import asyncio
import json
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest

from benchmarks import load, scan, scan_world, static_files
from benchmarks.database import fresh_database
from benchmarks.harness import OptionOutOfRange, Options
from benchmarks.scan import BROWSER, MACHINE, MASTER_SECRET, fetch
from runtime.database import DatabaseAddress


def test_the_scan_benchmark_runs_beside_the_same_bytes_as_static_files(
    cluster: DatabaseAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "CODES", 1_000)
    options = Options(rounds=1, seconds=0.1, size=scan.LOTS_MIN, warm_up=False)

    report = scan.run_on(cluster, options, generator=load.OWN, files_by=static_files.BARE)

    rows = {row.case: row for row in report.rows}
    assert rows["page, 100 lots"].reference == f"{static_files.BARE}, 100 pages"
    assert {"page, one hot lot", "JSON verdict, 100 lots", "307 for */*", "page, 100 lots, steadily"} < set(rows)
    assert rows["page, beside a typical application"].reference == "typical application"
    assert all(row.spread.median > 0 and row.details["p50_ms"] > 0 for row in report.rows)


def test_a_portal_without_lots_is_refused(cluster: DatabaseAddress) -> None:
    with pytest.raises(OptionOutOfRange):
        scan.run_on(cluster, Options(rounds=1, size=scan.LOTS_MIN - 1))


def test_codes_of_the_load_differ_and_are_of_the_lots_asked_for(database: DatabaseAddress) -> None:
    keys = asyncio.run(scan_world.write(database, 101, MASTER_SECRET))

    paths = scan_world.paths(keys, [1, 101], 50)

    assert len(set(paths)) == 50
    assert {path.split("/")[2] for path in paths} == {scan_world.gtin_of_lot(1), scan_world.gtin_of_lot(101)}


def test_a_scan_is_answered_from_memory_when_the_database_is_gone(cluster: DatabaseAddress) -> None:
    settings = {"TRACEMARK_CONFIRM_WITHIN_S": "60"}
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        with fresh_database(cluster, "scanned_from_memory") as database:
            keys = asyncio.run(scan_world.write(database, 2, MASTER_SECRET))
            scanned, other = scan_world.paths(keys, [1, 2], 2)
            portal = stack.enter_context(scan.serving_portal(database, Path(name), settings=settings))
            fetch(portal, scanned, BROWSER)

        # Dropped, with every connection to it; and these were never asked for before.
        page = fetch(portal, other, BROWSER)
        verdict = json.loads(fetch(portal, other, MACHINE).body)
        unknown = json.loads(fetch(portal, other[:-12] + "0" * 12, MACHINE, expected=404).body)

    assert page.body
    assert verdict["verdict"] in ("first_check", "no_recall_known")
    assert unknown["verdict"] == "unknown_code"
