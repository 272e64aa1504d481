"""For ``tracemark benchmark notices``: a case that tells many owners, and how soon a scan shows a published case."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any, Final

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from benchmarks import machine
from benchmarks.database import fresh_database
from benchmarks.figures import Row, Sample, quantile
from benchmarks.genealogy_world import gtin_of
from benchmarks.harness import Contender, Options, measure
from benchmarks.loopback import HOST
from benchmarks.scan import MASTER_SECRET, Server, serving_portal
from ledger import codes
from ledger.codes import KeyRing
from recall import casework
from recall.model import CaseDraft
from runtime.clock import system_clock
from runtime.database import DatabaseAddress, Role, transaction
from runtime.refusals import Conflict

SEEN_WITHIN_S: Final = 60.0
ROUNDS_MAX: Final = 2
"""A round publishes to a hundred thousand owners and is never warm: no two cases are published to the same outbox."""
_POLL_S: Final = 0.002
_CHANNEL: Final = "benchmark_heard"


class NotSeen(Conflict):
    """The portal did not say within {seconds} s that lot {lot} is recalled."""


class NotAllTold(Conflict):
    """The outbox holds {queued} letters for {owners} owners."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """``owners`` are told by one case; so many cases are published in a round."""

    owners: int = 100_000
    publishes: int = 30


def measure_on(server: DatabaseAddress, options: Options, sizes: Sizes) -> tuple[Row, ...]:
    """The rows, measured in a database of the benchmark's own; of the letters, the processor time of both sides too."""
    options = replace(options, rounds=min(options.rounds, ROUNDS_MAX), warm_up=False)
    cases = options.rounds
    with ExitStack() as stack:
        address = stack.enter_context(fresh_database(server, "told"))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        options.tell(f"writing {sizes.owners:,} owners")
        keys = asyncio.run(_write(address, sizes, cases))
        core, _ = machine.cores_for_server_and_load()
        portal = stack.enter_context(serving_portal(address, folder, core=core))
        lots = count(1)
        few = Contender(
            f"publish to scan, {sizes.publishes} cases", "ms",
            lambda: asyncio.run(_publishes(address, keys, portal, lots, sizes.publishes)), "less", "NOTIFY heard",
        )  # fmt: skip
        heard = Contender("NOTIFY heard", "ms", lambda: asyncio.run(_heard(address, sizes.publishes)), "less")
        large = count(_first_large(sizes, cases))
        plain = f"{sizes.owners:,} rows copied in the database"
        queued = Contender(
            f"publish and queue {sizes.owners:,} letters", "s",
            lambda: asyncio.run(_queue(address, keys, next(large), sizes.owners)), "less", plain,
        )  # fmt: skip
        copied = Contender(plain, "s", lambda: asyncio.run(_copied(address)), "less")
        return measure([heard, few, copied, queued], options)


def _first_large(sizes: Sizes, cases: int) -> int:
    return 1 + sizes.publishes * cases


async def _write(address: DatabaseAddress, sizes: Sizes, cases: int) -> KeyRing:
    async with _staff(address) as conn, transaction(conn):
        keys = await codes.ensure_key(conn, MASTER_SECRET, clock=system_clock)
    raw = await address.connect(Role.OWNER)
    try:
        async with raw.transaction():
            for table, columns, rows in _tables(sizes, cases):
                await raw.copy_records_to_table(table, columns=columns.split(), records=rows)
        await raw.execute("ANALYZE")
    finally:
        await raw.close()
    return keys


def _tables(sizes: Sizes, cases: int) -> Iterator[tuple[str, str, Iterator[tuple[object, ...]]]]:
    owners, first_large = range(1, sizes.owners + 1), _first_large(sizes, cases)
    lots = range(1, first_large + cases)
    yield (
        "party",
        "party_id uri name role channel",
        ((k, f"urn:party:{k}", f"Shop {k}", "retailer", "retail") for k in owners),
    )
    yield "contact", "party_id kind name email", ((k, "recall", f"Ada {k}", f"shop{k}@shop.example") for k in owners)
    yield "place", "place_id uri name kind party_id", ((k, f"urn:place:{k}", f"Shop {k}", "store", k) for k in owners)
    yield "product", "product_id gtin name", iter([(1, gtin_of(0), "Meadow Cheese")])
    yield "lot", "lot_id product_id code", ((n, 1, _code(n)) for n in lots)
    yield (
        "lot_holding",
        "lot_id place_id owner_id disposition uom quantity since",
        (
            (n, k, k, "sellable_accessible", "", 12, system_clock())
            for n in lots
            for k in (owners if n >= first_large else owners[:1])
        ),
    )


def _code(lot: int) -> str:
    return f"L{lot:05d}"


async def _publishes(address: DatabaseAddress, keys: KeyRing, portal: Server, lots: Iterator[int], n: int) -> Sample:
    waits = []
    connection = http.client.HTTPConnection(HOST, portal.port, timeout=SEEN_WITHIN_S)
    try:
        async with _staff(address) as conn:
            for lot in (next(lots) for _ in range(n)):
                await _published(conn, keys, lot)
                started = time.perf_counter()
                _wait_until_seen(connection, lot, started + SEEN_WITHIN_S)
                waits.append((time.perf_counter() - started) * 1000)
    finally:
        connection.close()
    return Sample(quantile(waits, 0.5), {"p95_ms": quantile(waits, 0.95), "p99_ms": quantile(waits, 0.99)})


def _wait_until_seen(connection: http.client.HTTPConnection, lot: int, until: float) -> None:
    path = f"/recall-status/01/{gtin_of(0)}/10/{_code(lot)}"
    while True:
        connection.request("GET", path, headers={"Accept": "application/json"})
        if json.loads(connection.getresponse().read())["verdict"] == "recalled":
            return
        if time.perf_counter() > until:
            raise NotSeen(seconds=SEEN_WITHIN_S, lot=_code(lot))
        time.sleep(_POLL_S)


async def _queue(address: DatabaseAddress, keys: KeyRing, lot: int, owners: int) -> Sample:
    async with _staff(address) as conn:
        number = await _approved(conn, keys, lot)
        ours = (os.getpid(), (await conn.execute(text("SELECT pg_backend_pid()"))).scalar_one())
        await conn.rollback()
        started, used = time.perf_counter(), machine.cpu_s(ours)
        await casework.publish(conn, number, by="Ben", clock=system_clock, keys=keys)
        seconds, after = time.perf_counter() - started, machine.cpu_s(ours)
    raw = await address.connect(Role.OWNER)
    try:
        told = """SELECT count(*), count(DISTINCT n.recipient_id)
                  FROM recall_delivery d JOIN recall_notice n USING (notice_id)
                  JOIN recall_case c ON c.case_id = n.case_id
                  WHERE c.number = $1 AND d.medium = 'email' AND d.state = 'queued'"""
        queued, recipients = await raw.fetchrow(told, number)
    finally:
        await raw.close()
    if (queued, recipients) != (owners, owners):
        raise NotAllTold(queued=queued, owners=owners)
    cpu = {} if used is None or after is None else {"cpu_s": after - used}
    return Sample(seconds, {"rate": owners / seconds, **cpu})


async def _copied(address: DatabaseAddress) -> Sample:
    """As many rows as there are owners, from table to table in one statement, and nothing else."""
    raw = await address.connect(Role.OWNER)
    try:
        started = time.perf_counter()
        await raw.execute("CREATE TABLE copied AS SELECT party_id, kind, name, email FROM contact; DROP TABLE copied")
        return Sample(time.perf_counter() - started)
    finally:
        await raw.close()


async def _heard(address: DatabaseAddress, n: int) -> Sample:
    """The least there is between two connections of a database: a NOTIFY, and the moment the other one hears it."""
    listening, telling = await address.connect(Role.OWNER), await address.connect(Role.OWNER)
    heard: asyncio.Queue[float] = asyncio.Queue()

    def note(*_told: Any) -> None:
        heard.put_nowait(time.perf_counter())

    try:
        await listening.add_listener(_CHANNEL, note)
        waits = [await _told_once(telling, heard) for _ in range(n)]
    finally:
        await listening.close()
        await telling.close()
    return Sample(quantile(waits, 0.5), {"p95_ms": quantile(waits, 0.95), "p99_ms": quantile(waits, 0.99)})


async def _told_once(telling: asyncpg.Connection, heard: asyncio.Queue[float]) -> float:
    started = time.perf_counter()
    await telling.execute(f"NOTIFY {_CHANNEL}")
    return (await heard.get() - started) * 1000


async def _approved(conn: AsyncConnection, keys: KeyRing, lot: int) -> str:
    draft = CaseDraft(
        title="Meadow Cheese", hazard="The cheese may contain Listeria, which can cause serious illness.",
        hazard_class=1, lots=((gtin_of(0), _code(lot)),),
    )  # fmt: skip
    case = await casework.open_case(conn, draft, by="Ada", clock=system_clock, keys=keys)
    await casework.approve(conn, case.number, by="Ben", clock=system_clock)
    return case.number


async def _published(conn: AsyncConnection, keys: KeyRing, lot: int) -> None:
    number = await _approved(conn, keys, lot)
    await casework.publish(conn, number, by="Ben", clock=system_clock, keys=keys)


@asynccontextmanager
async def _staff(address: DatabaseAddress) -> AsyncIterator[AsyncConnection]:
    engine = address.engine(Role.STAFF, pool_size=1)
    try:
        async with engine.connect() as conn:
            yield conn
    finally:
        await engine.dispose()
