"""Problems over HTTP: what a refusal, a broken code, an absent database and a failure of ours look like."""

from __future__ import annotations

from typing import Any

import asyncpg
import httpx2
import pytest
from sqlalchemy.exc import DBAPIError, OperationalError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from structlog.testing import capture_logs

from gs1.errors import BadCheckDigit
from runtime.refusals import Conflict, Fault, Invalid, NotAllowed, NotFound, NotSignedIn, TooMany
from web.problems import OwnFailures, handlers, problem


class CaseNotOpen(Conflict):
    """This case is {state}; only a published case can be closed."""


class TooFast(TooMany):
    """Wait {retry_after_s} seconds."""


async def asked(error: Exception, path: str = "/it") -> httpx2.Response:
    async def fail(_request: Request) -> Response:
        raise error

    app = Starlette(routes=[Route("/it", fail)], middleware=[Middleware(OwnFailures)], exception_handlers=handlers())
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://it.example") as client:
        return await client.get(path)


async def test_a_refusal_says_what_is_wrong_and_which_word_machines_may_rely_on() -> None:
    response = await asked(CaseNotOpen(state="closed"))

    assert response.status_code == 409
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json() == {
        "type": "urn:tracemark:problem:case_not_open",
        "title": "Conflict",
        "status": 409,
        "detail": "This case is closed; only a published case can be closed.",
    }


@pytest.mark.parametrize(
    ("refusal", "status"),
    [
        (NotFound(), 404),
        (Invalid(), 400),
        (NotAllowed(), 403),
        (NotSignedIn(), 401),
        (TooMany(), 413),
        (TooFast(retry_after_s=7), 429),
    ],
)
async def test_each_kind_of_refusal_has_its_status(refusal: Any, status: int) -> None:
    assert (await asked(refusal)).status_code == status


async def test_a_refusal_of_pace_says_when_to_come_back() -> None:
    assert (await asked(TooFast(retry_after_s=7))).headers["retry-after"] == "7"


def test_every_fault_is_listed_with_its_place() -> None:
    response = problem(Invalid(faults=[Fault("row 2, column gtin", "wrong check digit"), Fault("row 9", "no lot")]))

    assert b'"where":"row 2, column gtin","what":"wrong check digit"' in response.body
    assert b'"where":"row 9"' in response.body


def test_faults_beyond_the_limit_are_counted_not_dropped_in_silence() -> None:
    response = problem(Invalid(faults=[Fault(f"row {n}", "no lot") for n in range(1_003)]))

    assert b'"errors_left_off":3' in response.body


async def test_a_broken_code_is_answered_with_its_place() -> None:
    response = await asked(BadCheckDigit("The check digit should be 8.", 13))

    assert response.status_code == 400
    assert response.json()["errors"] == [{"where": "character 14", "what": "The check digit should be 8."}]


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(),
        TimeoutError(),
        asyncpg.QueryCanceledError("canceling statement due to statement timeout"),
        asyncpg.AdminShutdownError("terminating connection"),
        asyncpg.InterfaceError("connection is closed"),
        OperationalError("SELECT 1", {}, ConnectionResetError()),
    ],
)
async def test_a_database_that_is_away_is_no_failure_of_the_one_who_asks(error: Exception) -> None:
    response = await asked(error)

    assert response.status_code == 503
    assert response.headers["retry-after"] == "2"


@pytest.mark.parametrize(
    "error",
    [
        ZeroDivisionError("division by zero"),
        asyncpg.UndefinedTableError('relation "secret_table" does not exist'),
        DBAPIError("SELECT 1", {}, ValueError("secret")),
    ],
)
async def test_a_failure_of_ours_gives_a_reference_number_and_tells_nothing_else(error: Exception) -> None:
    response = await asked(error)

    assert response.status_code == 500
    assert len(response.json()["reference"]) == 12
    assert "secret" not in response.text
    assert "division" not in response.text


async def test_who_goes_away_before_the_request_is_whole_is_no_failure_of_ours() -> None:
    sent: list[Any] = []

    async def gone(_scope: Any, _receive: Any, _send: Any) -> None:
        raise ClientDisconnect

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    with capture_logs() as said:
        await OwnFailures(gone)({"type": "http", "method": "POST", "path": "/it"}, receive, send)

    assert (sent, said) == ([], [])


async def test_an_address_that_does_not_exist_is_a_problem_too() -> None:
    response = await asked(NotFound(), "/elsewhere")

    assert response.status_code == 404
    assert response.json()["type"] == "urn:tracemark:problem:not_found"
