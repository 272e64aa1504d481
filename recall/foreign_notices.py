"""Reading other people's recall texts: lots, ranges of lots, dates and quantities, each with how sure it is. Pure.

The texts are free: "lot number from 00112 through 10412", "All Lots", "25 untis". What is read is a proposal. A find
below the threshold, and a text in which something that looks like a code was left unread, needs a person.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Final

from recall.rules_refusals import NoticeUnreadable, TextTooLong

CHARACTERS_MAX: Final = 200_000
FINDS_MAX: Final = 5_000
SOURCE_CHARACTERS: Final = 60


class FindKind(StrEnum):
    """What was read. ``all_lots``: it names none but all; ``unread``: looks like a code and fits no rule."""

    LOT = "lot"
    LOT_RANGE = "lot_range"
    ALL_LOTS = "all_lots"
    DATE_RANGE = "date_range"
    DATE = "date"
    QUANTITY = "quantity"
    GTIN = "gtin"
    UNREAD = "unread"


@dataclass(frozen=True, slots=True)
class Find:
    """One thing read out of a text; ``last`` is empty but for ranges (of a quantity: its unit)."""

    kind: FindKind
    first: str
    last: str
    confidence: float
    source: str
    needs_person: bool = False


_CODE = r"[A-Z0-9][A-Z0-9./\-]{1,19}"
_DATE = r"(?:\d{1,2}/\d{1,2}/\d{4}|\d{4}-\d{2}-\d{2}|\d{4}年\d{1,2}月\d{1,2}日)"
_LOT_WORD = r"(?:lots?(?:\s*(?:numbers?|nos?\.?|codes?|#))?|batch(?:es)?(?:\s*(?:numbers?|codes?))?|批号|批次|生产批号)"
_TO = r"\s*(?:through|thru|to|until|–|—|至|到|~)\s*"
_UNIT = r"(?:units?|untis?|cases?|cartons?|gallons?|vials?|pounds?|lbs?|bottles?|packs?|件|箱|瓶|盒|千克|公斤|吨)"
_RULES: Final[tuple[tuple[FindKind, re.Pattern[str], float], ...]] = (
    (FindKind.ALL_LOTS, re.compile(r"\ball (?:lots|batches|codes)\b|所有批[次号]|全部批[次号]", re.I), 0.6),
    (FindKind.LOT_RANGE, re.compile(rf"{_LOT_WORD}\s*[:：]?\s*(?:from\s+|从)?({_CODE}){_TO}({_CODE})", re.I), 0.85),
    (FindKind.DATE_RANGE, re.compile(rf"(?:from\s+|从)?({_DATE}){_TO}({_DATE})", re.I), 0.9),
    (
        FindKind.GTIN,
        re.compile(r"(?:UPC|EAN|GTIN|barcode|条码|条形码)\s*[:：#]?\s*([0-9][0-9 \-]{6,16}[0-9])", re.I),
        0.9,
    ),
    (FindKind.LOT, re.compile(rf"{_LOT_WORD}\s*[:：]?\s*({_CODE}(?:\s*(?:,|;|、|，|and|和)\s*{_CODE})*)", re.I), 0.9),
    (FindKind.QUANTITY, re.compile(rf"(\d[\d,]*(?:\.\d+)?)\s*(?:\([^)]{{1,30}}\)\s*)?({_UNIT})", re.I), 0.8),
    (FindKind.DATE, re.compile(rf"({_DATE})"), 0.8),
)
_LEFT: Final = re.compile(r"\b(?=[A-Z0-9\-]*\d)(?=[A-Z0-9\-]*[A-Z])[A-Z0-9\-]{5,20}\b|\b\d{6,20}\b")
_PLAIN: Final = re.compile(r"(?:units?|cases?|cartons?|gallons?|vials?|pounds?|lbs?|bottles?|packs?|\W+)", re.I)


def text_of_file(path: Path) -> str:
    """The text of a file in UTF-8. Raises ``NoticeUnreadable``."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise NoticeUnreadable(path=path, problem=error.strerror) from error
    except UnicodeDecodeError as error:
        raise NoticeUnreadable(path=path, problem="it is no text in UTF-8") from error


def read(text: str, *, threshold: float = 0.8) -> tuple[Find, ...]:
    """What a text says, in its order. Nothing is dropped: what looks like a code and fits no rule is ``unread``.

    Raises ``TextTooLong`` for a text, or for finds, beyond the limits.
    """
    if len(text) > CHARACTERS_MAX:
        raise TextTooLong(characters=len(text), characters_max=CHARACTERS_MAX)
    found = sorted(_finds(text), key=lambda pair: pair[0])
    if len(found) > FINDS_MAX:
        raise TextTooLong(characters=len(text), characters_max=FINDS_MAX)
    return tuple(replace(find, needs_person=find.confidence < threshold) for _, find in found)


def _finds(text: str) -> Iterator[tuple[int, Find]]:
    taken = [False] * len(text)
    for kind, pattern, confidence in _RULES:
        for match in pattern.finditer(text):
            if any(taken[match.start() : match.end()]):
                continue
            finds = list(_of(kind, match, confidence))
            if not finds:
                continue
            taken[match.start() : match.end()] = [True] * (match.end() - match.start())
            yield from ((match.start(), find) for find in finds)
    for match in _LEFT.finditer(text):
        if not any(taken[match.start() : match.end()]):
            yield match.start(), Find(FindKind.UNREAD, match.group(), "", 0.2, _around(match))


def _of(kind: FindKind, match: re.Match[str], confidence: float) -> Iterator[Find]:
    source = _around(match)
    if kind is FindKind.LOT:
        for code in re.split(r"\s*(?:,|;|、|，|\band\b|和)\s*", match.group(1)):
            if any(character.isdigit() for character in code):  # "lot of people" is none
                yield Find(kind, code.rstrip(".-/"), "", confidence if len(code) > 2 else 0.5, source)
    elif kind is FindKind.LOT_RANGE:
        first, last = match.group(1), match.group(2).rstrip(".-/")
        if any(map(str.isdigit, first)):
            yield Find(kind, first, last, _range_confidence(first, last, confidence), source)
    elif kind is FindKind.ALL_LOTS:
        yield Find(kind, "", "", confidence, source)
    elif kind is FindKind.QUANTITY:
        unit = match.group(2)
        misspelt = unit.isascii() and _PLAIN.fullmatch(unit) is None
        yield Find(kind, match.group(1).replace(",", ""), unit, 0.5 if misspelt else confidence, source)
    elif kind is FindKind.GTIN:
        digits = re.sub(r"\D", "", match.group(1))
        yield Find(kind, digits, "", confidence if len(digits) in (8, 12, 13, 14) else 0.4, source)
    else:
        last = match.group(2) if kind is FindKind.DATE_RANGE else ""
        yield Find(kind, match.group(1), last, confidence, source)


def _range_confidence(first: str, last: str, confidence: float) -> float:
    """Sure when both ends are numbers of one width, in order; else nobody knows what lies between."""
    if first.isdigit() and last.isdigit():
        if int(last) < int(first):
            return 0.2
        return confidence if len(first) == len(last) else 0.6
    return 0.4


def _around(match: re.Match[str]) -> str:
    return re.sub(r"\s+", " ", match.group())[:SOURCE_CHARACTERS]
