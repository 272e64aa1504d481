"""``tracemark serve``: the faces over HTTP, in one process or several.

``serve portal`` loads the portal alone: no sign-in code is in a public process. Worker processes join the embedded
server by the address that their parent hands them.
"""

from __future__ import annotations

import errno
import importlib
import os
import socket
from collections.abc import Mapping
from contextlib import nullcontext
from enum import StrEnum
from typing import Annotated, Any

import typer
import uvicorn
from pydantic import SecretStr

from cli import worker
from cli.combined import Combined
from cli.installation import Installation, open_installation
from cli.output import DataDir, tell
from runtime import logs, settings
from runtime.clock import Clock, system_clock
from runtime.database import DatabaseAddress
from runtime.refusals import Conflict, Invalid
from runtime.secrets import master_secret

WORKERS_MAX = 64
_FACES = {"portal": ("portal",), "console": ("console",), "api": ("api",), "all": ("portal", "console", "api")}


class Face(StrEnum):
    """What to serve."""

    ALL = "all"
    PORTAL = "portal"
    CONSOLE = "console"
    API = "api"


class PortInUse(Conflict):
    """Port {port} on {host} is in use by another program. Choose another with --port."""


class AddressNotUsable(Invalid):
    """Cannot listen on {host}:{port}: {problem}."""


def register(app: typer.Typer) -> None:
    app.command()(serve)


def serve(
    face: Annotated[Face, typer.Argument(help="What to serve.")] = Face.ALL,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8080,
    workers: Annotated[int, typer.Option(min=1, max=WORKERS_MAX, help="Processes.")] = 1,
    jobs: Annotated[bool, typer.Option("--jobs/--no-jobs", help="With `all`: run a `tracemark worker` too.")] = True,
    data_dir: DataDir = None,
) -> None:
    """Serve the portal, the console and the API until stopped; `all` does the jobs, too."""
    check_port(host, port)
    with open_installation(data_dir=data_dir) as installation:
        logs.configure(installation.settings.log_level)
        tell(f"serving {face.value} on http://{host}:{port}  (Ctrl-C stops)")
        with worker.beside(installation) if jobs and face is Face.ALL else nullcontext():
            listen(installation, face, host, port, workers)


def check_port(host: str, port: int) -> None:
    """Refuse before anything is started: a server that says so after loading for a minute has wasted it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise PortInUse(host=host, port=port) from error
            raise AddressNotUsable(host=host, port=port, problem=error.strerror) from error


def listen(
    installation: Installation,
    face: Face,
    host: str,
    port: int,
    workers: int = 1,
    *,
    worker_app: str = "cli.serve:worker_app",
) -> None:
    """Serve until SIGINT or SIGTERM; open requests are finished first.

    ``worker_app`` names what makes the application of each worker where there are several.
    """
    options: dict[str, Any] = {
        "host": host,
        "port": port,
        "log_level": "warning",
        "access_log": False,
        "server_header": False,
        "timeout_graceful_shutdown": 25,
        "proxy_headers": True,
        "ws": "none",  # no face speaks it: a request for it is answered as any other
        "http": "portal.protocol:CodeProtocol" if "portal" in _FACES[face.value] else "web.heads:BoundedHead",
    }
    if workers == 1:
        uvicorn.run(build(installation.settings, installation.address, face), **options)
        return
    os.environ.update(_for_workers(installation, face, workers))
    uvicorn.run(worker_app, factory=True, workers=workers, **options)


def build(chosen: settings.Settings, address: DatabaseAddress, face: Face, clock: Clock = system_clock) -> Any:
    """The ASGI application of ``face``; only the rooms it needs are imported."""
    rooms = {name: importlib.import_module(f"{name}.app") for name in _FACES[face.value]}
    apps = {name: room.create_app(chosen, address, clock=clock) for name, room in rooms.items()}
    return next(iter(apps.values())) if len(apps) == 1 else Combined(**apps)


def worker_app(clock: Clock = system_clock) -> Any:
    """What a worker process serves: the settings come from its parent."""
    chosen = settings.load(_without_face(os.environ))
    logs.configure(chosen.log_level)
    assert chosen.database_url is not None
    address = DatabaseAddress(
        chosen.database_url.get_secret_value(),
        portal_url=chosen.portal_database_url.get_secret_value() if chosen.portal_database_url else None,
        pool_size=chosen.database_pool_size,
        statement_timeout_ms=chosen.statement_timeout_ms,
        portal_statement_timeout_ms=chosen.portal_statement_timeout_ms,
    )
    secret = SecretStr(master_secret(chosen))
    chosen = chosen.model_copy(update={"master_secret": secret}).shared_by(int(os.environ["_TRACEMARK_WORKERS"]))
    return build(chosen, address, Face(os.environ["_TRACEMARK_FACE"]), clock)


def _for_workers(installation: Installation, face: Face, workers: int) -> dict[str, str]:
    return {
        "_TRACEMARK_FACE": face.value,
        "_TRACEMARK_WORKERS": str(workers),
        "TRACEMARK_DATABASE_URL": installation.address.url,
        "TRACEMARK_DATA_DIR": str(installation.settings.data_dir),
        "TRACEMARK_MASTER_SECRET": installation.master_secret,
    }


def _without_face(environ: Mapping[str, str]) -> dict[str, str]:
    return {
        name: text
        for name, text in environ.items()
        # what stands in a _FILE has already been read by the parent and handed over
        if not (name.endswith("_FILE") and name.removesuffix("_FILE") in environ)
    }
