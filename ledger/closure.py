"""Values of the closure of lots: where it starts, what it reached, and the steps between."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal

from ledger.intervals import Run, merged
from runtime.refusals import TooMany

LOTS_MAX: Final = 1_000_000
"""Most lots that one closure may reach."""

Basis = Literal["scope", "proved", "possible"]


class ClosureTooLarge(TooMany):
    """The trace reaches more than {lots_max} lots, so no answer is given: a part of it would be a wrong one.

    Start from a lot or from items instead of a product, or raise the limit.
    """


@dataclass(frozen=True, slots=True)
class Start:
    """Where a closure begins: a whole lot, or the numbers [lo, lo + n) of it."""

    lot_id: int
    lo: int | None = None
    n: int | None = None

    def __post_init__(self) -> None:
        if (self.lo is None) != (self.n is None) or (self.n is not None and self.n < 1):
            raise ValueError(f"a start names both lo and a positive n, or neither: {self.lo}, {self.n}")


@dataclass(frozen=True, slots=True)
class Reached:
    """One lot that the closure reached, and how surely.

    ``whole`` or ``runs`` say which part of it ``basis`` speaks of; ``possibly_whole`` and ``possible_runs`` say what is
    possible beyond that part. ``at`` is the earliest instant from which the lot may be affected (downstream) or the
    latest until which its goods went in (upstream); None = named by the scope. ``via_operation_id`` and ``from_lot_id``
    are one step that shows it: the operation, and the neighbouring lot nearer to the start.
    """

    lot_id: int
    whole: bool
    runs: tuple[Run, ...]
    at: datetime | None
    basis: Basis
    via_operation_id: int | None = None
    from_lot_id: int | None = None
    possibly_whole: bool = False
    possible_runs: tuple[Run, ...] = ()

    def widest(self) -> Reached:
        """The same lot with all that is possible of it."""
        if self.whole or not (self.possibly_whole or self.possible_runs):
            return self
        whole = self.possibly_whole
        runs = () if whole else merged((*self.runs, *self.possible_runs))
        return replace(self, whole=whole, runs=runs, possibly_whole=False, possible_runs=())


@dataclass(frozen=True, slots=True)
class Closure:
    """The reached lots by lot_id, and the operations walked through (in time)."""

    lots: tuple[Reached, ...]
    operation_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a path: ``operation_id`` leads from ``from_lot_id`` to ``lot_id``."""

    from_lot_id: int
    operation_id: int
    lot_id: int
