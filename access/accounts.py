"""Accounts: made, given another password, disabled. None is ever deleted, so that the records stay readable."""

from __future__ import annotations

import re
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from access import audit, passwords, store
from access.model import ROLES, Account, Act, Actor
from access.permissions import require
from access.refusals import AccountExists, AccountNotFound, AccountNotUsable, TooManyAccounts
from runtime.clock import Clock
from runtime.database import transaction

ACCOUNTS_MAX: Final = 10_000
DISPLAY_NAME_CHARACTERS_MAX: Final = 80

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}", re.ASCII)  # no colon: ``key:…`` names a key


async def add_account(
    conn: AsyncConnection, *, name: str, role: str, password: str, by: Actor, clock: Clock, display_name: str = ""
) -> Account:
    """Make an account.

    Refuses an unusable name, role or password, a name that is taken, and whoever may not administer.
    """
    require(by, Act.ADMINISTER)
    _check_names(name, display_name, role)
    password_hash = await passwords.hash_of(passwords.check(password, account_name=name))
    async with transaction(conn):
        if await store.count_accounts(conn) >= ACCOUNTS_MAX:
            raise TooManyAccounts(accounts_max=ACCOUNTS_MAX)
        account_id = await store.insert_account(
            conn, name=name, display_name=display_name or name, role=role, password_hash=password_hash, at=clock()
        )
        if account_id is None:
            raise AccountExists(name=name)
        await audit.note(conn, by.name, "account.add", name, {"role": role}, clock)
        return await _existing(conn, name)


async def set_password(conn: AsyncConnection, name: str, password: str, *, by: Actor, clock: Clock) -> None:
    """Give an account another password; its sessions end and a lock is lifted. People may change their own."""
    if by.via != "session" or by.name != name:
        require(by, Act.ADMINISTER)
    account = await _existing(conn, name)
    password_hash = await passwords.hash_of(passwords.check(password, account_name=name))
    async with transaction(conn):
        await store.set_password(conn, account.account_id, password_hash)
        await store.delete_sessions_of(conn, account.account_id)
        await audit.note(conn, by.name, "account.password", name, {}, clock)


async def disable(conn: AsyncConnection, name: str, *, by: Actor, clock: Clock) -> Account:
    """Nobody signs in with this account any more, and its sessions end now. Doing it again changes nothing."""
    require(by, Act.ADMINISTER)
    async with transaction(conn):
        account = await _existing(conn, name)
        if account.disabled_at is None:
            await store.disable_account(conn, account.account_id, at=clock())
            await store.delete_sessions_of(conn, account.account_id)
            await audit.note(conn, by.name, "account.disable", name, {}, clock)
        return await _existing(conn, name)


def is_name(name: str) -> bool:
    """Whether an account could have this name: 2 to 40 of ``a-z 0-9 . _ -``, a letter or digit first."""
    return _NAME.fullmatch(name) is not None


async def list_accounts(conn: AsyncConnection) -> tuple[Account, ...]:
    """All accounts by name."""
    return tuple(await store.list_accounts(conn, limit=ACCOUNTS_MAX))


async def _existing(conn: AsyncConnection, name: str) -> Account:
    account = await store.find_account(conn, name)
    if account is None:
        raise AccountNotFound(name=name)
    return account


def _check_names(name: str, display_name: str, role: str) -> None:
    if not is_name(name):
        raise AccountNotUsable(
            problem=f"the name {name!r} is not 2 to 40 of a-z 0-9 . _ - with a letter or digit first"
        )
    if len(display_name) > DISPLAY_NAME_CHARACTERS_MAX or not display_name.isprintable():
        raise AccountNotUsable(problem=f"the display name may have {DISPLAY_NAME_CHARACTERS_MAX} printable characters")
    if role not in ROLES:
        raise AccountNotUsable(problem=f"there is no role {role!r}; the roles are {', '.join(ROLES)}")
