"""The closure against brute force on thousands of small random graphs at once: ``python -m tests.ledger.many_graphs``.

Many graphs stand side by side in one ledger, and one walk starts in each of them: the closure of a union is the union
of the closures, so one question checks them all. Whole lots, time, rework, equal instants and wrong events are in them;
parts of lots are in ``test_genealogy_properties``.
"""

from __future__ import annotations

import argparse
import asyncio
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import genealogy
from ledger.genealogy import Reached, Start
from runtime import migrations
from runtime.database import DatabaseAddress, Role, raw
from tests.ledger.records import FIRST_DAY, gtin
from tests.postgres import embedded_cluster

LOTS, HOURS = 4, 6
TOGETHER = 1_000
"""Graphs in one ledger. More would depend on what the planner knows of tables that were filled a moment ago."""
Link = tuple[int, int, int, bool]
"""Operation, lot, hour, and whether its event was declared wrong."""


@dataclass(frozen=True)
class SmallGraph:
    """Up to three operations between four lots."""

    inputs: tuple[Link, ...]
    outputs: tuple[Link, ...]
    start: int


def graphs(how_many: int, seed: int) -> Iterator[SmallGraph]:
    rng = random.Random(seed)
    for _ in range(how_many):
        inputs: list[Link] = []
        outputs: list[Link] = []
        for operation in range(rng.randint(1, 3)):
            wrong, hour, together = rng.random() < 0.1, rng.randrange(HOURS), rng.random() < 0.7
            for side in (inputs, outputs):
                for lot in rng.sample(range(LOTS), rng.randint(1, 2)):
                    side.append((operation, lot, hour if together else rng.randrange(HOURS), wrong))
        yield SmallGraph(tuple(inputs), tuple(outputs), rng.randrange(LOTS))


def reached_by_hand(graph: SmallGraph, *, in_time: bool) -> dict[int, int]:
    """The earliest hour at which each lot is affected; -1 for the start. Without time all hours are as one."""
    since = {graph.start: -1}
    changed = True
    while changed:
        changed = False
        for operation, lot, hour, wrong in graph.outputs:
            entered = [
                at if in_time else 0 for into, source, at, told_wrong in graph.inputs
                if into == operation and not told_wrong and source in since and (at >= since[source] or not in_time)
            ]  # fmt: skip
            at = hour if in_time else 0
            if not wrong and entered and at >= min(entered) and at < since.get(lot, HOURS):
                since[lot] = at
                changed = True
    return since


async def write(conn: AsyncConnection, many: Sequence[SmallGraph]) -> None:
    """Graph k has the lots 4k … 4k + 3 and the operations from 4k on; event 1 is the one that was declared wrong."""
    await conn.exec_driver_sql("SELECT 1")
    driver = await raw(conn)
    told = [(f"e{n}", "TransformationEvent", FIRST_DAY, "+00:00", FIRST_DAY, f"e{n}", "{}", "test") for n in (1, 2)]
    columns = ["source_id", "type", "event_time", "event_offset", "record_time", "hash", "body", "captured_by"]
    await driver.copy_records_to_table("event", records=told, columns=columns)
    wrong, right = [row["event_id"] for row in await driver.fetch("SELECT event_id FROM event ORDER BY event_id")]
    await driver.execute("INSERT INTO event_declared_wrong (event_id, by_event_id) VALUES ($1, $2)", wrong, right)
    await driver.execute("INSERT INTO product (gtin, name) VALUES ($1, 'thing')", gtin(1))
    await driver.execute(
        "INSERT INTO lot (lot_id, product_id, code) OVERRIDING SYSTEM VALUE"
        " SELECT n, (SELECT max(product_id) FROM product), 'L' || n FROM generate_series(0, $1::int - 1) n",
        LOTS * len(many),
    )
    await driver.execute(
        "INSERT INTO operation (operation_id, event_id) OVERRIDING SYSTEM VALUE"
        " SELECT n, $2 FROM generate_series(0, $1::int - 1) n", 4 * len(many), right,
    )  # fmt: skip
    for table, side in (("operation_input", "inputs"), ("operation_output", "outputs")):
        rows = (
            (4 * k + operation, LOTS * k + lot, FIRST_DAY + timedelta(hours=hour), wrong if is_wrong else right)
            for k, graph in enumerate(many) for operation, lot, hour, is_wrong in getattr(graph, side)
        )  # fmt: skip
        await driver.copy_records_to_table(table, records=rows, columns=["operation_id", "lot_id", "at", "event_id"])


async def differing(conn: AsyncConnection, many: Sequence[SmallGraph]) -> list[int]:
    """The graphs in which the closure is not what it is by hand; everything is rolled back."""
    wrong: list[int] = []
    for first in range(0, len(many), TOGETHER):
        wrong += [first + k for k in await _differing(conn, many[first : first + TOGETHER])]
    return wrong


async def _differing(conn: AsyncConnection, many: Sequence[SmallGraph]) -> list[int]:
    await write(conn, many)
    starts = [Start(LOTS * k + graph.start) for k, graph in enumerate(many)]
    found: dict[int, dict[int, Reached]] = {k: {} for k in range(len(many))}
    for lot in await genealogy.downstream(conn, starts):
        found[lot.lot_id // LOTS][lot.lot_id % LOTS] = lot
    await conn.rollback()
    return [k for k, graph in enumerate(many) if not _same(graph, found[k])]


def _same(graph: SmallGraph, found: dict[int, Reached]) -> bool:
    in_time, plain = reached_by_hand(graph, in_time=True), reached_by_hand(graph, in_time=False)
    hours = {
        lot: -1 if reached.at is None else round((reached.at - FIRST_DAY) / timedelta(hours=1))
        for lot, reached in found.items() if reached.basis != "possible"
    }  # fmt: skip
    return found.keys() == plain.keys() and hours == in_time


async def _run(server: DatabaseAddress, how_many: int, seed: int) -> list[int]:
    await migrations.migrate(server)
    engine = server.engine(Role.STAFF, pool_size=1)
    async with engine.connect() as conn:
        wrong = await differing(conn, list(graphs(how_many, seed)))
    await engine.dispose()
    return wrong


def main() -> None:
    """Compare as many graphs as asked for, on a throw-away server."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--graphs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with embedded_cluster() as address:
        wrong = asyncio.run(_run(DatabaseAddress(address.url()), asked.graphs, asked.seed))
    print(f"{asked.graphs:,} graphs, {len(wrong):,} differ {wrong[:10] if wrong else ''}")  # noqa: T201 - its answer
    raise SystemExit(bool(wrong))


if __name__ == "__main__":
    main()
