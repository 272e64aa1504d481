"""SSCC: the number of a logistic unit, 18 digits (GS1 General Specifications 3.3.1)."""

from __future__ import annotations

from typing import Final

from gs1 import check_digit
from gs1.errors import GS1Error

LENGTH: Final = 18


def compact(text: str) -> str:
    """The number without spaces and hyphens."""
    return check_digit.compact(text)


def validate(text: str) -> str:
    """The 18 digits. Refuses another length, another character and a wrong check digit."""
    return check_digit.validate_key(text, length=LENGTH, name="An SSCC")


def is_valid(text: str) -> bool:
    """Whether `validate` accepts the text."""
    try:
        validate(text)
    except GS1Error:
        return False
    return True
