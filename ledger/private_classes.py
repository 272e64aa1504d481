"""Classes without a GTIN: raw material that its supplier names by a URI of its own is traced like any other lot.

Such a class becomes a product with one lot, under a key of ours in the form of a GTIN. The key begins with 904: a
restricted circulation number (04) has no indicator digit before it (GS1 General Specifications, 1.4), so no sound GTIN
is ever the same. It is made from the URI, so two installations that take in the same events use the same key.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from gs1 import characters, check_digit, scan_data
from gs1.errors import GS1Error
from gs1.identifier import Identifier
from ledger import name_store
from ledger.epcis.identifiers import Kind, Name
from ledger.epcis.told import Quantity, Told
from runtime.database import transaction

TRIES_MAX: Final = 16
"""Keys that are tried for one class, should another class have the first ones."""
_PREFIX: Final = "904"
_LOT_CHARACTERS_MAX: Final = 20
_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")


async def give_keys(conn: AsyncConnection, events: Sequence[Told]) -> None:
    """Let the quantities of these events that name no GTIN name the product and lot of their class; new ones are put on
    record. In the caller's transaction."""
    uris = {each.name.uri for told in events for each in told.all_quantities if each.name.gtin is None}
    if not uris:
        return
    known = await name_store.private_classes(conn, uris)
    for uri in sorted(uris - known.keys()):
        keys = [key_of(uri, attempt) for attempt in range(TRIES_MAX)]
        known[uri] = await name_store.add_private_class(conn, uri, keys, lot_of(uri))
    for told in events:
        told.quantities = tuple(_named(each, known) for each in told.quantities)
        told.output_quantities = tuple(_named(each, known) for each in told.output_quantities)


async def identifier_of(conn: AsyncConnection, code: str) -> Identifier:
    """What somebody who asks names: a code as ``gs1.scan_data`` reads it, or the URI of a class that is on record here.

    Raises what the reading raises when it is neither.
    """
    try:
        return scan_data.read(code)
    except GS1Error:
        if not _URI.fullmatch(code):
            raise
        async with transaction(conn):
            known = (await name_store.private_classes(conn, [code])).get(code)
        if known is None:
            raise
        return Identifier.lot_of(*known)


def refuse_unreadable(code: str) -> None:
    """Raise what reading ``code`` raises when it cannot be the URI of a class either: no record is needed to say so."""
    if not _URI.fullmatch(code):
        scan_data.read(code)


def key_of(uri: str, attempt: int = 0) -> str:
    """A key in the form of a GTIN for a class that has none; each attempt gives another one."""
    digest = hashlib.sha256(f"{attempt} {uri}".encode()).digest()
    body = f"{_PREFIX}{int.from_bytes(digest[:8]) % 10**10:010d}"
    return body + check_digit.compute(body)


def lot_of(uri: str) -> str:
    """The lot code that people see: the last part of the URI, or characters made from it when that cannot be one."""
    last = re.split(r"[:/#?=]", uri)[-1]
    if last and len(last) <= _LOT_CHARACTERS_MAX and characters.is_valid(last):
        return last
    return hashlib.sha256(uri.encode()).hexdigest()[:12].upper()


def _named(quantity: Quantity, class_by_uri: dict[str, tuple[str, str]]) -> Quantity:
    if quantity.name.gtin is not None:
        return quantity
    gtin, lot = class_by_uri[quantity.name.uri]
    return replace(quantity, name=Name(quantity.name.uri, Kind.LOT, gtin, lot))
