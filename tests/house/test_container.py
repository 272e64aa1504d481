"""The image and the composition: they cannot be built in every place, so they are read closely."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import yaml

from runtime.settings import PREFIX, Settings

ROOT = Path(__file__).parent.parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
STAGES = re.split(r"^FROM ", DOCKERFILE, flags=re.M)[1:]


def test_what_the_image_copies_is_there_and_every_room_is_copied() -> None:
    sources = {word for line in re.findall(r"^COPY (?!--from)(.+)$", STAGES[0], re.M) for word in line.split()[:-1]}
    rooms = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]["targets"]

    assert [source for source in sources if not (ROOT / source).exists()] == []
    assert set(rooms["wheel"]["packages"]) | {"public_templates", "requirements.lock"} <= sources


def test_the_image_is_set_up_by_the_steps_of_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    assert "tools/setup.sh run" in makefile
    assert "tools/setup.sh run" in STAGES[0]
    assert "tools/setup.sh system" in STAGES[1]
    assert "pip install" not in DOCKERFILE
    assert "apt-get install" not in DOCKERFILE


def test_the_image_runs_as_nobody_special_and_keeps_its_data_private() -> None:
    last_user = re.findall(r"^USER (\S+)$", STAGES[-1], re.M)[-1]

    assert int(last_user) >= 1000
    assert "-m 0700 /var/lib/tracemark-data" in STAGES[-1]
    assert re.search(r"^HEALTHCHECK", STAGES[-1], re.M)
    assert not re.search(r"(PASSWORD|SECRET|KEY)=", DOCKERFILE)


def test_base_images_are_named_by_version() -> None:
    assert [stage.split()[0] for stage in STAGES if ":" not in stage.split()[0] or ":latest" in stage.split()[0]] == []
    assert all(":" in service["image"] for service in COMPOSE["services"].values() if service["image"] != "tracemark")


def test_the_application_waits_for_the_schema_and_the_schema_for_the_database() -> None:
    services = COMPOSE["services"]

    assert services["tracemark"]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
    assert services["migrate"]["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert "healthcheck" in services["database"]


def test_the_composition_sets_known_settings_and_no_secret_of_its_own() -> None:
    for name in ("migrate", "tracemark"):
        environment = COMPOSE["services"][name]["environment"]
        unknown = {key for key in environment if key.removeprefix(PREFIX).lower() not in Settings.model_fields}

        assert unknown == set()
        assert environment["TRACEMARK_ENVIRONMENT"] == "production"
        assert environment["TRACEMARK_MASTER_SECRET"].startswith("${TRACEMARK_MASTER_SECRET:?")
    wanted = set(re.findall(r"\$\{(\w+)[:}]", (ROOT / "compose.yaml").read_text(encoding="utf-8")))
    offered = set(re.findall(r"^(\w+)=", (ROOT / "compose.env.example").read_text(encoding="utf-8"), re.M))
    assert wanted == offered


def test_only_this_machine_reaches_the_published_port() -> None:
    assert COMPOSE["services"]["tracemark"]["ports"] == ["127.0.0.1:8080:8080"]
    assert COMPOSE["services"]["tracemark"]["read_only"] is True
