"""The ASGI application of the API. Everything it serves is in the tables of operations; nothing else is."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from itertools import groupby
from typing import Final

from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from api import (
    answers,
    capture,
    capture_points,
    epcis_queries,
    epcis_subscriptions,
    events,
    label_files,
    label_jobs,
    label_packs,
    label_renderings,
    label_work,
    links,
    master_data,
    problems,
    recall_answers,
    recall_steps,
    recalls,
    reference,
    trace,
)
from api.door import door
from api.gs1_headers import with_options
from api.operations import Operation, World
from ledger.codes import KeyRings
from runtime.clock import Clock, system_clock
from runtime.database import DatabaseAddress, Role
from runtime.memory import seldom_searched
from runtime.secrets import master_secret
from runtime.settings import Settings
from web.guards import SecurityHeaders
from web.problems import OwnFailures, handlers

OPERATIONS: Final[tuple[Operation, ...]] = (
    *with_options(*capture.OPERATIONS, *events.OPERATIONS, *epcis_queries.OPERATIONS, *epcis_subscriptions.OPERATIONS),
    *capture_points.OPERATIONS,
    *trace.OPERATIONS,
    *recalls.OPERATIONS,
    *recall_steps.OPERATIONS,
    *recall_answers.OPERATIONS,
    *label_files.OPERATIONS,  # before the number of a job
    *label_jobs.OPERATIONS,
    *label_renderings.OPERATIONS,
    *label_packs.OPERATIONS,
    *label_work.OPERATIONS,
    *master_data.OPERATIONS,
    *links.OPERATIONS,
)

_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)


def create_app(settings: Settings, address: DatabaseAddress, *, clock: Clock = system_clock) -> Starlette:
    """The API of one installation; the connections are opened when it starts and closed when it stops."""
    engine = address.engine(Role.STAFF)
    secret = SecretStr(master_secret(settings))
    world = World(settings, secret, engine, clock, KeyRings(secret))

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        with seldom_searched():
            yield
        await engine.dispose()

    app = Starlette(
        routes=[*_routes(world), *answers.routes(world), *reference.routes(OPERATIONS, settings.base_url)],
        middleware=[
            Middleware(SecurityHeaders, csp=_csp(), https=settings.base_url.startswith("https://")),
            Middleware(OwnFailures, answer=problems.answer),
        ],
        exception_handlers=handlers(problems.answer),
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False  # an address is what it is; a redirect would drop a body
    app.state.world = world
    return app


def _routes(world: World) -> list[Route]:
    """One route for each path, so that 405 names all of its methods. Paths with a converter are taken last,
    the longer ones first: ``/{word:path}`` would swallow ``/{word:path}/events``.
    """
    ordered = sorted(OPERATIONS, key=lambda o: (":" in o.path, -o.path.count("/"), o.path))
    routes = []
    for path, group in groupby(ordered, key=lambda operation: operation.path):
        operations: Mapping[str, Operation] = {operation.method: operation for operation in group}
        routes.append(Route(path, door(world, operations), methods=list(operations)))
    return routes


def _csp() -> str:
    """Nothing may be loaded by an answer; the reference page has one style, named by its hash."""
    style = _STYLE.search((reference.TEMPLATES / "reference.html").read_text(encoding="utf-8"))
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
