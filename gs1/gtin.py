"""GTIN: the number of a product, always kept with 14 digits (GS1 General Specifications 3.3.2).

>>> validate("9520123456788")
'09520123456788'
"""

from __future__ import annotations

from typing import Final

from gs1 import characters, check_digit
from gs1.errors import BadContent, BadLength, GS1Error

LENGTH: Final = 14
WRITTEN_LENGTHS: Final = (8, 12, 13, 14)


def compact(text: str) -> str:
    """The number without spaces and hyphens; a GTIN-8, GTIN-12 or GTIN-13 is padded with zeros to 14 digits."""
    number = check_digit.compact(text)
    return number.zfill(LENGTH) if len(number) in WRITTEN_LENGTHS else number


def validate(text: str) -> str:
    """The 14 digits. Refuses other lengths, other characters, a wrong check digit and a number of nothing but zeros.

    Every length is read here because people type what stands under the bars; a Digital Link takes 14 digits only.
    """
    written = check_digit.compact(text)
    if len(written) not in WRITTEN_LENGTHS:
        raise BadLength(f"A GTIN has 8, 12, 13 or 14 digits; this has {len(written)}.", 0)
    characters.require(written, "N")
    check_digit.require(written)
    require_not_zero(written)
    return written.zfill(LENGTH)


def require_not_zero(number: str, start: int = 0) -> None:
    """Refuse zeros only: the check digit fits, yet no product has this number. It is what an empty field becomes."""
    if not number.strip("0"):
        raise BadContent("A GTIN of nothing but zeros names no product.", start, "all_zero")


def is_valid(text: str) -> bool:
    """Whether `validate` accepts the text."""
    try:
        validate(text)
    except GS1Error:
        return False
    return True
