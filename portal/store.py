"""The portal's own reads: published views into a snapshot, whole or what is new since a watermark."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

import asyncpg
import orjson

from portal import column_store
from portal.codes import NO_BLOCKS, Blocks, BlockTable, Keys
from portal.columns import RecordTooLarge
from portal.intervals import NO_RUNS, Layered, Runs
from portal.lots import NO_LOTS, Lots, LotTable
from portal.model import CheckPolicy, Place, Product, Recall
from portal.scopes import Scopes
from portal.snapshot import Snapshot
from runtime.connecting import DatabaseIsStandby

LOAD_WITHIN_S: Final = 600
SWEEP_WITHIN_S: Final = 4
FETCH_ROWS: Final = 500
"""Rows taken at a time (about 2 ms), so that a large load lets scans pass in between."""
NEWS_ROWS_MAX: Final = 20_000
"""More news than this in a view that is read row by row are not laid over the snapshot: it is loaded anew."""
NEWS_COLUMN_ROWS_MAX: Final = 100_000
"""The same for views that are read in columns, and for all news over one base."""

# The greatest changed_in is the last entry of an index; whether one is >= a watermark, a planner may ask all rows.
# Whether the server follows another is asked with the rest: behind a pooler it may change while we are connected.
_HEAD = """
    SELECT pg_is_in_recovery() AS follows, revision, losses, public_watermark() AS watermark,
           (SELECT max(changed_in) FROM public_product) AS products,
           (SELECT max(changed_in) FROM public_lot) AS lots,
           (SELECT max(changed_in) FROM public_place) AS places,
           (SELECT max(changed_in) FROM public_location) AS locations,
           (SELECT max(changed_in) FROM public_number_block) AS blocks,
           (SELECT max(changed_in) FROM public_foreign_serial) AS serials,
           (SELECT max(changed_in) FROM public_code_run) AS runs,
           (SELECT max(changed_in) FROM public_void_code) AS voids
    FROM public_revision"""
_PRODUCTS = (
    "SELECT product_id, gtin, name, brand, texts, profile, ours, date_kind, allergens, image, changed_in, checks"
    " FROM public_product JOIN public_check_policy USING (product_id) WHERE changed_in >= $1"
)
_PLACES = "SELECT place_id, kind, region, country FROM public_place WHERE changed_in >= $1"
_LOCATIONS = "SELECT key, gln, kind, region, country FROM public_location WHERE changed_in >= $1"
_FOREIGN = "SELECT gtin, serial, number FROM public_foreign_serial WHERE changed_in >= $1"
_KEYS = "SELECT epoch, wrapped FROM public_code_key"
_RECALLS = (
    "SELECT case_id, number, version, kind, state, title, hazard, hazard_class, texts, contact, published_at,"
    " updated_at, revision FROM public_recall"
)
_VIEWS: Final = ("products", "lots", "places", "locations", "blocks", "serials", "runs", "voids")
_RECALL_REVISIONS = "SELECT case_id, revision FROM public_recall"


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
        """So many news lie over the base that they should be merged with it, well before ``NEWS_COLUMN_ROWS_MAX``."""
        return _news_size(self.snapshot) > NEWS_COLUMN_ROWS_MAX // 4

    @property
    def is_full(self) -> bool:
        """So many serials were told since the load, each a Python object, that it should be loaded anew."""
        return len(self.snapshot.foreign.apart) > NEWS_ROWS_MAX // 2

    def merged(self) -> Loaded:
        """The same with the news in the base: long, for a thread. It follows from the same watermark."""
        old = self.snapshot
        snapshot = replace(
            old, lots=old.lots.merged(), blocks=old.blocks.merged(), runs=old.runs.merged(), voids=old.voids.merged()
        )
        return replace(self, snapshot=snapshot)


class TooMuchNews(Exception):
    """More changed since the last look than is laid over a snapshot; the caller loads it anew."""


async def load(connection: asyncpg.Connection, master_secret: str) -> Loaded:
    """Everything that is published, from one consistent view of the database.

    Raises ``serials.keys.KeysError`` when the master secret does not open the keys, ``columns.RecordTooLarge``, and
    ``DatabaseIsStandby``: what a server tells that follows another may be behind, and would be confirmed as of now.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        await connection.execute(f"SET LOCAL statement_timeout = '{LOAD_WITHIN_S}s'")
        head = await _head(connection)
        products = [_product(row) async for row in _rows(connection, _PRODUCTS)]
        recalls = [_recall(row) for row in await connection.fetch(_RECALLS)]
        snapshot = Snapshot(
            revision=head["revision"],
            keys=await _keys(connection, master_secret, None),
            products={product.gtin: product for product in products},
            products_by_id={product.product_id: product for product in products},
            places={row["place_id"]: _place(row) async for row in _rows(connection, _PLACES)},
            locations={(row["key"], row["gln"]): _place(row) async for row in _rows(connection, _LOCATIONS)},
            lots=Lots(await column_store.lots(connection, 0)),
            blocks=Blocks(await column_store.blocks(connection, 0)),
            foreign=await column_store.foreign(connection),
            runs=Layered(await column_store.runs(connection, 0)),
            voids=Layered(await column_store.voids(connection, 0)),
            scopes=Scopes.of_columns(recalls, await column_store.scope(connection)),
        )
    return Loaded(snapshot, head["watermark"], head["losses"])


async def catch_up(connection: asyncpg.Connection, loaded: Loaded, master_secret: str) -> Loaded:
    """The same copy with everything that was committed since; the same object when nothing was.

    Raises ``TooMuchNews``, also when the public record went back, which only a restored database does; and
    ``DatabaseIsStandby``.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        await connection.execute(f"SET LOCAL statement_timeout = '{SWEEP_WITHIN_S}s'")
        head = await _head(connection)
        if head["revision"] < loaded.snapshot.revision or head["watermark"] < loaded.watermark:
            raise TooMuchNews
        try:
            snapshot = await _with_news(connection, loaded.snapshot, head, loaded.watermark, master_secret)
        except RecordTooLarge as error:
            raise TooMuchNews from error
        if head["revision"] != loaded.snapshot.revision:
            scopes = await _scopes(connection, snapshot.scopes)
            snapshot = replace(snapshot, revision=head["revision"], scopes=scopes)
    losses_since = head["losses"] - loaded.losses
    if snapshot is loaded.snapshot and (head["watermark"], losses_since) == (loaded.watermark, loaded.losses_since):
        return loaded
    return Loaded(snapshot, head["watermark"], loaded.losses, losses_since)


@dataclass(frozen=True, slots=True)
class _News:
    """What changed since a look."""

    products: list[Product]
    lots: LotTable
    places: dict[int, Place]
    locations: dict[tuple[str, str], Place]
    blocks: BlockTable
    foreign: list[tuple[str, str, int]]
    runs: Runs
    voids: Runs


async def _with_news(
    connection: asyncpg.Connection, old: Snapshot, head: Any, since: int, master_secret: str
) -> Snapshot:
    """Only views in which something changed are read: most looks find none."""

    def has(view: str) -> bool:
        return head[view] is not None and head[view] >= since

    async def rows(view: str, sql: str) -> list[Any]:
        return await _news(connection, sql, since) if has(view) else []

    if not any(has(view) for view in _VIEWS):
        return old
    limit = NEWS_COLUMN_ROWS_MAX
    news = _News(
        products=[_product(row) for row in await rows("products", _PRODUCTS)],
        lots=await column_store.lots(connection, since, limit) if has("lots") else NO_LOTS,
        places={row["place_id"]: _place(row) for row in await rows("places", _PLACES)},
        locations={(row["key"], row["gln"]): _place(row) for row in await rows("locations", _LOCATIONS)},
        blocks=await column_store.blocks(connection, since, limit) if has("blocks") else NO_BLOCKS,
        foreign=[(row["gtin"], row["serial"], row["number"]) for row in await rows("serials", _FOREIGN)],
        runs=await column_store.runs(connection, since, limit) if has("runs") else NO_RUNS,
        voids=await column_store.voids(connection, since, limit) if has("voids") else NO_RUNS,
    )
    keys = await _keys(connection, master_secret, old.keys) if news.blocks.size or old.keys is None else old.keys
    # In a thread: laying ten thousand changed runs over others takes longer than a scan may wait.
    found = await asyncio.to_thread(_laid_over, replace(old, keys=keys), news)
    if _news_size(found) > NEWS_COLUMN_ROWS_MAX:
        raise TooMuchNews
    return found


def _news_size(snapshot: Snapshot) -> int:
    return sum((snapshot.lots.news.size, snapshot.blocks.news.size, snapshot.runs.news.size, snapshot.voids.news.size))


def _laid_over(old: Snapshot, news: _News) -> Snapshot:
    products = {product.gtin: product for product in news.products}
    by_id = {product.product_id: product for product in news.products}
    return replace(
        old,
        products={**old.products, **products} if products else old.products,
        products_by_id={**old.products_by_id, **by_id} if by_id else old.products_by_id,
        places={**old.places, **news.places} if news.places else old.places,
        locations={**old.locations, **news.locations} if news.locations else old.locations,
        lots=old.lots.with_news(news.lots),
        blocks=old.blocks.with_news(news.blocks),
        foreign=old.foreign.with_news(news.foreign),
        runs=old.runs.with_news(news.runs),
        voids=old.voids.with_news(news.voids),
    )


async def _head(connection: asyncpg.Connection) -> Any:
    head = await connection.fetchrow(_HEAD)
    if head["follows"]:
        raise DatabaseIsStandby
    return head


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


async def _keys(connection: asyncpg.Connection, master_secret: str, old: Keys | None) -> Keys:
    wrapped = {row["epoch"]: row["wrapped"] for row in await connection.fetch(_KEYS)}
    if old is not None and old.epochs == frozenset(wrapped):
        return old
    return Keys(wrapped, master_secret)


async def _scopes(connection: asyncpg.Connection, old: Scopes) -> Scopes:
    """The published cases, of which only those are read that were published or changed since."""
    now = {row["case_id"]: row["revision"] for row in await connection.fetch(_RECALL_REVISIONS)}
    before = {case_id: recall.revision for case_id, recall in old.recalls.items()}
    changed = {case_id for case_id, revision in now.items() if before.get(case_id) != revision}
    recalls = [_recall(row) for row in await connection.fetch(f"{_RECALLS} WHERE case_id = ANY ($1)", list(changed))]
    newer = await column_store.scope(connection, changed)
    told: Collection[int] = changed | (before.keys() - now.keys())
    columns = await asyncio.to_thread(old.columns.replaced, told, newer)
    kept = {case_id: recall for case_id, recall in old.recalls.items() if case_id not in told}
    return Scopes(MappingProxyType(kept | {recall.case_id: recall for recall in recalls}), columns)


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
