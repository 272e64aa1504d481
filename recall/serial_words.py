"""How the items of a part of a lot are told to a person: by serial while they are few, then by label numbers. Pure.

Our serials are a permutation of the numbers, so a range of serials means nothing on a shelf; the numbers that stand on
the labels of one job do.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ledger.intervals import size
from recall.intervals import Runs
from recall.reach import Block

SERIALS_LISTED_MAX: Final = 200
"""Up to so many items are listed by serial in one line; more are told by label number, which loses none of them."""

SerialOf = Callable[[int, str, int], str]
"""(key epoch, GTIN, number) -> serial, for numbers of our label jobs."""


@dataclass(frozen=True, slots=True)
class SerialWords:
    """``blocks`` by number; ``foreign`` has the serial of each number that came from outside. Without ``serial_of`` (no
    keys at hand) our own items are told by label number however few they are."""

    blocks: Sequence[Block]
    foreign: Mapping[int, str]
    serial_of: SerialOf | None = None

    def __call__(self, runs: Runs) -> str:
        """The items of ``runs`` in words, all of them."""
        if not runs:
            return ""
        if size(runs) <= SERIALS_LISTED_MAX:
            serials = [self._serial(number) for lo, n in runs for number in range(lo, lo + n)]
            if all(serials):
                return "; ".join(serials)
        return "; ".join(self._ranges(runs))

    def _serial(self, number: int) -> str:
        if (known := self.foreign.get(number)) is not None:
            return known
        block = self._block(number)
        if block is None or block.key_epoch is None or block.gtin is None or self.serial_of is None:
            return ""
        return self.serial_of(block.key_epoch, block.gtin, number)

    def _ranges(self, runs: Runs) -> Iterator[str]:
        for lo, n in runs:
            at = lo
            while at < lo + n:
                block = self._block(at)
                until = lo + n if block is None else min(lo + n, block.lo + block.n)
                yield self._range(block, at, until)
                at = until

    def _range(self, block: Block | None, at: int, until: int) -> str:
        if block is None or block.kind != "label":
            return f"{until - at} items with serials of their own maker (check each code)"
        first, last = _label(block, at), _label(block, until - 1)
        return f"labels {first}-{last} of the job from number {block.lo} ({last - first + 1} items)"

    def _block(self, number: int) -> Block | None:
        index = bisect_right(self.blocks, number, key=lambda block: block.lo) - 1
        if index < 0 or number >= self.blocks[index].lo + self.blocks[index].n:
            return None
        return self.blocks[index]


def _label(block: Block, number: int) -> int:
    """The label number: which of the issued numbers of its job this is, from 1."""
    return number - block.lo + 1 - bisect_left(sorted(block.skipped), number)
