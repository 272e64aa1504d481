"""Signing in with a name and a password, and staying signed in by a session token.

An unknown name costs the same work and gets the same sentence as a wrong password. An attempt is counted before the
password is looked at, so guesses that arrive together are counted too. Only a token's SHA-256 is kept: 256 random bits
need no slow hash, and a copy of the table opens nothing.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from access import accounts, audit, passwords, store
from access.model import ROLES, Act, Actor
from access.refusals import SessionEnded, SignInFailed
from runtime.clock import Clock
from runtime.database import transaction

FAILURES_MAX: Final = 5
LOCKED_FOR: Final = timedelta(minutes=15)
SESSION_LASTS: Final = timedelta(hours=12)
APPROVER_IDLE_MAX: Final = timedelta(minutes=30)
"""Who may approve a recall is signed out after this time without a request: an open screen is a signature."""
SESSIONS_MAX: Final = 10
"""Sessions of one account at a time; one more ends the oldest."""

_SEEN_EVERY: Final = timedelta(minutes=1)
_TOKEN_CHARACTERS_MAX: Final = 64


async def sign_in(conn: AsyncConnection, name: str, password: str, clock: Clock) -> tuple[Actor, str]:
    """The actor and a new session token, valid for 12 hours; raises ``SignInFailed``.

    Five failures in a row lock the account for 15 minutes; while it is locked the right password fails as well.
    """
    now = clock()
    attempt = await _charge(conn, name, now) if accounts.is_name(name) else None
    if not await passwords.matches(password, attempt.password_hash if attempt else None) or attempt is None:
        if attempt is not None and attempt.is_last:
            await _note_lock(conn, name, clock)
        raise SignInFailed(failures_max=FAILURES_MAX, lock_minutes=int(LOCKED_FOR.total_seconds()) // 60)
    token = secrets.token_urlsafe(32)
    async with transaction(conn):
        await store.clear_attempts(conn, attempt.account_id)
        await store.delete_ended_sessions(conn, now=now)
        await store.delete_sessions_of(conn, attempt.account_id, but_newest=SESSIONS_MAX - 1)
        await store.insert_session(
            conn, token_hash=_hash(token), account_id=attempt.account_id, at=now, expires_at=now + SESSION_LASTS
        )
        await audit.note(conn, name, "session.start", name, {}, clock)
    return _actor(name, attempt.role), token


async def actor_of_session(conn: AsyncConnection, token: str | None, clock: Clock) -> Actor:
    """Who is signed in by this token; raises ``SessionEnded``. Marks the session as seen, at most once a minute."""
    if not token or len(token) > _TOKEN_CHARACTERS_MAX:
        raise SessionEnded
    now = clock()
    row = await store.find_session(conn, _hash(token))
    if row is None or _has_ended(row, now):
        raise SessionEnded
    if now - row["last_seen_at"] >= _SEEN_EVERY:
        async with transaction(conn):
            await store.touch_session(conn, _hash(token), at=now)
    return _actor(row["name"], row["role"])


async def sign_out(conn: AsyncConnection, token: str, clock: Clock) -> None:
    """End this session. Doing it again changes nothing."""
    async with transaction(conn):
        row = await store.find_session(conn, _hash(token))
        if row is not None:
            await store.delete_session(conn, _hash(token))
            await audit.note(conn, row["name"], "session.end", row["name"], {}, clock)


def form_token(token: str) -> str:
    """What a form of this session has to carry. Another site can neither read nor compute it."""
    return hashlib.sha256(b"form:" + token.encode()).hexdigest()


def form_token_matches(token: str, given: str) -> bool:
    """Whether a form was made for this session; compared in constant time."""
    return secrets.compare_digest(form_token(token).encode(), given.encode("utf-8", "surrogatepass"))


async def _charge(conn: AsyncConnection, name: str, now: datetime) -> store.Attempt | None:
    async with transaction(conn):  # of its own: a refused sign-in must leave its count behind
        return await store.charge_attempt(conn, name, now=now, failures_max=FAILURES_MAX, locked_until=now + LOCKED_FOR)


async def _note_lock(conn: AsyncConnection, name: str, clock: Clock) -> None:
    async with transaction(conn):
        await audit.note(conn, name, "account.lock", name, {"failures": FAILURES_MAX}, clock)


def _has_ended(row: RowMapping, now: datetime) -> bool:
    if row["disabled_at"] is not None or now >= row["expires_at"]:
        return True
    return Act.APPROVE_RECALL in ROLES[row["role"]] and now - row["last_seen_at"] > APPROVER_IDLE_MAX


def _actor(name: str, role: str) -> Actor:
    return Actor(name=name, role=role, acts=ROLES[role], via="session")


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
