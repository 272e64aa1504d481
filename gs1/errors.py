"""The ways a code breaks the grammar.

Each error is a `ValueError` with a stable `code` (for machines), the `position` where the input went wrong (an offset
from 0 in the text the caller gave, or None when the fault has no place) and the `reason` (a sentence for people).
"""

from __future__ import annotations

from typing import ClassVar, Self


class GS1Error(ValueError):
    """The text is not a valid GS1 identifier. `str()` gives the reason as a sentence with the place, counted from 1."""

    default_code: ClassVar[str] = "invalid"

    def __init__(self, reason: str, position: int | None = None, code: str | None = None) -> None:
        super().__init__(reason, position, code)
        self.reason = reason
        self.position = position
        self.code = code or self.default_code

    def __str__(self) -> str:
        if self.position is None:
            return self.reason
        return f"At character {self.position + 1}: {self.reason}"

    def at(self, position: int | None) -> Self:
        """The same error, placed at `position` of a longer text."""
        return type(self)(self.reason, position, self.code)

    def within(self, what: str) -> Self:
        """The same error, with `what` it concerns in front of its reason."""
        return type(self)(f"{what}: {self.reason}", self.position, self.code)


class EmptyInput(GS1Error):
    """There is nothing to read."""

    default_code = "empty"


class InputTooLong(GS1Error):
    """The input is longer than the named limit."""

    default_code = "input_too_long"


class BadCharacter(GS1Error):
    """A character is outside the character set that stands there."""

    default_code = "bad_character"


class BadLength(GS1Error):
    """A value is shorter or longer than its format allows."""

    default_code = "bad_length"


class BadCheckDigit(GS1Error):
    """The check digit, or the pair of check characters, does not fit the value."""

    default_code = "bad_check_digit"


class BadContent(GS1Error):
    """The characters are right, what they say is not: a date, a country, a piece count, a key of nothing but zeros."""

    default_code = "bad_content"


class BadEscape(GS1Error):
    """A percent sign is not followed by two hexadecimal digits, or it hides a null character."""

    default_code = "bad_escape"


class BadAddress(GS1Error):
    """The scheme, the host or a character of the web address is not legal."""

    default_code = "bad_address"


class EmptySegment(BadAddress):
    """Two slashes of a path have nothing between them."""

    default_code = "empty_segment"


class UnknownApplicationIdentifier(GS1Error):
    """No application identifier of this number exists."""

    default_code = "unknown_application_identifier"


class NoPrimaryKey(GS1Error):
    """Nothing in the text is a primary key, so it does not say what it identifies."""

    default_code = "no_primary_key"


class TrailingSlash(NoPrimaryKey):
    """A path ends in a slash, where a value belongs."""

    default_code = "trailing_slash"


class WrongOrder(GS1Error):
    """The qualifiers of a key are in the wrong order, are mixed, or do not belong to it."""

    default_code = "wrong_order"


class NotAnAttribute(GS1Error):
    """This application identifier may not stand in the query of a Digital Link."""

    default_code = "not_an_attribute"


class RepeatedApplicationIdentifier(GS1Error):
    """One application identifier stands twice."""

    default_code = "repeated_application_identifier"


class ExcludedPair(GS1Error):
    """Two application identifiers may not stand together."""

    default_code = "excluded_pair"


class MissingAssociation(GS1Error):
    """An application identifier needs another one beside it."""

    default_code = "missing_association"


class BadElementString(GS1Error):
    """The text is not built as an element string is: brackets, FNC1, or a left-over character."""

    default_code = "bad_element_string"


class BadEpc(GS1Error):
    """The EPC URI is not built as its scheme demands."""

    default_code = "bad_epc"


class NotSupported(GS1Error):
    """The form is known and deliberately not read here."""

    default_code = "not_supported"


class NotAnIdentifier(GS1Error):
    """The text has none of the forms in which identifiers are written."""

    default_code = "not_an_identifier"
