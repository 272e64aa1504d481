"""A small dairy for the tests of recalls, told to the ledger in EPCIS events.

Milk lots M1 and M2; cheese C1 is made from M1 and M2, cheese C2 from M2 alone. C1 goes in a case through North Depot to
the Corner Shop, where Mira buys one; C2 goes to River Market. Items have serials of our own (label numbers).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from cli.samples.epcis import document, event, lot, packed, parties, place, received, shipped, unit
from ledger import capture, codes, master_data
from ledger.codes import KeyRing
from ledger.epcis.validate import OWN_RANGES
from ledger.model import ContactDraft, LotDraft, PartyDraft, PlaceDraft, ProductDraft
from runtime.clock import Clock
from runtime.database import transaction

SECRET = "a secret of the tests, long enough to be one"
CHEESE, MILK = "09506000134352", "09506000134369"
CREAMERY, HILL_FARM = "9506000134307", "9506000134314"
NORTH_DEPOT, CORNER_SHOP, RIVER_MARKET = "9506000134338", "9506000134345", "9506000134390"
PLANT, FARM_YARD = "9506000134406", "9506000134413"
DEPOT, SHOP, MARKET = "9506000134437", "9506000134444", "9506000134451"
MIRA = "urn:tracemark:party:mira"
CASE_C1, CASE_C2 = "395060000000000016", "395060000000000023"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
MADE_AT = NOW - timedelta(days=6)
ITEMS = 12


def clock() -> datetime:
    """The day of the recall."""
    return NOW


@dataclass(frozen=True, slots=True)
class Creamery:
    """What was arranged: the key ring, and the serials of both cheeses in the order of the labels."""

    keys: KeyRing
    c1: tuple[str, ...]
    c2: tuple[str, ...]

    def code(self, serial: str) -> str:
        """An item's code as scanned."""
        return f"https://id.example.com/01/{CHEESE}/21/{serial}"


async def arrange(conn: AsyncConnection, *, when: Clock = clock) -> Creamery:
    """Master data, milk, cheese, labels, and the way of both cheeses up to Mira's purchase."""
    await _master_data(conn)
    async with transaction(conn):
        keys = await codes.ensure_key(conn, SECRET, clock=when)
    await tell(conn, keys, _production())
    c1, c2 = [await _commissioned(conn, keys, code, when) for code in ("C1", "C2")]
    await tell(conn, keys, [*_journey(c1, c2)])
    return Creamery(keys, c1, c2)


async def tell(conn: AsyncConnection, keys: KeyRing, events: Sequence[dict[str, Any]]) -> None:
    """Capture ``events``."""
    await capture.capture(conn, document(NOW, events), by="tests", clock=clock, keys=keys)


def items(serials: Sequence[str]) -> list[str]:
    """Canonical codes of cheeses."""
    return [f"https://id.gs1.org/01/{CHEESE}/21/{serial}" for serial in serials]


async def _master_data(conn: AsyncConnection) -> None:
    async with transaction(conn):
        for gln, name, role, channel in (
            (CREAMERY, "Meadow Creamery", "brand", None),
            (HILL_FARM, "Hill Farm", "supplier", None),
            (NORTH_DEPOT, "North Depot", "distributor", "wholesale"),
            (CORNER_SHOP, "Corner Shop", "retailer", "retail"),
            (RIVER_MARKET, "River Market", "retailer", "retail"),
        ):
            await master_data.put_party(conn, PartyDraft(gln=gln, name=name, role=role, channel=channel))  # type: ignore[arg-type]
        await master_data.put_party(conn, PartyDraft(uri=MIRA, name="Mira", role="consumer", channel="direct"))
        for gln, name, kind, party in (
            (PLANT, "Creamery plant", "plant", CREAMERY),
            (FARM_YARD, "Hill Farm yard", "plant", HILL_FARM),
            (DEPOT, "North Depot, Leeds", "warehouse", NORTH_DEPOT),
            (SHOP, "Corner Shop, York", "store", CORNER_SHOP),
            (MARKET, "River Market, Durham", "store", RIVER_MARKET),
        ):
            await master_data.put_place(conn, PlaceDraft(gln=gln, name=name, kind=kind, party_uri=party))  # type: ignore[arg-type]
        for party, kind, name in (
            (CREAMERY, "recall", "Ada Field"),
            (NORTH_DEPOT, "recall", "Ben Carter"),
            (NORTH_DEPOT, "responsible", "Nora Quist"),
            (CORNER_SHOP, "recall", "Cleo Marsh"),
            (RIVER_MARKET, "alternate", "Dan River"),
        ):
            draft = ContactDraft(party_uri=party, kind=kind, name=name, phone="+44 20 7946 0100")  # type: ignore[arg-type]
            await master_data.put_contact(conn, draft)
        await master_data.put_product(conn, ProductDraft(gtin=CHEESE, name="Farmhouse Cheese", brand="Meadow"))
        await master_data.put_product(conn, ProductDraft(gtin=MILK, name="Raw milk", ours=False))
        for gtin, code in ((MILK, "M1"), (MILK, "M2"), (CHEESE, "C1"), (CHEESE, "C2")):
            await master_data.put_lot(conn, LotDraft(gtin=gtin, code=code, made_on=MADE_AT.date()))


def _production() -> list[dict[str, Any]]:
    told = []
    for hours, code in ((0, "M1"), (1, "M2")):
        at, milk = MADE_AT + timedelta(hours=hours), {"quantityList": [lot(MILK, code, 1000, "LTR")]}
        told += [
            event("ObjectEvent", at, "commissioning", "active", action="ADD", **milk, **_at(FARM_YARD)),
            shipped(
                at + timedelta(hours=1),
                milk,
                source=(HILL_FARM, FARM_YARD),
                to=(CREAMERY, PLANT),
                papers=f"MILK-{code}",
            ),
            received(at + timedelta(hours=2), milk, by=(CREAMERY, PLANT)),
        ]
    for hours, code, used in ((6, "C1", [("M1", 600), ("M2", 300)]), (9, "C2", [("M2", 700)])):
        told.append(
            event(
                "TransformationEvent", MADE_AT + timedelta(hours=hours), "creating_class_instance", "active",
                inputQuantityList=[lot(MILK, name, litres, "LTR") for name, litres in used],
                outputQuantityList=[lot(CHEESE, code)], **_at(PLANT), **{"plant:line": f"Line {code[-1]}"},
            )
        )  # fmt: skip
    return told


async def _commissioned(conn: AsyncConnection, keys: KeyRing, code: str, when: Clock) -> tuple[str, ...]:
    """Labels for ``ITEMS`` of a cheese lot, all of them stuck on."""
    async with transaction(conn):
        made = await master_data.get_lot(conn, CHEESE, code)
        epoch = keys.newest
        lo = await codes.reserve_block(conn, n=ITEMS, kind="label", gtin=CHEESE, lot_id=made.lot_id, key_epoch=epoch)
        told = event(
            "ObjectEvent", MADE_AT + timedelta(hours=20), "commissioning", "active", action="ADD",
            quantityList=[lot(CHEESE, code, ITEMS)], **{OWN_RANGES: [[lo, ITEMS]]}, **_at(PLANT),
            destinationList=parties("destination", owner=CREAMERY, place_gln=PLANT),
        )  # fmt: skip
        await capture.record(conn, [told], by="tests", clock=when, keys=keys)
    return tuple(keys.cipher(epoch, CHEESE).serial(lo + k) for k in range(ITEMS))


def _journey(c1: Sequence[str], c2: Sequence[str]) -> list[dict[str, Any]]:
    """C1: ten in a case, two left at the plant. C2: all in a case."""
    day = timedelta(days=1)
    first, second = {"epcList": [unit(CASE_C1)]}, {"epcList": [unit(CASE_C2)]}
    at = MADE_AT + day
    return [
        packed(at, CASE_C1, items(c1[:10]), PLANT),
        packed(at, CASE_C2, items(c2), PLANT),
        shipped(at + day, first, source=(CREAMERY, PLANT), to=(NORTH_DEPOT, DEPOT), papers="DES-1"),
        shipped(at + day, second, source=(CREAMERY, PLANT), to=(RIVER_MARKET, MARKET), papers="DES-9"),
        received(at + 1.2 * day, first, by=(NORTH_DEPOT, DEPOT)),
        received(at + 1.2 * day, second, by=(RIVER_MARKET, MARKET)),
        shipped(at + 2 * day, first, source=(NORTH_DEPOT, DEPOT), to=(CORNER_SHOP, SHOP), papers="DES-2"),
        received(at + 2.2 * day, first, by=(CORNER_SHOP, SHOP)),
        event("AggregationEvent", at + 3 * day, "unpacking", "sellable_accessible", action="DELETE",
              parentID=unit(CASE_C1), childEPCs=items(c1[:10]), **_at(SHOP)),
        event("ObjectEvent", at + 3.5 * day, "retail_selling", "retail_sold", action="OBSERVE", epcList=items(c1[:1]),
              **_at(SHOP), sourceList=parties("source", owner=CORNER_SHOP),
              destinationList=parties("destination", owner=MIRA)),
    ]  # fmt: skip


def _at(gln: str) -> dict[str, Any]:
    return {"readPoint": place(gln), "bizLocation": place(gln)}
