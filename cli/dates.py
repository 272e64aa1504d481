"""Dates and instants as people type them."""

from __future__ import annotations

from datetime import date, datetime

from runtime.refusals import Invalid


class DateUnreadable(Invalid):
    """{text} is not a date. Write it as 2026-12-31."""


class InstantUnreadable(Invalid):
    """{text} is not an instant. Write 2026-12-31 or 2026-12-31T08:30:00+01:00."""


def read_date(text: str) -> date:
    """``2026-12-31`` or ``20261231``; raises ``DateUnreadable``."""
    for form in ("%Y-%m-%d", "%Y%m%d"):
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 - a calendar date has no zone
        except ValueError:
            continue
    raise DateUnreadable(text=text)


def read_instant(text: str) -> datetime:
    """An ISO 8601 instant; without an offset it is in the zone of this machine. Raises ``InstantUnreadable``."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise InstantUnreadable(text=text) from error
    return instant if instant.tzinfo else instant.astimezone()
