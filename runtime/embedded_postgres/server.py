"""The server process: starting it, waiting until it answers, and stopping it."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

from runtime.embedded_postgres.binaries import PLAIN_ENVIRONMENT
from runtime.embedded_postgres.cluster import dropped, failure
from runtime.embedded_postgres.layout import PORT, Layout, prepare_socket_dir, remove_temporary_socket_dir
from runtime.embedded_postgres.locks import SERVER, FileLock, open_private
from runtime.embedded_postgres.postmaster import (
    Postmaster,
    disown_stale_pid,
    end_orphans,
    live_postmaster,
)
from runtime.embedded_postgres.refusals import ServerNotOurs, ServerOutOfSight

LOG = "postgres.log"
LOG_BYTES_MAX = 5_000_000
POLL_S = 0.02
SAY_EVERY_S = 2.0
ORPHANS_GRACE_S = 1.0
OUT_OF_SIGHT_S_MAX = 10.0


class Patience:
    """Waiting without an end, in small steps, saying what is being waited for every so often."""

    def __init__(self, say: Callable[[str], None], sentence: Callable[[], str]) -> None:
        self._say = say
        self._sentence = sentence
        self._since = self._said_at = time.monotonic()

    def waited_s(self) -> float:
        return time.monotonic() - self._since

    def pause(self) -> None:
        time.sleep(POLL_S)
        if time.monotonic() - self._said_at >= SAY_EVERY_S:
            self._said_at = time.monotonic()
            self._say(self._sentence())


class Remains:
    """What holds the lock of a server whose postmaster is not there: it is given a moment, and then ended."""

    def __init__(self, cluster: Path) -> None:
        self._cluster = cluster
        self._since: float | None = None

    def clear(self) -> None:
        """Call in each round in which the lock is held and no postmaster lives.

        Raises ``ServerOutOfSight`` when nothing is found for ``OUT_OF_SIGHT_S_MAX`` seconds: the holder's processes
        are not ours to see, so the files may be in use.
        """
        now = time.monotonic()
        if self._since is None:
            self._since = now
        if now - self._since < ORPHANS_GRACE_S:
            return
        if end_orphans(self._cluster) == 0 and now - self._since > OUT_OF_SIGHT_S_MAX:
            raise ServerOutOfSight(path=self._cluster)


class Log:
    """The server's log. Each start, join and leave cuts it to ``LOG_BYTES_MAX`` bytes; it holds no statements."""

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir / LOG
        self._fd = open_private(self.path, os.O_RDWR | os.O_APPEND)
        self._seen = os.fstat(self._fd).st_size

    @property
    def fd(self) -> int:
        return self._fd

    def news(self) -> str:
        """What was written since this was last asked."""
        size = os.fstat(self._fd).st_size
        start, self._seen = min(self._seen, size), size
        return os.pread(self._fd, min(size - start, LOG_BYTES_MAX), start).decode(errors="replace")

    def trim(self) -> None:
        """Drop the older half of a log that grew too long; the server goes on appending to the same file."""
        size = os.fstat(self._fd).st_size
        if size > LOG_BYTES_MAX:
            kept = os.pread(self._fd, LOG_BYTES_MAX // 2, size - LOG_BYTES_MAX // 2)
            os.ftruncate(self._fd, 0)
            os.write(self._fd, kept)
            self._seen = os.fstat(self._fd).st_size

    def close(self) -> None:
        os.close(self._fd)


def start(layout: Layout, lock: FileLock, log: Log, *, fast: bool) -> subprocess.Popen[bytes]:
    """Start the server; it inherits the held server lock. Call while holding the control lock."""
    other = live_postmaster(layout.cluster)
    if other is not None:  # it runs without our lock, so somebody started it by hand
        raise ServerNotOurs(pid=other.pid, path=layout.cluster)
    disown_stale_pid(layout.cluster)
    socket_dir = prepare_socket_dir(layout)
    for name in (f".s.PGSQL.{PORT}", f".s.PGSQL.{PORT}.lock"):  # left by a killed server: we hold its lock now
        (socket_dir / name).unlink(missing_ok=True)
    drop = dropped(layout.account)
    return subprocess.Popen(  # noqa: S603 - our own program and arguments
        server_arguments(layout.binaries.bin_dir, layout.cluster, socket_dir, fast=fast),
        stdin=subprocess.DEVNULL,
        stdout=log.fd,
        stderr=log.fd,
        cwd="/",
        env=PLAIN_ENVIRONMENT,
        umask=0o077,
        start_new_session=True,  # Ctrl-C in the command that happened to start it must not end it for the others
        pass_fds=(lock.fd,),
        user=drop.uid,
        group=drop.gid,
        extra_groups=drop.groups,
    )


def server_arguments(programs: Path, cluster: Path, socket_dir: Path, *, fast: bool) -> list[str]:
    """What must not depend on postgresql.conf: reachable by the socket alone, durable, and talkative in recovery."""
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(socket_dir),
        "unix_socket_permissions": "0700",
        "port": str(PORT),
        "ssl": "off",
        "fsync": "off" if fast else "on",
        "full_page_writes": "off" if fast else "on",
        "synchronous_commit": "off" if fast else "on",
        "logging_collector": "off",
        "log_destination": "stderr",
        "log_line_prefix": "%m [%p] ",
        "log_startup_progress_interval": "2s",
        "log_checkpoints": "off",
        "log_min_error_statement": "panic",  # statements carry people's data and make the log grow
        "lc_messages": "C",  # the log is read by us
    }
    chosen = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return [str(programs / "postgres"), "-D", str(cluster), *chosen]


def wait_until_ready(
    layout: Layout, log: Log, say: Callable[[str], None], process: subprocess.Popen[bytes] | None
) -> Postmaster | None:
    """The server once it answers; None if it went away or is stopping. Waits as long as the server lives.

    Recovery after a crash takes the time it takes: there is no time-out, but a line every two seconds.
    """
    progress = Progress(log, say)
    patience = Patience(say, progress.sentence)
    while True:
        ended = process.poll() if process is not None else None
        found = None if ended is not None else live_postmaster(layout.cluster)
        progress.follow()
        if ended is not None:
            raise failure(layout.cluster, log.path, progress.text, killed_by=max(-ended, 0))
        if found is not None and found.state == "ready":
            return found
        if process is None and (found is None or found.state == "stopping"):
            return None
        patience.pause()


class Progress:
    """What the server's log tells about a start that takes long."""

    def __init__(self, log: Log, say: Callable[[str], None]) -> None:
        self._log = log
        self._say = say
        self.text = ""

    def follow(self) -> None:
        """Read on, and say it at once when the server finds that it has to recover."""
        news = self._log.news()
        self.text = (self.text + news)[-LOG_BYTES_MAX:]
        if "automatic recovery in progress" in news:
            self._say("The database was not shut down cleanly; it is recovering by itself.")

    def sentence(self) -> str:
        return progress_sentence(self.text)


def progress_sentence(log_text: str) -> str:
    """One line for a person who waits, from the log so far."""
    steps = ("redo", "syncing data directory", "resetting unlogged", "checkpoint", "end-of-recovery")
    for line in reversed(log_text.splitlines()):
        message = line.partition("LOG:")[2].strip()
        if message.startswith(steps):
            return f"The database is recovering: {message}."
    return "The database is starting."


def leave_running(process: subprocess.Popen[bytes]) -> None:
    """Let a server that others use outlive our interest, but collect it when it ends while we still run."""
    threading.Thread(target=process.wait, name="embedded-postgres", daemon=True).start()


def stop(layout: Layout, say: Callable[[str], None], process: subprocess.Popen[bytes] | None) -> None:
    """Stop the server that we may have started ourselves, and collect it."""
    stop_cluster(layout.data_dir, layout.cluster, say)
    if process is not None:
        process.wait()
    remove_temporary_socket_dir(layout.cluster, layout.account.uid)


def stop_cluster(data_dir: Path, cluster: Path, say: Callable[[str], None]) -> None:
    """Stop the server (fast: sessions are ended, everything is written) and wait until all of it is gone."""
    patience = Patience(say, lambda: "The database is stopping.")
    remains = Remains(cluster)
    signalled = None
    lock = FileLock(data_dir, SERVER)
    try:
        while not lock.try_alone():
            found = live_postmaster(cluster)
            if found is None:
                remains.clear()
            elif found.pid != signalled:
                os.kill(found.pid, signal.SIGINT)
                signalled = found.pid
            patience.pause()
    finally:
        lock.close()
