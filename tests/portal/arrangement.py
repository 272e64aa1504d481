"""Little pieces of a published world, for rules (values) and for faces (rows of a real database)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx2
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from portal.app import create_app
from portal.model import Lot, Product, Recall
from runtime.clock import Clock, system_clock
from runtime.database import DatabaseAddress
from runtime.settings import Settings
from serials import keys
from serials.cipher import SerialCipher
from tests import unhurried

MILK = "09520123456788"
CHEESE = "09520123456771"
PALLET = "395201234567890123"
STRANGER = "09506000134352"
SECRET = "a secret of thirty-two characters or more, for tests"
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
BASE = "https://id.creamery.example"
BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8", "user-agent": "Mozilla/5.0 (iPhone) Safari"}
JSON = {"accept": "application/json"}

ROOT_KEY = bytes(range(32))
CIPHER = SerialCipher(keys.derive_key(ROOT_KEY, gtin=MILK, epoch=1), MILK)


def product(product_id: int = 1, gtin: str = MILK, **changes: Any) -> Product:
    values: dict[str, Any] = {
        "product_id": product_id,
        "gtin": gtin,
        "name": "Fresh milk 1 l",
        "brand": "Meadow Creamery",
        "texts": {"zh": {"name": "鲜牛奶 1 升"}},
        "profile": "food",
        "ours": True,
        "date_kind": "use_by",
        "allergens": ("milk",),
        "image": None,
        "changed_in": 0,
    }
    return Product(**(values | changes))


def lot(lot_id: int = 1, code: str = "M1", product_id: int = 1, **changes: Any) -> Lot:
    values: dict[str, Any] = {
        "lot_id": lot_id,
        "product_id": product_id,
        "code": code,
        "made_on": date(2026, 11, 20),
        "best_before_on": date(2026, 12, 20),
        "status": "released",
        "made_at_place_id": 0,
        "changed_in": 0,
    }
    return Lot(**(values | changes))


def recall(case_id: int = 1, kind: str = "recall", **changes: Any) -> Recall:
    values: dict[str, Any] = {
        "case_id": case_id,
        "number": f"{'W' if kind == 'withdrawal' else 'R'}-2026-{case_id:04}",
        "version": 1,
        "kind": kind,
        "state": "published",
        "title": "Fresh milk may hold glass",
        "hazard": "Pieces of glass can injure the mouth and throat.",
        "hazard_class": 1,
        "texts": {},
        "contact": {"phone": "+1 555 0100"},
        "published_at": NOON,
        "updated_at": NOON,
        "revision": 2,
    }
    return Recall(**(values | changes))


def item(number: int) -> str:
    """The path of one of our own codes."""
    return f"/01/{MILK}/21/{CIPHER.serial(number)}"


async def arrange(conn: AsyncConnection) -> None:
    """Milk in lots M1 (numbers 1000 to 1099 active) and M2 (2000 to 2099: only 2000 to 2049 active); cheese C1."""
    rows: list[tuple[str, Mapping[str, Any]]] = [
        (
            "INSERT INTO product (product_id, gtin, name, brand, ours, date_kind, allergens, texts)"
            " OVERRIDING SYSTEM VALUE VALUES (1, :milk, 'Fresh milk 1 l', 'Meadow Creamery', true, 'use_by', '{milk}',"
            ' \'{"zh": {"name": "鲜牛奶 1 升"}}\'),'
            " (2, :cheese, 'Hill cheese', 'Meadow Creamery', true, 'best_before', '{milk}', '{}')",
            {"milk": MILK, "cheese": CHEESE},
        ),
        (
            "INSERT INTO place (place_id, uri, gln, name, kind, region, country) VALUES"
            " (7, 'urn:x:dairy', '9520123456788', 'Meadow Dairy', 'plant', 'Zhejiang', 'CN')",
            {},
        ),
        (
            "INSERT INTO lot (lot_id, product_id, code, made_on, best_before_on, made_at_place_id)"
            " OVERRIDING SYSTEM VALUE VALUES (1, 1, 'M1', DATE '2026-11-20', DATE '2099-12-20', 7),"
            " (2, 1, 'M2', DATE '2026-11-21', DATE '2099-12-21', 7),"
            " (3, 2, 'C1', DATE '2026-11-22', DATE '2099-06-01', 7)",
            {},
        ),
        (
            "INSERT INTO code_key (epoch, wrapped, created_at) VALUES (1, :wrapped, now())",
            {"wrapped": keys.wrap_root_key(ROOT_KEY, master_secret=SECRET.encode(), epoch=1)},
        ),
        (
            "INSERT INTO number_block (lo, n, kind, gtin, lot_id, key_epoch, skipped) VALUES"
            " (1000, 100, 'label', :milk, 1, 1, '{1007}'), (2000, 100, 'label', :milk, 2, 1, '{}')",
            {"milk": MILK},
        ),
        (
            "INSERT INTO code_run (lo, n, lot_id, since, event_id) VALUES (1000, 100, 1, now(), 1),"
            " (2000, 50, 2, now(), 1)",
            {},
        ),
    ]
    for sql, values in rows:
        await conn.execute(text(sql), dict(values))
    await conn.commit()


async def publish(
    conn: AsyncConnection,
    *,
    case_id: int = 1,
    lots: Sequence[int] = (),
    runs: Sequence[tuple[int, int, int]] = (),
    kind: str = "recall",
    texts: Mapping[str, Any] | None = None,
) -> None:
    """Publish a case over whole lots and over runs (lot_id, lo, n) of numbers, as the recall room does."""
    number = f"{'W' if kind == 'withdrawal' else 'R'}-2026-{case_id:04}"
    values = {"case": case_id, "number": number, "kind": kind, "texts": json.dumps(texts or {})}
    await conn.execute(
        text(
            "INSERT INTO recall_case (case_id, number, kind, state, title, hazard, hazard_class, opened_by, opened_at)"
            " OVERRIDING SYSTEM VALUE VALUES (:case, :number, :kind, 'published', 'Milk may hold glass',"
            " 'Pieces of glass can injure.', 1, 'Ada', now())"
        ),
        {key: values[key] for key in ("case", "number", "kind")},
    )
    await conn.execute(
        text(
            "INSERT INTO affected_set (affected_set_id, case_id, scope, ledger_event, hash, lots, items, owners,"
            " totals, took_ms, frozen_at) OVERRIDING SYSTEM VALUE"
            " VALUES (:case, :case, '[]', 1, 'x', 1, 1, 1, '{}', 1, now())"
        ),
        {"case": case_id},
    )
    for lot_id in {*lots, *(run[0] for run in runs)}:
        sql = "INSERT INTO affected_lot (affected_set_id, lot_id, whole, basis) VALUES (:case, :lot, :whole, 'scope')"
        await conn.execute(text(sql), {"case": case_id, "lot": lot_id, "whole": lot_id in lots})
    for lot_id, lo, n in runs:
        sql = "INSERT INTO affected_run (affected_set_id, lot_id, lo, n) VALUES (:case, :lot, :lo, :n)"
        await conn.execute(text(sql), {"case": case_id, "lot": lot_id, "lo": lo, "n": n})
    await conn.execute(
        text(
            "INSERT INTO publication (case_id, number, version, kind, state, title, hazard, hazard_class, texts,"
            " contact, published_at, updated_at, affected_set_id, revision)"
            " SELECT :case, :number, 1, :kind, 'published', 'Milk may hold glass',"
            " 'Pieces of glass can injure.', 1, CAST(:texts AS jsonb),"
            ' \'{"phone": "+1 555 0100"}\', now(), now(), :case, next_public_revision()'
        ),
        values,
    )
    await conn.commit()


def settings(folder: Path, **changes: Any) -> Settings:
    """Settings of a portal under test; it sweeps often, and waits for what a busy machine is slow to answer."""
    values: dict[str, Any] = {"base_url": BASE, "master_secret": SECRET, "data_dir": folder, "sweep_every_s": 0.1}
    values |= unhurried.SETTINGS
    values |= {"portal_unknown_per_minute": 10_000, "portal_posts_per_minute": 1_000}
    return Settings(**(values | changes))


async def until(truth: Callable[[], Awaitable[bool]]) -> None:
    """Wait for what will become true by itself; fails when it does not."""
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + unhurried.NEVER_S
    while not await truth():
        assert loop.time() < ends_at, "it did not become true"
        await asyncio.sleep(0.02)


async def says(portal: httpx2.AsyncClient, path: str, verdict: str) -> None:
    """Wait until the portal says ``verdict`` about the code."""

    async def said() -> bool:
        return bool((await portal.get(path, headers=JSON)).json().get("verdict") == verdict)

    await until(said)


@asynccontextmanager
async def portal_of(
    database: DatabaseAddress, folder: Path, clock: Clock = system_clock, **changes: Any
) -> AsyncIterator[httpx2.AsyncClient]:
    """A portal over this database, started and stopped as a server does."""
    app = create_app(settings(folder, **changes), database, clock)
    async with app.router.lifespan_context(app):  # type: ignore[attr-defined]
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url=BASE) as client:
            yield client
