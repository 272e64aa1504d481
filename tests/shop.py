"""A world smaller than the dairy, for tests of the faces: one lot of cheese, and all of it is in the shop."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from labels import printing
from labels.model import Job
from ledger import capture, codes, master_data
from ledger.model import ContactDraft, LotDraft, PartyDraft, PlaceDraft, ProductDraft
from runtime.clock import system_clock
from runtime.database import transaction
from tests.world import BASE_URL, SECRET

CHEESE = "09506000134352"
ITEMS = 24
_BRAND, _SHOP = "9506000134307", "9506000134345"
_PLANT, _STORE = "9506000134406", "9506000134444"


async def cheese_in_the_shop(conn: AsyncConnection) -> None:
    """Lot C1 of 24 pieces, made at the plant, shipped to the Corner Shop and received there; and an empty lot C2."""
    async with transaction(conn):
        await master_data.put_party(conn, PartyDraft(gln=_BRAND, name="Meadow Creamery", role="brand"))
        await master_data.put_party(
            conn, PartyDraft(gln=_SHOP, name="Corner Shop", role="retailer", channel="retail", country="GB")
        )
        await master_data.put_place(conn, PlaceDraft(gln=_PLANT, name="Plant", kind="plant", party_uri=_BRAND))
        await master_data.put_place(conn, PlaceDraft(gln=_STORE, name="Store", kind="store", party_uri=_SHOP))
        await master_data.put_contact(
            conn, ContactDraft(party_uri=_SHOP, kind="recall", name="Cleo Marsh", phone="+44 1904 960104")
        )
        texts = {"zh": {"name": "牧场农家奶酪"}}
        await master_data.put_product(
            conn, ProductDraft(gtin=CHEESE, name="Farmhouse Cheese", brand="Meadow", texts=texts)
        )
        for code in ("C1", "C2"):
            await master_data.put_lot(conn, LotDraft(gtin=CHEESE, code=code, made_at_uri=_PLANT))
    keys = await codes.KeyRing.load(conn, SECRET)
    await capture.capture(conn, _document(), by="tests", clock=system_clock, keys=keys)


async def order(conn: AsyncConnection, *, count: int = 12, lot: str = "C1") -> Job:
    """Labels for the cheese: ordered, and nothing more."""
    return await printing.order(
        conn,
        gtin=CHEESE,
        lot=lot,
        count=count,
        template="a4-24",
        best_before_on=None,
        lot_in_link=False,
        base_url=BASE_URL,
        by="tests",
        clock=system_clock,
        master_secret=SECRET,
        labels_max=1_000,
    )


def _document() -> dict[str, Any]:
    made = _event(1, "commissioning", "active", _PLANT, action="ADD")
    sent = _event(2, "shipping", "in_transit", _PLANT)
    sent["sourceList"] = [{"type": "owning_party", "source": f"https://id.gs1.org/417/{_BRAND}"}]
    sent["destinationList"] = [
        {"type": "owning_party", "destination": f"https://id.gs1.org/417/{_SHOP}"},
        {"type": "location", "destination": f"https://id.gs1.org/414/{_STORE}"},
    ]
    received = _event(3, "receiving", "in_progress", _STORE)
    return {
        "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-11-20T12:00:00Z",
        "epcisBody": {"eventList": [made, sent, received]},
    }


def _event(hour: int, step: str, disposition: str, place: str, *, action: str = "OBSERVE") -> dict[str, Any]:
    at = datetime(2026, 11, 20, hour, tzinfo=UTC).isoformat().replace("+00:00", "Z")
    spot = {"id": f"https://id.gs1.org/414/{place}"}
    return {
        "type": "ObjectEvent",
        "eventTime": at,
        "eventTimeZoneOffset": "+00:00",
        "action": action,
        "bizStep": step,
        "disposition": disposition,
        "readPoint": spot,
        "bizLocation": spot,
        "quantityList": [{"epcClass": f"https://id.gs1.org/01/{CHEESE}/10/C1", "quantity": ITEMS}],
    }
