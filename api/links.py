"""``/v1/links``: where the resolver leads. A link to a host that nobody has allowed yet waits for a second person."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from pydantic import Field
from starlette.responses import Response

from access.model import Act
from api import paging
from api.bodies import answer, read_one
from api.models import Given, Gtin, Taken
from api.operations import JSON, Call, Operation, Parameter
from gs1 import gtin as gtins
from shoppers import links
from shoppers.model import LinkDraft
from shoppers.refusals import LinkNotFound

_CODE = Annotated[str, Field(max_length=20)]


class LinkPut(Taken):
    """A link of a product, of one lot, or of a variant. ``target`` may name {gtin}, {lot}, {serial} and {cpv}."""

    gtin: Gtin
    type: Annotated[str, Field(min_length=1, max_length=60)]
    target: Annotated[str, Field(min_length=1, max_length=links.TARGET_CHARACTERS_MAX)]
    title: Annotated[str, Field(min_length=1, max_length=links.TITLE_CHARACTERS_MAX)]
    cpv: _CODE = ""
    lot: _CODE = ""
    languages: Annotated[tuple[str, ...], Field(max_length=links.LANGUAGES_MAX)] = ()
    media_type: Annotated[str, Field(max_length=80)] | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None


class LinkHostPut(Taken):
    """Whether links may lead to a host."""

    host: Annotated[str, Field(min_length=1, max_length=255)]
    allowed: bool


class ResolverLink(Given):
    """A link on record; ``is_allowed`` says whether the public sees it."""

    link_id: int
    gtin: str
    cpv: str
    lot: str
    type: str
    target: str
    title: str
    languages: list[str]
    media_type: str | None
    valid_from: datetime | None
    valid_until: datetime | None
    is_allowed: bool
    added_by: str
    added_at: datetime


class ResolverLinkPage(Given):
    items: list[ResolverLink]
    next: str | None


async def list_links(call: Call) -> Response:
    limit = paging.limit_of(call.request)
    wanted = call.request.query_params.get("gtin")
    number = None if wanted is None else gtins.validate(wanted)
    found = await links.listed(call.conn, gtin=number, after=paging.number_of(call.request), limit=limit)
    lines = [ResolverLink.model_validate(link) for link in found]
    return paging.page(call.request, lines, limit, found[-1].link_id if found else None)


async def add_link(call: Call) -> Response:
    put = read_one(LinkPut, call.body)
    draft = LinkDraft(**put.model_dump() | {"gtin": gtins.validate(put.gtin)})
    link = await links.add(call.conn, draft, by=call.actor, settings=call.world.settings, clock=call.clock)
    return answer(ResolverLink.model_validate(link), 201, {"Location": f"/v1/links/{link.link_id}"})


async def remove_link(call: Call) -> Response:
    text = call.request.path_params["link_id"]
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise LinkNotFound(link_id=text[:40])
    await links.remove(call.conn, int(text), by=call.actor, clock=call.clock)
    return Response(status_code=204)


async def put_host(call: Call) -> Response:
    """Allow links to a host, as the second person or an administrator; or forbid them, which anybody with the right
    may do.
    """
    put = read_one(LinkHostPut, call.body)
    verb = links.allow_host if put.allowed else links.forbid_host
    await verb(call.conn, put.host, by=call.actor, clock=call.clock)
    return answer({"host": put.host, "allowed": put.allowed})


OPERATIONS: Final = (
    Operation(
        "GET",
        "/v1/links",
        list_links,
        "List links of products, lots and variants",
        (Act.VIEW,),
        answers=ResolverLinkPage,
        parameters=(*paging.PARAMETERS, Parameter("gtin", "only the links of this product")),
        refuses=(400,),
    ),
    Operation(
        "POST",
        "/v1/links",
        add_link,
        "Put a link on record",
        (Act.MANAGE_LINKS,),
        status=201,
        answers=ResolverLink,
        takes={JSON: LinkPut},
        refuses=(400, 409, 413),
    ),
    Operation(
        "DELETE",
        "/v1/links/{link_id}",
        remove_link,
        "Take a link back",
        (Act.MANAGE_LINKS,),
        status=204,
        parameters=(Parameter("link_id", "number of the link", where="path", required=True),),
        refuses=(404,),
    ),
    Operation(
        "POST",
        "/v1/links/hosts",
        put_host,
        "Allow or forbid links to a host",
        (Act.MANAGE_LINKS,),
        takes={JSON: LinkHostPut},
        refuses=(400, 403, 404),
    ),
)
