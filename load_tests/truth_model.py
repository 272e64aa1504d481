"""What the public record said at each instant, kept apart from the product, and what an answer may therefore say.

All of it is plain values: a record of states as they were committed, a list of answers, and ``lies``, which names every
answer that no honest worker can have given. Instants are seconds of one clock that nobody sets.
"""

from __future__ import annotations

import bisect
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, NamedTuple

CAUTION_S: Final = 5.0
"""A worker that cannot confirm still tells the recalls that it knows, also one that was taken back: about the time at
which a portal could not confirm, and so long before and after, a warning without a revision is not held against it."""


class Said(Enum):
    """What an answer comes down to."""

    RECALLED = "recalled"
    FIRST = "first"
    """Not recalled, and checked for the first time."""
    CLEAR = "clear"
    """Anything else that is no warning of a recall."""
    CANNOT_CONFIRM = "cannot confirm"
    NOTHING = "nothing"
    """No answer, or one that says nothing by itself."""


CLEARS: Final = (Said.FIRST, Said.CLEAR)


class Code(NamedTuple):
    """An item: the path of its code, its lot, and its number."""

    path: str
    lot: int
    number: int


@dataclass(frozen=True, slots=True)
class Named:
    """What one case names: whole lots, and single items."""

    lots: frozenset[int] = frozenset()
    numbers: frozenset[int] = frozenset()

    def holds(self, code: Code) -> bool:
        """Whether the case names the item."""
        return code.lot in self.lots or code.number in self.numbers


@dataclass(frozen=True, slots=True)
class State:
    """The public record from one commit to the next."""

    revision: int
    committing_at: float
    """Just before COMMIT was sent: nobody can have seen it before."""
    committed_at: float
    """Just after COMMIT had returned: from then on everybody who asks sees it."""
    told_at: float
    """The same instant in seconds since 1970, to compare it with times of confirmation that answers tell."""
    named: tuple[Named, ...] = ()

    def recalls(self, code: Code) -> bool:
        """Whether a published case names the item."""
        return any(each.holds(code) for each in self.named)


class Skew(NamedTuple):
    """An interval in which wall clocks of workers were wrong: the times that they tell are not held against them."""

    began_at: float
    ended_at: float
    portal: str = ""
    """Of which portal; empty: of all."""


class Cut(NamedTuple):
    """An interval in which workers had no way to the database."""

    began_at: float
    ended_at: float
    portal: str = ""
    """Of which portal; empty: of all."""
    is_whole: bool = True
    """Nothing came through. Else some may have, late."""


@dataclass(frozen=True, slots=True)
class Scan:
    """One answer about one item."""

    code: Code
    began_at: float
    ended_at: float
    said: Said
    way: str = ""
    status: int = 200
    revision: int | None = None
    confirmed_at: float | None = None
    """As told in the answer, in seconds since 1970."""
    portal: str = ""
    tells_first: bool = False
    """It says itself that this was the first check; an answer that only repeats an earlier one does not."""


class Lie(NamedTuple):
    """An answer that cannot be, and why."""

    scan: Scan
    why: str


@dataclass(slots=True)
class Oracle:
    """The record as it was written, and when it was out of reach. ``limit_s``: how old a copy may be."""

    limit_s: float
    states: list[State] = field(default_factory=list)
    cuts: list[Cut] = field(default_factory=list)
    skews: list[Skew] = field(default_factory=list)

    def lies(self, scans: Iterable[Scan]) -> list[Lie]:
        """Every answer that is false, in the order given, and every check but one that was called an item's first."""
        scans = list(scans)
        unsure = _unsure(scans)
        found = [Lie(scan, why) for scan in scans if (why := self._why_false(scan, unsure))]
        return found + [Lie(scan, "a second first check of one item") for scan in _second_firsts(scans)]

    def _why_false(self, scan: Scan, unsure: Mapping[str, Sequence[float]]) -> str:
        """Empty for an answer that an honest worker may give. ``unsure``: when a portal could not confirm."""
        if scan.said is Said.NOTHING:
            return ""
        if scan.said is Said.CANNOT_CONFIRM:
            return "" if scan.status == 503 else f"cannot confirm, but with status {scan.status}"
        if scan.said in CLEARS and self._is_cut_off(scan):
            return "clear, although the database was out of reach for longer than the limit"
        if scan.revision is not None and (why := self._why_not_of_its_revision(scan, scan.revision)):
            return why
        if scan.said is Said.RECALLED and (scan.revision is not None or self._may_be_old(scan, unsure)):
            return ""  # it told its revision; or its copy may be older than the limit, and then it warns all the same
        allowed = self._allowed(scan)
        if any(state.recalls(scan.code) is (scan.said is Said.RECALLED) for state in allowed):
            return ""
        return "clear, although published" if scan.said in CLEARS else "recalled, although taken back"

    def staleness_s(self, scans: Iterable[Scan]) -> float:
        """The longest time after the commit of a recall at which a scan that began then was still cleared."""
        longest = 0.0
        for scan in scans:
            if scan.said not in CLEARS:
                continue
            at = self._last(scan.began_at)
            if at is None or not self.states[at].recalls(scan.code):
                continue
            while at > 0 and self.states[at - 1].recalls(scan.code):
                at -= 1
            longest = max(longest, scan.began_at - self.states[at].committed_at)
        return longest

    def _why_not_of_its_revision(self, scan: Scan, revision: int) -> str:
        at = bisect.bisect_right([state.revision for state in self.states], revision) - 1
        if at < 0:
            return ""
        if self.states[at].recalls(scan.code) is not (scan.said is Said.RECALLED):
            return f"not what revision {revision}, which it names, says"
        if scan.confirmed_at is not None and at + 1 < len(self.states) and not self._is_skewed(scan):
            later = self.states[at + 1]
            if later.told_at <= scan.confirmed_at:
                return f"confirmed after revision {later.revision}, but as of revision {revision}"
        return ""

    def _may_be_old(self, scan: Scan, unsure: Mapping[str, Sequence[float]]) -> bool:
        """Whether the portal was cut off, or said elsewhere that it cannot confirm, at about this time."""
        cuts = (cut for cut in self._cuts_of(scan) if cut.began_at <= scan.ended_at)
        if any(scan.began_at <= cut.ended_at + CAUTION_S for cut in cuts):
            return True
        times = unsure.get(scan.portal, ())
        at = bisect.bisect_left(times, scan.began_at - CAUTION_S)
        return at < len(times) and times[at] <= scan.ended_at + CAUTION_S

    def _allowed(self, scan: Scan) -> Sequence[State]:
        """The states that a worker within the limit may have answered from."""
        oldest_at = scan.began_at - self.limit_s
        first = self._last(oldest_at) or 0
        last = bisect.bisect_right([state.committing_at for state in self.states], scan.ended_at)
        return self.states[first:last]

    def _last(self, instant: float) -> int | None:
        """The last state that everybody could see at the instant."""
        at = bisect.bisect_right([state.committed_at for state in self.states], instant) - 1
        return at if at >= 0 else None

    def _is_cut_off(self, scan: Scan) -> bool:
        return any(
            cut.is_whole and cut.began_at + self.limit_s < scan.began_at and scan.ended_at <= cut.ended_at
            for cut in self._cuts_of(scan)
        )

    def _is_skewed(self, scan: Scan) -> bool:
        """Whether the time of confirmation that it tells may come from a clock that was wrong then."""
        return any(
            skew.portal in ("", scan.portal)
            and skew.began_at <= scan.ended_at
            and scan.began_at - self.limit_s <= skew.ended_at
            for skew in self.skews
        )

    def _cuts_of(self, scan: Scan) -> Iterator[Cut]:
        return (cut for cut in self.cuts if cut.portal in ("", scan.portal))


def firsts(scans: Iterable[Scan]) -> Counter[int]:
    """How often an item was told to be checked for the first time, by number."""
    return Counter(scan.code.number for scan in scans if scan.tells_first)


def _second_firsts(scans: Sequence[Scan]) -> Iterator[Scan]:
    seen: set[int] = set()
    for scan in scans:
        if scan.tells_first:
            if scan.code.number in seen:
                yield scan
            seen.add(scan.code.number)


def _unsure(scans: Iterable[Scan]) -> dict[str, list[float]]:
    """When each portal said that it cannot confirm, in order."""
    found: dict[str, list[float]] = {}
    for scan in scans:
        if scan.said is Said.CANNOT_CONFIRM:
            found.setdefault(scan.portal, []).append(scan.began_at)
    return {portal: sorted(times) for portal, times in found.items()}
