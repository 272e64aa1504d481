"""SQL of numbers and serial keys."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
import numpy.typing as npt
from sqlalchemy import ColumnElement, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import tables as t
from ledger.runs import intervals_of
from runtime.database import raw
from serials.alphabet import Numbers

_KEY_LOCK: Final = 0x6B65_7973  # "keys": two first starts must not both make epoch 1


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive numbers given to one label job, or to serials from outside (``gtin`` None)."""

    lo: int
    n: int
    kind: str
    gtin: str | None
    lot_id: int | None
    key_epoch: int | None
    skipped: tuple[int, ...] = ()
    """Rising. A large job has tens of thousands: they are looked up, never gone through."""

    def issues(self, lo: int, n: int = 1) -> bool:
        """Whether all of the numbers lo … lo + n - 1 are the block's, and none is skipped."""
        at = bisect_left(self.skipped, lo)
        inside = self.lo <= lo and lo + n <= self.lo + self.n
        return inside and (at == len(self.skipped) or self.skipped[at] >= lo + n)


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Of one number: the lot and unit of its run (None = on no thing), and the lot that its label job was for."""

    lot_id: int | None
    unit_id: int | None
    block_lot_id: int | None


async def wrapped_keys(conn: AsyncConnection) -> dict[int, bytes]:
    """The sealed root key of each epoch."""
    rows = await conn.execute(select(t.code_key.c.epoch, t.code_key.c.wrapped).order_by(t.code_key.c.epoch))
    return {row.epoch: bytes(row.wrapped) for row in rows}


async def lock_keys(conn: AsyncConnection) -> None:
    """Until the transaction ends, nobody else adds a key."""
    await conn.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _KEY_LOCK})


async def add_key(conn: AsyncConnection, epoch: int, wrapped: bytes, created_at: datetime) -> None:
    """Keep the sealed key of a new epoch."""
    await conn.execute(t.code_key.insert().values(epoch=epoch, wrapped=wrapped, created_at=created_at))


async def take(conn: AsyncConnection, n: int) -> int:
    """Move the allocator by ``n``; returns where it stood. Its row stays locked until the transaction ends."""
    move = t.number_allocator.update().values(next=t.number_allocator.c.next + n)
    return int((await conn.execute(move.returning(t.number_allocator.c.next))).scalar_one()) - n


async def add_block(conn: AsyncConnection, block: Block) -> None:
    """Record who owns the numbers."""
    await conn.execute(
        t.number_block.insert().values(
            lo=block.lo, n=block.n, kind=block.kind, gtin=block.gtin, lot_id=block.lot_id, key_epoch=block.key_epoch,
            skipped=list(block.skipped),
        )
    )  # fmt: skip


async def blocks_meeting(conn: AsyncConnection, numbers: Sequence[Numbers]) -> list[Block]:
    """The blocks that hold any of these numbers, and perhaps others, in order."""
    if not numbers:
        return []
    los, ns = intervals_of(np.concatenate(numbers))
    # Each block once: its skipped numbers may be many, and a document names many items of one job.
    rows = await conn.execute(_BLOCKS_MEETING, {"los": los, "ns": ns})
    return [Block(r.lo, r.n, r.kind, r.gtin, r.lot_id, r.key_epoch, tuple(r.skipped)) for r in rows]


_BLOCKS_MEETING: Final = text("""
    SELECT lo, n, kind, gtin, lot_id, key_epoch, skipped FROM number_block WHERE lo = ANY (ARRAY(
        SELECT DISTINCT b.lo FROM unnest(CAST(:los AS bigint[]), CAST(:ns AS bigint[])) AS w (lo, n)
        CROSS JOIN LATERAL (
            SELECT lo FROM number_block WHERE lo > w.lo AND lo < w.lo + w.n
            UNION ALL
            (SELECT lo FROM number_block WHERE lo <= w.lo ORDER BY lo DESC LIMIT 1)
        ) b
    )) ORDER BY lo
""")


def issued_for(blocks: Sequence[Block], gtin: str, epoch: int, numbers: Numbers) -> npt.NDArray[np.bool_]:
    """Which of these numbers label jobs for this product issued under this epoch's key; in blocks of another epoch the
    same number is written with other characters. ``blocks`` are in order and do not overlap."""
    issued = np.zeros(len(numbers), dtype=np.bool_)
    at = np.searchsorted(np.array([block.lo for block in blocks], dtype=np.int64), numbers, side="right") - 1
    for index in np.unique(at[at >= 0]).tolist():
        block = blocks[index]
        if (block.kind, block.gtin, block.key_epoch) == ("label", gtin, epoch):
            inside = (at == index) & (numbers < block.lo + block.n)
            issued |= inside & ~np.isin(numbers, block.skipped) if block.skipped else inside
    return issued


async def blocks_of_lot(conn: AsyncConnection, lot_id: int) -> list[Block]:
    """The label jobs' blocks of one lot."""
    return await _blocks(conn, t.number_block.c.lot_id == lot_id, t.number_block.c.kind == "label")


async def _blocks(conn: AsyncConnection, *conditions: ColumnElement[bool]) -> list[Block]:
    b = t.number_block.c
    columns = (b.lo, b.n, b.kind, b.gtin, b.lot_id, b.key_epoch, b.skipped)
    rows = await conn.execute(select(*columns).where(*conditions).order_by(b.lo))
    return [Block(*row[:-1], tuple(row.skipped)) for row in rows]


async def commissioned_among(conn: AsyncConnection, runs: Sequence[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """The first of these runs (lo, n) of which some numbers are on a thing, and how many are; empty when none is."""
    rows = await conn.execute(
        text("""
            SELECT w.lo, w.n, CAST(sum(least(r.lo + r.n, w.lo + w.n) - greatest(r.lo, w.lo)) AS bigint) AS taken
            FROM unnest(CAST(:los AS bigint[]), CAST(:ns AS bigint[])) AS w (lo, n)
            CROSS JOIN LATERAL (
                SELECT lo, n FROM code_run WHERE lo >= w.lo AND lo < w.lo + w.n
                UNION ALL
                SELECT lo, n FROM (SELECT lo, n FROM code_run WHERE lo < w.lo ORDER BY lo DESC LIMIT 1) before
                WHERE before.lo + before.n > w.lo
            ) r
            GROUP BY w.lo, w.n ORDER BY w.lo LIMIT 1
        """),
        {"los": [lo for lo, _ in runs], "ns": [n for _, n in runs]},
    )
    return [(row.lo, row.n, row.taken) for row in rows]


async def foreign_numbers(conn: AsyncConnection, items: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """The numbers of serials told from outside."""
    if not items:
        return {}
    rows = await conn.execute(
        text("""
            SELECT f.gtin, f.serial, f.number
            FROM unnest(CAST(:gtins AS text[]), CAST(:serials AS text[])) AS w (gtin, serial)
            JOIN foreign_serial f ON f.gtin = w.gtin AND f.serial = w.serial
        """),
        {"gtins": [gtin for gtin, _ in items], "serials": [serial for _, serial in items]},
    )
    return {(r.gtin, r.serial): r.number for r in rows}


async def told_serials(conn: AsyncConnection, runs: Sequence[tuple[int, int]]) -> dict[int, tuple[str, str]]:
    """The (gtin, serial) of those numbers of these runs (lo, n) whose serials came from outside."""
    rows = await conn.execute(
        text("""
            SELECT f.number, f.gtin, f.serial FROM unnest(CAST(:los AS bigint[]), CAST(:ns AS bigint[])) AS w (lo, n)
            JOIN foreign_serial f ON f.number >= w.lo AND f.number < w.lo + w.n
        """),
        {"los": [lo for lo, _ in runs], "ns": [n for _, n in runs]},
    )
    return {row.number: (row.gtin, row.serial) for row in rows}


async def add_foreign(conn: AsyncConnection, rows: Sequence[tuple[str, str, int]]) -> None:
    """Keep (gtin, serial, number); one that somebody told already stays as it is. In key order: no deadlocks."""
    driver = await raw(conn)
    ordered = sorted(rows)
    await driver.execute(
        "INSERT INTO foreign_serial (gtin, serial, number) SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[])"
        " ON CONFLICT ON CONSTRAINT foreign_serial_pkey DO NOTHING",
        *(list(column) for column in zip(*ordered, strict=True)),
    )


async def whereabouts(conn: AsyncConnection, number: int) -> Whereabouts:
    """Where one number stands: its run now, and its block."""
    row = (
        await conn.execute(
            text("""
                SELECT r.lot_id, r.unit_id, b.lot_id AS block_lot_id
                FROM (SELECT CAST(:number AS bigint) AS number) w
                LEFT JOIN LATERAL (SELECT lo, n, lot_id, unit_id FROM code_run WHERE lo <= w.number
                                   ORDER BY lo DESC LIMIT 1) r ON w.number < r.lo + r.n
                LEFT JOIN LATERAL (SELECT lo, n, lot_id FROM number_block WHERE lo <= w.number
                                   ORDER BY lo DESC LIMIT 1) b ON w.number < b.lo + b.n
            """),
            {"number": number},
        )
    ).one()
    return Whereabouts(row.lot_id, row.unit_id, row.block_lot_id)


async def unit_by_uri(conn: AsyncConnection, uri: str) -> int | None:
    """The unit of this canonical URI."""
    return (await conn.execute(select(t.unit.c.unit_id).where(t.unit.c.uri == uri))).scalar_one_or_none()
