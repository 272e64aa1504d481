"""``python -m load_tests.truth``: no false all-clear and one first check, while wires, databases and workers fail.

A throw-away database, a portal of several workers behind a wire that can be made bad, cases that change all the time,
and visitors who ask in every way. What each was told is held against a model of the record. Status 1: somebody lied.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any, Final, NamedTuple

import typer

from cli.output import say, table, tell
from load_tests import truth_store
from load_tests.fault_proxy import FaultProxy
from load_tests.truth_clocks import Clocks
from load_tests.truth_faults import FAULTS, Scene
from load_tests.truth_model import CLEARS, Lie, Oracle, Said, Scan, firsts
from load_tests.truth_publishing import Publisher
from load_tests.truth_scanning import Visitors, until_ready
from load_tests.truth_server import SECRET, Database, holders, portal, restarted, throw_away_database

LIMIT_S: Final = 2.0
VISITORS: Final = 12
APART_S: Final = 0.05
"""Between the questions of one visitor: who asks without a pause measures how a portal starves."""
BROKEN: Final = 0.6
"""Share of the time of a fault before it is mended: the rest shows how the portal comes back."""
BROKEN_S_MIN: Final = LIMIT_S + 1.0
"""A fault that is shorter than this shows nothing: no copy grows older than the limit."""
WARM_S: Final = 1.0
READY_WITHIN_S: Final = 90.0
LIES_SHOWN: Final = 10
COLUMNS: Final = (
    *("fault", "scans", "clear", "recalled", "cannot confirm", "no answer", "lies"),
    *("firsts", "stale ms", "back ms"),
)


class Part(NamedTuple):
    """The time of one fault: when it began, when it was mended, and when the next one began."""

    fault: str
    began_at: float
    mended_at: float
    ended_at: float


def main(
    seconds: Annotated[float, typer.Option(min=1, help="Of the whole run; each fault takes 5 s at least.")] = 60,
    workers: Annotated[int, typer.Option(min=2, max=16, help="Processes of the portal.")] = 4,
    seed: Annotated[int, typer.Option(help="The same seed asks and publishes in the same order.")] = 1,
    faults: Annotated[str, typer.Option(help="all, or some of them, with commas between.")] = "all",
) -> None:
    """Break one thing after another, and look for a lie."""
    chosen = list(FAULTS) if faults == "all" else [name.strip() for name in faults.split(",")]
    if unknown := [name for name in chosen if name not in FAULTS]:
        raise typer.BadParameter(f"{unknown[0]!r} is none of: {', '.join(FAULTS)}", param_hint="--faults")
    with throw_away_database() as database:
        oracle, parts, scans, publisher = asyncio.run(run(database, chosen, seconds, workers, seed))
    lies = oracle.lies(scans)
    table(COLUMNS, [row(part, oracle, scans, lies) for part in parts])
    changes = f"{publisher.commits:,} changes of the record ({publisher.commits_at_the_desk:,} by the verbs of a case)"
    say(f"{len(scans):,} answers, {changes}, {workers} workers, {len(lies)} lies")
    for lie in lies[:LIES_SHOWN]:
        tell(f"lie: {lie.why}: {lie.scan}")
    raise typer.Exit(1 if lies else 0)


async def run(
    database: Database, faults: Sequence[str], seconds: float, workers: int, seed: int
) -> tuple[Oracle, list[Part], list[Scan], Publisher]:
    """The record, the times of the faults, every answer, and who changed the record."""
    oracle = Oracle(LIMIT_S)
    world = await truth_store.write(database.address, SECRET)
    async with FaultProxy(database.socket) as wire:
        clocks = Clocks(database.folder / "clocks")
        serving = portal(database.address, wire.port, database.folder, workers, limit_s=LIMIT_S, clocks=clocks)
        pid, port = await asyncio.to_thread(serving.__enter__)
        try:
            publisher, visitors = (
                Publisher(database.address, world, oracle, seed, master_secret=SECRET),
                Visitors(world, port, seed, apart_s=APART_S),
            )
            await publisher.begin()
            async with asyncio.timeout(READY_WITHIN_S):
                await until_ready(port, workers)
            tasks = [asyncio.create_task(publisher.run()), asyncio.create_task(visitors.run(VISITORS))]
            await asyncio.sleep(WARM_S)
            scene = Scene(
                oracle, wire, database.pids, partial(_workers, pid, port), partial(restarted, database), clocks=clocks
            )
            parts = [await _part(scene, name, seconds / len(faults), tasks) for name in faults]
            publisher.end()
            await tasks[0]
            tasks[1].cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            await asyncio.to_thread(serving.__exit__, None, None, None)
    return oracle, parts, visitors.scans, publisher


def row(part: Part, oracle: Oracle, scans: Sequence[Scan], lies: Sequence[Lie]) -> tuple[Any, ...]:
    """One line of the table: what was told while this was broken, and until the next thing was."""
    told = [scan for scan in scans if part.began_at <= scan.began_at < part.ended_at]
    said = {each: sum(scan.said is each for scan in told) for each in Said}
    back = [scan.began_at for scan in told if scan.said in CLEARS and scan.began_at >= part.mended_at]
    most = max(firsts(told).values(), default=0)
    false = sum(part.began_at <= lie.scan.began_at < part.ended_at for lie in lies)
    return (
        part.fault,
        len(told),
        said[Said.CLEAR] + said[Said.FIRST],
        said[Said.RECALLED],
        said[Said.CANNOT_CONFIRM],
        sum(scan.status == 0 for scan in told),
        false,
        most,
        round(oracle.staleness_s(told) * 1000),
        round((min(back) - part.mended_at) * 1000) if back else "-",
    )


async def _part(scene: Scene, fault: str, seconds: float, tasks: Sequence[asyncio.Task[None]]) -> Part:
    broken_s = max(BROKEN * seconds, BROKEN_S_MIN)
    tell(f"{fault}: {broken_s:.1f} s")
    began_at = time.monotonic()
    await FAULTS[fault](scene, broken_s)
    mended_at = time.monotonic()
    await asyncio.sleep(broken_s * (1 - BROKEN) / BROKEN)
    for task in tasks:
        if task.done():
            task.result()
    return Part(fault, began_at, mended_at, time.monotonic())


async def _workers(supervisor: int, port: int) -> list[int]:
    return holders(supervisor, port)


if __name__ == "__main__":
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(main)
    app()
