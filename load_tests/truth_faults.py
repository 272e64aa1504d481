"""What goes wrong in a run, one thing at a time, each for a while and then mended."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

from load_tests.fault_proxy import Fault, FaultProxy
from load_tests.truth_clocks import WRONG_S, Clocks
from load_tests.truth_model import Cut, Oracle, Skew
from load_tests.truth_server import children

CUT_EVERY_S: Final = 0.1
STOPPED_WITHIN_S: Final = 0.02
_CUTS_OFF: Final = (Fault.BLACKHOLE, Fault.LOST, Fault.DEAF, Fault.MUTE, Fault.RESET)


@dataclass(frozen=True, slots=True)
class Scene:
    """What can be broken: the wire, the processes of the database and of the portal, and how each is started again."""

    oracle: Oracle
    wire: FaultProxy
    database_pids: Callable[[], Awaitable[list[int]]]
    worker_pids: Callable[[], Awaitable[list[int]]]
    restart_database: Callable[[], Awaitable[None]]
    portal: str = ""
    clocks: Clocks | None = None
    """Those of the workers, where they can be set."""


Break = Callable[[Scene, float], Awaitable[None]]
"""Breaks something for so many seconds, and writes down when the database was out of reach."""


def of_the_wire(fault: Fault) -> Break:
    """A fault of the wire."""

    async def broken(scene: Scene, seconds: float) -> None:
        scene.wire.set(fault)
        try:
            async with _out_of_reach(scene, is_whole=fault in _CUTS_OFF):
                if fault is Fault.CUT:
                    await _cut_again(scene.wire, seconds)
                else:
                    await asyncio.sleep(seconds)
        finally:
            scene.wire.set(Fault.NONE)

    return broken


async def nothing(_scene: Scene, seconds: float) -> None:
    """All goes well."""
    await asyncio.sleep(seconds)


async def database_paused(scene: Scene, seconds: float) -> None:
    """All processes of the database stand still; their connections stay open."""
    first = (await scene.database_pids())[0]
    _signal([first], signal.SIGSTOP)  # it starts no other from here on
    await asyncio.sleep(STOPPED_WITHIN_S)
    try:
        await _paused(scene, children(first), seconds, is_whole=True)
    finally:
        _signal([first], signal.SIGCONT)


async def database_killed(scene: Scene, seconds: float) -> None:
    """All processes of the database end at once; it is started again."""
    async with _out_of_reach(scene, is_whole=False):
        _signal(await scene.database_pids(), signal.SIGKILL)
        await scene.restart_database()
    await asyncio.sleep(seconds / 2)


async def worker_paused(scene: Scene, seconds: float) -> None:
    """One worker of the portal stands still, and then goes on with what it knew."""
    await _paused(scene, (await scene.worker_pids())[:1], seconds, is_whole=False)


async def worker_killed(scene: Scene, seconds: float) -> None:
    """One worker of the portal ends at once; its supervisor starts another."""
    async with _out_of_reach(scene, is_whole=False):
        _signal((await scene.worker_pids())[:1], signal.SIGKILL)
        await asyncio.sleep(seconds)


async def clocks_wrong(scene: Scene, seconds: float) -> None:
    """The wall clocks of the workers jump, each to another time, and back again in the end."""
    assert scene.clocks is not None
    began_at = time.monotonic()
    scene.clocks.set(WRONG_S)
    try:
        await asyncio.sleep(seconds)
    finally:
        scene.clocks.put_right()
        scene.oracle.skews.append(Skew(began_at, time.monotonic(), scene.portal))


FAULTS: Final[dict[str, Break]] = {
    Fault.NONE.value: nothing,
    **{fault.value: of_the_wire(fault) for fault in Fault if fault is not Fault.NONE},
    "database paused": database_paused,
    "database killed": database_killed,
    "worker paused": worker_paused,
    "worker killed": worker_killed,
    "clocks wrong": clocks_wrong,
}


@asynccontextmanager
async def _out_of_reach(scene: Scene, *, is_whole: bool) -> AsyncIterator[None]:
    """Write down the interval. Whole ones begin when the fault surely holds, and end before it is mended."""
    began_at = time.monotonic()
    try:
        yield
    finally:
        scene.oracle.cuts.append(Cut(began_at, time.monotonic(), scene.portal, is_whole))


async def _paused(scene: Scene, pids: Iterable[int], seconds: float, *, is_whole: bool) -> None:
    pids = list(pids)
    _signal(pids, signal.SIGSTOP)
    try:
        await asyncio.sleep(STOPPED_WITHIN_S)
        async with _out_of_reach(scene, is_whole=is_whole):
            await asyncio.sleep(seconds)
    finally:
        _signal(pids, signal.SIGCONT)


async def _cut_again(wire: FaultProxy, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        wire.set(Fault.CUT)
        await asyncio.sleep(CUT_EVERY_S)


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
