"""Sheets are rasterised and read by readers that are not ours."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import read_back
from benchmarks.label_peers import GLABELS, ZINT, installed, missing


def test_a_sheet_that_was_rasterised_is_read_whole_and_one_symbol_too_many_is_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_back, "LABELS", {})
    case = next(read_back.sheets(tmp_path))

    found = read_back.read(case)
    missed = read_back.read(replace(case, expected=case.expected | {"https://id.example.com/never"}))

    assert (found.symbols, found.zxing, found.is_whole) == (2, 2, True)
    assert (missed.symbols, missed.zxing, missed.is_whole) == (3, 2, False)
    assert (tmp_path / "case-en-1.png").read_bytes().startswith(b"\x89PNG")


def test_a_program_of_others_is_compared_or_said_to_be_missing() -> None:
    here = {case.split(",")[0] for case, _, _ in installed()}

    for program in (ZINT, GLABELS):
        assert (program.removesuffix("-3-batch") in here) != any(program in said for said in missing())
