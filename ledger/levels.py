"""The order in which affected quantities can be worked out many operations at a time. Pure.

Operations that do not wait for one another stand on one level. An operation stands above those that made what it used,
and no lower than those that used what it adds to, so that each sees a lot as it was at its instant. Where every lot was
finished before it was first used, and every operation fed before it gave, the levels follow from who made what alone,
and are found a whole level at a time; else each instant is looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby
from typing import Any, Final, NamedTuple

import numpy as np

from ledger.flow_columns import Flags, Places, Table, places
from ledger.trace_quantities import Facts, Flow, in_order

STEPS_PER_LEVEL_MIN: Final = 20
"""With fewer operations on a level the columns cost more than they save."""


class Level(NamedTuple):
    """Operations that are worked out together: flows by their place in the columns.

    ``read`` is read now. ``into`` has gone into the operations that make something now, ``outputs`` is what they make;
    the columns beside them number those operations from 0. ``operations`` and ``round_about`` are by that number; the
    latter says that goods went round in a circle in one instant, and some of them were affected.
    """

    read: Places
    into: Places
    into_operation: Places
    outputs: Places
    output_operation: Places
    operations: Places
    round_about: Flags


def levels_of(table: Table, *, per_level_min: int = STEPS_PER_LEVEL_MIN) -> list[Level] | None:
    """The levels in the order of work; None when there are fewer operations on a level than are worth it."""
    if is_in_order(table):
        return _by_making(table, per_level_min)
    return _by_instant(table, per_level_min)


def is_in_order(table: Table) -> bool:
    """Whether every lot was finished before it was first used, and every operation fed before it gave."""
    inputs, outputs = table.inputs, table.outputs
    return _precede(outputs.lots, outputs.ats, inputs.lots, inputs.ats) and _precede(
        inputs.operations, inputs.ats, outputs.operations, outputs.ats
    )


def _precede(first: Places, first_ats: Places, then: Places, then_ats: Places) -> bool:
    """Whether the last of the first instants is no later than the first of the others, thing by thing."""
    things, at = np.unique(np.r_[first, then], return_inverse=True)
    last = np.full(len(things), np.iinfo(np.int64).min)
    earliest = np.full(len(things), np.iinfo(np.int64).max)
    np.maximum.at(last, at[: len(first)], first_ats)
    np.minimum.at(earliest, at[len(first) :], then_ats)
    return bool((last <= earliest).all())


class _Rows:
    """Which rows of a column have a value: found for many values at once."""

    def __init__(self, values: Places, count: int) -> None:
        self._order = np.argsort(values, kind="stable")
        self._starts = np.searchsorted(values[self._order], np.arange(count + 1))

    def of(self, values: Places) -> tuple[Places, Places]:
        """The rows, and for each the place in ``values`` that it is of."""
        first, sizes = self._starts[values], self._starts[values + 1] - self._starts[values]
        which = np.repeat(np.arange(len(values)), sizes)
        within = np.arange(len(which)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        return self._order[first[which] + within], which


def _by_making(table: Table, per_level_min: int) -> list[Level] | None:
    """Level by level: an operation is ready when all lots that went in are made; circles are left to the other way."""
    inputs, outputs = table.inputs, table.outputs
    names, operation = np.unique(np.r_[inputs.operations, outputs.operations], return_inverse=True)
    lots, lot = np.unique(np.r_[inputs.lots, outputs.lots], return_inverse=True)
    of_input, of_output = operation[: len(inputs)], operation[len(inputs) :]
    used, made = lot[: len(inputs)], lot[len(inputs) :]
    users = _Rows(used, len(lots))
    fed, gives = _Rows(of_input, len(names)), _Rows(of_output, len(names))
    waits, unmade = np.bincount(of_input, minlength=len(names)), np.bincount(made, minlength=len(lots))
    ready, finished = np.flatnonzero(waits == 0), np.flatnonzero(unmade == 0)
    levels: list[Level] = []
    done = 0
    while True:
        rows, _which = users.of(finished)
        np.subtract.at(waits, of_input[rows], 1)
        ready = np.r_[ready, np.unique(of_input[rows[waits[of_input[rows]] == 0]])]
        if not len(ready):
            break
        levels.append(_level(ready, names, fed, gives))
        done += len(ready)
        if len(levels) * per_level_min > len(names):
            return None
        given, _which = gives.of(ready)
        np.subtract.at(unmade, made[given], 1)
        finished = np.unique(made[given[unmade[made[given]] == 0]])
        ready = np.zeros(0, np.int64)
    return levels if done == len(names) else _by_instant(table, per_level_min)


def _level(ready: Places, names: Places, fed: _Rows, gives: _Rows) -> Level:
    read, of_read = fed.of(ready)
    outputs, of_output = gives.of(ready)
    making = np.zeros(len(ready), np.bool_)
    making[of_output] = True
    number = np.cumsum(making) - 1
    into = making[of_read]
    return Level(
        read, read[into], number[of_read[into]], outputs, number[of_output], names[ready[making]],
        np.zeros(int(making.sum()), np.bool_),
    )  # fmt: skip


class _Step(NamedTuple):
    """What one operation told for one instant: its flows by their place in the columns."""

    operation_id: int
    inputs: list[int]
    outputs: list[int]
    circular: bool


def _by_instant(table: Table, per_level_min: int) -> list[Level] | None:
    facts = table.facts()
    whole = {lot_id for lot_id, runs in facts.starts.items() if runs is None}
    written: dict[int, int] = {}
    read: dict[int, int] = {}
    last: dict[int, int] = {}
    into: dict[int, list[int]] = {}
    found: list[list[tuple[_Step, list[int]]]] = []
    for step in _steps(facts):
        sources = [lot_id for at in step.inputs if (lot_id := facts.inputs[at].lot_id) not in whole]
        made = [lot_id for at in step.outputs if (lot_id := facts.outputs[at].lot_id) not in whole]
        level = max(
            last.get(step.operation_id, -1) + 1,
            *(written.get(lot_id, -1) + 1 for lot_id in sources),
            *(read.get(lot_id, 0) for lot_id in made),
            0,
        )
        last[step.operation_id] = level
        for lot_id in sources:
            read[lot_id] = max(level, read.get(lot_id, 0))
        for lot_id in made:
            written[lot_id] = max(level, written.get(lot_id, -1))
        # What went in before counts as well; a list of its own, because more may go in later.
        before = into.get(step.operation_id)
        into[step.operation_id] = [*before, *step.inputs] if before else step.inputs
        found.extend([] for _ in range(level + 1 - len(found)))
        found[level].append((step, into[step.operation_id]))
    if sum(map(len, found)) < per_level_min * len(found) or not found:
        return None
    return [_level_of(level, facts) for level in found]


def _level_of(level: Sequence[tuple[_Step, list[int]]], facts: Facts) -> Level:
    making = [(step, into) for step, into in level if step.outputs]
    round_about = [
        step.circular and any(facts.inputs[at].lot_id in facts.reached for at in step.inputs) for step, _into in making
    ]
    return Level(
        _flat(step.inputs for step, _into in level),
        _flat(into for _step, into in making),
        np.repeat(np.arange(len(making)), [len(into) for _step, into in making]),
        _flat(step.outputs for step, _into in making),
        np.repeat(np.arange(len(making)), [len(step.outputs) for step, _into in making]),
        places([step.operation_id for step, _into in making]),
        np.array(round_about, np.bool_),
    )


def _flat(lists: Iterable[Sequence[int]]) -> Places:
    return np.fromiter(chain.from_iterable(lists), np.int64)


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
