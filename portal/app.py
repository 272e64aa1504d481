"""The public portal as an ASGI application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import structlog
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import request_response
from starlette.types import ASGIApp

from portal.beside import Reader
from portal.counting import COUNT_WITHIN_S, CheckCounter
from portal.hot_path import HotPath
from portal.language import load_tongues
from portal.live import Live
from portal.pages import Pages
from portal.refresh import WORLD, Refresher
from portal.routes import Routes
from portal.scan_log import ScanLog
from runtime.clock import Clock, system_clock
from runtime.database import DatabaseAddress
from runtime.secrets import master_secret
from runtime.settings import Settings
from serials.keys import KeysError
from web import probes
from web.guards import BodyLimit, SameOrigin, SecurityHeaders
from web.problems import OwnFailures, handlers

BODY_BYTES_MAX: Final = 3 * 1024 * 1024
FIRST_LOAD_WITHIN_S: Final = 60.0
"""How long the start waits for the first copy; afterwards it serves, and says that it cannot confirm."""

_log = structlog.get_logger("portal")


def create_app(
    settings: Settings,
    address: DatabaseAddress,
    clock: Clock = system_clock,
    *,
    count_within_s: float = COUNT_WITHIN_S,
) -> ASGIApp:
    """The portal. Its start loads the published views; without a database it starts too, and clears nobody.

    Raises ``runtime.secrets`` refusals; the start fails with ``serials.keys.KeysError`` when the master secret does not
    open the serial keys of this database, because every printed code would then look unknown.
    """
    secret = master_secret(settings)
    tongues = load_tongues()
    pages = Pages(settings.base_url, tongues)
    refresher = Refresher(
        address,
        secret,
        clock=clock,
        sweep_every_s=settings.sweep_every_s,
        confirm_within_s=settings.confirm_within_s,
    )
    live = Live(address)
    log = ScanLog(live)
    reader = Reader(live, CheckCounter(live, clock, within_s=count_within_s), log, secret.encode())
    routes = Routes(HotPath(settings.base_url, tongues, pages), refresher, reader, clock)

    async def confirmed() -> str | None:
        confirmation = refresher.confirmation()
        if confirmation.is_fresh:
            return None
        return f"the public record was last confirmed at {confirmation.at or 'no time'}"

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(FIRST_LOAD_WITHIN_S):
                await refresher.look()
        except WORLD as error:
            _log.warning("started without the public record", error=repr(error))
        except KeysError:
            refresher.close()
            raise
        await live.warm()
        tasks = [asyncio.create_task(work) for work in (refresher.run(), log.run())]
        for task in tasks:
            task.add_done_callback(_say_end)
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await reader.counter.close()
            await log.flush()
            await live.close()

    app = Starlette(
        routes=[*routes.routes(), *probes.routes({"public record": confirmed})],
        middleware=[
            Middleware(SecurityHeaders, pages.content_security_policy(), https=settings.base_url.startswith("https:")),
            Middleware(OwnFailures, routes.problem),
            Middleware(BodyLimit, BODY_BYTES_MAX),
            Middleware(SameOrigin, [settings.base_url]),
        ],
        exception_handlers=handlers(routes.problem),
        lifespan=lifespan,
    )
    # Not a route: patterns of routes see the decoded path, in which they stop at a line break.
    app.router.default = request_response(routes.anything)
    return app


def _say_end(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        _log.error("a task of the portal has ended; its copy is not confirmed any more", exc_info=task.exception())
