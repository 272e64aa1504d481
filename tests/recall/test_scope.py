"""What a case names: lines, areas, and taking something out again."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from ledger.intervals import merged as merged_runs
from recall.intervals import subtract
from recall.scope import (
    WHOLE,
    Area,
    Cover,
    Exclusion,
    ItemLine,
    LotLine,
    ProductLine,
    RangeLine,
    Scope,
    UnitLine,
    WindowLine,
    as_json,
    broken_lots,
    from_json,
    merged,
    without,
)

GTIN = "09506000134352"
_runs = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 12)), max_size=6).map(merged_runs)


def _numbers(runs: tuple[tuple[int, int], ...]) -> set[int]:
    return {number for lo, n in runs for number in range(lo, lo + n)}


@given(_runs, _runs)
def test_taking_numbers_away_leaves_exactly_the_others(
    a: tuple[tuple[int, int], ...], b: tuple[tuple[int, int], ...]
) -> None:
    left = subtract(a, b)
    assert _numbers(left) == _numbers(a) - _numbers(b)
    assert left == merged_runs(left)


_covers = st.one_of(st.just(WHOLE), _runs.filter(bool).map(lambda runs: Cover(whole=False, runs=runs)))
_areas = st.dictionaries(st.integers(1, 4), _covers, max_size=4)
_ALL = ((0, 80),)


def _cells(area: Area) -> set[tuple[int, int]]:
    return {(lot, number) for lot, cover in area.items() for number in _numbers(_ALL if cover.whole else cover.runs)}


@given(_areas, _areas)
def test_areas_behave_like_sets_of_items(a: Area, b: Area) -> None:
    numbers = dict.fromkeys(broken_lots(a, b), _ALL)
    assert _cells(merged([a, b])) == _cells(a) | _cells(b)
    assert _cells(without(a, b, numbers)) == _cells(a) - _cells(b)


def test_a_scope_is_stored_and_read_back_the_same() -> None:
    at = datetime(2026, 11, 3, 6, tzinfo=UTC)
    lines = (
        LotLine(GTIN, "C1"), LotLine(GTIN, "C2", widened_from="ABC"), ItemLine(GTIN, "S/1", 77), ProductLine(GTIN),
        RangeLine(GTIN, "A", "B", 10, 20), UnitLine("395060000000000015"),
        WindowLine(at, at.replace(hour=9), "https://id.gs1.org/414/9506000134406", "Line 1"),
    )  # fmt: skip
    scope = Scope(lines, (Exclusion(LotLine(GTIN, "C3"), "tested clean", "Ben"),), include_possible=True)
    assert from_json(json.loads(json.dumps(as_json(scope)))) == scope


def test_widening_with_what_was_excluded_takes_the_exclusion_back() -> None:
    c1, c2 = LotLine(GTIN, "C1"), LotLine(GTIN, "C2")
    narrowed = Scope((c1, c2)).narrowed([Exclusion(c2, "tested clean", "Ben")])
    assert narrowed.widened([c2]) == Scope((c1, c2))
    assert narrowed.widened([c1]) == narrowed
