"""What a run breaks: a throw-away PostgreSQL, which is started again after a kill, and a portal of several workers."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sqlalchemy.engine import make_url

from benchmarks.database import fresh_database
from benchmarks.processes import free_port, listening
from cli.output import tell
from load_tests.fault_proxy import HOST
from load_tests.truth_clocks import Clocks
from runtime.database import DatabaseAddress, Role, asyncpg_url
from runtime.embedded_postgres import EmbeddedPostgres
from runtime.embedded_postgres.postmaster import parent_in

SECRET: Final = "a secret of the truth run, of no value to anybody"
SWEEP_S: Final = 0.2
_PROC: Final = Path("/proc")


@dataclass(slots=True)
class Database:
    """A server of its own, each commit of which reaches the disk, and an empty database on it."""

    folder: Path
    stack: ExitStack
    address: DatabaseAddress = field(init=False)

    def start(self) -> DatabaseAddress:
        """Start the server, or start it again after it was killed."""
        found = self.stack.enter_context(EmbeddedPostgres(self.folder / "var", say=tell))
        return DatabaseAddress(found.url())

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return socket_of(self.address)

    async def pids(self) -> list[int]:
        """All processes of the server."""
        return await server_pids(self.address)


@contextmanager
def throw_away_database() -> Iterator[Database]:
    """A new server with an empty database, schema in place; all of it is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="tracemark-truth-") as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)  # as root the server runs as another user, who has to get here
        database = Database(folder, stack)
        database.address = stack.enter_context(fresh_database(database.start(), "truth"))
        yield database


@contextmanager
def portal(
    database: DatabaseAddress, wire_port: int, folder: Path, workers: int, *, limit_s: float, clocks: Clocks
) -> Iterator[tuple[int, int]]:
    """``tracemark serve portal`` that goes by these clocks, and reaches its database by the wire only.

    Its process, and its port.
    """
    port = free_port()
    settings = {
        "TRACEMARK_DATABASE_URL": through(database, wire_port),
        "TRACEMARK_DATA_DIR": str(folder),
        "TRACEMARK_MASTER_SECRET": SECRET,
        "TRACEMARK_BASE_URL": f"http://{HOST}:{port}",
        "TRACEMARK_CONFIRM_WITHIN_S": str(limit_s),
        "TRACEMARK_SWEEP_EVERY_S": str(SWEEP_S),
    }
    words = [sys.executable, "-m", "load_tests.truth_clocks", str(clocks.file), str(port), str(workers)]
    with listening(words, port, settings=settings) as pid:
        yield pid, port


def through(database: DatabaseAddress, wire_port: int) -> str:
    """The address of the same database by a port of loopback."""
    url = asyncpg_url(database.url)
    return url.set(host=HOST, port=wire_port, query={}).render_as_string(hide_password=False)


def socket_of(database: DatabaseAddress) -> Path:
    """The Unix socket of an embedded server."""
    query = make_url(database.url).query
    return Path(str(query["host"])) / f".s.PGSQL.{query['port']}"


async def server_pids(database: DatabaseAddress) -> list[int]:
    """All processes of a server on this machine, the one that starts the others first."""
    connection = await database.connect(Role.LOGIN)
    backend = connection.get_server_pid()
    postmaster = parent_in((_PROC / str(backend) / "stat").read_text(encoding="utf-8"))
    await connection.close()
    return [postmaster, *(pid for pid in children(postmaster) if pid != backend)]


def children(pid: int) -> list[int]:
    """The processes that it started and that live."""
    return [int(word) for word in (_PROC / str(pid) / "task" / str(pid) / "children").read_text().split()]


def holders(supervisor: int, port: int) -> list[int]:
    """The workers below a supervisor: those of its processes that hold the socket on which the port listens."""
    lines = (_PROC / "net" / "tcp").read_text().splitlines()[1:]
    listening_on = {line.split()[9] for line in lines if line.split()[1].endswith(f":{port:04X}") and " 0A " in line}
    found = []
    for pid in children(supervisor):
        try:
            held = {str(path.readlink()) for path in (_PROC / str(pid) / "fd").iterdir()}
        except OSError:  # it has just ended
            continue
        if any(f"socket:[{inode}]" in held for inode in listening_on):
            found.append(pid)
    return found


async def restarted(database: Database) -> None:
    """Start a killed server again, in a thread: the run goes on meanwhile."""
    await asyncio.to_thread(database.start)
