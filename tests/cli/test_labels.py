"""Labels from the command line: in parts, watched, and a person's word about what was handed over."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
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


def test_cases_are_ordered_printed_and_put_on_record(creamery: Path) -> None:
    job = tracemark("labels", "logistics", "order", "--kind", "case", "--count", 2, "--company-prefix", "950600013",
                    "--json").json  # fmt: skip
    out = creamery / "cases.pdf"

    made = tracemark(
        "labels", "logistics", "render", job["logistics_job"], "--paper", "100x150", "--out", out, "--json"
    )
    told = tracemark("labels", "logistics", "commission", job["logistics_job"], "--json")

    assert (made.json["labels"], out.read_bytes()[:5]) == (2, b"%PDF-")
    assert told.json["changed"]
    assert job["ssccs"][0] in tracemark("labels", "logistics", "list").out
    again = tracemark("labels", "logistics", "render", job["logistics_job"], "--paper", "a6", "--out", out)
    assert (again.status, "already" in again.err) == (1, True)


def test_a_pack_is_made_checked_and_handed_over(creamery: Path) -> None:
    job = tracemark("labels", "order", "--gtin", CHEESE, "--lot", "C1", "--count", 5, "--json").json["job"]

    packed = tracemark("labels", "pack", "make", job, "--to", "Printers & Sons", "--out", creamery / "pack")

    assert packed.status == 0, packed.err
    assert tracemark("labels", "pack", "verify", creamery / "pack").status == 0
    short = creamery / "short.txt"
    short.write_text("eleven char")
    for sealed in (["--password-file", short], ["--encrypt", "--password-file", short]):
        refused = tracemark("labels", "pack", "make", job, "--to", "P", "--out", creamery / "sealed.zip", *sealed)
        assert (refused.status, "shorter than 12" in refused.err) == (1, True)
    assert not (creamery / "sealed.zip").exists()
    short.write_text("twelve chars")
    assert tracemark("labels", "pack", "make", job, "--to", "P", "--out", creamery / "sealed.zip", *sealed).status == 0
    (creamery / "pack" / "codes.csv").write_bytes(b"digital_link\r\n")
    assert tracemark("labels", "pack", "verify", creamery / "pack").status == 1
    assert tracemark("labels", "delivered", job, "--to", "Printers & Sons", "--receipt", "R-1").status == 0
    assert tracemark("labels", "commission", job, "--first", 1, "--last", 3).status == 0
    assert tracemark("labels", "void", job, "--first", 4, "--last", 4, "--reason", "torn").status == 0
    balance = tracemark("labels", "job", job).out
    assert f"job {job}: 5 labels for {CHEESE} lot C1 = 3 commissioned + 1 void + 1 unused" in balance


def test_a_file_that_the_disk_does_not_take_is_refused_and_the_older_one_stays(creamery: Path) -> None:
    job = tracemark("labels", "order", "--gtin", CHEESE, "--lot", "C1", "--count", 24, "--json").json["job"]
    (creamery / "p.png").write_bytes(b"older")
    (creamery / "notes").write_bytes(b"no folder")
    before = {path.name for path in creamery.iterdir()}

    with _full_disk(8192):
        shown = tracemark("labels", "preview", "--template", "l7160", "--out", creamery / "p.png")
        full = tracemark("labels", "render", job, "--format", "pdf", "--out", creamery / "labels.pdf")
    blocked = tracemark("labels", "render", job, "--format", "codes", "--out", creamery / "notes" / "codes.csv")

    for refused in (shown, full, blocked):
        assert (refused.status, "cannot be written" in refused.err) == (1, True), refused.err
    assert (creamery / "p.png").read_bytes() == b"older"
    assert {path.name for path in creamery.iterdir()} == before
    done = tracemark("labels", "render", job, "--format", "pdf", "--out", creamery / "labels.pdf")
    assert done.status == 0, done.err


@contextmanager
def _full_disk(bytes_max: int) -> Iterator[None]:
    """No file of this process can grow further, as on a disk that is full."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_max, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)


def test_templates_and_keys_are_listed_and_a_key_is_rotated(creamery: Path) -> None:
    assert "l7160" in tracemark("labels", "template", "list").out
    assert (
        tracemark("labels", "template", "calibrate", "l7160", "--right", 0.05, "--out", creamery / "c.pdf").status == 1
    )
    assert (
        tracemark("labels", "template", "calibrate", "l7160", "--right", 0.3, "--out", creamery / "c.pdf").status == 0
    )
    assert tracemark("labels", "order", "--gtin", CHEESE, "--lot", "C1", "--count", 1).status == 0
    before = tracemark("labels", "keys", "list", "--json").json
    rotated = tracemark("labels", "keys", "rotate")
    assert (rotated.status, "Make a backup now" in rotated.err) == (0, True)
    assert tracemark("labels", "order", "--gtin", CHEESE, "--lot", "C1", "--count", 7).status == 0
    newest, *older = tracemark("labels", "keys", "list", "--json").json
    assert (newest["epoch"], newest["numbers"], older) == (before[0]["epoch"] + 1, 7, before)
