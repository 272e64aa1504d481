"""One connection to each database of the tests, kept open from test to test: it empties and fills them.

A new connection learns the catalogue anew, which costs several times what it is there to do. It lives on a loop of its
own, because the loop of a test ends with the test.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from functools import cache
from typing import TypeVar

import asyncpg

from runtime.database import DatabaseAddress, Role

T = TypeVar("T")
Work = Callable[[asyncpg.Connection], Awaitable[T]]

_connections: dict[str, asyncpg.Connection] = {}


def do(database: DatabaseAddress, work: Work[T]) -> T:
    """What ``work`` answers of the database, asked for outside of an event loop."""
    return asyncio.run_coroutine_threadsafe(_done(database, work), _loop()).result()


async def done(database: DatabaseAddress, work: Work[T]) -> T:
    """The same, asked for inside of one."""
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(_done(database, work), _loop()))


def leave(database: DatabaseAddress) -> None:
    """Close the connection, before the database or its server goes."""
    if (connection := _connections.pop(database.url, None)) is not None:
        asyncio.run_coroutine_threadsafe(connection.close(), _loop()).result()


async def _done(database: DatabaseAddress, work: Work[T]) -> T:
    connection = _connections.get(database.url)
    if connection is None or connection.is_closed():
        connection = _connections[database.url] = await database.connect(Role.LOGIN)
    return await work(connection)


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="caretaker", daemon=True).start()
    return loop
