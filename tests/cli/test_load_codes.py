"""The load scans what is printed and on items here: ``make load`` needs no file for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from load_tests import codes, packs
from tests.cli.commands import tracemark

CHEESE = "09506000134352"


def test_codes_are_those_of_the_jobs_whose_labels_are_on_items(
    creamery: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = creamery / "codes.csv"
    packs.main([str(file)])
    assert (file.exists(), capsys.readouterr().out) == (False, "")

    for lot, commissioned in (("C1", True), ("C2", True), ("C2", False)):
        job = tracemark("labels", "order", "--gtin", CHEESE, "--lot", lot, "--count", 3, "--json").json["job"]
        if commissioned:
            tracemark("labels", "render", job, "--format", "codes", "--out", creamery / f"{job}.csv")
            assert tracemark("labels", "commission", job).status == 0
    packs.main([str(file)])

    assert capsys.readouterr().out == f"{file}\n"
    assert len(set(codes.read(file).every)) == 6
