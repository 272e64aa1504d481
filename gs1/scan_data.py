"""What a person types or a scanner sends, in whichever of the usual forms it comes."""

from __future__ import annotations

import re
from typing import Final

from gs1 import characters, digital_link, element_string, epc, gtin, sscc
from gs1.errors import EmptyInput, GS1Error, InputTooLong, NotAnIdentifier
from gs1.identifier import GTIN_KEY, LOT, SERIAL, SSCC_KEY, Identifier

TEXT_LENGTH_MAX: Final = digital_link.URI_LENGTH_MAX

ELEMENT_STRING_SYMBOLS: Final = frozenset({"]C1", "]e0", "]d2", "]Q3", "]J1"})
"""GS1-128, GS1 DataBar, GS1 DataMatrix, GS1 QR, GS1 DotCode (ISO/IEC 15424; General Specifications 5.1.2)."""
PLAIN_SYMBOLS: Final = frozenset({"]Q0", "]Q1", "]d0", "]d1", "]C0"})
"""QR, DataMatrix and Code 128 without FNC1: a Digital Link, or whatever else is read without a symbol's prefix."""
NUMBER_LENGTH_BY_SYMBOL: Final = {"]E0": 13, "]E4": 8, "]I0": 14, "]I1": 14}
"""EAN-13 (with UPC-A and UPC-E, sent with 13 digits), EAN-8 and ITF-14."""

_ADDRESS = re.compile(r"https?://", re.IGNORECASE)
_NUMBER_FIRST = re.compile(r"([0-9]{8}|[0-9]{12,14})([/:])(.*)", re.DOTALL)
_BARE_ELEMENTS = re.compile(r"01[0-9]{14}|00[0-9]{18}")


def read(text: str) -> Identifier:
    """The identifier in a Digital Link, an element string, an EPC URN, or a number as people write it.

    Read are: `https://…`, `/01/…`; `(01)…(10)…`; FNC1 strings, with or without a symbology identifier such as `]Q3`;
    `urn:epc:…`; `GTIN/LOT/SERIAL`, `GTIN//SERIAL`, `GTIN/LOT`, `GTIN:LOT` (here the lot is all that follows, so it may
    hold a slash); a GTIN of 8, 12, 13 or 14 digits; an SSCC of 18. White space around the text is ignored. Thirteen
    digits alone are a GTIN, never a GLN. Everything else is refused with its place, which counts from the text given.
    """
    if len(text) > TEXT_LENGTH_MAX:
        reason = f"The text has {len(text)} characters; at most {TEXT_LENGTH_MAX} are read."
        raise InputTooLong(reason, TEXT_LENGTH_MAX)
    # FNC1 counts as white space in Python, and it means something here.
    stripped = text.strip(" \t\r\n\f\v\u00a0\u3000\ufeff")
    if not stripped:
        raise EmptyInput("There is nothing to read.", 0)
    try:
        return _read(stripped)
    except GS1Error as error:
        raise _moved(error, text.index(stripped)) from None


def _read(text: str) -> Identifier:
    if text[0] == "]":
        return _read_symbol(text[:3], text[3:])
    if _ADDRESS.match(text):
        return digital_link.parse(text)
    if text[0] == "/":
        return digital_link.parse_path(text)
    if text[0] == "(":
        return element_string.parse_bracketed(text)
    if text[0] in (element_string.FNC1, element_string.WRITTEN_FNC1):
        return element_string.parse_fnc1(text)
    if text.startswith("urn:epc:"):
        return epc.from_epc(text)
    separated = _NUMBER_FIRST.fullmatch(text)
    if separated is not None:
        return _read_separated(separated)
    if _BARE_ELEMENTS.match(text) or element_string.FNC1 in text:
        return _read_elements(text, 0)
    return _read_number(text)


def _read_symbol(symbol: str, text: str) -> Identifier:
    if symbol in ELEMENT_STRING_SYMBOLS:
        return _read_elements(text.removeprefix(element_string.FNC1), len(symbol))
    length = NUMBER_LENGTH_BY_SYMBOL.get(symbol)
    if length is None and symbol not in PLAIN_SYMBOLS:
        raise NotAnIdentifier(
            f"The symbology identifier {symbol!r} is not one that is read here.", 0, "unknown_symbology"
        )
    if not text:
        raise EmptyInput("Nothing stands after the symbology identifier.", len(symbol))
    if length is not None and (len(text) != length or not text.isdecimal()):
        raise NotAnIdentifier(f"A symbol {symbol} holds {length} digits.", len(symbol))
    try:
        return _read_number(text) if length is not None else _read_plain(text)
    except GS1Error as error:
        raise _moved(error, len(symbol)) from None


def _read_plain(text: str) -> Identifier:
    if text[0] == "]":
        raise NotAnIdentifier("A second symbology identifier cannot be read.", 0)
    return _read(text)


def _read_elements(text: str, offset: int) -> Identifier:
    """An element string whose first FNC1 the scanner did not send."""
    try:
        return element_string.parse_fnc1(element_string.FNC1 + text)
    except GS1Error as error:
        raise _moved(error, offset - 1) from None


def _read_separated(match: re.Match[str]) -> Identifier:
    number, separator, rest = match.groups()
    product = gtin.validate(number)
    pieces = [rest] if separator == ":" else rest.split("/")
    if len(pieces) > 2:
        reason = "There are more than two slashes: write GTIN/LOT/SERIAL, or a Digital Link when a value holds a slash."
        raise NotAnIdentifier(reason, match.start(3) + len(pieces[0]) + 1 + len(pieces[1]))
    qualifiers = []
    at = match.start(3)
    for code, value in zip((LOT, SERIAL), pieces, strict=False):
        if value or len(pieces) == 1 or code == SERIAL:
            qualifiers.append((code, _qualifier(value, at)))
        at += len(value) + 1
    return Identifier(GTIN_KEY, product, tuple(qualifiers))


def _qualifier(value: str, at: int) -> str:
    try:
        return characters.validate(value)
    except GS1Error as error:
        raise _moved(error, at) from None


def _read_number(text: str) -> Identifier:
    number = text.replace(" ", "").replace("-", "")
    if not (number.isascii() and number.isdigit()):
        raise NotAnIdentifier(
            "This is no identifier: write a Digital Link, an element string, GTIN/LOT/SERIAL, a GTIN or an SSCC.", 0
        )
    if len(number) == sscc.LENGTH:
        return Identifier(SSCC_KEY, sscc.validate(text))
    if len(number) in gtin.WRITTEN_LENGTHS:
        return Identifier(GTIN_KEY, gtin.validate(text))
    raise NotAnIdentifier(f"A GTIN has 8, 12, 13 or 14 digits and an SSCC has 18; this has {len(number)}.", 0)


def _moved(error: GS1Error, by: int) -> GS1Error:
    return error if error.position is None or by == 0 else error.at(max(error.position + by, 0))
