"""A trace on the command line: as a file, and at an instant."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.commands import tracemark
from tests.cli.conftest import EXAMPLES

MILK, CHEESE = "09506000134369", "09506000134352"


@pytest.fixture
def produced(installation: Path) -> Path:
    assert tracemark("capture", EXAMPLES / "production.json").status == 0
    return installation


def test_a_trace_is_written_to_the_file_that_is_named_and_is_told_to_the_person(produced: Path, folder: Path) -> None:
    out = folder / "trace.svg"

    done = tracemark("trace", f"{MILK}:M1", "--format", "svg", "--out", out, "--lang", "zh")

    assert done.status == 0 and "written:" in done.err
    assert "追溯链" in out.read_text(encoding="utf-8")
    assert "C1" in done.out and "用于生产" in done.out


def test_a_format_without_a_file_is_refused(produced: Path) -> None:
    done = tracemark("trace", f"{MILK}:M1", "--format", "xlsx")

    assert done.status == 1 and "--out FILE" in done.err


def test_who_had_a_lot_is_told_for_an_instant(produced: Path) -> None:
    now, before = (tracemark("trace", f"{CHEESE}:C1", "--at", at, "--json") for at in ("2026-12-31", "2001-01-01"))
    for_a_person = tracemark("trace", f"{CHEESE}:C1", "--at", "2026-12-31")

    assert now.status == before.status == 0
    assert before.json["held"] == [] and "custodian" in for_a_person.out
    assert tracemark("trace", f"{CHEESE}:C1", "--at", "soon").status == 1


def test_the_holders_alone_are_told_by_channel_and_owner_with_bounds(produced: Path) -> None:
    told = tracemark("trace", f"{MILK}:M1", "--holders", "--json")
    whole = tracemark("trace", f"{MILK}:M1", "--down", "--json").json
    for_a_person = tracemark("trace", f"{MILK}:M1", "--holders")

    assert told.json["lots"] == len(whole["downstream"]["lots"])
    pieces = [row["of"] for row in told.json["holders"] if row["uom"] == "" and row["of"] > 0]
    assert sum(pieces) == sum(row["items"] for row in whole["holders"])
    assert all(0 <= row["lower"] <= row["expected"] <= row["upper"] for row in told.json["holders"] if row["of"] > 0)
    assert "most likely" in for_a_person.out
    assert tracemark("trace", f"{MILK}:M99", "--holders").status == 1
