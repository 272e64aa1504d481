"""What spreadsheets do to codes: such a cell is unreadable and gets a hint, it is never "not recalled"."""

from __future__ import annotations

import math
import re
from datetime import date, datetime, time, timedelta
from typing import Final

from gs1 import gtin, sscc
from gs1.errors import GS1Error
from portal.remarks import Remark, both, remark

EXACT_NUMBER_MAX: Final = 10**15
"""From here on a spreadsheet keeps 15 digits of a number and makes noughts of the rest."""

_ROUNDED = re.compile(r"[0-9](?:[.,][0-9]+)?E\+?[0-9]+", re.I)
_DATED = re.compile(
    r"[0-9]{1,2}[-. ][A-Za-z]{3}(?:[-. ][0-9]{2,4})?|[A-Za-z]{3}-[0-9]{2}|[0-9]{1,2}/[0-9]{1,2}/[0-9]{2,4}"
    r"|[0-9]{1,2}月[0-9]{1,2}日|[0-9]{4}-[0-9]{2}-[0-9]{2}(?: 00:00:00)?"
)
_DIGITS = re.compile(r"[0-9]+")

ROUNDED: Final = remark(
    "A spreadsheet turned this number into a rounded one. Format the column as text and enter it again."
)
DATED: Final = remark("A spreadsheet made a date of this. Format the column as text and enter it again.")
CALCULATED: Final = remark(
    "This cell holds a value that a spreadsheet calculates. Format the column as text and enter it again."
)


class Damaged(str):
    """A cell of which we know that it is not what was once entered."""

    __slots__ = ("hint",)
    hint: Remark

    def __new__(cls, text: str, hint: Remark) -> Damaged:
        made = super().__new__(cls, text)
        made.hint = hint
        return made


def text_of(value: object) -> str:
    """A cell of a workbook as text; ``Damaged`` where digits, noughts or the whole text are gone for good."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return Damaged(str(value).upper(), CALCULATED)
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, datetime | date | time | timedelta):
        return Damaged(str(value), DATED)
    return Damaged(str(value), CALCULATED)


def damage_of(code: str) -> str:
    """What a spreadsheet did to this code, when its text shows it; else nothing."""
    if isinstance(code, Damaged):
        return code.hint
    return ROUNDED if _ROUNDED.fullmatch(code) else ""


def lost_zeros(code: str) -> str:
    """A hint when the code would be good with the noughts in front that a spreadsheet drops; else nothing."""
    if not _DIGITS.fullmatch(code) or len(code) >= sscc.LENGTH:
        return ""
    for width, validate in ((14, gtin.validate), (sscc.LENGTH, sscc.validate)):
        padded = code.zfill(width)
        if len(code) < width:
            try:
                validate(padded)
            except GS1Error:
                continue
            return remark(
                "Noughts in front may have been lost: is it {code}? Format the column as text and enter it again.",
                code=padded,
            )
    return ""


def perhaps_a_date(lot: str | None) -> str:
    """A hint for a lot that nobody knows and that looks like a date; a lot may really be called so."""
    return both(remark("Is this the lot?"), DATED) if lot and _DATED.fullmatch(lot) else ""


def _number(value: float) -> str:
    if not math.isfinite(value) or value != int(value):
        return Damaged(str(value), CALCULATED)
    return str(int(value)) if abs(value) < EXACT_NUMBER_MAX else Damaged(f"{value:.15g}", ROUNDED)
