"""Questions about events, as EPCIS 2.0 asks them (8.2.7): SQL narrows by columns and indexes, the rest is looked at.

An answer comes in pages. Each page looks at ``EXAMINED_MAX`` events at most; when they are used up it is shorter than
asked for, and says with its token where the next one goes on: nothing is left out, and no page costs without end.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import event_query_store as store
from ledger import name_store
from ledger.codes import KeyRing, numbers_of
from ledger.epcis.identifiers import Kind, name_of
from ledger.epcis.words import EVENT_TYPES
from ledger.epcs import list_epcs
from ledger.event_matching import Match, Test, names_one_of
from ledger.event_query_store import Resolved, Row, Things
from ledger.event_terms import EventQuery, read_query
from ledger.model import LOT_NOT_TOLD
from ledger.page_tokens import PageTokenEnded, Position, Token, read_seal, seal, unseal
from runtime.clock import Clock, rfc3339
from runtime.database import transaction
from runtime.refusals import Conflict, Invalid, NotFound, TooMany

PAGE_DEFAULT: Final = 30
PAGE_MAX: Final = 1_000
"""Most events of one page."""
EXAMINED_MAX: Final = 20_000
"""Most events looked at for one page."""
QUERIES_MAX: Final = 1_000
"""Most queries kept under names."""
BATCH_EVENTS: Final = 500

RESOURCES: Final = ("eventTypes", "epcs", "bizSteps", "bizLocations", "readPoints", "dispositions")
"""What events can be listed by."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_URN_KEYS: Final = frozenset(
    {
        "epcList", "childEPCs", "inputEPCList", "outputEPCList", "parentID", "epcClass", "id", "source", "destination",
        "bizTransaction",
    }
)  # fmt: skip


class QueryTooLarge(TooMany):
    """More than {events_max} events fit this query, which is its maxEventCount. Ask for less, or without maxEventCount."""  # noqa: E501


class CountTooFar(TooMany):
    """Whether more than {events_max} events fit this query cannot be said: {examined} were looked at. Narrow it, by time for example, or ask without maxEventCount."""  # noqa: E501


class QueryNameNotUsable(Invalid):
    """A query cannot be called {name!r}. A name has 1 to 100 letters, digits, dots, hyphens and underscores."""


class QueryNameTaken(Conflict):
    """There is a query called {name} already. Delete it first, or take another name."""


class NoSuchQuery(NotFound):
    """There is no query called {name}."""


class TooManyQueries(TooMany):
    """{queries_max} queries are kept already; delete one first."""


@dataclass(frozen=True, slots=True)
class Page:
    """Events as they are answered, and the token of the page after (None = this is the last)."""

    events: tuple[Mapping[str, Any], ...]
    next_token: Token | None


async def find_events(
    conn: AsyncConnection,
    query: EventQuery,
    *,
    keys: KeyRing,
    secret: str,
    per_page: int,
    clock: Clock,
    token: str | None = None,
    as_told: bool = False,
) -> Page:
    """A page of the events that a query asks for.

    All pages of an answer see the record as it was for the first one; with ``token`` of the page before, the next is
    given. ``as_told``: names stay as they were told. Raises ``PageTokenNotOurs``, ``PageTokenEnded``,
    ``QueryTooLarge``, ``CountTooFar``.
    """
    await store.limit_time(conn)
    if token is not None:
        await refuse_ended(conn, token)
        after = unseal(token, query.parameters, secret, clock())
    else:
        after = Position(await store.newest(conn), left=query.count_limit)
    resolved, tests = await _resolve(conn, query, keys)
    look = _Look(conn, query, resolved, tests)
    if token is None and query.count_max is not None:
        await _refuse_more_than(query.count_max, look, after)
    wanted = min(per_page, PAGE_MAX if after.left is None else after.left)
    rows: list[Row] = []
    ended = True
    async for row, fits in look.rows(after):
        if (fits and len(rows) == wanted) or look.examined > EXAMINED_MAX:
            ended = False
            break
        after = replace(after, event_id=row.event_id, at=row.event_time if query.by_event_time else None)
        if fits:
            rows.append(row)
    left = None if after.left is None else after.left - len(rows)
    more = not ended and left != 0
    return Page(
        tuple(shown(row, as_told=as_told) for row in rows),
        seal(replace(after, left=left), query.parameters, secret, clock()) if more else None,
    )


def shown(row: Row, *, as_told: bool = False) -> dict[str, Any]:
    """An event as it is answered: as it was told, with its record time and a name, and EPC URNs as Digital Links."""
    event: dict[str, Any] = dict(row.body) if as_told else _without_urns(row.body, "")
    return event | {"eventID": event.get("eventID", row.source_id), "recordTime": rfc3339(row.record_time)}


async def fitting(
    conn: AsyncConnection,
    parameters: Mapping[str, Sequence[str]],
    event_ids: Sequence[int],
    *,
    keys: KeyRing,
    recorded_from: datetime | None = None,
) -> list[int]:
    """Which of these events fit, in their order; ``recorded_from``: recorded at this instant or later."""
    query = read_query(parameters)
    resolved, tests = await _resolve(conn, query, keys)
    rows = await store.candidates_among(conn, query, resolved, event_ids)
    return [
        row.event_id
        for row in rows
        if (recorded_from is None or row.record_time >= recorded_from) and all(test(row.body) for test in tests)
    ]


async def events_named(conn: AsyncConnection, event_ids: Sequence[int]) -> list[dict[str, Any]]:
    """These events as they are answered, in their order."""
    nothing_asked = Resolved((), (), ())
    return [shown(row) for row in await store.candidates_among(conn, read_query({}), nothing_asked, event_ids)]


async def give_back(conn: AsyncConnection, token: str, *, secret: str, clock: Clock) -> None:
    """End a token before its time. Raises ``PageTokenNotOurs`` and ``PageTokenEnded``."""
    await refuse_ended(conn, token)
    sealed = read_seal(token, secret, clock())
    async with transaction(conn):
        await store.forget_ended_tokens(conn, clock())
        await store.end_token(conn, token, sealed.expires_at)


async def refuse_ended(conn: AsyncConnection, token: str) -> None:
    """Raises ``PageTokenEnded`` for a token that was given back."""
    if await store.is_ended(conn, token):
        raise PageTokenEnded


async def list_resource(conn: AsyncConnection, resource: str, *, after: str, limit: int, keys: KeyRing) -> list[str]:
    """What stands in events, of ``RESOURCES``, in its order; the event types are those of the standard."""
    if resource == "eventTypes":
        return [kind for kind in sorted(EVENT_TYPES) if kind > after][:limit]
    if resource == "epcs":
        return await list_epcs(conn, after=after, limit=limit, keys=keys)
    if resource in ("bizSteps", "dispositions"):
        column = "biz_step" if resource == "bizSteps" else "disposition"
        return await store.words(conn, column, after=after, limit=limit)
    column = "read_point_id" if resource == "readPoints" else "biz_location_id"
    return await store.places(conn, column, after=after, limit=limit)


async def save_query(
    conn: AsyncConnection, name: str, parameters: Mapping[str, Sequence[str]], *, by: str, clock: Clock
) -> None:
    """Keep a query under a name. Raises what ``read_query`` raises, and the refusals of names."""
    if not _NAME.fullmatch(name):
        raise QueryNameNotUsable(name=name[:100])
    read_query(parameters)
    async with transaction(conn):
        if await store.count_queries(conn) >= QUERIES_MAX:
            raise TooManyQueries(queries_max=QUERIES_MAX)
        kept = {key: list(values) for key, values in parameters.items()}
        if not await store.add_query(conn, name, kept, at=clock(), by=by):
            raise QueryNameTaken(name=name)


async def list_queries(conn: AsyncConnection, *, after: str, limit: int) -> list[tuple[str, Mapping[str, Any]]]:
    """Names and queries, by name."""
    return await store.saved_queries(conn, after=after, limit=limit)


async def saved_query(conn: AsyncConnection, name: str) -> Mapping[str, Sequence[str]]:
    """The parameters of a query; raises ``NoSuchQuery``."""
    parameters = await store.find_query(conn, name) if name.isprintable() else None
    if parameters is None:
        raise NoSuchQuery(name=name[:100])
    return parameters


async def delete_query(conn: AsyncConnection, name: str) -> None:
    """Forget a query; raises ``NoSuchQuery``."""
    await saved_query(conn, name)
    async with transaction(conn):
        if not await store.delete_query(conn, name):
            raise NoSuchQuery(name=name)


class _Look:
    """The events that can fit, in order, each with whether it does."""

    def __init__(self, conn: AsyncConnection, query: EventQuery, resolved: Resolved, tests: Sequence[Test]) -> None:
        self._conn, self._query, self._resolved, self._tests = conn, query, resolved, tests
        self.examined = 0

    async def rows(self, after: Position) -> AsyncIterator[tuple[Row, bool]]:
        while True:
            batch = await store.candidates(self._conn, self._query, self._resolved, after, BATCH_EVENTS)
            for row in batch:
                self.examined += 1
                yield row, all(test(row.body) for test in self._tests)
            if len(batch) < BATCH_EVENTS:
                return
            after = replace(after, event_id=batch[-1].event_id, at=batch[-1].event_time)


async def _refuse_more_than(count_max: int, look: _Look, after: Position) -> None:
    found = 0
    async for _row, fits in look.rows(after):
        found += fits
        if found > count_max:
            raise QueryTooLarge(events_max=count_max)
        if look.examined > EXAMINED_MAX:
            raise CountTooFar(events_max=count_max, examined=EXAMINED_MAX)
    look.examined = 0


async def _resolve(conn: AsyncConnection, query: EventQuery, keys: KeyRing) -> tuple[Resolved, list[Test]]:
    """What the names in the query stand for, and every test that an event has to pass."""
    things: list[Things] = []
    tests = list(query.tests)
    for match in query.matches:
        found, numbers = await _things(conn, match, keys)
        things.append(found)
        tests.append(names_one_of(match, numbers))
    read_points = [await store.place_ids(conn, places) for places in query.read_points]
    biz_locations = [await store.place_ids(conn, places) for places in query.biz_locations]
    read_points += [await store.places_with(conn, group) for group in query.read_point_attributes]
    biz_locations += [await store.places_with(conn, group) for group in query.biz_location_attributes]
    return Resolved(tuple(things), tuple(read_points), tuple(biz_locations)), tests


async def _things(conn: AsyncConnection, match: Match, keys: KeyRing) -> tuple[Things, list[int]]:
    items = [(name.gtin or "", name.serial or "") for name in match.names if name.kind is Kind.ITEM]
    classes = [(name.gtin or "", name.lot or LOT_NOT_TOLD) for name in match.names if name.gtin is not None]
    numbers = sorted((await numbers_of(conn, items, keys)).values()) if items else []
    classes += (await name_store.private_classes(conn, [name.uri for name in match.names])).values()
    lot_by_number, _ = await name_store.lots_of_numbers(conn, numbers)
    # An item stood under no lot before somebody told its lot.
    lots = await store.lots_of_classes(conn, [*classes, *((gtin, LOT_NOT_TOLD) for gtin, _ in items)])
    lots |= set(lot_by_number.values()) | await store.lots_of_products(conn, match.gtins)
    units = await store.units_named(conn, [name.uri for name in match.names])
    units |= await store.units_of_products(conn, match.gtins)
    return Things(frozenset(lots), frozenset(units)), numbers


def _without_urns(value: Any, key: str) -> Any:
    if isinstance(value, str):
        return name_of(value).uri if key in _URN_KEYS and value.startswith("urn:epc:") else value
    if isinstance(value, Mapping):
        return {name: _without_urns(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [_without_urns(inner, key) for inner in value]
    return value
