"""Wires, databases and workers fail: nobody is cleared falsely, and one check of an item is its first.

The whole is told as one story on one database: to make eight portals for each fault would take a minute.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from load_tests import truth_store
from load_tests.fault_proxy import Fault, FaultProxy
from load_tests.truth_faults import FAULTS, Scene, database_killed, database_paused
from load_tests.truth_model import Cut, Oracle, Said, Scan, Skew, firsts
from load_tests.truth_publishing import Publisher
from load_tests.truth_scanning import Visitors, until_ready
from load_tests.truth_server import SECRET, server_pids, socket_of
from load_tests.truth_store import World
from runtime.database import DatabaseAddress, Role
from tests.truth.portals import LIMIT_S, Portals, portals

BROKEN_S = 1.3
LONGER = (1, 2, 4, 8, 16)
"""So many times as long all is broken again, until everybody has said what the story is about: on a busy machine few
visitors come while a portal cannot confirm."""
WAYS = 9
CLOCKS_AHEAD_S = {Fault.NONE.value: -3_600.0, Fault.DELAY.value: 86_400.0, Fault.LOST.value: -86_400.0}
"""Portals whose clocks are wrong while the wires are bad, too."""
CUTS_OFF = (Fault.BLACKHOLE, Fault.LOST, Fault.DEAF, Fault.MUTE, Fault.RESET)


def test_no_fault_makes_a_portal_clear_a_recalled_item_or_call_two_checks_the_first(
    database: DatabaseAddress, tmp_path: Path
) -> None:
    # Not on the test's own loop: what the driver leaves behind of a connection that was cut would count as a failure.
    oracle, scans = asyncio.run(story(database, tmp_path))

    assert oracle.lies(scans) == []
    assert max(firsts(scans).values()) == 1
    assert missing(scans) == []


def missing(scans: Sequence[Scan]) -> list[str]:
    """What has to be said before a story shows anything, and was not."""
    unsure = {scan.portal for scan in scans if scan.said is Said.CANNOT_CONFIRM}
    wanted = {f"{fault.value} cannot confirm": fault.value in unsure for fault in CUTS_OFF}
    wanted["recalled"] = any(scan.said is Said.RECALLED for scan in scans)
    wanted["in every way"] = len({scan.way for scan in scans}) == WAYS
    return [what for what, is_there in wanted.items() if not is_there]


async def story(database: DatabaseAddress, folder: Path) -> tuple[Oracle, list[Scan]]:
    """Everything goes wrong once; then all portals come back."""
    oracle, world = Oracle(LIMIT_S), await truth_store.write(database, SECRET)
    await durable(database)
    async with AsyncExitStack() as stack:
        wires = {fault.value: await stack.enter_async_context(FaultProxy(socket_of(database))) for fault in Fault}
        served = await stack.enter_async_context(
            portals(database, folder, {name: wire.port for name, wire in wires.items()})
        )
        publisher = Publisher(database, world, oracle, seed=1, master_secret=SECRET, apart_s=0.25)
        await publisher.begin()
        visitors = comers(world, served)
        publishing = asyncio.create_task(publisher.run())
        tasks = [asyncio.create_task(each.run(1)) for each in visitors]
        for times in LONGER:
            await broken_one_after_another(oracle, database, served, wires, times * BROKEN_S)
            if not missing([scan for each in visitors for scan in each.scans]):
                break
        for port in served.ports.values():
            await until_ready(port, 1)
        publisher.end()
        await publishing
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return oracle, [scan for each in visitors for scan in each.scans]


async def broken_one_after_another(
    oracle: Oracle, database: DatabaseAddress, served: Portals, wires: dict[str, FaultProxy], broken_s: float
) -> None:
    async def backends() -> list[int]:
        connection = await database.connect(Role.LOGIN)
        try:
            return await truth_store.backends(connection)
        finally:
            await connection.close()

    async def one_backend() -> list[int]:
        return (await backends())[:1]  # the server then ends all others, and recovers

    async def by_itself() -> None:
        """The server starts again by itself."""

    await asyncio.sleep(0.3)
    served.ahead_s |= CLOCKS_AHEAD_S
    began_at = asyncio.get_running_loop().time()
    await asyncio.gather(
        *(
            FAULTS[name](Scene(oracle, wire, backends, backends, by_itself, name), broken_s)
            for name, wire in wires.items()
        )
    )
    served.ahead_s.clear()
    oracle.skews += [Skew(began_at, asyncio.get_running_loop().time(), portal) for portal in CLOCKS_AHEAD_S]
    server = partial(server_pids, database)
    await database_paused(Scene(oracle, wires["none"], server, backends, by_itself), broken_s)
    began_at = asyncio.get_running_loop().time()
    served.pause(broken_s)
    await asyncio.sleep(broken_s)
    oracle.cuts.append(Cut(began_at, asyncio.get_running_loop().time(), is_whole=False))
    await database_killed(Scene(oracle, wires["none"], one_backend, backends, by_itself), 0.2)


def comers(world: World, served: Portals) -> list[Visitors]:
    return [
        Visitors(world, port, seed, portal=name, apart_s=0.08) for seed, (name, port) in enumerate(served.ports.items())
    ]


async def durable(database: DatabaseAddress) -> None:
    """A commit is in the log before it is told: a test's server, which may lose the last ones, would lie itself."""
    connection = await database.connect(Role.LOGIN)
    name = await connection.fetchval("SELECT current_database()")
    await connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = on")
    await connection.close()
