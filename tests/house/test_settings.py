"""Settings: read once, all problems together, unknown names refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime import settings
from runtime.secrets import MasterSecretMissing, master_secret
from runtime.settings import SettingsWrong


def test_without_an_environment_the_defaults_hold() -> None:
    chosen = settings.load({})

    assert chosen.base_url == "http://127.0.0.1:8080"
    assert chosen.database_url is None


def test_a_misspelt_setting_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(SettingsWrong, match="did you mean TRACEMARK_BASE_URL"):
        settings.load({"TRACEMARK_BASE_URI": "https://id.example.com"})


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsWrong) as refused:
        settings.load(
            {"TRACEMARK_BASE_URL": "ftp://x", "TRACEMARK_MASTER_SECRET": "short", "TRACEMARK_DATABASE_POOL_SIZE": "0"}
        )

    assert {fault.where for fault in refused.value.faults} == {
        "TRACEMARK_BASE_URL",
        "TRACEMARK_MASTER_SECRET",
        "TRACEMARK_DATABASE_POOL_SIZE",
    }


def test_a_secret_may_come_from_a_file_and_is_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("x" * 40 + "\n")

    chosen = settings.load({"TRACEMARK_MASTER_SECRET_FILE": str(file)})

    assert chosen.master_secret is not None
    assert chosen.master_secret.get_secret_value() == "x" * 40
    assert "xxxx" not in repr(chosen)


def test_a_secret_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsWrong, match="TRACEMARK_MASTER_SECRET_FILE: cannot read"):
        settings.load({"TRACEMARK_MASTER_SECRET_FILE": str(tmp_path / "none")})


def test_other_programs_variables_are_none_of_our_business() -> None:
    settings.load({"HOME": "/", "PGHOST": "db"})


def test_the_command_line_wins() -> None:
    assert settings.load({"TRACEMARK_DATA_DIR": "a"}, data_dir=Path("b")).data_dir == Path("b")


def test_an_unknown_name_does_not_hide_a_wrong_value() -> None:
    with pytest.raises(SettingsWrong) as refused:
        settings.load({"TRACEMARK_LABEL_MAX": "5", "TRACEMARK_LABELS_MAX": "many"})

    assert {fault.where for fault in refused.value.faults} == {"TRACEMARK_LABEL_MAX", "TRACEMARK_LABELS_MAX"}


def test_a_secret_that_was_made_is_used_in_a_demo_and_refused_in_production(tmp_path: Path) -> None:
    demo = settings.load({"TRACEMARK_DATA_DIR": str(tmp_path)})
    made = master_secret(demo)
    assert master_secret(demo) == made

    production = {"TRACEMARK_DATA_DIR": str(tmp_path), "TRACEMARK_ENVIRONMENT": "production"}
    with pytest.raises(MasterSecretMissing, match=str(tmp_path / "master_secret")):
        master_secret(settings.load(production))
    given = {**production, "TRACEMARK_MASTER_SECRET_FILE": str(tmp_path / "master_secret")}
    assert master_secret(settings.load(given)) == made
