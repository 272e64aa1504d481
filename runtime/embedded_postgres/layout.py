"""Where the parts of the embedded database lie, and making those places private."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import stat
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime.embedded_postgres.accounts import (
    ROOT_UID,
    Account,
    account_of,
    choose_uid,
    closed_at,
    sudo_caller,
    uid_by_name,
    unreadable_below,
    user_name,
)
from runtime.embedded_postgres.binaries import Binaries, libraries_of, probe, stage, versions
from runtime.embedded_postgres.refusals import (
    ClusterIncomplete,
    ClusterLinkNotTrusted,
    ClusterOutOfReach,
    ClusterOwnedByAnother,
    ClusterOwnedByRoot,
    DataDirIsAFile,
    DataDirNotWritable,
    NoPlaceToStage,
    SocketDirNotOurs,
)

CLUSTER = "postgres"
SOCKETS = "postgres.socket"
STAGE = Path("/var/lib/tracemark")
PORT = 5432  # only names the socket; nothing listens on the network
SOCKET_PATH_BYTES_MAX = 103  # what macOS takes; Linux takes 107
SOCKET_NAME_BYTES = len(f"/.s.PGSQL.{PORT}")
SAFE_PATH = re.compile(r"/[A-Za-z0-9_./-]*")  # PostgreSQL splits its setting at commas, drivers split hosts at colons


@dataclass(frozen=True, slots=True)
class Layout:
    """``data_dir`` is Tracemark's, ``cluster`` PostgreSQL's own; both without links on the way."""

    data_dir: Path
    cluster: Path
    account: Account
    binaries: Binaries


def prepare_layout(data_dir: Path, stage_dir: Path, say: Callable[[str], None]) -> Layout:
    """Find or make the places for this usable data directory, and refuse where the user cannot have them.

    Call while holding the control lock.
    """
    link = data_dir / CLUSTER
    cluster = existing_cluster(link)
    owner = cluster.stat().st_uid if cluster is not None else None
    uid = choose_uid(euid=os.geteuid(), cluster_owner=owner, sudo_uid=sudo_caller(), uid_by_name=uid_by_name)
    account = account_of(uid)
    refuse_foreign(data_dir, cluster, account)
    binaries = reachable_binaries(versions(), account, stage_dir, say)
    if cluster is None:
        cluster = link
        closed = closed_at(link, account)
        if closed is not None:
            cluster = stage_cluster(link, account, closed, stage_dir, say)
    else:
        closed = closed_at(cluster, account)
        if closed is not None:
            raise ClusterOutOfReach(path=cluster, user=account, closed=closed)
    return Layout(data_dir, cluster, account, binaries)


def usable_data_dir(data_dir: Path) -> Path:
    """The directory, made if need be, resolved; it must be ours to write in."""
    try:
        if data_dir.exists() and not data_dir.is_dir():
            raise DataDirIsAFile(path=data_dir)
        if not data_dir.exists():
            data_dir.mkdir(parents=True, exist_ok=True)
            caller = sudo_caller()
            if caller is not None:  # so that the one who called sudo can go on without it
                os.chown(data_dir, caller, account_of(caller).gid)
        resolved = data_dir.resolve(strict=True)
    except NotADirectoryError as error:
        raise DataDirIsAFile(path=Path(error.filename or data_dir)) from error
    except FileExistsError as error:
        me = user_name(os.geteuid())
        raise DataDirNotWritable(path=data_dir, user=me, reason="it is a link that leads nowhere") from error
    return resolved


def existing_cluster(link: Path) -> Path | None:
    """Where ``data_dir/postgres`` is or leads to; None when there is nothing yet."""
    if not link.is_symlink():
        if link.exists() and not link.is_dir():
            raise ClusterIncomplete(path=link, reason="it is a file")
        return link if link.is_dir() else None
    target = link.resolve()
    if not target.is_dir():
        raise ClusterIncomplete(path=link, reason=f"it leads to {target}, which is not there")
    linker, owner = link.lstat().st_uid, target.stat().st_uid
    if linker not in (ROOT_UID, owner):
        raise ClusterLinkNotTrusted(path=link, target=target, linker=user_name(linker), owner=user_name(owner))
    return target


def refuse_foreign(data_dir: Path, cluster: Path | None, account: Account) -> None:
    """Refuse a database of another user, and a directory that we may not write in."""
    if cluster is not None:
        owner = cluster.stat().st_uid
        values: dict[str, Any] = {"path": cluster, "cluster": cluster, "data_dir": data_dir, "user": account}
        if os.geteuid() != ROOT_UID and owner != account.uid:
            raise ClusterOwnedByAnother(**values, owner=user_name(owner))
        if owner == ROOT_UID and not _is_empty(cluster):
            raise ClusterOwnedByRoot(**values)
    if not os.access(data_dir, os.W_OK | os.X_OK):
        raise DataDirNotWritable(path=data_dir, user=account, reason="it may not write there")


def reachable_binaries(binaries: Binaries, account: Account, stage_dir: Path, say: Callable[[str], None]) -> Binaries:
    """The binaries, or a copy of them where the account can run them."""
    if os.geteuid() != ROOT_UID:
        return binaries
    installation = binaries.bin_dir.parent
    closed = closed_at(installation, account)
    for tree in (installation, libraries_of(installation)):
        closed = closed or (unreadable_below(tree, account) if tree.is_dir() else None)
    if closed is not None:
        stage_root = trusted_stage(stage_dir / "binaries", installation, account, closed)
        binaries, is_new = stage(binaries, stage_root)
        if is_new:
            say(f"Copied PostgreSQL to {binaries.bin_dir.parent}: the user {account} cannot read {closed}.")
    probe(binaries.bin_dir, account)
    return binaries


def stage_cluster(link: Path, account: Account, closed: Path, stage_dir: Path, say: Callable[[str], None]) -> Path:
    """A home for the cluster where the account can reach it, with a link to it in the data directory."""
    root = trusted_stage(stage_dir / "clusters", link, account, closed)
    key = short_hash(str(link.parent))
    earlier = sorted(root.glob(f"{key}-*"))
    home = root / f"{key}-{secrets.token_hex(4)}"
    home.mkdir(mode=0o755)
    home.chmod(0o755)
    cluster = home / CLUSTER
    make_private(cluster, account)
    link.symlink_to(cluster)
    say(f"The database is in {cluster}: the user {account}, as whom it runs, cannot enter {closed}.")
    for other in earlier:
        say(f"An earlier database of {link.parent} is left in {other}; delete it if nothing links to it any more.")
    return cluster


def trusted_stage(stage_root: Path, wanted: Path, account: Account, closed: Path) -> Path:
    """The directory, made if need be, once it is sure that everybody can read it and only root can change it."""
    values: dict[str, Any] = {"user": account, "path": wanted, "closed": closed, "stage": stage_root}
    try:
        for directory in (stage_root.parent, stage_root):
            if not directory.exists():
                directory.mkdir()
                directory.chmod(0o755)
    except OSError as error:
        raise NoPlaceToStage(**values, reason=error.strerror) from error
    for directory in (stage_root.parent, stage_root):
        found = directory.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != ROOT_UID or found.st_mode & 0o022:
            raise NoPlaceToStage(**values, reason=f"{directory} is not a directory that only root can change")
    blocked = closed_at(stage_root / "x", account)
    if blocked is not None:
        raise NoPlaceToStage(**values, reason=f"{blocked} is closed too")
    return stage_root


def make_private(directory: Path, account: Account) -> None:
    """Make a directory that only the account may enter; it must not exist, or be empty and ours or the account's."""
    directory.mkdir(mode=0o700, exist_ok=True)
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        os.fchmod(fd, 0o700)
        if os.geteuid() == ROOT_UID:
            os.fchown(fd, account.uid, account.gid)
    finally:
        os.close(fd)


def choose_socket_dir(cluster: Path, uid: int, temp_dirs: list[Path]) -> Path:
    """Beside the cluster when the path is short and plain enough for a socket, else in a temporary directory."""
    key = short_hash(str(cluster))
    choices = [cluster.parent / SOCKETS, *(temp / f"tracemark-{uid}-{key}" for temp in temp_dirs)]
    for choice in choices:
        if fits_socket(choice):
            return choice
    return choices[-1]


def fits_socket(directory: Path) -> bool:
    text = str(directory)
    return len(os.fsencode(text)) + SOCKET_NAME_BYTES <= SOCKET_PATH_BYTES_MAX and bool(SAFE_PATH.fullmatch(text))


def prepare_socket_dir(layout: Layout) -> Path:
    """The directory for the socket, private to the server's user, verified before it is trusted."""
    directory = choose_socket_dir(layout.cluster, layout.account.uid, _temp_dirs())
    if not directory.exists() and not directory.is_symlink():
        make_private(directory, layout.account)
    verify_socket_dir(directory, layout.account)
    return directory


def verify_socket_dir(directory: Path, account: Account) -> None:
    """Refuse a directory that others could have prepared or can enter."""
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != account.uid or stat.S_IMODE(found.st_mode) & 0o077:
        raise SocketDirNotOurs(path=directory, user=account)


def remove_temporary_socket_dir(cluster: Path, uid: int) -> None:
    """Leave nothing in the temporary directory once the server is stopped."""
    directory = choose_socket_dir(cluster, uid, _temp_dirs())
    if directory.parent != cluster.parent and directory.is_dir() and _is_empty(directory):
        directory.rmdir()


def remove_places(data_dir: Path, cluster: Path, uid: int) -> None:
    """Remove what lies around a deleted cluster of this user: the link to it, its sockets, its staged home."""
    link = data_dir / CLUSTER
    is_staged = link.is_symlink() and cluster.parent.name.startswith(f"{short_hash(str(data_dir))}-")
    link.unlink(missing_ok=True)
    remove_temporary_socket_dir(cluster, uid)
    sockets = cluster.parent / SOCKETS
    if sockets.is_dir() and not sockets.is_symlink():
        shutil.rmtree(sockets)
    if is_staged:
        cluster.parent.rmdir()


def short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _temp_dirs() -> list[Path]:
    return [Path(tempfile.gettempdir()), Path("/tmp")]  # noqa: S108 - verified before use, and shorter than some TMPDIR


def _is_empty(directory: Path) -> bool:
    return next(directory.iterdir(), None) is None
