"""Making a cluster, and refusing one that these binaries cannot open."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from runtime.embedded_postgres.accounts import ROOT_UID, Account
from runtime.embedded_postgres.binaries import PLAIN_ENVIRONMENT
from runtime.embedded_postgres.layout import Layout, make_private
from runtime.embedded_postgres.locks import open_private
from runtime.embedded_postgres.refusals import (
    ClusterIncomplete,
    DataDirectoryTooNew,
    DataDirectoryTooOld,
    DiskFull,
    PasswordFileMissing,
    ServerDidNotStart,
    UserHasNoName,
)

SUPERUSER = "postgres"
DATABASE = "tracemark"
PASSWORD_FILE = "postgres.password"  # noqa: S105 - a name
PASSWORD_BYTES = 32
DRAFT = "postgres.new"
DRAFT_PASSWORD_FILE = "postgres.new.password"  # noqa: S105 - a name
NO_SPACE = "No space left on device"
REASONS_MAX = 3
TELLING = re.compile(
    r"(?:(?:FATAL|PANIC|ERROR|HINT|DETAIL|error):\s+|LOG:\s+(?=.*(?:invalid|could not|unrecognized|syntax error)))"
    r"(?P<what>.+)"
)

# For a small machine shared with the application. They stand in postgresql.conf, where an operator may change them.
SETTINGS = {
    "shared_buffers": "128MB",
    "max_connections": "100",
    "effective_cache_size": "512MB",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "1GB",  # also bounds how long recovery after a crash takes
    "timezone": "UTC",
    "log_timezone": "UTC",
}


def ensure_cluster(layout: Layout, log: Path, *, fast: bool) -> None:
    """Make the cluster if there is none, else see that we can open it. Call while holding the control lock."""
    _remove_draft(layout.cluster)
    version_file = layout.cluster / "PG_VERSION"
    if version_file.exists():
        check_version(layout.cluster, version_file.read_text().strip(), layout.binaries.version)
        return
    if layout.cluster.is_dir() and any(layout.cluster.iterdir()):
        raise ClusterIncomplete(path=layout.cluster, reason="it has files but no PG_VERSION")
    _create(layout, log, fast=fast)


def check_version(cluster: Path, found: str, ours: str) -> None:
    """Refuse a cluster of another major version; a minor one makes no difference to the files."""
    if not found.isdigit():
        raise ClusterIncomplete(path=cluster, reason=f"PG_VERSION says {found!r}, which is no version")
    major = int(ours.partition(".")[0])
    if int(found) > major:
        raise DataDirectoryTooNew(path=cluster, found=found, ours=ours)
    if int(found) < major:
        raise DataDirectoryTooOld(path=cluster, found=found, ours=ours)


def read_password(data_dir: Path, cluster: Path) -> str:
    """The superuser's password, from the file that only the owner may read."""
    path = data_dir / PASSWORD_FILE
    if not path.is_file() or path.is_symlink():
        raise PasswordFileMissing(path=path, cluster=cluster)
    text = path.read_text(encoding="ascii").strip()
    if not text:
        raise PasswordFileMissing(path=path, cluster=cluster)
    return text


def _create(layout: Layout, log: Path, *, fast: bool) -> None:
    """Make the cluster under another name first: one cut off in the making is never taken for a database."""
    if layout.account.name is None:
        raise UserHasNoName(user=layout.account, path=layout.cluster)
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    _write(open_private(layout.data_dir / PASSWORD_FILE), password + "\n")
    draft = layout.cluster.parent / DRAFT
    make_private(draft, layout.account)
    lent = draft.with_name(DRAFT_PASSWORD_FILE)
    lent.unlink(missing_ok=True)
    fd = open_private(lent)
    if os.geteuid() == ROOT_UID:
        os.fchown(fd, layout.account.uid, layout.account.gid)
    _write(fd, password + "\n")
    programs = layout.binaries.bin_dir
    try:
        _run(layout, log, initdb_arguments(programs, draft, lent, fast=fast))
        single = [str(programs / "postgres"), "--single", "-D", str(draft), *(["-F"] if fast else []), "template1"]
        _run(layout, log, single, said=f"CREATE DATABASE {DATABASE}\n")
    except BaseException:
        shutil.rmtree(draft)  # on a full disk it would keep the rest from working
        raise
    finally:
        lent.unlink()
    draft.rename(layout.cluster)  # in one step, also over an empty directory
    for directory in () if fast else (layout.data_dir, layout.cluster.parent):
        _sync(directory)


def initdb_arguments(programs: Path, directory: Path, password_file: Path, *, fast: bool) -> list[str]:
    return [
        str(programs / "initdb"),
        f"--pgdata={directory}",
        f"--username={SUPERUSER}",
        f"--pwfile={password_file}",
        "--auth-local=scram-sha-256",
        "--auth-host=reject",
        "--encoding=UTF8",
        "--locale=C",
        "--data-checksums",
        *(f"--set={name}={value}" for name, value in SETTINGS.items()),
        *(["--no-sync"] if fast else []),
    ]


def _run(layout: Layout, log: Path, arguments: Sequence[str], said: str = "") -> None:
    """Run one of the binaries as the server's user; what it says goes to the log."""
    drop = dropped(layout.account)
    done = subprocess.run(  # noqa: S603 - our own programs and arguments
        arguments,
        input=said,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd="/",
        env=PLAIN_ENVIRONMENT,
        umask=0o077,
        start_new_session=True,
        check=False,
        user=drop.uid,
        group=drop.gid,
        extra_groups=drop.groups,
    )
    with os.fdopen(open_private(log, os.O_WRONLY | os.O_APPEND), "w", encoding="utf-8") as file:
        file.write(done.stdout)
    # The single-user server ends with 0 whatever became of its statement.
    if done.returncode != 0 or "ERROR:" in done.stdout or "FATAL:" in done.stdout:
        raise failure(layout.cluster, log, done.stdout, killed_by=max(-done.returncode, 0))


class Dropped(NamedTuple):
    """Whom ``subprocess`` shall become; None leaves it as it is."""

    uid: int | None
    gid: int | None
    groups: list[int] | None


def dropped(account: Account) -> Dropped:
    """Root gives up its rights for the account; anybody else is the account already."""
    if os.geteuid() != ROOT_UID:
        return Dropped(None, None, None)
    return Dropped(account.uid, account.gid, sorted(account.groups))


def failure(cluster: Path, log: Path, said: str, *, killed_by: int = 0) -> DiskFull | ServerDidNotStart:
    """The refusal with what PostgreSQL gave as its reasons, or the number of the signal that ended it."""
    reasons = reasons_in(said)
    if killed_by:
        reasons.append(f"it was killed from outside by signal {killed_by}, as happens when memory runs out")
    reason = "; ".join(reasons) or "it said nothing"
    if NO_SPACE in said:
        return DiskFull(path=cluster, reason=reason)
    return ServerDidNotStart(path=cluster, reason=reason, log=log)


def reasons_in(said: str) -> list[str]:
    """The last few lines of a log that tell what went wrong, without date and process number."""
    lines = [line for line in said.splitlines() if line.strip()]
    matches = [match for line in lines if (match := TELLING.search(line)) is not None]
    return [match.group("what").rstrip(".") for match in matches][-REASONS_MAX:] or lines[-1:]


def _remove_draft(cluster: Path) -> None:
    draft = cluster.parent / DRAFT
    if draft.is_dir() and not draft.is_symlink():
        shutil.rmtree(draft)
    draft.with_name(DRAFT_PASSWORD_FILE).unlink(missing_ok=True)


def _sync(directory: Path) -> None:
    """Make new names in the directory survive a power cut, like the files that they name."""
    fd = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _write(fd: int, text: str) -> None:
    with os.fdopen(fd, "w", encoding="ascii") as file:
        file.truncate()
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
