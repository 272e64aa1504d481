"""``tracemark benchmark``: how fast this installation's work goes on this machine, as ratios to a reference."""

from __future__ import annotations

import importlib
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.figures import Row, Spread
from benchmarks.harness import ROUNDS_ADVISED, Options, Report
from benchmarks.machine import machine_line
from cli.output import Json, say, show, tell

FILE_COLUMNS = 200
"""Width of a table that does not go to a terminal."""


class Benchmark(StrEnum):
    """What is measured."""

    SCAN = "scan"
    LABELS = "labels"
    TRACE = "trace"
    CAPTURE = "capture"
    CHECK = "check"
    NOTICES = "notices"
    FRESHNESS = "freshness"


_DETAILS = {
    "bytes_each": ("bytes each", "{:,.0f}"),
    "wal_bytes": ("log bytes each", "{:,.0f}"),
    "history_bytes": ("history bytes", "{:,.0f}"),
    "peak_mb": ("peak MB", "{:,.0f}"),
    "cpu_s": ("s CPU", "{:,.2f}"),
    "cpu_us": ("µs CPU", "{:,.1f}"),
    "database_us": ("database µs", "{:,.1f}"),
    "p50_ms": ("p50 ms", "{:,.2f}"),
    "p95_ms": ("p95 ms", "{:,.2f}"),
    "p99_ms": ("p99 ms", "{:,.2f}"),
    "rate": ("per second", "{:,.0f}"),
    "share": ("of saturation", "{:.0%}"),
    "late_ms": ("late ms", "{:,.2f}"),
    "load_share": ("load gen. busy", "{:.0%}"),
    "other_share": ("others busy", "{:.0%}"),
    "lots": ("lots", "{:,.0f}"),
    "items": ("items", "{:,.0f}"),
    "queries": ("queries", "{:,.0f}"),
    "lines": ("lines", "{:,.0f}"),
    "seconds": ("s", "{:,.2f}"),
}


def register(app: typer.Typer) -> None:
    app.command()(benchmark)


def benchmark(
    what: Annotated[Benchmark | None, typer.Argument(help="Without it, all of them, one after the other.")] = None,
    rounds: Annotated[
        int, typer.Option(help="Rounds of each case, taken in turn; the median counts.")
    ] = ROUNDS_ADVISED,
    seconds: Annotated[float, typer.Option(help="Seconds of load in one round (scan).")] = 2.0,
    size: Annotated[
        int | None,
        typer.Option(help="Lots (scan, trace, freshness), labels, events (capture), rows (check) or owners (notices)."),
    ] = None,
    items: Annotated[
        int | None,
        typer.Option(help="Items that one raw lot is to reach in the largest world, instead of --size (trace)."),
    ] = None,
    lots: Annotated[
        int | None, typer.Option(help="Lots on record in the largest world, instead of --size (trace).")
    ] = None,
    targets: Annotated[
        bool, typer.Option("--targets", help="End with status 1 when a named target is missed (scan).")
    ] = False,
    as_json: Json = False,
) -> None:
    """Measure on this machine, with a throw-away database, beside a reference in the same rounds."""
    options = Options(rounds=rounds, seconds=seconds, size=size, items=items, lots=lots, tell=tell)
    reports, are_met = [], True
    for name in [what] if what else list(Benchmark):
        tell(f"measuring {name.value} …")
        report: Report = importlib.import_module(f"benchmarks.{name.value}").run(options)
        reports.append(report.plain())
        are_met = are_met and all(outcome.is_met for outcome in report.targets)
        if not as_json:
            print_report(report)
    if as_json:
        show(reports[0] if what else reports, as_json=True)
    if targets and not are_met:
        raise typer.Exit(1)


def print_report(report: Report) -> None:
    details = [name for name in _DETAILS if any(name in row.details for row in report.rows)]
    with_cost = any(row.cost_ratio for row in report.rows)
    drawn = Table(title=report.benchmark, title_justify="left", box=None, pad_edge=False, header_style="bold")
    drawn.add_column("case")
    for heading in (
        "median",
        "min-max",
        "unit",
        *(_DETAILS[name][0] for name in details),
        "ratio",
        *(["ratio by CPU"] if with_cost else []),
    ):
        drawn.add_column(heading, justify="left" if heading == "unit" else "right")
    drawn.add_column("to the reference")
    for row in report.rows:
        drawn.add_row(*_cells(row, details, with_cost))
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=FILE_COLUMNS)
    console.print(drawn)
    for growth in report.growth:
        sizes = " / ".join(f"{size:,.0f}" for size in growth.sizes)
        times = " / ".join(_short(time * 1000) for time in growth.times)
        say(f"{growth.what} {sizes}: {times} ms, growing with exponent {growth.exponent:.2f}")
    for outcome in report.targets:
        say(outcome.sentence())
    for note in report.notes:
        say(note)
    say(machine_line(dict(report.machine)))
    say()


def _cells(row: Row, details: list[str], with_cost: bool) -> list[str]:
    spread = row.spread
    cells = [row.case, _short(spread.median), f"{_short(spread.low)}-{_short(spread.high)}", row.unit]
    cells += [_DETAILS[name][1].format(row.details[name]) if name in row.details else "" for name in details]
    cells.append("refused" if row.refused else _times(row.ratio))
    if with_cost:
        cells.append(_times(row.cost_ratio))
    return [*cells, row.refused or (row.reference or "").removeprefix(f"{row.case}, ")]


def _times(ratio: Spread | None) -> str:
    return "" if ratio is None else f"{_short(ratio.median)} ({_short(ratio.low)}-{_short(ratio.high)})"


def _short(value: float) -> str:
    """Three figures are all that such a measurement knows."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.3g}"
