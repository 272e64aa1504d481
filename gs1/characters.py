"""The character sets of the GS1 General Specifications (section 7.11, figures 7.11-1 to 7.11-3).

CSET 82 (type X) is for lots, serials and most text; CSET 39 (type Y) for component identifiers; N is digits; Z is
file-safe base64 for signatures. In none of them: space, `$ @ [ \\ ] ^ { | } ~`, the backtick, everything beyond ASCII.
"""

from __future__ import annotations

import re
from typing import Final

from gs1.errors import BadCharacter, BadLength

CSET_82: Final = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
CSET_39: Final = "#-/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
CSET_32: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
CSET_64: Final = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz="
DIGITS: Final = "0123456789"

LOT_LENGTH_MAX: Final = 20
SERIAL_LENGTH_MAX: Final = 20

_NAME_BY_KIND: Final = {"N": "digits", "X": "CSET 82", "Y": "CSET 39", "Z": "file-safe base64"}
_FOREIGN_BY_KIND: Final = {
    kind: re.compile(f"[^{re.escape(allowed)}]")
    for kind, allowed in (("N", DIGITS), ("X", CSET_82), ("Y", CSET_39), ("Z", CSET_64))
}


def require(text: str, kind: str, start: int = 0) -> None:
    """Refuse the first character of `text` that is not of `kind` (N, X, Y or Z).

    `start` is the offset of `text` in the input and is added to the position of the error.
    """
    foreign = _FOREIGN_BY_KIND[kind].search(text)
    if foreign is None:
        return
    name = _NAME_BY_KIND[kind]
    raise BadCharacter(f"The character {foreign.group()!r} is not allowed here: only {name}.", start + foreign.start())


def of_octets(text: str) -> str:
    """Escaped octets, each given as one character, as what they were written for: UTF-8 where they are that.

    No application identifier allows more than ASCII, so this says only which character is refused: 中, and not ä.
    """
    if text.isascii():
        return text
    try:
        return text.encode("latin-1").decode()
    except UnicodeDecodeError:  # octets of another encoding, or an overlong form: each stands for itself
        return text


def compact(text: str) -> str:
    """The text without white space around it. Inside it nothing is removed: in a lot every character counts."""
    return text.strip()


def validate(text: str, length_max: int = LOT_LENGTH_MAX) -> str:
    """A lot or serial: 1 to `length_max` characters of CSET 82. Gives the compact text."""
    value = compact(text)
    if not value:
        raise BadLength("The value is empty.", 0)
    if len(value) > length_max:
        raise BadLength(f"The value has {len(value)} characters; at most {length_max} are allowed.", length_max)
    require(value, "X")
    return value


def is_valid(text: str, length_max: int = LOT_LENGTH_MAX) -> bool:
    """Whether `validate` accepts the text."""
    try:
        validate(text, length_max)
    except (BadCharacter, BadLength):
        return False
    return True
