"""A cell is composed once: afterwards it comes from the disk, and only if nothing of it has changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from labels import compiled
from labels.compiled import composed
from labels.layout import load_template
from labels.model import LabelText
from labels.symbol import SymbolPlan


def test_the_same_label_comes_from_the_disk_and_another_is_another(
    tmp_path: Path, milk_text: LabelText, plan: SymbolPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = load_template("a4-24")
    first = composed(tmp_path, milk_text, template, plan.side)
    (kept,) = tmp_path.iterdir()
    written = kept.stat().st_mtime_ns

    again = composed(tmp_path, milk_text, template, plan.side)

    assert again == first
    assert [path.stat().st_mtime_ns for path in tmp_path.iterdir()] == [written]

    # and: one more than are kept takes the place of the oldest
    monkeypatch.setattr(compiled, "CELLS_KEPT_MAX", 1)
    other = composed(tmp_path, replace(milk_text, lot="M2"), template, plan.side)
    assert (other.text.lot, other.pdf == first.pdf) == ("M2", False)
    assert len(list(tmp_path.iterdir())) == 1
    assert not kept.exists()
