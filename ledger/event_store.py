"""SQL of events, their keys, declarations of error and captures. Events are appended, never changed or deleted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import subscription_store
from ledger import tables as t
from ledger.book_store import columns_of, copy
from ledger.epcis.told import Told
from ledger.model import CaptureReport
from ledger.subscription_store import REPORT_JOB
from runtime.database import raw
from runtime.jobs import enqueue

_EVENT = (
    "event_id", "type", "action", "event_time", "event_offset", "record_time", "biz_step", "disposition",
    "read_point_id", "biz_location_id", "source_id", "hash", "body", "captured_by", "capture_id",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Key:
    """An event on record: ``declared_wrong`` when a declaration of error names it."""

    event_id: int
    source_id: str
    declaration: bool
    hash: str
    declared_wrong: bool


class Origin(NamedTuple):
    """Who told an event, and in which capture; None: an event of our own making."""

    by: str
    capture_id: UUID | None


@dataclass(frozen=True, slots=True)
class Stored:
    """An event as it was told, with its id."""

    event_id: int
    body: Mapping[str, Any]


async def begin(conn: AsyncConnection, events: int = 0) -> list[int]:
    """Begin the transaction, which raw work needs, and have every look-up use its index; the ids of so many events to
    come, in rising order.

    A plan made while a table is empty reads all of it, and is still used when it has a million rows; and of the rows
    that a large document has written so far the planner knows nothing until its transaction has ended.
    """
    return sorted((await conn.execute(_BEGIN, {"events": events})).scalar_one())


_BEGIN = text("""
    SELECT ARRAY(SELECT nextval(pg_get_serial_sequence('event', 'event_id')) FROM generate_series(1, :events)),
           set_config('plan_cache_mode', 'force_custom_plan', true), set_config('enable_seqscan', 'off', true)
""")


async def keys_of(conn: AsyncConnection, source_ids: Iterable[str], hashes: Iterable[str]) -> list[Key]:
    """The events that have one of these source ids or hashes."""
    rows = await (await raw(conn)).fetch(
        """
        WITH found (event_id) AS MATERIALIZED (  -- one look-up for each index; OR between tables would read them whole
            SELECT event_id FROM event_key WHERE source_id = ANY($1)
            UNION
            SELECT event_id FROM event WHERE hash = ANY($2)
        )
        SELECT e.event_id, k.source_id, k.declaration, e.hash,
               EXISTS (SELECT FROM event_declared_wrong w WHERE w.event_id = e.event_id) AS declared_wrong
        FROM found JOIN event e USING (event_id) JOIN event_key k USING (event_id)
        WHERE k.source_id = ANY($1) OR e.hash = ANY($2)
        """,
        sorted(set(source_ids)),
        sorted(set(hashes)),
    )
    return [Key(*row) for row in rows]


async def add_keys(conn: AsyncConnection, rows: Sequence[tuple[str, bool, int]]) -> set[tuple[str, bool]]:
    """Claim (source id, declaration) for events; returns those that were free.

    Waits for another capture that claims the same.
    """
    if not rows:
        return set()
    found = await (await raw(conn)).fetch(
        "INSERT INTO event_key (source_id, declaration, event_id)"
        " SELECT * FROM unnest($1::text[], $2::bool[], $3::bigint[])"
        " ON CONFLICT ON CONSTRAINT event_key_pkey DO NOTHING RETURNING source_id, declaration",
        *columns_of(sorted(rows)),
    )
    return {(row["source_id"], row["declaration"]) for row in found}


async def add_events(
    conn: AsyncConnection,
    events: Sequence[tuple[int, Told, Origin]],
    places: Mapping[str, int],
    *,
    at: datetime,
) -> None:
    """Append events, whole. ``at`` is the record time."""
    rows = [
        (
            event_id, told.type, told.action, told.at, told.offset, at, told.step, told.disposition,
            None if told.read_point is None else places[told.read_point],
            None if told.biz_location is None else places[told.biz_location],
            told.source_id, told.hash, orjson.dumps(told.body).decode(), *origin,
        )
        for event_id, told, origin in events
    ]  # fmt: skip
    await copy(await raw(conn), "event", _EVENT, rows)
    if await subscription_store.somebody_streams(conn):
        await enqueue(conn, REPORT_JOB, {})


async def declare_wrong(conn: AsyncConnection, rows: Sequence[tuple[int, int, str | None]]) -> None:
    """(wrong event, declaring event, reason); the first declaration stays."""
    if rows:
        await (await raw(conn)).execute(
            "INSERT INTO event_declared_wrong (event_id, by_event_id, reason)"
            " SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[])"
            " ON CONFLICT ON CONSTRAINT event_declared_wrong_pkey DO NOTHING",
            *columns_of(rows),
        )


async def events_by_id(conn: AsyncConnection, event_ids: Iterable[int]) -> list[Stored]:
    """These events, those declared wrong and declarations of error left out."""
    rows = await (await raw(conn)).fetch(
        f"SELECT e.event_id, e.body::text AS body FROM event e"  # noqa: S608 - a condition of this module's own
        f" WHERE e.event_id = ANY($1) AND {_VALID} ORDER BY e.event_id",
        sorted(event_ids),
    )
    return [Stored(row["event_id"], orjson.loads(row["body"])) for row in rows]


async def all_events(conn: AsyncConnection, *, size: int) -> AsyncIterator[list[Stored]]:
    """All events that count, in order of event time, ``size`` at a time."""
    driver = await raw(conn)
    after: tuple[datetime | None, int] = (None, 0)
    while True:
        rows = await driver.fetch(
            f"SELECT e.event_id, e.event_time, e.body::text AS body FROM event e"  # noqa: S608 - a condition of this module's own
            f" WHERE ($1::timestamptz IS NULL OR (e.event_time, e.event_id) > ($1, $2)) AND {_VALID}"
            f" ORDER BY e.event_time, e.event_id LIMIT $3",
            *after,
            size,
        )
        if not rows:
            return
        yield [Stored(row["event_id"], orjson.loads(row["body"])) for row in rows]
        after = (rows[-1]["event_time"], rows[-1]["event_id"])


_VALID = """NOT EXISTS (SELECT FROM event_declared_wrong w WHERE w.event_id = e.event_id)
    AND NOT e.body ? 'errorDeclaration'"""


async def begin_capture(conn: AsyncConnection, capture_id: UUID, *, at: datetime, behaviour: str, by: str) -> None:
    """The job of one document begins."""
    await conn.execute(
        t.capture.insert().values(
            capture_id=capture_id, created_at=at, behaviour=behaviour, running=True, success=True, captured_by=by
        )
    )


async def end_captures(conn: AsyncConnection, ended: Sequence[CaptureReport], *, by: Sequence[tuple[str, str]]) -> None:
    """The jobs ended; those that were not begun on record are put there as they ended. ``by``: behaviour and who asked,
    of each. The public portal is told as ``notify_codes`` does, when one of them succeeded."""
    if not ended:
        return
    rows = [
        (report.capture_id, report.created_at, report.finished_at, *told, report.success, report.events, report.known,
         _pairs(report.errors), _pairs(report.warnings))
        for report, told in zip(ended, by, strict=True)
    ]  # fmt: skip
    columns = dict(zip("abcdefghij", columns_of(rows), strict=True))
    await conn.execute(_END_CAPTURES, columns | {"tells": any(report.success for report in ended)})


_END_CAPTURES = text("""
    WITH ended AS (
        INSERT INTO capture AS c (capture_id, created_at, finished_at, behaviour, captured_by, running, success, events,
                                  known, errors, warnings)
        SELECT CAST(a AS uuid), b, c, d, e, false, f, g, h, CAST(i AS jsonb), CAST(j AS jsonb)
        FROM unnest(CAST(:a AS text[]), CAST(:b AS timestamptz[]), CAST(:c AS timestamptz[]), CAST(:d AS text[]),
                    CAST(:e AS text[]), CAST(:f AS boolean[]), CAST(:g AS integer[]), CAST(:h AS integer[]),
                    CAST(:i AS text[]), CAST(:j AS text[])) AS w (a, b, c, d, e, f, g, h, i, j)
        ON CONFLICT ON CONSTRAINT capture_pkey DO UPDATE SET
            finished_at = excluded.finished_at, running = false, success = excluded.success, events = excluded.events,
            known = excluded.known, errors = excluded.errors, warnings = excluded.warnings
    )
    SELECT pg_notify('tracemark_codes', '') WHERE :tells
""")


def _pairs(pairs: Sequence[tuple[str, str]]) -> str:
    return orjson.dumps([{"where": where, "what": what} for where, what in pairs]).decode()


async def notify_codes(conn: AsyncConnection) -> None:
    """Tell the public portal, when this transaction commits, that codes, lots or products changed. A hint only."""
    await conn.execute(text("SELECT pg_notify('tracemark_codes', '')"))
