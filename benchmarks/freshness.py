"""``tracemark benchmark freshness``: what a copy of the public record costs as it grows, and how soon it follows.

``size`` is the most lots on record. At 1,000 and each power of ten up to it: memory and time of one worker's copy, the
processor time of one look into it, and the longest pause of its loop while it is idle, is loaded anew, and while
10,000 lots are recalled at once. At the end ``tracemark serve portal --workers 4`` is asked, each worker on a line of
its own, until it says what was just published: at rest, and under a constant load.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from benchmarks import load, lots_world, machine, scan_world, steady
from benchmarks.database import fresh_database, throw_away_server
from benchmarks.figures import Growth, Row, Spread, quantile, ratios
from benchmarks.harness import Options, Report, notes_on
from benchmarks.loopback import HOST
from benchmarks.processes import free_port, listening, tracemark
from benchmarks.scan import MACHINE, MASTER_SECRET, PLAIN, Server
from benchmarks.worker_lines import Line, lines_to_each
from ledger.codes import KeyRing
from runtime.database import DatabaseAddress, Role
from runtime.refusals import Conflict

LOTS_DEFAULT: Final = 100_000
LOTS_MIN: Final = 1_000
LOTS_MAX: Final = 1_000_000
WORKERS: Final = 4
PUBLICATIONS: Final = 50
RECALLED_AT_ONCE: Final = 10_000
PATHS: Final = 5_000
LOTS_ASKED: Final = 1_000
"""Lots whose pages are in the load, whatever the size."""
APART_S: Final = 0.1
ASK_EVERY_S: Final = 0.003
SEEN_WITHIN_S: Final = 60.0
LOAD_S: Final = 25.0
PROBE_WITHIN_S: Final = 600
WARM_S: Final = 2.0
LOADED_WITHIN_S: Final = 240.0
"""Until all workers, on one core, have loaded their copies."""
FIRST_CASE: Final = 10_000
"""Of the publications one by one; those before are of lots recalled at once."""


class ProbeFailed(Conflict):
    """The process that measures a copy ended with: {problem}"""


def run(options: Options) -> Report:
    """Measure on a throw-away server, which shares the core of the load."""
    _, load_core = machine.cores_for_server_and_load()
    with ExitStack() as stack:
        with machine.on_core(load_core):
            server = stack.enter_context(throw_away_server(options.tell))
        return run_on(server, options)


def run_on(server: DatabaseAddress, options: Options, *, publications: int = PUBLICATIONS) -> Report:
    """Measure with a database of the benchmark's own on this server."""
    described = machine.describe()
    most = options.size_or(LOTS_DEFAULT, low=LOTS_MIN, high=LOTS_MAX)
    sizes = sorted({min(10**power, most) for power in range(3, 7)})
    with fresh_database(server, "fresh") as database, tempfile.TemporaryDirectory(prefix="tracemark-") as name:
        folder = Path(name)
        keys = asyncio.run(scan_world.write(database, sizes[0], MASTER_SECRET))
        probed: dict[int, list[dict[str, Any]]] = {}
        for size in sizes:
            options.tell(f"measuring copies of {size:,} lots")
            if size > sizes[0]:
                asyncio.run(lots_world.grow(database, size, keys.newest))
            listed = folder / "paths"
            listed.write_text("\n".join(_paths(keys, size)), encoding="ascii")
            first_case = 1 + 100 * len(probed)
            rounds = range(first_case, first_case + options.rounds)
            probed[size] = [_probe(database, _recalled(size), case, listed) for case in rounds]
        options.tell(f"publishing {publications} recalls before {WORKERS} workers, twice")
        followed = _followed(database, folder, keys, sizes[-1], publications)
    looks = tuple(_look_s(probed[size]) for size in sizes)
    growth = (Growth("look into the copy, lots", tuple(map(float, sizes)), looks),) if len(sizes) > 1 else ()
    rows = (*_copy_rows(probed), *_pause_rows(probed), *followed)
    return Report("freshness", described, rows, growth, (*notes_on(options), *_NOTES))


_NOTES: Final = (
    "Bytes of a lot: memory of the process (PSS) beyond that of the copy of 1,000 lots, over the lots beyond it.",
    "A pause is the longest time for which the loop did not come round: whoever came then waited so long more.",
    "Publications: from before the commit until the worker that was last to say so had answered.",
)


def _paths(keys: KeyRing, size: int) -> list[str]:
    lots = [1 + k * size // LOTS_ASKED for k in range(LOTS_ASKED)]
    return scan_world.paths(keys, lots, PATHS)


def _probe(database: DatabaseAddress, recalled: int, case_id: int, listed: Path) -> dict[str, Any]:
    server_core, _ = machine.cores_for_server_and_load()
    words = [sys.executable, "-m", "benchmarks.copy_probe", database.url, "1", str(recalled), str(case_id), str(listed)]
    with machine.on_core(server_core):
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=PROBE_WITHIN_S)
    if done.returncode:
        raise ProbeFailed(problem=done.stderr.strip()[-500:])
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def _recalled(size: int) -> int:
    """Lots recalled at once; the last ones are left for the publications one by one."""
    return min(size // 2, RECALLED_AT_ONCE)


def _look_s(probes: Sequence[dict[str, Any]]) -> float:
    return Spread.of([probe["find_us"] for probe in probes]).median / 1e6


def _copy_rows(probed: dict[int, list[dict[str, Any]]]) -> list[Row]:
    smallest = min(probed)
    least = Spread.of([probe["bytes"] for probe in probed[smallest]]).median
    rows = []
    for size, probes in probed.items():
        details = {"lots": float(size), "cpu_us": _look_s(probes) * 1e6}
        rows.append(Row(f"load of {size:,} lots", "s", tuple(p["load_s"] for p in probes), "less", details=details))
        for case, name in (("memory of a lot", "bytes"), ("memory of a lot, after a reload", "bytes_later")):
            if size > smallest:
                each = tuple((probe[name] - least) / (size - smallest) for probe in probes)
                rows.append(Row(f"{case}, {size:,} lots", "bytes", each, "less", details=details))
    return rows


def _pause_rows(probed: dict[int, list[dict[str, Any]]]) -> list[Row]:
    rows = []
    for size, probes in probed.items():
        idle = f"pause, idle, {size:,} lots"
        still = [probe["idle_ms"] for probe in probes]
        rows.append(Row(idle, "ms", tuple(still), "less"))
        for case, name in (("loaded anew", "reload_ms"), (f"{_recalled(size):,} recalled", "recall_ms")):
            pauses = [probe[name] for probe in probes]
            ratio = ratios(pauses, still, "less")
            rows.append(Row(f"pause, {case}, {size:,} lots", "ms", tuple(pauses), "less", idle, ratio))
    return rows


def _followed(database: DatabaseAddress, folder: Path, keys: KeyRing, size: int, publications: int) -> tuple[Row, Row]:
    """Publications until all workers say so: at rest, and under a constant load."""
    _, load_core = machine.cores_for_server_and_load()
    paths, here = _paths(keys, size), f"publication to {WORKERS} workers, {size:,} lots"
    first, last = range(size - publications, size), range(size - 2 * publications, size - publications)
    with _serving(database, folder) as portal:
        rest = asyncio.run(_publish_all(database, portal, keys, first))
        reached = load.put(portal.port, paths, PLAIN, WARM_S, generator=load.OWN, core=load_core).per_s
        rate = min(steady.SHARE * reached, steady.RATE_MAX)
        (folder / "load").write_text("\n".join(paths), encoding="ascii")
        words = steady.command(portal.port, folder / "load", PLAIN, LOAD_S * publications / PUBLICATIONS, rate)
        with machine.on_core(load_core):
            beside = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        busy = asyncio.run(_publish_all(database, portal, keys, last))
        told = json.loads(beside.communicate()[0])
    failures = told["failures"]
    at_rest = Row(f"{here}, at rest", "ms", tuple(rest), "less", details=_quantiles(rest))
    under_load = Row(
        f"{here}, under load",
        "ms",
        tuple(busy),
        "less",
        at_rest.case,
        ratios(busy, rest, "less"),
        details=_quantiles(busy) | {"rate": rate, "share": rate / reached},
        refused=f"{failures} requests of the load failed" if failures else None,
    )
    return at_rest, under_load


@contextmanager
def _serving(database: DatabaseAddress, folder: Path) -> Iterator[Server]:
    """``tracemark serve portal`` with several workers on the server's core."""
    core, _ = machine.cores_for_server_and_load()
    port = free_port()
    settings = {
        "TRACEMARK_DATABASE_URL": database.url,
        "TRACEMARK_DATA_DIR": str(folder),
        "TRACEMARK_MASTER_SECRET": MASTER_SECRET,
        "TRACEMARK_BASE_URL": f"http://{HOST}:{port}",
    }
    words = tracemark("serve", "portal", "--port", str(port), "--workers", str(WORKERS))
    with listening(words, port, core=core, settings=settings, within_s=LOADED_WITHIN_S) as pid:
        yield Server("portal", port, pid)


def _quantiles(times_ms: Sequence[float]) -> dict[str, float]:
    return {"p50_ms": quantile(times_ms, 0.5), "p99_ms": quantile(times_ms, 0.99)}


async def _publish_all(database: DatabaseAddress, portal: Server, keys: KeyRing, lots: range) -> list[float]:
    """Milliseconds until the last worker said so, for a case over each of these lots."""
    lines = await lines_to_each(portal.pid, portal.port, WORKERS)
    raw = await database.connect(Role.OWNER)
    times = []
    for lot in lots:
        path = scan_world.paths(keys, [lot], 1)[0]
        await asyncio.gather(*(_says(line, path, b'"verdict":"no_recall_known"') for line in lines))
        await asyncio.sleep(APART_S)
        transaction = raw.transaction()
        await transaction.start()
        await lots_world.publish(raw, FIRST_CASE + lot, lot, lot)
        began_at = time.perf_counter()
        await transaction.commit()
        said = await asyncio.gather(*(_says(line, path, b'"verdict":"recalled"') for line in lines))
        times.append((max(said) - began_at) * 1000)
    await raw.close()
    for line in lines:
        line.close()
    return times


async def _says(line: Line, path: str, verdict: bytes) -> float:
    """When the answer had come in which the worker first said so."""
    async with asyncio.timeout(SEEN_WITHIN_S):
        while verdict not in await line.ask(path, MACHINE):  # noqa: ASYNC110 - another process is asked
            await asyncio.sleep(ASK_EVERY_S)
    return time.perf_counter()
