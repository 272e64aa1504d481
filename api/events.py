"""``/epcis/v2/events`` and what events can be listed by: the query interface of EPCIS 2.0 (8.2.7, REST bindings)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from starlette.responses import Response

from access.model import Act
from api import paging
from api.bodies import answer
from api.capture import query_document
from api.gs1_headers import (
    CONTEXT,
    GS1_HEADERS,
    REQUEST_HEADERS,
    check_headers,
    epc_format,
    is_as_told,
)
from api.operations import Call, Operation, Parameter
from ledger import event_queries
from ledger.event_parameters import PARAMETERS, PATTERNS
from ledger.event_queries import PAGE_DEFAULT, PAGE_MAX, Page
from ledger.event_terms import QueryParameterWrong, read_query, split
from ledger.page_tokens import PageTokenEnded, PageTokenNotOurs, Token, seal_member, unseal_member
from runtime.refusals import NotFound

_BASE: Final = "/epcis/v2"
_OF_THE_PAGE: Final = ("perPage", "nextPageToken")

PAGE_PARAMETERS: Final = (
    Parameter(
        "perPage",
        f"of a page, 1 to {PAGE_MAX}",
        schema={"type": "integer", "default": PAGE_DEFAULT, "minimum": 1, "maximum": PAGE_MAX},
    ),
    Parameter("nextPageToken", "where the page begins; from the Link header of the page before, with the same query"),
)
QUERY_PARAMETERS: Final = tuple(Parameter(name, meaning) for name, meaning in {**PARAMETERS, **PATTERNS}.items())
REFUSES: Final = (400, 406, 413)


class NothingThere(NotFound):
    """No event says {word} here."""


class NoSuchToken(NotFound):
    """No page token like this is good here: it was not made here, has ended, or was given back."""


async def query_events(call: Call) -> Response:
    """The events that fit every parameter, as an EPCISQueryDocument; of a list (parted by ``|``) one has to."""
    return await answer_query(call, query_parameters(call))


async def answer_query(call: Call, parameters: Mapping[str, Sequence[str]], name: str = "SimpleEventQuery") -> Response:
    """A page of the events that fit, with the address of the next one."""
    check_headers(call)
    page = await _found(call, parameters, per_page=per_page(call), token=call.request.query_params.get("nextPageToken"))
    headers = GS1_HEADERS | {"GS1-EPC-Format": epc_format(call)} | next_page(call, page.next_token)
    return answer(query_document(call, page.events, name), headers=headers)


async def _found(
    call: Call, parameters: Mapping[str, Sequence[str]], *, per_page: int, token: str | None = None
) -> Page:
    return await event_queries.find_events(
        call.conn,
        read_query(parameters),
        keys=await call.keys(),
        secret=_secret(call),
        per_page=per_page,
        clock=call.clock,
        token=token,
        as_told=is_as_told(call),
    )


def next_page(call: Call, token: Token | None) -> dict[str, str]:
    """The headers that lead to the next page; none when this is the last."""
    if token is None:
        return {}
    expires = token.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    link = paging.next_link(call.request, nextPageToken=token.text)
    return {"Link": link, "GS1-Next-Page-Token-Expires": expires}


def query_parameters(call: Call) -> dict[str, Sequence[str]]:
    """The parameters of the address, without those of the page."""
    found: dict[str, Sequence[str]] = {}
    for name, value in call.request.query_params.multi_items():
        if name in found:
            raise QueryParameterWrong(name=name, problem="it stands twice; part the elements of a list by |")
        if name not in _OF_THE_PAGE:
            found[name] = split(value)
    return found


def page_parameters_only(call: Call) -> None:
    """Refuses every parameter that is not of the page."""
    for name in query_parameters(call):
        raise QueryParameterWrong(name=name[:80], problem="no such parameter is known here")


def per_page(call: Call) -> int:
    """Events, or members, asked for."""
    text = call.request.query_params.get("perPage", str(PAGE_DEFAULT))
    if not (text.isascii() and text.isdecimal() and len(text) <= 4 and 1 <= int(text) <= PAGE_MAX):
        raise QueryParameterWrong(name="perPage", problem=f"{text[:20]!r} is not a number from 1 to {PAGE_MAX}")
    return int(text)


def collection(call: Call, listing: str, members: Sequence[Any], last: str | None) -> Response:
    """Members of a list; ``last`` is where the next page goes on, None when this is the last."""
    token = None if last is None else page_token(call, listing, last)
    document = {"@context": CONTEXT, "type": "Collection", "member": members}
    return answer(document, headers=GS1_HEADERS | next_page(call, token))


def page_token(call: Call, listing: str, last: str) -> Token:
    """Where the page after ``last`` begins."""
    return seal_member(last, listing, _secret(call), call.clock())


async def position(call: Call, listing: str) -> str:
    """After which member the page of a list begins."""
    token = call.request.query_params.get("nextPageToken")
    if token is None:
        return ""
    await event_queries.refuse_ended(call.conn, token)
    return unseal_member(token, listing, _secret(call), call.clock())


async def end_page_token(call: Call) -> Response:
    """Give a page token back: it is good no more."""
    token = call.request.path_params["token"]
    try:
        await event_queries.give_back(call.conn, token, secret=_secret(call), clock=call.clock)
    except (PageTokenNotOurs, PageTokenEnded) as refusal:
        raise NoSuchToken from refusal
    return Response(status_code=204, headers=GS1_HEADERS)


def _secret(call: Call) -> str:
    return call.world.master_secret.get_secret_value()


Work = Callable[[Call], Awaitable[Response]]


def _listing(resource: str) -> Work:
    async def work(call: Call) -> Response:
        check_headers(call)
        page_parameters_only(call)
        limit = per_page(call)
        after = await position(call, resource)
        keys = await call.keys()
        found = await event_queries.list_resource(call.conn, resource, after=after, limit=limit + 1, keys=keys)
        return collection(call, resource, found[:limit], found[limit - 1] if len(found) > limit else None)

    return _called(work, f"list_{resource}", "What stands in events, as a Collection.")


def _one(resource: str, parameter: str) -> Work:
    async def work(call: Call) -> Response:
        check_headers(call)
        page_parameters_only(call)
        word = call.request.path_params["word"]
        page = await _found(call, {parameter: [word]}, per_page=1)
        if not page.events and page.next_token is None:
            raise NothingThere(word=word[:200])
        return collection(call, resource, ["events"], None)

    return _called(work, f"show_{resource}", "What there is under this address: its events.")


def _events(resource: str, parameter: str) -> Work:
    async def work(call: Call) -> Response:
        given = query_parameters(call)
        if parameter in given:
            raise QueryParameterWrong(name=parameter, problem="the address says it already")
        return await answer_query(call, given | {parameter: [call.request.path_params["word"]]})

    return _called(work, f"events_of_{resource}", "The events of this one, that fit every parameter.")


def _called(work: Work, name: str, says: str) -> Work:
    work.__name__, work.__doc__ = name, says
    return work


def _resource(resource: str, parameter: str, meaning: str) -> tuple[Operation, ...]:
    path, word = f"{_BASE}/{resource}", Parameter("word", meaning, where="path", required=True)
    one, of_one = f"{path}/{{word:path}}", f"{path}/{{word:path}}/events"
    view = (Act.VIEW,)
    show = _one(resource, parameter)
    queries = tuple(each for each in QUERY_PARAMETERS if each.name != parameter)
    operations = (
        Operation(
            "GET", one, show, f"Whether events say it: {meaning}", view, parameters=(word,), refuses=(400, 404, 406)
        ),
        Operation(
            "GET",
            of_one,
            _events(resource, parameter),
            f"The events of one: {meaning}",
            view,
            parameters=(word, *PAGE_PARAMETERS, *queries),
            refuses=(*REFUSES, 404),  # a word with a line break is no address
        ),
    )
    return (
        Operation(
            "GET", path, _listing(resource), f"List {resource}", view, parameters=PAGE_PARAMETERS, refuses=(400, 406)
        ),
        *operations,
    )


OPERATIONS: Final = (
    Operation(
        "DELETE",
        f"{_BASE}/nextPageToken/{{token}}",
        end_page_token,
        "Give a page token back",
        (Act.VIEW,),
        204,
        parameters=(Parameter("token", "nextPageToken", where="path", required=True),),
        refuses=(404,),
    ),
    Operation(
        "GET",
        f"{_BASE}/events",
        query_events,
        "Ask for events",
        (Act.VIEW,),
        parameters=(*PAGE_PARAMETERS, *REQUEST_HEADERS, *QUERY_PARAMETERS),
        refuses=REFUSES,
    ),
    *_resource("eventTypes", "eventType", "type of event"),
    *_resource("epcs", "MATCH_anyEPC", "EPC, percent-encoded"),
    *_resource("bizSteps", "EQ_bizStep", "business step, bare or a percent-encoded URI"),
    *_resource("bizLocations", "EQ_bizLocation", "business location, percent-encoded"),
    *_resource("readPoints", "EQ_readPoint", "read point, percent-encoded"),
    *_resource("dispositions", "EQ_disposition", "disposition, bare or a percent-encoded URI"),
)
