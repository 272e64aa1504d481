"""``tracemark benchmark``: what a person reads of a report."""

from __future__ import annotations

import pytest
import typer
from typer.testing import CliRunner

from benchmarks.figures import Growth, Row, Spread
from benchmarks.harness import OptionOutOfRange, Report
from cli import benchmark

MACHINE = {
    "processor": "a processor",
    "cores": 2,
    "system": "Linux 6",
    "python": "3.11",
    "versions": {"numpy": "2.4"},
    "load_before": 0.5,
}
ROWS = (
    Row("nginx, one page", "requests/s", (80_000.0, 84_457.0, 90_000.0), details={"cpu_us": 11.7}),
    Row(
        "page, one hot lot",
        "requests/s",
        (40_000.0, 42_000.0, 44_000.0),
        reference="nginx, one page",
        ratio=Spread(0.5, 0.44, 0.55),
        cost_ratio=Spread(0.4, 0.39, 0.41),
        details={"cpu_us": 29.2},
    ),
    Row(
        "307 for */*",
        "requests/s",
        (50_000.0,),
        reference="nginx, 307",
        refused="reference: the load generator was the limit",
    ),
)


def test_a_report_shows_each_ratio_with_its_reference_and_its_spread(capsys: pytest.CaptureFixture[str]) -> None:
    benchmark.print_report(Report("scan", MACHINE, ROWS, (Growth("PDF, labels", (10, 100), (0.01, 0.1)),), ("a note",)))

    lines = capsys.readouterr().out.splitlines()
    hot = next(line for line in lines if line.startswith("page, one hot lot"))
    assert "42,000" in hot
    assert "40,000-44,000" in hot
    assert "0.5 (0.44-0.55)" in hot
    assert "0.4 (0.39-0.41)" in hot
    assert hot.rstrip().endswith("nginx, one page")
    assert "PDF, labels 10 / 100: 10 / 100 ms, growing with exponent 1.00" in lines
    assert "a note" in lines
    assert any("2 cores a processor" in line for line in lines)


def test_a_row_that_must_not_be_quoted_says_why_in_place_of_a_ratio(capsys: pytest.CaptureFixture[str]) -> None:
    benchmark.print_report(Report("scan", MACHINE, ROWS))

    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("307"))
    assert "refused" in line
    assert "the load generator was the limit" in line


@pytest.mark.parametrize("options", [["--rounds", "0"], ["--seconds", "100"], ["--size", "1"]])
def test_what_cannot_be_measured_is_refused_before_anything_is_started(options: list[str]) -> None:
    app = typer.Typer()
    benchmark.register(app)

    result = CliRunner().invoke(app, ["labels", *options])

    assert isinstance(result.exception, OptionOutOfRange)
