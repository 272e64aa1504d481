"""A throw-away PostgreSQL for the tests."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runtime.embedded_postgres import Address, EmbeddedPostgres


@contextmanager
def embedded_cluster() -> Iterator[Address]:
    """A new, empty cluster without durability; it is gone afterwards. Start one per test session, not per test."""
    with tempfile.TemporaryDirectory(prefix="tracemark-test-") as name:
        directory = Path(name)
        directory.chmod(0o755)  # as root the server runs as another user, who has to get here
        with EmbeddedPostgres(directory / "var", say=lambda sentence: None, fast=True) as address:
            yield address
