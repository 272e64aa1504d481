"""The closure of lots, worked out the slow way: thing by thing, over and over, until nothing changes.

Each lot is the set of its numbers and of ``REST``, all of it that has no number here. It shares no code and no idea of
states with ``ledger.genealogy``: every thing has one instant from which it is surely, and one from which it is
possibly, affected.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

REST = -1
NEVER = 10**9
ALWAYS = -(10**9)


@dataclass(frozen=True)
class Told:
    """A row of an operation: a lot at an hour, by serial (numbers) or by quantity (None)."""

    lot: int
    hour: int
    numbers: tuple[int, int] | None  # lo, n


@dataclass(frozen=True)
class Operation:
    inputs: tuple[Told, ...]
    outputs: tuple[Told, ...]
    is_wrong: bool = False


@dataclass(frozen=True)
class Graph:
    """``known`` are the numbers on record of each lot; ``loose`` lots hold things without a lot (lot code '')."""

    lots: int
    operations: tuple[Operation, ...]
    known: tuple[frozenset[int], ...]
    loose: frozenset[int]

    def numbers(self, lot: int) -> set[int]:
        told = {
            number for row in self.rows() if row.lot == lot and row.numbers
            for number in range(row.numbers[0], sum(row.numbers))
        }  # fmt: skip
        return told | self.known[lot]

    def rows(self) -> Iterable[Told]:
        for operation in self.operations:
            yield from (*operation.inputs, *operation.outputs)


class Fire:
    """Instants from which each thing is affected, surely (0) and at all (1)."""

    def __init__(self, graph: Graph, starts: Sequence[tuple[int, tuple[int, int] | None]], in_time: bool) -> None:
        self.graph, self.in_time = graph, in_time
        self.operations = [operation for operation in graph.operations if not operation.is_wrong]
        named = {n for _lot, run in starts if run for n in range(run[0], sum(run))}
        self.things = [{REST, *graph.numbers(lot), *(n for n in named if n // 100 == lot)} for lot in range(graph.lots)]
        self.since: dict[tuple[int, int, int], int] = {}
        self.told_by_serial = [self.is_told_by_serial(lot) for lot in range(graph.lots)]
        for lot, run in starts:
            for thing in self.things[lot] if run is None else range(run[0], sum(run)):
                self.light(lot, thing, 0, ALWAYS)
                self.light(lot, thing, 1, ALWAYS)
        while self.spread():
            pass

    def light(self, lot: int, thing: int, degree: int, hour: int) -> bool:
        if self.since.get((lot, thing, degree), NEVER) <= hour:
            return False
        self.since[lot, thing, degree] = hour
        return True

    def is_told_by_serial(self, lot: int) -> bool:
        if lot in self.graph.loose:
            return True
        made = {
            number for operation in self.operations for row in operation.outputs if row.lot == lot and row.numbers
            for number in range(row.numbers[0], sum(row.numbers))
        }  # fmt: skip
        used = {
            number for operation in self.graph.operations for row in operation.inputs if row.lot == lot and row.numbers
            for number in range(row.numbers[0], sum(row.numbers))
        }  # fmt: skip
        return made >= used | self.graph.known[lot]

    def meant(self, row: Told) -> list[int]:
        if row.numbers is None:
            return sorted(self.things[row.lot])
        return list(range(row.numbers[0], sum(row.numbers)))

    def entry(self, row: Told, degree: int) -> bool:
        """Whether this input is affected: surely, or at all."""
        hour = row.hour if self.in_time else NEVER - 1
        if row.numbers is None and degree == 0:
            return self.since.get((row.lot, REST, 0), NEVER) <= hour
        return any(self.since.get((row.lot, thing, degree), NEVER) <= hour for thing in self.meant(row))

    def spread(self) -> bool:
        changed = False
        for operation in self.operations:
            for degree in (0, 1):
                hours = [row.hour for row in operation.inputs if self.entry(row, degree)]
                for row in operation.outputs if hours else ():
                    if self.in_time and row.hour < min(hours):
                        continue
                    whole = row.numbers is None or not self.told_by_serial[row.lot]
                    for thing in self.things[row.lot] if whole else self.meant(row):
                        changed |= self.light(row.lot, thing, degree, row.hour if self.in_time else ALWAYS)
        return changed

    def affected(self, degree: int) -> dict[int, set[int]]:
        result: dict[int, set[int]] = {}
        for lot, thing, of_degree in self.since:
            if of_degree == degree:
                result.setdefault(lot, set()).add(thing)
        return result

    def earliest(self, lot: int, degree: int) -> int:
        return min(hour for (of, _thing, at), hour in self.since.items() if of == lot and at == degree)
