"""How a link is cut into the modes of a QR symbol so that it needs the fewest bits.

An exact dynamic programme over byte, alphanumeric and numeric segments (ISO/IEC 18004, 7.4): the scheme and host stay
in lower case in a byte segment, because all-upper-case links break scanners, and digits and serials still cost little.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

ALPHANUMERIC: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_DIGITS: Final = frozenset("0123456789")
_ALPHANUMERIC: Final = frozenset(ALPHANUMERIC)
_MODE_BITS: Final = 4
# Costs are counted in sixths of a bit: 10/3 bits for a digit, 11/2 for an alphanumeric character, 8 for a byte.
_SIXTHS: Final = 6


class Mode(Enum):
    """A way to write characters; the value is the cost of one in sixths of a bit."""

    NUMERIC = 20
    ALPHANUMERIC = 33
    BYTE = 48


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of characters in one mode."""

    mode: Mode
    text: str


def split(text: str, version: int) -> tuple[Segment, ...]:
    """The segments with the fewest bits for ASCII text in a symbol of this version; ValueError for other text."""
    if not text.isascii() or not text:
        raise ValueError("a link is ASCII and not empty")
    return _join(text, _best_modes(text, version))


def bits(segments: tuple[Segment, ...], version: int) -> int:
    """The data bits of the segments, headers included, without terminator and padding."""
    return sum(_MODE_BITS + _count_bits(s.mode, version) + _content_bits(s) for s in segments)


def _best_modes(text: str, version: int) -> list[Mode]:
    """For each character, the mode it has in the cheapest whole.

    `costs[mode]` is the price of what stands so far if the next character is written in `mode`; `came_from` remembers
    in which mode the last character was written on the way to it.
    """
    heads = {mode: (_MODE_BITS + _count_bits(mode, version)) * _SIXTHS for mode in Mode}
    costs = dict(heads)
    came_from: list[dict[Mode, Mode]] = []
    for character in text:
        written = {mode: costs[mode] + mode.value for mode in Mode if _can_write(mode, character)}
        costs, origin = dict(written), {mode: mode for mode in written}
        for start in Mode:
            for end, cost in written.items():
                # A segment ends on a whole bit before the next one's header begins.
                fresh = -(-cost // _SIXTHS) * _SIXTHS + heads[start]
                if start not in costs or fresh < costs[start]:
                    costs[start], origin[start] = fresh, end
        came_from.append(origin)
    mode = min(written, key=written.__getitem__)
    modes = []
    for origin in reversed(came_from):
        mode = origin[mode]
        modes.append(mode)
    return modes[::-1]


def _join(text: str, modes: list[Mode]) -> tuple[Segment, ...]:
    segments: list[Segment] = []
    for character, mode in zip(text, modes, strict=True):
        if segments and segments[-1].mode is mode:
            segments[-1] = Segment(mode, segments[-1].text + character)
        else:
            segments.append(Segment(mode, character))
    return tuple(segments)


def _can_write(mode: Mode, character: str) -> bool:
    if mode is Mode.BYTE:
        return True
    return character in (_DIGITS if mode is Mode.NUMERIC else _ALPHANUMERIC)


def _count_bits(mode: Mode, version: int) -> int:
    """ISO/IEC 18004, table 3."""
    column = 0 if version < 10 else 1 if version < 27 else 2
    return {Mode.NUMERIC: (10, 12, 14), Mode.ALPHANUMERIC: (9, 11, 13), Mode.BYTE: (8, 16, 16)}[mode][column]


def _content_bits(segment: Segment) -> int:
    return -(-len(segment.text) * segment.mode.value // _SIXTHS)
