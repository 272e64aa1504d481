"""The clock, passed to whoever needs it, so that a test can say what time it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

_SINCE_BOOT: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Elsewhere than on Linux the monotonic clock of the system counts sleep itself."""

Clock = Callable[[], datetime]
"""Returns the present instant: aware, UTC."""


def system_clock() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


def seconds_passed() -> float:
    """Seconds on a clock that nobody sets, to measure an age: those in which the machine slept are counted, too.

    ``time.monotonic`` stands still while a Linux machine is suspended, so that what was old looks fresh when it wakes.
    """
    return time.clock_gettime(_SINCE_BOOT)


def rfc3339(instant: datetime) -> str:
    """``2026-11-24T05:30:00Z``: an instant as the API writes it (UTC, whole seconds unless there are fractions)."""
    text = instant.astimezone(UTC).isoformat(timespec="seconds" if instant.microsecond == 0 else "milliseconds")
    return text.replace("+00:00", "Z")
