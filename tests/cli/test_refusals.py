"""What a command says no to: before anything is started or written, with the reason and what to do."""

from __future__ import annotations

import asyncio
import re
import socket
from pathlib import Path

import pytest
from sqlalchemy import text

from cli import given
from cli.given import FileNotReadable
from runtime.database import DatabaseAddress, Role, asyncpg_url
from tests.cli.commands import tracemark
from tests.serving import free_port

CHEESE = "09506000134352"


def test_a_port_in_use_is_refused_before_anything_is_started(folder: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        served, demonstrated = tracemark("serve", "--port", port), tracemark("demo", "--port", port)

    assert (served.status, demonstrated.status) == (1, 1)
    assert f"Port {port} on 127.0.0.1 is in use" in served.err
    assert f"Port {port} on 127.0.0.1 is in use" in demonstrated.err
    assert not (folder / "var").exists()


def test_an_address_that_is_not_of_this_machine_is_refused(folder: Path) -> None:
    done = tracemark("serve", "--host", "192.0.2.1", "--port", free_port())

    assert done.status == 1
    assert "Cannot listen on 192.0.2.1" in done.err
    assert not (folder / "var").exists()


@pytest.mark.parametrize("command", [["doctor"], ["migrate"], ["migrate", "--check"], ["labels", "list"]])
def test_a_database_of_a_newer_version_is_refused_and_left_alone(
    installation: Path, database: DatabaseAddress, command: list[str]
) -> None:
    asyncio.run(_say_version(database, "9999"))

    done = tracemark(*command)

    assert done.status == 1
    assert "made by a newer Tracemark (schema 9999)" in done.err
    assert "Upgrade Tracemark" in done.err


def test_a_database_that_is_behind_says_which_command_helps(installation: Path, cluster: DatabaseAddress) -> None:
    """The server's own first database: it was never migrated."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRACEMARK_DATABASE_URL", cluster.url)

        done = tracemark("labels", "list")

    assert done.status == 1
    assert "Run: tracemark migrate" in done.err


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "no-such-host.invalid"])
@pytest.mark.parametrize("command", [["labels", "list"], ["migrate", "--check"]])
def test_a_database_that_is_away_is_named_without_its_password(
    folder: Path, monkeypatch: pytest.MonkeyPatch, host: str, command: list[str]
) -> None:
    port = free_port()
    monkeypatch.setenv("TRACEMARK_DATABASE_URL", f"postgresql://ada:rosebud@{host}:{port}/tracemark")

    done = tracemark(*command)

    assert done.status == 1
    assert f"The database at {host}:{port}/tracemark cannot be reached" in done.err
    assert "rosebud" not in done.err
    assert done.out == ""


@pytest.mark.parametrize("part, wrong", [("password", "wrong"), ("database", "no_such_database")])
def test_a_database_that_does_not_let_us_in_is_refused(
    database: DatabaseAddress, monkeypatch: pytest.MonkeyPatch, part: str, wrong: str
) -> None:
    url = asyncpg_url(database.url).set(**{part: wrong})  # type: ignore[arg-type]  # one part by its name
    monkeypatch.setenv("TRACEMARK_DATABASE_URL", url.render_as_string(hide_password=False))

    done = tracemark("labels", "list")

    assert done.status == 1
    assert "cannot be reached" in done.err


def test_an_address_that_is_not_of_a_postgresql_server_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACEMARK_DATABASE_URL", "mysql://ada@db/tracemark")

    done = tracemark("labels", "list")

    assert done.status == 1
    assert "TRACEMARK_DATABASE_URL is not a PostgreSQL address: it names mysql" in done.err


def test_a_misspelt_setting_is_refused_with_the_nearest_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACEMARK_BASE_URI", "https://id.example.com")

    done = tracemark("labels", "list")

    assert done.status == 1
    assert "did you mean TRACEMARK_BASE_URL?" in done.err
    assert not (folder / "var").exists()


def test_another_master_secret_than_the_ledgers_is_refused(creamery: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert tracemark("labels", "order", "--gtin", CHEESE, "--lot", "C1", "--count", 1).status == 0
    monkeypatch.setenv("TRACEMARK_MASTER_SECRET", "another secret, and long enough for one")

    done = tracemark("trace", f"{CHEESE}:C1")

    assert done.status == 1
    assert "does not open with this master secret" in done.err


@pytest.mark.parametrize("count", [0, -1, 1_000_000_000])
def test_an_order_of_no_labels_or_of_a_milliard_is_refused(creamery: Path, count: int) -> None:
    done = tracemark("labels", "order", "--gtin", CHEESE, "--lot", "C1", "--count", count)

    assert done.status == 1
    assert "labels" in done.err
    assert re.search("1 to 10000000|10000000 at most", done.err)
    assert tracemark("labels", "list", "--json").json == []


def test_labels_for_an_unknown_lot_are_refused_with_what_to_do(creamery: Path) -> None:
    done = tracemark("labels", "order", "--gtin", CHEESE, "--lot", "C9", "--count", 1)

    assert done.status == 1
    assert f"The product {CHEESE} has no lot C9" in done.err
    assert "tracemark import lots FILE" in done.err


@pytest.mark.parametrize(
    "code, reason",
    [
        ("09506000134353:C1", "check digit"),
        ("https://id.example.com/01/09506000134352/21/AB CD", "At character 47: The character ' '"),
        ("(01)09506000134352(10)", "At character "),
        ("hello", "At character 1: This is no identifier"),
    ],
)
def test_a_broken_code_is_refused_with_place_and_reason(folder: Path, code: str, reason: str) -> None:
    done = tracemark("trace", code)

    assert done.status == 1
    assert reason in done.err
    assert not (folder / "var").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["no-such-command"],
        ["labels", "no-such-command"],
        ["labels", "order", "--gtin", CHEESE],
        ["labels", "order", "--gtin", CHEESE, "--lot", "C1", "--count", "many"],
        ["labels", "render", "1", "--format", "docx", "--out", "labels.docx"],
        ["recall", "open", "--title", "x", "--hazard", "y", "--class", "4"],
        ["trace"],
        ["trace", "09506000134352:C1", "--sideways"],
        ["serve", "--port", "70000"],
        [],
        ["recall"],
    ],
)
def test_wrong_usage_ends_with_2_and_says_how_to_do_it(folder: Path, words: list[str]) -> None:
    done = tracemark(*words)

    assert done.status == 2
    assert "Usage: " in done.err
    assert not (folder / "var").exists()


@pytest.mark.parametrize(
    "words, told",
    [
        (["labels", "order", "--gtin", CHEESE, "--lot", "C1", "--count", 1, "--best-before", "31.12.2026"], "date"),
        (["labels", "commission", 1, "--at", "yesterday"], "instant"),
        (["recall", "open", "--title", "x", "--hazard", "y", "--class", 1, "--lot", "C1"], "Write GTIN:LOT"),
        (["recall", "open", "--title", "x", "--hazard", "y", "--class", 1, "--from", "2026-03-01"], "--to"),
        (["recall", "preview", "R-2020-0001"], "no case R-2020-0001"),
        (["labels", "render", 7, "--format", "pdf", "--out", "x.pdf"], "no label job 7"),
        (["key", "add", "erp", "--act", "everything"], "no act everything"),
        (["capture", "nowhere.json"], "no file nowhere.json"),
        (["import", "lots", "nowhere.csv"], "no file nowhere.csv"),
        (["check", "nowhere.csv"], "no file nowhere.csv"),
        (["restore", "nowhere"], "does not hold a backup"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(installation: Path, words: list[object], told: str) -> None:
    done = tracemark(*words)

    assert done.status == 1
    assert told in done.err
    assert done.out == ""


NAMING_A_FILE: list[list[object]] = [
    ["labels", "order", "--gtin", CHEESE, "--lot", "C1", "--serials", "nowhere"],
    ["labels", "commission", 1, "--applied", "nowhere"],
    ["labels", "pack", "verify", "pack.zip", "--password-file", "nowhere"],
    ["recall", "lint", "nowhere"],
    ["recall", "open", "--title", "x", "--hazard", "y", "--class", 1, "--parts", "nowhere"],
    ["recall", "check-results", "R-2020-0001", 1, "nowhere"],
    ["recall", "document", "R-2020-0001", "--kind", "poster", "--image", "nowhere", "--out", "posters"],
    ["recall", "read-notice", "nowhere"],
    ["capture-point", "add", "nowhere"],
]


def test_a_file_that_is_not_there_is_named_by_whatever_takes_one(installation: Path) -> None:
    answers = [tracemark(*words) for words in NAMING_A_FILE]

    assert [(done.status, done.out) for done in answers] == [(1, "")] * len(NAMING_A_FILE)
    assert [done.err for done in answers if "refused: " not in done.err or "nowhere" not in done.err] == []


def test_a_folder_and_a_text_in_another_code_are_no_file_to_read(tmp_path: Path) -> None:
    (tmp_path / "password").write_bytes(b"\xff\xfe")

    with pytest.raises(FileNotReadable, match="directory"):
        given.bytes_of(tmp_path)
    with pytest.raises(FileNotReadable, match="UTF-8"):
        given.text_of(tmp_path / "password")


def test_a_weak_password_makes_no_account(installation: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", _Lines("short\n"))

    done = tracemark("account", "add", "ada", "--role", "recall_author")

    assert done.status == 1
    assert "12" in done.err


class _Lines:
    """Standard input that is no terminal."""

    def __init__(self, text: str) -> None:
        self._text = text

    def isatty(self) -> bool:
        return False

    def readline(self) -> str:
        return self._text


async def _say_version(database: DatabaseAddress, version: str) -> None:
    engine = database.engine(Role.LOGIN, pool_size=1)
    async with engine.begin() as conn:
        await conn.execute(text("UPDATE alembic_version SET version_num = :version"), {"version": version})
    await engine.dispose()
