"""Finds the row of a number and a text (a product's lot code, a product's serial) among millions, by 64-bit hashes.

The hash is a sum of products with secret factors: any two different keys meet once in 2**57 or less, whoever chose
them, and a whole column of texts is hashed by numpy, without a Python object for each.
"""

from __future__ import annotations

import secrets
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from operator import mul
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from portal.columns import Bytes, Int32s, Int64s, settled

UInt8s = npt.NDArray[np.uint8]
UInt64s = npt.NDArray[np.uint64]

TEXT_BYTES_MAX: Final = 128
"""Longest text of a key: 20 characters of GS1's are 20 bytes, of a careless partner's up to 80."""
_CHUNK_ROWS: Final = 1 << 16
_MASK: Final = (1 << 64) - 1


class TextTooLong(ValueError):
    """A text of more than ``TEXT_BYTES_MAX`` bytes stands where a code should."""


def fresh_factors() -> UInt64s:
    """Factors that nobody outside knows: for the number, for the length, for each byte."""
    return np.frombuffer(secrets.token_bytes(8 * (TEXT_BYTES_MAX + 2)), dtype=np.uint64) | np.uint64(1)


@dataclass(frozen=True, slots=True)
class Texts:
    """Short texts in one heap, each with where it begins and how many bytes it has."""

    heap: Bytes
    starts: Int64s
    lengths: UInt8s

    @classmethod
    def of(cls, texts: Sequence[bytes]) -> Self:
        """``TextTooLong`` when one is."""
        return cls.of_heap(
            np.frombuffer(b"".join(texts), dtype=np.uint8), np.array([len(text) for text in texts], dtype=np.int64)
        )

    @classmethod
    def of_heap(cls, heap: Bytes, lengths: Int64s) -> Self:
        """Of texts that stand one after the other. ``TextTooLong`` when one is."""
        if len(lengths) and int(lengths.max()) > TEXT_BYTES_MAX:
            raise TextTooLong
        return cls(settled(heap), settled(np.cumsum(lengths) - lengths), settled(lengths.astype(np.uint8)))

    def at(self, row: int) -> bytes:
        """One of them."""
        start = int(self.starts[row])
        return self.heap[start : start + int(self.lengths[row])].tobytes()

    def joined(self, other: Texts) -> Texts:
        """These, then the others."""
        starts = np.concatenate([self.starts, other.starts + len(self.heap)])
        return Texts(np.concatenate([self.heap, other.heap]), starts, np.concatenate([self.lengths, other.lengths]))

    def take(self, rows: Int64s) -> Texts:
        """Some of them; the heap stays whole, with what belonged to others."""
        return Texts(self.heap, np.take(self.starts, rows), np.take(self.lengths, rows))


def hashes_of(factors: UInt64s, numbers: Int64s, texts: Texts) -> UInt64s:
    """The hash of each number with its text."""
    found: UInt64s = numbers.astype(np.uint64) * factors[0] + texts.lengths.astype(np.uint64) * factors[1]
    for first in range(0, len(numbers), _CHUNK_ROWS):
        rows = slice(first, first + _CHUNK_ROWS)
        lengths = texts.lengths[rows].astype(np.int64)
        begins = np.cumsum(lengths) - lengths
        places = np.arange(int(lengths.sum()), dtype=np.int64) - np.repeat(begins, lengths)
        letters = np.take(texts.heap, places + np.repeat(texts.starts[rows], lengths)).astype(np.uint64)
        # A last term of nothing: where the last texts are empty, they begin behind all others.
        sums = np.add.reduceat(np.append(letters * np.take(factors, places + 2), np.uint64(0)), begins)
        sums[lengths == 0] = 0  # reduceat gives the first term of an empty piece
        found[rows] += sums
    return found


def hash_of(factors: Sequence[int], number: int, text: bytes) -> int:
    """As ``hashes_of``, of one."""
    total: int = factors[0] * number + factors[1] * len(text) + sum(map(mul, factors[2:], text))
    return total & _MASK


@dataclass(frozen=True, slots=True)
class TextIndex:
    """Sorted hashes and the row of each: 12 bytes a row."""

    factors: UInt64s
    hashes: UInt64s
    rows: Int32s
    _view: memoryview = field(init=False, compare=False, repr=False)
    _factors: tuple[int, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_view", self.hashes.data)
        object.__setattr__(self, "_factors", tuple(self.factors.tolist()))

    @classmethod
    def of(cls, numbers: Int64s, texts: Texts, factors: UInt64s) -> Self:
        """Of rows in their order."""
        hashes = hashes_of(factors, numbers, texts)
        order = np.argsort(hashes, kind="stable")
        return cls(factors, settled(np.take(hashes, order)), settled(order.astype(np.int32)))

    def candidates(self, number: int, text: bytes) -> Iterator[int]:
        """The rows whose hash this is: nearly always none or one; the caller compares the key itself."""
        if len(text) > TEXT_BYTES_MAX:
            return
        wanted = hash_of(self._factors, number, text)
        at = bisect_left(self._view, wanted)
        while at < len(self._view) and self._view[at] == wanted:
            yield int(self.rows[at])
            at += 1
