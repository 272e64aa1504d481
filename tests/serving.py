"""The faces, served for real: uvicorn on a free port, in a thread of the test's process."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from pydantic import SecretStr

from cli.serve import Face, build
from runtime import settings
from runtime.database import DatabaseAddress
from tests.world import SECRET


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def served(
    database: DatabaseAddress, *, port: int, face: Face = Face.ALL, secret: str = SECRET, data_dir: Path | None = None
) -> Iterator[str]:
    """The address of ``face``, up until the block ends."""
    base_url = f"http://127.0.0.1:{port}"
    chosen = settings.load({}, base_url=base_url, master_secret=SecretStr(secret), data_dir=data_dir)
    server = uvicorn.Server(
        uvicorn.Config(build(chosen, database, face), host="127.0.0.1", port=port, log_level="error", lifespan="on")
    )
    thread = threading.Thread(target=asyncio.run, args=(server.serve(),), daemon=True)
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
