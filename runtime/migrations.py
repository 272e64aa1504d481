"""Bring the schema up to date, once, in one transaction, by one process at a time."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

from runtime.database import DatabaseAddress, Role
from runtime.refusals import Conflict, NotAllowed

SCHEMA = Path(__file__).parent.parent / "schema"
OLDEST_SERVER = 15

_STEP: Final = re.compile(r"(\d{4})_\w+\.py")
_LOCK = 0x7472_6D6B  # "trmk": one migration at a time in a database
_ROLES = [role.value for role in Role if role is not Role.LOGIN]


class DatabaseTooNew(Conflict):
    """This database was made by a newer Tracemark (schema {found}); this one knows schemas up to {known}. Upgrade
    Tracemark."""


class DatabaseBehind(Conflict):
    """This database has schema {found}, and {known} is needed. Run: tracemark migrate"""


class ServerTooOld(Conflict):
    """This PostgreSQL server is version {version}; Tracemark needs {oldest} or newer."""


class RolesMissing(NotAllowed):
    """The login of TRACEMARK_DATABASE_URL may not create the roles Tracemark works under. Ask an administrator to
    run: {sql}"""


def newest() -> str:
    """The schema version that this code needs."""
    return max(known())


@cache
def known() -> frozenset[str]:
    """The schema versions that this code knows: each step's file is named by its version, and they rise."""
    names = (_STEP.fullmatch(path.name) for path in (SCHEMA / "versions").iterdir())
    return frozenset(name[1] for name in names if name is not None)


async def migrate(address: DatabaseAddress) -> str:
    """Create the roles and bring the schema to ``newest()``; returns it. Doing it again changes nothing.

    Raises ``DatabaseTooNew`` (nothing is touched), ``ServerTooOld``, ``RolesMissing``.
    """
    if await _is_newest(address):
        return newest()
    engine = address.engine(Role.LOGIN, pool_size=1)
    try:
        async with engine.begin() as conn:
            await conn.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            await _check_server(conn)
            version = await found(conn)
            _refuse_newer(version)
            await _ensure_roles(conn)
            await conn.execute(text("SET LOCAL ROLE tracemark_owner"))
            await conn.run_sync(_upgrade)
    finally:
        await engine.dispose()
    return newest()


async def check(address: DatabaseAddress) -> str:
    """The schema version found, when it is the one needed; raises ``DatabaseBehind`` or ``DatabaseTooNew``."""
    engine = address.engine(Role.LOGIN, pool_size=1)
    try:
        async with engine.connect() as conn:
            version = await found(conn)
    finally:
        await engine.dispose()
    _refuse_newer(version)
    if version != newest():
        raise DatabaseBehind(found=version or "none", known=newest())
    return version


async def found(conn: AsyncConnection) -> str | None:
    """The schema version of the database; None when it is empty."""
    if (await conn.execute(text("SELECT to_regclass('alembic_version')"))).scalar() is None:
        return None
    version: str | None = (await conn.execute(text("SELECT version_num FROM alembic_version"))).scalar()
    return version


async def _is_newest(address: DatabaseAddress) -> bool:
    """Whether nothing is to be done, by one question to the driver: that is so before almost every command."""
    connection = await address.connect(Role.LOGIN)
    try:
        if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
            return False
        version = await connection.fetchval("SELECT version_num FROM alembic_version")
        return bool(version == newest())
    finally:
        await connection.close()


def _refuse_newer(version: str | None) -> None:
    if version is not None and version not in known():
        raise DatabaseTooNew(found=version, known=newest())


async def _check_server(conn: AsyncConnection) -> None:
    number = int((await conn.execute(text("SELECT current_setting('server_version_num')"))).scalar_one())
    if number // 10_000 < OLDEST_SERVER:
        raise ServerTooOld(version=number // 10_000, oldest=OLDEST_SERVER)


async def _ensure_roles(conn: AsyncConnection) -> None:
    rows = await conn.execute(text("SELECT rolname FROM pg_roles WHERE rolname = ANY(:roles)"), {"roles": _ROLES})
    present = set(rows.scalars())
    wanted = [f"CREATE ROLE {name} NOLOGIN" for name in _ROLES if name not in present]
    database = (await conn.execute(text("SELECT quote_ident(current_database())"))).scalar_one()
    grants = [f"GRANT {name} TO CURRENT_USER" for name in _ROLES]
    grants += [
        f"GRANT CREATE ON DATABASE {database} TO tracemark_owner",
        "GRANT CREATE ON SCHEMA public TO tracemark_owner",
    ]
    member = text(
        "SELECT bool_and(pg_has_role(current_user, rolname, 'MEMBER')) FROM pg_roles WHERE rolname = ANY(:roles)"
    )
    if not wanted and (await conn.execute(member, {"roles": _ROLES})).scalar():
        grants = [sql for sql in grants if "SCHEMA" in sql] if await _is_new(conn) else []
    try:
        for sql in wanted + grants:
            await conn.exec_driver_sql(sql)
    except ProgrammingError as error:
        raise RolesMissing(sql="; ".join(wanted + grants)) from error


async def _is_new(conn: AsyncConnection) -> bool:
    return await found(conn) is None


def _upgrade(connection: Connection) -> None:
    from alembic import command  # here: it is needed once in a database's life, and takes as long as ten labels
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(SCHEMA))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
