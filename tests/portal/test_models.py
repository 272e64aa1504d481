"""Runs, scopes and verdicts against a model that keeps one row per item: for any history both say the same."""

from __future__ import annotations

from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from portal.intervals import Layered, RunRow, Runs
from portal.model import Content
from portal.scope_columns import ScopeRow
from portal.scopes import Scopes
from portal.snapshot import Snapshot
from portal.units import judge_unit, lines
from tests.examples import examples
from tests.portal.arrangement import recall

NUMBERS = 60
run = st.tuples(st.integers(0, NUMBERS - 1), st.integers(1, 12), st.integers(1, 3), st.integers(1, 3))


def apart(runs: list[tuple[int, int, int, int]]) -> list[RunRow]:
    """The runs that do not meet an earlier one: what one consistent read of the database gives."""
    taken: set[int] = set()
    kept = []
    for lo, n, lot_id, state in runs:
        numbers = set(range(lo, lo + n))
        if not numbers & taken:
            taken |= numbers
            kept.append(RunRow(lo, n, lot_id, state))
    return kept


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(st.lists(run, max_size=8), min_size=1, max_size=5))
def test_what_was_told_last_about_a_number_counts(told: list[list[tuple[int, int, int, int]]]) -> None:
    layers = [apart(runs) for runs in told]
    state_by_number: dict[int, tuple[int, int]] = {}
    for layer in layers:
        for row in layer:
            state_by_number |= dict.fromkeys(range(row.lo, row.lo + row.n), (row.lot_id, row.state))

    copy = Layered(Runs.of(layers[0]))
    for layer in layers[1:]:
        copy = copy.with_news(Runs.of(layer))

    for number in range(NUMBERS + 15):
        found = copy.at(number)
        assert (None if found is None else (found.lot_id, found.state)) == state_by_number.get(number)
    lo, n = copy.news.lo, copy.news.n
    assert all(lo[i] + n[i] <= lo[i + 1] for i in range(len(lo) - 1))  # the news never overlap


scope_rows = st.lists(
    st.one_of(
        st.builds(ScopeRow, st.integers(1, 3), st.integers(1, 3), st.none(), st.none()),
        st.builds(ScopeRow, st.integers(1, 3), st.integers(1, 3), st.integers(0, NUMBERS), st.integers(1, 12)),
    ),
    max_size=12,
)


@settings(max_examples=examples(60), deadline=None)
@given(scope_rows, st.integers(1, 3))
def test_a_case_names_exactly_the_lots_and_numbers_of_its_scope(rows: list[ScopeRow], lot_id: int) -> None:
    scopes = Scopes.of([recall(case_id) for case_id in (1, 2, 3)], rows, {1: 1, 2: 1, 3: 2})
    mine = [row for row in rows if row.lot_id == lot_id]
    whole = {row.case_id for row in mine if row.lo is None}

    for number in range(NUMBERS + 15):
        by_number = {r.case_id for r in mine if r.lo is not None and r.n is not None and r.lo <= number < r.lo + r.n}
        assert {case.case_id for case in scopes.of_item(lot_id, number).surely} == whole | by_number
    named = scopes.of_lot(lot_id)
    assert {case.case_id for case in named.surely} == whole
    assert {case.case_id for case in named.perhaps} == {row.case_id for row in mine} - whole
    of_product = {row.case_id for row in rows if row.lot_id in (1, 2)}
    assert {case.case_id for case in scopes.of_product(1).perhaps} == of_product


@settings(max_examples=examples(60), deadline=None)
@given(scope_rows, st.integers(0, NUMBERS), st.integers(1, 30))
def test_a_pallet_counts_each_recalled_item_once(rows: list[ScopeRow], lo: int, n: int) -> None:
    cases = [recall(1), recall(2), recall(3, "withdrawal")]
    world = Snapshot(scopes=Scopes.of(cases, rows, {}))
    recalled = sum(
        any(
            row.lot_id == 1 and row.case_id != 3 and (row.lo is None or row.lo <= number < row.lo + (row.n or 0))
            for row in rows
        )
        for number in range(lo, lo + n)
    )

    held = lines([Content(1, lo, n, n, "")], world)
    assert held[0].recalled == recalled
    assert (judge_unit(held, exists=True, is_fresh=True) == "recalled") == (recalled > 0)


def test_the_day_of_a_lot_survives_the_compact_table() -> None:
    from portal.lots import LotTable
    from tests.portal.arrangement import lot

    kept = LotTable.of([lot(5, "M5", best_before_on=date(2099, 2, 28), made_on=None)]).get(5)
    assert kept is not None
    assert (kept.best_before_on, kept.made_on) == (date(2099, 2, 28), None)
