"""Facts from files: folders of documents, half-broken spreadsheets, and answers for machines."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.commands import tracemark
from tests.cli.conftest import EXAMPLES

CHEESE = "09506000134352"


@pytest.fixture
def documents(folder: Path) -> Path:
    """A folder with a good document, one with a wrong event in it, and one that is no JSON."""
    inside = folder / "documents" / "farm"
    inside.mkdir(parents=True)
    good = json.loads((EXAMPLES / "production.json").read_text(encoding="utf-8"))
    (inside.parent / "good.json").write_text(json.dumps(good), encoding="utf-8")
    good["epcisBody"]["eventList"][3]["bizStep"] = "teleporting"
    good["epcisBody"]["eventList"][6].pop("eventTime")
    (inside / "wrong.jsonld").write_text(json.dumps(good), encoding="utf-8")
    (inside / "torn.json").write_text('{"type": "EPCISDocument",\n "epcisBody": ', encoding="utf-8")
    (inside / "notes.txt").write_text("not a document", encoding="utf-8")
    return inside.parent


def test_a_bad_document_of_a_folder_is_named_with_place_and_reason_and_the_others_are_taken(
    installation: Path, documents: Path
) -> None:
    done = tracemark("capture", documents)

    assert done.status == 1
    assert "2 of 3 documents were refused; the others were taken." in done.err
    assert "wrong.jsonld /epcisBody/eventList/3/bizStep" in done.err
    assert "teleporting" in done.err
    assert "wrong.jsonld /epcisBody/eventList/6" in done.err
    assert "torn.json" in done.err
    assert "line 2" in done.err
    assert tracemark("trace", f"{CHEESE}:C1").status == 0


def test_a_folder_for_machines_has_one_answer_for_each_document(installation: Path, documents: Path) -> None:
    done = tracemark("capture", documents, "--json")

    by_name = {Path(one["file"]).name: one for one in done.json}
    assert done.status == 1
    assert by_name["good.json"]["events"] == 8
    assert not by_name["good.json"]["refused"]
    assert [fault["where"] for fault in by_name["wrong.jsonld"]["faults"]] == [
        "/epcisBody/eventList/3/bizStep",
        "/epcisBody/eventList/6",
    ]
    assert by_name["torn.json"]["refused"]


def test_a_document_told_again_changes_nothing(creamery: Path) -> None:
    done = tracemark("capture", EXAMPLES / "production.json")

    assert done.status == 0
    assert "0 events recorded, 8 known before" in done.out


def test_what_was_told_in_error_counts_until_it_is_declared_wrong(creamery: Path) -> None:
    assert tracemark("import", "inspections", EXAMPLES / "inspections.csv").status == 0
    assert tracemark("import", "shipments", EXAMPLES / "shipments.csv").status == 0
    shop_before = at_the_shop()
    assert tracemark("capture", EXAMPLES / "sent-in-error.json").status == 0
    shop_told = at_the_shop()
    assert tracemark("capture", EXAMPLES / "declared-wrong.json").status == 0

    assert (shop_before, shop_told, at_the_shop()) == (0, 10, 0)


def at_the_shop() -> int:
    """Items of C2 with the Corner Shop."""
    holders = tracemark("trace", f"{CHEESE}:C2", "--json").json["holders"]
    return sum(holder["items"] for holder in holders if holder["owner"]["name"] == "Corner Shop")


def test_a_folder_without_documents_is_refused(installation: Path) -> None:
    (installation / "empty").mkdir()

    done = tracemark("capture", installation / "empty")

    assert done.status == 1
    assert "No .json or .jsonld file" in done.err


def test_a_half_broken_spreadsheet_writes_nothing_and_every_wrong_cell_is_told(installation: Path) -> None:
    rows = (EXAMPLES / "parties.csv").read_text(encoding="utf-8").replace("9506000134321", "9506000134322")
    file = installation / "parties.csv"
    file.write_text(rows.replace(",retailer,retail,", ",retailer,corner,"), encoding="utf-8")

    refused = tracemark("import", "parties", file)
    afterwards = tracemark("import", "parties", EXAMPLES / "parties.csv", "--dry-run", "--json").json

    assert refused.status == 1
    assert "row 4, column gln: “9506000134322”" in refused.err
    assert "row 6, column channel: “corner”" in refused.err
    assert (afterwards["new"], afterwards["changed"], afterwards["unchanged"]) == (5, 0, 0)


def test_a_dry_run_tells_the_same_faults_and_ends_with_1(installation: Path) -> None:
    file = installation / "lots.csv"
    shutil.copy(EXAMPLES / "lots.csv", file)

    done = tracemark("import", "lots", file, "--dry-run", "--json")

    assert done.status == 1
    assert len(done.json["refused"]) == 4  # no product is on record yet
    assert "Nothing was written" in done.err


@pytest.mark.parametrize("kind", ["parties", "suppliers", "places", "products", "lots", "inspections", "shipments"])
def test_a_template_of_each_kind_is_printed_without_a_database(folder: Path, kind: str) -> None:
    done = tracemark("import", kind, "--template")

    assert done.status == 0
    assert len(done.out.splitlines()) == 2
    assert not (folder / "var").exists()


def test_answers_for_machines_stand_alone_on_stdout(creamery: Path) -> None:
    ordered = tracemark("labels", "order", "--gtin", CHEESE, "--lot", "C1", "--count", 3, "--json")
    rendered = tracemark("labels", "render", 1, "--format", "codes", "--out", "codes.csv", "--json")
    opened = tracemark(
        "recall", "open", "--title", "Listeria", "--hazard", "It can make you ill.", "--class", 1,
        "--lot", f"{CHEESE}:C1", "--json",
    )  # fmt: skip

    assert ordered.json["job"] == 1
    assert [file["labels"] for file in rendered.json["files"]] == [3]
    assert opened.json["case"].startswith("R-")
    assert tracemark("recall", "preview", opened.json["case"], "--json").json["number"] == opened.json["case"]
    assert tracemark("trace", f"{CHEESE}:C1", "--json").json["starts"][0]["lot"] == "C1"
    assert {row["name"] for row in tracemark("settings", "--json").json} >= {"TRACEMARK_BASE_URL"}
    assert all(finding["good"] for finding in tracemark("doctor", "--json").json)


def test_the_book_is_written_anew_only_when_that_is_confirmed(creamery: Path) -> None:
    refused = tracemark("doctor", "--rebuild")

    rebuilt = tracemark("doctor", "--rebuild", "--yes")

    assert refused.status == 1 and "stops all recording" in refused.err
    assert "the book was written anew from" in rebuilt.err
    assert "BAD" not in rebuilt.out
