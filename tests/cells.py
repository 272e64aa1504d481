"""Composed cells that the tests of one process share: composing one takes a second and a process of its own."""

from __future__ import annotations

import atexit
import tempfile
from functools import cache
from pathlib import Path

from labels.compiled import cells_folder


@cache
def shared_cells() -> Path:
    """The folder in which they are kept until the process ends."""
    folder = tempfile.TemporaryDirectory(prefix="tracemark-cells-")
    atexit.register(folder.cleanup)
    return Path(folder.name)


def share_cells(data_dir: Path) -> Path:
    """The data directory, in which an installation now finds the shared cells."""
    own = cells_folder(data_dir)
    own.parent.mkdir(parents=True, exist_ok=True)
    own.symlink_to(shared_cells(), target_is_directory=True)
    return data_dir
