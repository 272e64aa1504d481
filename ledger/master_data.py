"""Who, where, what: put on record and found again.

All functions run inside the caller's transaction. Identifiers are taken as a GLN, a URN or a Digital Link of any
host, and are stored as the canonical Digital Link (``https://id.gs1.org/417/…``); a URI that is not a GS1 key stays as
it is, because parties and places without a GLN are legal in EPCIS 2.0 (CBV 2.0, 8.1).
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from gs1 import characters, digital_link, gln, gtin
from gs1.errors import GS1Error
from gs1.identifier import PLACE_KEY, Identifier
from ledger import store
from ledger.epcis.identifiers import party_uri, place_uri
from ledger.model import (
    UNKNOWN_ID,
    Contact,
    ContactDraft,
    Lot,
    LotDraft,
    Party,
    PartyDraft,
    Place,
    PlaceDraft,
    Product,
    ProductDraft,
)
from ledger.refusals import (
    IdentifierNotUsable,
    LotNotFound,
    NotNamed,
    PartyNotFound,
    PlaceNotFound,
    ProductNotFound,
    UrisDiffer,
)


async def put_party(conn: AsyncConnection, draft: PartyDraft) -> Party:
    """Insert the party, or update it; fields that are None stay as they were.

    Refuses a wrong GLN (``IdentifierNotUsable``), neither URI nor GLN (``NotNamed``), two that differ (``UrisDiffer``).
    """
    uri, number = _named("party", draft.name, draft.uri, draft.gln)
    values = {
        "gln": number,
        "name": draft.name,
        "role": draft.role,
        "channel": draft.channel,
        "name_public": draft.name_public,
        **_address(draft),
    }
    return await store.put_party(conn, uri, values)


async def put_place(conn: AsyncConnection, draft: PlaceDraft) -> Place:
    """Insert the place, or update it. Refuses as ``put_party``, and a party not on record (``PartyNotFound``)."""
    uri, number = _named("place", draft.name, draft.uri, draft.gln)
    owner = None if draft.party_uri is None else (await _party(conn, draft.party_uri)).party_id
    values = {"gln": number, "name": draft.name, "kind": draft.kind, "party_id": owner, **_address(draft)}
    return await store.put_place(conn, uri, values)


async def put_product(conn: AsyncConnection, draft: ProductDraft) -> Product:
    """Insert the product, or update it, by its GTIN (8 to 14 digits; stored with 14); what is None stays as it was.

    A new product is ours unless the draft says otherwise.
    """
    brand_party = None if draft.brand_party_uri is None else (await _party(conn, draft.brand_party_uri)).party_id
    values = {
        "name": draft.name,
        "brand": draft.brand,
        "texts": None if draft.texts is None else dict(draft.texts),
        "profile": draft.profile,
        "ours": draft.ours,
        "shelf_life_days": draft.shelf_life_days,
        "date_kind": draft.date_kind,
        "allergens": None if draft.allergens is None else list(draft.allergens),
        "brand_party_id": brand_party,
        "image": draft.image,
        **({} if draft.checks is None else {"checks": draft.checks}),
    }
    return await store.put_product(conn, _gtin(draft.gtin), values)


async def put_lot(conn: AsyncConnection, draft: LotDraft) -> Lot:
    """Insert the lot, or update it, by GTIN and lot code; fields that are None stay as they were.

    Refuses an unknown product, place or supplier, and a lot code that GS1 does not allow (AI 10: 1 to 20 characters).
    """
    product = await find_product(conn, draft.gtin)
    if product is None:
        raise ProductNotFound(gtin=draft.gtin)
    made_at = None if draft.made_at_uri is None else (await _place(conn, draft.made_at_uri)).place_id
    supplier = None if draft.supplier_uri is None else (await _party(conn, draft.supplier_uri)).party_id
    values = {
        "made_on": draft.made_on,
        "best_before_on": draft.best_before_on,
        "made_at_place_id": made_at,
        "supplier_id": supplier,
        "quantity": draft.quantity,
        "uom": draft.uom,
        "status": draft.status,
        "status_reason": draft.status_reason,
    }
    return await store.put_lot(conn, product.product_id, _lot_code(draft.code), values)


async def put_contact(conn: AsyncConnection, draft: ContactDraft) -> Contact:
    """Insert or replace the party's contact of this kind."""
    party = await _party(conn, draft.party_uri)
    values = {
        "name": draft.name,
        "phone": draft.phone,
        "email": draft.email,
        "language": draft.language,
        "hours": draft.hours,
    }
    return await store.put_contact(conn, party.party_id, draft.kind, values)


async def find_party(conn: AsyncConnection, uri_or_gln: str) -> Party | None:
    """The party known by this GLN or URI, in any spelling."""
    return await store.find_party(conn, _uri("party", uri_or_gln))


async def find_place(conn: AsyncConnection, uri_or_gln: str) -> Place | None:
    """The place known by this GLN or URI, in any spelling."""
    return await store.find_place(conn, _uri("place", uri_or_gln))


async def find_product(conn: AsyncConnection, gtin_text: str) -> Product | None:
    """The product of this GTIN (8 to 14 digits)."""
    return await store.find_product(conn, _gtin(gtin_text))


async def find_lot(conn: AsyncConnection, gtin_text: str, code: str) -> Lot | None:
    """The lot of this product and code."""
    return await store.find_lot(conn, _gtin(gtin_text), code)


async def get_lot(conn: AsyncConnection, gtin_text: str, code: str) -> Lot:
    """As ``find_lot``; raises ``LotNotFound``."""
    lot = await find_lot(conn, gtin_text, code)
    if lot is None:
        raise LotNotFound(gtin=gtin_text, code=code)
    return lot


async def contacts_of(conn: AsyncConnection, party_ids: Sequence[int]) -> tuple[Contact, ...]:
    """The contacts of these parties, by party and kind."""
    return await store.contacts_of(conn, party_ids)


async def _party(conn: AsyncConnection, value: str) -> Party:
    party = await find_party(conn, value)
    if party is None or party.party_id == UNKNOWN_ID:
        raise PartyNotFound(value=value)
    return party


async def _place(conn: AsyncConnection, value: str) -> Place:
    place = await find_place(conn, value)
    if place is None or place.place_id == UNKNOWN_ID:
        raise PlaceNotFound(value=value)
    return place


def _named(what: str, name: str, uri: str | None, number: str | None) -> tuple[str, str | None]:
    """The canonical URI and the GLN, from whichever was given."""
    if uri is None and number is None:
        raise NotNamed(what=what, name=name)
    by_number = None if number is None else _uri(what, number)
    by_uri = None if uri is None else _uri(what, uri)
    # A place of one GLN with an extension (AI 254) has that GLN and a URI of its own.
    alike = by_uri == by_number or (what == "place" and (by_uri or "").startswith(f"{by_number}/254/"))
    if by_uri is not None and by_number is not None and not alike:
        raise UrisDiffer(what=what, uri=uri, gln=number)
    chosen = by_uri or by_number or ""
    return chosen, _gln_in(chosen)


def _uri(what: str, value: str) -> str:
    if ":" in value:
        return party_uri(value) if what == "party" else place_uri(value)
    try:
        number = gln.validate(value)
    except GS1Error as error:
        raise IdentifierNotUsable(what="The GLN", value=value, reason=str(error)) from error
    made = Identifier.place(number) if what == "place" else Identifier.party(number)
    return digital_link.canonical(made)


def _gln_in(uri: str) -> str | None:
    """The GLN of a canonical URI; None when it has none, or one that is not sound."""
    for key in (f"/{PLACE_KEY}/", "/417/"):
        if uri.startswith(digital_link.CANONICAL_BASE + key):
            number = uri.removeprefix(digital_link.CANONICAL_BASE + key).partition("/")[0]
            return number if gln.is_valid(number) else None
    return None


def _gtin(text: str) -> str:
    try:
        return gtin.validate(text)
    except GS1Error as error:
        raise IdentifierNotUsable(what="The GTIN", value=text, reason=str(error)) from error


def _lot_code(text: str) -> str:
    try:
        Identifier.lot_of("00000000000017", text)
        return characters.validate(text)
    except GS1Error as error:
        raise IdentifierNotUsable(what="The lot code", value=text, reason=str(error)) from error


def _address(draft: PartyDraft | PlaceDraft) -> dict[str, str | None]:
    return {"country": draft.country, "region": draft.region, "city": draft.city, "address": draft.address}
