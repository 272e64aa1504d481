"""The check benchmark at its smallest: every case gives a figure, and files are those of the portal's own process."""

from __future__ import annotations

import pytest

from benchmarks import check
from benchmarks.harness import OptionOutOfRange, Options
from runtime.database import DatabaseAddress


def test_the_check_benchmark_runs_beside_the_same_files_copied(cluster: DatabaseAddress) -> None:
    report = check.run_on(cluster, Options(rounds=1, size=check.ROWS_MIN, warm_up=False))

    rows = {row.case: row for row in report.rows}
    assert rows["CSV, 1,000 rows"].reference == "CSV, 1,000 rows, copied"
    assert rows["CSV, 1,000 rows"].details["items"] == 1_000
    assert all(row.spread.median > 0 for row in report.rows)


def test_more_rows_than_a_file_may_have_are_refused(cluster: DatabaseAddress) -> None:
    with pytest.raises(OptionOutOfRange):
        check.run_on(cluster, Options(rounds=1, size=check.ROWS_MAX + 1))
