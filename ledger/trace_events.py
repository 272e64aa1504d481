"""The events that a trace rests on, as one EPCIS 2.0 document that another installation can take in.

They are all events of the lots of the trace and of everything that these can depend on: what was in one unit with them,
and items whose lot was told later. Taken in by an empty installation they give the same trace. What Tracemark's own
label jobs commissioned by ranges of numbers is told by its serials, because only we know our numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from gs1 import digital_link
from gs1.identifier import Identifier
from ledger import codes, replay_store
from ledger.codes import KeyRing
from ledger.commissioning import CONTEXT
from ledger.epcis.identifiers import name_of
from ledger.epcis.master_data import INSPECTION
from ledger.epcis.validate import OWN_RANGES
from ledger.event_queries import shown
from ledger.event_query_store import Row
from ledger.statements import named_statements
from runtime.clock import Clock, rfc3339
from runtime.refusals import TooMany

EVENTS_MAX: Final = 50_000
"""Most events of one document."""
ITEMS_MAX: Final = 500_000
"""Most serials of our own label jobs that one document spells out."""

_SQL: Final = named_statements(Path(__file__).with_name("trace.sql"))
_EVENTS: Final = _SQL["events"].columns(body=JSONB)
_CBV: Final = "urn:epcglobal:cbv:mda#"
_VOCABULARY: Final = "urn:epcglobal:epcis:vtype:"
_ATTRIBUTES: Final = {
    "name": "name", "country": "countryCode", "region": "state", "city": "city", "address": "streetAddressOne",
    "owner": "owning_party", "brand": "brandName",
}  # fmt: skip


class TooManyEventsToExport(TooMany):
    """This trace rests on more than {events_max} events. Trace a lot of it instead, or take a backup."""


class TooManyItemsToExport(TooMany):
    """The events of this trace name more than {items_max} labels one by one. Trace a lot of it, or take a backup."""


async def event_ids_of(conn: AsyncConnection, lot_ids: Iterable[int]) -> set[int]:
    """The events of these lots and of all that they can depend on. Raises ``TooManyEventsToExport``."""
    events, lots, units = set[int](), set[int](), set[int]()
    fresh_lots, fresh_units = set(lot_ids), set[int]()
    while fresh_lots or fresh_units:
        fresh_lots |= await replay_store.nameless_beside(conn, fresh_lots) - lots
        lots |= fresh_lots
        units |= fresh_units
        touching, linking = await replay_store.events_touching(conn, fresh_lots, fresh_units)
        events |= touching
        if len(events) > EVENTS_MAX:
            raise TooManyEventsToExport(events_max=EVENTS_MAX)
        found_lots, found_units = await replay_store.things_of(conn, linking)
        fresh_lots, fresh_units = found_lots - lots, found_units - units
    return events


async def document_of(conn: AsyncConnection, lot_ids: Iterable[int], keys: KeyRing, *, clock: Clock) -> dict[str, Any]:
    """The document, its events in order of time; events that were declared wrong are left out, as the trace does."""
    lot_ids = sorted(set(lot_ids))
    wanted = {"events": sorted(await event_ids_of(conn, lot_ids))}
    rows = (await conn.execute(_EVENTS, wanted)).all()
    events, contexts = [], _Contexts()
    spelt = 0
    for row in rows:
        event = shown(Row(row.event_id, row.event_time, row.record_time, row.source_id, row.body))
        del event["recordTime"]
        contexts.take(event.pop("@context", None))
        runs = event.pop(OWN_RANGES, None)
        if runs is not None:
            spelt += sum(n for _lo, n in runs)
            if spelt > ITEMS_MAX:
                raise TooManyItemsToExport(items_max=ITEMS_MAX)
            event = await _spelt(conn, event, runs, keys)
        events.append(event)
    vocabularies = [*await _vocabularies(conn, events), *await _inspected(conn, lot_ids)]
    return {
        "@context": contexts.told(events),
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": rfc3339(clock()),
        "epcisHeader": {"epcisMasterData": {"vocabularyList": vocabularies}},
        "epcisBody": {"eventList": events},
    }


class _Contexts:
    """The prefixes of all events as one context; a prefix that nobody explained gets a name of its own."""

    def __init__(self) -> None:
        self._by_prefix: dict[str, Any] = {}

    def take(self, context: Any) -> None:
        for part in context if isinstance(context, list) else [context]:
            if isinstance(part, dict):
                self._by_prefix.update(part)

    def told(self, events: Sequence[Mapping[str, Any]]) -> list[Any]:
        used = {key.partition(":")[0] for event in events for key in _keys(event) if ":" in key and "//" not in key}
        used -= {"cbvmda", "gs1"}  # these two come with the context of EPCIS
        named = {prefix: self._by_prefix.get(prefix, f"urn:tracemark:prefix:{prefix}:") for prefix in sorted(used)}
        return [CONTEXT[0], named] if named else [CONTEXT[0]]


def _keys(thing: Any) -> Iterable[str]:
    if isinstance(thing, dict):
        for key, value in thing.items():
            yield key
            yield from _keys(value)
    elif isinstance(thing, list):
        for value in thing:
            yield from _keys(value)


async def _spelt(
    conn: AsyncConnection, event: dict[str, Any], runs: Sequence[Sequence[int]], keys: KeyRing
) -> dict[str, Any]:
    """A commissioning of number ranges as one of serials: the same items, by the names that are printed on them."""
    lot = name_of(event["quantityList"][0]["epcClass"])
    items = await codes.items_of(conn, [(lo, n) for lo, n in runs], keys)
    names = [digital_link.canonical(Identifier.item(gtin, serial)) for gtin, serial in items]
    told = {key: value for key, value in event.items() if key != "quantityList"}
    return told | {"epcList": names, "ilmd": {**event.get("ilmd", {}), "cbvmda:lotNumber": lot.lot}}


async def _vocabularies(conn: AsyncConnection, events: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What is on record of the parties, places and products that the events name."""
    uris = sorted({uri for event in events for uri in _texts(event)})
    rows = (await conn.execute(_SQL["titles"], {"uris": uris, "gtins": sorted(_gtins(uris))})).mappings().all()
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        told = [
            {"id": _CBV + name if name != "name" else name, "attribute": row[key]}
            for key, name in {**_ATTRIBUTES, "name": _name_key(row["kind"])}.items()
            if row[key]
        ]
        uri = row["uri"]
        by_kind.setdefault(row["kind"], []).append({"id": uri, "attributes": told})
    return [{"type": _VOCABULARY + kind, "vocabularyElementList": by_kind[kind]} for kind in sorted(by_kind)]


async def _inspected(conn: AsyncConnection, lot_ids: Sequence[int]) -> list[dict[str, Any]]:
    """The inspections of these lots, as attributes of the lots."""
    attributes_by_lot: dict[str, list[dict[str, Any]]] = {}
    for row in await conn.execute(_SQL["inspections_told"], {"lots": lot_ids}):
        told = {"at": rfc3339(row.at), "result": row.result, "report": row.report, "inspector": row.inspector}
        value = {key: each for key, each in told.items() if each is not None}
        lot = digital_link.canonical(Identifier.lot_of(row.gtin, row.code))
        attributes_by_lot.setdefault(lot, []).append({"id": INSPECTION, "attribute": value})
    elements = [{"id": lot, "attributes": attributes} for lot, attributes in attributes_by_lot.items()]
    return [{"type": f"{_VOCABULARY}EPCClass", "vocabularyElementList": elements}] if elements else []


def _name_key(kind: str) -> str:
    return "descriptionShort" if kind == "EPCClass" else "name"


def _gtins(uris: Iterable[str]) -> set[str]:
    return {gtin for uri in uris if "/01/" in uri and (gtin := name_of(uri).gtin) is not None}


def _texts(thing: Any) -> Iterable[str]:
    if isinstance(thing, str):
        yield thing
    elif isinstance(thing, Mapping):
        for value in thing.values():
            yield from _texts(value)
    elif isinstance(thing, list):
        for value in thing:
            yield from _texts(value)
