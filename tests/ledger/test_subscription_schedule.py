"""When a subscription is due."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ledger.subscription_schedule import ScheduleNotUsable, next_after, read_schedule

TUESDAY = datetime(2026, 11, 24, 9, 5, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("told", "due"),
    [
        ({"second": "0,30"}, "2026-11-24T09:05:30"),
        ({"second": "7"}, "2026-11-24T09:06:07"),
        ({"minute": "0"}, "2026-11-24T10:00:00"),
        ({"minute": "[5-7],50"}, "2026-11-24T09:06:00"),
        ({"hour": "3", "minute": "15"}, "2026-11-25T03:15:00"),
        ({"dayOfWeek": "1", "hour": "8", "minute": "0"}, "2026-11-30T08:00:00"),
        ({"dayOfMonth": "31", "hour": "0", "minute": "0"}, "2026-12-31T00:00:00"),
        ({"dayOfMonth": "29", "month": "2", "hour": "23", "minute": "59", "second": "59"}, "2028-02-29T23:59:59"),
        ({"dayOfMonth": "1", "dayOfWeek": "[6-7]", "hour": "0", "minute": "0"}, "2027-05-01T00:00:00"),
    ],
)
def test_a_schedule_is_due_at_the_next_instant_that_fits_every_field(told: dict[str, str], due: str) -> None:
    assert next_after(read_schedule(told), TUESDAY) == datetime.fromisoformat(due).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"minutes": "0"},
        {"minute": ""},
        {"minute": "60"},
        {"minute": "-1"},
        {"minute": "[10-5]"},
        {"minute": "5-10"},
        {"minute": "*/5"},
        {"minute": 5},
        {"hour": "24"},
        {"dayOfMonth": "0"},
        {"dayOfWeek": "8"},
        {"minute": "1," * 300 + "1"},
        {"dayOfMonth": "30", "month": "2"},
    ],
)
def test_a_schedule_that_says_nothing_that_can_be_due_is_refused(told: dict[str, Any]) -> None:
    with pytest.raises(ScheduleNotUsable):
        read_schedule(told)
