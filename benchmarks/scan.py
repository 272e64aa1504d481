"""``tracemark benchmark scan``: the portal beside the very same bytes served as static files.

``size`` is the number of lots on record. The portal is its own process on a throw-away database; server and load each
have a core of their own where there are two. Every case is asked for whole pages of different items.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import lives_world, load, machine, scan_world, static_files, steady, targets, typical_server
from benchmarks.database import fresh_database, throw_away_server
from benchmarks.fetching import AnswerNotAsExpected, fetch_each
from benchmarks.figures import Row, Sample
from benchmarks.harness import Contender, Options, Report, measure, notes_on
from benchmarks.loopback import HOST
from benchmarks.processes import READY_WITHIN_S, free_port, listening, tracemark
from benchmarks.static_files import Answer
from benchmarks.targets import Outcome, Target
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
ASKED_AGAIN_MAX: Final = 10
"""So often all pages are asked for until they come whole, and compressed."""
HISTORY: Final = b'<ol class="life">'
"""In every page that shows a history; one for which it did not come in time has none."""
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
        asyncio.run(lives_world.write(database, lots))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tracemark-benchmark-")))
        # The database shares its core with the load: that it is late now and then is not what is measured here.
        kept = {"TRACEMARK_PORTAL_READY_MB": str(READY_MB), "TRACEMARK_CONFIRM_WITHIN_S": "60"}
        portal = stack.enter_context(serving_portal(database, folder, core=server_core, settings=kept))
        options.tell("fetching every page, for the files and for the portal to be warm")
        load_paths = LoadPaths.of(keys, lots)
        files, page_by_checks = _write_files(portal, folder, load_paths)
        port = free_port()
        pid = stack.enter_context(static_files.serving(folder, port, server=files_by, core=server_core))
        cases = _cases(portal, Server(files_by, port, pid), load_paths, files)
        steady_cases = cases[2:4]
        if typical_server.is_there():
            port, codes = free_port(), {**load_paths.many, **load_paths.counted}
            beside = typical_server.serving(database, codes, page_by_checks, folder, port, core=server_core)
            pid = stack.enter_context(beside)
            cases += _beside_typical(portal, Server(TYPICAL, port, pid), load_paths)
        contenders = [_contender(case, options.seconds, generator, load_core) for case in cases]
        contenders += steady_contenders(steady_cases, options.seconds, generator, load_core)
        rows = measure(contenders, options)
    told = f"Load by {generator} on {load.CONNECTIONS} open connections; {lots:,} lots, {len(load_paths.many):,} codes."
    notes = (*notes_on(options), told, *_notes(rows, load_core))
    return Report("scan", described, rows, (), notes, judged(rows, targets_of(len(load_paths.each))))


def judged(rows: Sequence[Row], wanted: Sequence[Target]) -> tuple[Outcome, ...]:
    """Each target; those beside a typical application are not met where it could not be measured."""
    measured = {row.case for row in rows}
    absent = [target for target in wanted if TYPICAL in target.case and target.case not in measured]
    told = targets.judge(rows, [target for target in wanted if target not in absent])
    return (*told, *(Outcome(target, None) for target in absent))


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
    if not any(row.case == TYPICAL for row in rows):
        notes.append(f"No {TYPICAL} to compare with: it is written with FastAPI, which make setup-dev brings.")
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


def _beside_typical(portal: Server, reference: Server, paths: LoadPaths) -> list[Case]:
    many, counted = list(paths.many), list(paths.counted)
    counting = f"{TYPICAL}, counting"
    return [
        Case(TYPICAL, reference, many, PLAIN),
        Case(f"page, beside a {TYPICAL}", portal, many, PLAIN, TYPICAL),
        Case(counting, reference, counted, PLAIN),
        Case(f"page with its exact count, beside a {TYPICAL}", portal, counted, PLAIN, counting),
    ]


@dataclass(frozen=True, slots=True)
class LoadPaths:
    """What is asked of the portal: codes of products whose checks are counted, and of others."""

    hot: Sequence[str]
    many: Mapping[str, int]
    """With the lot of each."""
    counted: Mapping[str, int]
    """With the lot of each."""
    each: Mapping[str, int]
    """One code of each lot in ``many``."""
    counted_each: Mapping[str, int]
    """One code of each lot in ``counted``."""

    @classmethod
    def of(cls, keys: KeyRing, lots: int) -> LoadPaths:
        """Of at most ``PAGES_MAX`` lots of each kind, spread over all."""
        apart = [[lot for lot in range(1, lots + 1) if scan_world.counts(lot) is counted] for counted in (False, True)]
        plain, counted = (_spread(group, min(len(group), PAGES_MAX)) for group in apart)
        codes = min(CODES, CODES_PER_LOT_MAX * len(counted))
        return cls(
            hot=scan_world.paths(keys, plain[:1], HOT_CODES),
            many=dict(scan_world.paths_of(keys, plain, codes)),
            counted=dict(scan_world.paths_of(keys, counted, codes)),
            each={scan_world.paths(keys, [lot], 1)[0]: lot for lot in plain},
            counted_each={scan_world.paths(keys, [lot], 1)[0]: lot for lot in counted},
        )


def _spread(lots: Sequence[int], count: int) -> list[int]:
    return [lots[k * len(lots) // count] for k in range(count)]


def fetch(server: Server, path: str, headers: Mapping[str, str], expected: int = 200) -> Answer:
    """One answer; ``AnswerNotAsExpected`` with another status."""
    return fetch_each(server.port, [path], headers, name=server.name, expected=expected)[0]


def _write_files(
    portal: Server, folder: Path, paths: LoadPaths
) -> tuple[dict[str, list[str]], dict[str, tuple[bytes, int]]]:
    """The paths of the files that hold what the portal answers; whatever is asked for later is ready then.

    And a page with its lot for each policy of counting.
    """
    each, counted_each = list(paths.each), list(paths.counted_each)

    def all_of(wanted: Sequence[str], headers: Mapping[str, str], expected: int = 200) -> list[Answer]:
        return fetch_each(portal.port, wanted, headers, name=portal.name, expected=expected)

    def when(
        what: str, holds: Callable[[Answer], bool], wanted: Sequence[str], headers: Mapping[str, str]
    ) -> list[Answer]:
        for _ in range(ASKED_AGAIN_MAX):
            answers = all_of(wanted, headers)
            if all(map(holds, answers)):
                return answers
        raise AnswerNotAsExpected(server=portal.name, path=wanted[0], status="another page", expected=what)

    first = all_of(counted_each[:1], PLAIN)  # when it was not yet checked
    pages = when("a page with a history", _has_history, each, PLAIN)
    when("a page with a history", _has_history, counted_each, PLAIN)
    packed = when("a compressed page", lambda answer: answer.encoding == BROTLI, each, BROWSER)
    verdicts = all_of(each, MACHINE)
    all_of(each, ANYTHING, 307)
    answers = {"html": pages, "br": packed, "json": verdicts}
    files = {name: static_files.write(folder, name.replace("br", "html"), told) for name, told in answers.items()}
    lots = paths.each[each[0]], paths.counted_each[counted_each[0]]
    return files, {"off": (pages[0].body, lots[0]), "exact": (first[0].body, lots[1])}


def _has_history(answer: Answer) -> bool:
    return HISTORY in answer.body


def _cases(portal: Server, static: Server, paths: LoadPaths, files: Mapping[str, Sequence[str]]) -> list[Case]:
    pages, lots, name = files["html"], len(files["html"]), static.name
    redirects = [f"{static_files.REDIRECT}{number:07d}" for number in range(len(paths.many))]
    many, counted = list(paths.many), list(paths.counted)
    told = [
        Case(f"{name}, one page", static, pages[:1], PLAIN),
        Case("page, one hot lot", portal, paths.hot, PLAIN, f"{name}, one page"),
        Case(f"{name}, {lots:,} pages", static, pages, PLAIN),
        Case(f"page, {lots:,} lots", portal, many, PLAIN, f"{name}, {lots:,} pages"),
        Case(f"page with its exact count, {lots:,} lots", portal, counted, PLAIN, f"{name}, {lots:,} pages"),
        Case(f"{name}, {lots:,} compressed pages", static, files["br"], BROWSER),
        Case(f"compressed page, {lots:,} lots", portal, many, BROWSER, f"{name}, {lots:,} compressed pages"),
        Case(f"{name}, 307", static, redirects, ANYTHING),
        Case("307 for */*", portal, many, ANYTHING, f"{name}, 307"),
        Case(f"{name}, {lots:,} verdicts", static, files["json"], MACHINE),
        Case(f"JSON verdict, {lots:,} lots", portal, many, MACHINE, f"{name}, {lots:,} verdicts"),
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
