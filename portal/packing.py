"""Compressed forms of pages: made once in a thread, as the loop must not wait; until then the page goes as it is.

What changes from scan to scan stands at the end of a page (its moment) and is never compressed: the lasting part is
compressed once, ends on a whole byte, and ``Stem.closed`` adds any moment in a few bytes more than it has.
"""

from __future__ import annotations

import asyncio
import struct
import zlib
from collections import OrderedDict
from functools import lru_cache
from typing import Final, NamedTuple

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
MOMENT_BYTES_MAX: Final = 65_535
"""Of what stands uncompressed at the end: one stored block (RFC 1951, 3.2.4) or meta-block (RFC 7932, 9.2)."""
_HEADERS_MAX: Final = 1_000
_GZIP_HEAD: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"


class Stem(NamedTuple):
    """The lasting part of a page in a coding (empty: as it is), open at its end."""

    coding: str
    data: bytes
    crc: int = 0
    """Of the part as it was before, with its ``size``: gzip's trailer tells both of the whole."""
    size: int = 0

    def closed(self, moment: bytes) -> bytes:
        """What follows ``data`` so that both are the page with this moment. ValueError beyond ``MOMENT_BYTES_MAX``."""
        size = len(moment)
        if size > MOMENT_BYTES_MAX:
            raise ValueError(f"{size} bytes at the end of a page; at most {MOMENT_BYTES_MAX}")
        if self.coding == BROTLI:
            # ISLAST 0, MNIBBLES 4, MLEN - 1 in 16 bits, ISUNCOMPRESSED 1, then bits up to a whole byte.
            raw = ((size - 1) << 3 | 1 << 19).to_bytes(3, "little") + moment if size else b""
            return raw + b"\x03"
        if self.coding == GZIP:
            raw = struct.pack("<BHH", 1, size, size ^ 0xFFFF) + moment
            return raw + struct.pack("<II", zlib.crc32(moment, self.crc), (self.size + size) & 0xFFFFFFFF)
        return moment


class Packed:
    """Compressed pages by the page itself and its coding."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[bytes, str], Stem] = OrderedDict()
        self._bytes = 0
        self._under_way: dict[tuple[bytes, str], asyncio.Future[Stem]] = {}

    def best(self, body: bytes, accepted: tuple[str, ...]) -> Stem:
        """The best form that is ready. What is missing is asked for."""
        for coding in accepted:
            packed = self._kept.get((body, coding))
            if packed is not None:
                self._kept.move_to_end((body, coding))
                return packed
        if accepted:
            self._ask(body, accepted[0])
        return Stem("", body)

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
        made = self._under_way[key] = loop.run_in_executor(None, pack, body, coding)
        made.add_done_callback(lambda future: self._keep(key, future))

    def _keep(self, key: tuple[bytes, str], made: asyncio.Future[Stem]) -> None:
        self._under_way.pop(key, None)
        if made.cancelled() or made.exception() is not None:
            return
        self._kept[key] = made.result()
        self._bytes += len(key[0]) + len(made.result().data)
        while self._bytes > PACKED_BYTES_MAX:
            (body, _), packed = self._kept.popitem(last=False)
            self._bytes -= len(body) + len(packed.data)


@lru_cache(maxsize=_HEADERS_MAX)
def codings(accept_encoding: str) -> tuple[str, ...]:
    """Those of our codings that a client takes, the best first (RFC 9110, 12.5.3)."""
    wanted: set[str] = set()
    for item in accept_encoding[:HEADER_LENGTH_MAX].lower().split(","):
        name, *parameters = (part.strip() for part in item.split(";"))
        if not any(part.replace(" ", "").rstrip("0") in ("q=", "q=0.") for part in parameters):
            wanted.add(name)
    return tuple(coding for coding in (BROTLI, GZIP) if coding in wanted)


def pack(body: bytes, coding: str) -> Stem:
    """The lasting part in this coding, ended on a whole byte."""
    if coding == BROTLI:
        made = brotli.Compressor(quality=BROTLI_QUALITY)
        return Stem(BROTLI, made.process(body) + made.flush())
    deflated = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    data = _GZIP_HEAD + deflated.compress(body) + deflated.flush(zlib.Z_SYNC_FLUSH)
    return Stem(GZIP, data, zlib.crc32(body), len(body))
