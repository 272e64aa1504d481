"""SQL of master data: parties, contacts, places, products, lots. Values in, values out; opens no transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import tables as t
from ledger.model import Contact, Lot, Party, Place, Product

_PARTY = (
    t.party.c.party_id,
    t.party.c.uri,
    t.party.c.gln,
    t.party.c.name,
    t.party.c.role,
    t.party.c.channel,
    t.party.c.country,
    t.party.c.region,
    t.party.c.city,
    t.party.c.address,
    t.party.c.name_public,
)
_CONTACT = (
    t.contact.c.contact_id,
    t.contact.c.party_id,
    t.contact.c.kind,
    t.contact.c.name,
    t.contact.c.phone,
    t.contact.c.email,
    t.contact.c.language,
    t.contact.c.hours,
)
_PLACE = (
    t.place.c.place_id,
    t.place.c.uri,
    t.place.c.gln,
    t.place.c.name,
    t.place.c.kind,
    t.place.c.party_id,
    t.place.c.country,
    t.place.c.region,
    t.place.c.city,
    t.place.c.address,
)
_PRODUCT = (
    t.product.c.product_id,
    t.product.c.gtin,
    t.product.c.name,
    t.product.c.brand,
    t.product.c.texts,
    t.product.c.profile,
    t.product.c.ours,
    t.product.c.shelf_life_days,
    t.product.c.date_kind,
    t.product.c.allergens,
    t.product.c.brand_party_id,
    t.product.c.image,
    t.product.c.checks,
)
_LOT = (
    t.lot.c.lot_id,
    t.lot.c.product_id,
    t.product.c.gtin,
    t.lot.c.code,
    t.lot.c.made_on,
    t.lot.c.best_before_on,
    t.lot.c.status,
    t.lot.c.status_reason,
    t.lot.c.supplier_id,
    t.lot.c.made_at_place_id,
    t.lot.c.quantity,
    t.lot.c.uom,
)


async def find_party(conn: AsyncConnection, uri: str) -> Party | None:
    """The party of a canonical URI."""
    row: Any = (await conn.execute(select(*_PARTY).where(t.party.c.uri == uri))).one_or_none()
    return None if row is None else Party(*row)


async def find_place(conn: AsyncConnection, uri: str) -> Place | None:
    """The place of a canonical URI."""
    row: Any = (await conn.execute(select(*_PLACE).where(t.place.c.uri == uri))).one_or_none()
    return None if row is None else Place(*row)


async def find_product(conn: AsyncConnection, gtin: str) -> Product | None:
    """The product of a 14-digit GTIN."""
    row: Any = (await conn.execute(select(*_PRODUCT).where(t.product.c.gtin == gtin))).one_or_none()
    return None if row is None else _product(row)


async def find_lot(conn: AsyncConnection, gtin: str, code: str) -> Lot | None:
    """The lot of a product, by its code as printed."""
    row: Any = (await conn.execute(_lots().where(t.product.c.gtin == gtin, t.lot.c.code == code))).one_or_none()
    return None if row is None else Lot(*row)


async def lots_by_id(conn: AsyncConnection, lot_ids: Sequence[int]) -> dict[int, Lot]:
    """The lots with these ids."""
    rows = await conn.execute(_lots().where(t.lot.c.lot_id == func.any(list(lot_ids))))
    return {row.lot_id: Lot(*row) for row in rows}


async def place_uri(conn: AsyncConnection, place_id: int) -> str:
    """The URI of a place on record."""
    return str((await conn.execute(select(t.place.c.uri).where(t.place.c.place_id == place_id))).scalar_one())


async def party_uri(conn: AsyncConnection, party_id: int) -> str:
    """The URI of a party on record."""
    return str((await conn.execute(select(t.party.c.uri).where(t.party.c.party_id == party_id))).scalar_one())


async def contacts_of(conn: AsyncConnection, party_ids: Sequence[int]) -> tuple[Contact, ...]:
    """The contacts of these parties, by party and kind."""
    order = (t.contact.c.party_id, t.contact.c.kind)
    rows = await conn.execute(
        select(*_CONTACT).where(t.contact.c.party_id == func.any(list(party_ids))).order_by(*order)
    )
    return tuple(Contact(*row) for row in rows)


async def put_party(conn: AsyncConnection, uri: str, values: Mapping[str, Any]) -> Party:
    """Insert or update by URI; what is None in ``values`` stays as it was."""
    row = await _put(conn, t.party, {"uri": uri}, values, _PARTY)
    return Party(*row)


async def put_place(conn: AsyncConnection, uri: str, values: Mapping[str, Any]) -> Place:
    """As ``put_party``."""
    row = await _put(conn, t.place, {"uri": uri}, values, _PLACE)
    return Place(*row)


async def put_product(conn: AsyncConnection, gtin: str, values: Mapping[str, Any]) -> Product:
    """As ``put_party``, by GTIN."""
    return _product(await _put(conn, t.product, {"gtin": gtin}, values, _PRODUCT, ours=True))


async def put_lot(conn: AsyncConnection, product_id: int, code: str, values: Mapping[str, Any]) -> Lot:
    """Insert or update by product and code; what is None in ``values`` stays as it was."""
    row = await _put(conn, t.lot, {"product_id": product_id, "code": code}, values, (t.lot.c.lot_id,))
    return (await lots_by_id(conn, [row[0]]))[row[0]]


async def put_contact(conn: AsyncConnection, party_id: int, kind: str, values: Mapping[str, Any]) -> Contact:
    """Insert or update by party and kind."""
    return Contact(*await _put(conn, t.contact, {"party_id": party_id, "kind": kind}, values, _CONTACT))


async def _put(
    conn: AsyncConnection,
    table: Table,
    key: Mapping[str, Any],
    values: Mapping[str, Any],
    columns: Sequence[ColumnElement[Any]],
    **when_new: Any,
) -> Any:
    told = {name: value for name, value in values.items() if value is not None}
    statement = insert(table).values(**key, **{**when_new, **told})
    # DO NOTHING would return no row for one that exists; writing the key over itself does.
    changes = told or {next(iter(key)): next(iter(key.values()))}
    statement = statement.on_conflict_do_update(index_elements=list(key), set_=changes)
    return (await conn.execute(statement.returning(*columns))).one()


def _lots() -> Select[Any]:
    return select(*_LOT).join(t.product, t.product.c.product_id == t.lot.c.product_id)


def _product(row: Any) -> Product:
    values = row._asdict()
    values["allergens"] = tuple(values["allergens"])
    return Product(**values)
