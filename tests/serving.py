"""The faces, served for real: uvicorn on a free port, in a thread of the test's process."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from pydantic import SecretStr

from cli.serve import Face, build
from runtime import settings
from runtime.database import DatabaseAddress
from tests import unhurried
from tests.world import SECRET

_held: dict[int, socket.socket] = {}


def free_port() -> int:
    """A port that is given to nobody else: it stays bound, not listened on, and whoever names it may listen there."""
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    port: int = holder.getsockname()[1]
    _held[port] = holder
    return port


@contextmanager
def served(
    database: DatabaseAddress,
    *,
    port: int,
    face: Face = Face.ALL,
    secret: str = SECRET,
    data_dir: Path | None = None,
    **more: Any,
) -> Iterator[str]:
    """The address of ``face`` on a ``free_port``, up until the block ends."""
    base_url = f"http://127.0.0.1:{port}"
    told = {"base_url": base_url, "master_secret": SecretStr(secret), "data_dir": data_dir}
    chosen = settings.load({}, **told, **(unhurried.SETTINGS | more))
    server = uvicorn.Server(
        uvicorn.Config(build(chosen, database, face), host="127.0.0.1", port=port, log_level="error", lifespan="on")
    )
    thread = threading.Thread(target=asyncio.run, args=(server.serve([_held.pop(port)]),), daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.02)
        if not thread.is_alive():
            raise RuntimeError("the server did not start; its log stands above")
    try:
        yield base_url
    finally:
        server.should_exit = True
        thread.join()
