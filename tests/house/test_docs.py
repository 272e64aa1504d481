"""What the documents say is true: commands run, links lead somewhere, tables are complete."""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from ledger import import_kinds
from recall.notices import NOTICE_COLUMNS
from runtime.embedded_postgres import EmbeddedPostgres
from runtime.refusals import Refusal
from runtime.settings import PREFIX, Settings
from tests.cli.commands import open_folder, tracemark
from tests.house import documents
from tests.house.documents import PAGES, ROOT, Command, fenced_commands, fences, first_cells, name_of, unknown_in
from tools import generate_command_reference

README, CHINESE = ROOT / "README.md", ROOT / "README.zh-CN.md"
TUTORIAL = ROOT / "docs" / "tutorial" / "first-recall.md"
REFERENCE = ROOT / "docs" / "reference"
FOUND_RECALLED = 3


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A reader's empty folder with the examples in it, and the embedded database, which all commands join."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    with open_folder() as folder:
        (folder / "docs").symlink_to(ROOT / "docs")
        monkeypatch.chdir(folder)
        monkeypatch.setenv("TRACEMARK_DATA_DIR", str(folder / "var"))
        with EmbeddedPostgres(folder / "var", say=lambda sentence: None, fast=True):
            yield folder


@pytest.mark.parametrize("page", [README, TUTORIAL], ids=name_of)
def test_every_command_of_the_page_works_in_its_order(page: Path, reader: Path) -> None:
    commands = list(fenced_commands(page))
    answers = []
    for command in commands:
        done = tracemark(*command.words()[1:])
        answers.append((command.line, done.status, done.err if done.status != status_told(command) else ""))

    assert len(commands) > 15
    assert answers == [(command.line, status_told(command), "") for command in commands]


def status_told(command: Command) -> int:
    """0, but for a check of which the page says that it finds something recalled."""
    return FOUND_RECALLED if " check " in command.line and "exit status 3" in command.above else 0


def test_the_chinese_twin_has_the_same_commands_and_parts() -> None:
    assert fences(CHINESE) == fences(README)
    assert headings(CHINESE) == headings(README)
    assert links(CHINESE) - {"README.md"} == links(README) - {"README.zh-CN.md"}


def headings(page: Path) -> list[int]:
    """The level of each heading, in order."""
    return [len(found) for found in re.findall(r"^(#+) ", page.read_text(encoding="utf-8"), re.M)]


def links(page: Path) -> set[str]:
    return set(re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_page_speaks_of_a_command_or_option_that_is_none(page: Path) -> None:
    wrong = {command: unknown for command in documents.said_commands(page) if (unknown := unknown_in(command))}

    assert wrong == {}


def test_an_unknown_command_or_option_would_be_seen() -> None:
    assert unknown_in("tracemark labels order --gtin 1 --lots 2") == "--lots"
    assert unknown_in("tracemark recall reopen R-2026-0001") == "reopen"
    assert unknown_in("tracemark labels order --gtin 1 --lot 2") is None


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    assert documents.broken_links(page) == []


def test_make_knows_the_targets_that_the_pages_name() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    named = {
        name for page in PAGES for name in re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(encoding="utf-8"), re.M)
    }

    assert {"demo", "test", "check"} <= named
    assert named - targets == set()


def test_the_index_names_every_page() -> None:
    index = ROOT / "docs" / "README.md"
    linked = {(index.parent / link).resolve() for link in links(index) if "://" not in link}
    pages = [page for part in ("tutorial", "how-to", "reference", "explanation") for page in
             sorted((ROOT / "docs" / part).glob("*.md"))]  # fmt: skip

    assert [name_of(page) for page in pages if page.resolve() not in linked] == []


def test_the_reference_of_commands_is_current() -> None:
    assert (REFERENCE / "commands.md").read_text(encoding="utf-8") == generate_command_reference.page()


def test_every_setting_has_its_row() -> None:
    told = first_cells(REFERENCE / "settings.md", "## Settings")

    assert told == [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]


@pytest.mark.parametrize("kind", import_kinds.KINDS)
def test_every_column_of_a_file_has_its_row(kind: str) -> None:
    told = first_cells(REFERENCE / "files.md", f"## {kind}")

    assert told == [column.name for column in import_kinds.KINDS[kind].columns]


def test_every_column_of_a_notice_list_has_its_row() -> None:
    assert first_cells(REFERENCE / "notice-list.md", "## Columns") == list(NOTICE_COLUMNS)


def test_every_limit_told_is_the_limit_that_holds() -> None:
    rows = re.findall(r"^\| .+ \| ([\d,]+)( MB)? \| `([\w.]+)\.(\w+)` \|$", text_of(REFERENCE / "limits.md"), re.M)
    wrong = [
        f"{module}.{name}"
        for told, in_mb, module, name in rows
        if int(told.replace(",", "")) * (1 << 20 if in_mb else 1) != getattr(importlib.import_module(module), name)
    ]

    assert len(rows) > 40
    assert len(rows) == len(re.findall(r"` \|$", text_of(REFERENCE / "limits.md"), re.M))
    assert wrong == []


def test_the_example_points_stand_at_places_of_the_examples() -> None:
    points = orjson.loads((ROOT / "docs" / "examples" / "capture-points.json").read_bytes())
    places = text_of(ROOT / "docs" / "examples" / "places.csv")
    named = {place for point in points for place in (point["place"], *point.get("destinations", ()))}

    assert len(named) > 2
    assert [place for place in named if place not in places] == []


def test_every_command_but_serve_has_an_answer_for_machines() -> None:
    sections = re.split(r"^## ", text_of(REFERENCE / "commands.md"), flags=re.M)[1:]

    assert [section.splitlines()[0] for section in sections if "`--json`" not in section] == ["tracemark serve"]


def test_every_refusal_names_commands_that_there_are() -> None:
    sentences = {kind.__name__: kind.template() for kind in all_refusals()}
    named = {
        name: command
        for name, sentence in sentences.items()
        for command in re.findall(r"tracemark [a-z][\w\- ]*[\w]", sentence)
    }

    assert len(named) > 5
    assert {name: command for name, command in named.items() if unknown_in(command)} == {}


def all_refusals() -> set[type[Refusal]]:
    """Every way to say no: the rooms are loaded first."""
    for room in ("runtime", "ledger", "access", "labels", "recall", "portal", "console", "api", "cli"):
        for path in sorted((ROOT / room).rglob("*.py")):
            importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))
    found: set[type[Refusal]] = set()
    waiting = [Refusal]
    while waiting:
        kind = waiting.pop()
        found.add(kind)
        waiting += kind.__subclasses__()
    return found


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")
