"""A wire between a program and its database that can be made bad: slow, silent, deaf on one side, cut, reset.

It listens on loopback only and passes bytes on. A fault holds until another is set; what was held back then goes on, as
on a network whose packets are sent again.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Final, Self

HOST: Final = "127.0.0.1"
READ_BYTES: Final = 1 << 16
CONNECTIONS_MAX: Final = 1_000
"""Open at once; one more is closed. A portal worker holds about a dozen."""
DELAY_S: Final = 0.1
SLOW_BYTES: Final = 16
SLOW_S: Final = 0.002
_RESET: Final = struct.pack("ii", 1, 0)


class Fault(Enum):
    """What is wrong with the wire."""

    NONE = "none"
    DELAY = "delay"
    """Every piece arrives ``DELAY_S`` late."""
    SLOW = "slow bytes"
    """``SLOW_BYTES`` at a time."""
    BLACKHOLE = "blackhole"
    """Nothing passes either way, nothing is refused, and nothing ends."""
    LOST = "lost"
    """The same; and when it is mended, what was open by then is ``FORGOTTEN``."""
    DEAF = "deaf"
    """Half open: what the database says does not arrive."""
    MUTE = "mute"
    """Half open: what the program says does not arrive."""
    FORGOTTEN = "forgotten"
    """What is open stays so and passes nothing ever again, as behind a firewall that lost its table; new ones pass."""
    RESET = "reset"
    """Open connections are reset, and new ones at once."""
    CUT = "cut in a message"
    """Of the next answer one half arrives, then the connection is reset."""


_HELD_DOWN: Final = (Fault.BLACKHOLE, Fault.LOST, Fault.DEAF)
_HELD_UP: Final = (Fault.BLACKHOLE, Fault.LOST, Fault.MUTE)


class FaultProxy:
    """Passes connections on to ``target``: the path of a Unix socket, or a host and a port."""

    def __init__(self, target: Path | tuple[str, int]) -> None:
        self._target = target
        self._server: asyncio.Server | None = None
        self._links: dict[asyncio.Task[None], tuple[asyncio.StreamWriter, ...]] = {}
        self._changed = asyncio.Event()
        self._fault = Fault.NONE
        self._forgotten: set[asyncio.Task[None]] = set()
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, HOST, 0)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._links):
            task.cancel()
        await asyncio.gather(*self._links, return_exceptions=True)

    def set(self, fault: Fault) -> None:
        """From now on this is wrong; ``Fault.NONE`` mends the wire."""
        if fault is Fault.FORGOTTEN or self._fault is Fault.LOST:
            self._forgotten |= self._links.keys()
        self._fault = fault
        self._changed.set()
        self._changed = asyncio.Event()
        if fault is Fault.RESET:
            for writers in self._links.values():
                _reset(*writers)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if self._fault is Fault.RESET or len(self._links) >= CONNECTIONS_MAX:
            _reset(writer)
            return
        self._links[task] = (writer,)
        writers = [writer]
        try:
            await self._until_passing(_HELD_UP, task)
            there, out = await self._open()
            writers.append(out)
            self._links[task] = (writer, out)
            pipes = (self._pipe(task, reader, out, _HELD_UP), self._pipe(task, there, writer, _HELD_DOWN))
            tasks = [asyncio.create_task(pipe) for pipe in pipes]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for each in tasks:
                    each.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        except (OSError, asyncio.CancelledError):
            pass  # the database is away, or the wire is taken down: both ends are closed
        finally:
            del self._links[task]
            self._forgotten.discard(task)
            for each_writer in writers:
                each_writer.close()

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self._target, Path):
            return await asyncio.open_unix_connection(self._target)
        return await asyncio.open_connection(*self._target)

    async def _pipe(
        self,
        link: asyncio.Task[None],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        held: tuple[Fault, ...],
    ) -> None:
        """One direction, until one side ends."""
        with suppress(OSError):
            while piece := await reader.read(READ_BYTES):
                await self._until_passing(held, link)
                if self._fault is Fault.CUT and held is _HELD_DOWN:
                    writer.write(piece[: len(piece) // 2])
                    await writer.drain()
                    self._fault = Fault.NONE
                    _reset(writer)
                    return
                await self._pass(piece, writer)
                await writer.drain()
            await self._until_passing(held, link)  # nor does an end pass where nothing does

    async def _pass(self, piece: bytes, writer: asyncio.StreamWriter) -> None:
        if self._fault is Fault.DELAY:
            await asyncio.sleep(DELAY_S)
        begin = 0
        while self._fault is Fault.SLOW and begin < len(piece):
            writer.write(piece[begin : begin + SLOW_BYTES])
            begin += SLOW_BYTES
            await asyncio.sleep(SLOW_S)
        writer.write(piece[begin:])

    async def _until_passing(self, held: tuple[Fault, ...], link: asyncio.Task[None] | None = None) -> None:
        while self._fault in held or link in self._forgotten:
            await self._changed.wait()


def _reset(*writers: asyncio.StreamWriter) -> None:
    """End at once with RST, whatever is still to be sent."""
    for writer in writers:
        with suppress(OSError):
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        writer.transport.abort()
