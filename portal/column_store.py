"""The large published views, read into columns: lots, issued blocks, runs, voided labels, serials, scopes of cases."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Final

import asyncpg

from portal import columns
from portal.codes import BLOCKS_MAX, FOREIGN_MAX, BlockTable, ForeignSerials
from portal.columns import row_form
from portal.intervals import RUNS_MAX, Runs
from portal.lots import LOTS_MAX, LotColumns, LotTable
from portal.scope_columns import SCOPE_ROWS_MAX, ScopeColumns
from portal.text_index import Texts

# Days are Python's ordinals, 0 for none; statuses are their places in STATUSES. An unknown status is a missing value.
_LOTS = (
    "SELECT lot_id, product_id, made_at_place_id, changed_in, coalesce(made_on - DATE '0001-01-01' + 1, 0),"
    " coalesce(best_before_on - DATE '0001-01-01' + 1, 0), octet_length(code),"
    " CASE status WHEN 'released' THEN 0 WHEN 'held' THEN 1 WHEN 'rejected' THEN 2 END::int2"
)
_FROM_LOTS = "FROM public_lot WHERE changed_in >= {since} ORDER BY lot_id"
_LOT_FORM: Final = row_form(
    lot_id=">i8", product_id=">i8", made_at=">i8", changed_in=">i8", made_on=">i4", best_before_on=">i4",
    octets=">i4", status=">i2",
)  # fmt: skip
_BLOCKS = "SELECT lo, n, coalesce(gtin::int8, -1), coalesce(lot_id, -1), coalesce(key_epoch, -1)"
_FROM_BLOCKS = "FROM public_number_block WHERE kind = 'label' AND changed_in >= {since} ORDER BY lo"
_BLOCK_FORM: Final = row_form(lo=">i8", n=">i8", gtin=">i8", lot_id=">i8", epoch=">i4")
_SKIPPED = "SELECT lo, skipped FROM public_number_block WHERE kind = 'label' AND skipped <> '{}' AND changed_in >= $1"
_RUNS = "SELECT lo, n, lot_id, status"
_FROM_RUNS = "FROM public_code_run WHERE changed_in >= {since} ORDER BY lo"
_VOIDS = "SELECT lo, n, 0::int8, 0::int2"
_FROM_VOIDS = "FROM public_void_code WHERE changed_in >= {since} ORDER BY lo"
_RUN_FORM: Final = row_form(lo=">i8", n=">i8", lot_id=">i8", state=">i2")
_FOREIGN = "SELECT number, gtin::int8, octet_length(serial)"
_FROM_FOREIGN = "FROM public_foreign_serial ORDER BY number"
_FOREIGN_FORM: Final = row_form(number=">i8", gtin=">i8", octets=">i4")
_SCOPES = "SELECT s.case_id, s.lot_id, coalesce(s.lo, -1), coalesce(s.n, 0), coalesce(l.product_id, -1)"
_FROM_SCOPES = "FROM public_recall_scope s LEFT JOIN public_lot l USING (lot_id)"
_SCOPE_FORM: Final = row_form(case=">i8", lot=">i8", lo=">i8", n=">i8", product=">i8")


async def lots(connection: asyncpg.Connection, since: int, rows_max: int = LOTS_MAX) -> LotTable:
    """Published lots that changed at or after a watermark; 0 is all. Raises ``RecordTooLarge``."""
    source = _FROM_LOTS.format(since=since)
    read = await columns.numbers(connection, _LOTS, source, _LOT_FORM, rows_max=rows_max, what="lots")
    codes = await columns.texts(connection, f"SELECT code {source}")
    return await asyncio.to_thread(_lot_table, read, codes)


async def blocks(connection: asyncpg.Connection, since: int, rows_max: int = BLOCKS_MAX) -> BlockTable:
    """Numbers issued to label jobs. Raises ``RecordTooLarge``."""
    source = _FROM_BLOCKS.format(since=since)
    read = await columns.numbers(connection, _BLOCKS, source, _BLOCK_FORM, rows_max=rows_max, what="issued blocks")
    skipped = {row["lo"]: frozenset(row["skipped"]) async for row in connection.cursor(_SKIPPED, since, prefetch=1000)}
    return BlockTable(**read, skipped=skipped)


async def runs(connection: asyncpg.Connection, since: int, rows_max: int = RUNS_MAX) -> Runs:
    """What is known of numbers. Raises ``RecordTooLarge``."""
    return await _runs(connection, _RUNS, _FROM_RUNS.format(since=since), rows_max, "runs of items")


async def voids(connection: asyncpg.Connection, since: int, rows_max: int = RUNS_MAX) -> Runs:
    """Numbers whose labels were voided. Raises ``RecordTooLarge``."""
    return await _runs(connection, _VOIDS, _FROM_VOIDS.format(since=since), rows_max, "voided labels")


async def foreign(connection: asyncpg.Connection) -> ForeignSerials:
    """All serials from outside. Raises ``RecordTooLarge``."""
    what, limit = "serials from outside", FOREIGN_MAX
    read = await columns.numbers(connection, _FOREIGN, _FROM_FOREIGN, _FOREIGN_FORM, rows_max=limit, what=what)
    serials = await columns.texts(connection, f"SELECT serial {_FROM_FOREIGN}")
    return await asyncio.to_thread(_foreign_table, read, serials)


async def scope(connection: asyncpg.Connection, cases: Collection[int] | None = None) -> ScopeColumns:
    """What published cases name: all of them, or these. Raises ``RecordTooLarge``."""
    chosen = "" if cases is None else f" WHERE s.case_id = ANY ('{{{','.join(map(str, sorted(cases)))}}}')"
    what, limit = "lots and runs in cases", SCOPE_ROWS_MAX
    source = _FROM_SCOPES + chosen
    read = await columns.numbers(connection, _SCOPES, source, _SCOPE_FORM, rows_max=limit, what=what)
    return await asyncio.to_thread(lambda: ScopeColumns.of_columns(**read))


async def _runs(connection: asyncpg.Connection, select: str, source: str, rows_max: int, what: str) -> Runs:
    read = await columns.numbers(connection, select, source, _RUN_FORM, rows_max=rows_max, what=what)
    return Runs(**read)


def _lot_table(read: columns.Columns, codes: bytearray) -> LotTable:
    octets = read["octets"].astype("int64")
    return LotTable.of_columns(
        LotColumns(
            lot_id=read["lot_id"],
            product_id=read["product_id"],
            made_on=read["made_on"],
            best_before_on=read["best_before_on"],
            status=read["status"],
            made_at=read["made_at"],
            changed_in=read["changed_in"],
            codes=Texts.of_heap(columns.heap_of(codes, octets), octets),
        )
    )


def _foreign_table(read: columns.Columns, serials: bytearray) -> ForeignSerials:
    octets = read["octets"].astype("int64")
    texts = Texts.of_heap(columns.heap_of(serials, octets), octets)
    return ForeignSerials.of_columns(read["gtin"], texts, read["number"])
