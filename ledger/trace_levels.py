"""The affected quantities of large closures: what ``ledger.trace_quantities`` says, many operations at a time. Pure.

Operations that do not wait for one another stand on one level and are worked out together, as columns of numbers. An
operation stands above those that made what it used, and no lower than those that used what it adds to, so that each
sees a lot as it was at its instant. The rules, and the reasons for them, stand in ``ledger.trace_quantities``; up to
the last digits the two are the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, groupby
from typing import Any, Final, NamedTuple

import numpy as np

from ledger.intervals import clipped, merged, size
from ledger.trace_quantities import Amount, Facts, Flow, Key, Quantities, in_order

Numbers = np.ndarray[Any, np.dtype[np.float64]]
Places = np.ndarray[Any, np.dtype[np.int64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]

FLOWS_MIN: Final = 2_000
STEPS_PER_LEVEL_MIN: Final = 20
"""With fewer flows, or fewer operations on a level, the columns cost more than they save."""


class Amounts(NamedTuple):
    """Affected quantities as columns; shares of a quantity have the total 1."""

    total: Numbers
    lower: Numbers
    expected: Numbers
    upper: Numbers

    def part(self, quantity: Numbers) -> Amounts:
        """As ``Amount.part``, line by line."""
        untold = np.maximum(0.0, quantity - self.total)
        upper = np.minimum(quantity, self.upper + np.where(self.upper > 0, untold, 0.0))
        lower = np.minimum(self.lower, np.maximum(0.0, quantity - (self.total - self.lower) - untold))
        share = np.divide(self.expected, self.total, out=np.zeros_like(self.total), where=self.total != 0)
        return Amounts(quantity, lower, np.minimum(upper, np.maximum(lower, quantity * share)), upper)


class _Step(NamedTuple):
    """What one operation told for one instant: its flows by their place in the columns."""

    operation_id: int
    inputs: list[int]
    outputs: list[int]
    circular: bool


class Levels:
    """The operations of a closure, and on which level each stands."""

    def __init__(self, facts: Facts) -> None:
        self.levels: list[list[tuple[_Step, list[int]]]] = []
        whole = {lot_id for lot_id, runs in facts.starts.items() if runs is None}
        written: dict[int, int] = {}
        read: dict[int, int] = {}
        last: dict[int, int] = {}
        into: dict[int, list[int]] = {}
        for step in _steps(facts):
            sources = [lot_id for at in step.inputs if (lot_id := facts.inputs[at].lot_id) not in whole]
            made = [lot_id for at in step.outputs if (lot_id := facts.outputs[at].lot_id) not in whole]
            level = last.get(step.operation_id, -1) + 1
            for lot_id in sources:
                level = max(level, written.get(lot_id, -1) + 1)
            for lot_id in made:
                level = max(level, read.get(lot_id, 0))
            last[step.operation_id] = level
            for lot_id in sources:
                read[lot_id] = max(level, read.get(lot_id, 0))
            for lot_id in made:
                written[lot_id] = max(level, written.get(lot_id, -1))
            # What went in before counts as well; a list of its own, because more may go in later.
            before = into.get(step.operation_id)
            into[step.operation_id] = [*before, *step.inputs] if before else step.inputs
            self.levels.extend([] for _ in range(level + 1 - len(self.levels)))
            self.levels[level].append((step, into[step.operation_id]))

    def are_worth_it(self) -> bool:
        """Whether there are enough operations on a level."""
        return sum(map(len, self.levels)) >= STEPS_PER_LEVEL_MIN * len(self.levels) > 0


class QuantitiesAtOnce:
    """The affected quantities of lots after all that happened to them; the same answers as ``Quantities``."""

    def __init__(self, facts: Facts, levels: Levels) -> None:
        self._facts = facts
        lots = {*facts.reached, *facts.starts, *(row.lot_id for row in (*facts.inputs, *facts.outputs))}
        lots.update(lot_id for lot_id, _uom in facts.made)
        self._lot = {lot_id: at for at, lot_id in enumerate(lots)}
        keys: dict[Key, None] = dict.fromkeys((lot_id, "") for lot_id in lots)
        keys.update(dict.fromkeys((row.lot_id, row.uom) for row in chain(facts.inputs, facts.outputs)))
        keys.update(dict.fromkeys(facts.made))
        self._key = {key: at for at, key in enumerate(keys)}
        self._lot_of_key = np.fromiter((self._lot[lot_id] for lot_id, _uom in self._key), np.int64, len(self._key))
        self._told = Amounts(*(np.zeros(len(self._key)) for _ in range(4)))
        self._shares = np.zeros((4, len(self._lot)))  # of each lot's tellings: how many, surely all, any, expected
        self._of_key = np.zeros((4, len(self._key)))  # the part of it that is told in the unit of this key
        self._untold = np.zeros(len(self._lot))
        self._inputs, self._outputs = self._columns(facts.inputs), self._columns(facts.outputs)
        self._start()
        for level in levels.levels:
            self._work(level)

    def of(self, lot_id: int, uom: str, *, only_told: bool = False) -> Amount:
        """As ``Quantities.of``."""
        total = self._facts.made.get((lot_id, uom), 0.0)
        if (key := self._key.get((lot_id, uom))) is None:
            return Amount(total, 0.0, 0.0, total if lot_id in self._facts.reached else 0.0)
        found = self.amounts(np.array([key]), np.array([only_told]))
        return Amount(*(float(column[0]) for column in found))

    def keys(self, keys: Sequence[Key]) -> Places:
        """Where ``amounts`` finds these lots and units of measure, all of them lots of the closure."""
        return np.fromiter((self._key[key] for key in keys), np.int64, len(keys))

    def amounts(self, keys: Places, only_told: Flags) -> Amounts:
        """``of`` for many lots and units of measure."""
        lots, told = self._lot_of_key[keys], Amounts(*(column[keys] for column in self._told))
        found, unknown = self._amounts(keys)
        found = _where(only_told, told, found)
        total, nothing = self._made[keys], np.zeros(len(keys))
        unknown = np.where(only_told, told.total == 0, unknown) | (found.upper == 0)
        found = _where(unknown, Amounts(total, nothing, nothing, total), found)
        found = _where(~self._reached[lots], Amounts(total, nothing, nothing, nothing), found)
        return _where(self._whole[lots], Amounts(total, total, total, total), found)

    def _columns(self, rows: Sequence[Flow]) -> tuple[Places, Places, Numbers]:
        """Lot, key and quantity of each flow; 0 = not told."""
        lots = np.fromiter((self._lot[row.lot_id] for row in rows), np.int64, len(rows))
        keys = np.fromiter((self._key[row.lot_id, row.uom] for row in rows), np.int64, len(rows))
        return lots, keys, np.fromiter((row.quantity or 0.0 for row in rows), np.float64, len(rows))

    def _start(self) -> None:
        facts, count = self._facts, len(self._lot)
        self._whole, self._reached, self._named = (np.zeros(count, np.bool_) for _ in range(3))
        self._named_size = np.full(count, -1.0)
        for lot_id in facts.reached:
            self._reached[self._lot[lot_id]] = True
        self._made = np.fromiter((facts.made.get(key, 0.0) for key in self._key), np.float64, len(self._key))
        _lots, keys, quantities = self._outputs
        counted = np.bincount(keys, quantities, len(self._key)) if len(keys) else 0.0
        self._outside = np.maximum(0.0, self._made - counted)
        self._surely = np.full(len(facts.inputs), np.nan)
        self._pieces = np.fromiter((self._key[lot_id, ""] for lot_id in self._lot), np.int64, count)
        runs_by_lot = {lot_id: merged(runs) for lot_id, runs in facts.starts.items() if runs is not None}
        for lot_id, runs in facts.starts.items():
            at = self._lot[lot_id]
            self._whole[at] = runs is None
            if runs is not None:
                named, key = float(size(runs_by_lot[lot_id])), self._pieces[at]
                self._named[at], self._named_size[at] = True, named
                self._outside[key] = max(0.0, self._outside[key] - named)
                self._add(np.array([key]), Amounts(*(np.array([named]) for _ in range(4))))
        for at, row in enumerate(facts.inputs if runs_by_lot else ()):
            if row.lot_id in runs_by_lot and row.lo is not None and row.n is not None:
                self._surely[at] = size(clipped(runs_by_lot[row.lot_id], row.lo, row.n)) / row.n
        products = np.fromiter((facts.product_by_lot.get(row.lot_id, 0) for row in facts.inputs), np.int64)
        self._products, self._uoms = products, _numbered([row.uom for row in facts.inputs])
        self._share_of_inputs = np.zeros((3, len(facts.inputs)))

    def _work(self, level: Sequence[tuple[_Step, list[int]]]) -> None:
        """One level: first all that is read, then all that is written."""
        read = np.fromiter(chain.from_iterable(step.inputs for step, _into in level), np.int64)
        self._share_of_inputs[:, read] = self._read(read)
        making = [(step, into) for step, into in level if step.outputs]
        if not making:
            return
        shares = self._share_of_outputs(making)
        outputs = np.fromiter(chain.from_iterable(step.outputs for step, _into in making), np.int64)
        steps = np.repeat(np.arange(len(making)), [len(step.outputs) for step, _into in making])
        lots, keys, quantities = (column[outputs] for column in self._outputs)
        kept = ~self._whole[lots]
        told, untold = kept & (quantities != 0), kept & (quantities == 0)
        amounts = quantities[told] * shares[:, steps[told]]
        self._add(keys[told], Amounts(quantities[told], *amounts))
        lower, expected, upper = shares[:, steps[untold]]
        ones = np.ones(len(lower))
        for column, more in zip(self._shares, (ones, lower == 1.0, upper > 0, expected), strict=True):
            np.add.at(column, lots[untold], more)
        np.add.at(self._untold, lots[untold], 1.0)

    def _add(self, keys: Places, amounts: Amounts) -> None:
        """More of these lots; what their tellings say together follows."""
        for column, more in zip(self._told, amounts, strict=True):
            np.add.at(column, keys, more)
        changed = np.unique(keys)
        total, lower, expected, upper = (column[changed] for column in self._told)
        now = np.stack([np.ones(len(changed)), lower / total == 1.0, upper > 0, expected / total])
        for column, more in zip(self._shares, now - self._of_key[:, changed], strict=True):
            np.add.at(column, self._lot_of_key[changed], more)
        self._of_key[:, changed] = now

    def _amounts(self, keys: Places) -> tuple[Amounts, Flags]:
        """All there is so far of each, and of which nothing is known."""
        lots, outside = self._lot_of_key[keys], self._outside[keys]
        told = Amounts(*(column[keys] for column in self._told))
        count, sure, some, expected = self._shares[:, lots]
        total, others = told.total + outside, count > self._of_key[0, keys]
        mean = expected / np.maximum(count, 1.0)
        mixed = Amounts(
            total,
            np.where(others & (sure == count), total, told.lower),
            told.expected + outside * mean,
            np.minimum(total, told.upper + np.where(some > 0, outside, 0.0)),
        )
        found = _where((outside == 0) | (self._named[lots] & ~others), told._replace(total=total), mixed)
        return found, (count == 0) | (total == 0)

    def _read(self, read: Places) -> Numbers:
        """Shares (lower, expected, upper) of these inputs, as their lots are now."""
        of_lots, of_keys, of_quantities = self._inputs
        lots, keys, quantities = of_lots[read], of_keys[read], of_quantities[read]
        found, unknown = self._amounts(keys)
        count, sure, some, expected = self._shares[:, lots]
        total = np.where(found.total == 0, 1.0, found.total)
        part, taken = found.part(quantities), np.where(quantities == 0, 1.0, quantities)
        by_part = np.stack([part.lower, part.expected, part.upper]) / taken
        by_lot = np.stack([found.lower >= found.total, found.expected / total, found.upper > 0])
        together = np.stack([sure == count, expected / np.maximum(count, 1.0), some > 0])
        shares = np.where(unknown, together, np.where(quantities != 0, by_part, by_lot))
        surely = self._surely[read]
        told = count - self._untold[lots]
        only_named = (
            (self._untold[lots] == 0) & (told == 1) & (self._told.total[self._pieces[lots]] == self._named_size[lots])
        )
        shares = np.where((surely == 1.0) | (~np.isnan(surely) & only_named), surely, shares)
        shares = np.where(count == 0, 0.0, shares)
        return np.where(self._whole[lots], 1.0, shares)

    def _share_of_outputs(self, making: Sequence[tuple[_Step, list[int]]]) -> Numbers:
        """Shares (lower, expected, upper) of what these operations made."""
        count = len(making)
        into = np.fromiter(chain.from_iterable(flows for _step, flows in making), np.int64)
        steps = np.repeat(np.arange(count), [len(flows) for _step, flows in making])
        lower, expected, upper = self._share_of_inputs[:, into]
        none = np.bincount(steps, upper > 0, count) == 0
        every = np.bincount(steps, lower != 1.0, count) == 0
        ingredients, steps = self._apportioned(into, steps)
        lower, expected, upper = np.zeros(count), np.ones(count), np.bincount(steps, ingredients[2], count)
        np.maximum.at(lower, steps, ingredients[0])
        np.multiply.at(expected, steps, 1.0 - ingredients[1])
        upper = np.minimum(1.0, upper)
        plug = np.fromiter((step.operation_id in self._facts.plugs for step, _into in making), np.bool_, count)
        lower, upper = np.where(plug, lower, 0.0), np.where(plug, upper, 1.0)
        shares = np.stack([lower, np.minimum(upper, np.maximum(lower, 1.0 - expected)), upper])
        shares = np.where(none, 0.0, np.where(every, 1.0, shares))
        # Goods that went round in one instant: in which order is not known.
        round_about = [
            step.circular and any(self._facts.inputs[at].lot_id in self._facts.reached for at in step.inputs)
            for step, _into in making
        ]
        shares[2, np.array(round_about)] = 1.0
        return shares

    def _apportioned(self, into: Places, steps: Places) -> tuple[Numbers, Places]:
        """For each operation and ingredient the shares of it, and which operation it is of."""
        order = np.lexsort((self._products[into], steps))
        into, steps = into[order], steps[order]
        if not len(into):
            return np.zeros((3, 0)), steps
        products, uoms, quantities = self._products[into], self._uoms[into], self._inputs[2][into]
        first = np.flatnonzero(np.r_[True, (products[1:] != products[:-1]) | (steps[1:] != steps[:-1])])
        sizes = np.diff(np.r_[first, len(into)])
        alike = (uoms == np.repeat(uoms[first], sizes)) & (quantities != 0)
        weighted = np.repeat(np.logical_and.reduceat(alike, first), sizes)
        weights = np.where(weighted, quantities, 1.0)
        lower, expected, upper = self._share_of_inputs[:, into]
        lower = np.where(weighted, lower, lower == 1.0)
        upper = np.where(weighted, upper, upper > 0)
        total = np.add.reduceat(weights, first)
        shares = np.add.reduceat(np.stack([lower, expected, upper]) * weights, first, axis=1) / total
        by_count = ~weighted[first]
        shares[0, by_count] = shares[0, by_count] == 1.0
        shares[2, by_count] = shares[2, by_count] > 0
        return shares, steps[first]


Worked = Quantities | QuantitiesAtOnce


def worked_out(facts: Facts) -> Worked:
    """The quantities, one operation after the other or many at a time, whichever is sooner done."""
    if len(facts.inputs) + len(facts.outputs) >= FLOWS_MIN:
        levels = Levels(facts)
        if levels.are_worth_it():
            return QuantitiesAtOnce(facts, levels)
    return Quantities(facts)


def amounts_of(quantities: Worked, keys: Sequence[Key], only_told: Sequence[bool]) -> Amounts:
    """``quantities.of`` for many lots and units of measure, as columns."""
    if isinstance(quantities, QuantitiesAtOnce):
        return quantities.amounts(quantities.keys(keys), np.array(only_told, np.bool_))
    found = [quantities.of(*key, only_told=told) for key, told in zip(keys, only_told, strict=True)]
    return Amounts(*np.array(found, np.float64).reshape(-1, 4).T)


def _where(chosen: Flags, one: Amounts, other: Amounts) -> Amounts:
    return Amounts(*(np.where(chosen, a, b) for a, b in zip(one, other, strict=True)))


def _numbered(words: Sequence[str]) -> Places:
    numbers = {word: at for at, word in enumerate(dict.fromkeys(words))}
    return np.fromiter((numbers[word] for word in words), np.int64, len(words))


def _steps(facts: Facts) -> Iterator[_Step]:
    rows = [(row.at, True, at, row) for at, row in enumerate(facts.inputs)]
    rows += [(row.at, False, at, row) for at, row in enumerate(facts.outputs)]
    rows.sort(key=lambda each: each[0])
    for _at, same in groupby(rows, key=lambda each: each[0]):
        told = list(same)
        if len({row.operation_id for _, _, _, row in told}) == 1:
            yield _alone(told)
            continue
        flows: dict[int, tuple[list[int], list[int]]] = {}
        for _, is_input, at, row in told:
            flows.setdefault(row.operation_id, ([], []))[0 if is_input else 1].append(at)
        for operation_id, _inputs, _outputs, circular in in_order((is_input, row) for _, is_input, _at, row in told):
            yield _Step(operation_id, *flows[operation_id], circular)


def _alone(told: Sequence[tuple[Any, bool, int, Flow]]) -> _Step:
    """The step of an instant with one operation, as most are: it waits for nothing but itself."""
    inputs = {at: row.lot_id for _, is_input, at, row in told if is_input}
    outputs = {at: row.lot_id for _, is_input, at, row in told if not is_input}
    circular = not set(inputs.values()).isdisjoint(outputs.values())
    return _Step(told[0][3].operation_id, list(inputs), list(outputs), circular)
