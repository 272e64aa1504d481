"""The main job, as a newcomer meets it: one command tells the whole story."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx2

from runtime.database import DatabaseAddress
from tests.printed import links_on
from tests.serving import free_port, served
from tests.unhurried import NEVER_S
from tests.world import SECRET

ROOT = Path(__file__).parent.parent.parent


def tracemark(*words: str, database: DatabaseAddress, data_dir: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "TRACEMARK_DATABASE_URL": database.url,
        "TRACEMARK_DATA_DIR": str(data_dir),
        "TRACEMARK_MASTER_SECRET": SECRET,
    }
    command = [sys.executable, "-c", "import sys; from cli.main import run; sys.exit(run())", *words]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_the_demo_prints_recalls_and_practises(database: DatabaseAddress, tmp_path: Path) -> None:
    port = free_port()
    words = ("demo", "--no-serve", "--json", "--base-url", f"http://127.0.0.1:{port}")

    told = tracemark(*words, database=database, data_dir=tmp_path)

    assert told.returncode == 0, told.stderr
    story = json.loads(told.stdout)
    assert {Path(name).suffix for name in story["notices"]} == {".xlsx", ".csv", ".pdf", ".json"}
    assert all(Path(name).stat().st_size > 0 for name in (*story["notices"], story["labels_pdf"], story["roll_pdf"]))
    links = links_on(Path(story["labels_pdf"]))
    assert len(set(links)) == 240
    assert story["recalled_link"] in links
    with served(database, port=port), httpx2.Client(headers={"Accept": "application/json"}, timeout=NEVER_S) as phone:
        assert phone.get(story["recalled_link"]).json()["verdict"] == "recalled"
        assert phone.get(story["sold_link"]).json()["verdict"] == "recalled"
        assert phone.get(story["clear_link"]).json()["verdict"] == "no_recall_known"
        assert phone.get(links_on(Path(story["roll_pdf"]))[0]).json()["verdict"] == "not_active"
        recalls = phone.get(f"http://127.0.0.1:{port}/recalls.json").text
        assert story["recall"] in recalls
        assert story["drill"] not in recalls
    examined = tracemark("doctor", "--json", database=database, data_dir=tmp_path)
    assert [finding["what"] for finding in json.loads(examined.stdout) if not finding["good"]] == []

    again = tracemark(*words, database=database, data_dir=tmp_path)
    assert again.returncode == 0
    assert json.loads(again.stdout) == story, "told twice, it is the same story"


def test_a_directory_with_other_work_is_left_alone(database: DatabaseAddress, tmp_path: Path) -> None:
    taken = tracemark(
        "capture", str(ROOT / "docs" / "examples" / "production.json"), database=database, data_dir=tmp_path
    )
    assert taken.returncode == 0, taken.stderr

    told = tracemark("demo", "--no-serve", database=database, data_dir=tmp_path)

    assert told.returncode == 1
    assert "already holds a ledger" in told.stderr
