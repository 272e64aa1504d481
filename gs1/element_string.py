r"""Element strings: identifiers as scanners and people write them (GS1 General Specifications 7.8, 7.9 and 4.14).

Bracketed, for people: `(01)09520123456788(10)AB\(C(21)12345`; a bracket that belongs to a value is written `\(`.
With FNC1, from scanners: values of predefined length run into the next application identifier, others end at FNC1,
which is the character 0x1D. A text that begins with `^` uses `^` for FNC1 instead, as GS1's tools write it for people.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from gs1 import elements
from gs1.errors import (
    BadElementString,
    EmptyInput,
    GS1Error,
    InputTooLong,
    NoPrimaryKey,
    RepeatedApplicationIdentifier,
    UnknownApplicationIdentifier,
)
from gs1.identifier import Identifier

TEXT_LENGTH_MAX: Final = 8191
"""Characters of a whole element string: the limit of GS1's own syntax engine."""

FNC1: Final = "\x1d"
WRITTEN_FNC1: Final = "^"

# Keys that tell of a relation or a shipment yield to the key of the thing itself on the same label.
_RELATIONS: Final = frozenset({"253", "255", "401", "402", "414", "415", "417"})
_BRACKETED = re.compile(r"\(([^()]*)\)((?:\\\(|[^(])*)")


class _Part(NamedTuple):
    """One element and where it stands; `shifts` are the offsets in `value` before which a backslash was left out."""

    code: str
    value: str
    code_at: int
    value_at: int
    shifts: tuple[int, ...] = ()


def parse_bracketed(text: str) -> Identifier:
    r"""The identifier of an element string with brackets, in any order of its application identifiers.

    Refuses an empty value, a bracket that is not closed, an unknown application identifier, wrong content, and elements
    that do not go together. An element that stands twice with one value counts once.
    """
    _check_length(text)
    parts = []
    at = 0
    while at < len(text):
        match = _BRACKETED.match(text, at)
        if match is None:
            raise BadElementString("An application identifier in brackets must stand here, such as (01).", at)
        written = match[2]
        shifts = tuple(found.start() - n for n, found in enumerate(re.finditer(r"\\\(", written)))
        parts.append(_Part(match[1], written.replace("\\(", "("), match.start(1), match.start(2), shifts))
        at = match.end()
    return _identifier(parts)


def parse_fnc1(text: str) -> Identifier:
    """The identifier of an element string that begins with FNC1, as 0x1D or as `^`; a superfluous FNC1 is tolerated.

    Refuses what `parse_bracketed` refuses, and characters that are left over after a value of predefined length.
    """
    _check_length(text)
    mark = text[0]
    if mark not in (FNC1, WRITTEN_FNC1):
        raise BadElementString("FNC1 must stand first: the character 0x1D, or ^ in its place.", 0)
    parts: list[_Part] = []
    at = 1
    while at < len(text):
        if text[at] == mark and parts:
            at += 1
            continue
        part = _next_part(text, at, mark)
        parts.append(part)
        at = part.value_at + len(part.value)
    if not parts:
        raise EmptyInput("Nothing stands after the first FNC1.", 1)
    return _identifier(parts)


def format_bracketed(identifier: Identifier) -> str:
    r"""The element string with brackets; a bracket inside a value is written `\(`. Key, qualifiers, attributes."""
    return "".join(f"({code})" + value.replace("(", "\\(") for code, value in identifier.elements)


def format_fnc1(identifier: Identifier, fnc1: str = FNC1) -> str:
    """The element string with FNC1 first and after each value of no predefined length, but not at the end."""
    text = fnc1
    for code, value in identifier.elements:
        text += code + value
        if not elements.find(code).predefined_length:
            text += fnc1
    return text.removesuffix(fnc1)


def _check_length(text: str) -> None:
    if not text:
        raise EmptyInput("There is nothing to read.", 0)
    if len(text) > TEXT_LENGTH_MAX:
        reason = f"The text has {len(text)} characters; at most {TEXT_LENGTH_MAX} are read."
        raise InputTooLong(reason, TEXT_LENGTH_MAX)


def _next_part(text: str, at: int, mark: str) -> _Part:
    """The element at `at`. No application identifier is the beginning of another one, so the first that fits is it."""
    for length in elements.CODE_LENGTHS:
        ai = elements.BY_CODE.get(text[at : at + length])
        if ai is not None:
            break
    else:
        raise UnknownApplicationIdentifier(f"No application identifier begins with {text[at : at + 4]!r}.", at)
    start = at + len(ai.code)
    end = text.find(mark, start)
    end = len(text) if end < 0 else end
    if ai.predefined_length:
        end = min(end, start + ai.length_max)
    return _Part(ai.code, text[start:end], at, start)


def _identifier(parts: list[_Part]) -> Identifier:
    kept: dict[str, _Part] = {}
    for part in parts:
        first = kept.setdefault(part.code, part)
        if first.value != part.value:
            reason = f"AI ({part.code}) stands twice with different values."
            raise RepeatedApplicationIdentifier(reason, part.code_at)
    for part in kept.values():
        ai = elements.find(part.code, part.code_at)
        try:
            elements.check_value(ai, part.value)
        except GS1Error as error:
            raise error.at(_place(part, error.position or 0)) from None
    ordered = list(kept.values())
    elements.check_together([(part.code, part.value) for part in ordered], lambda index: ordered[index].code_at)
    return _arranged({part.code: part.value for part in ordered})


def _place(part: _Part, offset: int) -> int:
    return part.value_at + offset + sum(1 for shift in part.shifts if shift < offset)


def _arranged(values: dict[str, str]) -> Identifier:
    """Key, qualifiers and attributes: the first key of a thing, else the first key; the qualifiers that fit it best."""
    keys = [code for code in values if code in elements.PRIMARY_KEYS]
    if not keys:
        raise NoPrimaryKey("No element is a primary key, such as (01) or (00), so nothing is identified.", 0)
    key = next((code for code in keys if code not in _RELATIONS), keys[0])
    sequence = max(elements.BY_CODE[key].sequences or ((),), key=lambda choice: _weight(choice, values))
    qualifiers = tuple((code, values[code]) for code in sequence if code in values)
    taken = {key, *(code for code, _ in qualifiers)}
    attributes = tuple(pair for pair in values.items() if pair[0] not in taken)
    return Identifier(key, values[key], qualifiers, attributes)


def _weight(sequence: tuple[str, ...], values: dict[str, str]) -> tuple[int, int]:
    """How well a sequence of qualifiers fits: first by those that could not be attributes of a Digital Link instead."""
    present = [code for code in sequence if code in values]
    return sum(not elements.BY_CODE[code].attribute for code in present), len(present)
