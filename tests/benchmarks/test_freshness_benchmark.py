"""The freshness benchmark at its smallest: a copy is measured, and each of four workers says what was published."""

from __future__ import annotations

import pytest

from benchmarks import freshness
from benchmarks.harness import OptionOutOfRange, Options
from runtime.database import DatabaseAddress


def test_every_worker_of_the_portal_is_asked_until_it_says_the_recall(
    cluster: DatabaseAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(freshness, "WARM_S", 0.2)

    report = freshness.run_on(cluster, Options(rounds=1, size=freshness.LOTS_MIN), publications=2)

    rows = {row.case: row for row in report.rows}
    assert rows["publication to 4 workers, 1,000 lots, at rest"].details["p99_ms"] > 0
    assert rows["publication to 4 workers, 1,000 lots, under load"].reference is not None
    assert rows["load of 1,000 lots"].details["lots"] == 1_000
    assert {"pause, idle, 1,000 lots", "pause, loaded anew, 1,000 lots", "pause, 500 recalled, 1,000 lots"} < set(rows)


def test_more_lots_than_the_benchmark_can_write_are_refused(cluster: DatabaseAddress) -> None:
    with pytest.raises(OptionOutOfRange):
        freshness.run_on(cluster, Options(rounds=1, size=freshness.LOTS_MAX + 1))
