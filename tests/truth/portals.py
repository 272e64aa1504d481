"""Portals on a thread of their own, each behind a bad wire to one database, as workers are to their visitors."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from uvicorn.config import Config
from uvicorn.server import ServerState

from load_tests.fault_proxy import HOST
from load_tests.truth_server import SECRET, through
from portal.app import create_app
from portal.protocol import CodeProtocol
from runtime.clock import Clock, system_clock
from runtime.database import DatabaseAddress
from tests.portal.arrangement import settings

LIMIT_S = 1.0
SWEEP_S = 0.25


@dataclass
class Portals:
    """Those that serve; ``ports`` by the name of each."""

    loop: asyncio.AbstractEventLoop
    ports: dict[str, int] = field(default_factory=dict)
    ahead_s: dict[str, float] = field(default_factory=dict)
    """By how much the wall clock of a portal is wrong."""

    def clock_of(self, name: str) -> Clock:
        """What the portal takes for the time."""
        return lambda: system_clock() + timedelta(seconds=self.ahead_s.get(name, 0.0))

    def pause(self, seconds: float) -> None:
        """Let all of them stand still: they take nothing in, and no timer of theirs runs."""
        self.loop.call_soon_threadsafe(time.sleep, seconds)


@asynccontextmanager
async def portals(database: DatabaseAddress, folder: Path, wire_ports: dict[str, int]) -> AsyncIterator[Portals]:
    """A portal of each name, which reaches the database by this port only; the wires run on the caller's loop."""
    loop, over = asyncio.new_event_loop(), asyncio.Event()
    served, ready = Portals(loop), threading.Event()

    async def serve() -> None:
        async with AsyncExitStack() as stack:
            for name, wire_port in wire_ports.items():
                address = DatabaseAddress(through(database, wire_port), portal_statement_timeout_ms=10_000)
                served.ports[name] = await _one(stack, address, folder / name, served.clock_of(name))
            ready.set()
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    await asyncio.to_thread(ready.wait)
    try:
        yield served
    finally:
        loop.call_soon_threadsafe(over.set)
        await asyncio.to_thread(thread.join)
        loop.close()


async def _one(stack: AsyncExitStack, address: DatabaseAddress, folder: Path, clock: Clock) -> int:
    hurried = {"confirm_within_s": LIMIT_S, "portal_count_within_ms": 100, "portal_patience": 1}
    chosen = settings(folder, master_secret=SECRET, sweep_every_s=SWEEP_S, **hurried)
    app: Any = create_app(chosen, address, clock)
    state = await stack.enter_async_context(app.router.lifespan_context(app))
    config = Config(app, access_log=False, lifespan="off", forwarded_allow_ips="*")
    config.load()
    shared = ServerState()

    def connection() -> CodeProtocol:
        return CodeProtocol(config=config, server_state=shared, app_state=state)

    server = await asyncio.get_running_loop().create_server(connection, HOST, 0)

    async def stop() -> None:
        server.close()
        for each in list(shared.connections):
            each.shutdown()
        await asyncio.gather(*shared.tasks, return_exceptions=True)

    stack.push_async_callback(stop)
    return int(server.sockets[0].getsockname()[1])
