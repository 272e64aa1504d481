"""The rules of single values and of values side by side, read from the table of application identifiers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final

from gs1 import characters, gtin, linters
from gs1.application_identifiers import TABLE
from gs1.errors import (
    BadLength,
    ExcludedPair,
    GS1Error,
    MissingAssociation,
    RepeatedApplicationIdentifier,
    UnknownApplicationIdentifier,
)
from gs1.syntax import ApplicationIdentifier, Component

Element = tuple[str, str]
"""An application identifier and its value."""

DIGITAL_SIGNATURE: Final = "8030"
SERIALISED_WHEN_SIGNED: Final = {"253": 13, "255": 13, "8003": 14}
"""Keys with an optional serial part, and the length they have without it: beside a signature the part is required."""
HOLDS_A_GTIN: Final = frozenset({"01", "02", "03", "8006", "8026"})


def _expanded(row: ApplicationIdentifier) -> Iterable[ApplicationIdentifier]:
    first, _, last = row.code.partition("-")
    for number in range(int(first), int(last or first) + 1):
        yield replace(row, code=str(number).zfill(len(first)))


BY_CODE: Final[Mapping[str, ApplicationIdentifier]] = {ai.code: ai for row in TABLE for ai in _expanded(row)}
PRIMARY_KEYS: Final = frozenset(code for code, ai in BY_CODE.items() if ai.sequences is not None)
CODE_LENGTHS: Final = (2, 3, 4)


def find(code: str, position: int | None = None) -> ApplicationIdentifier:
    """The application identifier of this number. Refuses an unknown one."""
    found = BY_CODE.get(code)
    if found is None:
        raise UnknownApplicationIdentifier(f"There is no application identifier {code!r}.", position)
    return found


def check_value(ai: ApplicationIdentifier, value: str) -> None:
    """Refuse a value without the format and content of its application identifier. The position is one in `value`."""
    try:
        _check_length(ai, value)
        start = 0
        for component in ai.components:
            if component.optional and start == len(value):
                break
            part = value[start : start + component.longest]
            _check_component(component, part, start)
            start += len(part)
        if ai.code in HOLDS_A_GTIN:
            gtin.require_not_zero(value[: gtin.LENGTH])
    except GS1Error as error:
        raise error.within(f"AI ({ai.code})") from None


def _check_length(ai: ApplicationIdentifier, value: str) -> None:
    length = len(value)
    if ai.length_min <= length <= ai.length_max:
        return
    if not length:
        raise BadLength("The value is empty.", 0, "empty_value")
    wanted = f"{ai.length_min}" if ai.length_min == ai.length_max else f"{ai.length_min} to {ai.length_max}"
    raise BadLength(f"The value has {length} characters, it needs {wanted}.", min(length, ai.length_max))


def _check_component(component: Component, part: str, start: int) -> None:
    if len(part) < component.shortest:
        raise BadLength(f"{len(part)} characters are left where {component.shortest} must stand.", start + len(part))
    characters.require(part, component.kind, start)
    if component.kind == "Z":
        _check_padding(part, start)
    for name in component.linters:
        try:
            linters.BY_NAME[name](part)
        except GS1Error as error:
            raise error.at(start + (error.position or 0)) from None


def _check_padding(part: str, start: int) -> None:
    # Padding is optional (RFC 4648, 3.2); where it stands, it stands at the end and fills a group of four.
    bare = part.rstrip("=")
    if "=" in bare or (bare != part and (len(part) % 4 or len(part) - len(bare) > 2)):
        raise BadLength("The padding of the base64 text is wrong.", start + part.index("="), "bad_padding")


def check_together(elements: Sequence[Element], place: Callable[[int], int | None] = lambda _: None) -> None:
    """Refuse elements that do not go together: repeated, excluded, or without what they need.

    `place` gives the position in the input of the element with that index.
    """
    codes = [code for code, _ in elements]
    if len(set(codes)) != len(codes):
        index = next(i for i, code in enumerate(codes) if code in codes[:i])
        raise RepeatedApplicationIdentifier(f"AI ({codes[index]}) stands twice.", place(index))
    present = frozenset(codes)
    for index, code in enumerate(codes):
        _check_neighbours(BY_CODE[code], present, place(index))
    if DIGITAL_SIGNATURE in present:
        _check_signed(elements, place)


def _check_neighbours(ai: ApplicationIdentifier, present: frozenset[str], position: int | None) -> None:
    for pattern in ai.excludes:
        clash = (_matching(pattern) & present) - {ai.code}
        if clash:
            raise ExcludedPair(f"AI ({ai.code}) may not stand together with AI ({min(clash)}).", position)
    for demand in ai.requires:
        if not any(all(_matching(pattern) & present for pattern in group) for group in demand):
            wanted = ", ".join(" with ".join(f"({pattern})" for pattern in group) for group in demand)
            raise MissingAssociation(f"AI ({ai.code}) needs one of these beside it: {wanted}.", position)


def _check_signed(elements: Sequence[Element], place: Callable[[int], int | None]) -> None:
    for index, (code, value) in enumerate(elements):
        bare_length = SERIALISED_WHEN_SIGNED.get(code)
        if bare_length is not None and len(value) <= bare_length:
            reason = f"AI ({code}) needs its serial part when a signature, AI ({DIGITAL_SIGNATURE}), stands beside it."
            raise MissingAssociation(reason, place(index), "serial_part_missing")


@lru_cache(maxsize=256)
def _matching(pattern: str) -> frozenset[str]:
    """The codes that a pattern such as 31nn stands for."""
    prefix = pattern.rstrip("n")
    return frozenset(code for code in BY_CODE if len(code) == len(pattern) and code.startswith(prefix))
