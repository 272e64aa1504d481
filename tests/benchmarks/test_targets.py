"""Targets of a benchmark: judged by the median of ratios, and never met by a figure that may not be quoted."""

from __future__ import annotations

import pytest

from benchmarks.figures import Row, Spread
from benchmarks.scan import TYPICAL, judged, targets_of
from benchmarks.targets import Target, judge


def row(case: str, *, cost: float | None = None, ratio: float | None = None) -> Row:
    of = [None if value is None else Spread.of([value]) for value in (cost, ratio)]
    return Row(case, "requests/s", (1.0,), cost_ratio=of[0], ratio=of[1])


def test_a_target_is_met_at_its_ratio_and_missed_below_it_or_without_a_figure() -> None:
    rows = [row("page", cost=0.8, ratio=0.1), row("slow", cost=0.79), row("steady", ratio=0.5), row("refused")]
    wanted = [Target("page", 0.8), Target("slow", 0.8), Target("steady", 0.4, "value"), Target("refused", 0.1)]

    outcomes = judge(rows, wanted)

    assert [outcome.is_met for outcome in outcomes] == [True, False, True, False]
    assert outcomes[1].sentence() == "MISSED: slow: 0.79, wanted 0.8 or more"
    assert outcomes[3].plain()["reached"] is None


def test_a_target_of_a_case_that_was_not_measured_is_an_error() -> None:
    with pytest.raises(KeyError):
        judge([row("page", cost=1.0)], targets_of(100))


def test_a_target_beside_an_application_that_is_not_there_is_not_met_and_any_other_is_an_error() -> None:
    page, beside = Target("page", 0.8), Target(f"page, beside a {TYPICAL}", 100)

    met, missed = judged([row("page", cost=1.0)], [page, beside])

    assert (met.is_met, missed.is_met, missed.reached) == (True, False, None)
    with pytest.raises(KeyError):
        judged([row(beside.case, cost=200.0)], [page, beside])
