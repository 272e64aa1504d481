"""A command begins quickly: it loads what it needs, and no more."""

from __future__ import annotations

import subprocess
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import typer
from alembic.config import Config
from alembic.script import ScriptDirectory

from cli.main import application, overview
from runtime import migrations

ROOT = Path(__file__).parent.parent.parent
HEAVY = (
    "sqlalchemy",
    "asyncpg",
    "numpy",
    "alembic",
    "pgqueuer",
    "weasyprint",
    "jinja2",
    "rich",
    "pydantic",
    "structlog",
)
_LOADED_BY = """
import sys
from cli.main import run
run({words})
print(*(name for name in {heavy} if name in sys.modules), file=sys.stderr)
"""


def test_help_loads_no_library_of_any_command() -> None:
    assert _loaded_by("--help") == []


def test_ten_labels_wait_for_no_library_but_their_own() -> None:
    loaded = _loaded_by("labels", "render", "--help")

    assert {"sqlalchemy", "asyncpg", "numpy"} <= set(loaded)
    assert not {"alembic", "pgqueuer", "weasyprint", "jinja2", "structlog"} & set(loaded)


def test_the_overview_says_what_the_commands_say() -> None:
    assert sorted(_help_of(overview())) == sorted(_help_of(application()))


def test_the_schema_that_is_needed_is_the_head_of_its_steps() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrations.SCHEMA))
    steps = ScriptDirectory.from_config(config)

    assert migrations.newest() == steps.get_current_head()
    assert migrations.known() == {step.revision for step in steps.walk_revisions()}


def _loaded_by(*words: str) -> list[str]:
    code = _LOADED_BY.format(words=list(words), heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "Usage" in done.stdout
    return done.stderr.split()


def _help_of(app: typer.Typer) -> list[str]:
    out = StringIO()
    with redirect_stdout(out):
        app(["--help"], standalone_mode=False)
    return out.getvalue().splitlines()
