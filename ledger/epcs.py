"""The things that events name one by one, listed a page at a time (EPCIS 2.0: ``/epcs``).

Items first, by number, then everything else with a name of its own. Numbers are read as the runs that are stored, so a
page costs what is on it, however many items there are.
"""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from gs1 import digital_link
from gs1.identifier import Identifier
from ledger import codes, number_store
from ledger import event_query_store as store
from ledger.codes import KeyRing
from ledger.epcis.identifiers import Kind, name_of


async def list_epcs(conn: AsyncConnection, *, after: str, limit: int, keys: KeyRing) -> list[str]:
    """As canonical Digital Links; ``after`` is the last of the page before ("" = from the start)."""
    last = name_of(after) if after else None
    if last is not None and last.kind is not Kind.ITEM:
        return await store.units_after(conn, await number_store.unit_by_uri(conn, after) or 0, limit)
    first = 0
    if last is not None:
        item = (last.gtin or "", last.serial or "")
        first = (await codes.numbers_of(conn, [item], keys))[item] + 1
    items = await codes.items_of(conn, await store.item_runs(conn, first, limit), keys)
    found = [digital_link.canonical(Identifier.item(gtin, serial)) for gtin, serial in items]
    return found + (await store.units_after(conn, 0, limit - len(found)) if len(found) < limit else [])
