"""``/v1/parties``, ``/v1/places``, ``/v1/products``, ``/v1/lots``: who, where and what, put on record and listed.

One record or a list of them as JSON, or a file as the import takes it. A body is taken whole or not at all.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from pydantic import BaseModel
from starlette.responses import Response

from access import audit
from access.model import Act
from api import models, paging
from api.bodies import answer, boolean, read_many
from api.operations import CSV, FILE_BYTES_MAX, JSON, XLSX, Call, Operation, Parameter
from gs1 import gtin
from ledger import imports, lists, records
from ledger.model import ContactDraft, LotDraft, PartyDraft, PlaceDraft, ProductDraft
from runtime.database import transaction

_DRY_RUN: Final = Parameter("dry_run", "say what would change, and change nothing", schema={"type": "boolean"})

Drafts = list[records.Draft]


async def put_parties(call: Call) -> Response:
    return await _put(call, "parties", models.PartyRecord, _party)


async def put_places(call: Call) -> Response:
    return await _put(call, "places", models.PlaceRecord, _place)


async def put_products(call: Call) -> Response:
    return await _put(call, "products", models.ProductRecord, _product)


async def put_lots(call: Call) -> Response:
    return await _put(call, "lots", models.LotRecord, _lot)


async def list_parties(call: Call) -> Response:
    return await _list(call, lists.list_parties, models.Party, "party_id")


async def list_places(call: Call) -> Response:
    return await _list(call, lists.list_places, models.Place, "place_id")


async def list_products(call: Call) -> Response:
    return await _list(call, lists.list_products, models.Product, "product_id")


async def list_lots(call: Call) -> Response:
    number = call.request.query_params.get("gtin")
    named = {} if number is None else {"gtin": gtin.validate(number)}
    return await _list(call, lists.list_lots, models.Lot, "lot_id", **named)


async def _list(
    call: Call, read: Callable[..., Awaitable[Sequence[Any]]], model: type[BaseModel], key: str, **named: Any
) -> Response:
    limit = paging.limit_of(call.request)
    found = await read(call.conn, after=paging.number_of(call.request), limit=limit, **named)
    last_key = getattr(found[-1], key) if found else None
    return paging.page(call.request, [model.model_validate(value) for value in found], limit, last_key)


async def _put(call: Call, kind: str, model: type[Any], drafts_of: Callable[[Any], Drafts]) -> Response:
    dry_run = boolean("dry_run", call.request.query_params.get("dry_run"), default=False)
    if call.media_type == JSON:
        found = read_many(model, call.body)
        drafts = [(index, draft) for index, record in enumerate(found) for draft in drafts_of(record)]
        await records.put(call.conn, drafts, dry_run=dry_run)
        report, count = None, len(found)
    else:
        report = await _import(call, kind, dry_run)
        count = report["rows"]
    if not dry_run:
        async with transaction(call.conn):
            await audit.note(call.conn, call.by, "import", kind, {"records": count}, call.clock)
    return answer(models.Recorded(records=count, dry_run=dry_run, report=report), 200 if dry_run else 201)


async def _import(call: Call, kind: str, dry_run: bool) -> dict[str, Any]:
    report = await imports.import_file(
        call.conn,
        kind,
        call.body,
        by=call.by,
        clock=call.clock,
        keys=await call.keys(),
        dry_run=dry_run,
        name="the body",
    )
    return {name: getattr(report, name) for name in report.__dataclass_fields__}


def _party(record: models.PartyRecord) -> Drafts:
    named = record.uri or record.gln or ""
    contacts: Drafts = [ContactDraft(party_uri=named, **contact.model_dump()) for contact in record.contacts]
    return [PartyDraft(**record.model_dump(exclude={"contacts"})), *contacts]


def _place(record: models.PlaceRecord) -> Drafts:
    return [PlaceDraft(**record.model_dump())]


def _product(record: models.ProductRecord) -> Drafts:
    allergens = None if record.allergens is None else tuple(record.allergens)
    return [ProductDraft(**record.model_dump(exclude={"allergens"}), allergens=allergens)]


def _lot(record: models.LotRecord) -> Drafts:
    return [LotDraft(**record.model_dump())]


def _pair(
    path: str,
    put: Callable[[Call], Awaitable[Response]],
    read: Callable[[Call], Awaitable[Response]],
    record: type[BaseModel],
    shown: type[BaseModel],
    *more: Parameter,
) -> tuple[Operation, Operation]:
    what = path.rsplit("/", 1)[1]
    return (
        Operation(
            "GET",
            path,
            read,
            f"List {what}",
            (Act.VIEW,),
            answers=shown,
            parameters=(*more, *paging.PARAMETERS),
            refuses=(400,),
        ),
        Operation(
            "POST",
            path,
            put,
            f"Put {what} on record, or change them",
            (Act.IMPORT,),
            status=201,
            answers=models.Recorded,
            takes={JSON: record, CSV: None, XLSX: None},
            body_is_list=True,
            body_bytes_max=FILE_BYTES_MAX,
            parameters=(_DRY_RUN,),
            refuses=(400, 404, 413, 415),
            repeatable=True,
        ),
    )


OPERATIONS: Final = (
    *_pair("/v1/parties", put_parties, list_parties, models.PartyRecord, models.PartyPage),
    *_pair("/v1/places", put_places, list_places, models.PlaceRecord, models.PlacePage),
    *_pair("/v1/products", put_products, list_products, models.ProductRecord, models.ProductPage),
    *_pair(
        "/v1/lots",
        put_lots,
        list_lots,
        models.LotRecord,
        models.LotPage,
        Parameter("gtin", "only lots of this product"),
    ),
)
