"""Problems over HTTP (RFC 9457): the one place that knows which status code a refusal has.

A face mounts ``handlers()`` in its Starlette application and ``OwnFailures`` as the outermost of its middleware:

- a ``Refusal`` becomes its kind's status with the sentence and the faults;
- a code that breaks the grammar (``GS1Error``) becomes 400 with its position;
- a database that is away or too slow becomes 503 with ``Retry-After``;
- anything else is a failure of ours: one log line, and a reference number for the person.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

import asyncpg
import orjson
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gs1.errors import GS1Error
from runtime import logs
from runtime.refusals import Fault, Refusal
from web import refusal_texts

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_S: Final = 2
FAULTS_MAX: Final = 1_000
"""Most faults listed in one answer; the count of the others is said in ``errors_left_off``."""

_STATUS_BY_KIND: Final = {
    "not_found": HTTPStatus.NOT_FOUND,
    "invalid": HTTPStatus.BAD_REQUEST,
    "conflict": HTTPStatus.CONFLICT,
    "not_allowed": HTTPStatus.FORBIDDEN,
    "not_signed_in": HTTPStatus.UNAUTHORIZED,
    "too_many": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
}
# Connection exceptions, insufficient resources, operator intervention (also statement_timeout), lock and deadlock:
# PostgreSQL, Appendix A. All of them may go well when the request is repeated.
_WORLD_SQLSTATES: Final = ("08", "53", "57", "55P03", "40001", "40P01")

_log = logs.logger("web")


@dataclass(frozen=True, slots=True)
class Problem:
    """What a problem document says, before a face decides on JSON or a page."""

    status: int
    code: str
    """A stable word for machines; the ``type`` is ``urn:tracemark:problem:<code>``."""
    detail: str
    faults: tuple[Fault, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    refusal: Refusal | None = None
    broken: GS1Error | None = None

    def said_in(self, language: str) -> str | None:
        """The detail for people who read ``language``; None where it is told in English only (``detail``)."""
        if self.refusal is not None:
            return refusal_texts.refusal_in(self.refusal, language)
        if self.broken is not None:
            return refusal_texts.grammar_in(self.broken, language)
        return refusal_texts.code_in(self.code, language, self.extra)

    @property
    def title(self) -> str:
        """The status in words."""
        return HTTPStatus(self.status).phrase

    def document(self) -> dict[str, Any]:
        """The members of RFC 9457, with ``errors`` where there are several faults or places."""
        body: dict[str, Any] = {
            "type": f"urn:tracemark:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            **self.extra,
        }
        if self.faults:
            body["errors"] = [{"where": fault.where, "what": fault.what} for fault in self.faults[:FAULTS_MAX]]
        if len(self.faults) > FAULTS_MAX:
            body["errors_left_off"] = len(self.faults) - FAULTS_MAX
        return body


Answer = Callable[[Request, Problem], Response]
"""How a face shows a problem: as JSON (``as_json``) or as a page."""


def problem(refusal: Refusal) -> Response:
    """The problem document of a refusal."""
    return respond(of_refusal(refusal))


def respond(problem: Problem) -> Response:
    """A problem as ``application/problem+json``."""
    body = orjson.dumps(problem.document(), default=str)
    return Response(body, problem.status, {"Cache-Control": "no-store", **problem.headers}, MEDIA_TYPE)


def as_json(_request: Request, problem: Problem) -> Response:
    """The answer of faces for machines."""
    return respond(problem)


def of_refusal(refusal: Refusal) -> Problem:
    """A refusal whose values name ``retry_after_s`` is one of pace: 429 with ``Retry-After``."""
    status = int(_STATUS_BY_KIND.get(refusal.kind, HTTPStatus.BAD_REQUEST))
    headers: dict[str, str] = {}
    if refusal.kind == "too_many" and "retry_after_s" in refusal.values:
        status = int(HTTPStatus.TOO_MANY_REQUESTS)
        headers["Retry-After"] = str(refusal.values["retry_after_s"])
    if refusal.kind == "not_signed_in":
        headers["WWW-Authenticate"] = "Bearer"
    return Problem(status, refusal.code, refusal.sentence(), refusal.faults, headers, refusal=refusal)


def of_grammar(error: GS1Error) -> Problem:
    """A code that breaks the grammar: its place is the offset of the first character that does not fit."""
    faults = () if error.position is None else (Fault(f"character {error.position + 1}", error.reason),)
    return Problem(400, error.code, str(error), faults, broken=error)


def unavailable() -> Problem:
    """The database does not answer now; asking again may help."""
    detail = "The database does not answer right now. Nothing was changed. Try again shortly."
    return Problem(503, "unavailable", detail, headers={"Retry-After": str(RETRY_AFTER_S)})


def is_of_the_world(error: BaseException) -> bool:
    """Whether a failure is the world's (database away, deadline passed), not ours."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or (error.orig is not None and is_of_the_world(error.orig))
    if isinstance(error, (PoolTimeout, TimeoutError, asyncio.IncompleteReadError, ConnectionError)):
        return True
    if isinstance(error, asyncpg.InterfaceError):
        return "clos" in str(error) or "connection" in str(error)  # "connection is closed", "pool is closing"
    sqlstate = str(getattr(error, "sqlstate", None) or "")
    if sqlstate:
        return sqlstate.startswith(_WORLD_SQLSTATES)
    cause = error.__cause__
    return cause is not None and is_of_the_world(cause)


def of_failure(request: Request, error: Exception) -> Problem:
    """A failure of ours: written to the log once; the person gets a number by which the line is found."""
    reference = secrets.token_hex(6)
    _log.error("request failed", reference=reference, method=request.method, path=request.url.path, exc_info=error)
    detail = f"This is a failure of ours, not of yours. Reference number: {reference}"
    return Problem(500, "failure", detail, extra={"reference": reference})


def handlers(answer: Answer = as_json) -> dict[Any, Callable[[Request, Exception], Awaitable[Response]]]:
    """Exception handlers for a Starlette application; ``answer`` decides how a problem looks."""

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, Refusal)
        return answer(request, of_refusal(error))

    async def broken(request: Request, error: Exception) -> Response:
        assert isinstance(error, GS1Error)
        return answer(request, of_grammar(error))

    async def by_framework(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
        return answer(request, Problem(error.status_code, code, error.detail, headers=error.headers or {}))

    async def perhaps_the_world(request: Request, error: Exception) -> Response:
        return answer(request, unavailable() if is_of_the_world(error) else of_failure(request, error))

    world = (DBAPIError, PoolTimeout, asyncpg.PostgresError, asyncpg.InterfaceError, ConnectionError, TimeoutError)
    return {Refusal: refused, GS1Error: broken, HTTPException: by_framework, **dict.fromkeys(world, perhaps_the_world)}


class OwnFailures:
    """Middleware, outermost: answers what nobody handled with a reference number, and logs it once.

    When the answer has begun it cannot be taken back: the failure goes on to the server, which cuts the connection.
    Who goes away before the request is whole is owed no answer, and it is no failure of ours.
    """

    def __init__(self, app: ASGIApp, answer: Answer = as_json) -> None:
        self.app = app
        self.answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = False

        async def note_begin(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, note_begin)
        except ClientDisconnect:
            return
        except Exception as error:  # the last one on the way out: logged once, told by a reference number
            if begun:
                raise
            request = Request(scope)
            found = unavailable() if is_of_the_world(error) else of_failure(request, error)
            await self.answer(request, found)(scope, receive, send)
