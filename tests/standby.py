"""A server that follows the tests' own, as a hot standby does."""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from runtime.database import DatabaseAddress, Role, asyncpg_url
from runtime.embedded_postgres.accounts import account_of
from runtime.embedded_postgres.binaries import PLAIN_ENVIRONMENT, versions
from runtime.embedded_postgres.cluster import dropped
from runtime.embedded_postgres.layout import STAGE, reachable_binaries


@dataclass(frozen=True)
class Standby:
    """``url`` is of the same database as the primary's address was."""

    url: str

    async def connect(self, **session: str) -> asyncpg.Connection:
        """A connection, whatever the server is: our own way refuses a standby."""
        url = asyncpg_url(self.url)
        return await asyncpg.connect(
            host=str(url.query["host"]),
            user=url.username,
            password=url.password,
            database=url.database,
            server_settings=session,
        )

    async def ask(self, sql: str) -> object:
        """The answer to a statement of the administrator."""
        connection = await self.connect()
        try:
            return await connection.fetchval(sql)
        finally:
            await connection.close()


@asynccontextmanager
async def standby_of(primary: DatabaseAddress) -> AsyncIterator[Standby]:
    """A copy of the whole server, started as a standby; it is gone afterwards."""
    connection = await primary.connect(Role.LOGIN)
    owner = Path(await connection.fetchval("SHOW data_directory")).stat().st_uid
    await connection.close()
    account, url = account_of(owner), asyncpg_url(primary.url)
    drop = dropped(account)
    as_owner: dict[str, Any] = {"user": drop.uid, "group": drop.gid, "extra_groups": drop.groups, "cwd": "/"}
    programs = reachable_binaries(versions(), account, STAGE, lambda sentence: None).bin_dir
    with tempfile.TemporaryDirectory(prefix="tracemark-standby-") as name:
        folder, log = Path(name), Path(name) / "log"
        shutil.chown(folder, account.uid, account.gid)
        environment = PLAIN_ENVIRONMENT | {
            "PGHOST": str(url.query["host"]), "PGUSER": str(url.username), "PGPASSWORD": str(url.password)
        }  # fmt: skip
        copy = [str(programs / "pg_basebackup"), "-D", str(folder / "copy"), "-c", "fast", "-R", "--no-sync"]
        await asyncio.to_thread(
            lambda: subprocess.run(copy, env=environment, check=True, capture_output=True, **as_owner)
        )
        settings = ["listen_addresses=", f"unix_socket_directories={folder}", "fsync=off"]
        start = [str(programs / "postgres"), "-D", str(folder / "copy"), *(f"--{setting}" for setting in settings)]
        with log.open("wb") as said:
            server = await asyncio.to_thread(
                lambda: subprocess.Popen(start, env=PLAIN_ENVIRONMENT, stderr=said, **as_owner)
            )
        try:
            there = url.update_query_dict({"host": str(folder)}).render_as_string(hide_password=False)
            await _until_it_answers(Standby(there), server, log)
            yield Standby(there)
        finally:
            server.send_signal(signal.SIGINT)  # the fast way to stop
            await asyncio.to_thread(server.wait)


async def _until_it_answers(standby: Standby, server: subprocess.Popen[bytes], log: Path) -> None:
    while server.poll() is None:
        try:
            await standby.ask("SELECT 1")
        except (OSError, asyncpg.CannotConnectNowError):
            await asyncio.sleep(0.05)
        else:
            return
    raise RuntimeError(f"the standby did not start: {log.read_text()}")
