"""Every answer once, many at a time: what a benchmark needs before its first round."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import uvloop

from benchmarks.generator import request_bytes
from benchmarks.loopback import HOST
from benchmarks.static_files import Answer
from runtime.refusals import Conflict

CONNECTIONS: Final = 32
WITHIN_S: Final = 180.0


class AnswerNotAsExpected(Conflict):
    """{server} answered {path} with {status} instead of {expected}: what it does is not what was to be measured."""


def fetch_each(
    port: int, paths: Sequence[str], headers: Mapping[str, str], *, name: str, expected: int = 200
) -> list[Answer]:
    """The answers, in the order of the paths. ``AnswerNotAsExpected`` with another status; TimeoutError when late."""

    async def all_of_them() -> list[Answer]:
        found: list[Answer] = [Answer(b"", "")] * len(paths)
        numbers = iter(range(len(paths)))
        several = min(CONNECTIONS, len(paths))
        async with asyncio.timeout(WITHIN_S):
            await asyncio.gather(*(_in_turn(port, paths, headers, numbers, found) for _ in range(several)))
        return found

    answers = uvloop.run(all_of_them())
    for path, answer in zip(paths, answers, strict=True):
        if answer.status != expected:
            raise AnswerNotAsExpected(server=name, path=path, status=answer.status, expected=expected)
    return answers


async def _in_turn(
    port: int, paths: Sequence[str], headers: Mapping[str, str], numbers: Iterator[int], found: list[Answer]
) -> None:
    """Take the next number as long as there is one."""
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        for number in numbers:
            writer.write(request_bytes(paths[number], headers))
            head = await reader.readuntil(b"\r\n\r\n")
            lines = head.decode("latin-1").lower().split("\r\n")
            fields = dict(line.split(": ", 1) for line in lines[1:-2])
            body = await reader.readexactly(int(fields["content-length"]))
            found[number] = Answer(body, fields.get("content-encoding", ""), int(lines[0].split()[1]))
    finally:
        writer.close()
