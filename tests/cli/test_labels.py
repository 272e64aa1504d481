"""Labels from the command line: in parts, watched, and a person's word about what was handed over."""

from __future__ import annotations

from pathlib import Path

from tests.cli.commands import tracemark

CHEESE = "09506000134352"


def test_a_job_is_made_in_parts_and_tells_how_far_it_is(creamery: Path) -> None:
    job = tracemark("labels", "order", "--gtin", CHEESE, "--lot", "C1", "--count", 12, "--json").json["job"]

    done = tracemark("labels", "render", job, "--format", "codes", "--parts", "--out", creamery / "c1", "--json")

    assert [file["labels"] for file in done.json["files"]] == [12]
    assert sorted(path.name for path in (creamery / "c1").iterdir()) == [
        f"labels-{job}-part-0001.csv", f"labels-{job}-part-0001.csv.manifest.json",
    ]  # fmt: skip
    watched = tracemark("labels", "job", job, "--watch", "--json").json
    assert watched["job"]["count"] == 12
    assert [(r["state"], r["made"], r["parts"]) for r in watched["renderings"]] == [("made", 12, {"made": 1})]
    told = tracemark("labels", "job", job)
    assert "12 labels" in told.out and "1 made" in told.out
    number = watched["renderings"][0]["render_id"]
    refused = tracemark("labels", "resolve", number, "--part", 1, "--as", "not-printed", "--reason", "it jammed")
    assert (refused.status, "is made" in refused.err) == (1, True)
    ended = tracemark("labels", "cancel", job, "--rendering", number)
    assert (ended.status, "nothing left to cancel" in ended.err) == (1, True)
