"""The SQL files of one migration, split into statements (asyncpg prepares one at a time)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from runtime.jobs import install_sql

SQL = Path(__file__).parent / "sql"

_TOKEN = re.compile(r"--[^\n]*|\$\$|'(?:[^']|'')*'|;", re.S)


def statements(step: str) -> Iterator[str]:
    """Each statement of the files in ``schema/sql/<step>/``, in file-name order."""
    for path in sorted((SQL / step).glob("*.sql")):
        yield from split(path.read_text(encoding="utf-8"))


def install_jobs() -> Iterator[str]:
    """The tables of the job queue, as its library makes them."""
    yield from split(install_sql())


def split(text: str) -> Iterator[str]:
    """Split at semicolons that stand outside of comments, strings and ``$$`` bodies."""
    start, quoted = 0, False
    for token in _TOKEN.finditer(text):
        if token.group() == "$$":
            quoted = not quoted
        elif token.group() == ";" and not quoted:
            if statement := text[start : token.start()].strip():
                yield statement
            start = token.end()
