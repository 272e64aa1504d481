"""Named statements of a ``.sql`` file: SQL that is longer than a screen stands beside the module that runs it."""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy import TextClause, text

_NAME = re.compile(r"^-- name: (\w+)$", re.M)


def named_statements(path: Path) -> dict[str, TextClause]:
    """Each statement of ``path`` under the name that its line ``-- name: …`` gives it."""
    _preamble, *parts = _NAME.split(path.read_text(encoding="utf-8"))
    return {name: text(sql.strip().rstrip(";")) for name, sql in zip(parts[::2], parts[1::2], strict=True)}
