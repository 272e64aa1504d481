"""The letters a serial is written in: Crockford's base 32, upper case, without I, L, O and U.

Each character is five bits, is legal in AI 21 (GS1 set 82), needs no escape in a web address and is in the
alphanumeric set of a QR symbol.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
SERIAL_CHARACTERS: Final = 12
SERIAL_BITS: Final = 60
NUMBERS_MAX: Final = 1 << SERIAL_BITS
"""Numbers are 0 <= number < NUMBERS_MAX."""

Serials = npt.NDArray[np.uint8]
"""Serials in bulk: shape (n, 12), ASCII codes."""
Numbers = npt.NDArray[np.int64]

_EXACT = re.compile(r"[0-9A-HJKMNP-TV-Z]{12}")
_PYTHON_DIGITS: Final = str.maketrans(ALPHABET, "0123456789abcdefghijklmnopqrstuv")
_TYPED: Final = {**str.maketrans("oOiIlL", "001111"), **dict.fromkeys(map(ord, "- \t\u00a0\u2010\u2011\u2013"))}
_PAIRS: Final = [first + second for first in ALPHABET for second in ALPHABET]
_SHIFTS: Final = np.arange(SERIAL_BITS - 5, -1, -5, dtype=np.int64)
_CODES: Final = np.frombuffer(ALPHABET.encode("ascii"), dtype=np.uint8)
_NOT_A_DIGIT: Final = 255


def _digit_by_code() -> npt.NDArray[np.uint8]:
    digits = np.full(256, _NOT_A_DIGIT, dtype=np.uint8)
    digits[_CODES] = np.arange(32, dtype=np.uint8)
    return digits


_DIGITS: Final = _digit_by_code()


class SerialNotReadable(ValueError):
    """A text that cannot be a serial of ours, with what is wrong with it."""


def is_exact(text: str) -> bool:
    """Whether the text is written as we print it: twelve characters of the alphabet and nothing else."""
    return _EXACT.fullmatch(text) is not None


def exact_ones(texts: Iterable[str]) -> tuple[list[str], Serials]:
    """Those of many texts that ``is_exact``, and the same as rows of characters."""
    long_enough = [text for text in texts if len(text) == SERIAL_CHARACTERS and text.isascii()]
    rows = np.frombuffer("".join(long_enough).encode("ascii"), dtype=np.uint8).reshape(-1, SERIAL_CHARACTERS)
    fit = (_DIGITS[rows] != _NOT_A_DIGIT).all(axis=1)
    if fit.all():
        return long_enough, rows
    return [text for text, fits in zip(long_enough, fit.tolist(), strict=True) if fits], rows[fit]


def normalise(text: str, *, exact: bool = False) -> str:
    """The serial a person meant by what they typed: any case, O for 0, I or L for 1, hyphens and spaces anywhere.

    With `exact` only the printed form is taken. Raises SerialNotReadable, naming the length or the first bad
    character; a U is never guessed at, because it may stand for V or for 0.
    """
    typed = text if exact else text.translate(_TYPED).upper()
    for position, character in enumerate(typed):
        if character not in ALPHABET:
            raise SerialNotReadable(f"character {position + 1} is {character!r}; a serial has only {ALPHABET}")
    if len(typed) != SERIAL_CHARACTERS:
        raise SerialNotReadable(f"{len(typed)} characters; a serial has {SERIAL_CHARACTERS}")
    return typed


def block_of(serial: str) -> int | None:
    """The 60 bits that a printed serial spells; None when it is not exactly a serial."""
    if _EXACT.fullmatch(serial) is None:
        return None
    return int(serial.translate(_PYTHON_DIGITS), 32)


def text_of(block: int) -> str:
    """Twelve characters for 60 bits, most significant first."""
    return "".join([_PAIRS[block >> shift & 1023] for shift in (50, 40, 30, 20, 10, 0)])


def texts_of(blocks: Numbers) -> Serials:
    """As text_of, for many: shape (n, 12)."""
    serials: Serials = _CODES[(blocks[:, None] >> _SHIFTS) & 31]
    return serials


def blocks_of(serials: Serials) -> Numbers:
    """As block_of, for many; raises SerialNotReadable naming the first row that is not a serial."""
    if serials.ndim != 2 or serials.shape[1] != SERIAL_CHARACTERS:
        raise SerialNotReadable(f"serials come as rows of {SERIAL_CHARACTERS} characters, not as shape {serials.shape}")
    digits = _DIGITS[serials]
    bad_rows = np.flatnonzero((digits == _NOT_A_DIGIT).any(axis=1))
    if bad_rows.size:
        row = int(bad_rows[0])
        raise SerialNotReadable(f"row {row}: {serials[row].tobytes()!r} has a character outside {ALPHABET}")
    blocks = np.zeros(len(serials), dtype=np.int64)
    for column in range(SERIAL_CHARACTERS):
        blocks = blocks << 5 | digits[:, column]
    return blocks
