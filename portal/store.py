"""The portal's own reads: published views into a snapshot, whole or what is new since a watermark."""

from __future__ import annotations

import asyncio
import io
import secrets
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

import asyncpg
import numpy as np
import orjson

from portal.codes import Block, Blocks, ForeignSerials, Keys
from portal.intervals import NO_RUNS, Layered, RunRow, Runs
from portal.lots import Lots, LotTable, lot_of
from portal.model import CheckPolicy, Lot, Place, Product, Recall
from portal.scopes import ScopeRow, Scopes
from portal.snapshot import Snapshot

LOAD_WITHIN_S: Final = 600
SWEEP_WITHIN_S: Final = 4
FETCH_ROWS: Final = 1_000
"""Rows taken at a time (about 3 ms), so that a large load lets scans pass in between."""
NEWS_ROWS_MAX: Final = 20_000
"""More news than this in one view are not laid over the snapshot: it is loaded anew."""

# One row in COPY's binary form: the count of fields, then each field after its length.
_LENGTH: Final = ">i4"
_RUN_FIELDS: Final = (("lo", ">i8"), ("n", ">i8"), ("lot_id", ">i8"), ("state", ">i2"))
_RUN_ROW = np.dtype(
    [("fields", ">i2"), *(pair for name, form in _RUN_FIELDS for pair in ((f"{name}_length", _LENGTH), (name, form)))]
)
_COPY_HEADER_BYTES: Final = 19  # signature, flags, length of the header extension (PostgreSQL, COPY, binary format)
_COPY_TRAILER_BYTES: Final = 2

_REVISION = "SELECT revision, losses, public_watermark() AS watermark FROM public_revision"
_PRODUCTS = (
    "SELECT product_id, gtin, name, brand, texts, profile, ours, date_kind, allergens, image, changed_in, checks"
    " FROM public_product JOIN public_check_policy USING (product_id) WHERE changed_in >= $1"
)
_LOTS = (
    "SELECT lot_id, product_id, code, made_on, best_before_on, status, made_at_place_id, changed_in"
    " FROM public_lot WHERE changed_in >= $1"
)
_PLACES = "SELECT place_id, kind, region, country FROM public_place WHERE changed_in >= $1"
_LOCATIONS = "SELECT key, gln, kind, region, country FROM public_location WHERE changed_in >= $1"
_BLOCKS = (
    "SELECT lo, n, gtin, lot_id, key_epoch, skipped FROM public_number_block WHERE kind = 'label' AND changed_in >= $1"
)
_FOREIGN = "SELECT gtin, serial, number FROM public_foreign_serial WHERE changed_in >= $1"
_RUNS = "SELECT lo, n, lot_id, status FROM public_code_run WHERE changed_in >= $1"
_ALL_RUNS = "SELECT lo, n, lot_id, status FROM public_code_run ORDER BY lo"
_VOIDS = "SELECT lo, n FROM public_void_code WHERE changed_in >= $1"
_KEYS = "SELECT epoch, wrapped FROM public_code_key"
_RECALLS = (
    "SELECT case_id, number, version, kind, state, title, hazard, hazard_class, texts, contact, published_at,"
    " updated_at, revision FROM public_recall"
)
_SCOPES = (
    "SELECT s.case_id, s.lot_id, s.lo, s.n, l.product_id"
    " FROM public_recall_scope s LEFT JOIN public_lot l USING (lot_id)"
)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A snapshot, the watermark from which the next news are to be read, and how often numbers had lost their run."""

    snapshot: Snapshot
    watermark: int
    losses: int = 0
    losses_since: int = 0
    """Losses after the load: news cannot take away, so the copy still shows what was lost."""

    @property
    def is_thick(self) -> bool:
        """So many news lie over the base that it should be loaded anew, well before ``NEWS_ROWS_MAX``."""
        news = len(self.snapshot.runs.news) + len(self.snapshot.lots.news) + len(self.snapshot.foreign.apart)
        return news > NEWS_ROWS_MAX // 2


class TooMuchNews(Exception):
    """More changed since the last look than is laid over a snapshot; the caller loads it anew."""


async def load(connection: asyncpg.Connection, master_secret: str) -> Loaded:
    """Everything that is published, from one consistent view of the database.

    Raises ``serials.keys.KeysError`` when the master secret does not open the keys.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        await connection.execute(f"SET LOCAL statement_timeout = '{LOAD_WITHIN_S}s'")
        head = await connection.fetchrow(_REVISION)
        products = [_product(row) async for row in _rows(connection, _PRODUCTS)]
        lots = [lot_of(row) async for row in _rows(connection, _LOTS)]
        foreign = [(row["gtin"], row["serial"], row["number"]) async for row in _rows(connection, _FOREIGN)]
        blocks = [_block(row) async for row in _rows(connection, _BLOCKS)]
        voids = [RunRow(row["lo"], row["n"]) async for row in _rows(connection, _VOIDS)]
        runs = await _all_runs(connection)
        snapshot = Snapshot(
            revision=head["revision"],
            keys=await _keys(connection, master_secret, None),
            products={product.gtin: product for product in products},
            products_by_id={product.product_id: product for product in products},
            places={row["place_id"]: _place(row) async for row in _rows(connection, _PLACES)},
            locations={(row["key"], row["gln"]): _place(row) async for row in _rows(connection, _LOCATIONS)},
            runs=Layered(runs),
            scopes=await _scopes(connection),
        )
    built = await asyncio.to_thread(_built, snapshot, lots, blocks, foreign, voids)
    return Loaded(built, head["watermark"], head["losses"])


async def catch_up(connection: asyncpg.Connection, loaded: Loaded, master_secret: str) -> Loaded:
    """The same copy with everything that was committed since; the same object when nothing was.

    Raises ``TooMuchNews``: also when the public record went back, which only a restored database does.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        await connection.execute(f"SET LOCAL statement_timeout = '{SWEEP_WITHIN_S}s'")
        head = await connection.fetchrow(_REVISION)
        if head["revision"] < loaded.snapshot.revision or head["watermark"] < loaded.watermark:
            raise TooMuchNews
        snapshot = await _with_news(connection, loaded.snapshot, loaded.watermark, master_secret)
        if head["revision"] != loaded.snapshot.revision:
            snapshot = replace(snapshot, revision=head["revision"], scopes=await _scopes(connection))
    losses_since = head["losses"] - loaded.losses
    if snapshot is loaded.snapshot and (head["watermark"], losses_since) == (loaded.watermark, loaded.losses_since):
        return loaded
    return Loaded(snapshot, head["watermark"], loaded.losses, losses_since)


@dataclass(frozen=True, slots=True)
class _News:
    """What changed since a look, as rows."""

    products: list[Product]
    lots: list[Lot]
    places: dict[int, Place]
    locations: dict[tuple[str, str], Place]
    blocks: list[Block]
    foreign: list[tuple[str, str, int]]
    runs: list[RunRow]
    voids: list[RunRow]

    def is_empty(self) -> bool:
        return not any(getattr(self, name) for name in self.__slots__)


async def _with_news(connection: asyncpg.Connection, old: Snapshot, since: int, master_secret: str) -> Snapshot:
    news = _News(
        products=[_product(row) for row in await _news(connection, _PRODUCTS, since)],
        lots=[lot_of(row) for row in await _news(connection, _LOTS, since)],
        places={row["place_id"]: _place(row) for row in await _news(connection, _PLACES, since)},
        locations={(row["key"], row["gln"]): _place(row) for row in await _news(connection, _LOCATIONS, since)},
        blocks=[_block(row) for row in await _news(connection, _BLOCKS, since)],
        foreign=[(row["gtin"], row["serial"], row["number"]) for row in await _news(connection, _FOREIGN, since)],
        runs=[_run(row) for row in await _news(connection, _RUNS, since)],
        voids=[RunRow(row["lo"], row["n"]) for row in await _news(connection, _VOIDS, since)],
    )
    keys = await _keys(connection, master_secret, old.keys) if news.blocks or old.keys is None else old.keys
    if keys is old.keys and news.is_empty():
        return old
    if len(old.runs.news) + len(news.runs) > NEWS_ROWS_MAX or len(old.lots.news) + len(news.lots) > NEWS_ROWS_MAX:
        raise TooMuchNews
    # In a thread: laying ten thousand changed runs over others takes longer than a scan may wait.
    return await asyncio.to_thread(_laid_over, replace(old, keys=keys), news)


def _laid_over(old: Snapshot, news: _News) -> Snapshot:
    products = {product.gtin: product for product in news.products}
    by_id = {product.product_id: product for product in news.products}
    return replace(
        old,
        products={**old.products, **products} if products else old.products,
        products_by_id={**old.products_by_id, **by_id} if by_id else old.products_by_id,
        places={**old.places, **news.places} if news.places else old.places,
        locations={**old.locations, **news.locations} if news.locations else old.locations,
        lots=old.lots.with_news(news.lots) if news.lots else old.lots,
        blocks=old.blocks.with_news(news.blocks),
        foreign=old.foreign.with_news(news.foreign),
        runs=old.runs.with_news(Runs.of(news.runs)) if news.runs else old.runs,
        voids=old.voids.with_news(Runs.of(news.voids)) if news.voids else old.voids,
    )


def _built(
    snapshot: Snapshot,
    lots: Iterable[Lot],
    blocks: list[Block],
    foreign: list[tuple[str, str, int]],
    voids: list[RunRow],
) -> Snapshot:
    return replace(
        snapshot,
        lots=Lots(LotTable.of(lots)),
        blocks=Blocks.of(blocks),
        foreign=ForeignSerials.of(foreign, secrets.token_bytes(16)),
        voids=Layered(Runs.of(voids)),
    )


async def _rows(connection: asyncpg.Connection, sql: str) -> AsyncIterator[Any]:
    async for row in connection.cursor(sql, 0, prefetch=FETCH_ROWS):
        yield row


async def _news(connection: asyncpg.Connection, sql: str, since: int) -> list[Any]:
    rows: list[Any] = []
    cursor = await connection.cursor(f"{sql} LIMIT {NEWS_ROWS_MAX + 1}", since)
    while more := await cursor.fetch(FETCH_ROWS):
        rows += more
    if len(rows) > NEWS_ROWS_MAX:
        raise TooMuchNews
    return rows


async def _all_runs(connection: asyncpg.Connection) -> Runs:
    """All runs in PostgreSQL's binary form, read into columns without a Python object per row."""
    received = io.BytesIO()
    await connection.copy_from_query(_ALL_RUNS, output=received, format="binary")
    body = received.getvalue()[_COPY_HEADER_BYTES:-_COPY_TRAILER_BYTES]
    if not body:
        return NO_RUNS
    rows = np.frombuffer(body, dtype=_RUN_ROW)
    lo, n, lot_id = (rows[name].astype(np.int64) for name in ("lo", "n", "lot_id"))
    return Runs(lo, n, lot_id, rows["state"].astype(np.int8))


async def _keys(connection: asyncpg.Connection, master_secret: str, old: Keys | None) -> Keys:
    wrapped = {row["epoch"]: row["wrapped"] for row in await connection.fetch(_KEYS)}
    if old is not None and old.epochs == frozenset(wrapped):
        return old
    return Keys(wrapped, master_secret)


async def _scopes(connection: asyncpg.Connection) -> Scopes:
    recalls = [_recall(row) for row in await connection.fetch(_RECALLS)]
    scope: list[ScopeRow] = []
    product_by_lot: dict[int, int] = {}
    async for row in connection.cursor(_SCOPES, prefetch=FETCH_ROWS):
        scope.append(ScopeRow(row["case_id"], row["lot_id"], row["lo"], row["n"]))
        if row["product_id"] is not None:
            product_by_lot[row["lot_id"]] = row["product_id"]
    return await asyncio.to_thread(Scopes.of, recalls, scope, product_by_lot)


def _product(row: Any) -> Product:
    return Product(
        product_id=row["product_id"],
        gtin=row["gtin"],
        name=row["name"],
        brand=row["brand"],
        texts=orjson.loads(row["texts"]),
        profile=row["profile"],
        ours=row["ours"],
        date_kind=row["date_kind"],
        allergens=tuple(row["allergens"]),
        image=row["image"],
        changed_in=row["changed_in"],
        checks=CheckPolicy(row["checks"]),
    )


def _recall(row: Any) -> Recall:
    values = dict(row) | {"texts": orjson.loads(row["texts"]), "contact": orjson.loads(row["contact"])}
    return Recall(**values)


def _place(row: Any) -> Place:
    return Place(row["kind"], row["region"], row["country"])


def _block(row: Any) -> Block:
    return Block(row["lo"], row["n"], row["gtin"], row["lot_id"], row["key_epoch"], frozenset(row["skipped"]))


def _run(row: Any) -> RunRow:
    return RunRow(row["lo"], row["n"], row["lot_id"], row["status"])
