"""A generated factory for the trace benchmark, written by COPY: raw lots become premixes, those become finished lots.

The same facts stand in the ledger's own tables and, as the reference, in one table of EPCIS events. An ordinary raw lot
reaches about as many finished lots however large the factory is; one raw lot, the salt, goes into every fourth premix,
or into so few that it reaches about as many finished lots in a large factory as in a small one.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import asyncpg
import orjson

from gs1.check_digit import compute
from runtime.database import DatabaseAddress, Role

ITEMS_PER_LOT: Final = 10_000
SHOPS: Final = 200
SALT_LOT: Final = 1
_SALT_EVERY: Final = 4
_RAW_PER_PREMIX, _PREMIX_PER_FINISHED, _HOLDERS_PER_LOT = 3, 2, 3
_FINISHED_PER_PREMIX: Final = 8
"""A premix goes into about so many finished lots: there are four to each premix, and two premixes in each."""
_FIRST_DAY: Final = datetime(2026, 1, 1, tzinfo=UTC)
_YEAR: Final = timedelta(days=300)
_LAG: Final = timedelta(days=5)
_SEED: Final = 20260101
_CHANNELS: Final = ("retail", "wholesale", "online", "food_service", "direct")
_KINDS: Final = ("raw", "premix", "finished")
_FINISHED: Final = 2
_KG_USED, _KG_MADE = 100, 1_000
SALTED_SHARE: Final = 0.5
"""About so many of the finished lots have salt in them."""

EVENTS_FIRST: Final = """
CREATE TABLE reference_event (event_id bigint PRIMARY KEY, event_time timestamptz NOT NULL, body jsonb NOT NULL,
                              inputs text[] NOT NULL, things text[] NOT NULL);
"""
EVENTS_FIRST_INDEXES: Final = """
CREATE INDEX ON reference_event USING gin (inputs);
CREATE INDEX ON reference_event USING gin (things);
GRANT SELECT ON reference_event TO tracemark_staff;
"""
_PATIENCE_S: Final = 600.0
"""Longest single step of writing the reference."""
_SHIPPED_AS_EVENTS: Final = """
INSERT INTO reference_event (event_id, event_time, body, inputs, things)
SELECT (SELECT max(event_id) FROM reference_event) + row_number() OVER (), h.since,
       $1::jsonb || jsonb_build_object(
           'quantityList',
           jsonb_build_array(jsonb_build_object('epcClass', n.epc_class, 'quantity', h.quantity::bigint)),
           'destinationList', jsonb_build_array(
               jsonb_build_object('type', 'owning_party', 'destination', 'urn:party:' || h.owner_id))),
       '{}', ARRAY[n.epc_class]
FROM lot_holding h JOIN lot l USING (lot_id)
CROSS JOIN LATERAL (SELECT 'https://id.gs1.org/01/' || ($2::text[])[l.product_id] || '/10/' || l.code) AS n (epc_class)
"""
"""The holdings as EPCIS events: one shipping event per lot and shop, made in the server as that is quicker."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One making of one lot from others."""

    operation_id: int
    at: datetime
    inputs: tuple[int, ...]
    output: int


@dataclass(frozen=True, slots=True)
class GenealogyWorld:
    """What a factory with ``finished`` finished lots consists of; lots are numbered raw, premix, finished from 1.

    ``asked`` is how many ordinary lots of a kind are asked for. ``salted`` is about how many finished lots the salt
    reaches; None: half of them.
    """

    finished: int
    asked: int
    salted: int | None = None

    @property
    def premixes(self) -> int:
        return max(self.finished // 4, 8)

    @property
    def raw(self) -> int:
        return max(self.finished // 8, 8)

    @property
    def lots(self) -> int:
        return self.raw + self.premixes + self.finished

    @property
    def salt_every(self) -> int:
        """One premix of so many has salt in it."""
        if self.salted is None:
            return _SALT_EVERY
        return max(_SALT_EVERY, self.premixes * _FINISHED_PER_PREMIX // self.salted)

    def kind_of(self, lot_id: int) -> int:
        """0 raw, 1 premix, 2 finished."""
        return (lot_id > self.raw) + (lot_id > self.raw + self.premixes)

    def is_finished(self, lot_id: int) -> bool:
        """Whether it is a lot of finished goods, which come in items."""
        return self.kind_of(lot_id) == _FINISHED

    def gtin(self, lot_id: int) -> str:
        """The product of a lot: one of three."""
        return gtin_of(self.kind_of(lot_id))

    def epc_class(self, lot_id: int) -> str:
        """The lot as EPCIS writes it."""
        return f"https://id.gs1.org/01/{self.gtin(lot_id)}/10/L{lot_id}"

    def ordinary_raw_lots(self) -> list[int]:
        """Raw lots spread over the year, the salt not among them."""
        return [2 + k * (self.raw - 2) // self.asked for k in range(self.asked)]

    def premix_lots(self) -> list[int]:
        """Premix lots spread over the year: they have raw lots above and finished lots below."""
        return [self.raw + 1 + k * (self.premixes - 1) // self.asked for k in range(self.asked)]

    def finished_lots(self) -> list[int]:
        """Finished lots spread over the year."""
        return [self.raw + self.premixes + 1 + k * (self.finished - 1) // self.asked for k in range(self.asked)]

    def operations(self) -> Iterator[Operation]:
        """Premixes from raw lots of their days (and salt), finished lots from premixes of theirs."""
        for k in range(self.premixes):
            raws = _window(k, self.premixes, self.raw - 1, _RAW_PER_PREMIX, first=2)
            salt = (SALT_LOT,) if k % self.salt_every == 0 else ()
            yield Operation(k + 1, _day(k, self.premixes, _LAG), raws + salt, self.raw + 1 + k)
        for k in range(self.finished):
            mixes = _window(k, self.finished, self.premixes, _PREMIX_PER_FINISHED, first=self.raw + 1)
            number = self.premixes + 1 + k
            # In a small factory premixes are weeks apart, and the newest of these may be made after the usual day.
            newest = _day(max(mixes) - self.raw - 1, self.premixes, 2 * _LAG)
            at = max(_day(k, self.finished, 2 * _LAG), newest)
            yield Operation(number, at, mixes, self.raw + self.premixes + 1 + k)

    def holdings(self) -> Iterator[tuple[int, int, int]]:
        """(lot, party and place, pieces) of each finished lot, in three shops each."""
        chosen = random.Random(_SEED)
        part, rest = divmod(ITEMS_PER_LOT, _HOLDERS_PER_LOT)
        for lot_id in range(self.raw + self.premixes + 1, self.lots + 1):
            shops = chosen.sample(range(1, SHOPS + 1), _HOLDERS_PER_LOT)
            for place, shop in enumerate(shops):
                yield lot_id, shop, part + (rest if place == 0 else 0)


def gtin_of(kind: int) -> str:
    """The GTIN of raw, premix or finished goods (fictitious range 0952)."""
    body = f"0952{kind + 1:09d}"
    return body + compute(body)


async def write(
    address: DatabaseAddress, world: GenealogyWorld, tell: Callable[[str], None] = lambda _said: None
) -> None:
    """Fill an empty database with the world, in the ledger's tables and as events first; tells how long each took."""
    conn = await address.connect(Role.LOGIN)
    try:
        began = time.perf_counter()
        async with conn.transaction():
            # References are not looked up row by row: that is half the time of a factory of a million lots.
            await conn.execute("SET LOCAL session_replication_role = replica")
            await _write_master_data(conn, world)
            await _write_operations(conn, world)
            await _write_holdings(conn, world)
        written = time.perf_counter()
        async with conn.transaction():
            await conn.execute(EVENTS_FIRST)
            columns = ("event_id", "event_time", "body", "inputs", "things")
            await _copy(conn, "reference_event", columns, _made_as_events(world))
            shipping = orjson.dumps(_shipping()).decode()
            await conn.execute(_SHIPPED_AS_EVENTS, shipping, [*map(gtin_of, range(3))], timeout=_PATIENCE_S)
            await conn.execute(EVENTS_FIRST_INDEXES, timeout=_PATIENCE_S)
        took = (written - began, time.perf_counter() - written)
        tell(f"{world.lots:,} lots by COPY in {took[0]:.1f} s, and as events in {took[1]:.1f} s")
        await conn.execute("ANALYZE")
    finally:
        await conn.close()


async def _write_master_data(conn: asyncpg.Connection, world: GenealogyWorld) -> None:
    shops = range(1, SHOPS + 1)
    parties = ((k, f"urn:party:{k}", f"Shop {k}", "retailer", _CHANNELS[k % len(_CHANNELS)]) for k in shops)
    await _copy(conn, "party", ("party_id", "uri", "name", "role", "channel"), parties)
    await _copy(
        conn,
        "place",
        ("place_id", "uri", "name", "kind", "party_id"),
        ((k, f"urn:place:{k}", f"Shop {k}", "store", k) for k in shops),
    )
    products = ((kind + 1, gtin_of(kind), name) for kind, name in enumerate(_KINDS))
    await _copy(conn, "product", ("product_id", "gtin", "name"), products)
    lots = ((lot_id, world.kind_of(lot_id) + 1, f"L{lot_id}") for lot_id in range(1, world.lots + 1))
    await _copy(conn, "lot", ("lot_id", "product_id", "code"), lots)


async def _write_operations(conn: asyncpg.Connection, world: GenealogyWorld) -> None:
    made = list(world.operations())
    events = (
        (
            op.operation_id,
            "TransformationEvent",
            op.at,
            "+00:00",
            op.at,
            f"urn:event:{op.operation_id}",
            f"{op.operation_id}",
            "{}",
            "benchmark",
        )
        for op in made
    )
    columns = (
        "event_id",
        "type",
        "event_time",
        "event_offset",
        "record_time",
        "source_id",
        "hash",
        "body",
        "captured_by",
    )
    await _copy(conn, "event", columns, events)
    await _copy(conn, "operation", ("operation_id", "event_id"), ((op.operation_id, op.operation_id) for op in made))
    link = ("operation_id", "lot_id", "at", "event_id", "quantity", "uom")
    inputs = ((op.operation_id, lot_id, op.at, op.operation_id, _KG_USED, "KGM") for op in made for lot_id in op.inputs)
    await _copy(conn, "operation_input", link, inputs)
    told = ((ITEMS_PER_LOT, "") if world.is_finished(op.output) else (_KG_MADE, "KGM") for op in made)
    outputs = (
        (op.operation_id, op.output, op.at, op.operation_id, *amount) for op, amount in zip(made, told, strict=True)
    )
    await _copy(conn, "operation_output", link, outputs)


async def _write_holdings(conn: asyncpg.Connection, world: GenealogyWorld) -> None:
    columns = ("lot_id", "place_id", "owner_id", "disposition", "uom", "quantity", "since")
    since = _FIRST_DAY + _YEAR
    rows = ((lot_id, shop, shop, "sellable_accessible", "", pieces, since) for lot_id, shop, pieces in world.holdings())
    await _copy(conn, "lot_holding", columns, rows)


def _made_as_events(world: GenealogyWorld) -> Iterator[tuple[int, datetime, str, list[str], list[str]]]:
    """The same making as EPCIS events: a transformation for each operation."""
    for op in world.operations():
        inputs, output = [world.epc_class(lot_id) for lot_id in op.inputs], world.epc_class(op.output)
        body = _body("TransformationEvent", op.at, "commissioning") | {
            "inputQuantityList": [_quantity(epc_class) for epc_class in inputs],
            "outputQuantityList": [_quantity(output, ITEMS_PER_LOT)],
        }
        yield op.operation_id, op.at, orjson.dumps(body).decode(), inputs, [*inputs, output]


def _shipping() -> dict[str, Any]:
    """What all shipping events have in common."""
    return _body("ObjectEvent", _FIRST_DAY + _YEAR, "shipping") | {"action": "OBSERVE"}


def _body(kind: str, at: datetime, step: str) -> dict[str, Any]:
    return {
        "type": kind,
        "eventTime": at.isoformat(),
        "eventTimeZoneOffset": "+00:00",
        "bizStep": step,
        "readPoint": {"id": "urn:place:1"},
        "bizLocation": {"id": "urn:place:1"},
    }


def _quantity(epc_class: str, pieces: int | None = None) -> dict[str, Any]:
    return {"epcClass": epc_class} | ({} if pieces is None else {"quantity": pieces})


def _window(k: int, of: int, sources: int, width: int, *, first: int) -> tuple[int, ...]:
    """``width`` neighbouring sources at the same share of the year as the ``k``-th thing that is made of them."""
    width = min(width, sources)
    start = min(k * sources // of, sources - width)
    return tuple(range(first + start, first + start + width))


def _day(k: int, of: int, lag: timedelta) -> datetime:
    return _FIRST_DAY + _YEAR * k / of + lag


async def _copy(conn: asyncpg.Connection, table: str, columns: tuple[str, ...], rows: Any) -> None:
    await conn.copy_records_to_table(table, columns=columns, records=rows)
