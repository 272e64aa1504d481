"""The arithmetic of benchmarks: medians, ratios pair by pair, growth."""

from __future__ import annotations

import pytest

from benchmarks.figures import Growth, Spread, exponent, quantile, ratios


def test_a_spread_is_the_middle_round_between_the_best_and_the_worst() -> None:
    assert Spread.of([5.0, 1.0, 3.0]) == Spread(3.0, 1.0, 5.0)


def test_a_spread_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a value"):
        Spread.of([])


def test_a_ratio_is_taken_round_by_round_so_that_a_slow_round_cancels_out() -> None:
    # In the second round the machine was three times slower, for both.
    assert ratios([300.0, 100.0, 330.0], [100.0, 33.0, 110.0], "more") == Spread(3.0, 3.0, 100 / 33)


def test_a_ratio_of_times_is_above_one_where_the_case_is_quicker() -> None:
    assert ratios([2.0], [10.0], "less") == Spread(5.0, 5.0, 5.0)
    assert ratios([2.0], [10.0], "more") == Spread(0.2, 0.2, 0.2)


@pytest.mark.parametrize("own, reference", [([1.0], [1.0, 2.0]), ([0.0], [1.0]), ([1.0], [0.0])])
def test_a_ratio_of_rounds_that_do_not_pair_up_or_of_nothing_is_refused(
    own: list[float], reference: list[float]
) -> None:
    with pytest.raises(ValueError, match=r"rounds beside|above zero"):
        ratios(own, reference, "more")


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0, 2.0])
def test_growth_finds_the_power_with_which_a_time_grows(power: float) -> None:
    sizes = [10.0, 100.0, 1000.0, 10_000.0]

    assert exponent(sizes, [0.003 * size**power for size in sizes]) == pytest.approx(power, abs=1e-9)
    assert Growth("a thing", tuple(sizes), tuple(7 * size**power for size in sizes)).exponent == pytest.approx(
        power, abs=1e-9
    )


def test_growth_over_noise_is_the_line_of_least_squares() -> None:
    # log10: (1, 0), (2, 1), (3, 1): slope 1/2
    assert exponent([10, 100, 1000], [1, 10, 10]) == pytest.approx(0.5)


@pytest.mark.parametrize(
    "sizes, times", [([10.0], [1.0]), ([10.0, 10.0], [1.0, 2.0]), ([1.0, 2.0], [1.0]), ([1.0, 2.0], [0.0, 1.0])]
)
def test_growth_over_too_little_is_refused(sizes: list[float], times: list[float]) -> None:
    with pytest.raises(ValueError, match=r"different sizes|sizes and"):
        exponent(sizes, times)


def test_a_quantile_is_a_value_that_was_seen() -> None:
    values = [float(n) for n in range(100, 0, -1)]

    assert (quantile(values, 0.5), quantile(values, 0.95), quantile(values, 1.0)) == (50.0, 95.0, 100.0)
    with pytest.raises(ValueError, match="share"):
        quantile(values, 0.0)
