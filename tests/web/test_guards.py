"""Guards: bodies that are too large, requests that another site sent, headers that every answer carries."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from web.guards import BodyLimit, SameOrigin, SecurityHeaders
from web.problems import Problem, handlers


async def _length(request: Request) -> Response:
    return Response(str(len(await request.body())), headers={"X-Content-Type-Options": "its own"})


def face(*middleware: Middleware) -> httpx2.AsyncClient:
    routes = [Route("/it", _length, methods=["GET", "POST"]), Route("/large/it", _length, methods=["POST"])]
    app = Starlette(routes=routes, middleware=list(middleware), exception_handlers=handlers())
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="https://it.example")


async def pieces(n: int) -> AsyncIterator[bytes]:
    for _ in range(n):
        yield b"x" * 10


async def test_a_body_at_the_limit_is_taken_and_one_byte_more_is_refused() -> None:
    client = face(Middleware(BodyLimit, 100))

    assert (await client.post("/it", content=b"x" * 100)).text == "100"
    assert (await client.post("/it", content=b"x" * 101)).status_code == 413


async def test_a_body_that_declares_no_length_is_counted_as_it_arrives() -> None:
    client = face(Middleware(BodyLimit, 100))

    assert (await client.post("/it", content=pieces(10))).text == "100"
    refused = await client.post("/it", content=pieces(11))
    assert refused.status_code == 413
    assert "100 bytes" in refused.json()["detail"]


async def test_an_address_may_have_a_limit_of_its_own() -> None:
    client = face(Middleware(BodyLimit, 100, {"/large": 200}))

    assert (await client.post("/large/it", content=b"x" * 150)).text == "150"
    assert (await client.post("/it", content=b"x" * 150)).status_code == 413


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
        {"origin": "https://it.example"},
        {"origin": "https://other.example"},
        {"authorization": "Bearer tmk_live_x"},
    ],
)
async def test_requests_of_our_own_pages_and_of_machines_pass(headers: dict[str, str]) -> None:
    client = face(Middleware(SameOrigin, ["https://other.example"]))

    assert (await client.post("/it", headers=headers)).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"cookie": "session=x"},
    ],
)
async def test_what_another_site_made_a_browser_send_is_refused(headers: dict[str, str]) -> None:
    client = face(Middleware(SameOrigin))

    assert (await client.post("/it", headers=headers)).status_code == 403
    assert (await client.get("/it", headers=headers)).status_code == 200


async def test_what_a_guard_refuses_is_shown_as_the_face_shows_every_problem() -> None:
    def told(_request: Request, problem: Problem) -> Response:
        return Response(f"page of {problem.code}", problem.status)

    limited = face(Middleware(BodyLimit, 100, None, told))
    ours = face(Middleware(SameOrigin, (), told))

    large = await limited.post("/it", content=b"x" * 101)
    other = await ours.post("/it", headers={"sec-fetch-site": "cross-site"})
    assert (large.status_code, large.text) == (413, "page of body_too_large")
    assert (other.status_code, other.text) == (403, "page of other_site")


async def test_every_answer_carries_the_security_headers_and_keeps_its_own() -> None:
    client = face(Middleware(SecurityHeaders, "default-src 'none'", https=True))

    response = await client.get("/it")
    assert response.headers["content-security-policy"] == "default-src 'none'"
    assert response.headers["strict-transport-security"].startswith("max-age=")
    assert response.headers["x-content-type-options"] == "its own"


async def test_hsts_is_not_claimed_where_the_address_is_not_https() -> None:
    response = await face(Middleware(SecurityHeaders, "default-src 'none'")).get("/it")

    assert "strict-transport-security" not in response.headers
