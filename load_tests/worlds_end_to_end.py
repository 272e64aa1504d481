"""``python -m load_tests.worlds_end_to_end``: every world told, recalled, and read again at every door.

A throw-away PostgreSQL and ``tracemark serve all`` in a process of its own; each world in a block of its own beside the
others. Exit status 1 when a door says anything else than the goods do, with a table that says where.
"""

from __future__ import annotations

import asyncio
import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import httpx2
import typer

from benchmarks.database import fresh_database, throw_away_server
from benchmarks.loopback import HOST
from benchmarks.processes import free_port, listening, tracemark
from cli.output import say, table, tell
from ledger import codes
from load_tests.world import noisy
from load_tests.world.asked import Asked
from load_tests.world.doors import opened
from load_tests.world.end_to_end import Told, walk
from load_tests.world.noisy import Spoiled
from load_tests.world.scenarios import SCENARIOS, UnknownWorld
from runtime.clock import system_clock
from runtime.database import DatabaseAddress, Role, transaction
from runtime.refusals import Conflict

READY_WITHIN_S: Final = 180.0
DIFFERENCES_SHOWN_MAX: Final = 100
"""So many differences are told one by one; how many there are is always said."""


class NotReady(Conflict):
    """The faces did not become ready within {within_s} s."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """All questions of the clean worlds, and the noisy ones."""

    asked: tuple[Asked, ...]
    spoiled: tuple[Spoiled, ...]

    @property
    def is_right(self) -> bool:
        """No door differs, and nothing is missed in silence."""
        return not any(each.differences for each in self.asked) and all(each.is_right for each in self.spoiled)


def main(
    world: Annotated[list[str] | None, typer.Option(help="S1 to S13; may be given again. All when left out.")] = None,
    units: Annotated[int, typer.Option(help="About how many units a finished lot has.")] = 60,
    seed: Annotated[int, typer.Option(help="The same seed is the same world.")] = 1,
    noise: Annotated[
        bool, typer.Option("--noise", help="Also with broken data: gaps, and nothing in silence.")
    ] = False,
) -> None:
    """Tell worlds, recall them as their stories go, and hold every door against the goods."""
    names = world or list(SCENARIOS)
    for name in names:
        if name not in SCENARIOS:
            raise UnknownWorld(name=name, known=", ".join(SCENARIOS))
    secret = secrets.token_hex(24)
    with (
        throw_away_server(tell) as server,
        fresh_database(server, "worlds") as database,
        serving(database, secret) as base_url,
    ):
        outcome = asyncio.run(run(database, base_url, secret, names, units=units, seed=seed, with_noise=noise))
    show(outcome)
    if not outcome.is_right:
        raise typer.Exit(1)


@contextmanager
def serving(database: DatabaseAddress, secret: str) -> Iterator[str]:
    """``tracemark serve all`` on loopback; its address, once it has a confirmed copy of the public record."""
    port = free_port()
    base_url = f"http://{HOST}:{port}"
    with tempfile.TemporaryDirectory(prefix="tracemark-worlds-") as folder:
        told = {
            "TRACEMARK_DATABASE_URL": database.url,
            "TRACEMARK_DATA_DIR": folder,
            "TRACEMARK_MASTER_SECRET": secret,
            "TRACEMARK_BASE_URL": base_url,
            "TRACEMARK_PORTAL_POSTS_PER_MINUTE": "10000",
            "TRACEMARK_PORTAL_PATIENCE": "100",  # what is told of a pallet shall not depend on how busy the machine is
            "TRACEMARK_PORTAL_STATEMENT_TIMEOUT_MS": "10000",
            "TRACEMARK_CONFIRM_WITHIN_S": "60",
        }
        with listening(tracemark("serve", "all", "--port", str(port)), port, settings=told, cwd=Path(folder)):
            until = time.monotonic() + READY_WITHIN_S
            while httpx2.get(f"{base_url}/readyz", timeout=READY_WITHIN_S).status_code != 200:
                if time.monotonic() > until:
                    raise NotReady(within_s=READY_WITHIN_S)
                time.sleep(0.05)
            yield base_url


async def run(
    database: DatabaseAddress, base_url: str, secret: str, names: list[str], *, units: int, seed: int, with_noise: bool
) -> Outcome:
    """Walk these worlds beside each other, in this database that is served at ``base_url``."""
    engine = database.engine(Role.STAFF, pool_size=2)
    block_of = {name: block for block, name in enumerate(SCENARIOS)}
    asked: list[Asked] = []
    spoiled: list[Spoiled] = []
    async with engine.connect() as conn:
        async with transaction(conn):
            keys = await codes.ensure_key(conn, secret, clock=system_clock)
        async with opened(conn, base_url, system_clock) as doors:
            told = Told(conn, doors, keys, system_clock)
            for name in names:
                tell(f"{name} …")
                asked += await walk(told, name, block=block_of[name], units=units, seed=seed)
            for name in names if with_noise else ():
                tell(f"{name}, with broken data …")
                block = len(SCENARIOS) + block_of[name]
                spoiled.append(await noisy.walk(told, name, block=block, units=units, seed=seed))
    await engine.dispose()
    return Outcome(tuple(asked), tuple(spoiled))


def show(outcome: Outcome) -> None:
    """The questions with what was held against the truth; then each difference, and where it is."""
    columns = ["world", "question", "version", "cells", "codes scanned", "explained", "differences"]
    table(columns, [
        (a.world, a.question, a.version, f"{a.cells:,}", f"{a.scans:,}", a.explained, len(a.differences))
        for a in outcome.asked
    ])  # fmt: skip
    if outcome.spoiled:
        columns = [
            "broken data",
            "events lost",
            "told wrong",
            "missed",
            "extra",
            "elsewhere",
            "lots missed",
            "gaps",
            "differences",
        ]
        table(columns, [
            (s.world, s.lost, s.wrong, s.missed, s.extra, s.elsewhere, s.missed_lots, s.gaps, len(s.differences))
            for s in outcome.spoiled
        ])  # fmt: skip
    differences = [d for asked in outcome.asked for d in asked.differences]
    differences += [d for spoiled in outcome.spoiled for d in spoiled.differences]
    if differences:
        columns = ["world", "question", "door", "what", "has to be", "is"]
        shown = differences[:DIFFERENCES_SHOWN_MAX]
        table(columns, [(d.world, d.question, d.door, d.what, d.expected, d.told) for d in shown])
    say(f"{len(differences):,} differences" if differences else "Every door says what the goods say.")


if __name__ == "__main__":
    typer.run(main)
