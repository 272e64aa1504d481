"""Commands on the embedded database: beside a running serve, and through a backup into another folder."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest

from runtime.embedded_postgres import EmbeddedPostgres, status
from runtime.settings import PREFIX
from tests.cli.commands import Done, open_folder, tracemark
from tests.cli.conftest import EXAMPLES, tell_examples
from tests.serving import free_port

CHEESE = "09506000134352"
WEB_SOCKET = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Key": "AA==",
    "Sec-WebSocket-Version": "13",
}
"""A request for another protocol, which no face speaks."""


@dataclass(frozen=True, slots=True)
class Saved:
    """A backup, what its ledger answered, and what the commands said."""

    folder: Path
    trace: dict[str, Any]
    first: Done
    again: Done


@pytest.fixture(scope="module")
def saved() -> Iterator[Saved]:
    """A backup of the creamery of the examples with three labels, under the master secret of its own folder."""
    with pytest.MonkeyPatch.context() as patch, open_folder() as reachable:
        for name in [name for name in os.environ if name.startswith(PREFIX)]:
            patch.delenv(name)
        patch.chdir(reachable)
        patch.setenv("TRACEMARK_DATA_DIR", str(reachable / "var"))
        with up(reachable / "var"):
            tell_examples()
            assert tracemark("labels", "order", "--gtin", CHEESE, "--lot", "C1", "--count", 3).status == 0
            before = trace()
            first = tracemark("backup", "saved", "--json")
            again = tracemark("backup", "saved")
        yield Saved(reachable / "saved", before, first, again)


@pytest.fixture
def folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """As all commands have it, where the server's own user can get to."""
    with open_folder() as reachable:
        monkeypatch.chdir(reachable)
        monkeypatch.setenv("TRACEMARK_DATA_DIR", str(reachable / "var"))
        yield reachable


def test_commands_work_beside_a_running_serve_and_sigterm_stops_all_of_it(folder: Path) -> None:
    port = free_port()
    serving = subprocess.Popen(
        [sys.executable, "-c", "from cli.main import run; raise SystemExit(run())", "serve", "--port", str(port)],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert serving.stderr is not None
        said = next(line for line in serving.stderr if "serving" in line)
        imported = tracemark("import", "parties", EXAMPLES / "parties.csv")
        told = tracemark("import", "places", EXAMPLES / "places.csv", "--json")
        answered = live(port)
        upgraded = live(port, WEB_SOCKET)
    finally:
        serving.send_signal(signal.SIGTERM)
        _out, last_words = serving.communicate(timeout=120)

    assert str(port) in said
    assert (imported.status, told.json["new"], answered, upgraded) == (0, 5, 200, 200)
    assert serving.returncode == 0
    assert "Traceback" not in last_words
    assert status(folder / "var").state == "stopped"


def live(port: int, headers: Mapping[str, str] = {}) -> int:
    """How the portal answers that it is alive, once it listens."""
    asked = urllib.request.Request(f"http://127.0.0.1:{port}/livez", headers=headers)
    for _ in range(600):
        try:
            with urllib.request.urlopen(asked, timeout=60) as answer:
                code: int = answer.status
                return code
        except URLError:
            time.sleep(0.05)
    raise AssertionError("nobody answered")


def test_a_backup_is_verified_and_comes_back_in_another_folder_with_the_same_trace(folder: Path, saved: Saved) -> None:
    verified = tracemark("verify-backup", saved.folder, "--json")
    restored = tracemark("restore", saved.folder, "--data-dir", "other", "--json")
    with up(folder / "other"):
        after = trace("--data-dir", "other")
        twice = tracemark("restore", saved.folder, "--data-dir", "other")
        # the keys came along: a new order goes on with new numbers
        ordered = tracemark("labels", "order", "--gtin", CHEESE, "--lot", "C1", "--count", 3, "--data-dir", "other")

    assert (saved.first.status, verified.status, restored.status, ordered.status) == (0, 0, 0, 0)
    assert saved.first.json["events"] == verified.json["events"] == restored.json["events"] == 8
    assert after == saved.trace
    assert "saving the database" in saved.first.err  # progress, and the answer stands alone on stdout
    assert stat_mode(saved.folder) == 0o700
    assert (saved.again.status, twice.status) == (1, 1)
    assert "exists already" in saved.again.err
    assert "already holds a ledger" in twice.err


def test_a_backup_does_not_come_back_beside_another_master_secret(
    folder: Path, saved: Saved, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACEMARK_MASTER_SECRET", "another secret, and long enough for one")

    done = tracemark("restore", saved.folder, "--data-dir", "other")

    assert done.status == 1
    assert "made with another master secret" in done.err


def test_a_backup_that_was_altered_is_refused(folder: Path, saved: Saved) -> None:
    shutil.copytree(saved.folder, "altered")
    shutil.copytree(saved.folder, "without_secret")
    with (folder / "altered" / "tracemark.dump").open("ab") as dump:
        dump.write(b"x")
    (folder / "without_secret" / "master_secret").unlink()

    for command in (["verify-backup", "altered"], ["restore", "altered", "--data-dir", "other"]):
        done = tracemark(*command)
        assert done.status == 1
        assert "another hash" in done.err
    assert tracemark("restore", "without_secret", "--data-dir", "other").status == 1
    assert not (folder / "other").exists()


def up(data_dir: Path) -> EmbeddedPostgres:
    """The server of a folder, kept up for several commands."""
    return EmbeddedPostgres(data_dir, say=lambda sentence: None, fast=True)


def trace(*more: object) -> dict[str, Any]:
    """The answer, without when it was asked."""
    answer: dict[str, Any] = tracemark("trace", f"{CHEESE}:C1", "--json", *more).json
    return {**answer, "as_of": answer["as_of"]["event"]}


def stat_mode(path: Path) -> int:
    return path.stat().st_mode & 0o777
