"""A repeated request is answered as the first one was, and does nothing.

The key is taken before the work begins and its answer is kept when the work is done. A request that was cut off in
between leaves its key taken: whether it took effect is then for a person to see, unless the work itself may safely be
begun again (``repeatable``: the verb knows its own repetitions).
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from access import store
from access.model import KeptAnswer
from access.refusals import IdempotencyKeyNotUsable, IdempotencyKeyReused, RequestUnfinished
from runtime.clock import Clock
from runtime.database import transaction

KEY_CHARACTERS_MAX: Final = 128
KEPT_FOR: Final = timedelta(days=7)

_RUNNING: Final = 0  # the status while there is no answer yet
_KEY = re.compile(rf"[\x21-\x7e]{{1,{KEY_CHARACTERS_MAX}}}")


async def begin(
    conn: AsyncConnection,
    *,
    key: str,
    actor: str,
    route: str,
    request_hash: bytes,
    clock: Clock,
    repeatable: bool = False,
) -> KeptAnswer | None:
    """The answer that this request was given before, or None: the key is now taken and the work may begin.

    Raises ``IdempotencyKeyReused`` (another route or another body came under this key), ``RequestUnfinished`` and
    ``IdempotencyKeyNotUsable``. Answers are kept for seven days.
    """
    if _KEY.fullmatch(key) is None:
        raise IdempotencyKeyNotUsable(characters_max=KEY_CHARACTERS_MAX)
    async with transaction(conn):
        await store.drop_old_request(conn, key=key, actor=actor, before=clock() - KEPT_FOR)
        if await store.take_request(conn, key=key, actor=actor, route=route, request_hash=request_hash, at=clock()):
            return None
        row = await store.find_request(conn, key=key, actor=actor)
    if row["route"] != route or bytes(row["request_hash"]) != request_hash:
        raise IdempotencyKeyReused(key=key)
    if row["status"] != _RUNNING:
        return KeptAnswer(status=row["status"], body=row["body"])
    if repeatable:
        return None
    raise RequestUnfinished(key=key)


async def keep(conn: AsyncConnection, *, key: str, actor: str, status: int, body: Any) -> None:
    """The work is done and was answered so."""
    async with transaction(conn):
        await store.answer_request(conn, key=key, actor=actor, status=status, body=body)


async def release(conn: AsyncConnection, *, key: str, actor: str) -> None:
    """The request was refused and left nothing behind: once mended, it may come again under the same key."""
    async with transaction(conn):
        await store.drop_unanswered_request(conn, key=key, actor=actor)
