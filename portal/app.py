"""The public portal as an ASGI application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final

import structlog
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route, request_response
from starlette.types import ASGIApp, Receive, Scope, Send

from portal.beside import Reader
from portal.check_jobs import CheckJobs
from portal.check_routes import TEXT_BYTES_MAX, CheckRoutes
from portal.check_tables import FILE_BYTES_MAX
from portal.claim_routes import ClaimRoutes
from portal.counting import CheckCounter
from portal.fast_lane import FastLane
from portal.histories import Histories
from portal.hot_path import HotPath
from portal.http_front import Front
from portal.language import load_tongues
from portal.live import Live
from portal.pace import Pace
from portal.pages import Pages
from portal.photos import PHOTO_BYTES_MAX, DarkRoom
from portal.protocol import STATE
from portal.recall_copies import RecallCopies
from portal.recall_routes import RecallRoutes
from portal.receipts import Receipts
from portal.refresh import WORLD, Refresher
from portal.routes import Routes
from portal.scan_log import ScanLog
from portal.shelf import Shelf
from portal.shopper_routes import ShopperRoutes
from portal.sightings import Sightings
from portal.signing import Signer
from runtime.clock import Clock, system_clock
from runtime.database import DatabaseAddress
from runtime.memory import seldom_searched
from runtime.secrets import master_secret
from runtime.settings import Settings
from serials.keys import KeysError
from web import probes
from web.guards import BodyLimit, SameOrigin, SecurityHeaders
from web.problems import OwnFailures, handlers

BODY_BYTES_MAX: Final = 3 * 1024 * 1024
FORM_BYTES_MAX: Final = 64 * 1024
"""What a report or a claim has beside its photo."""
_BYTES_BY_PREFIX: Final = {
    "/report": PHOTO_BYTES_MAX + FORM_BYTES_MAX,
    "/recalls/": PHOTO_BYTES_MAX + FORM_BYTES_MAX,
    "/check": FILE_BYTES_MAX + TEXT_BYTES_MAX + FORM_BYTES_MAX,
}
FIRST_LOAD_WITHIN_S: Final = 180.0
"""How long the start waits for the first copy; afterwards it serves, and says that it cannot confirm."""

_log = structlog.get_logger("portal")


def create_app(settings: Settings, address: DatabaseAddress, clock: Clock = system_clock) -> ASGIApp:
    """The portal. Its start loads the published views; without a database it starts too, and clears nobody.

    Raises ``runtime.secrets`` refusals; the start fails with ``serials.keys.KeysError`` when the master secret does not
    open the serial keys of this database, because every printed code would then look unknown.
    """
    secret = master_secret(settings)
    live = Live(address, patience=settings.portal_patience)
    shelf, sightings, log = Shelf(live), Sightings(live, clock), ScanLog(live)
    counter = CheckCounter(live, clock, within_s=settings.portal_count_within_ms / 1000)
    reader = Reader(live, counter, Histories(live), log, secret.encode(), sightings)
    refresher = _refresher(settings, address, secret, clock)
    front, guarded = _front(settings, shelf, refresher, reader, clock)
    routes = Routes(front)
    jobs, lists = _lists(settings, address, secret, front, live)
    dark_room = DarkRoom()
    desk = ShopperRoutes(front, live, settings, secret, dark_room)
    all_routes = [*routes.routes(), *lists, *desk.routes(), *ClaimRoutes(front, live, dark_room).routes()]

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[dict[str, Any]]:
        try:
            async with asyncio.timeout(FIRST_LOAD_WITHIN_S):
                await refresher.look()
        except WORLD as error:
            refresher.note(error)
            _log.warning("started without the public record", error=repr(error))
        except KeysError:
            refresher.close()
            raise
        await live.warm()
        await shelf.look()
        await reader.histories.look()
        works = (refresher.run(), reader.histories.run(), log.run(), sightings.run(), shelf.run(), jobs.run())
        tasks = [asyncio.create_task(work) for work in works]
        for task in tasks:
            task.add_done_callback(_say_end)
        try:
            with seldom_searched():  # a search that walks through a million lots would stop every scan meanwhile
                yield {STATE: FastLane(front, ready_mb=settings.portal_ready_mb)}
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await jobs.close()
            await reader.close()
            await log.close()
            await sightings.close()
            await live.close()

    app = Starlette(
        routes=[*all_routes, *probes.routes({"public record": partial(_confirmed, refresher)})],
        middleware=_middleware(settings, guarded, routes),
        exception_handlers=handlers(routes.problem),
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False  # its redirect would go to whatever host the request names
    # Not a route: patterns of routes see the decoded path, in which they stop at a line break.
    app.router.default = request_response(routes.anything)
    return app


def _front(
    settings: Settings, shelf: Shelf, refresher: Refresher, reader: Reader, clock: Clock
) -> tuple[Front, dict[str, Any]]:
    """The front of both ways into the portal, and what the guards are told."""
    tongues = load_tongues(more=settings.languages_dir)
    pages = Pages(settings.base_url, tongues, shelf)
    guarded: dict[str, Any] = {"csp": pages.content_security_policy(), "https": settings.base_url.startswith("https:")}
    front = Front(
        HotPath(settings.base_url, tongues, pages, shelf),
        refresher,
        reader,
        clock,
        SecurityHeaders(_nowhere, **guarded).headers,
        pace=Pace(settings),
        region_header=settings.edge_region_header.lower(),
    )
    return front, guarded


def _refresher(settings: Settings, address: DatabaseAddress, secret: str, clock: Clock) -> Refresher:
    sweep_every_s, confirm_within_s = settings.sweep_every_s, settings.confirm_within_s
    return Refresher(address, secret, clock=clock, sweep_every_s=sweep_every_s, confirm_within_s=confirm_within_s)


def _middleware(settings: Settings, guarded: dict[str, Any], routes: Routes) -> list[Middleware]:
    return [
        Middleware(SecurityHeaders, **guarded),
        Middleware(OwnFailures, routes.problem),
        Middleware(BodyLimit, BODY_BYTES_MAX, _BYTES_BY_PREFIX, routes.problem),
        Middleware(SameOrigin, [settings.base_url], routes.problem),
    ]


def _lists(
    settings: Settings, address: DatabaseAddress, secret: str, front: Front, live: Live
) -> tuple[CheckJobs, list[Route]]:
    """What partners ask about many codes: the files being checked, and the addresses."""
    signer = Signer(secret)
    receipts = Receipts(live, signer, settings.base_url)
    more = settings.languages_dir
    jobs = CheckJobs(settings.data_dir, address, secret, receipts, clock=front.clock, languages_dir=more)
    copies = RecallCopies(front.refresher, signer, secret, settings.base_url)
    lists, recalls = CheckRoutes(front, jobs, receipts), RecallRoutes(front, copies, signer)
    return jobs, [*lists.routes(), *recalls.routes()]


async def _nowhere(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """An application that is never asked."""


async def _confirmed(refresher: Refresher) -> str | None:
    confirmation = refresher.confirmation()
    if confirmation.is_fresh:
        return None
    why = refresher.trouble or "no look has ended since"
    return f"the public record was last confirmed at {confirmation.at or 'no time'}: {why}"


def _say_end(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        _log.error("a task of the portal has ended; its copy is not confirmed any more", exc_info=task.exception())
