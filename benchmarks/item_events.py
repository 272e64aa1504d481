"""The second reference of the trace benchmark: EPCIS events that name every single item, with a GIN index over them.

That is how an event store without ranges keeps serialized goods. It is given a factory of its own, small enough to fit:
each item is written into the array of the event that made it and again into that of the event that shipped it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from benchmarks.genealogy_world import ITEMS_PER_LOT, GenealogyWorld
from runtime.database import DatabaseAddress, Role

FINISHED: Final = 8
"""Finished lots of its factory: 80,000 items."""
EPCS_AT_ONCE: Final = 100
"""Items that one event names, and one query asks for: an overlap of arrays costs the product of their lengths."""
_AT: Final = datetime(2026, 11, 1, tzinfo=UTC)
_TABLE: Final = """
CREATE TABLE item_event (event_id bigint PRIMARY KEY, event_time timestamptz NOT NULL, body jsonb NOT NULL,
                         inputs text[] NOT NULL, things text[] NOT NULL);
"""
_INDEXES: Final = """
CREATE INDEX ON item_event USING gin (inputs);
CREATE INDEX ON item_event USING gin (things);
GRANT SELECT ON item_event TO tracemark_staff;
ANALYZE item_event;
"""


async def write(address: DatabaseAddress, world: GenealogyWorld) -> None:
    """The same factory as events that name every item."""
    conn = await address.connect(Role.OWNER)
    try:
        await conn.execute(_TABLE)
        columns = ("event_id", "event_time", "body", "inputs", "things")
        rows = ((number, *row) for number, row in enumerate(_events(world)))
        await conn.copy_records_to_table("item_event", columns=columns, records=rows)
        await conn.execute(_INDEXES)
    finally:
        await conn.close()


async def holders_downstream(conn: AsyncConnection, epc_class: str) -> tuple[int, int, int]:
    """Lots reached, items held and queries: level by level, then every item asked for in the shipping events."""
    await conn.execute(text("SET LOCAL enable_seqscan = off"))  # a table this small would be read whole each time
    lots, level, items, queries = {epc_class}, [epc_class], set[str](), 0
    while level:
        queries += 1
        made: set[str] = set()
        for body in await _matching(conn, "inputs", level):
            made |= {line["epcClass"] for line in body["outputQuantityList"]}
            items |= set(body.get("outputEPCList", ()))
        level = sorted(made - lots)
        lots |= made
    held, wanted, seen = Counter[str](), sorted(items), set[int]()
    for some in _chunks(wanted):
        queries += 1
        for body in await _matching(conn, "things", some):
            if body["type"] == "ObjectEvent" and body["number"] not in seen:
                seen.add(body["number"])
                held[body["destination"]] += sum(epc in items for epc in body["epcList"])
    return len(lots), sum(held.values()), queries


async def _matching(conn: AsyncConnection, column: str, names: list[str]) -> list[dict[str, Any]]:
    sql = text(f"SELECT CAST(body AS text) FROM item_event WHERE {column} && CAST(:wanted AS text[])")
    return [orjson.loads(body) for body in (await conn.execute(sql, {"wanted": names})).scalars()]


def _events(world: GenealogyWorld) -> Iterator[tuple[datetime, str, list[str], list[str]]]:
    for op in world.operations():
        inputs, output = [world.epc_class(lot_id) for lot_id in op.inputs], world.epc_class(op.output)
        made = {"type": "TransformationEvent", "outputQuantityList": [{"epcClass": output}]}
        for items in _chunks(_items(world, op.output, 0, ITEMS_PER_LOT if world.is_finished(op.output) else 0)) or [[]]:
            yield op.at, orjson.dumps({**made, "outputEPCList": items}).decode(), inputs, items
    begins, number = Counter[int](), 0
    for lot_id, shop, pieces in world.holdings():
        for items in _chunks(_items(world, lot_id, begins[lot_id], pieces)):
            number += 1
            shipped = {"type": "ObjectEvent", "number": number, "destination": f"urn:party:{shop}", "epcList": items}
            yield _AT + timedelta(minutes=number), orjson.dumps(shipped).decode(), [], items
        begins[lot_id] += pieces


def _chunks(items: list[str]) -> list[list[str]]:
    return [items[start : start + EPCS_AT_ONCE] for start in range(0, len(items), EPCS_AT_ONCE)]


def _items(world: GenealogyWorld, lot_id: int, begin: int, count: int) -> list[str]:
    link = f"https://id.gs1.org/01/{world.gtin(lot_id)}/21/L{lot_id}-"
    return [f"{link}{n}" for n in range(begin, begin + count)]
