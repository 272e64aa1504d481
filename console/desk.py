"""What every screen of the console stands on: who is signed in, in which language, and how a page is made.

Signing in is a cookie that scripts cannot read and other sites cannot send with a form; each form carries a token of
its session besides, so a request that changes something was made on one of our pages by whoever is signed in.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from jinja2 import Environment
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from access.model import Actor
from access.refusals import SessionEnded
from access.sign_in import SESSION_LASTS, actor_of_session, form_token, form_token_matches
from console import finding_words
from console.wording import DEFAULT, LANGUAGES, say
from gs1.errors import GS1Error
from ledger.codes import KeyRing
from ledger.unit_signs import sign_of
from runtime.clock import Clock
from runtime.refusals import NotAllowed, Refusal, TooMany
from runtime.settings import Settings
from web.headers import pick_language
from web.problems import Problem
from web.refusal_texts import grammar_in, refusal_in

HOME: Final = "/console"
SIGN_IN: Final = "/console/sign-in"
SESSION_COOKIE: Final = "tracemark_session"
LANGUAGE_COOKIE: Final = "tracemark_language"
NEXT_CHARACTERS_MAX: Final = 300
PREVIEWS_AT_ONCE: Final = 4
"""Most previews that one process works out at the same time; one more is refused at once, and may be asked again."""

_LANGUAGE_LASTS_S: Final = 365 * 24 * 3600


class TooManyCasePreviews(TooMany):
    """{previews_max} previews are being worked out here just now. Nothing is wrong with yours: ask again shortly."""


@dataclass(slots=True)
class Previews:
    """How many previews are being worked out by this process: each may keep the database busy for seconds."""

    running: int = 0

    @contextmanager
    def one(self) -> Iterator[None]:
        """One more for as long as this lasts; refused (``TooManyCasePreviews``) beyond ``PREVIEWS_AT_ONCE``."""
        if self.running >= PREVIEWS_AT_ONCE:
            raise TooManyCasePreviews(previews_max=PREVIEWS_AT_ONCE)
        self.running += 1
        try:
            yield
        finally:
            self.running -= 1


class FormNotOurs(NotAllowed):
    """This form is not one of this session: it is old, or it was made elsewhere. Open the page again and repeat."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What all requests of one process share."""

    settings: Settings
    master_secret: SecretStr
    engine: AsyncEngine
    clock: Clock
    templates: Environment
    previews: Previews = field(default_factory=Previews)

    @property
    def is_https(self) -> bool:
        return self.settings.base_url.startswith("https://")


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of somebody who is signed in."""

    request: Request
    desk: Desk
    conn: AsyncConnection
    actor: Actor
    token: str
    form: FormData = field(default_factory=FormData)

    async def keys(self) -> KeyRing:
        """The serial keys in force now."""
        return await KeyRing.load(self.conn, self.desk.master_secret.get_secret_value())

    def page(self, template: str, **values: Any) -> Response:
        """The page, in the visitor's language."""
        return page(self.desk, self.request, template, actor=self.actor, form_token=form_token(self.token), **values)


Work = Callable[[Visit], Awaitable[Response]]


def signed_in(desk: Desk, work: Work) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint of a screen: only for whoever is signed in; everybody else is sent to sign in, and back again."""

    async def endpoint(request: Request) -> Response:
        token = request.cookies.get(SESSION_COOKIE)
        # The form is read first: no connection is held while a slow body arrives.
        form = await request.form() if request.method == "POST" else FormData()
        async with desk.engine.connect() as conn:
            try:
                actor = await actor_of_session(conn, token, desk.clock)
            except SessionEnded:
                return _to_sign_in(request)
            assert token is not None
            if request.method == "POST" and not form_token_matches(token, text_of(form, "form_token")):
                raise FormNotOurs
            return await work(Visit(request, desk, conn, actor, token, form))

    return endpoint


def page(desk: Desk, request: Request, template: str, status: int = 200, **values: Any) -> Response:
    """A page with the texts of the visitor's language; never kept by a cache or a shared machine's history."""
    language = language_of(request)
    common = {
        "language": language,
        "languages": LANGUAGES,
        "say": lambda key, **named: say(language, key, **named),
        "say_in": say,
        "number": lambda value: f"{value:,}",
        "instant": _instant,
        "sign_of": sign_of,
        "here": _here,
        "finding": lambda gap: finding_words.line(gap, language),
        "request": request,
        "actor": None,
    }
    html = desk.templates.get_template(template).render({**common, **values})
    headers = {"Cache-Control": "no-store", "Content-Language": language, "Vary": "Accept-Language, Cookie"}
    response = HTMLResponse(html, status, headers)
    if request.query_params.get("lang") == language:
        response.set_cookie(
            LANGUAGE_COOKIE,
            language,
            max_age=_LANGUAGE_LASTS_S,
            path=HOME,
            secure=is_secure(desk, request),
            httponly=True,
            samesite="lax",
        )
    return response


def problem_page(desk: Desk) -> Callable[[Request, Problem], Response]:
    """How the console shows a problem."""

    def show(request: Request, problem: Problem) -> Response:
        said = problem.said_in(language_of(request))
        response = page(desk, request, "problem.html", problem.status, problem=problem, said=said)
        response.headers.update(dict(problem.headers))
        return response

    return show


def refused_in(request: Request, refusal: Refusal | GS1Error) -> str:
    """Why not, in the visitor's language; in English where nobody has said it in that language."""
    language = language_of(request)
    if isinstance(refusal, Refusal):
        return refusal_in(refusal, language) or refusal.sentence()
    return grammar_in(refusal, language) or str(refusal)


def set_session(desk: Desk, request: Request, response: Response, token: str) -> None:
    """Hand the session's token to the browser."""
    response.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=int(SESSION_LASTS.total_seconds()),
        path=HOME,
        secure=is_secure(desk, request),
        httponly=True,
        samesite="lax",
    )


def language_of(request: Request) -> str:
    """``?lang=``, else what was chosen before, else what the browser asks for."""
    for chosen in (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE)):
        if chosen in LANGUAGES:
            return chosen
    return pick_language(request.headers.get("accept-language"), LANGUAGES, DEFAULT)


def see(path: str) -> Response:
    """Go to this page; what was sent by the form is not sent again by a reload."""
    return RedirectResponse(path, 303, {"Cache-Control": "no-store"})


def text_of(form: FormData, name: str) -> str:
    """A field's text; empty when it is missing or a file."""
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


def is_secure(desk: Desk, request: Request) -> bool:
    return desk.is_https or request.url.scheme == "https"


def safe_next(text: str) -> str:
    """Where to go after signing in: a page of the console, or its home. Never another site."""
    ours = text == HOME or text.startswith((f"{HOME}/", f"{HOME}?"))
    plain = text.isascii() and text.isprintable() and "\\" not in text and len(text) <= NEXT_CHARACTERS_MAX
    return text if ours and plain and not text.startswith(SIGN_IN) else HOME


def _to_sign_in(request: Request) -> Response:
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    following = safe_next(wanted) if request.method == "GET" else HOME
    return see(SIGN_IN if following == HOME else f"{SIGN_IN}?next={quote(following, safe='/')}")


def _instant(at: datetime | None) -> str:
    return "" if at is None else at.strftime("%Y-%m-%d %H:%M UTC")


def _here(request: Request, **parameters: str) -> str:
    """This page with other query parameters; relative, because a Host header is the visitor's word."""
    url = request.url.include_query_params(**parameters)
    return f"{url.path}?{url.query}"


def case_number(visit: Visit) -> str:
    """The number of the case in the address."""
    number: str = visit.request.path_params["number"]
    return number if number.isascii() and number.isprintable() else "?"
