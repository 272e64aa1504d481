"""A case by commands, and the exit status that a script at a loading dock relies on."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.database import DatabaseAddress
from tests import kept
from tests.cli.commands import Done, tracemark
from tests.cli.conftest import tell_examples

CHEESE, MILK = "09506000134352", "09506000134369"


@pytest.fixture
def labelled(installation: Path, database: DatabaseAddress) -> Path:
    """Four items of each cheese, and their lists of codes."""
    files = kept.once_by_commands(database, "labelled cheese", labels)
    for name, content in files.items():
        (installation / name).parent.mkdir(parents=True, exist_ok=True)
        (installation / name).write_bytes(content)
    return installation


def labels() -> dict[Path, bytes]:
    """What was written, the master secret too: the serials rest on it."""
    tell_examples()
    for job, lot in ((1, "C1"), (2, "C2")):
        assert tracemark("labels", "order", "--gtin", CHEESE, "--lot", lot, "--count", 4).status == 0
        assert tracemark("labels", "render", job, "--format", "codes", "--out", f"{lot}.csv").status == 0
        assert tracemark("labels", "commission", job).status == 0
    return {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}


def open_on_milk(*more: object) -> str:
    done = tracemark(
        "recall", "open", "--title", "Meadow cheese may contain Listeria", "--class", 1, "--phone", "+44 20 7946 0101",
        "--hazard", "Listeria can cause serious illness.", "--lot", f"{MILK}:M1", "--by", "ada", "--json", *more,
    )  # fmt: skip
    number: str = done.json["case"]
    return number


def publish(number: str) -> Done:
    for step, by in (("submit", "ada"), ("approve", "grace")):
        assert tracemark("recall", step, number, "--by", by).status == 0
    return tracemark("recall", "publish", number, "--by", "grace", "--json")


def test_a_check_ends_with_0_before_a_recall_and_with_3_after(labelled: Path) -> None:
    before = tracemark("check", "C1.csv", "--json")
    published = publish(open_on_milk())
    after = tracemark("check", "C1.csv", "--out", "checked.csv", "--json")
    sibling = tracemark("check", "C2.csv", "--json")

    assert published.status == 0
    assert (before.status, after.status, sibling.status) == (0, 3, 0)
    assert before.json["summary"]["NOT_RECALLED"] == 4
    assert after.json["summary"]["RECALLED"] == 4
    assert sibling.json["summary"]["NOT_RECALLED"] == 4
    assert (labelled / "checked.csv").read_text(encoding="utf-8-sig").count("RECALLED") >= 4


def test_an_unknown_code_in_a_list_is_never_not_recalled(labelled: Path) -> None:
    (labelled / "list.txt").write_text(f"https://id.example.com/01/{CHEESE}/21/000000000000\n", encoding="utf-8")

    done = tracemark("check", "list.txt", "--json")

    assert done.status == 0
    assert [row["status"] for row in done.json["rows"]] == ["UNKNOWN_CODE"]


def test_a_list_is_not_written_over_a_file_that_is_there(labelled: Path) -> None:
    (labelled / "checked.csv").write_text("mine", encoding="utf-8")

    done = tracemark("check", "C1.csv", "--out", "checked.csv")

    assert done.status == 1
    assert (labelled / "checked.csv").read_text(encoding="utf-8") == "mine"


def test_a_trace_ends_with_3_once_its_lot_is_recalled_and_the_sibling_with_0(labelled: Path) -> None:
    publish(open_on_milk())

    assert tracemark("trace", f"{CHEESE}:C1").status == 3
    assert tracemark("trace", f"{CHEESE}:C2").status == 0


def test_the_person_who_opened_a_case_cannot_approve_it(labelled: Path) -> None:
    number = open_on_milk()
    tracemark("recall", "submit", number, "--by", "ada")

    done = tracemark("recall", "approve", number, "--by", "Ada")

    assert done.status == 1
    assert "Ada" in done.err
    assert tracemark("recall", "publish", number, "--by", "Ada").status == 1


def test_a_closed_case_goes_on_recalling_and_a_cancelled_one_does_not(labelled: Path) -> None:
    closed = open_on_milk()
    publish(closed)

    refused = tracemark("recall", "close", closed, "--reason", "all accounted for")
    assert (refused.status, "a reconciliation of its last version" in refused.err) == (1, True)
    assert tracemark("recall", "reconcile", closed).status == 0
    findings = ("--disposition", "destroyed", "--root-cause", "a valve", "--corrective-action", "changed it")
    assert tracemark("recall", "findings", closed, *findings).status == 0
    assert tracemark("recall", "close", closed, "--reason", "all accounted for").status == 0
    assert tracemark("check", "C1.csv").status == 3
    assert tracemark("recall", "cancel", closed, "--reason", "too late for that").status == 1

    cancelled = open_on_milk()
    publish(cancelled)
    cancel = ("recall", "cancel", cancelled, "--reason", "opened in error")
    assert tracemark(*cancel).status == 1, "a published case takes two people"
    assert tracemark(*cancel, "--approved-by", "Ben").status == 0
    assert tracemark("check", "C1.csv").status == 3  # the closed case still names it


def test_a_case_is_widened_by_one_person_and_narrowed_by_two(labelled: Path) -> None:
    number = open_on_milk()
    publish(number)

    widened = tracemark("recall", "widen", number, "--lot", f"{MILK}:M2", "--reason", "second sample", "--by", "ada")
    assert widened.status == 0
    assert tracemark("check", "C2.csv").status == 3
    updated = tracemark("recall", "update", number, "--by", "ada", "--json")
    assert (updated.status, updated.json["version"]) == (0, 3)
    unpublished = open_on_milk()
    assert tracemark("recall", "update", unpublished, "--by", "ada").status == 1

    narrow = ["recall", "narrow", number, "--lot", f"{CHEESE}:C2", "--reason", "proved clean", "--by", "ada"]
    assert tracemark(*narrow).status == 1
    assert tracemark(*narrow, "--approved-by", "ada").status == 1
    assert tracemark("check", "C2.csv").status == 3
    assert tracemark(*narrow, "--approved-by", "grace").status == 0
    assert (tracemark("check", "C1.csv").status, tracemark("check", "C2.csv").status) == (3, 0)


def test_a_drill_leaves_no_trace_with_the_public(labelled: Path) -> None:
    done = tracemark("recall", "drill", "--code", f"{MILK}:M1", "--out", "drill", "--json")

    assert done.status == 0
    assert done.json["published"]["items"] == 4
    assert len(list((labelled / "drill").iterdir())) == len(done.json["files"]) == 5
    assert tracemark("check", "C1.csv").status == 0
    assert tracemark("trace", f"{CHEESE}:C1").status == 0


def test_the_notice_lists_are_written_in_the_forms_asked_for_only(labelled: Path) -> None:
    number = open_on_milk()
    assert tracemark("recall", "notices", number, "--format", "csv", "--out", "early").status == 1
    publish(number)

    done = tracemark("recall", "notices", number, "--format", "json", "--out", "notices", "--json")

    assert done.status == 0
    assert [path.name for path in (labelled / "notices").iterdir()] == [f"{number}_v1_notices.json"]
    assert not (labelled / "early").exists()
