"""The items of a list, many at once: serials decoded together, runs found together, each answer made once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import numpy as np

from gs1.identifier import GTIN_KEY, Granularity, Identifier
from portal.check_rows import Row
from portal.snapshot import Snapshot
from serials.alphabet import exact_ones

TOGETHER_MIN: Final = 24
"""Fewer serials of one product are decoded one by one: that is as quick."""
ANSWERS_MAX: Final = 20_000
"""Answers kept (about 500 bytes each): one for each lot, and each lot and state of items."""

_Key = tuple[str, str | None, int, int]
_Plain = Mapping[str, Mapping[str, tuple[int, int]]]
"""By GTIN and serial, as ``plain_items`` tells them."""
_LOT_ITSELF: Final = -1


class ItemChecks:
    """Rows of products, lots and items as of one copy. ``judge`` makes the row of one."""

    def __init__(self, snapshot: Snapshot, judge: Callable[[str, Identifier], Row]) -> None:
        self._snapshot = snapshot
        self._judge = judge
        self._answers: dict[_Key, Row] = {}

    def rows(self, asked: Sequence[tuple[str, Identifier]]) -> list[Row]:
        """A row for each (code, identifier), in order: the same as ``judge`` makes."""
        serials_by_gtin: dict[str, list[str]] = {}
        named = [(code, identifier, identifier.serial) for code, identifier in asked]
        for _, identifier, serial in named:
            if serial is not None and identifier.key == GTIN_KEY:
                serials_by_gtin.setdefault(identifier.value, []).append(serial)
        plain = {gtin: plain_items(self._snapshot, gtin, serials) for gtin, serials in serials_by_gtin.items()}
        return [self._row(code, identifier, serial, plain) for code, identifier, serial in named]

    def _row(self, code: str, identifier: Identifier, serial: str | None, plain: _Plain) -> Row:
        key = _key(identifier, serial, plain)
        if key is None:
            return self._judge(code, identifier)
        answer = self._answers.get(key)
        if answer is None:
            if len(self._answers) >= ANSWERS_MAX:
                self._answers.clear()
            answer = self._answers[key] = self._judge(code, identifier)
        return answer.of_code(code, serial)


def plain_items(snapshot: Snapshot, gtin: str, serials: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Lot and state of those items of which these two say all: not voided, and no case names single items of the lot.

    Of the others, and of serials that are not ours, nothing is told: ``Snapshot.find`` knows them.
    """
    texts, spelled = exact_ones(dict.fromkeys(serials))
    found: dict[str, tuple[int, int]] = {}
    if snapshot.keys is None or gtin not in snapshot.products or len(texts) < TOGETHER_MIN:
        return found
    for epoch, cipher in snapshot.keys.ciphers(gtin):
        numbers = cipher.numbers(spelled)
        issued = snapshot.blocks.issued_many(int(gtin), epoch, numbers)
        known, lots, states = snapshot.runs.at_many(numbers)
        voided, _, _ = snapshot.voids.at_many(numbers)
        named = [lot for lot in np.unique(lots).tolist() if snapshot.scopes.names_part_of(lot)]
        plain = issued & known & ~voided & ~np.isin(lots, named)
        for row in np.flatnonzero(plain).tolist():
            found[texts[row]] = (int(lots[row]), int(states[row]))
        texts = [text for text, was_issued in zip(texts, issued.tolist(), strict=True) if not was_issued]
        spelled = spelled[~issued]
    return found


def _key(identifier: Identifier, serial: str | None, plain: _Plain) -> _Key | None:
    """What the answer rests on; None when it is the thing's own."""
    if serial is None:
        is_alike = identifier.granularity in (Granularity.LOT, Granularity.PRODUCT)
        return (identifier.value, identifier.lot, _LOT_ITSELF, _LOT_ITSELF) if is_alike else None
    spell = plain[identifier.value].get(serial) if identifier.value in plain else None
    return None if spell is None else (identifier.value, identifier.lot, *spell)
