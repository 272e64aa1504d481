"""The ASGI application of the console: server-rendered pages that work without script, its own small style."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from console import (
    capture_points,
    case_changes,
    case_effect,
    case_watch,
    cases,
    claims,
    entrance,
    home,
    label_routes,
    new_case,
    parties,
    recall_board,
    recall_rules,
    shoppers,
    trace,
)
from console.desk import HOME, SIGN_IN, Desk, problem_page, signed_in
from runtime.clock import Clock, system_clock
from runtime.database import DatabaseAddress, Role
from runtime.secrets import master_secret
from runtime.settings import Settings
from web.guards import BodyLimit, SameOrigin, SecurityHeaders
from web.problems import OwnFailures, handlers
from web.templates import environment

BODY_BYTES_MAX: Final = 64 * 1024
FILE_BYTES_MAX: Final = 11 * 1024 * 1024
"""Body of a form with a file: serials that were brought, codes that were applied, a photo of a label."""
_HERE: Final = Path(__file__).parent
_CSP: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def create_app(settings: Settings, address: DatabaseAddress, *, clock: Clock = system_clock) -> Starlette:
    """The console of one installation; the connections are opened when it starts and closed when it stops."""
    engine = address.engine(Role.STAFF)
    secret = SecretStr(master_secret(settings))
    desk = Desk(settings, secret, engine, clock, environment(_HERE / "templates"))

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await engine.dispose()

    show_problem = problem_page(desk)
    app = Starlette(
        routes=_routes(desk),
        middleware=[
            Middleware(SecurityHeaders, csp=_CSP, https=desk.is_https),
            Middleware(OwnFailures, answer=show_problem),
            Middleware(SameOrigin, origins=[settings.base_url], answer=show_problem),
            Middleware(
                BodyLimit,
                BODY_BYTES_MAX,
                {**dict.fromkeys(label_routes.WITH_FILES, FILE_BYTES_MAX), new_case.AT: new_case.BODY_BYTES_MAX},
                show_problem,
            ),
        ],
        exception_handlers=handlers(show_problem),
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    return app


def _routes(desk: Desk) -> list[Route | Mount]:
    get, post = ["GET"], ["POST"]
    return [
        Route(SIGN_IN, entrance.show_sign_in(desk), methods=get),
        Route(SIGN_IN, entrance.take_sign_in(desk), methods=post),
        Route(f"{HOME}/sign-out", signed_in(desk, entrance.leave), methods=post),
        Route(HOME, signed_in(desk, home.show_home), methods=get),
        Route(f"{HOME}/", signed_in(desk, home.show_home), methods=get),
        *new_case.routes(desk),
        Route(f"{HOME}/cases/{{number}}", signed_in(desk, cases.show_case), methods=get),
        Route(f"{HOME}/cases/{{number}}/notices/{{format}}", signed_in(desk, cases.download_notices), methods=get),
        *(
            Route(f"{HOME}/cases/{{number}}/{step}", signed_in(desk, cases.step_taker(step)), methods=post)
            for step in cases.STEPS
        ),
        *case_watch.routes(desk),
        *case_changes.routes(desk),
        *case_effect.routes(desk),
        *claims.routes(desk),
        Route(f"{HOME}/recalls/{{number}}/board", signed_in(desk, recall_board.show_board), methods=get),
        *recall_rules.routes(desk),
        *label_routes.routes(desk),
        *shoppers.routes(desk),
        *parties.routes(desk),
        Route(trace.PATH, signed_in(desk, trace.show_trace), methods=get),
        Route(f"{trace.PATH}/files/{{format}}", signed_in(desk, trace.download_trace), methods=get),
        *_points(desk),
        Mount(f"{HOME}/static", StaticFiles(directory=_HERE / "static")),
    ]


def _points(desk: Desk) -> list[Route]:
    one = f"{capture_points.POINTS}/{{point_id}}"
    return [
        Route(capture_points.POINTS, signed_in(desk, capture_points.list_points), methods=["GET"]),
        Route(f"{capture_points.POINTS}/new", signed_in(desk, capture_points.show_form), methods=["GET"]),
        Route(f"{capture_points.POINTS}/new", signed_in(desk, capture_points.take_form), methods=["POST"]),
        Route(one, signed_in(desk, capture_points.show_point), methods=["GET"]),
        Route(f"{one}/readings", signed_in(desk, capture_points.take_reading), methods=["POST"]),
        Route(f"{one}/undo", signed_in(desk, capture_points.undo_reading), methods=["POST"]),
    ]
