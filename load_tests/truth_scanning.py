"""Visitors who ask about items in every way without a pause, and write down what they were told."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from load_tests import truth_answers
from load_tests.fault_proxy import HOST
from load_tests.truth_answers import Answer, Heard, Memory, Way
from load_tests.truth_model import Code, Said, Scan
from load_tests.truth_publishing import HOT_ITEMS, RUSHED_LOT
from load_tests.truth_store import World

ANSWER_WITHIN_S: Final = 20.0
"""A scan that is not answered within this counts as not answered."""
ON_ONE_LINE: Final = 40
"""Requests on one connection: then another is opened, which another worker may take."""
AT_ONCE: Final = 6
"""Items in one list."""
RUSH_S: Final = 0.1
"""So long all visitors who rush come to the same item."""
READY_IN_A_ROW: Final = 8
SCANS_MAX: Final = 2_000_000
"""Answers kept of one run; a run that reaches it ends with an error, for it would be judged in part."""
_WAYS: Final = (*(way for way in Way if way is not Way.SET), Way.PAGE, Way.PAGE_BR, Way.AGAIN, Way.STATUS)
"""Asked in turn, between them an item to which all come."""
SET_EVERY: Final = 50
"""The whole recall set, which is long, is one question in so many."""


class TooManyScans(RuntimeError):
    """More answers than ``SCANS_MAX`` were given: let the run be shorter."""


class Visitors:
    """All visitors of one portal. ``scans``: what they were told, in the order of the answers."""

    def __init__(self, world: World, port: int, seed: int, *, portal: str = "", apart_s: float = 0.0) -> None:
        self._world = world
        self._port = port
        self._portal = portal
        self._apart_s = apart_s
        self._chance = random.Random(seed)
        self._memory = Memory()
        self._seed = seed
        self._visits = 0
        self._hot = [code for lot, items in world.items.items() if lot != RUSHED_LOT for code in items[:HOT_ITEMS]]
        self.scans: list[Scan] = []

    async def run(self, visitors: int) -> None:
        """Let so many come until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(visitors):
                group.create_task(self._visit())

    async def _visit(self) -> None:
        while True:
            with suppress(OSError, asyncio.IncompleteReadError):
                reader, writer = await asyncio.open_connection(HOST, self._port)
                try:
                    for _ in range(ON_ONE_LINE):
                        await self._scan(reader, writer)
                        await asyncio.sleep(self._apart_s)
                finally:
                    writer.close()
            await asyncio.sleep(0.01)

    async def _scan(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        way, codes = self._question()
        sent = truth_answers.request(way, codes, self._visitor(), self._memory)
        began_at = time.monotonic()
        heard = [(codes[0], Heard(Said.NOTHING, 0))]
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                writer.write(sent)
                answer = await _answer(reader, is_head=way is Way.HEAD)
            heard = truth_answers.heard(way, answer, codes, self._world.gtin_lots, self._memory)
        except TimeoutError as late:
            raise ConnectionResetError("not answered in time; the line is given up") from late
        finally:
            self._note(way, began_at, heard)
        if len(self.scans) > SCANS_MAX:
            raise TooManyScans

    def _note(self, way: Way, began_at: float, heard: Sequence[tuple[Code, Heard]]) -> None:
        ended_at = time.monotonic()
        for code, told in heard:
            self.scans.append(
                Scan(
                    code=code,
                    began_at=began_at,
                    ended_at=ended_at,
                    said=told.said,
                    way=way.value,
                    status=told.status,
                    revision=told.revision,
                    confirmed_at=told.confirmed_at,
                    portal=self._portal,
                    tells_first=told.tells_first,
                )
            )

    def _question(self) -> tuple[Way, Sequence[Code]]:
        self._visits += 1
        if self._visits % SET_EVERY == SET_EVERY // 10:
            return Way.SET, [items[0] for items in self._world.items.values()]
        turn, is_rush = divmod(self._visits, 3)
        if is_rush == 0:
            rushed = self._world.items[RUSHED_LOT]
            return Way.PAGE, [rushed[int(time.monotonic() / RUSH_S) % len(rushed)]]
        way = _WAYS[(turn + is_rush) % len(_WAYS)]
        return way, self._chance.sample(self._hot, AT_ONCE if way in (Way.CHECKS, Way.FORM) else 1)

    def _visitor(self) -> str:
        """An address in a network of its own, so that each visit is another visitor's."""
        return f"{11 + self._seed % 200}.{self._visits // 250 % 250}.{self._visits % 250}.1"


async def until_ready(port: int, workers: int) -> None:
    """Wait until workers say many times in a row, on a connection each, that their copy is confirmed."""
    in_a_row = 0
    while in_a_row < READY_IN_A_ROW * workers:
        status = 0
        with suppress(OSError, asyncio.IncompleteReadError):
            reader, writer = await asyncio.open_connection(HOST, port)
            writer.write(b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            status = (await _answer(reader, is_head=False)).status
            writer.close()
        in_a_row = in_a_row + 1 if status == 200 else 0
        await asyncio.sleep(0.01)


async def _answer(reader: asyncio.StreamReader, *, is_head: bool) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    fields = dict(_field(line) for line in head[1:-2])
    size = 0 if is_head else int(fields.get("content-length", "0"))
    return Answer(int(head[0].split(" ", 2)[1]), fields, await reader.readexactly(size))


def _field(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.lower(), value.strip()
