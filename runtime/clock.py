"""The clock, passed to whoever needs it, so that a test can say what time it is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Returns the present instant: aware, UTC."""


def system_clock() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


def rfc3339(instant: datetime) -> str:
    """``2026-11-24T05:30:00Z``: an instant as the API writes it (UTC, whole seconds unless there are fractions)."""
    text = instant.astimezone(UTC).isoformat(timespec="seconds" if instant.microsecond == 0 else "milliseconds")
    return text.replace("+00:00", "Z")
