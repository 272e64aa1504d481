"""A wire that passes nothing, and says so to nobody: what waits for the database gives up in time, and tries anew.

The driver's own way to stop a statement asks the server and waits for it without a limit, so each of these once hung.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from load_tests import truth_store
from load_tests.fault_proxy import HOST, Fault, FaultProxy
from load_tests.truth_server import SECRET, socket_of, through
from portal.live import Live
from portal.refresh import Refresher
from runtime.clock import seconds_passed, system_clock
from runtime.database import DatabaseAddress, Role, answered

LONG_S = 60.0
"""Far beyond every deadline here: who takes as long hangs."""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder to name without its path: a Unix socket's may not be longer than 107 bytes."""
    monkeypatch.chdir(tmp_path)


async def test_what_was_held_back_arrives_when_the_wire_is_mended() -> None:
    async with _echo() as (wire, ask):
        assert await ask(b"one") == b"one"
        wire.set(Fault.BLACKHOLE)
        held = asyncio.create_task(ask(b"two"))
        await asyncio.sleep(0.05)
        assert not held.done()
        wire.set(Fault.NONE)
        assert await held == b"two"


async def test_a_message_is_cut_in_the_middle_and_what_is_forgotten_stays_open() -> None:
    async with _echo() as (wire, ask):
        assert await ask(b"one") == b"one"
        wire.set(Fault.CUT)
        with pytest.raises(asyncio.IncompleteReadError) as cut:
            await ask(b"12345678")
        assert cut.value.partial in (b"1234", b"")  # a reset may overtake the half

    async with _echo() as (wire, ask):
        assert await ask(b"one") == b"one"
        wire.set(Fault.FORGOTTEN)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(ask(b"two"), 0.1)


def test_whoever_waits_for_the_database_gives_up_in_time_and_comes_back(database: DatabaseAddress) -> None:
    # On a loop of its own: what the driver leaves behind of a connection that was cut would count as a failure.
    asyncio.run(asyncio.wait_for(silent_and_back(database), 3 * LONG_S))


async def silent_and_back(database: DatabaseAddress) -> None:
    await truth_store.write(database, SECRET)
    async with FaultProxy(socket_of(database)) as wire:
        address = DatabaseAddress(through(database, wire.port), portal_statement_timeout_ms=10_000)
        copy = Refresher(address, SECRET, clock=system_clock, sweep_every_s=0.1, confirm_within_s=2.0)
        live, connection = Live(address, patience=10), await address.connect(Role.PORTAL)
        await copy.look()
        assert await live.fetch("SELECT 1", within_s=5) is not None

        wire.set(Fault.DEAF)
        with pytest.raises(TimeoutError, match="did not answer"):
            await asyncio.wait_for(answered(connection, connection.fetch("SELECT 1"), 0.1), LONG_S)
        assert connection.is_closed()
        assert await asyncio.wait_for(live.fetch("SELECT 1", within_s=0.1), LONG_S) is None
        with pytest.raises(TimeoutError, match="did not answer"):
            await asyncio.wait_for(copy.look(), LONG_S)

        wire.set(Fault.NONE)
        copy.close()
        await copy.look()
        assert copy.is_fresh()
        assert await live.fetch("SELECT 1", within_s=5) is not None
        await live.close()
        copy.close()


async def test_who_is_cancelled_does_not_wait_for_the_database_either(database: DatabaseAddress) -> None:
    connection = await database.connect(Role.PORTAL)
    task = asyncio.create_task(answered(connection, connection.fetch("SELECT pg_sleep(30)"), LONG_S))
    await asyncio.sleep(0.1)

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, LONG_S)
    assert connection.is_closed()


def test_the_age_of_a_copy_counts_the_time_in_which_the_machine_slept() -> None:
    with_sleep = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # elsewhere than on Linux they are one
    assert abs(seconds_passed() - time.clock_gettime(with_sleep)) < LONG_S


@asynccontextmanager
async def _echo() -> AsyncIterator[tuple[FaultProxy, Callable[[bytes], Coroutine[Any, Any, bytes]]]]:
    """A wire to somebody who repeats what was said, and how to talk over it."""
    path = Path("echo")

    async def repeat(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(100):
            writer.write(piece)
        writer.close()

    server = await asyncio.start_unix_server(repeat, path)
    async with FaultProxy(path) as wire:
        reader, writer = await asyncio.open_connection(HOST, wire.port)

        async def ask(words: bytes) -> bytes:
            writer.write(words)
            try:
                return await reader.readexactly(len(words))
            except ConnectionResetError as reset:
                raise asyncio.IncompleteReadError(b"", len(words)) from reset

        yield wire, ask
        writer.close()
    server.close()
