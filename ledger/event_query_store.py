"""SQL of questions about events: candidates narrowed by columns and indexes, a page at a time; and saved queries."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import ColumnElement, CompoundSelect, func, or_, select, text, tuple_, union
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import tables as t
from ledger.epcis.identifiers import party_uri
from ledger.event_terms import Attribute, EventQuery, Place
from ledger.page_tokens import Position
from ledger.statements import named_statements

STATEMENT_MS_MAX: Final = 20_000
"""Longest time of one statement of a query; after it the answer is 503, and a narrower question may be answered."""

_SQL: Final = named_statements(Path(__file__).with_name("event_queries.sql"))
_E: Final = t.event.c
_HAS_SENSORS: Final = _E.body.has_key("sensorElementList")
_IS_DECLARATION: Final = _E.body.has_key("errorDeclaration")  # written so that the partial index is used


@dataclass(frozen=True, slots=True)
class Row:
    """An event on record."""

    event_id: int
    event_time: datetime
    record_time: datetime
    source_id: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Things:
    """Lots and units of which one has to be touched."""

    lots: frozenset[int]
    units: frozenset[int]


@dataclass(frozen=True, slots=True)
class Resolved:
    """What the names in a query stand for: things of each match, places of each list of places."""

    things: tuple[Things, ...]
    read_points: tuple[tuple[int, ...], ...]
    biz_locations: tuple[tuple[int, ...], ...]


async def limit_time(conn: AsyncConnection) -> None:
    """Until the transaction ends, no statement runs longer than ``STATEMENT_MS_MAX``."""
    await conn.execute(text("SELECT set_config('statement_timeout', :ms, true)"), {"ms": str(STATEMENT_MS_MAX)})


async def newest(conn: AsyncConnection) -> int:
    """The newest event on record; 0 when there is none."""
    return int((await conn.execute(select(func.coalesce(func.max(_E.event_id), 0)))).scalar_one())


async def candidates(
    conn: AsyncConnection, query: EventQuery, resolved: Resolved, after: Position, limit: int
) -> list[Row]:
    """The next events that can fit, in the query's order."""
    statement = select(_E.event_id, _E.event_time, _E.record_time, _E.source_id, _E.body)
    statement = statement.where(_E.event_id <= after.as_of, *_conditions(query))
    statement = statement.where(*_named(resolved), *_after(query, after))
    keys = (_E.event_time, _E.event_id) if query.by_event_time else (_E.event_id,)
    order = [key.asc() if query.ascending else key.desc() for key in keys]
    return [Row(*row) for row in await conn.execute(statement.order_by(*order).limit(limit))]


async def candidates_among(
    conn: AsyncConnection, query: EventQuery, resolved: Resolved, event_ids: Sequence[int]
) -> list[Row]:
    """Those of these events that can fit, in the order of their ids."""
    statement = select(_E.event_id, _E.event_time, _E.record_time, _E.source_id, _E.body)
    statement = statement.where(_E.event_id == func.any(sorted(event_ids)), *_conditions(query), *_named(resolved))
    return [Row(*row) for row in await conn.execute(statement.order_by(_E.event_id))]


def _conditions(query: EventQuery) -> list[ColumnElement[bool]]:
    lists = (
        (_E.type, query.types), (_E.action, query.actions), (_E.biz_step, query.steps),
        (_E.disposition, query.dispositions), (_E.source_id, query.event_ids),
        (_E.body["transformationID"].astext, query.transformation_ids),
    )  # fmt: skip
    found = [column.in_(values) for column, values in lists if values]
    if query.happened_from is not None:
        found.append(_E.event_time >= query.happened_from)
    if query.happened_before is not None:
        found.append(_E.event_time < query.happened_before)
    if query.recorded_from is not None:
        found.append(_E.record_time >= query.recorded_from)
    if query.recorded_before is not None:
        found.append(_E.record_time < query.recorded_before)
    if query.declarations is not None:
        found.append(_IS_DECLARATION if query.declarations else ~_IS_DECLARATION)
    if query.sensors is not None:
        found.append(_HAS_SENSORS if query.sensors else ~_HAS_SENSORS)
    if query.marks_only:
        found.append(_E.body.has_key("persistentDisposition"))
    return found


def _after(query: EventQuery, after: Position) -> list[ColumnElement[bool]]:
    if not after.event_id:
        return []
    if query.by_event_time:
        here, there = tuple_(_E.event_time, _E.event_id), tuple_(after.at, after.event_id)
        return [here > there if query.ascending else here < there]
    return [_E.event_id > after.event_id if query.ascending else _E.event_id < after.event_id]


def _named(resolved: Resolved) -> list[ColumnElement[bool]]:
    found = [_E.read_point_id.in_(places) for places in resolved.read_points]
    found += [_E.biz_location_id.in_(places) for places in resolved.biz_locations]
    # An array, not a join: the few events of a thing are then fetched by their ids, and the table is not gone through.
    return found + [_E.event_id == func.any(func.array(_naming(each).scalar_subquery())) for each in resolved.things]


def _naming(things: Things) -> CompoundSelect[Any]:
    """Events that touch one of these. Those that count no more touch nothing, and there are few: all of them."""
    thing, declared = t.event_thing.c, t.event_declared_wrong.c
    return union(
        select(thing.event_id).where(thing.lot_id == func.any(sorted(things.lots))),
        select(thing.event_id).where(thing.unit_id == func.any(sorted(things.units))),
        select(declared.event_id),
        select(_E.event_id).where(_IS_DECLARATION),
    )


async def place_ids(conn: AsyncConnection, places: Sequence[Place]) -> tuple[int, ...]:
    """The places of these URIs, and where ``within`` is said, those with the same GLN and an extension."""
    conditions: list[ColumnElement[bool]] = [t.place.c.uri.in_([place.uri for place in places])]
    conditions += [t.place.c.uri.startswith(f"{place.uri}/254/", autoescape=True) for place in places if place.within]
    return tuple((await conn.execute(select(t.place.c.place_id).where(or_(*conditions)))).scalars())


async def places_with(conn: AsyncConnection, attributes: Sequence[Attribute]) -> tuple[int, ...]:
    """The places of which one of these attributes fits."""
    p, owner = t.place.c, t.party.c
    columns = {"name": p.name, "address": p.address, "city": p.city, "region": p.region, "country": p.country}
    conditions: list[ColumnElement[bool]] = []
    for each in attributes:
        if each.column == "owner":
            wanted = None if each.values is None else [party_uri(value) for value in each.values]
            whose = owner.party_id != 0 if wanted is None else owner.uri.in_(wanted)
            conditions.append(p.party_id.in_(select(owner.party_id).where(whose)))
        else:
            column = columns[each.column]
            conditions.append(column != "" if each.values is None else column.in_(each.values))
    return tuple((await conn.execute(select(p.place_id).where(p.place_id != 0, or_(*conditions)))).scalars())


async def lots_of_classes(conn: AsyncConnection, classes: Iterable[tuple[str, str]]) -> set[int]:
    """The lots of (GTIN, code); code "" = what was told without a lot."""
    wanted = sorted(set(classes))
    values = {"gtins": [gtin for gtin, _ in wanted], "codes": [code for _, code in wanted]}
    return set((await conn.execute(_SQL["lots_of_classes"], values)).scalars())


async def lots_of_products(conn: AsyncConnection, gtins: Iterable[str]) -> set[int]:
    """Every lot of these products."""
    return set((await conn.execute(_SQL["lots_of_products"], {"gtins": sorted(set(gtins))})).scalars())


async def units_named(conn: AsyncConnection, uris: Iterable[str]) -> set[int]:
    """The units of these URIs."""
    return set((await conn.execute(_SQL["units_named"], {"uris": sorted(set(uris))})).scalars())


async def units_of_products(conn: AsyncConnection, gtins: Iterable[str]) -> set[int]:
    """The items of these products that are units."""
    return set((await conn.execute(_SQL["units_of_products"], {"gtins": sorted(set(gtins))})).scalars())


async def words(conn: AsyncConnection, column: str, *, after: str, limit: int) -> list[str]:
    """The words that stand in ``biz_step`` or ``disposition``, in their order."""
    return list((await conn.execute(_SQL[f"words_of_{column}"], {"after": after, "n": limit})).scalars())


async def places(conn: AsyncConnection, column: str, *, after: str, limit: int) -> list[str]:
    """The URIs of places that stand in ``read_point_id`` or ``biz_location_id``, in their order."""
    return list((await conn.execute(_SQL[f"places_of_{column}"], {"after": after, "n": limit})).scalars())


async def units_after(conn: AsyncConnection, unit_id: int, limit: int) -> list[str]:
    """The URIs of units that are no items, in the order in which they were put on record."""
    return list((await conn.execute(_SQL["units_after"], {"after": unit_id, "n": limit})).scalars())


async def item_runs(conn: AsyncConnection, first: int, limit: int) -> list[tuple[int, int]]:
    """The first ``limit`` numbers from ``first`` on that are or were on things, as runs (lo, n)."""
    runs: list[tuple[int, int]] = []
    for row in await conn.execute(_SQL["item_runs"], {"first": first, "n": limit}):
        runs.append((row.lo, min(row.n, limit)))
        limit -= runs[-1][1]
    return runs


async def add_query(conn: AsyncConnection, name: str, query: Mapping[str, Any], *, at: datetime, by: str) -> bool:
    """Keep a query under a name; False when the name is taken."""
    statement = insert(t.event_query).values(name=name, query=query, created_at=at, created_by=by)
    added = await conn.execute(
        statement.on_conflict_do_nothing(constraint="event_query_pkey").returning(t.event_query.c.name)
    )
    return added.first() is not None


async def count_queries(conn: AsyncConnection) -> int:
    """How many are kept."""
    return int((await conn.execute(select(func.count()).select_from(t.event_query))).scalar_one())


async def saved_queries(conn: AsyncConnection, *, after: str, limit: int) -> list[tuple[str, Mapping[str, Any]]]:
    """Names and queries, by name."""
    q = t.event_query.c
    statement = select(q.name, q.query).where(q.name > after).order_by(q.name).limit(limit)
    return [(row.name, row.query) for row in await conn.execute(statement)]


async def find_query(conn: AsyncConnection, name: str) -> Mapping[str, Any] | None:
    """The query of this name."""
    query: Mapping[str, Any] | None = (
        await conn.execute(select(t.event_query.c.query).where(t.event_query.c.name == name))
    ).scalar()
    return query


async def delete_query(conn: AsyncConnection, name: str) -> bool:
    """Forget a query; False when there is none of this name."""
    result = await conn.execute(t.event_query.delete().where(t.event_query.c.name == name))
    return bool(result.rowcount)


async def end_token(conn: AsyncConnection, token: str, until: datetime) -> None:
    """This token is good no more; that is remembered until its own end."""
    statement = insert(t.ended_page_token).values(token_hash=_hash(token), until=until)
    await conn.execute(statement.on_conflict_do_nothing(constraint="ended_page_token_pkey"))


async def is_ended(conn: AsyncConnection, token: str) -> bool:
    """Whether it was given back."""
    statement = select(t.ended_page_token.c.until).where(t.ended_page_token.c.token_hash == _hash(token))
    return (await conn.execute(statement)).first() is not None


async def forget_ended_tokens(conn: AsyncConnection, now: datetime) -> None:
    """Those that have ended by themselves meanwhile need no row."""
    await conn.execute(t.ended_page_token.delete().where(t.ended_page_token.c.until < now))


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8")).digest()
