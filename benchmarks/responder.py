"""A bare responder on uvloop: looks up the path in memory and writes the answer. Nothing in Python can do less.

Run as ``python -m benchmarks.responder PORT FOLDER``.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, cast

import uvloop

from benchmarks.loopback import HOST
from benchmarks.static_files import REDIRECT, responses

_REDIRECT: Final = REDIRECT.encode("ascii")
_SEE_OTHER: Final = b"HTTP/1.1 307 Temporary Redirect\r\nlocation: /recalls\r\ncontent-length: 0\r\n\r\n"
_UNKNOWN: Final = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"


class Responder(asyncio.Protocol):
    """Answers requests without a body, one whole request per reading, which is all that a load generator sends."""

    def __init__(self, answers: dict[bytes, bytes]) -> None:
        self._answers = answers
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # of uvloop, which has classes of its own

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        path = data[4 : data.index(b" ", 4)]
        answer = _SEE_OTHER if path.startswith(_REDIRECT) else self._answers.get(path, _UNKNOWN)
        self._transport.write(answer)


async def respond(port: int, folder: Path) -> None:
    """Serve until ended."""
    answers = responses(folder)
    server = await asyncio.get_running_loop().create_server(lambda: Responder(answers), HOST, port)
    await server.serve_forever()


def main(arguments: Sequence[str]) -> None:
    """As a program of its own."""
    port, folder = arguments
    uvloop.run(respond(int(port), Path(folder)))


if __name__ == "__main__":
    main(sys.argv[1:])
