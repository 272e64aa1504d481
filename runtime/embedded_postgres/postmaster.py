"""What can be known of a server process from outside: its ``postmaster.pid``, and the process table."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from runtime.embedded_postgres.binaries import PLAIN_ENVIRONMENT

PID_FILE = "postmaster.pid"


@dataclass(frozen=True, slots=True)
class Postmaster:
    """The lines of ``postmaster.pid`` (PostgreSQL source: miscadmin.h, LOCK_FILE_LINE_*) that we use.

    ``state`` is starting, ready, standby or stopping, and empty while the server has not yet said.
    """

    pid: int
    started_at: datetime
    port: int
    socket_dir: Path
    state: str


def parse_pid_file(text: str) -> Postmaster | None:
    """The server that wrote this, or None while it is incomplete or not such a file."""
    lines = text.splitlines()
    if len(lines) < 5 or not all(lines[i].strip().isdigit() for i in (0, 2, 3)):
        return None
    return Postmaster(
        pid=int(lines[0]),
        started_at=datetime.fromtimestamp(int(lines[2]), UTC),
        port=int(lines[3]),
        socket_dir=Path(lines[4]),
        state=lines[7].strip() if len(lines) > 7 else "",
    )


def pid_in(text: str) -> int | None:
    """The process number alone: it stands in the first line before the others are written."""
    first = text.split("\n", 1)[0].strip()
    return int(first) if first.isdigit() and int(first) > 0 else None


def read_pid_file(cluster: Path) -> str:
    try:
        return (cluster / PID_FILE).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""


def live_postmaster(cluster: Path) -> Postmaster | None:
    """The server process of this cluster; None when its file is stale or its number now belongs to something else."""
    found = parse_pid_file(read_pid_file(cluster))
    return found if found is not None and serves(found.pid, cluster) else None


def serves(pid: int, cluster: Path) -> bool:
    """Whether this process is a living server that was started on this cluster. A zombie is not."""
    return f"/postgres -D {cluster} " in " ".join(command_line(pid))


def is_server_program(arguments: list[str]) -> bool:
    """Whether these are the arguments of a postmaster; its children write something else over theirs."""
    return bool(arguments) and arguments[0].endswith("/postgres")


def command_line(pid: int) -> list[str]:
    """The arguments of a living process; none for a zombie or where there is no such process.

    Outside Linux they are split at blanks.
    """
    if sys.platform == "linux":
        try:
            raw = Path(f"/proc/{pid}/cmdline").read_bytes()  # empty for a zombie
        except (FileNotFoundError, ProcessLookupError):
            return []
        return raw.decode(errors="replace").rstrip("\0").split("\0") if raw else []
    shown = subprocess.run(  # noqa: S603 - our own arguments
        ["/bin/ps", "-o", "stat=,command=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,  # it fails where there is no such process
        env=PLAIN_ENVIRONMENT,
    ).stdout.split()
    return [] if not shown or shown[0].startswith("Z") else shown[1:]


def disown_stale_pid(cluster: Path) -> None:
    """Make a stale ``postmaster.pid`` harmless when its number now belongs to another process.

    PostgreSQL would refuse to start. The file must not be deleted: it names the shared memory by which PostgreSQL
    notices leftovers of the dead server. With its own parent's number in the first line PostgreSQL knows that the
    file is stale, and still makes that check. Call only while holding the server lock, and start from this process.
    """
    path = cluster / PID_FILE
    if not path.exists():
        return
    text = read_pid_file(cluster)
    if pid_in(text) is None:  # cut off while it was written: names nothing, and PostgreSQL would not start over it
        path.unlink()
        return
    owner = path.stat()
    draft = cluster / f"{PID_FILE}.new"
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write("\n".join([str(os.getpid()), *text.split("\n")[1:]]))
        os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
    draft.rename(path)


def orphans(cluster: Path) -> list[int]:
    """Processes of a dead server that are still at work in this cluster (Linux; elsewhere they end by themselves)."""
    found = []
    for entry in Path("/proc").iterdir() if sys.platform == "linux" else ():
        if entry.name.isdigit():
            try:
                at_work = (entry / "cwd").readlink() == cluster and (entry / "cmdline").read_bytes()[:9] == b"postgres:"
                parent = parent_in((entry / "stat").read_text(encoding="utf-8", errors="replace"))
            except OSError:  # ended meanwhile, or somebody else's
                continue
            if at_work and not is_server_program(command_line(parent)):
                found.append(int(entry.name))
    return found


def parent_in(stat_line: str) -> int:
    """The parent's number in a line of ``/proc/PID/stat``; the program's name may hold blanks and brackets."""
    return int(stat_line.rpartition(")")[2].split()[1])


def end_orphans(cluster: Path) -> int:
    """End what a killed server left behind: its work can no longer be confirmed to anybody. Gives their number."""
    found = orphans(cluster)
    for pid in found:
        try:
            os.kill(pid, signal.SIGQUIT)
        except ProcessLookupError:
            continue
    return len(found)
