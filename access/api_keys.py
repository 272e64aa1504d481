"""Keys of machines: 256 random bits behind a prefix that secret scanners recognise. Kept as SHA-256 only."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from access import audit, store
from access.model import Act, Actor, ApiKey
from access.permissions import KEY_ACTOR, require
from access.refusals import KeyExists, KeyNotFound, KeyNotUsable, KeyNotValid, TooManyKeys
from runtime.clock import Clock
from runtime.database import transaction

SECRET_PREFIX: Final = "tmk_live_"  # noqa: S105 - the part of every key that is no secret
KEYS_MAX: Final = 1_000

_SHOWN: Final = len(SECRET_PREFIX) + 4
_SECRET = re.compile(SECRET_PREFIX + r"[A-Za-z0-9_-]{43}", re.ASCII)
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}", re.ASCII)
_LOCK: Final = 0x7472_6B79  # one key is made at a time: its name is looked up and then taken


async def create(conn: AsyncConnection, name: str, acts: Iterable[Act], by: Actor, clock: Clock) -> str:
    """Make a key and return its secret, which is shown this once.

    Refuses whoever may not administer, acts that ``by`` does not have, no acts at all, the right to administer (keys do
    not make keys), author and approve in one key (a key is one person), a name that was ever used, and too many keys.
    """
    require(by, Act.ADMINISTER)
    wanted = frozenset(acts)
    _check(name, wanted, by)
    secret = SECRET_PREFIX + secrets.token_urlsafe(32)
    async with transaction(conn):
        await store.lock(conn, _LOCK)
        if await store.find_key(conn, name) is not None:
            raise KeyExists(name=name)
        if await store.count_keys(conn) >= KEYS_MAX:
            raise TooManyKeys(keys_max=KEYS_MAX)
        await store.insert_key(
            conn,
            name=name,
            prefix=secret[:_SHOWN],
            key_hash=_hash(secret),
            acts=wanted,
            created_by=by.name,
            at=clock(),
        )
        await audit.note(conn, by.name, "key.add", name, {"acts": sorted(act.value for act in wanted)}, clock)
    return secret


async def revoke(conn: AsyncConnection, name: str, *, by: Actor, clock: Clock) -> None:
    """The key opens nothing from now on. Refuses a name that no key in force has."""
    require(by, Act.ADMINISTER)
    async with transaction(conn):
        key = await store.find_key(conn, name)
        if key is None or key.revoked_at is not None:
            raise KeyNotFound(name=name)
        await store.revoke_key(conn, key.key_id, at=clock())
        await audit.note(conn, by.name, "key.revoke", name, {}, clock)


async def actor_of_key(conn: AsyncConnection, secret: str, clock: Clock) -> Actor:
    """Who sends this key; raises ``KeyNotValid``. Notes the day of its last use.

    The look-up is by hash, so the time it takes says nothing about a key that is nearly right.
    """
    if _SECRET.fullmatch(secret) is None:
        raise KeyNotValid
    key = await store.find_key_by_hash(conn, _hash(secret))
    if key is None or key.revoked_at is not None:
        raise KeyNotValid
    today = clock().date()
    if key.last_used_on != today:
        async with transaction(conn):
            await store.note_key_used(conn, key.key_id, on=today)
    return Actor(name=KEY_ACTOR + key.name, role="key", acts=key.acts, via="key")


async def list_keys(conn: AsyncConnection) -> tuple[ApiKey, ...]:
    """All keys, those in force first."""
    return tuple(await store.list_keys(conn))


def _check(name: str, acts: frozenset[Act], by: Actor) -> None:
    if _NAME.fullmatch(name) is None:
        raise KeyNotUsable(problem=f"the name {name!r} is not 2 to 40 of a-z 0-9 . _ - (the first a letter or digit)")
    if not acts:
        raise KeyNotUsable(problem=f"it has no rights; choose among {', '.join(a.value for a in Act)}")
    if Act.ADMINISTER in acts:
        raise KeyNotUsable(problem="the right “administer” belongs to people, never to a key")
    if {Act.AUTHOR_RECALL, Act.APPROVE_RECALL} <= acts:
        raise KeyNotUsable(problem="one key cannot both author and approve recalls; make two, for two people")
    if not acts <= by.acts:
        missing = ", ".join(sorted(act.value for act in acts - by.acts))
        raise KeyNotUsable(problem=f"you cannot give rights that you do not have: {missing}")


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
