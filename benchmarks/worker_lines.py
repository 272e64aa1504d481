"""One open connection to each worker process of a server, although they share one port: Linux tells who holds which."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from benchmarks.generator import answer_length, request_bytes
from benchmarks.loopback import HOST
from runtime.refusals import Conflict

TRIES_MAX: Final = 400
_PROC: Final = Path("/proc")


class WorkersNotFound(Conflict):
    """{found} worker processes of {wanted} took a connection: {why}"""


class Line:
    """A connection that one worker has taken."""

    def __init__(self, pid: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.pid = pid
        self._reader = reader
        self._writer = writer

    async def ask(self, path: str, headers: Mapping[str, str]) -> bytes:
        """The whole answer, head and body."""
        self._writer.write(request_bytes(path, headers))
        answer = bytearray()
        while not (needed := answer_length(answer)) or len(answer) < needed:
            more = await self._reader.read(1 << 16)
            if not more:
                raise ConnectionResetError(f"worker {self.pid} closed the connection")
            answer += more
        return bytes(answer)

    def close(self) -> None:
        """Hang up."""
        self._writer.close()


async def lines_to_each(supervisor: int, port: int, workers: int) -> list[Line]:
    """One line to each of so many workers; ``WorkersNotFound`` when they are fewer."""
    lines: dict[int, Line] = {}
    spare: list[Line] = []
    for _ in range(TRIES_MAX):
        if len(lines) == workers:
            break
        reader, writer = await asyncio.open_connection(HOST, port)
        line = Line(0, reader, writer)
        await line.ask("/livez", {})  # until it is answered, nobody has taken it
        pid = _holder(supervisor, port, writer.get_extra_info("sockname")[1])
        if pid is None or pid in lines:
            spare.append(line)
        else:
            line.pid = pid
            lines[pid] = line
    for line in spare:
        line.close()
    if len(lines) < workers:
        raise WorkersNotFound(found=len(lines), wanted=workers, why=f"{TRIES_MAX} connections were tried")
    return list(lines.values())


def _holder(supervisor: int, port: int, other_port: int) -> int | None:
    """The process under ``supervisor`` that holds the server's end of a connection."""
    wanted = f":{port:04X} 0100007F:{other_port:04X} "
    row = next((line for line in (_PROC / "net" / "tcp").read_text().splitlines() if wanted in line), None)
    inode = None if row is None else row.split()[9]
    children = (_PROC / str(supervisor) / "task" / str(supervisor) / "children").read_text().split()
    for pid in children:
        if any(str(path.readlink()) == f"socket:[{inode}]" for path in (_PROC / pid / "fd").iterdir()):
            return int(pid)
    return None
