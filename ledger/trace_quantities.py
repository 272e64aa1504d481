"""How much of each reached lot is affected: at least, most likely, at most. Pure.

The goods are followed forward in time over the operations that the closure walked through:

- **Mixed** (the rule unless told otherwise): whatever went in may be in every piece that came out. An output is
  affected as a whole at most when any input was, and surely only when all that went in was.
- **Plug** (an operation whose parameters say ``"flow": "plug"``: a silo or a tank that empties in the order in which it
  was filled): an affected share of an ingredient is at most that share of the output. Whoever tells it vouches for it.
- What is expected is apportioned: of each ingredient its share; several ingredients as if they met by chance.

A part that goes out of a lot (into an operation, to a holder) holds at least what the unaffected rest cannot fill, and
at most all that is affected. Quantities that nobody told widen the bounds to nothing and all; they never narrow them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Final, NamedTuple

from ledger.intervals import Run, clipped, merged, size

PLUG: Final = "plug"
_EPSILON: Final = 1e-6

Key = tuple[int, str]
"""Lot and unit of measure ("" = pieces)."""


class Flow(NamedTuple):
    """A lot, or numbers [lo, lo + n) of it, into an operation or out of it; ``quantity`` is None when not told."""

    operation_id: int
    lot_id: int
    at: datetime
    quantity: float | None
    uom: str
    lo: int | None = None
    n: int | None = None


class Share(NamedTuple):
    """Shares of a quantity, 0 to 1: surely affected, expected, at most affected."""

    lower: float
    expected: float
    upper: float


class Amount(NamedTuple):
    """Affected quantities, in the unit of measure of ``total``, which is all of it."""

    total: float
    lower: float
    expected: float
    upper: float

    def part(self, quantity: float) -> Amount:
        """Of a part of it: at least what the unaffected rest cannot fill, at most all that is affected."""
        untold = max(0.0, quantity - self.total)
        upper = min(quantity, self.upper + (untold if self.upper > 0 else 0.0))
        lower = min(self.lower, max(0.0, quantity - (self.total - self.lower) - untold))
        share = self.expected / self.total if self.total else 0.0
        return Amount(quantity, lower, min(upper, max(lower, quantity * share)), upper)

    def share(self) -> Share:
        """The same as shares; of nothing, none."""
        total = self.total
        return Share(self.lower / total, self.expected / total, self.upper / total) if total else NONE


NOTHING: Final = Amount(0.0, 0.0, 0.0, 0.0)
NONE: Final = Share(0.0, 0.0, 0.0)
ALL: Final = Share(1.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the quantities are worked out from.

    ``starts`` are the lots named by the scope: None = the whole lot, else the numbers. ``reached`` are all lots of the
    closure. ``made`` is all that there ever was of such a lot, by unit of measure. ``plugs`` are the operations that
    keep the order.
    """

    starts: Mapping[int, Sequence[Run] | None]
    reached: frozenset[int]
    inputs: Sequence[Flow]
    outputs: Sequence[Flow]
    made: Mapping[Key, float]
    product_by_lot: Mapping[int, int]
    plugs: frozenset[int] = frozenset()


@dataclass(slots=True)
class _Stock:
    """What operations made of a lot so far: amounts by unit of measure, and shares of outputs without a quantity."""

    told: dict[str, Amount] = field(default_factory=dict)
    untold: list[Share] = field(default_factory=list)

    def add(self, quantity: float | None, uom: str, share: Share) -> None:
        if not quantity:
            self.untold.append(share)
            return
        total, lower, expected, upper = self.told.get(uom, NOTHING)
        self.told[uom] = Amount(
            total + quantity, lower + quantity * share.lower, expected + quantity * share.expected,
            upper + quantity * share.upper,
        )  # fmt: skip

    def shares(self, *, without: str | None = None) -> list[Share]:
        """One share for each telling in another unit of measure than ``without``, and for each without a quantity."""
        return [amount.share() for uom, amount in self.told.items() if uom != without] + self.untold


class Quantities:
    """The affected quantities of lots after all that happened to them."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._stocks: dict[int, _Stock] = {}
        self._runs = {lot_id: merged(runs) for lot_id, runs in facts.starts.items() if runs is not None}
        self._whole = {lot_id for lot_id, runs in facts.starts.items() if runs is None}
        told: dict[Key, float] = {}
        for row in facts.outputs:
            if row.quantity:
                told[row.lot_id, row.uom] = told.get((row.lot_id, row.uom), 0.0) + row.quantity
        self._outside = {key: max(0.0, total - told.get(key, 0.0)) for key, total in facts.made.items()}
        for lot_id, runs in self._runs.items():
            named = float(size(runs))
            self._stocks[lot_id] = _Stock({"": Amount(named, named, named, named)})
            self._outside[lot_id, ""] = max(0.0, self._outside.get((lot_id, ""), 0.0) - named)
        self._follow()

    def of(self, lot_id: int, uom: str, *, only_told: bool = False) -> Amount:
        """The affected quantity of a lot in one unit of measure; nothing of a lot that was not reached.

        ``only_told``: of the part that operations and the scope told, without what is in the lot beside it.
        """
        total = self._facts.made.get((lot_id, uom), 0.0)
        if lot_id in self._whole:
            return Amount(total, total, total, total)
        if lot_id not in self._facts.reached:
            return Amount(total, 0.0, 0.0, 0.0)
        stock = self._stocks.get(lot_id, _Stock())
        found = stock.told.get(uom) if only_told else self._amount(lot_id, uom)
        if found is None or found.upper == 0:  # reached, but only when time is ignored, or by what has no quantity
            return Amount(total, 0.0, 0.0, total)
        return found

    def _follow(self) -> None:
        rows = [(row.at, True, row) for row in self._facts.inputs] + [
            (row.at, False, row) for row in self._facts.outputs
        ]
        rows.sort(key=lambda each: each[0])
        used: dict[int, list[tuple[Flow, Share]]] = {}
        for _at, same in groupby(rows, key=lambda each: each[0]):
            for operation, inputs, outputs, circular in in_order([(is_input, row) for _, is_input, row in same]):
                into = used.setdefault(operation, [])
                into += [(row, self._share_of_input(row)) for row in inputs]
                share = self._share_of_output(operation, into)
                if circular and any(row.lot_id in self._facts.reached for row in inputs):
                    share = share._replace(
                        upper=1.0
                    )  # goods that went round in one instant: in which order is not known
                for row in outputs:
                    if row.lot_id not in self._whole:
                        self._stocks.setdefault(row.lot_id, _Stock()).add(row.quantity, row.uom, share)

    def _share_of_input(self, row: Flow) -> Share:
        if row.lot_id in self._whole:
            return ALL
        stock = self._stocks.get(row.lot_id)
        if stock is None:
            return NONE
        named = self._runs.get(row.lot_id)
        if named is not None and row.lo is not None and row.n is not None:
            surely = size(clipped(named, row.lo, row.n)) / row.n
            only_named = not stock.untold and len(stock.told) == 1 and stock.told[""].total == size(named)
            if surely == 1.0 or only_named:
                return Share(surely, surely, surely)
        amount = self._amount(row.lot_id, row.uom)
        if amount is None:
            return _together(stock.shares())
        if row.quantity:
            return amount.part(row.quantity).share()
        lower = 1.0 if amount.lower >= amount.total else 0.0
        return Share(lower, amount.share().expected, 1.0 if amount.upper > 0 else 0.0)

    def _amount(self, lot_id: int, uom: str) -> Amount | None:
        """All there is of a lot in this unit so far. What no operation told of may have come from any of them."""
        stock = self._stocks.get(lot_id)
        if stock is None:
            return None
        told, outside = stock.told.get(uom, NOTHING), self._outside.get((lot_id, uom), 0.0)
        total = told.total + outside
        if not outside:
            return told if total else None
        others = stock.shares(without=uom)
        if lot_id in self._runs and not others:
            return told._replace(total=total)  # the scope named the numbers that it means, and no others
        everything = _together([*others, *([told.share()] if told.total else [])])
        lower = total if others and everything.lower == 1.0 else told.lower
        return Amount(
            total, lower, told.expected + outside * everything.expected,
            min(total, told.upper + (outside if everything.upper > 0 else 0.0)),
        )  # fmt: skip

    def _share_of_output(self, operation_id: int, into: Sequence[tuple[Flow, Share]]) -> Share:
        if all(share.upper == 0 for _row, share in into):
            return NONE
        if all(share.lower == 1.0 for _row, share in into):
            return ALL
        by_product: dict[int, list[tuple[Flow, Share]]] = {}
        for row, share in into:
            # Lots that the closure did not reach are each an ingredient of their own product only where that is known.
            by_product.setdefault(self._facts.product_by_lot.get(row.lot_id, 0), []).append((row, share))
        parts = [_apportioned(rows) for rows in by_product.values()]
        missed = 1.0
        for part in parts:
            missed *= 1.0 - part.expected
        lower, upper = max(part.lower for part in parts), min(1.0, sum(part.upper for part in parts))
        if operation_id not in self._facts.plugs:
            lower, upper = 0.0, 1.0  # mixed, and some of what went in was sound
        return Share(lower, min(upper, max(lower, 1.0 - missed)), upper)


def rounded(amount: Amount, uom: str) -> dict[str, float | int | str]:
    """For the answer: pieces are whole, the lower bound rounded down and the upper one up."""
    if uom == "":
        lower, upper = int(amount.lower + _EPSILON), -int(-(amount.upper - _EPSILON) // 1)
        return {
            "uom": uom,
            "of": round(amount.total),
            "lower": lower,
            "expected": round(amount.expected),
            "upper": upper,
        }
    names = ("of", "lower", "expected", "upper")
    return {"uom": uom, **{name: _plain(round(value, 6)) for name, value in zip(names, amount, strict=True)}}


def whole_pieces(amount: Amount) -> list[int]:
    """At least, most likely and at most so many pieces."""
    shown = rounded(amount, "")
    return [int(shown[name]) for name in ("lower", "expected", "upper")]


def _plain(value: float) -> int | float:
    return int(value) if value.is_integer() else value


def _apportioned(rows: Sequence[tuple[Flow, Share]]) -> Share:
    """Of one ingredient: weighted by quantity where all of it is told in one unit of measure."""
    total, lower, expected, upper = NOTHING
    for row, share in rows:
        if not row.quantity or row.uom != rows[0][0].uom:
            return _together([each for _row, each in rows])
        total += row.quantity
        lower += row.quantity * share.lower
        expected += row.quantity * share.expected
        upper += row.quantity * share.upper
    return Share(lower / total, expected / total, upper / total)


def _together(shares: Sequence[Share]) -> Share:
    """Of things whose sizes nobody told: surely all when each is, at most all when any is."""
    if not shares:
        return NONE
    lower = 1.0 if all(share.lower == 1.0 for share in shares) else 0.0
    upper = 1.0 if any(share.upper > 0 for share in shares) else 0.0
    return Share(lower, sum(share.expected for share in shares) / len(shares), upper)


_Step = tuple[int, list[Flow], list[Flow], bool]


def in_order(rows: Iterable[tuple[bool, Flow]]) -> list[_Step]:
    """The operations of one instant: who made a lot comes before who used it. True = they go round in a circle."""
    steps: dict[int, tuple[list[Flow], list[Flow]]] = {}
    for is_input, row in rows:
        steps.setdefault(row.operation_id, ([], []))[0 if is_input else 1].append(row)
    if len(steps) == 1:
        [(only, (inputs, outputs))] = steps.items()
        circular = bool({row.lot_id for row in inputs} & {row.lot_id for row in outputs})
        return [(only, inputs, outputs, circular)]
    makers: dict[int, set[int]] = {}
    for operation_id, (_inputs, outputs) in steps.items():
        for row in outputs:
            makers.setdefault(row.lot_id, set()).add(operation_id)
    waits = {
        operation_id: set().union(*(makers.get(row.lot_id, set()) for row in inputs))
        for operation_id, (inputs, _outputs) in steps.items()
    }
    ordered: list[_Step] = []
    while waits:
        ready = [operation_id for operation_id, on in waits.items() if not on]
        circular = not ready
        for operation_id in ready or sorted(waits):
            del waits[operation_id]
            ordered.append((operation_id, *steps[operation_id], circular))
        for on in waits.values():
            on.difference_update(ready)
    return ordered
