"""Keeps this worker's copy of the public record, and knows how old it is.

A hint (LISTEN) makes it look at once; without hints it looks every ``sweep_every_s``. Only a look that succeeded moves
``confirmed_at``; a copy that was not confirmed within the limit clears nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any, Final

import asyncpg

from portal import store
from portal.columns import RecordTooLarge
from portal.model import Confirmation
from portal.snapshot import Snapshot
from portal.store import Loaded, TooMuchNews
from runtime import logs
from runtime.clock import Clock, seconds_passed
from runtime.connecting import DatabaseIsStandby
from runtime.database import DatabaseAddress, Role, answered
from runtime.notifications import Listener
from serials.keys import KeysError

CHANNELS: Final = ("tracemark_revision", "tracemark_codes")
CONNECT_WITHIN_S: Final = 5.0
LOAD_EVERY_S: Final = 900.0
"""Even without a reason the whole copy is loaded anew this often."""
HINTS_APART_S: Final = 0.02
"""Hints that come closer together than this are one."""

# The last: asked on a connection whose server has just said that it ends it, and whose end was not heard yet.
WORLD = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
_log = logs.logger("portal")


async def read_once(address: DatabaseAddress, master_secret: str, *, clock: Clock) -> tuple[Snapshot, Confirmation]:
    """A copy for one list that is judged as of now: confirmed by being read, however long that takes.

    Raises the failures of the world (``WORLD``), and ``KeysError`` when the secret does not open the serial keys.
    """
    asked_at = clock()
    loaded = await _load(address, master_secret)
    return loaded.snapshot, Confirmation(asked_at, is_fresh=True)


async def _load(address: DatabaseAddress, master_secret: str) -> Loaded:
    async with asyncio.timeout(CONNECT_WITHIN_S):
        connection = await address.connect(Role.PORTAL)
    try:
        return await answered(connection, store.load(connection, master_secret), store.LOAD_WITHIN_S)
    finally:
        connection.terminate()


class Refresher:
    """The one holder of the current snapshot; ``snapshot`` is replaced whole, never changed."""

    def __init__(
        self,
        address: DatabaseAddress,
        master_secret: str,
        *,
        clock: Clock,
        sweep_every_s: float,
        confirm_within_s: float,
        monotonic: Callable[[], float] = seconds_passed,
    ) -> None:
        self._address = address
        self._master_secret = master_secret
        self._clock = clock
        self.monotonic = monotonic  # age is measured on a clock that nobody sets
        self._sweep_every_s = sweep_every_s
        self._confirm_within_s = confirm_within_s
        self._loaded: Loaded | None = None
        self.snapshot: Snapshot = _EMPTY
        """The copy; empty before the first load, and then not confirmed either."""
        self.confirmed_at: datetime | None = None
        """When the copy was last compared with the database."""
        self.fresh_until = float("-inf")
        """On the clock of ``monotonic``: until then the copy counts as confirmed."""
        self._hinted = asyncio.Event()
        self._load_wanted = False
        self._heard_before = False
        self._next_load_mono = float("-inf")
        self._loading: asyncio.Task[Loaded] | None = None
        self._beside: Loaded | None = None
        self._connection: asyncpg.Connection | None = None
        self.trouble: str | None = None
        """Why the last look failed; None when it did not."""

    def confirmation(self) -> Confirmation:
        """When the copy was last compared with the database, and whether that is within the limit."""
        return Confirmation(self.confirmed_at, self.is_fresh())

    def is_fresh(self) -> bool:
        """Whether there is a copy, and it was compared with the database within the limit."""
        return self.monotonic() <= self.fresh_until

    async def run(self) -> None:
        """Refresh until cancelled. A database that is away is waited for; so is a master secret that opens the keys."""
        listener = Listener(
            self._address, Role.PORTAL, CHANNELS, on_hint=lambda *_: self._hinted.set(), on_gap=self._after_gap
        )
        listening = asyncio.create_task(listener.run())
        try:
            while True:
                await self._look()
                await asyncio.sleep(HINTS_APART_S)
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._sweep_every_s):
                        await self._hinted.wait()
                self._hinted.clear()
        finally:
            for task in (listening, self._loading):
                if task is not None:
                    task.cancel()
            self.close()

    async def look(self) -> None:
        """Load, or catch up, and confirm. World failures are raised; the copy then stays as it was, and grows old."""
        asked_at, asked_mono, before = self._clock(), self.monotonic(), [self._loaded]
        connection = await self._connected()
        if self._loaded is None:
            self._loaded = await answered(connection, store.load(connection, self._master_secret), store.LOAD_WITHIN_S)
            self._next_load_mono = self.monotonic() + LOAD_EVERY_S
        else:
            self._take_load()
            news = store.catch_up(connection, self._beside or self._loaded, self._master_secret)
            self._loaded = await answered(connection, news, self._confirm_within_s)
            self._beside = None
        # In one step without a pause: whoever reads the three between two awaits sees those of one look.
        self.snapshot = self._loaded.snapshot
        self.confirmed_at, self.fresh_until = asked_at, asked_mono + self._confirm_within_s
        self.trouble = None
        if before[0] is not self._loaded:
            # In a thread: to give back the memory of a million lots takes longer than a scan may wait.
            await asyncio.to_thread(before.clear)

    def note(self, error: Exception) -> None:
        """Remember why a look failed, in words for whoever runs this."""
        of_the_world = isinstance(error, WORLD) and not isinstance(error, DatabaseIsStandby)
        self.trouble = "the database does not answer" if of_the_world else str(error)

    def close(self) -> None:
        """Let go of the connection; ``run`` does so itself when it is cancelled."""
        self._drop()

    async def _look(self) -> None:
        try:
            await self.look()
        except TooMuchNews:
            self._load_wanted, self._beside = True, None
        except (KeysError, RecordTooLarge) as error:
            self.note(error)
            _log.error("public record not usable", error=str(error))
        except WORLD as error:
            self.note(error)
            _log.warning("public record not confirmed", error=repr(error))
            self._drop()
        if self._loaded is None:
            return
        wanted = self._load_wanted or self._loaded.is_full or self._loaded.losses_since != 0
        if wanted or self.monotonic() >= self._next_load_mono:
            self._begin(self._load_beside)
        elif self._loaded.is_thick:
            self._begin(partial(asyncio.to_thread, self._loaded.merged))

    def _after_gap(self) -> None:
        """Hints may have been lost. The first time none can have been: the sweep that follows sees everything."""
        self._load_wanted = self._load_wanted or self._heard_before
        self._heard_before = True
        self._hinted.set()

    def _begin(self, make: Callable[[], Coroutine[Any, Any, Loaded]]) -> None:
        """Load or merge beside the sweeps: they go on confirming the copy in use meanwhile."""
        if self._loading is None:
            self._load_wanted = False
            self._loading = asyncio.create_task(make())
            self._loading.add_done_callback(lambda _task: self._hinted.set())

    async def _load_beside(self) -> Loaded:
        loaded = await _load(self._address, self._master_secret)
        self._next_load_mono = self.monotonic() + LOAD_EVERY_S
        return loaded

    def _take_load(self) -> None:
        """Have the copy that was loaded beside brought up to now. Until then the one in use stays: it may know more."""
        if self._loading is None or not self._loading.done():
            return
        task, self._loading = self._loading, None
        try:
            self._beside = task.result()
        except (*WORLD, KeysError, RecordTooLarge) as error:
            _log.warning("public record not loaded", error=repr(error))
            self._load_wanted = True

    async def _connected(self) -> asyncpg.Connection:
        if self._connection is None or self._connection.is_closed():
            async with asyncio.timeout(min(CONNECT_WITHIN_S, self._confirm_within_s)):
                self._connection = await self._address.connect(Role.PORTAL)
        return self._connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None and not connection.is_closed():
            connection.terminate()


_EMPTY = Snapshot()
