"""Commands on a database of the test's own, in a folder of the test's own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runtime.database import DatabaseAddress
from runtime.settings import PREFIX
from tests import kept
from tests.cli.commands import tracemark

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = ROOT / "docs" / "examples"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, without any setting of whoever runs the tests."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRACEMARK_DATA_DIR", str(tmp_path / "var"))
    return tmp_path


@pytest.fixture
def installation(database: DatabaseAddress, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation without records, on the server of the tests."""
    monkeypatch.setenv("TRACEMARK_DATABASE_URL", database.url)
    return folder


@pytest.fixture
def creamery(installation: Path, database: DatabaseAddress) -> Path:
    """An installation with the parties, products, lots and events of the examples, and no labels yet."""
    kept.once_by_commands(database, "the creamery of the examples", tell_examples)
    return installation


def tell_examples() -> None:
    """By commands, as the README has it."""
    for kind in ("parties", "places", "products", "lots"):
        assert tracemark("import", kind, EXAMPLES / f"{kind}.csv").status == 0
    assert tracemark("capture", EXAMPLES / "production.json").status == 0
