"""Backups: a dump by PostgreSQL's own tool, the master secret, and a manifest that says what must come back."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import AsyncConnection

from cli.installation import Installation, open_installation
from cli.output import tell
from runtime import migrations, settings
from runtime.clock import rfc3339, system_clock
from runtime.database import DatabaseAddress, Role, asyncpg_url
from runtime.embedded_postgres import EmbeddedPostgres, bin_dir
from runtime.refusals import Conflict, Invalid, NotAllowed, NotFound
from runtime.secrets import FILE as SECRET_FILE

DUMP, MANIFEST = "tracemark.dump", "manifest.json"
_COUNTED = ("event", "lot", "code_run", "number_block", "recall_case", "case_version", "audit")
# Transaction numbers start anew in another cluster: rows must not look as if they came from the future.
_CHANGED = (
    "party",
    "place",
    "product",
    "lot",
    "number_block",
    "foreign_serial",
    "code_run",
    "used_up_run",
    "void_code",
    "event_arrival",
    "unusual_finding",
)


class FolderExists(Conflict):
    """{path} exists already. Name a folder that does not."""


class BackupMissing(NotFound):
    """{path} does not hold a backup ({problem})."""


class BackupDamaged(Invalid):
    """The backup in {path} is not what its manifest says: {problem}. Do not rely on it."""


class DatabaseNotEmpty(Conflict):
    """The database already holds a ledger. Restore into an empty one: another --data-dir or TRACEMARK_DATABASE_URL."""


class OtherSecret(Conflict):
    """The backup in {path} was made with another master secret than the one that is set here, and without its own no
    printed code can be read. Set TRACEMARK_MASTER_SECRET_FILE to {file}, or name a --data-dir that was not used."""


class SuperuserNeeded(NotAllowed):
    """A restore loads the rows with the server's own checks put off, which takes a superuser. Name one in
    TRACEMARK_DATABASE_URL for this command only. Nothing was changed."""


class ToolFailed(Conflict):
    """{tool} failed: {problem}"""


def save(installation: Installation, folder: Path) -> dict[str, Any]:
    """Write a backup to ``folder``, which must not exist; returns its manifest."""
    if folder.exists():
        raise FolderExists(path=folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))  # 0700
    try:
        manifest = _fill(installation, draft)
        draft.rename(folder)
    except BaseException:  # also when it is stopped: half a backup must not lie about, with the secret in it
        shutil.rmtree(draft)
        raise
    return manifest


def _fill(installation: Installation, draft: Path) -> dict[str, Any]:
    dump = draft / DUMP
    tell("saving the database …")
    _tool("pg_dump", installation.address, "--format=custom", "--no-owner", f"--file={dump}")
    _write_private(draft / SECRET_FILE, installation.master_secret.encode())
    manifest = {
        "made_at": rfc3339(system_clock()),
        "schema": migrations.newest(),
        "bytes": dump.stat().st_size,
        "sha256": _sha256(dump),
        **installation.run(counts),
    }
    _write_private(draft / MANIFEST, orjson.dumps(manifest, option=orjson.OPT_INDENT_2))
    return manifest


def load(folder: Path, *, data_dir: Path | None) -> dict[str, Any]:
    """Restore ``folder`` into the empty database that the settings name."""
    manifest = read_manifest(folder)
    secret = (folder / SECRET_FILE).read_text(encoding="ascii").strip()
    chosen = settings.load(data_dir=data_dir)
    if chosen.master_secret is None and not (chosen.data_dir / SECRET_FILE).exists():
        chosen.data_dir.mkdir(parents=True, exist_ok=True)
        _write_private(chosen.data_dir / SECRET_FILE, secret.encode())
    with open_installation(data_dir=data_dir, migrate=True) as installation:
        if installation.master_secret != secret:
            raise OtherSecret(path=folder, file=folder / SECRET_FILE)
        if any(installation.run(counts)["rows"][name] for name in ("event", "lot", "recall_case")):
            raise DatabaseNotEmpty()
        if not asyncio.run(_is_superuser(installation.address)):
            raise SuperuserNeeded()
        _restore(installation.address, folder)
        if installation.run(counts)["rows"] != manifest["rows"]:
            raise BackupDamaged(path=folder, problem="the rows that came back are not those that were saved")
    return manifest


def verify(folder: Path) -> dict[str, Any]:
    """Restore into a scratch server and compare; the scratch is gone afterwards."""
    manifest = read_manifest(folder)
    with tempfile.TemporaryDirectory(prefix="tracemark-verify-") as name:
        Path(name).chmod(0o755)  # as root the server runs as another user, who has to get here
        with EmbeddedPostgres(Path(name) / "var", say=tell) as embedded:
            address = DatabaseAddress(embedded.url())
            asyncio.run(migrations.migrate(address))
            _restore(address, folder)
            found = asyncio.run(_counted(address))
    if found["rows"] != manifest["rows"]:
        raise BackupDamaged(path=folder, problem=f"rows {found['rows']} instead of {manifest['rows']}")
    return {"good": True, **manifest}


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest, once the dump beside it has the hash it names."""
    try:
        manifest: dict[str, Any] = orjson.loads((folder / MANIFEST).read_bytes())
        found = _sha256(folder / DUMP)
        (folder / SECRET_FILE).stat()
    except (OSError, orjson.JSONDecodeError) as error:
        raise BackupMissing(path=folder, problem=error) from error
    if found != manifest["sha256"]:
        raise BackupDamaged(path=folder, problem="the dump has another hash")
    return manifest


async def counts(conn: AsyncConnection) -> dict[str, Any]:
    """How many rows of what matters, and the last event."""
    rows = {}
    for name in _COUNTED:
        rows[name] = (await conn.execute(text(f"SELECT count(*) FROM {name}"))).scalar_one()  # noqa: S608 - fixed names
    return {"events": rows["event"], "rows": rows}


async def _counted(address: DatabaseAddress) -> dict[str, Any]:
    engine = address.engine(Role.STAFF, pool_size=1)
    async with engine.connect() as conn:
        found = await counts(conn)
    await engine.dispose()
    return found


async def _is_superuser(address: DatabaseAddress) -> bool:
    engine = address.engine(Role.LOGIN, pool_size=1)
    async with engine.connect() as conn:
        found = (await conn.execute(text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"))).scalar_one()
    await engine.dispose()
    return bool(found)


def _restore(address: DatabaseAddress, folder: Path) -> None:
    """The schema is made by our migrations; the dump brings the rows, after the few that migrations made are gone."""
    asyncio.run(
        _statements(
            address,
            [
                "TRUNCATE party, place, number_allocator, public_record, code_run_loss, shelf, unusual_rule,"
                " alembic_version CASCADE"
            ],
        )
    )
    _tool(
        "pg_restore",
        address,
        "--data-only",
        "--disable-triggers",
        "--single-transaction",
        "--no-owner",
        f"--dbname={_plain(address)}",
        str(folder / DUMP),
    )
    asyncio.run(
        _statements(
            address,
            [f"ALTER TABLE {t} DISABLE TRIGGER USER" for t in _CHANGED]
            + [f"UPDATE {t} SET changed_in = 0" for t in _CHANGED]  # noqa: S608 - fixed names
            + [f"ALTER TABLE {t} ENABLE TRIGGER USER" for t in _CHANGED],
        )
    )


async def _statements(address: DatabaseAddress, sqls: list[str]) -> None:
    engine = address.engine(Role.LOGIN, pool_size=1)
    async with engine.begin() as conn:
        for sql in sqls:
            await conn.exec_driver_sql(sql)
    await engine.dispose()


def _plain(address: DatabaseAddress) -> str:
    """The address as libpq's tools read it, without the password (which goes by the environment)."""
    url = asyncpg_url(address.url)
    # built anew: ``URL.set`` leaves a password where it is, and the rendered stars would be taken for one
    plain = URL.create("postgresql", url.username, None, url.host, url.port, url.database, url.query)
    return plain.render_as_string(hide_password=False)


def _tool(name: str, address: DatabaseAddress, *arguments: str) -> None:
    environment = {**os.environ, "PGPASSWORD": str(asyncpg_url(address.url).password or "")}
    where = [] if name == "pg_restore" else [f"--dbname={_plain(address)}"]
    done = subprocess.run(  # noqa: S603 - PostgreSQL's own tool, our own arguments
        [str(bin_dir() / name), *where, *arguments], capture_output=True, text=True, check=False, env=environment
    )
    if done.returncode != 0:
        raise ToolFailed(tool=name, problem=done.stderr.strip().splitlines()[-1] if done.stderr else done.returncode)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_private(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
