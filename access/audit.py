"""The audit trail: appended, never changed, each row sealed by the hash of itself and of the row before.

A changed, inserted or removed row breaks the chain from there on; a trail that was cut off at its end does not, so keep
``head`` somewhere else from time to time. Staff have no right to update or delete here; the chain is against those who
have.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from access import store
from access.model import AuditRow
from runtime.clock import Clock

DETAILS_BYTES_MAX: Final = 64 * 1024
PAGE: Final = 1_000
FIRST: Final = bytes(32)
"""What the first row has in the place of a previous hash."""

_LOCK: Final = 0x7472_6175  # appending is one at a time: two rows after the same row would be two chains


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What ``verify`` found: ``broken_at`` is the first row that does not fit, ``head`` the last hash that does."""

    rows: int
    head: bytes
    broken_at: int | None = None
    problem: str | None = None

    @property
    def is_whole(self) -> bool:
        return self.broken_at is None


async def note(  # noqa: PLR0917 - who did what to what, with what, when: read in this order everywhere
    conn: AsyncConnection, actor_name: str, act: str, subject: str, details: Mapping[str, Any], clock: Clock
) -> int:
    """Append one row in the caller's transaction; its number.

    ``details`` holds text, whole numbers, booleans, lists and mappings, 64 KiB at most (a float might not come back
    from the database as the same text, and the seal would seem broken). Holds the trail's lock until the transaction
    ends: note last, just before the verb is done.
    """
    _check(details)
    await store.lock(conn, _LOCK)
    previous = await head(conn)
    at = clock().astimezone(UTC)
    values = {"at": at, "actor": actor_name, "act": act, "subject": subject, "details": dict(details)}
    seal = seal_of(previous, values)
    return await store.insert_audit_row(conn, {**values, "previous_hash": previous, "hash": seal})


async def head(conn: AsyncConnection) -> bytes:
    """The hash of the last row; 32 zero bytes when there is none."""
    return await store.last_audit_hash(conn) or FIRST


async def verify(conn: AsyncConnection) -> ChainReport:
    """Walk the whole trail and say whether each row fits, and if not, which is the first that does not."""
    rows, previous = 0, FIRST
    async for row in read(conn):
        if row.previous_hash != previous:
            return ChainReport(rows, previous, row.audit_id, "the row before it is not the one that was there")
        if row.hash != seal_of(previous, _facts(row)):
            return ChainReport(rows, previous, row.audit_id, "it does not say what it said when it was written")
        rows, previous = rows + 1, row.hash
    return ChainReport(rows, previous)


async def read(conn: AsyncConnection, *, after: int = 0) -> AsyncIterator[AuditRow]:
    """The trail in order, from the row after ``after``, in pages."""
    while True:
        page = await store.audit_page(conn, after=after, limit=PAGE)
        for row in page:
            yield row
        if len(page) < PAGE:
            return
        after = page[-1].audit_id


def seal_of(previous: bytes, facts: Mapping[str, Any]) -> bytes:
    """SHA-256 over the previous hash and the row (at, actor, act, subject, details) as JSON.

    Keys are sorted, there are no spaces, the text is UTF-8, the instant is in UTC with six decimals.
    """
    instant: datetime = facts["at"]
    told = {**facts, "at": instant.astimezone(UTC).isoformat(timespec="microseconds")}
    return hashlib.sha256(previous + _json(told).encode()).digest()


def _facts(row: AuditRow) -> Mapping[str, Any]:
    return {"at": row.at, "actor": row.actor, "act": row.act, "subject": row.subject, "details": row.details}


def _check(details: Mapping[str, Any]) -> None:
    _check_value(details)
    if len(_json(details).encode()) > DETAILS_BYTES_MAX:
        raise ValueError(f"audit details over {DETAILS_BYTES_MAX} bytes: note a digest and a count instead")


def _check_value(value: Any) -> None:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise TypeError(f"audit details have text keys only, not {key!r}")
            _check_value(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _check_value(inner)
    elif value is not None and not isinstance(value, str | int | bool):
        raise TypeError(f"audit details hold no {type(value).__name__}: {value!r}")


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
