"""Compressed forms of pages: made once in a thread, as the loop must not wait; until then the page goes as it is."""

from __future__ import annotations

import asyncio
import gzip
from collections import OrderedDict
from functools import lru_cache
from typing import Final

import brotli

from web.headers import HEADER_LENGTH_MAX

BROTLI: Final = "br"
GZIP: Final = "gzip"
BROTLI_QUALITY: Final = 5
"""A page takes about 0.2 ms; the highest quality takes fifty times as long for a tenth less."""
GZIP_LEVEL: Final = 6
PACKED_BYTES_MAX: Final = 192 * 1024 * 1024
"""Compressed pages kept, with what they were made of; the one used longest ago makes room."""
UNDER_WAY_MAX: Final = 20_000
"""Pages waiting to be compressed; one more is asked for again when it is next sent."""
_HEADERS_MAX: Final = 1_000


class Packed:
    """Compressed pages by the page itself and its coding."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[bytes, str], bytes] = OrderedDict()
        self._bytes = 0
        self._under_way: dict[tuple[bytes, str], asyncio.Future[bytes]] = {}

    def best(self, body: bytes, accepted: tuple[str, ...]) -> tuple[str, bytes]:
        """The best form that is ready, and its coding (empty: as it is). What is missing is asked for."""
        for coding in accepted:
            packed = self._kept.get((body, coding))
            if packed is not None:
                self._kept.move_to_end((body, coding))
                return coding, packed
        if accepted:
            self._ask(body, accepted[0])
        return "", body

    def is_settled(self, body: bytes, accepted: tuple[str, ...]) -> bool:
        """Whether ``best`` will give the same again."""
        return not accepted or (body, accepted[0]) in self._kept

    async def settle(self) -> None:
        """Wait until everything that was asked for is made."""
        loop = asyncio.get_running_loop()
        while ours := [made for made in self._under_way.values() if made.get_loop() is loop]:
            await asyncio.wait(ours)
            await asyncio.sleep(0)

    def _ask(self, body: bytes, coding: str) -> None:
        key = (body, coding)
        under_way = self._under_way.get(key)
        if under_way is not None and not under_way.get_loop().is_closed():
            return
        if len(self._under_way) >= UNDER_WAY_MAX:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # used without a loop: the page goes as it is
            return
        made = self._under_way[key] = loop.run_in_executor(None, _pack, body, coding)
        made.add_done_callback(lambda future: self._keep(key, future))

    def _keep(self, key: tuple[bytes, str], made: asyncio.Future[bytes]) -> None:
        self._under_way.pop(key, None)
        if made.cancelled() or made.exception() is not None:
            return
        self._kept[key] = made.result()
        self._bytes += len(key[0]) + len(made.result())
        while self._bytes > PACKED_BYTES_MAX:
            (body, _), packed = self._kept.popitem(last=False)
            self._bytes -= len(body) + len(packed)


@lru_cache(maxsize=_HEADERS_MAX)
def codings(accept_encoding: str) -> tuple[str, ...]:
    """Those of our codings that a client takes, the best first (RFC 9110, 12.5.3)."""
    wanted: set[str] = set()
    for item in accept_encoding[:HEADER_LENGTH_MAX].lower().split(","):
        name, *parameters = (part.strip() for part in item.split(";"))
        if not any(part.replace(" ", "").rstrip("0") in ("q=", "q=0.") for part in parameters):
            wanted.add(name)
    return tuple(coding for coding in (BROTLI, GZIP) if coding in wanted)


def _pack(body: bytes, coding: str) -> bytes:
    return (
        brotli.compress(body, quality=BROTLI_QUALITY) if coding == BROTLI else gzip.compress(body, GZIP_LEVEL, mtime=0)
    )
