"""What is known of a file being checked, beside it on disk: every worker of a portal on one machine can tell it."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, Final

import orjson

FILE: Final = "state.json"


def read(folder: Path) -> dict[str, Any] | None:
    """The state; None when there is no such file (any more)."""
    try:
        found: dict[str, Any] = orjson.loads((folder / FILE).read_bytes())
    except FileNotFoundError:
        return None
    return found


def change(folder: Path, **values: Any) -> dict[str, Any]:
    """The state with these values, written whole: a reader sees the old or the new one, never a part."""
    state = {**(read(folder) or {}), **values, "told_at_s": time.time()}
    draft = folder / f".{FILE}.{os.getpid()}"
    draft.write_bytes(orjson.dumps(state))
    draft.replace(folder / FILE)
    return state
