"""The modulo-10 check digit of GTIN, SSCC, GLN and the other numeric keys (GS1 General Specifications 7.9.1)."""

from __future__ import annotations

from typing import Final

from gs1 import characters
from gs1.errors import BadCheckDigit, BadLength, GS1Error

DIGITS_MAX: Final = 30


def compute(payload: str) -> str:
    """The check digit that completes `payload`: weights 3, 1, 3 ... from the right, sum to a multiple of 10."""
    if not payload:
        raise BadLength("A check digit needs at least one digit before it.", 0)
    characters.require(payload, "N")
    return str(-(3 * sum(map(int, payload[-1::-2])) + sum(map(int, payload[-2::-2]))) % 10)


def fits(digits: str) -> bool:
    """Whether the last digit is the check digit of those before it. Checks nothing else: `digits` must be digits."""
    return (sum(map(int, digits[-1::-2])) + 3 * sum(map(int, digits[-2::-2]))) % 10 == 0


def compact(text: str) -> str:
    """The number without the spaces and hyphens that people put in for reading."""
    return text.strip().replace(" ", "").replace("-", "")


def validate(text: str) -> str:
    """A number that ends in its check digit. Gives the compact number; refuses a character that is not a digit."""
    number = compact(text)
    if not 2 <= len(number) <= DIGITS_MAX:
        raise BadLength(f"The number has {len(number)} characters; it needs 2 to {DIGITS_MAX}.", 0)
    characters.require(number, "N")
    require(number)
    return number


def validate_key(text: str, *, length: int, name: str) -> str:
    """A key of ``length`` digits, compact. ``name`` begins the refusal of another length: "A GLN"."""
    number = compact(text)
    if len(number) != length:
        raise BadLength(f"{name} has {length} digits; this has {len(number)}.", 0)
    characters.require(number, "N")
    require(number)
    return number


def require(number: str, start: int = 0) -> None:
    """Refuse digits whose last one is not their check digit; `start` is the offset of `number` in the input."""
    if not fits(number):
        right = compute(number[:-1])
        raise BadCheckDigit(f"The check digit is {number[-1]}, it should be {right}.", start + len(number) - 1)


def is_valid(text: str) -> bool:
    """Whether `validate` accepts the text."""
    try:
        validate(text)
    except GS1Error:
        return False
    return True
