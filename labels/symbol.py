"""QR symbols of GS1 Digital Links: one at a time through the reference encoder, and in bulk by its linear structure.

At a fixed version, level and mask a QR symbol is an affine map over GF(2) of its data bits, and within a job only the
serial changes. A SymbolPlan asks the reference encoder (`qrcode`) for the symbol of each single data bit once, keeps
the differences as tables of lines, and draws a symbol as a few XORs: bit for bit what `qrcode` draws.
This is the only file that imports `qrcode`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from qrcode import QRCode, constants, util

from labels.masks import SIDE_MAX, Words, full_line, penalties
from labels.model import Batch, LinkForm, in_order
from labels.refusals import LinkTooLong
from labels.segments import ALPHANUMERIC, Mode, Segment, bits, split
from serials.alphabet import ALPHABET, SERIAL_CHARACTERS, Serials

VERSION_MAX: Final = (SIDE_MAX - 17) // 4
QUIET_ZONE_MODULES: Final = 4
"""Light modules on every side of a symbol (GS1 General Specifications, 5.12.3)."""
MASKS: Final = 8
LEVELS: Final = ("M", "Q", "H")
"""Error correction levels in use, weakest first; L is not offered: labels get scratched."""
DRAWN_TOGETHER: Final = 256
"""Symbols that are worked on together: their lines stay in the processor's cache."""

_QRCODE_LEVELS: Final = {
    "M": constants.ERROR_CORRECT_M,
    "Q": constants.ERROR_CORRECT_Q,
    "H": constants.ERROR_CORRECT_H,
}
_QRCODE_MODES: Final = {
    Mode.NUMERIC: util.MODE_NUMBER,
    Mode.ALPHANUMERIC: util.MODE_ALPHA_NUM,
    Mode.BYTE: util.MODE_8BIT_BYTE,
}
_VALUES: Final = np.array([ALPHANUMERIC.index(character) for character in ALPHABET], dtype=np.int64)
_PAIR_BITS: Final = 11
_LAST_BITS: Final = 6


@dataclass(frozen=True, slots=True)
class Drawn:
    """Symbols of consecutive labels: `modules` has one row per label, one word per line (column 0 the highest bit)."""

    first_label: int
    serials: Serials
    modules: Words


@dataclass(frozen=True, slots=True)
class Size:
    """Version, level and segments of a link's symbol."""

    version: int
    level: str
    segments: tuple[Segment, ...]

    @property
    def side(self) -> int:
        """Modules of a side, without the quiet zone."""
        return 17 + 4 * self.version


def size_of(link: str) -> Size:
    """The smallest symbol for a link at level M, then the highest level that does not raise the version.

    LinkTooLong when version 10 cannot hold it.
    """
    for version in range(1, VERSION_MAX + 1):
        segments = split(link, version)
        needed = bits(segments, version)
        fitting = [level for level in LEVELS if needed <= util.BIT_LIMIT_TABLE[_QRCODE_LEVELS[level]][version]]
        if fitting:
            return Size(version, fitting[-1], segments)
    raise LinkTooLong(link=link, characters=len(link), version_max=VERSION_MAX)


def matrix(link: str) -> npt.NDArray[np.bool_]:
    """The symbol of one link, dark modules True, without quiet zone: `qrcode` with the segments that cost least."""
    size = size_of(link)
    return np.array(_encode(size, [_part(s) for s in size.segments], None), dtype=np.bool_)


class SymbolPlan:
    """Everything that the symbols of one link form share. Immutable after construction; about 3 MB of tables."""

    def __init__(self, form: LinkForm) -> None:
        self.form = form
        self.size = self.size_for(form)
        self.version, self.level, self.side = self.size.version, self.size.level, self.size.side
        tail = self.size.segments[-1]
        if tail.mode is not Mode.ALPHANUMERIC or not tail.text.endswith("Z" * SERIAL_CHARACTERS):
            raise AssertionError(f"the serial is not in one alphanumeric segment: {self.size.segments}")
        self._slots = _slots(tail.text[:-SERIAL_CHARACTERS])
        self._build_tables(tail.text[:-SERIAL_CHARACTERS])

    @staticmethod
    def size_for(form: LinkForm) -> Size:
        """The size that all symbols of a form have. Z stands for the serial: no digit, so its segment is never cut."""
        return size_of(form.prefix + "Z" * SERIAL_CHARACTERS)

    @property
    def modules_with_quiet_zone(self) -> int:
        """Modules of a side, quiet zones included."""
        return self.side + 2 * QUIET_ZONE_MODULES

    def draw(self, serials: Serials) -> Words:
        """The symbols of these serials, each with the mask that ISO/IEC 18004 (7.8.3) prefers; shape (n, side)."""
        symbols = np.empty((len(serials), self.side), dtype=np.uint64)
        for start in range(0, len(serials), DRAWN_TOGETHER):
            part = slice(start, start + DRAWN_TOGETHER)
            keys = self._keys(_DIGITS[serials[part]])
            rows = self._xor(self._rows, keys)
            columns = self._xor(self._columns, keys)
            scores = np.empty((MASKS, len(rows)), dtype=np.int64)
            for mask in range(MASKS):
                scores[mask] = penalties(rows ^ self._test_rows[mask], columns ^ self._test_columns[mask], self.side)
            symbols[part] = rows ^ self._final_rows[scores.argmin(axis=0)]
        return symbols

    def draw_all(self, batches: Iterable[Batch]) -> Iterator[Drawn]:
        """Symbols for batches in rising order of label numbers, in pieces of at most DRAWN_TOGETHER."""
        for batch in in_order(batches):
            for start in range(0, len(batch.serials), DRAWN_TOGETHER):
                serials = batch.serials[start : start + DRAWN_TOGETHER]
                yield Drawn(batch.first_label + start, serials, self.draw(serials))

    def changing(self) -> tuple[Words, Words]:
        """Lines with a bit for each module that some serial changes, and one symbol of each mask: shapes (side,) and
        (masks, side). All other modules are the same in every symbol of a mask."""
        tables = [np.bitwise_or.reduce(table ^ table[0], axis=0) for table in self._rows]
        lines: Words = np.bitwise_or.reduce(np.stack(tables), axis=0)
        return lines, self._final_rows

    def _keys(self, digits: npt.NDArray[np.intp]) -> list[npt.NDArray[np.intp]]:
        return [
            digits[:, slot.columns[0]]
            if len(slot.columns) == 1
            else digits[:, slot.columns[0]] * 32 + digits[:, slot.columns[1]]
            for slot in self._slots
        ]

    @staticmethod
    def _xor(tables: Sequence[Words], keys: Sequence[npt.NDArray[np.intp]]) -> Words:
        lines: Words = tables[0][keys[0]]
        for table, key in zip(tables[1:], keys[1:], strict=True):
            lines ^= table[key]
        return lines

    def _build_tables(self, fixed: str) -> None:
        head = [_part(segment) for segment in self.size.segments[:-1]]

        def encode(values: Sequence[int], mask: int, *, test: bool = False) -> npt.NDArray[np.bool_]:
            parts = [*head, _SerialPart(fixed, self._slots, values)]
            return np.array(_encode(self.size, parts, mask, test=test), dtype=np.bool_)

        zeros = [0] * len(self._slots)
        blank = encode(zeros, 0)
        differences = [
            [encode([1 << bit if other is slot else 0 for other in self._slots], 0) ^ blank for bit in range(slot.bits)]
            for slot in self._slots
        ]
        self._rows = [_table(slot, ds, transposed=False) for slot, ds in zip(self._slots, differences, strict=True)]
        self._columns = [_table(slot, ds, transposed=True) for slot, ds in zip(self._slots, differences, strict=True)]
        # The reference encoder compares masks while the format information is still blank; so do we.
        test = [encode(zeros, mask, test=True) for mask in range(MASKS)]
        self._final_rows = np.stack([_lines(encode(zeros, mask)) for mask in range(MASKS)])
        self._test_rows = np.stack([_lines(symbol) for symbol in test])
        self._test_columns = np.stack([_lines(symbol.T) for symbol in test])


def unpack(modules: Words, side: int) -> npt.NDArray[np.uint8]:
    """Symbols as cells of 0 (light) and 1 (dark): shape (n, side, side)."""
    cells = np.unpackbits(as_bytes(modules, side), axis=2)
    return cells[:, :, :side]


def as_bytes(modules: Words, side: int) -> npt.NDArray[np.uint8]:
    """Symbols as bytes, eight modules each, the first in the highest bit: shape (n, side, ceil(side / 8))."""
    every = modules.astype(">u8").view(np.uint8).reshape(len(modules), side, 8)
    return every[:, :, : -(-side // 8)]


@dataclass(frozen=True, slots=True)
class _Slot:
    """One value of the alphanumeric mode that depends on the serial, on one or two of its characters."""

    columns: tuple[int, ...]
    offset: int  # what a fixed first character of the pair adds
    bits: int

    def values(self) -> npt.NDArray[np.int64]:
        """The value for each digit, or each pair of digits, of the serial alphabet."""
        if len(self.columns) == 1:
            return self.offset + _VALUES
        return (45 * _VALUES[:, None] + _VALUES[None, :]).ravel()


class _SerialPart(util.QRData):  # type: ignore[misc]  # qrcode ships no types
    """A segment whose serial is given as raw values, so that each data bit can be set alone."""

    def __init__(self, fixed: str, slots: Sequence[_Slot], values: Sequence[int]) -> None:
        super().__init__(fixed.encode("ascii") + b"0" * SERIAL_CHARACTERS, mode=util.MODE_ALPHA_NUM)
        self._fixed = util.QRData(fixed[: len(fixed) // 2 * 2].encode("ascii"), util.MODE_ALPHA_NUM, check_data=False)
        self._slots, self._values = slots, values

    def write(self, buffer: Any) -> None:
        self._fixed.write(buffer)
        for slot, value in zip(self._slots, self._values, strict=True):
            buffer.put(value, slot.bits)


def _slots(fixed: str) -> tuple[_Slot, ...]:
    """The pairs of an alphanumeric segment that the serial takes part in, after `fixed` characters before it."""
    slots = []
    column = 0
    if len(fixed) % 2:
        slots.append(_Slot((0,), 45 * ALPHANUMERIC.index(fixed[-1]), _PAIR_BITS))
        column = 1
    while column + 1 < SERIAL_CHARACTERS:
        slots.append(_Slot((column, column + 1), 0, _PAIR_BITS))
        column += 2
    if column < SERIAL_CHARACTERS:
        slots.append(_Slot((column,), 0, _LAST_BITS))
    return tuple(slots)


def _table(slot: _Slot, differences: Sequence[npt.NDArray[np.bool_]], *, transposed: bool) -> Words:
    """For each value of a slot, what it changes in the lines of the symbol of value 0."""
    values = slot.values()
    table = np.zeros((len(values), len(differences[0])), dtype=np.uint64)
    for bit, difference in enumerate(differences):
        table[(values >> bit & 1).astype(np.bool_)] ^= _lines(difference.T if transposed else difference)
    return table


def _lines(symbol: npt.NDArray[np.bool_]) -> Words:
    side = len(symbol)
    padded = np.zeros((side, 64), dtype=np.bool_)
    padded[:, :side] = symbol
    lines = np.packbits(padded, axis=1).view(">u8").ravel().astype(np.uint64)
    if (lines & ~full_line(side)).any():
        raise AssertionError("a symbol reaches beyond its side")
    return lines


def _part(segment: Segment) -> util.QRData:
    return util.QRData(segment.text.encode("ascii"), mode=_QRCODE_MODES[segment.mode])


def _encode(size: Size, parts: Sequence[util.QRData], mask: int | None, *, test: bool = False) -> list[list[bool]]:
    code = QRCode(version=size.version, error_correction=_QRCODE_LEVELS[size.level], border=0)
    for part in parts:
        code.add_data(part, optimize=0)
    code.makeImpl(test, code.best_mask_pattern() if mask is None else mask)
    return [[bool(module) for module in row] for row in code.modules]


_DIGITS: Final = np.zeros(256, dtype=np.intp)
_DIGITS[np.frombuffer(ALPHABET.encode("ascii"), dtype=np.uint8)] = np.arange(32)
