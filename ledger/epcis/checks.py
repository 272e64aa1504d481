"""Small checks of one value each, and the list in which they note what is wrong and where."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from ledger.epcis.identifiers import doubt_about, name_of, plain_items
from ledger.epcis.words import bare
from runtime.refusals import Fault

FAULTS_MAX: Final = 100
"""Faults (and warnings) of one document that are told one by one; the rest is counted."""
TEXT_CHARACTERS_MAX: Final = 2048
"""Longest URI that is taken."""
LENGTH_MAX: Final = 100_000
"""Most elements of a list."""
DEPTH_MAX: Final = 32
"""Most levels of lists and objects inside a value of somebody's own, or of a header."""

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[^\s\x00<>\"{}|\\^`]+")
_KEY = re.compile(r"[A-Za-z_][\w.\-]*:[^\s\x00<>\"{}|\\^`]+|@[^\x00]*")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)")
_OFFSET = re.compile(r"[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00)")
_UOM = re.compile(r"[A-Z0-9]{2,3}")
_HEX = re.compile(r"[0-9A-Fa-f]+")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


class Findings:
    """What is wrong with a document and what is odd about it, each with its JSON pointer (RFC 6901)."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.warnings: list[Fault] = []
        self.fault_count = 0

    def fault(self, where: str, what: str) -> None:
        """Note that this must be mended."""
        self.fault_count += 1
        if len(self.faults) < FAULTS_MAX:
            self.faults.append(Fault(_storable(where), _storable(what)))
        elif len(self.faults) == FAULTS_MAX:
            self.faults.append(Fault("", f"and more: only the first {FAULTS_MAX} faults are told"))

    def warning(self, where: str, what: str) -> None:
        """Note what is taken, and should be looked at."""
        if len(self.warnings) < FAULTS_MAX:
            self.warnings.append(Fault(_storable(where), _storable(what)))
        elif len(self.warnings) == FAULTS_MAX:
            self.warnings.append(Fault("", f"and more: only the first {FAULTS_MAX} warnings are told"))


Check = Callable[[Any, str, Findings], None]


def pointer(where: str, key: str | int) -> str:
    """One step deeper (RFC 6901: ~ and / are escaped)."""
    return f"{where}/{str(key).replace('~', '~0').replace('/', '~1')}"


def is_uri(value: Any) -> bool:
    """Whether this is text that can be a URI or a prefixed name."""
    return isinstance(value, str) and len(value) <= TEXT_CHARACTERS_MAX and _URI.fullmatch(value) is not None


def is_extension_key(key: str) -> bool:
    """Whether a key that the standard does not know is prefixed or a full URI, as it must be."""
    return _KEY.fullmatch(key) is not None


@lru_cache(maxsize=1 << 14)
def instant_of(text: str) -> datetime | None:
    """The instant of an RFC 3339 date-time with an offset, in UTC; None for anything else."""
    if _INSTANT.fullmatch(text) is None:
        return None
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def uri(value: Any, where: str, found: Findings) -> None:
    """A URI."""
    if not is_uri(value):
        found.fault(where, f"{shown(value)} is not a URI; write one, such as https://id.gs1.org/01/… or urn:…")


def name(value: Any, where: str, found: Findings) -> None:
    """The URI of a thing, class, place or party; one that looks like a GS1 key and is none gets a warning."""
    if not is_uri(value):
        uri(value, where, found)
    elif (doubt := doubt_about(value)) is not None:
        found.warning(where, f"{value} is kept as a plain name, because it is not a sound GS1 key: {doubt}")


def names(value: Any, where: str, found: Findings) -> None:
    """A list of names. The usual ones, sound and canonical, are passed over at once: a pallet's event has thousands."""
    if isinstance(value, list) and len(value) <= LENGTH_MAX:
        if plain_items(value) is not None:
            return
        for index, element in enumerate(value):
            if not (isinstance(element, str) and _is_canonical(element)):
                name(element, f"{where}/{index}", found)
    else:
        _list_of_names(value, where, found)


def instant(value: Any, where: str, found: Findings) -> None:
    """A date-time with an offset."""
    if not isinstance(value, str) or instant_of(value) is None:
        found.fault(
            where, f"{shown(value)} is not a date-time with an offset; write one like 2026-03-01T09:30:00+01:00"
        )


def offset(value: Any, where: str, found: Findings) -> None:
    """An offset from UTC between -14:00 and +14:00."""
    if not isinstance(value, str) or _OFFSET.fullmatch(value) is None:
        found.fault(where, f"{shown(value)} is not an offset; write one like +01:00 (up to 14:00)")


def number(value: Any, where: str, found: Findings) -> None:
    """A finite number, not text."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        found.fault(where, f"{shown(value)} is not a number; write it without quotation marks")


def amount(value: Any, where: str, found: Findings) -> None:
    """A finite number that is not negative."""
    number(value, where, found)
    if isinstance(value, int | float) and not isinstance(value, bool) and value < 0:
        found.fault(
            where, f"{value} is negative; a quantity is 0 or more, and corrections are told by errorDeclaration"
        )


def text(value: Any, where: str, found: Findings) -> None:
    """Text."""
    if not isinstance(value, str):
        found.fault(where, f"{shown(value)} is not text")
    elif "\x00" in value:
        found.fault(where, _NO_NULL)


def boolean(value: Any, where: str, found: Findings) -> None:
    """true or false."""
    if not isinstance(value, bool):
        found.fault(where, f"{shown(value)} is neither true nor false")


def matching(pattern: re.Pattern[str], what: str) -> Check:
    """Text of one form; ``what`` names it and how to write it."""

    def check(value: Any, where: str, found: Findings) -> None:
        if not isinstance(value, str) or pattern.fullmatch(value) is None:
            found.fault(where, f"{shown(value)} is not {what}")

    return check


uom = matching(_UOM, "a unit of measure; write its two or three capital letters or digits (UN/ECE 20), such as KGM")
hex_binary = matching(_HEX, "hexadecimal; write digits 0 to 9 and letters a to f")


def word(allowed: frozenset[str], what: str, *, open_list: bool = False) -> Check:
    """A word of a closed list, or a full URI for a private word. ``open_list``: other words pass with a warning."""

    def check(value: Any, where: str, found: Findings) -> None:
        if isinstance(value, str) and (bare(value) in allowed or (":" in value and is_uri(value))):
            return
        hint = f"{shown(value)} is not a {what} of the standard; use one of its words, or a URI for a word of your own"
        if open_list and isinstance(value, str) and _WORD.fullmatch(value):
            found.warning(where, hint)
        else:
            found.fault(where, hint)

    return check


def only(allowed: frozenset[str], what: str) -> Check:
    """Exactly one of these words."""

    def check(value: Any, where: str, found: Findings) -> None:
        if not isinstance(value, str) or value not in allowed:
            found.fault(where, f"{shown(value)} is not {what}: {', '.join(sorted(allowed))}")

    return check


def list_of(item: Check, *, length_min: int = 0, length_max: int = LENGTH_MAX) -> Check:
    """A list whose elements each pass ``item``."""

    def check(value: Any, where: str, found: Findings) -> None:
        if not isinstance(value, list):
            found.fault(where, f"{shown(value)} is not a list; put it in [ ]")
            return
        if len(value) < length_min:
            found.fault(where, f"the list must have at least {length_min} element{'s' * (length_min > 1)}")
        if len(value) > length_max:
            found.fault(where, f"the list has {len(value)} elements; at most {length_max} are taken. Split the event")
            return
        for index, element in enumerate(value):
            item(element, f"{where}/{index}", found)

    return check


def object_of(
    fields: Mapping[str, Check], *, required: tuple[str, ...] = (), extensible: bool = True, closed_hint: str = ""
) -> Check:
    """An object with these fields. ``extensible``: keys with a prefix are allowed beside them."""

    def check(value: Any, where: str, found: Findings) -> None:
        if not isinstance(value, dict):
            found.fault(where, f"{shown(value)} is not an object; put it in {{ }}")
            return
        for key in required:
            if key not in value:
                found.fault(where, f"{key} is missing")
        for key, element in value.items():
            field = fields.get(key)
            if field is not None:
                field(element, f"{where}/{key}", found)
            elif extensible and is_extension_key(key):
                own_value(element, pointer(where, key), found)
            else:
                hint = "a key of your own needs a prefix, such as example:" if extensible else closed_hint
                found.fault(pointer(where, key), f"{key} is not known here; {hint or 'leave it out'}")

    return check


def any_value(_value: Any, _where: str, _found: Findings) -> None:
    """Whatever stands there."""


def own_value(value: Any, where: str, found: Findings) -> None:
    """A value of somebody's own: whatever can be kept. No U+0000, and at most ``DEPTH_MAX`` levels."""
    if isinstance(value, str) and "\x00" not in value:
        return
    waiting = [(value, where, 0)]
    while waiting:
        each, at, depth = waiting.pop()
        if isinstance(each, str):
            if "\x00" in each:
                found.fault(at, _NO_NULL)
        elif isinstance(each, dict | list):
            if depth == DEPTH_MAX:
                found.fault(at, f"it is nested deeper than {DEPTH_MAX} levels; write it flatter")
                continue
            steps = each.items() if isinstance(each, dict) else enumerate(each)
            for key, element in steps:
                if isinstance(key, str) and "\x00" in key:
                    found.fault(pointer(at, key), _NO_NULL)
                waiting.append((element, pointer(at, key), depth + 1))


_NO_NULL: Final = "it holds the character U+0000, which no text may hold; leave it out"


_list_of_names: Final = list_of(name)


def _is_canonical(text: str) -> bool:
    """Whether this is a sound GS1 key in its canonical form, so that ``name`` has nothing to say of it."""
    told = name_of(text)
    return told.doubt is None and told.uri == text and len(text) <= TEXT_CHARACTERS_MAX


def _storable(text: str) -> str:
    """Pointers and words name keys as they were told; the record of the capture cannot hold U+0000 either."""
    return text.replace("\x00", "\\u0000")


def shown(value: Any) -> str:
    """How a refusal names a value; what is nested is not written out, because it may be nested without end."""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
