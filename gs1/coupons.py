"""The content of North American coupons: AI 8110 and its successor AI 8112.

Every field of variable length follows a digit that tells its length.
"""

from __future__ import annotations

from typing import Final

from gs1 import dates
from gs1.characters import require
from gs1.errors import BadContent, BadLength

OFFER_CODE_LENGTH: Final = 6
FAMILY_CODE_LENGTH: Final = 3
DATE_LENGTH: Final = 6
_LONG: Final = 6
"""Added to the length digit of prefixes and serials."""


class _Reader:
    """Reads fields from left to right and refuses with the place where the text ends or goes wrong."""

    def __init__(self, text: str, name: str) -> None:
        require(text, "N")
        self.text, self.name, self.at = text, name, 0

    def take(self, count: int, what: str) -> str:
        """The next `count` digits."""
        field = self.text[self.at : self.at + count]
        if len(field) < count:
            raise BadLength(f"The coupon ends within its {what}.", len(self.text))
        self.at += count
        return field

    def choose(self, allowed: str, what: str) -> str:
        """The next digit, which must be one of `allowed`."""
        digit = self.take(1, what)
        if digit not in allowed:
            raise BadContent(f"{digit} is no {what} of a coupon.", self.at - 1, self.name)
        return digit

    def counted(self, allowed: str, added: int, what: str) -> str:
        """A length digit from `allowed`, then as many digits plus `added`."""
        return self.take(int(self.choose(allowed, f"length of the {what}")) + added, what)

    def begins(self, digit: str) -> bool:
        """Whether the optional field `digit` comes next; its digit is then read."""
        if self.at < len(self.text) and self.text[self.at] == digit:
            self.at += 1
            return True
        return False

    def end(self) -> None:
        """Refuse what is left over."""
        if self.at < len(self.text):
            raise BadContent("Digits are left over at the end of the coupon.", self.at, self.name)


def couponcode(text: str) -> None:
    """AI 8110: prefix, offer code, save value, one to three purchase requirements, dates, serial, retailer, flags."""
    reader = _Reader(text, "couponcode")
    reader.counted("0123456", _LONG, "company prefix")
    reader.take(OFFER_CODE_LENGTH, "offer code")
    reader.counted("12345", 0, "save value")
    _purchase(reader, "first")
    if reader.begins("1"):
        reader.choose("0123", "rule for additional purchases")
        _purchase(reader, "second")
        _purchase_prefix(reader, "second")
    if reader.begins("2"):
        _purchase(reader, "third")
        _purchase_prefix(reader, "third")
    expires = _coupon_date(reader, "expiry date") if reader.begins("3") else ""
    starts = _coupon_date(reader, "start date") if reader.begins("4") else ""
    if expires and starts > expires:
        raise BadContent("The coupon expires before it starts.", reader.at - DATE_LENGTH, reader.name)
    if reader.begins("5"):
        reader.counted("0123456789", _LONG, "serial number")
    if reader.begins("6"):
        reader.counted("1234567", _LONG, "retailer")
    if reader.begins("9"):
        reader.choose("01256", "save value code")
        reader.choose("012", "item that the save value applies to")
        reader.take(1, "store coupon flag")
        reader.choose("01", "don't-multiply flag")
    reader.end()


def couponposoffer(text: str) -> None:
    """AI 8112: format, funder, offer code, serial number."""
    reader = _Reader(text, "couponposoffer")
    reader.choose("01", "format code")
    reader.counted("0123456", _LONG, "funder")
    reader.take(OFFER_CODE_LENGTH, "offer code")
    reader.counted("0123456789", _LONG, "serial number")
    reader.end()


def _purchase(reader: _Reader, which: str) -> None:
    reader.counted("12345", 0, f"{which} purchase requirement")
    reader.choose("012349", f"code of the {which} purchase requirement")
    reader.take(FAMILY_CODE_LENGTH, f"family code of the {which} purchase")


def _purchase_prefix(reader: _Reader, which: str) -> None:
    # Length 9 says that the prefix is that of the first purchase and is not repeated.
    if not reader.begins("9"):
        reader.counted("0123456", _LONG, f"company prefix of the {which} purchase")


def _coupon_date(reader: _Reader, what: str) -> str:
    start = reader.at
    field = reader.take(DATE_LENGTH, what)
    try:
        dates.require(field, reader.name)
    except BadContent as error:
        raise error.at(start + (error.position or 0)) from None
    return field
