"""Texts stand in the repository as people read them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
READ = (".py", ".md", ".po", ".toml", ".html", ".css", ".js", ".sql", ".xml", ".csv")
# Control characters of Latin-1 stand in no text: they are what is left of letters that were read in another encoding.
MANGLED = re.compile("[\u0080-\u009f\ufffd]")


def test_no_text_was_read_in_one_encoding_and_written_in_another() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    files = [ROOT / name for name in listed.splitlines() if name.endswith(READ)]
    found = [
        f"{file.relative_to(ROOT)}:{number}"
        for file in files
        if file.is_file()
        for number, line in enumerate(file.read_text(encoding="utf-8", errors="replace").split("\n"), 1)
        if MANGLED.search(line)
    ]
    assert len(files) > 500
    assert found == []
