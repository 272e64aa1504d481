"""A world told to the ledger: documents captured, files imported, and what the ledger says it was not told."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from gs1.identifier import Identifier
from ledger import capture, trace
from ledger.codes import KeyRing
from load_tests.world.cohorts import Deed, LotName
from load_tests.world.recording import EVENTS_PER_DOCUMENT, Event, documents, party_uri, place_uri
from runtime.clock import Clock, rfc3339

Gap = dict[str, Any]


async def tell(
    conn: AsyncConnection,
    events: Sequence[Event],
    *,
    by: str,
    clock: Clock,
    keys: KeyRing,
    events_max: int = EVENTS_PER_DOCUMENT,
) -> int:
    """Capture the events in documents of so many each, in the order in which they are given; how many were new."""
    new = 0
    for document in documents(events, events_max=events_max):
        new += (await capture.capture(conn, document, by=by, clock=clock, keys=keys)).events
    return new


def shipments_file(deeds: Iterable[Deed]) -> bytes:
    """The shipments among these deeds that were told by lot and quantity, as a file of delivery notes (CSV)."""
    out = io.StringIO()
    columns = ("shipped_at", "document", "from_place", "from_party", "to_place", "to_party", "gtin", "lot", "quantity")
    table = csv.writer(out)
    table.writerow((*columns, "uom"))
    for number, deed in enumerate(deeds):
        if not is_delivery(deed) or deed.to is None:
            continue
        route = (
            rfc3339(deed.at), f"DN-{number}", place_uri(deed.site.name), party_uri(deed.site.firm.name),
            place_uri(deed.to.name), party_uri(deed.to.firm.name),
        )  # fmt: skip
        for portion in deed.outputs:
            table.writerow((*route, *portion.lot, portion.amount, portion.uom))
    return out.getvalue().encode("utf-8")


def is_delivery(deed: Deed) -> bool:
    """Whether a delivery note can tell the deed: goods by lot and quantity go from one place to another."""
    return deed.kind == "ship" and not deed.units and all(portion.first is None for portion in deed.outputs)


async def gaps_of(conn: AsyncConnection, lots: Iterable[LotName], *, keys: KeyRing, clock: Clock) -> list[Gap]:
    """What the traces of these lots say is missing, each gap once; contacts, of which a world has none, left out."""
    found: dict[tuple[tuple[str, str], ...], Gap] = {}
    for lot in lots:
        answer = await trace.trace(conn, Identifier.lot_of(*lot), keys, clock=clock)
        for gap in answer["gaps"]:
            if "contact" not in gap["what"]:
                found[tuple(sorted((key, str(value)) for key, value in gap.items()))] = gap
    return list(found.values())
