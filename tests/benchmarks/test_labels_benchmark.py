"""The labels benchmark at its smallest: each case makes what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import label_peers, label_work, labels
from benchmarks.harness import OptionOutOfRange, Options
from benchmarks.label_peers import missing
from serials.alphabet import is_exact


def test_the_labels_benchmark_runs_and_compares_with_weasyprint_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # programs of others take their time, where they are installed
    report = labels.run(Options(rounds=1, size=labels.LABELS_MIN, warm_up=False), apart=False)

    rows = {row.case: row for row in report.rows}
    cases = {"PDF, 1 labels", "PDF, 20 labels", "PDF, 100 labels", "PDF, a roll of 100 labels", labels.REFERENCE}
    assert cases < set(rows)
    assert rows["PDF, 100 labels"].reference == labels.REFERENCE
    assert rows["PDF, 100 labels"].ratio is not None
    others = {case for case, _, _ in label_peers.installed()}  # whose memory is not told, where they are installed
    assert all(row.spread.median > 0 for row in report.rows)
    assert all(row.details["peak_mb"] > 10 for row in report.rows if row.case not in others)
    assert any("/ 2^60 = 1,000,000,000 / 1,152,921,504,606,846,976 = 8.7e-10" in note for note in report.notes)
    assert [note for note in report.notes if "not installed" in note] == list(missing())
    assert report.growth[0].sizes == (1, 4, 20, 100)


def test_a_size_without_smaller_ones_is_refused() -> None:
    with pytest.raises(OptionOutOfRange):
        labels.run(Options(rounds=1, size=labels.LABELS_MIN - 1))


def test_labels_of_the_benchmark_have_serials_of_their_own_and_rising_numbers() -> None:
    batches = list(label_work.batches(24_001))

    assert [(batch.first_label, batch.last_label) for batch in batches] == [(1, 24_000), (24_001, 24_001)]
    serials = {row.tobytes().decode() for batch in batches for row in batch.serials}
    assert len(serials) == 24_001
    assert all(is_exact(serial) for serial in list(serials)[:100])
