"""The notices benchmark at its smallest: every case gives a figure, and every letter is in the outbox."""

from __future__ import annotations

import pytest

from benchmarks import notices
from benchmarks.harness import OptionOutOfRange, Options
from benchmarks.notices_told import Sizes
from runtime.database import DatabaseAddress


def test_the_notices_benchmark_runs_beside_its_references(cluster: DatabaseAddress) -> None:
    options = Options(rounds=1, size=notices.OWNERS_MIN * 4, warm_up=False)
    report = notices.run_on(cluster, options, told=Sizes(owners=50, publishes=3))

    rows = {row.case: row for row in report.rows}
    assert rows["PDF, 160 owners"].reference == "PDF, 4 owners, word by word"
    assert rows["PDF, 160 owners"].details["lines"] == 320
    assert rows["publish to scan, 3 cases"].reference == "NOTIFY heard"
    assert rows["publish and queue 50 letters"].spread.median > 0


def test_a_list_longer_than_a_case_would_have_is_refused(cluster: DatabaseAddress) -> None:
    with pytest.raises(OptionOutOfRange):
        notices.run_on(cluster, Options(rounds=1, size=notices.OWNERS_MAX + 1))
