"""A new key for the codes to come. Old codes are read for ever; no serial is ever issued under two keys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from access import audit
from labels import store
from ledger import codes
from runtime.clock import Clock
from runtime.database import transaction

ROTATED = "keys.rotate"


@dataclass(frozen=True, slots=True)
class Epoch:
    """One key: since when it is used, and how many numbers were issued under it (withheld ones included)."""

    epoch: int
    created_at: datetime
    blocks: int
    numbers: int


async def rotate(conn: AsyncConnection, master_secret: str, *, by: str, clock: Clock) -> int:
    """Make a new key, under which label jobs are ordered from now on; its epoch.

    A job that is ordered later skips every number whose serial was issued for the product under an older key, so a
    serial stays one item's. Whoever answers scans takes the new key in with its next look at the record.
    """
    async with transaction(conn):
        ring = await codes.rotate_key(conn, master_secret, clock=clock)
        await store.tell_scanners(conn)
        await audit.note(conn, by, ROTATED, f"epoch {ring.newest}", {}, clock)
    return ring.newest


async def epochs(conn: AsyncConnection) -> list[Epoch]:
    """All keys, the newest first; the keys themselves are never shown."""
    return [Epoch(*row) for row in await store.epochs(conn)]
