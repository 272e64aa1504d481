"""``/epcis/v2/queries``: questions about events kept under names (EPCIS 2.0, named queries)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

from starlette.responses import Response

from access.model import Act
from api.bodies import answer, read_json
from api.events import (
    PAGE_PARAMETERS,
    REFUSES,
    answer_query,
    collection,
    page_parameters_only,
    per_page,
    position,
)
from api.gs1_headers import GS1_HEADERS, JSON_LD, check_headers
from api.operations import JSON, Call, Operation, Parameter
from ledger import event_queries
from runtime.refusals import Invalid

_BASE: Final = "/epcis/v2/queries"
_CHANGE: Final = (Act.CAPTURE,)
_NAME: Final = Parameter("name", "of the query", where="path", required=True)


class QueryBodyNotUsable(Invalid):
    """The body is no query: {problem}. Send {{"name": "…", "query": {{"EQ_bizStep": ["shipping"]}}}}."""


async def make_query(call: Call) -> Response:
    """Keep a query under a name: 201 with its address; 409 when the name is taken."""
    check_headers(call)
    body = read_json(call.body)
    if not isinstance(body, dict) or not isinstance(body.get("name"), str) or not isinstance(body.get("query"), dict):
        raise QueryBodyNotUsable(problem="it has to be an object with a text “name” and an object “query”")
    unknown = sorted(set(body) - {"name", "query", "@context"})
    if unknown:
        raise QueryBodyNotUsable(problem=f"the key {unknown[0][:80]!r} is not known")
    name, parameters = body["name"], {key: _elements(key, value) for key, value in body["query"].items()}
    await event_queries.save_query(call.conn, name, parameters, by=call.by, clock=call.clock)
    headers = GS1_HEADERS | {"Location": f"{_BASE}/{quote(name, safe='')}"}
    return answer({"name": name, "query": parameters}, 201, headers)


async def list_queries(call: Call) -> Response:
    """Queries by name, paged as the standard says."""
    check_headers(call)
    page_parameters_only(call)
    limit = per_page(call)
    found = await event_queries.list_queries(call.conn, after=await position(call, "queries"), limit=limit + 1)
    shown = [{"name": name, "query": query} for name, query in found[:limit]]
    return collection(call, "queries", shown, found[limit - 1][0] if len(found) > limit else None)


async def show_query(call: Call) -> Response:
    """The query as it was given."""
    check_headers(call)
    name = call.request.path_params["name"]
    return answer({"name": name, "query": await event_queries.saved_query(call.conn, name)}, headers=GS1_HEADERS)


async def delete_query(call: Call) -> Response:
    """Forget the query; the events stay."""
    await event_queries.delete_query(call.conn, call.request.path_params["name"])
    return Response(status_code=204, headers=GS1_HEADERS)


async def events_of_query(call: Call) -> Response:
    """The events that fit the query now."""
    page_parameters_only(call)
    name = call.request.path_params["name"]
    return await answer_query(call, await event_queries.saved_query(call.conn, name), name)


def _elements(key: str, value: Any) -> Sequence[str]:
    """The values of one parameter as they stand in JSON: a text, a number, true or false, or a list of them."""
    values = value if isinstance(value, list) else [value]
    if not all(each is None or isinstance(each, str | int | float) for each in values):
        raise QueryBodyNotUsable(problem=f"{key[:80]} is neither a text or number nor a list of them")
    return [_text(each) for each in values]


def _text(value: str | float | None) -> str:
    if value is None:
        return ""  # EXISTS_… is asked with null
    return str(value).lower() if isinstance(value, bool) else str(value)


OPERATIONS: Final = (
    Operation(
        "POST",
        _BASE,
        make_query,
        "Keep a query under a name",
        _CHANGE,
        status=201,
        takes={JSON: None, JSON_LD: None},
        refuses=(400, 406, 409, 413, 415),
    ),
    Operation("GET", _BASE, list_queries, "List queries", (Act.VIEW,), parameters=PAGE_PARAMETERS, refuses=(400, 406)),
    Operation(
        "GET", f"{_BASE}/{{name}}", show_query, "Show a query", (Act.VIEW,), parameters=(_NAME,), refuses=(404, 406)
    ),
    Operation(
        "DELETE", f"{_BASE}/{{name}}", delete_query, "Forget a query", _CHANGE, 204, parameters=(_NAME,), refuses=(404,)
    ),
    Operation(
        "GET",
        f"{_BASE}/{{name}}/events",
        events_of_query,
        "Ask a query: the events that fit now",
        (Act.VIEW,),
        parameters=(_NAME, *PAGE_PARAMETERS),
        refuses=(*REFUSES, 404),
    ),
)
