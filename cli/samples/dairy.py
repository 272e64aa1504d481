"""The little dairy.

Meadow Creamery makes cheese from two lots of milk. C1 was made from M1 and M2, C2 from M2 alone. C1 went through North
Depot to the Corner Shop, where Mira bought one; C2 went to River Market. A recall of M1 must reach C1, the depot, the
shop and Mira, and never C2.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from cli.samples.epcis import document, event, lot, packed, parties, place, received, shipped, unit
from gs1 import sscc as ssccs
from gs1.check_digit import compute
from labels import printing
from labels.model import Job
from ledger import capture, codes, master_data
from ledger.model import ContactDraft, LotDraft, PartyDraft, PlaceDraft, ProductDraft
from runtime.clock import Clock
from runtime.database import transaction

CHEESE, MILK = "09506000134352", "09506000134369"
CREAMERY, HILL_FARM, VALLEY_FARM = "9506000134307", "9506000134314", "9506000134321"
NORTH_DEPOT, CORNER_SHOP, RIVER_MARKET = "9506000134338", "9506000134345", "9506000134390"
PLANT, HILL_YARD, VALLEY_YARD = "9506000134406", "9506000134413", "9506000134420"
DEPOT, SHOP, MARKET = "9506000134437", "9506000134444", "9506000134451"
MIRA = "urn:tracemark:party:mira"

CASE_ITEMS = 12
_SSCC_PREFIX = "3950600"

_PARTIES = [
    PartyDraft(gln=CREAMERY, name="Meadow Creamery", role="brand", country="GB", city="Meadowbridge"),
    PartyDraft(gln=HILL_FARM, name="Hill Farm", role="supplier", country="GB"),
    PartyDraft(gln=VALLEY_FARM, name="Valley Farm", role="supplier", country="GB"),
    PartyDraft(
        gln=NORTH_DEPOT, name="North Depot", role="distributor", channel="wholesale", country="GB", city="Leeds"
    ),
    PartyDraft(gln=CORNER_SHOP, name="Corner Shop", role="retailer", channel="retail", country="GB", city="York"),
    PartyDraft(gln=RIVER_MARKET, name="River Market", role="retailer", channel="retail", country="GB", city="Durham"),
    PartyDraft(uri=MIRA, name="Mira", role="consumer", channel="direct", country="GB"),
]
_PLACES = [
    PlaceDraft(
        gln=PLANT, name="Meadow Creamery, plant", kind="plant", party_uri=CREAMERY, country="GB", region="Yorkshire"
    ),
    PlaceDraft(
        gln=HILL_YARD, name="Hill Farm, yard", kind="plant", party_uri=HILL_FARM, country="GB", region="Yorkshire"
    ),
    PlaceDraft(
        gln=VALLEY_YARD, name="Valley Farm, yard", kind="plant", party_uri=VALLEY_FARM, country="GB", region="Yorkshire"
    ),
    PlaceDraft(
        gln=DEPOT, name="North Depot, Leeds", kind="warehouse", party_uri=NORTH_DEPOT, country="GB", region="Yorkshire"
    ),
    PlaceDraft(
        gln=SHOP, name="Corner Shop, York", kind="store", party_uri=CORNER_SHOP, country="GB", region="Yorkshire"
    ),
    PlaceDraft(
        gln=MARKET, name="River Market, Durham", kind="store", party_uri=RIVER_MARKET, country="GB", region="Durham"
    ),
]
_CONTACTS = [
    ContactDraft(
        party_uri=CREAMERY, kind="recall", name="Ada Field", phone="+44 20 7946 0101", email="recall@meadow.example"
    ),
    ContactDraft(
        party_uri=NORTH_DEPOT,
        kind="recall",
        name="Ben Carter",
        phone="+44 113 496 0102",
        email="ben@northdepot.example",
    ),
    ContactDraft(
        party_uri=NORTH_DEPOT,
        kind="responsible",
        name="Nora Quist",
        phone="+44 20 7946 0103",
        email="nora@meadow.example",
    ),
    ContactDraft(
        party_uri=CORNER_SHOP,
        kind="recall",
        name="Cleo Marsh",
        phone="+44 1904 960104",
        email="cleo@cornershop.example",
    ),
    ContactDraft(
        party_uri=CORNER_SHOP,
        kind="responsible",
        name="Nora Quist",
        phone="+44 20 7946 0103",
        email="nora@meadow.example",
    ),
    ContactDraft(
        party_uri=RIVER_MARKET,
        kind="recall",
        name="Dan River",
        phone="+44 191 498 0105",
        email="dan@rivermarket.example",
    ),
]

CAPTURE_POINTS: list[dict[str, Any]] = orjson.loads(
    (resources.files("cli.samples") / "capture_points.json").read_bytes()
)
"""Packing on line 1, which asks for the temperature, and the dock that ships to the depot or the market."""


@dataclass(frozen=True, slots=True)
class Dairy:
    """What was arranged: the jobs of both cheeses, and their items' serials in the order of the labels."""

    c1: Job
    c2: Job
    c1_serials: tuple[str, ...]
    c2_serials: tuple[str, ...]
    c1_cases: tuple[str, ...]
    mira: str
    """The serial of the item that Mira bought."""

    def link(self, base_url: str, serial: str) -> str:
        """The address printed in an item's code."""
        return f"{base_url}/01/{CHEESE}/21/{serial}"


async def arrange(
    conn: AsyncConnection,
    *,
    by: str,
    clock: Clock,
    master_secret: str,
    base_url: str,
    items: int = 48,
    template: str = "a4-24",
    labels_dir: Path | None = None,
) -> Dairy:
    """Master data, milk, cheese, labels, packing, shipping, and one sale; ``items`` of each cheese lot.

    The code packs stay in ``labels_dir``; without one they are made and thrown away.
    """
    now = clock()
    await master_data_of(conn, now)
    keys = await _keys(conn, master_secret, clock)
    await capture.capture(conn, document(now, production(now)), by=by, clock=clock, keys=keys)
    ordered = [await _labels(conn, code, items, template, by, clock, master_secret, base_url) for code in ("C1", "C2")]
    keys = await codes.KeyRing.load(conn, master_secret)
    jobs = [await _applied(conn, job, labels_dir, now, by=by, clock=clock, keys=keys) for job in ordered]
    c1, c2 = jobs
    s1, s2 = [tuple(await printing.serials(conn, job, keys)) for job in jobs]
    cases_1, cases_2 = _cases(s1, 1), _cases(s2, 5001)
    mira = s1[0]
    movements = [
        *_packing(now, cases_1),
        *_packing(now, cases_2),
        *_journeys(now, list(cases_1), list(cases_2)),
        *_sale(now, next(iter(cases_1)), cases_1, mira),
    ]
    await capture.capture(conn, document(now, movements), by=by, clock=clock, keys=keys)
    return Dairy(c1, c2, s1, s2, tuple(cases_1), mira)


async def master_data_of(conn: AsyncConnection, now: datetime) -> None:
    """Parties, places, products and lots of the dairy."""
    made, best_before = (now - timedelta(days=6)).date(), (now + timedelta(days=60)).date()
    async with transaction(conn):
        for party in _PARTIES:
            await master_data.put_party(conn, party)
        for spot in _PLACES:
            await master_data.put_place(conn, spot)
        for contact in _CONTACTS:
            await master_data.put_contact(conn, contact)
        await master_data.put_product(
            conn,
            ProductDraft(
                gtin=CHEESE,
                name="Meadow Farmhouse Cheese 400 g",
                brand="Meadow",
                profile="food",
                ours=True,
                shelf_life_days=66,
                allergens=("milk",),
                brand_party_uri=CREAMERY,
                texts={
                    "zh": {"name": "牧场农家奶酪 400 克", "brand": "牧场", "storage": "2-6 ℃ 冷藏"},
                    "en": {"storage": "Keep at 2-6 °C"},
                },
            ),
        )
        await master_data.put_product(
            conn,
            ProductDraft(
                gtin=MILK, name="Raw milk", brand="", profile="food", ours=False, texts={"zh": {"name": "生牛乳"}}
            ),
        )
        for code, supplier in (("M1", HILL_FARM), ("M2", VALLEY_FARM)):
            await master_data.put_lot(conn, LotDraft(gtin=MILK, code=code, made_on=made, supplier_uri=supplier))
        for code in ("C1", "C2"):
            await master_data.put_lot(
                conn, LotDraft(gtin=CHEESE, code=code, made_on=made, best_before_on=best_before, made_at_uri=PLANT)
            )


def production(now: datetime) -> list[dict[str, Any]]:
    """Milk arrives from two farms and becomes two lots of cheese."""
    events = []
    for hours, code, farm, yard in ((150, "M1", HILL_FARM, HILL_YARD), (149, "M2", VALLEY_FARM, VALLEY_YARD)):
        at = now - timedelta(hours=hours)
        milk = {"quantityList": [lot(MILK, code, 1000, "LTR")]}
        events += [
            event(
                "ObjectEvent",
                at,
                "commissioning",
                "active",
                action="ADD",
                **milk,
                readPoint=place(yard),
                bizLocation=place(yard),
            ),
            shipped(at + timedelta(hours=1), milk, source=(farm, yard), to=(CREAMERY, PLANT), papers=f"MILK-{code}"),
            received(at + timedelta(hours=2), milk, by=(CREAMERY, PLANT)),
        ]
    made_at = now - timedelta(hours=144)
    for hours, output, inputs, team, vat in (
        (0, "C1", [lot(MILK, "M1", 600, "LTR"), lot(MILK, "M2", 300, "LTR")], "A", "Vat 2"),
        (3, "C2", [lot(MILK, "M2", 700, "LTR")], "B", "Vat 3"),
    ):
        events.append(
            event(
                "TransformationEvent",
                made_at + timedelta(hours=hours),
                "creating_class_instance",
                "active",
                inputQuantityList=inputs,
                outputQuantityList=[lot(CHEESE, output)],
                readPoint=place(PLANT),
                bizLocation=place(PLANT),
                **{
                    "plant:line": "Line 1",
                    "plant:team": team,
                    "plant:operator": "Op 14",
                    "plant:equipment": vat,
                    "plant:parameters": {"plant:pasteurised_at_celsius": 72.4, "plant:held_s": 16},
                },
            )
        )
    return events


async def _keys(conn: AsyncConnection, master_secret: str, clock: Clock) -> codes.KeyRing:
    async with transaction(conn):
        return await codes.ensure_key(conn, master_secret, clock=clock)


async def _labels(
    conn: AsyncConnection,
    code: str,
    items: int,
    template: str,
    by: str,
    clock: Clock,
    master_secret: str,
    base_url: str,
) -> Job:
    return await printing.order(
        conn,
        gtin=CHEESE,
        lot=code,
        count=items,
        template=template,
        best_before_on=None,
        lot_in_link=False,
        base_url=base_url,
        by=by,
        clock=clock,
        master_secret=master_secret,
        labels_max=items,
    )


async def _applied(
    conn: AsyncConnection,
    job: Job,
    labels_dir: Path | None,
    now: datetime,
    *,
    by: str,
    clock: Clock,
    keys: codes.KeyRing,
) -> Job:
    """The job's codes went to a print house, and its labels onto the cheeses, five days ago."""
    with tempfile.TemporaryDirectory(prefix="tracemark-dairy-") as thrown_away:
        pack = (labels_dir or Path(thrown_away)) / f"cheese-{job.lot}-codes.csv"
        await printing.render(conn, job.job_id, "codes", pack, by=by, clock=clock, keys=keys)
    applied_at = now - timedelta(hours=120)
    await printing.commission(conn, job.job_id, place=PLANT, at=applied_at, by=by, clock=clock, keys=keys)
    return await printing.find_job(conn, job.job_id)


def _cases(serials: Sequence[str], first: int) -> dict[str, list[str]]:
    """Serials by the SSCC of their case, twelve to a case."""
    cases = {}
    for number, start in enumerate(range(0, len(serials), CASE_ITEMS), first):
        payload = f"{_SSCC_PREFIX}{number:010d}"
        cases[ssccs.validate(payload + compute(payload))] = list(serials[start : start + CASE_ITEMS])
    return cases


def _packing(now: datetime, cases: dict[str, list[str]]) -> list[dict[str, Any]]:
    start = now - timedelta(hours=96)
    return [
        packed(start + timedelta(minutes=n), sscc, [f"https://id.gs1.org/01/{CHEESE}/21/{s}" for s in serials], PLANT)
        for n, (sscc, serials) in enumerate(cases.items())
    ]


def _journeys(now: datetime, cases_1: list[str], cases_2: list[str]) -> list[dict[str, Any]]:
    """All of C1 but the last case goes to the depot; its first case on to the shop. C2's first goes to the market."""
    out, first, sold = (
        {"epcList": [unit(s) for s in cases_1[:-1]]},
        {"epcList": [unit(cases_1[0])]},
        {"epcList": [unit(cases_2[0])]},
    )
    at = now - timedelta(hours=72)
    return [
        shipped(at, out, source=(CREAMERY, PLANT), to=(NORTH_DEPOT, DEPOT), papers="DES-1001"),
        received(at + timedelta(hours=5), out, by=(NORTH_DEPOT, DEPOT)),
        shipped(
            at + timedelta(hours=24), first, source=(NORTH_DEPOT, DEPOT), to=(CORNER_SHOP, SHOP), papers="DES-2001"
        ),
        received(at + timedelta(hours=28), first, by=(CORNER_SHOP, SHOP)),
        shipped(at + timedelta(hours=2), sold, source=(CREAMERY, PLANT), to=(RIVER_MARKET, MARKET), papers="DES-1002"),
        received(at + timedelta(hours=9), sold, by=(RIVER_MARKET, MARKET)),
    ]


def _sale(now: datetime, case: str, cases: dict[str, list[str]], serial: str) -> list[dict[str, Any]]:
    """The shop opens its case, puts the items on the shelf, and Mira buys one."""
    items = [f"https://id.gs1.org/01/{CHEESE}/21/{s}" for s in cases[case]]
    at = now - timedelta(hours=30)
    return [
        event(
            "AggregationEvent",
            at,
            "unpacking",
            "sellable_accessible",
            action="DELETE",
            parentID=unit(case),
            childEPCs=items,
            readPoint=place(SHOP),
            bizLocation=place(SHOP),
        ),
        event(
            "ObjectEvent",
            at + timedelta(hours=6),
            "retail_selling",
            "retail_sold",
            action="OBSERVE",
            epcList=[f"https://id.gs1.org/01/{CHEESE}/21/{serial}"],
            readPoint=place(SHOP),
            bizLocation=place(SHOP),
            sourceList=parties("source", owner=CORNER_SHOP),
            destinationList=parties("destination", owner=MIRA),
        ),
    ]
