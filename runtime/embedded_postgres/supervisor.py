"""Sharing one server between the commands that use a data directory."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType

from runtime.embedded_postgres import server
from runtime.embedded_postgres.accounts import ROOT_UID, account_of, user_name
from runtime.embedded_postgres.address import Address
from runtime.embedded_postgres.cluster import DATABASE, PASSWORD_FILE, SUPERUSER, ensure_cluster, read_password
from runtime.embedded_postgres.layout import (
    CLUSTER,
    STAGE,
    Layout,
    existing_cluster,
    prepare_layout,
    refuse_foreign,
    remove_places,
    usable_data_dir,
    verify_socket_dir,
)
from runtime.embedded_postgres.locks import CONTROL, SERVER, USERS, FileLock
from runtime.embedded_postgres.postmaster import Postmaster, live_postmaster
from runtime.embedded_postgres.refusals import (
    DataDirNotWritable,
    DiskFull,
    InUse,
    ServerOutOfSight,
    WindowsNotSupported,
)
from runtime.embedded_postgres.server import Log, Patience, Remains


def say_on_stderr(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")


class EmbeddedPostgres:
    """The server of one data directory, running while anybody is inside this context.

    Entering joins the running server of the directory, or makes and starts it; leaving stops it if nobody else is
    inside, in this process or another. ``say`` gets one sentence at a time, when something is done that a person should
    know of, and every two seconds of a longer wait. The server does not end with the process that started it, and not
    with a Ctrl-C there. A user that was killed does not count any more; if it was the last one, the server runs on
    until the next one leaves.

    Started by root it runs as the owner of an existing database, else as the user who called sudo, else as postgres or
    nobody. What that user could not reach (below root's closed home, say) is put into ``stage_dir`` and linked.

    ``fast`` gives up durability; it is for tests, which throw the directory away.
    """

    def __init__(
        self, data_dir: Path, *, say: Callable[[str], None] = say_on_stderr, fast: bool = False, stage_dir: Path = STAGE
    ) -> None:
        self._data_dir = data_dir
        self._say = say
        self._fast = fast
        self._stage_dir = stage_dir
        self._held: _Held | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Address:
        if sys.platform == "win32":
            raise WindowsNotSupported()
        if self._held is not None:
            raise RuntimeError("this EmbeddedPostgres is already in use; make another one to join again")
        with _told(self._data_dir):
            self._held = _Held(usable_data_dir(self._data_dir), self._say)
            try:
                return self._join(self._held)
            except ServerOutOfSight:
                self._leave(may_stop=False)  # it is not ours to stop, and waiting for it once was enough
                raise
            except BaseException:  # also an interrupt while waiting: nobody shall be counted as inside
                self._leave()
                raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._leave()

    def _join(self, held: _Held) -> Address:
        held.take_control()
        layout = held.layout = prepare_layout(held.data_dir, self._stage_dir, self._say)
        held.become_user()
        found = self._running(held, layout)
        verify_socket_dir(found.socket_dir, layout.account)
        password = read_password(layout.data_dir, layout.cluster)
        held.control.release()
        return Address(found.socket_dir, found.port, DATABASE, SUPERUSER, password)

    def _running(self, held: _Held, layout: Layout) -> Postmaster:
        """Join the server, or start it once all of an earlier one is gone."""
        patience = Patience(self._say, lambda: "Waiting for the rest of an ended database server.")
        remains = Remains(layout.cluster)
        while True:
            self._process = self._start_if_free(held, layout)
            if self._process is None and live_postmaster(layout.cluster) is None:
                remains.clear()
            else:
                found = server.wait_until_ready(layout, held.log, self._say, self._process)
                if found is not None:
                    return found
                remains = Remains(layout.cluster)
            patience.pause()

    def _start_if_free(self, held: _Held, layout: Layout) -> subprocess.Popen[bytes] | None:
        lock = FileLock(held.data_dir, SERVER)
        try:
            if not lock.try_alone():
                return None
            ensure_cluster(layout, held.log.path, fast=self._fast)
            read_password(layout.data_dir, layout.cluster)  # refuse before there is a server to stop again
            return server.start(layout, lock, held.log, fast=self._fast)
        finally:
            lock.close()  # the server has inherited it

    def _leave(self, *, may_stop: bool = True) -> None:
        held, self._held = self._held, None
        if held is None:
            return
        process, self._process = self._process, None
        try:
            held.take_control()
            if held.is_last_user() and held.layout is not None and may_stop:
                server.stop(held.layout, self._say, process)
            elif process is not None:
                server.leave_running(process)
        finally:
            held.close()


class _Held:
    """The open locks and log of one user."""

    def __init__(self, data_dir: Path, say: Callable[[str], None]) -> None:
        self.data_dir = data_dir
        self.layout: Layout | None = None
        if os.geteuid() != ROOT_UID:  # before the locks, which belong to the same user and would say less
            refuse_foreign(data_dir, existing_cluster(data_dir / CLUSTER), account_of(os.geteuid()))
        self._say = say
        with ExitStack() as opened:
            self.control = FileLock(data_dir, CONTROL)
            opened.callback(self.control.close)
            self._users = FileLock(data_dir, USERS)
            opened.callback(self._users.close)
            self.log = Log(data_dir)
            opened.callback(self.log.close)
            self._close = opened.pop_all().close

    def take_control(self) -> None:
        """Wait until nobody else is joining or leaving. Taking what we have already changes nothing."""
        patience = Patience(
            self._say, lambda: "Waiting for another command that is starting or stopping the same database."
        )
        while not self.control.try_alone():
            patience.pause()

    def become_user(self) -> None:
        patience = Patience(self._say, lambda: "Waiting for the database to be free.")
        while not self._users.try_shared():
            patience.pause()

    def is_last_user(self) -> bool:
        """Stop being a user; call while in control, so that nobody becomes one meanwhile."""
        self._users.release()
        return self._users.try_alone()

    def close(self) -> None:
        try:
            self.log.trim()
            self._users.release()  # aloud, as a forked process may still have the same files open
            self.control.release()
        finally:
            self._close()


@contextmanager
def _told(data_dir: Path) -> Iterator[None]:
    """Say what the operator can mend when the system refuses a file."""
    try:
        yield
    except OSError as error:
        path = error.filename or data_dir
        if error.errno == errno.ENOSPC:
            raise DiskFull(path=path, reason=error.strerror) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise DataDirNotWritable(path=path, user=user_name(os.geteuid()), reason=error.strerror) from error
        raise


def erase(data_dir: Path, *, say: Callable[[str], None] = say_on_stderr) -> None:
    """Delete the database of this data directory for ever, wherever it lies; refuses while somebody uses it.

    The lock files stay, as another command may be waiting at them: remove them only with the whole directory.
    """
    if sys.platform == "win32":
        raise WindowsNotSupported()
    if not data_dir.exists():
        return
    with _told(data_dir):
        data_dir = usable_data_dir(data_dir)
        held = _Held(data_dir, say)
        try:
            held.take_control()
            if not held.is_last_user():
                raise InUse(path=data_dir)
            cluster = existing_cluster(data_dir / CLUSTER)
            if cluster is None:
                return
            if not os.access(cluster.parent, os.W_OK):
                raise DataDirNotWritable(
                    path=cluster.parent, user=user_name(os.geteuid()), reason="it may not write there"
                )
            server.stop_cluster(data_dir, cluster, say)
            owner = cluster.stat().st_uid
            shutil.rmtree(cluster)
            remove_places(data_dir, cluster, owner)
            (data_dir / PASSWORD_FILE).unlink(missing_ok=True)
        finally:
            held.close()
