"""Rows of the ledger written straight into its tables, for tests of the questions that are asked of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from gs1 import check_digit

FIRST_DAY = datetime(2026, 3, 1, 6, tzinfo=UTC)


def day(number: float) -> datetime:
    """That many days after the first morning of March 2026."""
    return FIRST_DAY + timedelta(days=number)


def gtin(number: int) -> str:
    """A sound GTIN of the fictitious range 0952."""
    body = f"0952{number:09d}"
    return body + check_digit.compute(body)


@dataclass(frozen=True)
class Use:
    """A lot, or numbers of it, that goes into an operation or comes out of it; ``at`` only if not with the rest."""

    lot_id: int
    lo: int | None = None
    n: int | None = None
    at: datetime | None = None


@dataclass
class Records:
    """Writes one row at a time, and gives back its id."""

    conn: AsyncConnection
    lots: dict[str, int] = field(default_factory=dict)

    async def add(self, table: str, key: str, **values: Any) -> int:
        result = await self.conn.execute(text(f"{_insert(table, values)} RETURNING {key}"), values)
        return int(result.scalar_one())

    async def insert(self, table: str, **values: Any) -> None:
        await self.conn.execute(text(_insert(table, values)), values)

    async def party(self, name: str, role: str = "other", channel: str | None = None) -> int:
        return await self.add("party", "party_id", uri=f"urn:party:{name}", name=name, role=role, channel=channel)

    async def place(self, name: str, kind: str, party_id: int = 0, country: str | None = None) -> int:
        return await self.add(
            "place", "place_id", uri=f"urn:place:{name}", name=name, kind=kind, party_id=party_id, country=country
        )

    async def contact(self, party_id: int, kind: str, name: str, phone: str | None = None) -> None:
        await self.insert("contact", party_id=party_id, kind=kind, name=name, phone=phone)

    async def product(self, number: int, name: str, ours: bool = True) -> int:
        return await self.add("product", "product_id", gtin=gtin(number), name=name, ours=ours)

    async def lot(self, product_id: int, code: str, **values: Any) -> int:
        self.lots[code] = await self.add("lot", "lot_id", product_id=product_id, code=code, **values)
        return self.lots[code]

    async def event(self, source_id: str, at: datetime, kind: str = "TransformationEvent", **values: Any) -> int:
        return await self.add(
            "event", "event_id", type=kind, event_time=at, event_offset="+00:00", record_time=at, source_id=source_id,
            hash=source_id, body="{}", captured_by="test", **values,
        )  # fmt: skip

    async def declare_wrong(self, event_id: int, at: datetime) -> None:
        by = await self.event(f"wrong-{event_id}", at)
        await self.insert("event_declared_wrong", event_id=event_id, by_event_id=by)

    async def operation(
        self, at: datetime, inputs: Sequence[Use | int], outputs: Sequence[Use | int], event_id: int = 0, **values: Any
    ) -> int:
        operation_id = await self.add("operation", "operation_id", event_id=event_id, **values)
        for table, uses in (("operation_input", inputs), ("operation_output", outputs)):
            for use in (use if isinstance(use, Use) else Use(use) for use in uses):
                await self.insert(
                    table, operation_id=operation_id, lot_id=use.lot_id, at=use.at or at, event_id=event_id,
                    lo=use.lo, n=use.n,
                )  # fmt: skip
        return operation_id

    async def run(self, lot_id: int, lo: int, n: int, **values: Any) -> None:
        await self.insert("code_run", lot_id=lot_id, lo=lo, n=n, **{"since": day(1), "event_id": 0, **values})

    async def unit(self, name: str, **values: Any) -> int:
        return await self.add("unit", "unit_id", uri=f"urn:unit:{name}", **{"since": day(1), "event_id": 0, **values})

    async def holding(
        self, lot_id: int, place_id: int, owner_id: int, quantity: float, *, disposition: str = "", uom: str = ""
    ) -> None:
        await self.insert(
            "lot_holding", lot_id=lot_id, place_id=place_id, owner_id=owner_id, disposition=disposition, uom=uom,
            quantity=quantity, since=day(1),
        )  # fmt: skip


def _insert(table: str, values: dict[str, Any]) -> str:
    return f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join(f':{name}' for name in values)})"
