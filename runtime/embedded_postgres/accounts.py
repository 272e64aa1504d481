"""Which user the server runs as, and what that user can reach. PostgreSQL refuses to run as root."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from runtime.embedded_postgres.refusals import NoUserForServer

ROOT_UID = 0
FALLBACK_USERS = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    """A user of this machine with all its groups; ``name`` is None where no name belongs to the number."""

    uid: int
    gid: int
    name: str | None
    groups: frozenset[int] = frozenset()

    def __str__(self) -> str:
        return self.name or str(self.uid)


def choose_uid(
    *, euid: int, cluster_owner: int | None, sudo_uid: int | None, uid_by_name: Callable[[str], int | None]
) -> int:
    """The user to run as: ourselves; for root the cluster's owner, else who called sudo, else postgres, else nobody."""
    if euid != ROOT_UID:
        return euid
    for uid in (cluster_owner, sudo_uid, *map(uid_by_name, FALLBACK_USERS)):
        if uid is not None and uid != ROOT_UID:
            return uid
    raise NoUserForServer()


def may(account: Account, found: os.stat_result, wanted: int) -> bool:
    """Whether the mode bits let the account do ``wanted`` (4 read, 2 write, 1 traverse) with what was found.

    Access lists beyond the mode bits are not looked at; what they open is at worst copied without need.
    """
    if account.uid == ROOT_UID:
        return True
    if found.st_uid == account.uid:
        granted = found.st_mode >> 6
    elif found.st_gid == account.gid or found.st_gid in account.groups:
        granted = found.st_mode >> 3
    else:
        granted = found.st_mode
    return granted & wanted == wanted


def closed_at(path: Path, account: Account) -> Path | None:
    """The first directory on the way to ``path`` that the account may not traverse; None when the way is open."""
    for parent in reversed(path.parents):
        if not may(account, parent.stat(), 1):
            return parent
    return None


def unreadable_below(directory: Path, account: Account) -> Path | None:
    """The first thing in the tree that the account may not read (or, for a directory or program, use)."""
    if not may(account, directory.stat(), 5):
        return directory
    with os.scandir(directory) as entries:  # PostgreSQL is two thousand files, looked at before each command of root
        for entry in entries:
            found = entry.stat()
            wanted = 5 if found.st_mode & stat.S_IXUSR else 4  # a directory has that bit too
            if not may(account, found, wanted):
                return Path(entry.path)
            below = unreadable_below(Path(entry.path), account) if entry.is_dir() else None
            if below is not None:
                return below
    return None


def account_of(uid: int) -> Account:
    """The account with this number; one without a name on this machine (as in a container) has no further groups."""
    import pwd  # not on Windows, where this module must still load to say what to do

    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return Account(uid=uid, gid=uid, name=None)
    groups = frozenset(os.getgrouplist(entry.pw_name, entry.pw_gid))
    return Account(uid=uid, gid=entry.pw_gid, name=entry.pw_name, groups=groups)


def user_name(uid: int) -> str:
    """The user's name, or the number where it has none."""
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def uid_by_name(name: str) -> int | None:
    """The user's number; None where there is no such user."""
    import pwd

    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        return None


def sudo_caller() -> int | None:
    """Who called sudo. Not a setting but a fact that sudo leaves in the environment; believed only when we are root."""
    said = os.environ.get("SUDO_UID", "")
    return int(said) if os.geteuid() == ROOT_UID and said.isascii() and said.isdigit() else None
