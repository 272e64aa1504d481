"""Which number a label has, and which numbers are never issued. Pure.

A job owns the numbers lo … lo + n - 1. Label k (from 1) is the k-th of them that is not skipped; a number is skipped
when its serial spells a withheld word, or when the same twelve characters were issued before under an older key.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from serials.alphabet import Numbers, Serials
from serials.cipher import SerialCipher
from serials.words import words_hit

DRAWN_TOGETHER: Final = 1 << 16
"""Numbers whose serials are looked at together."""
BATCH_LABELS: Final = 1 << 14
"""Labels of one batch: large enough for numpy, small enough for the processor's cache."""
_SPARE_SHARE: Final = 100
_SPARE_LEAST: Final = 64


class NumbersTooFew(Exception):
    """More than one number in a hundred was skipped: the word list or the ledger's blocks are not what they were."""


@dataclass(frozen=True, slots=True)
class Numbering:
    """The numbers lo … lo + n - 1 of a job, without those in ``skipped`` (rising)."""

    lo: int
    n: int
    skipped: tuple[int, ...] = ()
    _labels_before: Numbers = field(init=False, repr=False, compare=False)
    """For each skipped number, how many labels come before it."""

    def __post_init__(self) -> None:
        skipped = np.array(self.skipped, dtype=np.int64)
        if skipped.size and (skipped[0] < self.lo or skipped[-1] >= self.lo + self.n or (np.diff(skipped) <= 0).any()):
            raise ValueError("skipped numbers rise and lie inside the block")
        object.__setattr__(self, "_labels_before", skipped - self.lo - np.arange(skipped.size))

    @property
    def count(self) -> int:
        """How many labels there are."""
        return self.n - len(self.skipped)

    def number_of(self, label: int) -> int:
        """The number of a label; ValueError outside 1 … count."""
        self._check(label, label)
        return self.lo + label - 1 + int(np.searchsorted(self._labels_before, label - 1, side="right"))

    def label_of(self, number: int) -> int | None:
        """The label of a number; None when it is skipped or outside the block."""
        if not self.lo <= number < self.lo + self.n:
            return None
        before = bisect_left(self.skipped, number)
        if before < len(self.skipped) and self.skipped[before] == number:
            return None
        return number - self.lo - before + 1

    def numbers(self, first: int, last: int) -> Numbers:
        """The numbers of the labels first … last."""
        self._check(first, last)
        offsets = np.arange(first - 1, last, dtype=np.int64)
        numbers: Numbers = self.lo + offsets + np.searchsorted(self._labels_before, offsets, side="right")
        return numbers

    def runs(self, first: int, last: int) -> tuple[tuple[int, int], ...]:
        """The numbers of the labels first … last as (lo, n), cut where numbers are skipped."""
        low, high = self.number_of(first), self.number_of(last)
        runs, at = [], low
        for number in self.skipped[bisect_left(self.skipped, low) : bisect_left(self.skipped, high)]:
            if number > at:
                runs.append((at, number - at))
            at = number + 1
        return (*runs, (at, high + 1 - at))

    def batches(self, first: int, last: int) -> Iterator[tuple[int, Numbers]]:
        """(first label, numbers) of BATCH_LABELS labels each."""
        for start in range(first, last + 1, BATCH_LABELS):
            yield start, self.numbers(start, min(last, start + BATCH_LABELS - 1))

    def _check(self, first: int, last: int) -> None:
        if not 1 <= first <= last <= self.count:
            raise ValueError(f"labels {first} to {last} are not within 1 to {self.count}")


@dataclass(frozen=True, slots=True)
class OlderCodes:
    """What was issued of the same product under an older key: blocks (lo, n), by lo, never overlapping."""

    cipher: SerialCipher
    blocks: Sequence[tuple[int, int]]

    def issued(self, serials: Serials) -> npt.NDArray[np.bool_]:
        """Which of the serials stand on labels already; a skipped number in a block counts as issued."""
        los = np.array([lo for lo, _ in self.blocks], dtype=np.int64)
        ends = los + np.array([n for _, n in self.blocks], dtype=np.int64)
        numbers = self.cipher.numbers(serials)
        rows = np.searchsorted(los, numbers, side="right") - 1
        found: npt.NDArray[np.bool_] = (rows >= 0) & (numbers < ends[rows])
        return found


def numbers_to_take(count: int) -> int:
    """How many numbers to take for ``count`` labels, so that those that will be skipped have a stand-in."""
    return count + count // _SPARE_SHARE + _SPARE_LEAST


def draw(cipher: SerialCipher, lo: int, count: int, older: Sequence[OlderCodes] = ()) -> Numbering:
    """The numbering of ``count`` labels from ``lo`` on. Raises ``NumbersTooFew`` beyond ``numbers_to_take``."""
    skipped: list[int] = []
    at, end, missing = lo, lo + numbers_to_take(count), count
    while at < end:
        numbers = np.arange(at, min(end, at + DRAWN_TOGETHER, at + missing + _SPARE_LEAST), dtype=np.int64)
        serials = cipher.serials(numbers)
        bad = words_hit(serials)
        for codes in older:
            bad |= codes.issued(serials)
        good = np.flatnonzero(~bad)
        used = int(good[missing - 1]) + 1 if good.size >= missing else len(numbers)
        skipped += (at + np.flatnonzero(bad[:used])).tolist()
        at, missing = at + used, max(0, missing - good.size)
        if not missing:
            return Numbering(lo, at - lo, tuple(skipped))
    raise NumbersTooFew
