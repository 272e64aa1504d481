"""SQL of the access room in, its values out. Nothing here opens a transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import RowMapping, case, delete, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as insert_unless
from sqlalchemy.ext.asyncio import AsyncConnection

from access.model import Account, Act, ApiKey, AuditRow
from access.tables import account, api_key, audit, idempotency, session

_ACCOUNT = (
    account.c.account_id,
    account.c.name,
    account.c.display_name,
    account.c.role,
    account.c.created_at,
    account.c.disabled_at,
    account.c.locked_until,
)
_KEY = (
    api_key.c.key_id,
    api_key.c.name,
    api_key.c.prefix,
    api_key.c.acts,
    api_key.c.created_by,
    api_key.c.created_at,
    api_key.c.revoked_at,
    api_key.c.last_used_on,
)


class Attempt(NamedTuple):
    """An attempt to sign in that was counted. ``is_last``: if it fails, the account is locked."""

    account_id: int
    role: str
    password_hash: str
    is_last: bool


async def lock(conn: AsyncConnection, number: int) -> None:
    """Hold an advisory lock until the transaction ends; whoever else asks for it waits."""
    await conn.execute(select(func.pg_advisory_xact_lock(number)))


# Accounts


async def insert_account(
    conn: AsyncConnection, *, name: str, display_name: str, role: str, password_hash: str, at: datetime
) -> int | None:
    """The new account's id; None when the name is taken."""
    statement = insert_unless(account).values(
        name=name, display_name=display_name, role=role, password_hash=password_hash, created_at=at, failures=0
    )
    statement = statement.on_conflict_do_nothing(constraint="account_name_key")
    account_id: int | None = (await conn.execute(statement.returning(account.c.account_id))).scalar()
    return account_id


async def find_account(conn: AsyncConnection, name: str) -> Account | None:
    row = (await conn.execute(select(*_ACCOUNT).where(account.c.name == name))).mappings().first()
    return Account(**row) if row else None


async def list_accounts(conn: AsyncConnection, *, limit: int) -> Sequence[Account]:
    rows = (await conn.execute(select(*_ACCOUNT).order_by(account.c.name).limit(limit))).mappings()
    return [Account(**row) for row in rows]


async def count_accounts(conn: AsyncConnection) -> int:
    """Those that may sign in."""
    statement = select(func.count()).select_from(account).where(account.c.disabled_at.is_(None))
    return int((await conn.execute(statement)).scalar_one())


async def charge_attempt(
    conn: AsyncConnection, name: str, *, now: datetime, failures_max: int, locked_until: datetime
) -> Attempt | None:
    """Count an attempt against the account before its password is looked at.

    None when there is no such account, or it is disabled or locked. The row lock makes guesses that arrive together
    count one by one; after a lock has run out the count starts anew.
    """
    failures = case((account.c.locked_until.is_not(None), 1), else_=account.c.failures + 1)
    statement = (
        update(account)
        .where(account.c.name == name, account.c.disabled_at.is_(None))
        .where(or_(account.c.locked_until.is_(None), account.c.locked_until <= now))
        .values(failures=failures, locked_until=case((failures >= failures_max, locked_until), else_=None))
        .returning(account.c.account_id, account.c.role, account.c.password_hash, account.c.locked_until.is_not(None))
    )
    row = (await conn.execute(statement)).first()
    return Attempt(*row) if row else None


async def clear_attempts(conn: AsyncConnection, account_id: int) -> None:
    await conn.execute(update(account).where(account.c.account_id == account_id).values(failures=0, locked_until=None))


async def set_password(conn: AsyncConnection, account_id: int, password_hash: str) -> None:
    values = {"password_hash": password_hash, "failures": 0, "locked_until": None}
    await conn.execute(update(account).where(account.c.account_id == account_id).values(**values))


async def disable_account(conn: AsyncConnection, account_id: int, *, at: datetime) -> None:
    await conn.execute(
        update(account)
        .where(account.c.account_id == account_id, account.c.disabled_at.is_(None))
        .values(disabled_at=at)
    )


# Sessions


async def insert_session(
    conn: AsyncConnection, *, token_hash: bytes, account_id: int, at: datetime, expires_at: datetime
) -> None:
    await conn.execute(
        insert(session).values(
            token_hash=token_hash, account_id=account_id, created_at=at, expires_at=expires_at, last_seen_at=at
        )
    )


async def find_session(conn: AsyncConnection, token_hash: bytes) -> RowMapping | None:
    """name, role, disabled_at, expires_at, last_seen_at of a session and its account."""
    columns = (account.c.name, account.c.role, account.c.disabled_at, session.c.expires_at, session.c.last_seen_at)
    statement = select(*columns).join_from(session, account, session.c.account_id == account.c.account_id)
    return (await conn.execute(statement.where(session.c.token_hash == token_hash))).mappings().first()


async def touch_session(conn: AsyncConnection, token_hash: bytes, *, at: datetime) -> None:
    await conn.execute(update(session).where(session.c.token_hash == token_hash).values(last_seen_at=at))


async def delete_session(conn: AsyncConnection, token_hash: bytes) -> None:
    await conn.execute(delete(session).where(session.c.token_hash == token_hash))


async def delete_sessions_of(conn: AsyncConnection, account_id: int, *, but_newest: int = 0) -> None:
    """Drop an account's sessions, all but the newest ``but_newest``."""
    mine = select(session.c.token_hash).where(session.c.account_id == account_id)
    old = mine.order_by(session.c.created_at.desc()).offset(but_newest)
    await conn.execute(delete(session).where(session.c.token_hash.in_(old)))


async def delete_ended_sessions(conn: AsyncConnection, *, now: datetime) -> None:
    await conn.execute(delete(session).where(session.c.expires_at <= now))


# Keys


async def insert_key(
    conn: AsyncConnection,
    *,
    name: str,
    prefix: str,
    key_hash: bytes,
    acts: Iterable[Act],
    created_by: str,
    at: datetime,
) -> int:
    words = sorted(act.value for act in acts)
    statement = insert(api_key).values(
        name=name, prefix=prefix, key_hash=key_hash, acts=words, created_by=created_by, created_at=at
    )
    return int((await conn.execute(statement.returning(api_key.c.key_id))).scalar_one())


async def find_key(conn: AsyncConnection, name: str) -> ApiKey | None:
    """The key of this name, in force or revoked."""
    row = (await conn.execute(select(*_KEY).where(api_key.c.name == name))).mappings().first()
    return _key(row) if row else None


async def find_key_by_hash(conn: AsyncConnection, key_hash: bytes) -> ApiKey | None:
    row = (await conn.execute(select(*_KEY).where(api_key.c.key_hash == key_hash))).mappings().first()
    return _key(row) if row else None


async def list_keys(conn: AsyncConnection) -> Sequence[ApiKey]:
    """All keys, those in force first."""
    rows = (await conn.execute(select(*_KEY).order_by(api_key.c.revoked_at.is_not(None), api_key.c.name))).mappings()
    return [_key(row) for row in rows]


async def count_keys(conn: AsyncConnection) -> int:
    statement = select(func.count()).select_from(api_key).where(api_key.c.revoked_at.is_(None))
    return int((await conn.execute(statement)).scalar_one())


async def revoke_key(conn: AsyncConnection, key_id: int, *, at: datetime) -> None:
    await conn.execute(update(api_key).where(api_key.c.key_id == key_id).values(revoked_at=at))


async def note_key_used(conn: AsyncConnection, key_id: int, *, on: date) -> None:
    await conn.execute(update(api_key).where(api_key.c.key_id == key_id).values(last_used_on=on))


def _key(row: RowMapping) -> ApiKey:
    # A right that this version does not know is no right: the key keeps the others.
    known = {act.value for act in Act}
    return ApiKey(**{**row, "acts": frozenset(Act(word) for word in row["acts"] if word in known)})


# The audit trail


async def insert_audit_row(conn: AsyncConnection, values: Mapping[str, Any]) -> int:
    return int((await conn.execute(insert(audit).values(**values).returning(audit.c.audit_id))).scalar_one())


async def last_audit_hash(conn: AsyncConnection) -> bytes | None:
    found = (await conn.execute(select(audit.c.hash).order_by(audit.c.audit_id.desc()).limit(1))).scalar()
    return None if found is None else bytes(found)


async def audit_page(conn: AsyncConnection, *, after: int, limit: int) -> Sequence[AuditRow]:
    statement = select(audit).where(audit.c.audit_id > after).order_by(audit.c.audit_id).limit(limit)
    return [AuditRow(**row) for row in (await conn.execute(statement)).mappings()]


# Repeated requests


async def take_request(
    conn: AsyncConnection, *, key: str, actor: str, route: str, request_hash: bytes, at: datetime
) -> bool:
    """Whether the key was free, and is now taken with status 0. Two who ask together wait for one another here."""
    values = {
        "key": key,
        "actor": actor,
        "route": route,
        "request_hash": request_hash,
        "status": 0,
        "body": {},
        "at": at,
    }
    statement = insert_unless(idempotency).values(**values).on_conflict_do_nothing(constraint="idempotency_pkey")
    return (await conn.execute(statement.returning(idempotency.c.key))).scalar() is not None


async def find_request(conn: AsyncConnection, *, key: str, actor: str) -> RowMapping:
    mine = (idempotency.c.actor == actor, idempotency.c.key == key)
    return (await conn.execute(select(idempotency).where(*mine))).mappings().one()


async def answer_request(conn: AsyncConnection, *, key: str, actor: str, status: int, body: Any) -> None:
    mine = (idempotency.c.actor == actor, idempotency.c.key == key)
    await conn.execute(update(idempotency).where(*mine).values(status=status, body=body))


async def drop_unanswered_request(conn: AsyncConnection, *, key: str, actor: str) -> None:
    mine = (idempotency.c.actor == actor, idempotency.c.key == key, idempotency.c.status == 0)
    await conn.execute(delete(idempotency).where(*mine))


async def drop_old_request(conn: AsyncConnection, *, key: str, actor: str, before: datetime) -> None:
    mine = (idempotency.c.actor == actor, idempotency.c.key == key, idempotency.c.at < before)
    await conn.execute(delete(idempotency).where(*mine))
