"""Signing in and out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from access.refusals import SignInFailed
from access.sign_in import sign_in, sign_out
from console.desk import (
    HOME,
    SESSION_COOKIE,
    SIGN_IN,
    Desk,
    Visit,
    page,
    refused_in,
    safe_next,
    see,
    set_session,
    text_of,
)  # fmt: skip
from runtime.refusals import TooMany

ENTERING_MAX: Final = 8
"""Sign-ins worked on at a time in one process: each costs 19 MiB and a processor. More are asked to come again."""
_COME_AGAIN_S: Final = 2


class TooManyAtTheDoor(TooMany):
    """Too many people are signing in at this moment. Wait {retry_after_s} seconds and try again."""


Endpoint = Callable[[Request], Awaitable[Response]]


def show_sign_in(desk: Desk) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        following = safe_next(request.query_params.get("next", ""))
        notice = "signed_out" if "out" in request.query_params else "session_ended" if following != HOME else None
        return page(desk, request, "sign_in.html", following=following, notice=notice, refusal=None, name="")

    return endpoint


def take_sign_in(desk: Desk) -> Endpoint:
    """The page again with the reason, or the session's cookie and the page that was wanted."""
    entering = 0

    async def endpoint(request: Request) -> Response:
        nonlocal entering
        form = await request.form()
        if entering >= ENTERING_MAX:
            raise TooManyAtTheDoor(retry_after_s=_COME_AGAIN_S)
        entering += 1
        try:
            return await _enter(desk, request, form)
        finally:
            entering -= 1

    return endpoint


async def _enter(desk: Desk, request: Request, form: FormData) -> Response:
    name = text_of(form, "name").strip()
    following = safe_next(text_of(form, "next"))
    async with desk.engine.connect() as conn:
        try:
            _, token = await sign_in(conn, name, text_of(form, "password"), desk.clock)
        except SignInFailed as refusal:
            told = {"following": following, "notice": None, "refusal": refused_in(request, refusal), "name": name[:80]}
            return page(desk, request, "sign_in.html", 401, **told)
    response = see(following)
    set_session(desk, request, response, token)
    return response


async def leave(visit: Visit) -> Response:
    """End this session, here and in the database."""
    await sign_out(visit.conn, visit.token, visit.desk.clock)
    response = see(f"{SIGN_IN}?out")
    response.delete_cookie(SESSION_COOKIE, path=HOME)
    return response
