"""What one worker's copy of the public record costs, measured inside the process that holds it.

Run as ``python -m benchmarks.copy_probe URL FIRST_LOT LAST_LOT CASE PATHS`` it loads the copy, keeps it as the portal
does, has it loaded anew, recalls the lots named in one case, looks at each path, and writes one line of JSON.
"""

from __future__ import annotations

import asyncio
import gc
import json
import re
import sys
import time
import weakref
from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import Any, Final

import asyncpg
import uvloop

from benchmarks import lots_world
from benchmarks.scan import MASTER_SECRET
from gs1.digital_link import parse_path
from portal.refresh import Refresher
from runtime.clock import system_clock
from runtime.database import DatabaseAddress, Role

TICK_S: Final = 0.001
IDLE_S: Final = 2.0
SEEN_WITHIN_S: Final = 60.0


class Pauses:
    """The longest time for which the loop did not come round."""

    def __init__(self) -> None:
        self._longest_s = 0.0
        self._task = asyncio.create_task(self._tick())

    async def during(self, work: Awaitable[object]) -> float:
        """Milliseconds, while this was under way."""
        await asyncio.sleep(2 * TICK_S)
        self._longest_s = 0.0
        await work
        await asyncio.sleep(2 * TICK_S)
        return self._longest_s * 1000

    def end(self) -> None:
        """Stop ticking."""
        self._task.cancel()

    async def _tick(self) -> None:
        while True:
            began_at = time.perf_counter()
            await asyncio.sleep(TICK_S)
            self._longest_s = max(self._longest_s, time.perf_counter() - began_at - TICK_S)


async def probe(address: DatabaseAddress, lots: range, case_id: int, paths: Sequence[str]) -> dict[str, Any]:
    """All figures of one process."""
    refresher = Refresher(address, MASTER_SECRET, clock=system_clock, sweep_every_s=1.0, confirm_within_s=30.0)
    wall, cpu = time.perf_counter(), time.process_time()
    await refresher.look()
    told: dict[str, Any] = {"load_s": time.perf_counter() - wall, "load_cpu_s": time.process_time() - cpu}
    gc.collect()
    gc.freeze()
    told["bytes"] = own_bytes()
    keeping, pauses = asyncio.create_task(refresher.run()), Pauses()
    told["idle_ms"] = await pauses.during(asyncio.sleep(IDLE_S))
    raw = await address.connect(Role.OWNER)
    told["reload_ms"] = await pauses.during(_reload(raw, refresher))
    told["recall_ms"] = await pauses.during(_recall(raw, refresher, lots, case_id))
    pauses.end()
    keeping.cancel()
    await raw.close()
    await asyncio.gather(keeping, return_exceptions=True)
    told["bytes_later"] = own_bytes()
    return told | {"find_us": _find_us(refresher, paths), "lots": refresher.snapshot.lots.base.size}


def own_bytes() -> int:
    """Memory of this process, what it shares with others in proportion; Linux tells it."""
    found = re.search(r"^Pss:\s+(\d+) kB", Path("/proc/self/smaps_rollup").read_text(), re.M)
    assert found is not None
    return int(found[1]) * 1024


async def _reload(raw: asyncpg.Connection, refresher: Refresher) -> None:
    """An item was taken back, which no news can tell: the copy is loaded anew, and takes the place of the other."""
    before = weakref.ref(refresher.snapshot)
    base = id(refresher.snapshot.lots.base)
    await raw.execute("UPDATE code_run_loss SET losses = losses + 1")
    async with asyncio.timeout(SEEN_WITHIN_S):
        while id(refresher.snapshot.lots.base) == base or before() is not None:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(TICK_S)


async def _recall(raw: asyncpg.Connection, refresher: Refresher, lots: range, case_id: int) -> None:
    async with raw.transaction():
        await lots_world.publish(raw, case_id, lots[0], lots[-1])
    async with asyncio.timeout(SEEN_WITHIN_S):
        while not refresher.snapshot.scopes.versions_of_whole(lots[-1]):  # noqa: ASYNC110 - the copy tells nobody
            await asyncio.sleep(TICK_S)


def _find_us(refresher: Refresher, paths: Sequence[str]) -> float:
    """Processor time of one look into the copy, the code's own check in it."""
    identifiers, snapshot = [parse_path(path) for path in paths], refresher.snapshot
    for identifier in identifiers:
        assert snapshot.find(identifier).is_known
    began = time.process_time()
    for identifier in identifiers:
        snapshot.find(identifier)
    return (time.process_time() - began) / len(identifiers) * 1e6


def main(arguments: Sequence[str]) -> None:
    """As a program of its own."""
    url, first, last, case_id, listed = arguments
    paths = Path(listed).read_text(encoding="ascii").split()
    lots = range(int(first), int(last) + 1)
    print(json.dumps(uvloop.run(probe(DatabaseAddress(url), lots, int(case_id), paths))))


if __name__ == "__main__":
    main(sys.argv[1:])
