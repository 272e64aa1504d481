"""``tracemark benchmark scan``: the portal beside the very same bytes served as static files.

``size`` is the number of lots on record. The portal is its own process on a throw-away database; server and load each
have a core of their own where there are two. Every case is asked for whole pages of different items.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import load, machine, scan_world, static_files, steady, targets, typical
from benchmarks.database import fresh_database, throw_away_server
from benchmarks.fetching import AnswerNotAsExpected, fetch_each
from benchmarks.figures import Row, Sample
from benchmarks.harness import Contender, Options, Report, measure, notes_on
from benchmarks.loopback import HOST
from benchmarks.processes import READY_WITHIN_S, free_port, listening, tracemark
from benchmarks.static_files import Answer
from benchmarks.targets import Target
from ledger.codes import KeyRing
from portal.packing import BROTLI
from runtime.database import DatabaseAddress

LOTS_DEFAULT: Final = 20_000
LOTS_MIN: Final = 2 * scan_world.LOTS_PER_PRODUCT
LOTS_MAX: Final = 1_000_000
CODES: Final = scan_world.CODES_MAX
"""Different codes in the load of many lots, at most."""
CODES_PER_LOT_MAX: Final = 1_000
HOT_CODES: Final = 1_000
"""Different codes in the load of one lot."""
PAGES_MAX: Final = 10_000
"""Lots whose pages are asked for; more of them are only on record."""
PACKED_AFTER_MAX: Final = 10
"""So often all pages are asked for until they come compressed."""
READY_MB: Final = 640
"""What the portal may keep ready: the pages of 20,000 lots, those of half of them in four forms at the same time."""
OTHERS_SHARE_TOLD: Final = 0.15
MASTER_SECRET: Final = "a secret of the benchmark, of no value to anybody"
BROWSER: Final = {
    "User-Agent": "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "Accept-Encoding": "gzip, deflate, br",
    "Accept-Language": "en-GB,en;q=0.9",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Site": "none",
    "Sec-Fetch-User": "?1",
    "Upgrade-Insecure-Requests": "1",
}
PLAIN: Final = {"Accept": "text/html", "User-Agent": "Mozilla/5.0 (Linux; Android 14)"}
"""Asks for the page as it is, uncompressed."""
MACHINE: Final = {"Accept": "application/json"}
TYPICAL: Final = "typical application"
ANYTHING: Final = {"Accept": "*/*"}


@dataclass(frozen=True, slots=True)
class Server:
    """A server of ours that is up."""

    name: str
    port: int
    pid: int


@dataclass(frozen=True, slots=True)
class Case:
    """What is asked of one server in one case."""

    name: str
    server: Server
    paths: Sequence[str]
    headers: Mapping[str, str]
    beside: str | None = None


def run(options: Options) -> Report:
    """Measure on a throw-away server, which shares the core of the load: the portal has its own for itself."""
    _, load_core = machine.cores_for_server_and_load()
    with ExitStack() as stack:
        with machine.on_core(load_core):
            server = stack.enter_context(throw_away_server(options.tell))
        return run_on(server, options)


def run_on(
    server: DatabaseAddress, options: Options, *, generator: str | None = None, files_by: str | None = None
) -> Report:
    """Measure with a database of the benchmark's own on this server; by default with the best tools that are there."""
    generator, files_by = generator or load.generator_name(), files_by or static_files.server_name()
    described = machine.describe()
    lots = options.size_or(LOTS_DEFAULT, low=LOTS_MIN, high=LOTS_MAX)
    server_core, load_core = machine.cores_for_server_and_load()
    with ExitStack() as stack:
        database = stack.enter_context(fresh_database(server, "scan"))
        options.tell(f"writing {lots:,} lots of {scan_world.ITEMS_PER_LOT:,} items")
        keys = asyncio.run(scan_world.write(database, lots, MASTER_SECRET))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tracemark-benchmark-")))
        # The database shares its core with the load: that it is late now and then is not what is measured here.
        kept = {"TRACEMARK_PORTAL_READY_MB": str(READY_MB), "TRACEMARK_CONFIRM_WITHIN_S": "60"}
        portal = stack.enter_context(serving_portal(database, folder, core=server_core, settings=kept))
        options.tell("fetching every page, for the files and for the portal to be warm")
        load_paths = LoadPaths.of(keys, lots)
        files = _write_files(portal, folder, load_paths)
        port = free_port()
        pid = stack.enter_context(static_files.serving(folder, port, server=files_by, core=server_core))
        cases = _cases(portal, Server(files_by, port, pid), load_paths, files)
        typical_port = free_port()
        typical_pid = stack.enter_context(_typical(database, load_paths, folder, typical_port, server_core))
        cases += _beside_typical(portal, Server(TYPICAL, typical_port, typical_pid), load_paths)
        contenders = [_contender(case, options.seconds, generator, load_core) for case in cases]
        contenders += steady_contenders(cases[2:4], options.seconds, generator, load_core)
        rows = measure(contenders, options)
    told = f"Load by {generator} on {load.CONNECTIONS} open connections; {lots:,} lots, {len(load_paths.many):,} codes."
    outcomes = targets.judge(rows, targets_of(len(load_paths.each)))
    return Report("scan", described, rows, (), (*notes_on(options), told, *_notes(rows, load_core)), outcomes)


def targets_of(pages: int) -> list[Target]:
    """What a scan is to reach beside files and beside a typical application, with pages of so many lots."""
    return [
        Target(f"page, {pages:,} lots", 0.8),
        Target(f"compressed page, {pages:,} lots", 0.65),
        Target("307 for */*", 0.5),
        Target(f"page with its exact count, {pages:,} lots", 0.4),
        Target(f"page, beside a {TYPICAL}", 100.0),
        Target(f"page, {pages:,} lots, steadily", 0.4, "value"),  # p99 at most 2.5 times that of the files
    ]


def _notes(rows: Sequence[Row], load_core: int | None) -> list[str]:
    """What a reader has to know about these rows."""
    notes = ["µs CPU is of the server's process alone; the portal's database is among the others."]
    notes.append(
        f"The portal kept up to {READY_MB} MB ready: it was asked for all forms of all pages at the same time."
    )
    notes.append(
        "One core: nothing was pinned." if load_core is None else "Server and load were each pinned to a core."
    )
    if any(row.details.get("other_share", 0.0) > OTHERS_SHARE_TOLD for row in rows):
        notes.append("The others were busy: trust the ratio by CPU more than the ratio of rates.")
    return notes


@contextmanager
def serving_portal(
    database: DatabaseAddress, folder: Path, *, core: int | None = None, settings: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """``tracemark serve portal`` in a process of its own, with a confirmed copy of the public record."""
    port = free_port()
    told = {
        "TRACEMARK_DATABASE_URL": database.url,
        "TRACEMARK_DATA_DIR": str(folder),
        "TRACEMARK_MASTER_SECRET": MASTER_SECRET,
        "TRACEMARK_BASE_URL": f"http://{HOST}:{port}",
        **(settings or {}),
    }
    with listening(tracemark("serve", "portal", "--port", str(port)), port, core=core, settings=told) as pid:
        _wait_until_ready(port)
        yield Server("portal", port, pid)


@contextmanager
def _typical(database: DatabaseAddress, paths: LoadPaths, folder: Path, port: int, core: int | None) -> Iterator[int]:
    """The reference that does it the usual way, on the same codes; its page is the portal's."""
    asyncio.run(typical.fill(database, paths.many, paths.lots))
    page = (folder / "files" / "html" / "0.html").read_text(encoding="utf-8")
    file = folder / "typical.html"
    file.write_text(typical.template_of(page, *scan_world.words_of_lot(paths.lots_of_pages[0])), encoding="utf-8")
    command = [sys.executable, "-m", "benchmarks.typical", str(port), database.url, str(file)]
    with listening(command, port, core=core) as pid:
        yield pid


def _beside_typical(portal: Server, reference: Server, paths: LoadPaths) -> list[Case]:
    return [
        Case(TYPICAL, reference, paths.many, PLAIN),
        Case(f"page, beside a {TYPICAL}", portal, paths.many, PLAIN, TYPICAL),
    ]


@dataclass(frozen=True, slots=True)
class LoadPaths:
    """What is asked of the portal: codes of products whose checks are counted, and of others."""

    hot: Sequence[str]
    many: Sequence[str]
    counted: Sequence[str]
    each: Sequence[str]
    """One code of each lot in ``many``."""
    counted_each: Sequence[str]
    """One code of each lot in ``counted``."""
    lots: Sequence[int]
    """The lot of each code in ``many``."""
    lots_of_pages: Sequence[int]

    @classmethod
    def of(cls, keys: KeyRing, lots: int) -> LoadPaths:
        """Of at most ``PAGES_MAX`` lots of each kind, spread over all."""
        apart = [[lot for lot in range(1, lots + 1) if scan_world.counts(lot) is counted] for counted in (False, True)]
        plain, counted = (_spread(group, min(len(group), PAGES_MAX)) for group in apart)
        codes = min(CODES, CODES_PER_LOT_MAX * len(counted))
        many = scan_world.paths_of(keys, plain, codes)
        return cls(
            hot=scan_world.paths(keys, plain[:1], HOT_CODES),
            many=[path for path, _ in many],
            lots=[lot for _, lot in many],
            lots_of_pages=plain,
            counted=scan_world.paths(keys, counted, codes),
            each=[scan_world.paths(keys, [lot], 1)[0] for lot in plain],
            counted_each=[scan_world.paths(keys, [lot], 1)[0] for lot in counted],
        )


def _spread(lots: Sequence[int], count: int) -> list[int]:
    return [lots[k * len(lots) // count] for k in range(count)]


def fetch(server: Server, path: str, headers: Mapping[str, str], expected: int = 200) -> Answer:
    """One answer; ``AnswerNotAsExpected`` with another status."""
    return fetch_each(server.port, [path], headers, name=server.name, expected=expected)[0]


def _write_files(portal: Server, folder: Path, paths: LoadPaths) -> dict[str, list[str]]:
    """The paths of the files that hold what the portal answers; whatever is asked for later is ready then."""

    def each(headers: Mapping[str, str], expected: int = 200, wanted: Sequence[str] = paths.each) -> list[Answer]:
        return fetch_each(portal.port, wanted, headers, name=portal.name, expected=expected)

    pages = each(PLAIN)
    if b"<html" not in pages[0].body:
        raise AnswerNotAsExpected(server=portal.name, path=paths.each[0], status="no page", expected="a page")
    for _ in range(PACKED_AFTER_MAX):  # the first time they are asked for, and go as they are until they are made
        packed = each(BROWSER)
        if all(answer.encoding == BROTLI for answer in packed):
            break
    else:
        raise AnswerNotAsExpected(server=portal.name, path=paths.each[0], status="no compressed page", expected=BROTLI)
    verdicts = each(MACHINE)
    each(ANYTHING, 307)
    each(PLAIN, wanted=paths.counted_each)
    answers = {"html": pages, "br": packed, "json": verdicts}
    return {name: static_files.write(folder, name.replace("br", "html"), told) for name, told in answers.items()}


def _cases(portal: Server, static: Server, paths: LoadPaths, files: Mapping[str, Sequence[str]]) -> list[Case]:
    pages, lots, name = files["html"], len(files["html"]), static.name
    redirects = [f"{static_files.REDIRECT}{number:07d}" for number in range(len(paths.many))]
    told = [
        Case(f"{name}, one page", static, pages[:1], PLAIN),
        Case("page, one hot lot", portal, paths.hot, PLAIN, f"{name}, one page"),
        Case(f"{name}, {lots:,} pages", static, pages, PLAIN),
        Case(f"page, {lots:,} lots", portal, paths.many, PLAIN, f"{name}, {lots:,} pages"),
        Case(f"page with its exact count, {lots:,} lots", portal, paths.counted, PLAIN, f"{name}, {lots:,} pages"),
        Case(f"{name}, {lots:,} compressed pages", static, files["br"], BROWSER),
        Case(f"compressed page, {lots:,} lots", portal, paths.many, BROWSER, f"{name}, {lots:,} compressed pages"),
        Case(f"{name}, 307", static, redirects, ANYTHING),
        Case("307 for */*", portal, paths.many, ANYTHING, f"{name}, 307"),
        Case(f"{name}, {lots:,} verdicts", static, files["json"], MACHINE),
        Case(f"JSON verdict, {lots:,} lots", portal, paths.many, MACHINE, f"{name}, {lots:,} verdicts"),
    ]
    for case in told:
        fetch(case.server, case.paths[0], case.headers, 307 if case.headers is ANYTHING else 200)
    return told


def _contender(case: Case, seconds: float, generator: str, load_core: int | None) -> Contender:
    def once() -> Sample:
        before, busy_before = machine.cpu_s([case.server.pid]), machine.busy_s()
        put = load.put(case.server.port, case.paths, case.headers, seconds, generator=generator, core=load_core)
        after, busy_after = machine.cpu_s([case.server.pid]), machine.busy_s()
        if put.failures:
            raise AnswerNotAsExpected(
                server=case.server.name, path=case.name, status=f"{put.failures} failures", expected="none"
            )
        details = {"p50_ms": put.p50_ms, "p99_ms": put.p99_ms, "load_share": put.busy_share}
        if before is not None and after is not None and busy_before is not None and busy_after is not None:
            used_s = after - before
            details["cpu_us"] = used_s / put.requests * 1e6
            details["other_share"] = (
                max(busy_after - busy_before - used_s - put.busy_share * put.seconds, 0.0) / put.seconds
            )
        return Sample(put.per_s, details, put.limited)

    return Contender(case.name, "requests/s", once, reference=case.beside, cost="cpu_us")


def steady_contenders(cases: Sequence[Case], seconds: float, generator: str, load_core: int | None) -> list[Contender]:
    """The same cases at a constant rate: each at a share of what it was just seen to reach."""
    return [_steadily(case, seconds, generator, load_core) for case in cases]


def _steadily(case: Case, seconds: float, generator: str, load_core: int | None) -> Contender:
    def once() -> Sample:
        port, paths, headers = case.server.port, case.paths, case.headers
        saturated = load.put(port, paths, headers, seconds, generator=generator, core=load_core)
        rate = min(steady.SHARE * saturated.per_s, steady.RATE_MAX)
        put = load.put_steadily(port, paths, headers, seconds, rate=rate, core=load_core)
        if put.failures:
            raise AnswerNotAsExpected(
                server=case.server.name, path=case.name, status=f"{put.failures} failures", expected="none"
            )
        share = rate / saturated.per_s
        details = {"p50_ms": put.p50_ms, "rate": rate, "share": share, "late_ms": put.late_ms}
        limited = put.limited
        if limited is None and share < 0.9 * steady.SHARE:
            limited = f"the load generator reached {share:.0%} of saturation"
        return Sample(put.p99_ms, details | {"load_share": put.busy_share}, limited)

    beside = None if case.beside is None else f"{case.beside}, steadily"
    return Contender(f"{case.name}, steadily", "ms, p99", once, better="less", reference=beside)


def _wait_until_ready(port: int) -> None:
    until = time.monotonic() + READY_WITHIN_S
    while True:
        try:
            fetch(Server("portal", port, 0), "/readyz", {})
            return
        except (AnswerNotAsExpected, OSError):
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
