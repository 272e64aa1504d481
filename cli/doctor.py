"""``tracemark doctor``: is this installation able to do its work, and do its books balance?"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection

from cli.installation import Installation
from ledger import books, codes
from runtime import migrations
from runtime.database import DatabaseAddress, Role
from runtime.embedded_postgres import versions

LOW_DISK_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    good: bool
    what: str
    found: str


async def examine(conn: AsyncConnection, installation: Installation) -> list[Finding]:
    """Look at everything; nothing is changed."""
    findings = [_pango(), _chinese_font(), _disk(installation), _server(), await _portal(installation.address)]
    return findings + [finding async for finding in _ledger(conn, installation)]


async def rebuild(conn: AsyncConnection, installation: Installation) -> int:
    """Write the ledger's book anew from its events; how many they were. Nothing is changed if it would not balance."""
    return await books.write_anew(conn, await codes.KeyRing.load(conn, installation.master_secret))


def _pango() -> Finding:
    try:
        import weasyprint
    except OSError as error:
        return Finding(False, "Pango (labels, letters)", f"{error}. Install libpango-1.0-0 and libpangoft2-1.0-0")
    return Finding(True, "Pango (labels, letters)", f"WeasyPrint {weasyprint.__version__}")


def _chinese_font() -> Finding:
    command = shutil.which("fc-match")
    if command is None:
        return Finding(False, "fonts", "fontconfig is missing: install fontconfig and fonts-noto-cjk")
    words = [command, ":lang=zh-cn", "family"]
    family = subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603 - fixed words
    good = "CJK" in family or "Han" in family or "Hei" in family or "Song" in family
    return Finding(good, "a font for Chinese", family or "none: install fonts-noto-cjk")


def _disk(installation: Installation) -> Finding:
    free = shutil.disk_usage(installation.settings.data_dir if installation.settings.data_dir.exists() else ".").free
    return Finding(free > LOW_DISK_BYTES, "free disk space", f"{free / 1e9:.1f} GB")


def _server() -> Finding:
    return Finding(True, "embedded PostgreSQL", f"{(found := versions()).version} in {found.bin_dir}")


async def _portal(address: DatabaseAddress) -> Finding:
    """Its address may be another one than the rest has, and a portal on a standby confirms nothing."""
    try:
        connection = await address.connect(Role.PORTAL)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return Finding(False, "the portal's database", str(error))
    try:
        user = await connection.fetchval("SELECT session_user")
    finally:
        await connection.close()
    return Finding(True, "the portal's database", f"a primary, with the login {user}")


async def _ledger(conn: AsyncConnection, installation: Installation) -> AsyncIterator[Finding]:
    yield Finding(await migrations.found(conn) == migrations.newest(), "schema", str(await migrations.found(conn)))
    keys = await codes.KeyRing.load(conn, installation.master_secret)
    yield Finding(True, "serial keys", f"{len(keys.epochs)} readable with this master secret")
    for check in await books.examine(conn):
        yield Finding(
            check.wrong == 0,
            check.what,
            "in order" if check.wrong == 0 else f"{check.wrong:,} wrong, first: {check.example}",
        )
