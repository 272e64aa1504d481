"""One cell to one value, and what to do when a spreadsheet program has damaged it. Pure.

A repair is made only where a check digit proves it, and is told (``notes``); everything else is refused with the reason
and with what to write instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from typing import Any, Final

from gs1 import characters, check_digit, linters
from gs1.errors import GS1Error
from ledger.import_words_zh import WORDS
from ledger.spreadsheets import Cell

EXACT_DIGITS: Final = 15
"""A spreadsheet keeps this many digits of a number; the others it has replaced by zeros."""
TEXT_LENGTH_MAX: Final = 500

_EXPONENT = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?[eE][+-]?[0-9]+")
_MONTHS: Final = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_MADE_A_DATE = re.compile(rf"(?:[0-3]?[0-9]-)?(?:{_MONTHS})(?:-[0-9]{{2,4}})?", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_ERRORS: Final = frozenset({"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!"})
_DATE = re.compile(r"([0-9]{4})([-/.]?)([0-9]{1,2})\2([0-9]{1,2})")
_YES: Final = frozenset({"yes", "y", "true", "1", "是"})
_NO: Final = frozenset({"no", "n", "false", "0", "否"})


class CellWrong(ValueError):
    """A cell cannot be used: ``reason`` says why, ``hint`` what to write instead."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason, hint)
        self.reason = reason
        self.hint = hint


@dataclass(slots=True)
class Notes:
    """What was repaired in a cell; the caller says where it stood."""

    told: list[str] = field(default_factory=list)


Reader = Callable[[Cell, Notes], Any]
"""Reads a cell that is not empty. Raises ``CellWrong``."""


def text(cell: Cell, notes: Notes) -> str:
    """A name or a sentence: taken as it stands, also when it looks like a formula."""
    shown = _plain(cell)
    if len(shown) > TEXT_LENGTH_MAX:
        raise CellWrong(f"has {len(shown)} characters", f"shorten it to {TEXT_LENGTH_MAX}")
    return shown


def lot_code(cell: Cell, notes: Notes) -> str:
    """A lot code (AI 10). Refuses one that was made a date or a power of ten."""
    if isinstance(cell, date | time | timedelta):
        raise CellWrong("is a date: the spreadsheet program has changed the code", _AS_TEXT)
    shown = _plain(cell)
    quoted, shown = shown.startswith("'"), shown.removeprefix("'")
    if not quoted and _MADE_A_DATE.fullmatch(shown):
        raise CellWrong(
            "looks like a date that a spreadsheet program made of the code", f"{_AS_TEXT}, or put ' before it"
        )
    if not quoted and _EXPONENT.fullmatch(shown):
        raise CellWrong("is written as a power of ten", f"{_AS_TEXT}, or put ' before it")
    if not isinstance(cell, str):
        notes.told.append("is a number, not text: zeros at its beginning would be lost")
    try:
        return characters.validate(shown)
    except GS1Error as error:
        raise CellWrong(
            str(error), "a lot code has 1 to 20 letters, digits and signs of GS1's character set 82"
        ) from error


def gtin(cell: Cell, notes: Notes) -> str:
    """The 14 digits of a product."""
    return _key(cell, notes, "GTIN", (8, 12, 13, 14), 14)


def gln(cell: Cell, notes: Notes) -> str:
    """The 13 digits of a party or a place."""
    return _key(cell, notes, "GLN", (13,), 13)


def gln_or_uri(cell: Cell, notes: Notes) -> str:
    """A party or a place by its GLN or its URI."""
    shown = _plain(cell)
    return shown if ":" in shown else gln(cell, notes)


def sscc(cell: Cell, notes: Notes) -> str:
    """The 18 digits of a logistic unit."""
    return _key(cell, notes, "SSCC", (18,), 18)


def day(cell: Cell, notes: Notes) -> date:
    """A date: 2026-03-31, 2026/3/31, 20260331, or a date cell."""
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    match = _DATE.fullmatch(_plain(cell))
    try:
        return date(int(match[1]), int(match[3]), int(match[4])) if match else _no_date()
    except ValueError as error:
        raise CellWrong("is no day of the calendar", _ISO_DATE) from error


def instant(cell: Cell, notes: Notes) -> datetime:
    """A date and time: 2026-03-31T14:00+08:00. Without an offset it is taken as UTC, and that is told."""
    if isinstance(cell, datetime):
        read = cell
    elif isinstance(cell, date):
        read = datetime.combine(cell, time())
    else:
        shown = _plain(cell)
        try:
            read = datetime.fromisoformat(shown)
        except ValueError:
            if not _DATE.fullmatch(shown):
                raise CellWrong("is no date and time", "write it as 2026-03-31T14:00+08:00") from None
            read = datetime.combine(day(cell, notes), time())
    if read.tzinfo is None:
        notes.told.append("has no offset from UTC and was taken as UTC")
        return read.replace(tzinfo=UTC)
    return read.astimezone(UTC)


def number(cell: Cell, notes: Notes) -> Decimal:
    """A number that is zero or more, with a point for decimals and nothing else."""
    if isinstance(cell, bool) or not isinstance(cell, str | int | float):
        raise CellWrong("is no number", _A_NUMBER)
    shown = _plain(cell)
    try:
        read = Decimal(shown)
    except InvalidOperation as error:
        raise CellWrong("is no number", _A_NUMBER) from error
    if not read.is_finite() or read < 0:
        raise CellWrong("is not zero or more", _A_NUMBER)
    return read


def count(cell: Cell, notes: Notes) -> int:
    """A whole number above zero."""
    read = number(cell, notes)
    if read != read.to_integral_value() or read < 1 or read > 10**9:
        raise CellWrong("is no whole number above zero", "write a number such as 120")
    return int(read)


def yes_or_no(cell: Cell, notes: Notes) -> bool:
    """yes or no, true or false, 1 or 0, 是 or 否."""
    shown = _plain(cell).lower()
    if shown not in _YES | _NO:
        raise CellWrong("is neither yes nor no", "write yes or no")
    return shown in _YES


def one_of(allowed: Sequence[str]) -> Reader:
    """One of these words."""

    def read(cell: Cell, notes: Notes) -> str:
        shown = _plain(cell).lower().replace(" ", "_").replace("-", "_")
        shown = WORDS.get(shown, shown)
        if shown not in allowed:
            near = get_close_matches(shown, allowed, n=1)
            meant = f"did you mean {near[0]}? " if near else ""
            raise CellWrong("is not one of the words of this column", f"{meant}write one of: {', '.join(allowed)}")
        return shown

    return read


def country(cell: Cell, notes: Notes) -> str:
    """A country by its two letters."""
    shown = _plain(cell).upper()
    try:
        linters.iso3166alpha2(shown)
    except GS1Error as error:
        raise CellWrong("is no country code", "write the two letters of ISO 3166, such as CN") from error
    return shown


def email(cell: Cell, notes: Notes) -> str:
    """An e-mail address, looked at only as far as to see that it is none."""
    shown = _plain(cell)
    name, at, host = shown.rpartition("@")
    if not (name and at and "." in host) or " " in shown:
        raise CellWrong("is no e-mail address", "write it as name@example.com")
    return shown


def uom(cell: Cell, notes: Notes) -> str:
    """A unit of measure by its code of UN/ECE 20."""
    shown = _plain(cell).upper()
    if not re.fullmatch("[A-Z0-9]{2,3}", shown):
        raise CellWrong("is no unit of measure", "write its code of UN/ECE 20, such as KGM; leave it empty for pieces")
    return shown


_AS_TEXT: Final = "format the column as text and type the code again"
_ISO_DATE: Final = "write it as 2026-03-31"
_A_NUMBER: Final = "write the number alone, with a point for decimals and without thousands; the unit goes into uom"


def _no_date() -> date:
    raise CellWrong("is no date that can be read in one way only", _ISO_DATE)


def _plain(cell: Cell) -> str:
    """The cell as text; refuses control characters and the errors of a spreadsheet."""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    shown = cell.isoformat() if isinstance(cell, date | time) else str(cell).strip()
    if shown in _ERRORS:
        raise CellWrong("is an error of a formula", "mend the formula or type the value")
    if _CONTROL.search(shown):
        raise CellWrong("has a control character", "type the value again")
    return shown


def _key(cell: Cell, notes: Notes, name: str, lengths: tuple[int, ...], padded: int) -> str:
    """A GS1 key: separators taken out, lost zeros put back where the check digit proves them."""
    if isinstance(cell, bool | date | time | timedelta):
        raise CellWrong(f"is no {name}", _AS_TEXT)
    if not isinstance(cell, str) and abs(cell) >= 10**EXACT_DIGITS:
        raise CellWrong(f"is a number of more than {EXACT_DIGITS} digits: its last digits are lost", _AS_TEXT)
    shown = _plain(cell)
    if _EXPONENT.fullmatch(shown):
        raise CellWrong("is written as a power of ten: its last digits are lost", _AS_TEXT)
    digits = check_digit.compact(shown.removeprefix("'"))
    if not (digits.isascii() and digits.isdigit()):
        raise CellWrong(f"is no {name}", f"a {name} has digits only")
    if not digits.strip("0") or len(digits) > padded:
        raise CellWrong(f"is no {name}", f"a {name} has {padded} digits")
    if not check_digit.fits(digits):
        right = check_digit.compute(digits[:-1]) if len(digits) > 1 else "?"
        raise CellWrong(f"has the check digit {digits[-1]}, it should be {right}", "compare it with the source")
    if len(digits) not in lengths:
        if len(digits) < padded // 2:
            raise CellWrong(f"has {len(digits)} digits", f"a {name} has {padded} digits")
        notes.told.append(
            f"had {len(digits)} digits; the zeros lost at its beginning were put back (the check digit fits)"
        )
    return digits.zfill(padded)
