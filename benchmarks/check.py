"""``tracemark benchmark check``: files, pasted lists and pallets of partners, each beside a reference: the same file
copied unchecked, the same codes asked one by one, the rows of the same pallet read and not judged.

``size`` is the rows of the workbook; the CSV has ten times as many. Each file is checked by the portal's own process
for files, its start and the load of its copy counted; the memory is the most that this process had.
"""

from __future__ import annotations

import asyncio
import csv
import gc
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final, TypeVar

import xlsxwriter

from benchmarks import machine, scan_world
from benchmarks.database import fresh_database, throw_away_server
from benchmarks.figures import Sample, quantile
from benchmarks.harness import Contender, Options, Report, measure, notes_on, timed
from portal import check_tables, checks, states_on_disk, unit_reads, unit_tree
from portal.check_tables import Columns
from portal.check_work import Order
from portal.live import Live
from portal.refresh import Refresher
from runtime.clock import system_clock
from runtime.database import DatabaseAddress, Role

MASTER_SECRET: Final = "the master secret of a benchmark, 32 characters or more"
ROWS_DEFAULT: Final = 100_000
ROWS_MIN: Final = 100
ROWS_MAX: Final = 100_000
LOTS: Final = 100
PASTED: Final = 1_000
PALLET: Final = "395201234567890123"
PALLET_ITEMS: Final = 100_000
PALLET_CASES: Final = 2_000
ASKED: Final = 200
_MEGABYTE: Final = 1_000_000
_Answer = TypeVar("_Answer")


def run(options: Options) -> Report:
    """Measure on a throw-away server; OptionOutOfRange for a size that cannot be."""
    options.size_or(ROWS_DEFAULT, low=ROWS_MIN, high=ROWS_MAX)
    with throw_away_server(options.tell) as server:
        return run_on(server, options)


def run_on(server: DatabaseAddress, options: Options) -> Report:
    """Measure on this server, in a database of the benchmark's own."""
    described = machine.describe()
    rows = options.size_or(ROWS_DEFAULT, low=ROWS_MIN, high=ROWS_MAX)
    with fresh_database(server, "checked") as address, tempfile.TemporaryDirectory() as name:
        keys = asyncio.run(scan_world.write(address, LOTS, MASTER_SECRET))
        asyncio.run(_fill_pallet(address))
        codes = scan_world.paths(keys, range(1, LOTS + 1), min(rows * 10, LOTS * scan_world.ITEMS_PER_LOT))
        folder = Path(name)
        workbook, text = folder / "codes.xlsx", folder / "codes.csv"
        _write_workbook(workbook, codes[:rows])
        _write_text(text, codes)
        measured = measure(_contenders(address, folder, workbook, text, codes), options)
    return Report("check", described, measured, notes=(*notes_on(options), *_NOTES))


_NOTES: Final = ("A file's time holds the start of its process and the load of its copy of the record.",)


def _contenders(
    address: DatabaseAddress, folder: Path, workbook: Path, text: Path, codes: Sequence[str]
) -> list[Contender]:
    rows, lines = check_rows(workbook), check_rows(text)
    xlsx, csv_file = f"XLSX, {rows:,} rows, copied", f"CSV, {lines:,} rows, copied"
    pasted, pallet = f"{min(PASTED, len(codes)):,} lines", f"SSCC, {PALLET_ITEMS:,} items in {PALLET_CASES:,} cases"
    singly, unjudged = f"{pasted} asked one by one", f"{pallet}, only read"
    return [
        Contender(xlsx, "s", lambda: _copied(lambda: _copy_workbook(workbook, folder)), "less"),
        Contender(f"XLSX, {rows:,} rows", "s", lambda: _file(address, folder, workbook), "less", xlsx, "cpu_s"),
        Contender(csv_file, "s", lambda: _copied(lambda: _copy_text(text, folder)), "less"),
        Contender(f"CSV, {lines:,} rows", "s", lambda: _file(address, folder, text), "less", csv_file, "cpu_s"),
        Contender(singly, "s", lambda: _pasted(address, codes, at_once=1), "less"),
        Contender(pasted, "s", lambda: _pasted(address, codes, at_once=PASTED), "less", singly),
        Contender(unjudged, "ms", lambda: _pallet(address, is_judged=False), "less"),
        Contender(pallet, "ms", lambda: _pallet(address, is_judged=True), "less", unjudged),
    ]


def check_rows(path: Path) -> int:
    """The rows of a file below its header."""
    return sum(1 for _ in check_tables.rows_of(path)) - 1


def _copied(copy: Callable[[], None]) -> Sample:
    begun_s = time.process_time()
    seconds = timed(copy)
    return Sample(seconds, {"cpu_s": time.process_time() - begun_s})


def _file(address: DatabaseAddress, folder: Path, source: Path) -> Sample:
    """One file through the process that the portal starts for it."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        work = Path(name)
        (work / "input").hardlink_to(source)
        columns = Columns(has_header=True, code=1).plain()
        order = Order("check", name, columns, asdict(address), MASTER_SECRET)
        begun = time.perf_counter()
        process = subprocess.Popen([sys.executable, "-m", "portal.check_work"], stdin=subprocess.PIPE)
        assert process.stdin is not None
        process.stdin.write(order.line())
        process.stdin.flush()
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        process.stdin.close()
        state = states_on_disk.read(work)
        assert state is not None
        assert state["stage"] == "signing", state
        return Sample(seconds, {
            "peak_mb": used.ru_maxrss * 1024 / _MEGABYTE, "cpu_s": used.ru_utime + used.ru_stime,
            "items": state["rows"],
        })  # fmt: skip


def _pasted(address: DatabaseAddress, codes: Sequence[str], *, at_once: int) -> Sample:
    async def ask(refresher: Refresher, live: Live) -> float:
        confirmation, today = refresher.confirmation(), system_clock().date()
        begun = time.perf_counter()
        for at in range(0, min(PASTED, len(codes)), at_once):
            await checks.check(
                codes[at : min(at + at_once, PASTED)], snapshot=refresher.snapshot, confirmation=confirmation,
                today=today, live=live, rows_max=PASTED,
            )  # fmt: skip
        return time.perf_counter() - begun

    return Sample(asyncio.run(_asked(address, ask)))


def _pallet(address: DatabaseAddress, *, is_judged: bool) -> Sample:
    async def ask(refresher: Refresher, live: Live) -> float:
        begun = time.perf_counter()
        nodes = await unit_reads.tree(live, PALLET)
        if is_judged and nodes is not None:  # a late answer is one of 503: its time counts as it was
            unit = unit_tree.build(nodes, refresher.snapshot)
            assert unit is not None
            assert unit.items == PALLET_ITEMS
        return (time.perf_counter() - begun) * 1000

    async def ask_often(refresher: Refresher, live: Live) -> list[float]:
        gc.freeze()  # as the portal does once its copy is there
        try:
            return [await ask(refresher, live) for _ in range(ASKED)]
        finally:
            gc.unfreeze()

    found = asyncio.run(_asked(address, ask_often))
    return Sample(quantile(found, 0.5), {"p50_ms": quantile(found, 0.5), "p99_ms": quantile(found, 0.99)})


async def _asked(address: DatabaseAddress, ask: Callable[[Refresher, Live], Awaitable[_Answer]]) -> _Answer:
    """With a copy of the record and connections, both ready."""
    refresher = Refresher(address, MASTER_SECRET, clock=system_clock, sweep_every_s=1, confirm_within_s=60)
    await refresher.look()
    live = Live(address)
    await live.warm()
    try:
        return await ask(refresher, live)
    finally:
        await live.close()
        refresher.close()


async def _fill_pallet(address: DatabaseAddress) -> None:
    """A pallet of cases, each with as many items of the first lots as fit."""
    each = PALLET_ITEMS // PALLET_CASES
    raw = await address.connect(Role.OWNER)
    try:
        async with raw.transaction():
            await raw.execute(
                "INSERT INTO unit (unit_id, uri, sscc, parent_id, since, event_id) OVERRIDING SYSTEM VALUE"
                " SELECT 1, 'urn:x:pallet', $1::text, NULL, now(), 0"
                " UNION ALL SELECT 1 + k, 'urn:x:case:' || k, NULL, 1, now(), 0 FROM generate_series(1, $2::int) k",
                PALLET,
                PALLET_CASES,
            )
            lots = PALLET_ITEMS // scan_world.ITEMS_PER_LOT
            await raw.execute("DELETE FROM code_run WHERE lot_id <= $1", lots)
            await raw.execute(
                "INSERT INTO code_run (lo, n, lot_id, unit_id, since, event_id, place_id, owner_id, disposition)"
                " SELECT 1 + (k - 1) * $1::bigint, $1, 1 + ((k - 1) * $1::bigint) / $3::bigint, 1 + k, now(), 0, 1, 1,"
                " 'active' FROM generate_series(1, $2::int) k",
                each,
                PALLET_CASES,
                scan_world.ITEMS_PER_LOT,
            )
        await raw.execute("ANALYZE")
    finally:
        await raw.close()


def _write_workbook(path: Path, codes: Sequence[str]) -> None:
    book = xlsxwriter.Workbook(str(path), {"constant_memory": True})
    sheet = book.add_worksheet()
    for row, cells in enumerate(_cells(codes)):
        for column, cell in enumerate(cells):
            sheet.write_string(row, column, cell)
    book.close()


def _write_text(path: Path, codes: Sequence[str]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(_cells(codes))


def _cells(codes: Sequence[str]) -> list[tuple[str, str]]:
    return [("shelf", "code"), *((f"A{number}", code) for number, code in enumerate(codes))]


def _copy_workbook(source: Path, folder: Path) -> None:
    """Read and written by the same libraries, and nothing asked."""
    book = xlsxwriter.Workbook(str(folder / "copy.xlsx"), {"constant_memory": True})
    sheet = book.add_worksheet()
    for row, cells in enumerate(check_tables.rows_of(source)):
        for column, cell in enumerate(cells):
            sheet.write_string(row, column, cell)
    book.close()


def _copy_text(source: Path, folder: Path) -> None:
    with source.open(newline="") as file, (folder / "copy.csv").open("w", newline="") as out:
        csv.writer(out).writerows(csv.reader(file))
