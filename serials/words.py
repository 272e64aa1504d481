"""Serials that spell something nobody wants on a package: such numbers are never issued.

Look-alikes count as the letter they look like (0 as O, 1 as I or L, 3 as E, 4 as A, 5 as S, 8 as B, V as U). About one
serial in 270 is withheld; the list is part of what a serial means, so changing it changes which
numbers of an old range count as issued: add a word only together with a new epoch.
"""

from __future__ import annotations

import re
from typing import Final

import numpy as np
import numpy.typing as npt

from serials.alphabet import ALPHABET, SERIAL_CHARACTERS, Serials

WORDS: Final = (
    "ANAL", "ANUS", "ARSE", "ASSHO", "BASTARD", "BITCH", "BOOB", "CLIT", "COCK", "COON", "CRAP", "CUNT", "DAGO", "DAMN",
    "DICK", "DIE", "DYKE", "FAG", "FART", "FICK", "FOTZE", "FUCK", "FUK", "GOOK", "HELL", "HITLER", "HOMO", "HURE",
    "JIZZ", "KACKE", "KIKE", "KILL", "KKK", "MERDE", "MIERDA", "MUFF", "NAZI", "NEGER", "NIGG", "NSDAP", "NUTTE",
    "PENIS", "PISS", "POISON", "POOP", "PORN", "PUSSY", "PUTA", "RAPE", "SCHEISS", "SEX", "SHIT", "SLUT", "SPIC",
    "TITS", "TWAT", "VAGINA", "WANK", "WHORE", "WICHSER",
)  # fmt: skip

_LOOKS_LIKE: Final = str.maketrans("01L3458V", "OIIEASBU")
_PATTERN = re.compile("|".join(sorted({word.translate(_LOOKS_LIKE) for word in WORDS})))


def word_hit(serial: str) -> bool:
    """Whether a serial, as printed, contains a withheld word: such a serial was never issued."""
    return _PATTERN.search(serial.translate(_LOOKS_LIKE)) is not None


def words_hit(serials: Serials) -> npt.NDArray[np.bool_]:
    """As word_hit, for many: a mask of the rows whose numbers are never issued."""
    digits = _DIGITS[serials].astype(np.intp)
    suspects = np.zeros(len(serials), dtype=np.bool_)
    for column in range(SERIAL_CHARACTERS - 2):
        suspects |= _STARTS[digits[:, column] << 10 | digits[:, column + 1] << 5 | digits[:, column + 2]]
    hit = np.zeros(len(serials), dtype=np.bool_)
    for row in np.flatnonzero(suspects).tolist():
        hit[row] = word_hit(serials[row].tobytes().decode("ascii"))
    return hit


def _starts() -> npt.NDArray[np.bool_]:
    """Which three characters can begin a word: a cheap first sieve over all positions."""
    starts = {word.translate(_LOOKS_LIKE)[:3] for word in WORDS}
    folded = [character.translate(_LOOKS_LIKE) for character in ALPHABET]
    return np.array([a + b + c in starts for a in folded for b in folded for c in folded], dtype=np.bool_)


_STARTS: Final = _starts()
_DIGITS: Final = np.zeros(256, dtype=np.uint8)
_DIGITS[np.frombuffer(ALPHABET.encode("ascii"), dtype=np.uint8)] = np.arange(32, dtype=np.uint8)
