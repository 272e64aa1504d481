"""``python -m load_tests.packs FILE``: the codes of the installation here, as one code pack for the load.

Those of all label jobs whose labels are on items. Writes the name of FILE; nothing, and no file, when there are none.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from benchmarks.processes import tracemark

JOBS_MAX: Final = 50
"""The newest ones are taken."""
WITHIN_S: Final = 300


def main(arguments: list[str]) -> None:
    """As a program of its own."""
    [name] = arguments
    told = _asked("labels", "list", "--json")
    jobs: list[dict[str, Any]] = json.loads(told.stdout) if told.returncode == 0 else []
    lines = list(_lines([job["job_id"] for job in jobs if job["commissioned"]][:JOBS_MAX]))
    if lines:
        Path(name).write_text("".join(lines), encoding="utf-8")
        print(name)
    else:
        print(told.stderr.strip() or "no label job here has labels on items", file=sys.stderr)


def _lines(jobs: list[int]) -> Iterator[str]:
    """All packs one after the other, with the line of headings once. A job that is refused its codes is left out."""
    headings = ""
    with tempfile.TemporaryDirectory(prefix="tracemark-load-") as folder:
        for job in jobs:
            file = Path(folder) / f"{job}.csv"
            done = _asked("labels", "render", str(job), "--format", "codes", "--out", str(file))
            if done.returncode:
                print(f"job {job} left out: {done.stderr.strip()}", file=sys.stderr)
                continue
            first, *rows = file.read_text(encoding="utf-8").splitlines(keepends=True)
            yield from rows if headings else (first, *rows)
            headings = first


def _asked(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(tracemark(*words), capture_output=True, text=True, check=False, timeout=WITHIN_S)


if __name__ == "__main__":
    main(sys.argv[1:])
