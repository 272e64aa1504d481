"""Connections to PostgreSQL under least rights.

One login may serve all (the embedded server, a small installation): each connection then takes its role at start, and
the portal's connections see published views only. A production portal gets a login of its own
(``TRACEMARK_PORTAL_DATABASE_URL``), which is stronger: a role that was taken can be given back, a login cannot.
"""

from __future__ import annotations

import asyncio
import enum
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

import asyncpg
from sqlalchemy import event, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from runtime import connecting
from runtime.clock import seconds_passed
from runtime.connecting import DatabaseAddressWrong, asyncpg_url

__all__ = [
    "DatabaseAddress",
    "DatabaseAddressWrong",
    "Role",
    "answered",
    "asyncpg_url",
    "raw",
    "read_one_state",
    "transaction",
]

Found = TypeVar("Found")

UNASKED_S: Final = 1.0
"""A connection that was in use so lately is used again without asking whether it still stands."""
_VERB = "tracemark_verb_is_running"
_USED = "tracemark_used_s"


class Role(enum.Enum):
    """Whose rights a connection has."""

    OWNER = "tracemark_owner"
    STAFF = "tracemark_staff"
    PORTAL = "tracemark_portal"
    LOGIN = ""  # of the login itself: creating the roles, nothing else


@dataclass(frozen=True, slots=True)
class DatabaseAddress:
    """Where the database is. ``url`` and ``portal_url`` are PostgreSQL addresses with their passwords.

    Raises ``DatabaseAddressWrong`` when one cannot be used as it is written.
    """

    url: str
    portal_url: str | None = None
    pool_size: int = 10
    statement_timeout_ms: int = 60_000
    portal_statement_timeout_ms: int = 300

    def __post_init__(self) -> None:
        for url in filter(None, (self.url, self.portal_url)):
            connecting.refuse_missing_files(asyncpg_url(url))

    def engine(self, role: Role, *, pool_size: int | None = None) -> AsyncEngine:
        """An engine whose connections have the rights of ``role``. The caller disposes of it."""
        engine = create_async_engine(
            self._login(role),
            pool_size=pool_size or self.pool_size,
            max_overflow=0,
            async_creator=partial(connecting.connect, **self._arguments(role)),
        )
        _ask_idle_ones(engine)
        return engine

    async def connect(self, role: Role) -> asyncpg.Connection:
        """One raw connection of its own (LISTEN, COPY, hot reads). The caller closes it and keeps a reference to it."""
        return await connecting.connect(**self._arguments(role))

    async def pool(self, role: Role, *, size: int) -> asyncpg.Pool:
        """A raw pool. Connections are handed back without the default reset: they never hold session state."""
        arguments = self._arguments(role)
        return await asyncpg.create_pool(
            min_size=1, max_size=size, reset=_keep, connect=connecting.connect, **arguments
        )

    def _login(self, role: Role) -> URL:
        return asyncpg_url(self.portal_url if role is Role.PORTAL and self.portal_url else self.url)

    def _session(self, role: Role) -> dict[str, str]:
        timeout_ms = self.portal_statement_timeout_ms if role is Role.PORTAL else self.statement_timeout_ms
        session = {"application_name": f"tracemark {role.name.lower()}", "timezone": "UTC"}
        if role in (Role.STAFF, Role.PORTAL):
            session["statement_timeout"] = str(timeout_ms)
        if role is Role.STAFF:
            # a plan kept from when a table was empty is the wrong plan for a day's worth of events
            session["plan_cache_mode"] = "force_custom_plan"
        if role is not Role.LOGIN:
            session["role"] = role.value
        return session

    def _arguments(self, role: Role) -> dict[str, Any]:
        return connecting.arguments(self._login(role), self._session(role))


@asynccontextmanager
async def transaction(conn: AsyncConnection) -> AsyncIterator[AsyncConnection]:
    """The transaction of one verb: all of it happens, or nothing.

    Reads before it (who is signed in, is the key good) have begun a transaction of their own accord; it wrote nothing
    and is ended first. A verb inside a verb is a mistake of ours and is refused.
    """
    if conn.info.get(_VERB):
        raise RuntimeError("a verb was called inside another verb's transaction; call its inner function instead")
    if conn.in_transaction():
        await conn.rollback()
    conn.info[_VERB] = True
    try:
        async with conn.begin():
            yield conn
    finally:
        conn.info.pop(_VERB, None)


async def read_one_state(conn: AsyncConnection) -> None:
    """What is read from here on, up to the next verb, is one state of the database, whatever others commit meanwhile.

    Reads before it have begun a transaction of their own accord, which is ended first, as ``transaction`` does. Inside
    a verb nothing changes: the verb has chosen what its reads see.
    """
    if conn.info.get(_VERB):
        return
    if conn.in_transaction():
        await conn.rollback()
    await conn.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))


async def raw(conn: AsyncConnection) -> asyncpg.Connection:
    """The driver's connection beneath, for COPY and arrays, inside the transaction that ``conn`` has already begun.

    SQLAlchemy begins a transaction with its first statement, so raw work before that would commit by itself: refused.
    """
    driver = (await conn.get_raw_connection()).driver_connection
    assert isinstance(driver, asyncpg.Connection)
    if not driver.is_in_transaction():
        raise RuntimeError(
            "raw database work outside of the verb's transaction: run a statement through SQLAlchemy first"
        )
    return driver


async def answered(connection: asyncpg.Connection, work: Coroutine[Any, Any, Found], within_s: float) -> Found:
    """What ``work``, which speaks on this connection, comes to within so many seconds.

    Else, and when the caller is cancelled, the connection is ended at once, and TimeoutError is raised. A deadline
    around the work would not do: the driver then asks the server, on another connection, to stop the statement, and
    waits for that without a limit. On a wire that passes nothing any more it would wait for ever.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait([task], timeout=within_s)
        if task.done():
            return task.result()
    finally:
        if not task.done():
            task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())  # it fails as it was made to
            connection.terminate()
    raise TimeoutError(f"the database did not answer within {within_s} s")


def _ask_idle_ones(engine: AsyncEngine) -> None:
    """Before a connection is used again, see that it still stands; else it is replaced, and all others.

    One that was in use a moment ago is not asked: that is three round trips of every request, and a server that went
    away has closed it, which is seen without asking.
    """
    dialect = engine.sync_engine.dialect

    @event.listens_for(engine.sync_engine, "checkin")
    def note(_connection: Any, record: ConnectionPoolEntry) -> None:
        record.info[_USED] = seconds_passed()

    @event.listens_for(engine.sync_engine, "checkout")
    def look(connection: Any, record: ConnectionPoolEntry, _fairy: Any) -> None:
        used_s = record.info.get(_USED)  # None: it was opened just now
        if used_s is None:
            return
        if connection.driver_connection.is_closed():
            raise InvalidatePoolError
        if seconds_passed() - used_s > UNASKED_S:
            try:
                dialect.do_ping(connection)
            except dialect.loaded_dbapi.Error as error:
                raise InvalidatePoolError from error


async def _keep(_connection: Any) -> None:
    """Replace asyncpg's reset on release: four statements per request that our connections do not need."""
