"""Hints from PostgreSQL (LISTEN/NOTIFY), on a connection of their own.

A hint says "look again", never what is true: it is lost while a connection is down, so whoever listens also looks
without hints, and looks at everything after each gap.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final

import asyncpg

from runtime import logs
from runtime.database import DatabaseAddress, Role

CONNECT_WITHIN_S: Final = 5.0
PING_EVERY_S: Final = 5.0
PING_WITHIN_S: Final = 2.0
RETRY_FIRST_S: Final = 0.1
RETRY_LAST_S: Final = 5.0

_log = logs.logger("notifications")


class Listener:
    """Listens on ``channels`` for ever.

    ``on_hint(channel, payload)`` is called for each notification, ``on_gap()`` after each time the connection was
    (re)made, because hints may have been missed before. Both are called in the event loop and must return at once.
    """

    def __init__(
        self,
        address: DatabaseAddress,
        role: Role,
        channels: Sequence[str],
        *,
        on_hint: Callable[[str, str], None],
        on_gap: Callable[[], None],
        ping_every_s: float = PING_EVERY_S,
    ) -> None:
        self._address = address
        self._role = role
        self._channels = tuple(channels)
        self._on_hint = on_hint
        self._on_gap = on_gap
        self._ping_every_s = ping_every_s
        # A strong reference: a listening connection that nobody holds is collected, and its hints stop without a word.
        self._connection: asyncpg.Connection | None = None

    async def run(self) -> None:
        """Listen until cancelled; a lost connection is made again, with growing pauses."""
        pause_s = RETRY_FIRST_S
        while True:
            try:
                async with asyncio.timeout(CONNECT_WITHIN_S):
                    self._connection = await self._connect()
                pause_s = RETRY_FIRST_S
                self._on_gap()
                await self._watch(self._connection)
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                _log.warning("not listening", error=repr(error), again_in_s=pause_s)
            finally:
                self._drop()
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, RETRY_LAST_S)

    async def _connect(self) -> asyncpg.Connection:
        connection = await self._address.connect(self._role)
        try:
            for channel in self._channels:
                await connection.add_listener(channel, self._hear)
        except BaseException:  # also a deadline: nobody else holds it yet, and the server would keep it open
            connection.terminate()
            raise
        return connection

    async def _watch(self, connection: asyncpg.Connection) -> None:
        """Return when the connection has ended, raise when it no longer answers."""
        ended = asyncio.Event()
        connection.add_termination_listener(lambda _connection: ended.set())
        while not ended.is_set():
            try:
                async with asyncio.timeout(self._ping_every_s):
                    await ended.wait()
            except TimeoutError:
                await connection.fetchval("SELECT 1", timeout=PING_WITHIN_S)

    def _hear(self, _connection: Any, _pid: int, channel: str, payload: object) -> None:
        self._on_hint(channel, str(payload))

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None and not connection.is_closed():
            connection.terminate()
