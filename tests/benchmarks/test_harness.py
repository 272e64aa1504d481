"""Rounds in turn, references, and rows that must not be quoted."""

from __future__ import annotations

import pytest

from benchmarks.figures import Sample, Spread
from benchmarks.harness import BenchmarkTookTooLong, Contender, OptionOutOfRange, Options, Report, measure, notes_on


def test_cases_take_turns_so_that_a_disturbance_hits_all_of_them() -> None:
    order: list[str] = []

    def runs(name: str) -> Contender:
        def once() -> Sample:
            order.append(name)
            return Sample(1.0)

        return Contender(name, "labels/s", once)

    measure([runs("a"), runs("b")], Options(rounds=2))

    assert order == ["a", "b", "a", "b", "a", "b"]  # the first of each is the warm-up


def test_a_case_stands_beside_its_reference_of_the_same_round() -> None:
    rows = measure(
        [plays("reference", [9.0, 2.0, 4.0]), plays("case", [9.0, 6.0, 4.0], "reference")], Options(rounds=2)
    )

    assert rows[1].values == (6.0, 4.0)
    assert rows[1].ratio == Spread(2.0, 1.0, 3.0)
    assert rows[0].ratio is None


def test_two_cases_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="same name"):
        measure([plays("case", [1.0, 1.0]), plays("case", [2.0, 2.0])], Options(rounds=1))


def test_details_are_told_as_medians_and_costs_as_a_ratio() -> None:
    slow, quick = [
        [Sample(1.0, {"cpu_us": value}) for value in values] for values in ([30.0, 30.0, 60.0], [10.0, 10.0, 10.0])
    ]

    rows = measure([contender("reference", slow), contender("case", quick, "reference")], Options(rounds=2))

    assert rows[0].details == {"cpu_us": 45.0}
    assert rows[1].cost_ratio == Spread(4.5, 3.0, 6.0)


def test_a_row_that_the_generator_limited_is_not_given_a_ratio() -> None:
    busy = [Sample(5.0, {"cpu_us": 2.0}, limited="the load generator was the limit")] * 3
    free = [Sample(1.0, {"cpu_us": 4.0})] * 3

    reference, case = measure([contender("reference", busy), contender("case", free, "reference")], Options(rounds=2))

    assert reference.refused == "the load generator was the limit"
    assert case.ratio is None
    assert case.refused == "reference: the load generator was the limit"
    assert case.cost_ratio == Spread(0.5, 0.5, 0.5)


def test_one_busy_round_of_three_does_not_spoil_a_row() -> None:
    samples = [Sample(1.0), Sample(1.0), Sample(1.0), Sample(1.0, limited="busy")]

    assert measure([contender("case", samples)], Options(rounds=3))[0].refused is None


def test_a_benchmark_that_runs_too_long_is_refused_rather_than_cut_short() -> None:
    with pytest.raises(BenchmarkTookTooLong, match="round 1 of 2"):
        measure([plays("case", [1.0] * 3)], Options(rounds=2), limit_s=-1.0)


@pytest.mark.parametrize("rounds, seconds", [(0, 1.0), (102, 1.0), (5, 0.0), (5, 61.0)])
def test_rounds_and_seconds_have_limits(rounds: int, seconds: float) -> None:
    with pytest.raises(OptionOutOfRange, match=r"must be .* to"):
        Options(rounds=rounds, seconds=seconds)


def test_a_size_beyond_what_a_benchmark_can_do_is_refused_with_its_limits() -> None:
    assert Options().size_or(7, low=1, high=9) == 7
    assert Options(size=9).size_or(7, low=1, high=9) == 9
    with pytest.raises(OptionOutOfRange, match="size is 10; it must be 1 to 9"):
        Options(size=10).size_or(7, low=1, high=9)


def test_few_rounds_are_told_to_be_a_hint() -> None:
    assert notes_on(Options(rounds=5)) == []
    assert "hint" in notes_on(Options(rounds=4))[0]


def test_a_report_is_plain_data() -> None:
    rows = measure([plays("reference", [2.0, 2.0]), plays("case", [6.0, 6.0], "reference")], Options(rounds=1))

    told = Report("labels", {"cores": 2}, rows).plain()

    assert told["rows"][1]["ratio"] == {"median": 3.0, "min": 3.0, "max": 3.0}
    assert told["rows"][0] | {"details": {}} == {
        "case": "reference", "unit": "labels/s", "better": "more", "median": 2.0, "min": 2.0, "max": 2.0,
        "values": [2.0], "reference": None, "ratio": None, "cost_ratio": None, "details": {}, "refused": None,
    }  # fmt: skip


def plays(name: str, values: list[float], reference: str | None = None) -> Contender:
    """A case whose rounds give these values; the first is the warm-up."""
    return contender(name, [Sample(value) for value in values], reference)


def contender(name: str, samples: list[Sample], reference: str | None = None) -> Contender:
    """A case whose rounds give these samples."""
    waiting = iter(samples)
    return Contender(name, "labels/s", lambda: next(waiting), reference=reference, cost="cpu_us")
