"""What every command works on: settings, the database (started if it is the embedded one), and who acts."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import asyncpg
from pydantic import SecretStr
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from cli.output import tell
from runtime import migrations, settings
from runtime.connecting import PORT, DatabaseIsStandby, asyncpg_url
from runtime.database import DatabaseAddress, Role
from runtime.embedded_postgres import EmbeddedPostgres
from runtime.refusals import Conflict
from runtime.secrets import master_secret
from runtime.settings import Settings

if TYPE_CHECKING:
    from ledger.codes import KeyRing

T = TypeVar("T")


class DatabaseNotReached(Conflict):
    """The database at {where} cannot be reached ({problem}). See that the server is up and that
    TRACEMARK_DATABASE_URL is right. Nothing was done."""


class DatabaseFollows(Conflict):
    """The database at {where} is a standby: it follows another server and may be behind it. Let TRACEMARK_DATABASE_URL
    name the primary, or promote this server. Nothing was done."""


@dataclass(frozen=True, slots=True)
class Installation:
    """An installation that is up: its schema is the one this code needs."""

    settings: Settings
    address: DatabaseAddress

    @property
    def master_secret(self) -> str:
        secret = self.settings.master_secret
        assert secret is not None  # filled in by open_installation
        return secret.get_secret_value()

    def run(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Run ``work`` with a staff connection of its own."""
        return asyncio.run(self._run(work))

    def run_with_keys(self, work: Callable[[AsyncConnection, KeyRing], Awaitable[T]]) -> T:
        """As ``run``, for a verb that makes or reads our codes."""
        from ledger.codes import KeyRing  # here: most commands read no code

        async def keyed(conn: AsyncConnection) -> T:
            return await work(conn, await KeyRing.load(conn, self.master_secret))

        return self.run(keyed)

    async def _run(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        engine = self.address.engine(Role.STAFF, pool_size=2)
        try:
            async with engine.connect() as conn:
                return await work(conn)
        finally:
            await engine.dispose()


@contextmanager
def open_installation(*, migrate: bool = False, **overrides: Any) -> Iterator[Installation]:
    """The installation that the settings name, up and checked, until the block ends.

    The embedded database is started (or joined) and brought up to date by itself; a server's schema is only checked,
    unless ``migrate``. Raises the refusals of settings, embedded server, migrations and master secret.
    """
    chosen = settings.load(**overrides)
    with _database(chosen) as (url, embedded):
        address = DatabaseAddress(
            url,
            portal_url=chosen.portal_database_url.get_secret_value() if chosen.portal_database_url else None,
            pool_size=chosen.database_pool_size,
            statement_timeout_ms=chosen.statement_timeout_ms,
            portal_statement_timeout_ms=chosen.portal_statement_timeout_ms,
        )
        with reaching(address):
            asyncio.run(migrations.migrate(address) if migrate or embedded else migrations.check(address))
        secret = SecretStr(master_secret(chosen))
        yield Installation(chosen.model_copy(update={"master_secret": secret}), address)


@contextmanager
def reaching(address: DatabaseAddress) -> Iterator[None]:
    """What a first connection may fail with, said as a refusal: no server, another password, no such database."""
    try:
        yield
    except DatabaseIsStandby as error:
        raise DatabaseFollows(where=_where(address)) from error
    except OSError as error:
        raise _not_reached(address, error) from error
    except DBAPIError as error:
        cause = error.orig.__cause__ if error.orig is not None else None
        if isinstance(cause, asyncpg.InvalidAuthorizationSpecificationError | asyncpg.InvalidCatalogNameError):
            raise _not_reached(address, cause) from error
        raise


def _not_reached(address: DatabaseAddress, error: BaseException) -> DatabaseNotReached:
    return DatabaseNotReached(where=_where(address), problem=str(error).splitlines()[0])


def _where(address: DatabaseAddress) -> str:
    url = asyncpg_url(address.url)
    return (
        f"{url.host or url.query.get('host', 'this machine')}:{url.port or url.query.get('port', PORT)}/{url.database}"
    )


@contextmanager
def _database(chosen: Settings) -> Iterator[tuple[str, bool]]:
    if chosen.database_url is not None:
        yield chosen.database_url.get_secret_value(), False
        return
    with EmbeddedPostgres(chosen.data_dir, say=tell) as address:
        yield address.url(), True


def acting(by: str | None) -> str:
    """The name under which a command acts: ``--by``, else the operator of this machine."""
    if by:
        return by
    try:
        return f"operator:{getpass.getuser()}"
    except (KeyError, OSError):  # no entry for this user, as in many containers
        return "operator"


def results_dir(chosen: Settings, *parts: str) -> Path:
    """A folder of the data directory for what a command makes, created when missing."""
    path = chosen.data_dir.joinpath(*parts)
    path.mkdir(parents=True, exist_ok=True)
    return path
