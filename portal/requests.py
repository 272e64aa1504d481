"""Between the framework and the portal: what came over the wire, and the answer as the framework sends it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from portal.beside import Visit
from portal.hot_path import Answer, Ask, Form
from portal.http_front import complete


def ask_of(request: Request, prefix: str, only: Form | None) -> Ask:
    """The request as it came: the raw path, always."""
    raw: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    return Ask(
        path=raw.partition(b"?")[0].decode("latin-1").removeprefix(prefix),
        query=request.scope["query_string"].decode("latin-1"),
        accept=request.headers.get("accept"),
        accept_language=request.headers.get("accept-language"),
        only=only,
    )


def respond(request: Request, answer: Answer) -> Response:
    """The answer as the framework sends it; a HEAD loses its body on the way out."""
    get = request.headers.get
    whole = complete(answer, accept_encoding=get("accept-encoding", ""), if_none_match=get("if-none-match", ""))
    response = Response(whole.body, whole.status)
    response.raw_headers = whole.headers
    return response


def visit_of(request: Request, region_header: str) -> Visit:
    """Who opens the address, as far as counting has to know."""
    get = request.headers.get
    purpose, region = get("sec-purpose") or get("purpose") or "", get(region_header, "") if region_header else ""
    is_ours = "authorization" in request.headers
    return Visit(request.method, get("user-agent", ""), purpose, address_of(request), region, is_ours)


def address_of(request: Request) -> str:
    """Who asks, as the server understood it (behind a proxy that it trusts: for whom)."""
    return request.client.host if request.client is not None else ""
