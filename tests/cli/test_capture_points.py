"""Capture points from the terminal: taken from a file, listed, and printed as the file that makes them."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.commands import tracemark
from tests.points import POINT


def test_points_come_from_a_file_and_go_back_into_one(creamery: Path) -> None:
    file = creamery / "points.json"
    place = tracemark("capture-point", "list", "--json")
    file.write_text(json.dumps([{**POINT, "place": "9506000134406"}]), encoding="utf-8")

    added = tracemark("capture-point", "add", file, "--json")
    shown = tracemark("capture-point", "show", "line-1-packing")
    (creamery / "shown.json").write_text(shown.out, encoding="utf-8")
    again = tracemark("capture-point", "add", creamery / "shown.json", "--json")

    assert (place.json, added.status) == ([], 0)
    assert [(point["point_id"], point["version"]) for point in added.json] == [("line-1-packing", 1)]
    assert [point["version"] for point in again.json] == [1]
    assert "Packing, line 1" in tracemark("capture-point", "list").out


def test_a_definition_that_cannot_be_is_refused_with_its_place(creamery: Path) -> None:
    file = creamery / "points.json"
    file.write_text(json.dumps([POINT, {**POINT, "id": "other", "work": "ship"}]), encoding="utf-8")

    done = tracemark("capture-point", "add", file)

    assert done.status == 1
    assert "parent is needed for pack" in done.err
    assert tracemark("capture-point", "list", "--json").json == []
    file.write_text("{", encoding="utf-8")
    assert "line 1" in tracemark("capture-point", "add", file).err
