"""The affected quantities of large closures: what ``ledger.trace_quantities`` says, many operations at a time. Pure.

Operations that do not wait for one another are worked out together, as columns of numbers, level by level
(``ledger.levels``). The rules, and the reasons for them, stand in ``ledger.trace_quantities``; up to the last digits
the two are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from ledger.flow_columns import Flags, Numbers, Places, Table
from ledger.intervals import clipped, merged, size
from ledger.levels import Level, levels_of
from ledger.trace_quantities import Amount, Quantities

FLOWS_MIN: Final = 2_000
"""With fewer flows the columns cost more than they save."""


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


class QuantitiesAtOnce:
    """The affected quantities of lots after all that happened to them; the same answers as ``Quantities``."""

    def __init__(self, table: Table, levels: Sequence[Level]) -> None:
        self._table = table
        flows, (made_lots, made_uoms, made) = (table.inputs, table.outputs), table.made
        starts = np.fromiter(table.starts, np.int64, len(table.starts))
        told_lots = [table.inputs.lots, table.outputs.lots, made_lots]
        self._lots, lot = _numbered([table.reached, starts, *told_lots])
        words = dict.fromkeys(["", *made_uoms, *table.inputs.uoms, *table.outputs.uoms])
        self._words = {word: number for number, word in enumerate(words)}
        self._uoms = [self._uom_numbers(side.uoms) for side in flows]
        uoms = [*self._uoms, self._uom_numbers(made_uoms)]
        pieces = np.arange(len(self._lots)) * len(self._words)
        codes = [at * len(self._words) + uom for at, uom in zip(lot[2:], uoms, strict=True)]
        self._codes, key = _numbered([pieces, *codes])
        self._lot_of_key = self._codes // len(self._words)
        self._pieces = key[0]
        self._told = Amounts(*(np.zeros(len(self._codes)) for _ in range(4)))
        self._shares = np.zeros((4, len(self._lots)))  # of each lot's tellings: how many, surely all, any, expected
        self._of_key = np.zeros((4, len(self._codes)))  # the part of it that is told in the unit of this key
        self._untold = np.zeros(len(self._lots))
        self._inputs = (lot[2], key[1], table.inputs.quantities)
        self._outputs = (lot[3], key[2], table.outputs.quantities)
        self._made: Numbers = np.zeros(len(self._codes))
        self._made[key[3]] = made
        self._plugs = np.unique(table.plugs)
        self._start(lot[0], lot[1])
        for level in levels:
            self._work(level)

    def of(self, lot_id: int, uom: str, *, only_told: bool = False) -> Amount:
        """As ``Quantities.of``."""
        at = int(np.searchsorted(self._lots, lot_id))
        if at == len(self._lots) or self._lots[at] != lot_id:
            return Amount(0.0, 0.0, 0.0, 0.0)
        code = at * len(self._words) + self._words.get(uom, 0)
        key = int(np.searchsorted(self._codes, code))
        if uom not in self._words or key == len(self._codes) or self._codes[key] != code:
            return Amount(0.0, 0.0, 0.0, 0.0)
        found = self.amounts(np.array([key]), np.array([only_told]))
        return Amount(*(float(column[0]) for column in found))

    def keys(self, lots: Places, uoms: Sequence[str]) -> Places:
        """Where ``amounts`` finds these lots and units of measure, all of which are among the facts."""
        codes = np.searchsorted(self._lots, lots) * len(self._words) + self._uom_numbers(uoms)
        return np.searchsorted(self._codes, codes)

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

    def _uom_numbers(self, uoms: Sequence[str]) -> Places:
        return np.fromiter(map(self._words.__getitem__, uoms), np.int64, len(uoms))

    def _start(self, reached: Places, started: Places) -> None:
        table, count = self._table, len(self._lots)
        self._whole, self._reached, self._named = (np.zeros(count, np.bool_) for _ in range(3))
        self._named_size = np.full(count, -1.0)
        self._reached[reached] = True
        _lots, keys, quantities = self._outputs
        counted = np.bincount(keys, quantities, len(self._codes)) if len(keys) else 0.0
        self._outside = np.maximum(0.0, self._made - counted)
        runs_by_lot = {lot_id: merged(runs) for lot_id, runs in table.starts.items() if runs is not None}
        for at, (lot_id, runs) in zip(started.tolist(), table.starts.items(), strict=True):
            self._whole[at] = runs is None
            if runs is not None:
                named, key = float(size(runs_by_lot[lot_id])), self._pieces[at]
                self._named[at], self._named_size[at] = True, named
                self._outside[key] = max(0.0, self._outside[key] - named)
                self._add(np.array([key]), Amounts(*(np.array([named]) for _ in range(4))))
        self._surely = np.full(len(table.inputs), np.nan)
        inputs = table.inputs
        by_number = np.isin(inputs.lots, np.fromiter(runs_by_lot, np.int64, len(runs_by_lot))) & (inputs.los >= 0)
        for at in np.flatnonzero(by_number).tolist():
            lo, n = int(inputs.los[at]), int(inputs.ns[at])
            self._surely[at] = size(clipped(runs_by_lot[int(inputs.lots[at])], lo, n)) / n
        self._share_of_inputs = np.zeros((3, len(inputs)))

    def _work(self, level: Level) -> None:
        """One level: first all that is read, then all that is written."""
        self._share_of_inputs[:, level.read] = self._read(level.read)
        if not len(level.operations):
            return
        shares = self._share_of_outputs(level)
        outputs, steps = level.outputs, level.output_operation
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

    def _share_of_outputs(self, level: Level) -> Numbers:
        """Shares (lower, expected, upper) of what the operations of a level made."""
        count, into, steps = len(level.operations), level.into, level.into_operation
        lower, expected, upper = self._share_of_inputs[:, into]
        none = np.bincount(steps, upper > 0, count) == 0
        every = np.bincount(steps, lower != 1.0, count) == 0
        ingredients, steps = self._apportioned(into, steps)
        lower, expected, upper = np.zeros(count), np.ones(count), np.bincount(steps, ingredients[2], count)
        np.maximum.at(lower, steps, ingredients[0])
        np.multiply.at(expected, steps, 1.0 - ingredients[1])
        upper = np.minimum(1.0, upper)
        plug = np.isin(level.operations, self._plugs)
        lower, upper = np.where(plug, lower, 0.0), np.where(plug, upper, 1.0)
        shares = np.stack([lower, np.minimum(upper, np.maximum(lower, 1.0 - expected)), upper])
        shares = np.where(none, 0.0, np.where(every, 1.0, shares))
        shares[2, level.round_about] = 1.0  # in one instant: in which order is not known
        return shares

    def _apportioned(self, into: Places, steps: Places) -> tuple[Numbers, Places]:
        """For each operation and ingredient the shares of it, and which operation it is of."""
        order = np.lexsort((self._table.inputs.products[into], steps))
        into, steps = into[order], steps[order]
        if not len(into):
            return np.zeros((3, 0)), steps
        products, uoms, quantities = self._table.inputs.products[into], self._uoms[0][into], self._inputs[2][into]
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


def worked_out(table: Table) -> Worked:
    """The quantities, one operation after the other or many at a time, whichever is sooner done."""
    if len(table.inputs) + len(table.outputs) >= FLOWS_MIN:
        levels = levels_of(table)
        if levels is not None:
            return QuantitiesAtOnce(table, levels)
    return Quantities(table.facts())


def amounts_of(quantities: Worked, lots: Places, uoms: Sequence[str], only_told: Flags) -> Amounts:
    """``quantities.of`` for many lots and units of measure of the closure, as columns."""
    if isinstance(quantities, QuantitiesAtOnce):
        return quantities.amounts(quantities.keys(lots, uoms), only_told)
    rows = zip(lots.tolist(), uoms, only_told.tolist(), strict=True)
    found = [quantities.of(lot_id, uom, only_told=told) for lot_id, uom, told in rows]
    return Amounts(*np.array(found, np.float64).reshape(-1, 4).T)


def _where(chosen: Flags, one: Amounts, other: Amounts) -> Amounts:
    return Amounts(*(np.where(chosen, a, b) for a, b in zip(one, other, strict=True)))


def _numbered(columns: Sequence[Places]) -> tuple[Places, list[Places]]:
    """All values once, sorted; and for each column where its values stand among them."""
    every, at = np.unique(np.concatenate(columns), return_inverse=True)
    return every, np.split(at, np.cumsum([len(column) for column in columns])[:-1])
