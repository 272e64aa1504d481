"""The typical application as a program beside the portal, where FastAPI is installed (``make setup-dev`` brings it)."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks import typical_world
from benchmarks.processes import listening
from runtime.database import DatabaseAddress


def is_there() -> bool:
    """Whether this machine has what the reference is written with; no run of the product needs it."""
    return importlib.util.find_spec("fastapi") is not None


@contextmanager
def serving(
    database: DatabaseAddress,
    lot_by_path: Mapping[str, int],
    page_by_checks: Mapping[str, tuple[bytes, int]],
    folder: Path,
    port: int,
    *,
    core: int | None = None,
) -> Iterator[int]:
    """Its process, on these codes.

    ``page_by_checks``: for each policy of counting, the portal's page of an item, and the item's lot.
    """
    asyncio.run(typical_world.fill(database, lot_by_path))
    templates = folder / "typical"
    templates.mkdir()
    for checks, (page, lot) in page_by_checks.items():
        (templates / f"{checks}.html").write_text(typical_world.template_of(page.decode(), lot), encoding="utf-8")
    command = [sys.executable, "-m", "benchmarks.typical", str(port), database.url, str(templates)]
    with listening(command, port, core=core) as pid:
        yield pid
