"""Runs of numbers: cut and joined, they always say of each number what a plain table would say."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.runs import Run, RunMap, intervals

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def run(lo: int, n: int, place_id: int = 0, unit_id: int | None = None) -> Run:
    return Run(lo, n, 1, unit_id, NOON, 1, place_id, 0, None)


changes = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 12), st.integers(1, 4)), max_size=12)


@given(changes)
def test_after_any_changes_each_number_has_the_fate_of_the_last_one(told: list[tuple[int, int, int]]) -> None:
    runs, table = RunMap(), dict[int, int]()
    for lo, n, place_id in told:
        for start, length, held in runs.cut(lo, n):
            if held is not None:
                runs.remove(held)
            runs.add(run(start, length, place_id))
        table |= dict.fromkeys(range(lo, lo + n), place_id)
        looked_up = {number: found.place_id for number in range(45) if (found := runs.at(number)) is not None}
        assert looked_up == table

    said = {number: each.place_id for each in runs for number in range(each.lo, each.end)}
    joined = {number: each.place_id for each in runs.joined() for number in range(each.lo, each.end)}

    assert said == joined == table
    assert sum(each.n for each in runs) == len(table)
    neighbours = pairwise(runs.joined())
    assert all(a.end < b.lo or a.place_id != b.place_id for a, b in neighbours)


@given(changes, st.integers(0, 30), st.integers(1, 12))
def test_a_cut_gives_exactly_the_numbers_asked_for_and_changes_no_fate(
    told: list[tuple[int, int, int]], lo: int, n: int
) -> None:
    runs = RunMap()
    for start, length, place_id in told:
        for first, size, held in runs.cut(start, length):
            if held is None:
                runs.add(run(first, size, place_id))
    before = runs.joined()

    pieces = runs.cut(lo, n)

    assert [number for start, size, _ in pieces for number in range(start, start + size)] == list(range(lo, lo + n))
    assert all(held is None or (held.lo, held.n) == (start, size) for start, size, held in pieces)
    assert runs.joined() == before


@given(st.sets(st.integers(0, 60)))
def test_intervals_are_the_numbers_and_never_touch(numbers: set[int]) -> None:
    found = intervals(numbers)

    assert {number for lo, n in found for number in range(lo, lo + n)} == numbers
    assert all(lo + n < after for (lo, n), (after, _) in pairwise(found))


def test_a_run_on_taken_numbers_is_a_mistake_of_ours() -> None:
    runs = RunMap([run(10, 5)])

    with pytest.raises(ValueError, match="overlaps"):
        runs.add(run(14, 2))
    with pytest.raises(ValueError, match="overlaps"):
        runs.add(run(8, 3))


def test_the_runs_of_a_unit_are_found_and_those_beside_it_are_not() -> None:
    runs = RunMap([run(1, 3, unit_id=7), run(4, 3), run(7, 3, unit_id=7)])

    assert [each.lo for each in runs.inside(7)] == [1, 7]
    assert runs.inside(8) == []
