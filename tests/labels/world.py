"""A creamery, its plant, one cheese with lots, and milk that is not ours: what label jobs need, and no more."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from labels import printing
from labels.model import Job
from ledger import codes, master_data
from ledger.model import LotDraft, PartyDraft, PlaceDraft, ProductDraft
from runtime.database import transaction
from tests import kept

CHEESE, MILK = "09506000134352", "09506000134369"
CREAMERY, PLANT, DEPOT, DEPOT_YARD = "9506000134307", "9506000134406", "9506000134338", "9506000134437"
SECRET = "a secret of the label tests, long enough"
BASE_URL = "https://id.example.com"
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def noon() -> datetime:
    """The clock of these tests."""
    return NOON


async def arranged(conn: AsyncConnection) -> codes.KeyRing:
    """Parties, places, products and the lots C1 and C2 of cheese; the key ring."""
    await kept.once(kept.behind(conn), "what label jobs need", partial(_told, conn))
    async with transaction(conn):
        return await codes.KeyRing.load(conn, SECRET)


async def _told(conn: AsyncConnection) -> None:
    async with transaction(conn):
        await master_data.put_party(conn, PartyDraft(gln=CREAMERY, name="Meadow Creamery", role="brand"))
        await master_data.put_party(conn, PartyDraft(gln=DEPOT, name="North Depot", role="distributor"))
        await master_data.put_place(conn, PlaceDraft(gln=PLANT, name="Plant", kind="plant", party_uri=CREAMERY))
        await master_data.put_place(conn, PlaceDraft(gln=DEPOT_YARD, name="Yard", kind="warehouse", party_uri=DEPOT))
        await master_data.put_product(
            conn, ProductDraft(gtin=CHEESE, name="Farmhouse Cheese", brand="Meadow", brand_party_uri=CREAMERY)
        )
        await master_data.put_product(conn, ProductDraft(gtin=MILK, name="Raw milk", ours=False))
        for code in ("C1", "C2"):
            draft = LotDraft(gtin=CHEESE, code=code, best_before_on=date(2027, 1, 20), made_at_uri=PLANT)
            await master_data.put_lot(conn, draft)
        await master_data.put_lot(conn, LotDraft(gtin=MILK, code="M1"))
        await codes.ensure_key(conn, SECRET, clock=noon)


async def ordered(conn: AsyncConnection, **changes: Any) -> Job:
    """Ten labels for lot C1, but for the changes."""
    asked: dict[str, Any] = {
        "gtin": CHEESE, "lot": "C1", "count": 10, "template": "a4-24", "best_before_on": None, "lot_in_link": False,
        "base_url": BASE_URL, "by": "ada", "clock": noon, "master_secret": SECRET, "labels_max": 1_000,
    }  # fmt: skip
    return await printing.order(conn, **(asked | changes))


async def released(conn: AsyncConnection, keys: codes.KeyRing, folder: Path, **changes: Any) -> Job:
    """As ``ordered``, with its codes handed to a print house."""
    job = await ordered(conn, **changes)
    await printing.render(conn, job.job_id, "codes", folder / f"{job.job_id}.csv", by="ada", clock=noon, keys=keys)
    return await printing.find_job(conn, job.job_id)


async def number(conn: AsyncConnection, sql: str, **values: Any) -> Any:
    """One figure from the database."""
    async with transaction(conn):
        return (await conn.execute(text(sql), values)).scalar_one()
