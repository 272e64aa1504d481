"""One turn of the loop: what holds for all requests that it brought, and their answers, which leave at its end.

An answer that is sent at once wakes its reader, each time; and who asks for the time, the age of the copy and the lines
of the server for every request asks for the same again and again. Together that was a fifth of a page.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from portal.scan_log import Scan
from portal.snapshot import Snapshot

_log = structlog.get_logger("portal")
Pieces = tuple[bytes, ...]


@dataclass(slots=True)
class Turn:
    """A turn begins with its first request; all that it brought had arrived by then."""

    now: datetime
    at: float
    """On the clock of the loop."""
    snapshot: Snapshot | None
    """The copy of which ``portal.near`` knows answers, when it is in use and confirmed."""
    told: datetime | None
    """The time of its confirmation, as pages tell it."""
    first_lines: dict[int, bytes] = field(default_factory=dict)
    """By status."""
    answers: list[tuple[asyncio.Transport, Pieces]] = field(default_factory=list)
    openings: list[Scan] = field(default_factory=list)

    def send(self) -> None:
        """Send what was answered so far, in that order."""
        answers, self.answers = self.answers, []
        for transport, pieces in answers:
            if not transport.is_closing():
                try:
                    transport.writelines(pieces)
                except Exception:  # noqa: BLE001 - one connection must not take the answers of the others with it
                    _log.exception("an answer was not sent")
                    transport.abort()
