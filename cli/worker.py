"""``tracemark worker``: what need not be done while somebody waits."""

from __future__ import annotations

import asyncio
import importlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Final

import typer

from cli.installation import Installation, open_installation
from cli.output import DataDir, Json, show, table, tell
from runtime import jobs, logs
from runtime.clock import system_clock
from runtime.database import Role

# Each of these modules says in KINDS and TIMED what its room leaves to a worker.
ROOMS: Final = (
    "runtime.housekeeping",
    "ledger.work",
    "labels.work",
    "recall.work",
    "shoppers.work",
)


def register(app: typer.Typer) -> None:
    app.command()(worker)


def worker(
    until_idle: Annotated[bool, typer.Option("--until-idle", help="Stop when nothing is waiting.")] = False,
    status: Annotated[bool, typer.Option("--status", help="Only tell what is waiting, running or failed.")] = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Do the jobs that were asked for: rendering, deliveries, reminders. Several workers may run beside each other."""
    with open_installation(data_dir=data_dir) as installation:
        logs.configure(installation.settings.log_level)
        if status:
            _tell(installation, as_json=as_json)
            return
        tell("working (Ctrl-C stops)" if not until_idle else "working until nothing is waiting")
        asyncio.run(_work(installation, until_idle=until_idle))


@contextmanager
def beside(installation: Installation) -> Iterator[None]:
    """A worker in a process of its own, for as long as the block lasts: what `serve all` and `demo` start."""
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith("TRACEMARK_DATABASE_URL")},
        "TRACEMARK_DATABASE_URL": installation.address.url,
        "TRACEMARK_DATA_DIR": str(installation.settings.data_dir),
        "TRACEMARK_MASTER_SECRET": installation.master_secret,
    }
    environ.pop("TRACEMARK_MASTER_SECRET_FILE", None)
    process = subprocess.Popen([sys.executable, "-m", "cli.main", "worker"], env=environ)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


async def _work(installation: Installation, *, until_idle: bool) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop.set)
    engine = installation.address.engine(Role.STAFF)
    rooms = [importlib.import_module(name) for name in ROOMS]
    try:
        place = jobs.WorkPlace(
            installation.settings, installation.address, engine, system_clock, installation.master_secret
        )
        kinds = [kind for room in rooms for kind in room.KINDS]
        timed = [each for room in rooms for each in room.TIMED]
        await jobs.work(place, kinds, timed, until_idle=until_idle, stop=stop)
    finally:
        await engine.dispose()


def _tell(installation: Installation, *, as_json: bool) -> None:
    found: Any = installation.run(jobs.waiting)
    if as_json:
        show([{"kind": each.kind, "status": each.status, "count": each.count} for each in found], as_json=True)
    else:
        table(["kind", "status", "jobs"], [(each.kind, each.status, each.count) for each in found])
