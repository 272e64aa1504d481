"""Dates as GS1 writes them: YYMMDD or YYYYMMDD, digits only."""

from __future__ import annotations

import calendar

from gs1.errors import BadContent


def require(text: str, name: str, *, day_may_be_zero: bool = False) -> None:
    """Refuse six or eight digits that are no date. Day 00, where it is allowed, means the last day of the month.

    `name` becomes the code of the error. Two digits of a year do not tell the century (General Specifications 7.12):
    the leap years are those of 2000 to 2099, which are those of 1901 to 1999 as well.
    """
    year, month, day = int(text[:-4]), int(text[-4:-2]), int(text[-2:])
    if not 1 <= month <= 12:
        raise BadContent(f"{text} has no month {text[-4:-2]}.", len(text) - 4, name)
    if day == 0 and day_may_be_zero:
        return
    if not 1 <= day <= calendar.monthrange(_full_year(year, len(text)), month)[1]:
        raise BadContent(f"{text} has no day {text[-2:]}.", len(text) - 2, name)


def _full_year(year: int, digits: int) -> int:
    return max(year, 1) if digits == 8 else 2000 + year
