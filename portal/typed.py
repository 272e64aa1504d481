"""What people type and paste where a code is asked for: read as it is meant, while the grammar stays strict.

Chinese keyboards write digits and signs in full width (０９５２／Ｍ１), commas as ， or 、 and full stops as 。
No identifier of GS1 can hold one of these, so they are read as the signs that the keys stand for. What comes from a
scanner is left alone: there such a character is a fault of the code.
"""

from __future__ import annotations

import re
from typing import Final

from gs1 import scan_data
from gs1.errors import GS1Error

SPACES: Final = " \t\r\n\u00a0\u3000\ufeff"

_BREAKS = re.compile(r"[\r\n\t]+")
_BETWEEN: Final = (re.compile(r"[，、；。]+"), re.compile(r"[，；。]+"))
_NUMBERS: Final = re.compile(r"(?:^|[，、；。])[ ]*[0-9]+[ ]*、[ ]*[0-9]+[ ]*(?:$|[，、；。.,;])")
"""Two numbers with 、 between may be a GTIN and its lot, for the key / writes it: never taken for two products."""
_SCANNED = re.compile(r"https?://|\]|[^\x1d]*\x1d", re.IGNORECASE)
_UNSEEN: Final = dict.fromkeys((*range(0x200B, 0x2010), *range(0x202A, 0x202F), 0x2060, 0xFEFF))
"""Marks without a width that messengers put around what is copied from them."""
_MEANT: Final = (
    {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)}
    # The key / writes 、 and the key . writes 。 on a Chinese keyboard.
    | {ord("\u3000"): " ", ord("、"): "/", ord("。"): ".", ord("｡"): ".", ord("—"): "-", ord("－"): "-"}
    | _UNSEEN
)
_MEANT_NUMBERS: Final = {sign: meant for sign, meant in _MEANT.items() if sign not in map(ord, "，、；。")}


def as_meant(text: str) -> str:
    """The text with the signs that its keys stand for; as it is when it is plain, or when a scanner sent it."""
    if text.isascii() or _SCANNED.match(text):
        return text
    return text.translate(_MEANT).strip(SPACES)


def codes_of_text(text: str) -> list[str]:
    """One code per line; tabs separate too, as handheld scanners and spreadsheets paste them.

    Chinese commas and full stops separate where what they separate are codes; a lot may be meant to hold a comma.
    """
    lines = [line for part in _BREAKS.split(text) if (line := part.strip(SPACES))]
    return [code for line in lines for code in ([line] if line.isascii() else _codes_of_line(line))]


def _codes_of_line(line: str) -> list[str]:
    for between in _BETWEEN[1:] if _NUMBERS.search(line.translate(_MEANT_NUMBERS)) else _BETWEEN:
        pieces = [piece for part in between.split(line) if (piece := part.strip(SPACES))]
        if pieces and all(_is_code(piece) for piece in pieces):
            return pieces
    return [line]


def _is_code(text: str) -> bool:
    try:
        scan_data.read(as_meant(text))
    except GS1Error:
        return False
    return True
