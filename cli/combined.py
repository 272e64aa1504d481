"""Portal, console and API behind one address: the path's beginning decides, and all three start and stop together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_API = ("/v1/", "/epcis/", "/a/", "/openapi.json", "/docs")
_PUBLIC = ("/v1/checks", "/v1/recall-range", "/v1/recall-set")  # parts of /v1 that need no key: the portal answers


class Combined:
    """One ASGI application made of three."""

    def __init__(self, portal: App, console: App, api: App) -> None:
        self._portal, self._console, self._api = portal, console, api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(scope.get("state", {}), receive, send)
            return
        await self._app_for(scope["path"])(scope, receive, send)

    def _app_for(self, path: str) -> App:
        if path == "/console" or path.startswith("/console/"):
            return self._console
        if path.startswith(_API) and not path.startswith(_PUBLIC):
            return self._api
        return self._portal

    async def _lifespan(self, state: dict[str, Any], receive: Receive, send: Send) -> None:
        await receive()
        async with AsyncExitStack() as stack:
            try:
                for app in (self._portal, self._console, self._api):
                    await stack.enter_async_context(_running(app, state))
            except StartFailed as failure:
                await send({"type": "lifespan.startup.failed", "message": str(failure)})
                return
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


class StartFailed(Exception):
    """One of the applications did not start; the message is its own."""


@asynccontextmanager
async def _running(app: App, state: dict[str, Any]) -> AsyncIterator[None]:
    """An application between its start and its end (ASGI lifespan); what its start gives is put into ``state``."""
    inbox: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
    outbox: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
    task = asyncio.create_task(_lifespan_of(app, state, inbox, outbox))
    await inbox.put({"type": "lifespan.startup"})
    reply = await outbox.get()
    if reply["type"] != "lifespan.startup.complete":
        await task
        raise StartFailed(reply.get("message", ""))
    try:
        yield
    finally:
        await inbox.put({"type": "lifespan.shutdown"})
        await task


async def _lifespan_of(app: App, state: dict[str, Any], inbox: asyncio.Queue[Any], outbox: asyncio.Queue[Any]) -> None:
    await app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": state}, inbox.get, outbox.put)
