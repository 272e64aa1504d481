"""``tracemark benchmark capture``: events durable and projected per second, beside the same events merely inserted.

``size`` is the number of events in one round of one case. The server writes as in production: a commit is on the disk
before it is answered. The reference writes the very same events as jsonb rows, with as many commits.
"""

from __future__ import annotations

import asyncio
import http.client
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from access import api_keys
from access.model import Act, operator
from benchmarks import capture_world, machine, scan_world
from benchmarks.capture_world import ITEMS_PER_CASE, Document, Supply
from benchmarks.database import fresh_database, throw_away_server
from benchmarks.fetching import AnswerNotAsExpected
from benchmarks.figures import Sample
from benchmarks.harness import Contender, Options, Report, measure, notes_on
from benchmarks.loopback import HOST
from benchmarks.processes import free_port, listening, tracemark
from benchmarks.scan import MASTER_SECRET
from ledger import capture as ledger_capture
from ledger import codes, commissioning
from ledger.codes import KeyRing
from runtime.clock import system_clock
from runtime.database import DatabaseAddress, Role, raw, transaction

EVENTS_DEFAULT: Final = 4_800
EVENTS_MIN: Final = 48
EVENTS_MAX: Final = 100_000
TIMEOUT_S: Final = 60.0
CLIENTS: Final = 4
"""Clients that post documents at the same time, as lines and shops do: the server's core is the limit, not a client."""
SMALL, LARGE = 24, 400
"""Events of a document: a pallet, and a shift."""
RANGE_ITEMS: Final = 1_000_000
RANGES: Final = 10
"""Ranges commissioned in one round, a commit each."""
T = TypeVar("T")
BY: Final = "benchmark"
_ACCEPTED: Final = 202
_REFERENCE: Final = """
CREATE TABLE reference_event (event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, source_id text NOT NULL UNIQUE,
                              event_time timestamptz NOT NULL, body jsonb NOT NULL);
GRANT SELECT, INSERT ON reference_event TO tracemark_staff;
"""
_SIZE: Final = text("SELECT pg_total_relation_size(CAST(:name AS regclass))")
_INSERT: Final = "INSERT INTO reference_event (source_id, event_time, body) VALUES ($1, $2::text::timestamptz, $3)"


@dataclass(slots=True)
class Bench:
    """What the cases share. ``last`` are the documents that the ledger took last, by events of a document."""

    address: DatabaseAddress
    keys: KeyRing
    supply: Supply
    events: int
    port: int
    pid: int
    server_pid: int
    secret: str
    last: dict[int, list[Document]] = field(default_factory=dict)
    ranges: int = 0

    def fresh(self, events_each: int) -> list[Document]:
        """Documents for one round."""
        self.last[events_each] = self.supply.documents(max(self.events // events_each, 1), events_each)
        return self.last[events_each]


def run(options: Options) -> Report:
    """Measure on a throw-away server."""
    with throw_away_server(options.tell) as server:
        return run_on(server, options)


def run_on(server: DatabaseAddress, options: Options) -> Report:
    """Measure with a database of the benchmark's own on this server."""
    described = machine.describe()
    events = options.size_or(EVENTS_DEFAULT, low=EVENTS_MIN, high=EVENTS_MAX)
    rounds = options.rounds + 1
    lots = capture_world.lots_for(rounds * 6 * max(events, LARGE))
    with ExitStack() as stack:
        address = stack.enter_context(fresh_database(server, "capture"))
        options.tell(f"writing {lots:,} lots of {scan_world.ITEMS_PER_LOT:,} items")
        keys = asyncio.run(scan_world.write(address, lots, MASTER_SECRET))
        asyncio.run(_owner(address, _REFERENCE))
        secret = asyncio.run(_with_staff(address, _make_key))
        port, pid = stack.enter_context(_serving_api(address))
        server_pid = asyncio.run(_with_staff(address, _server_pid))
        bench = Bench(address, keys, Supply(keys, lots), events, port, pid, server_pid, secret)
        rows = measure(_contenders(bench), options)
    return Report("capture", described, rows, (), (*notes_on(options), *_NOTES))


_NOTES: Final = (
    f"An event packs {ITEMS_PER_CASE} items into a case, in order; a document is a commit; HTTP has {CLIENTS} clients.",
    "Bytes of an item are those of code_run and unit with their indexes; history bytes those of the rows before them.",
    "µs CPU is of the process that takes the events in; database µs are those of all PostgreSQL processes meanwhile.",
    "Log bytes are PostgreSQL's write-ahead log.",
    "The ledger validates, stores whole, and projects (runs, units, holdings); the reference only inserts jsonb rows.",
)


def _contenders(bench: Bench) -> list[Contender]:
    found = []
    for each in (SMALL, LARGE):
        reference = f"jsonb rows, {each} a commit"
        found += [
            Contender(
                f"ledger, {each} events a document",
                "events/s",
                _ledger(bench, each),
                reference=reference,
                cost="cpu_us",
            ),
            Contender(reference, "events/s", _rows(bench, each)),
            Contender(
                f"HTTP, {each} events a document", "events/s", _http(bench, each), reference=reference, cost="cpu_us"
            ),
        ]
    found += [
        Contender("on disk, packed in order", "bytes/item", _on_disk(bench)),
        Contender("on disk, packed in any order", "bytes/item", _on_disk(bench, shuffled=True)),
    ]
    found.append(Contender(f"commissioning by range of {RANGE_ITEMS:,}", "items/s", _ranges(bench)))
    return found


def _ledger(bench: Bench, each: int) -> Callable[[], Sample]:
    async def work(conn: AsyncConnection, documents: Sequence[Document]) -> None:
        for document in documents:
            await ledger_capture.capture(conn, document, by=BY, clock=system_clock, keys=bench.keys)

    return lambda: _sample(bench, bench.fresh(each), work)


def _rows(bench: Bench, each: int) -> Callable[[], Sample]:
    async def work(conn: AsyncConnection, documents: Sequence[Document]) -> None:
        for document in documents:
            async with transaction(conn):
                await conn.execute(text("SELECT 1"))
                events = document["epcisBody"]["eventList"]
                rows = [(event["eventID"], event["eventTime"], orjson.dumps(event).decode()) for event in events]
                await (await raw(conn)).executemany(_INSERT, rows)

    def once() -> Sample:
        # The same events again in a table of their own: what they were told as before is not there.
        asyncio.run(_owner(bench.address, "TRUNCATE reference_event"))
        return _sample(bench, bench.last[each], work)

    return once


def _http(bench: Bench, each: int) -> Callable[[], Sample]:
    def once() -> Sample:
        documents = bench.fresh(each)
        bodies = [orjson.dumps(document) for document in documents]
        share = -(-len(bodies) // CLIENTS)
        shares = [bodies[start : start + share] for start in range(0, len(bodies), share)]
        events = len(documents) * each
        before, began = _used_s(bench), time.perf_counter()
        with ThreadPoolExecutor(CLIENTS) as clients:
            list(clients.map(lambda those: _post_all(bench, those), shares))
        took_s, after = time.perf_counter() - began, _used_s(bench)
        if before is None or after is None:
            return _rate(events, took_s, None)
        return _rate(events, took_s, after[0] - before[0], database_us=(after[1] - before[1]) / events * 1e6)

    return once


def _used_s(bench: Bench) -> tuple[float, float] | None:
    """Processor seconds of the API so far, and of the database server with all its processes."""
    api, server = machine.cpu_s([bench.pid]), machine.cpu_s([bench.server_pid])
    return None if api is None or server is None else (api, server)


def _post_all(bench: Bench, bodies: Sequence[bytes]) -> None:
    connection = http.client.HTTPConnection(HOST, bench.port, timeout=TIMEOUT_S)
    try:
        for body in bodies:
            _post(connection, body, bench.secret)
    finally:
        connection.close()


def _post(connection: http.client.HTTPConnection, body: bytes, secret: str) -> None:
    path, headers = "/epcis/v2/capture", {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    connection.request("POST", path, body, headers)
    response = connection.getresponse()
    told = response.read()
    if response.status != _ACCEPTED:
        raise AnswerNotAsExpected(
            server="api", path=path, status=f"{response.status} {told[:300]!r}", expected=_ACCEPTED
        )


def _on_disk(bench: Bench, *, shuffled: bool = False) -> Callable[[], Sample]:
    """Bytes that the book grows by, for each item of a document: runs and units with their indexes."""

    async def clocked(conn: AsyncConnection) -> Sample:
        (document,) = bench.supply.documents(1, LARGE)
        if shuffled:
            capture_world.shuffle(document)
        before = await _book_bytes(conn)
        await ledger_capture.capture(conn, document, by=BY, clock=system_clock, keys=bench.keys)
        after = await _book_bytes(conn)
        await conn.rollback()
        items = LARGE * ITEMS_PER_CASE
        return Sample((after[0] - before[0]) / items, {"history_bytes": (after[1] - before[1]) / items})

    return lambda: asyncio.run(_with_staff(bench.address, clocked))


async def _book_bytes(conn: AsyncConnection) -> tuple[int, int]:
    """Of what is now, and of what was before."""
    sizes = [
        sum([(await conn.execute(_SIZE, {"name": name})).scalar_one() for name in names])
        for names in (("code_run", "unit"), ("code_run_history", "unit_history"))
    ]
    return sizes[0], sizes[1]


def _ranges(bench: Bench) -> Callable[[], Sample]:
    async def work(conn: AsyncConnection, _documents: Sequence[Document]) -> None:
        for _ in range(RANGES):
            bench.ranges += 1
            async with transaction(conn):
                lo = await codes.reserve_block(
                    conn,
                    n=RANGE_ITEMS,
                    kind="label",
                    gtin=scan_world.gtin_of_lot(1),
                    lot_id=1,
                    key_epoch=bench.keys.newest,
                )
                await commissioning.commission_range(
                    conn,
                    lot_id=1,
                    runs=[(lo, RANGE_ITEMS)],
                    at=system_clock(),
                    place_id=1,
                    owner_id=1,
                    by=BY,
                    clock=system_clock,
                    extension={"tracemark:labelJob": bench.ranges},
                )

    return lambda: _sample(bench, [], work, pieces=RANGES * RANGE_ITEMS, per=RANGES)


def _sample(
    bench: Bench,
    documents: Sequence[Document],
    work: Callable[[AsyncConnection, Sequence[Document]], Awaitable[None]],
    *,
    pieces: int | None = None,
    per: int | None = None,
) -> Sample:
    events = sum(len(document["epcisBody"]["eventList"]) for document in documents)

    async def clocked(conn: AsyncConnection) -> Sample:
        await conn.execute(text("SELECT 1"))
        before = await _written(conn)
        began, cpu_began = time.perf_counter(), time.process_time()
        await work(conn, documents)
        took_s, used_s = time.perf_counter() - began, time.process_time() - cpu_began
        wal = await _written(conn) - before
        return _rate(pieces or events, took_s, used_s, wal_bytes=wal / (per or events))

    return asyncio.run(_with_staff(bench.address, clocked))


def _rate(pieces: int, took_s: float, used_s: float | None, **details: float) -> Sample:
    if used_s is not None:
        details["cpu_us"] = used_s / pieces * 1e6
    return Sample(pieces / took_s, details)


async def _written(conn: AsyncConnection) -> int:
    """Bytes of write-ahead log so far."""
    position = await conn.execute(text("SELECT CAST(pg_current_wal_insert_lsn() - '0/0' AS bigint)"))
    return int(position.scalar_one())


async def _with_staff(address: DatabaseAddress, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    engine = address.engine(Role.STAFF, pool_size=1)
    try:
        async with engine.connect() as conn:
            return await work(conn)
    finally:
        await engine.dispose()


async def _owner(address: DatabaseAddress, sql: str) -> None:
    conn = await address.connect(Role.OWNER)
    try:
        await conn.execute(sql)
    finally:
        await conn.close()


async def _server_pid(conn: AsyncConnection) -> int:
    """The process that all processes of the database server are children of."""
    backend = (await conn.execute(text("SELECT pg_backend_pid()"))).scalar_one()
    return machine.parent_of(int(backend))


async def _make_key(conn: AsyncConnection) -> str:
    return await api_keys.create(conn, BY, [Act.CAPTURE], operator(BY), system_clock)


@contextmanager
def _serving_api(address: DatabaseAddress) -> Iterator[tuple[int, int]]:
    """``tracemark serve api`` in a process of its own; gives its port and process id."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="tracemark-benchmark-") as folder:
        told = {
            "TRACEMARK_DATABASE_URL": address.url,
            "TRACEMARK_DATA_DIR": str(Path(folder)),
            "TRACEMARK_MASTER_SECRET": MASTER_SECRET,
        }
        with listening(tracemark("serve", "api", "--port", str(port)), port, settings=told) as pid:
            yield port, pid
