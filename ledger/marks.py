"""Persistent dispositions (EPCIS 2.0, 7.3.5.2): set on lots or on some of their items, until they are unset. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from ledger.balance import ToldTooLate


@dataclass(frozen=True, slots=True)
class Mark:
    """A word on a lot (``lo`` None) or on the numbers lo … lo + n - 1 of it; ``unset_by`` None = it holds."""

    lot_id: int
    lo: int | None
    n: int | None
    word: str
    set_by: int
    at: datetime
    unset_by: int | None = None
    unset_at: datetime | None = None


class Marks:
    """The marks of the lots whose marks a batch changes."""

    def __init__(self, marks: Iterable[Mark] = ()) -> None:
        self.marks = list(marks)
        self.is_changed = False

    def set(self, mark: Mark) -> None:
        """Set a word where it does not hold yet. On a lot and on its items it is set, and unset, each by itself."""
        self._check_order(mark.lot_id, mark.word, mark.at)
        left = [mark]
        for held in self.marks:
            is_same = (held.lot_id, held.word, held.lo is None) == (mark.lot_id, mark.word, mark.lo is None)
            if is_same and held.unset_by is None:
                left = [rest for piece in left for rest in _without(piece, held)]
        self.marks += left
        self.is_changed = self.is_changed or bool(left)

    def unset(self, mark: Mark) -> bool:
        """Unset a word by ``mark.set_by`` at ``mark.at``. False when it was set on more than can be unset here.

        A word that was set on the whole lot is unset for the whole lot only: what cannot be said exactly stays set.
        """
        self._check_order(mark.lot_id, mark.word, mark.at)
        complete = True
        for held in [m for m in self.marks if (m.lot_id, m.word) == (mark.lot_id, mark.word) and m.unset_by is None]:
            pieces = _cut(held, mark)
            if pieces is None:
                complete = False
            elif pieces[0] is not None:
                self.marks.remove(held)
                self.marks.append(replace(pieces[0], unset_by=mark.set_by, unset_at=mark.at))
                self.marks.extend(pieces[1])
        # Remembered even where nothing was set: a setting of an earlier time may come later.
        self.marks.append(replace(mark, unset_by=mark.set_by, unset_at=mark.at))
        self.is_changed = True
        return complete

    def belong(self, lot_id: int, lo: int, n: int, nameless: frozenset[int]) -> None:
        """The lot of these items is known now: marks that were set on them while it was not are marks on this lot."""
        if lot_id in nameless:
            return
        by = Mark(lot_id, lo, n, "", 0, datetime.max.replace(tzinfo=UTC))
        for held in [m for m in self.marks if m.lot_id in nameless and m.lo is not None]:
            pieces = _cut(held, by)
            if pieces is not None and pieces[0] is not None:
                self.marks.remove(held)
                self.marks += [replace(pieces[0], lot_id=lot_id), *pieces[1]]
                self.is_changed = True

    def _check_order(self, lot_id: int, word: str, at: datetime) -> None:
        for mark in self.marks:
            if (mark.lot_id, mark.word) == (lot_id, word) and max(mark.at, mark.unset_at or mark.at) > at:
                raise ToldTooLate


def _without(mark: Mark, held: Mark) -> list[Mark]:
    """What of ``mark`` is not covered by ``held``."""
    pieces = _cut(mark, held)
    if pieces is None or pieces[0] is None:
        return [mark]
    return pieces[1]


def _cut(held: Mark, by: Mark) -> tuple[Mark | None, list[Mark]] | None:
    """The part of ``held`` that ``by`` covers (None = nothing) and what is left of it; None = it cannot be cut."""
    if by.lo is None or by.n is None:
        return held, []
    if held.lo is None or held.n is None:
        return None
    lo, end = max(held.lo, by.lo), min(held.lo + held.n, by.lo + by.n)
    if lo >= end:
        return None, []
    left = [(held.lo, lo), (end, held.lo + held.n)]
    rest = [replace(held, lo=start, n=stop - start) for start, stop in left if stop > start]
    return replace(held, lo=lo, n=end - lo), rest
