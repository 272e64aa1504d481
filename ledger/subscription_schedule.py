"""When a subscription is due: the query schedule of EPCIS 2.0 (8.2.5.3), in UTC. Pure.

Each field is a list of numbers and ranges in brackets (``0,15,[30-45]``); one that is left out lets every value pass,
but ``second``, which is then 0: who writes ``{"minute": "0"}`` means once an hour, not sixty times. What is due is
looked for once a minute.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from runtime.refusals import Invalid

YEARS_AHEAD_MAX: Final = 28
"""A schedule that is not due within so many years (a whole cycle of leap years and weekdays) never is."""
FIELD_CHARACTERS_MAX: Final = 400
"""Longest list of one field."""

_BOUNDS: Final[Mapping[str, tuple[int, int]]] = {
    "second": (0, 59),
    "minute": (0, 59),
    "hour": (0, 23),
    "dayOfMonth": (1, 31),
    "month": (1, 12),
    "dayOfWeek": (1, 7),
}
_ELEMENT: Final = re.compile(r"([0-9]{1,2})|\[([0-9]{1,2})-([0-9]{1,2})\]")


class ScheduleNotUsable(Invalid):
    """The schedule cannot be used: {problem}."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """The values of each field, in order; Monday is 1."""

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days_of_month: tuple[int, ...]
    months: tuple[int, ...]
    days_of_week: tuple[int, ...]


def read_schedule(told: Mapping[str, Any]) -> Schedule:
    """Read the fields; raises ``ScheduleNotUsable`` for what is no list, out of bounds, or never due."""
    unknown = sorted(set(told) - set(_BOUNDS))
    if unknown or not told:
        what = f"{unknown[0][:40]!r} is no field" if unknown else "it has no field"
        raise ScheduleNotUsable(problem=f"{what}; its fields are {', '.join(_BOUNDS)}")
    schedule = Schedule(*(_values(name, told.get(name, "0" if name == "second" else None)) for name in _BOUNDS))
    next_after(schedule, datetime(2024, 1, 1, tzinfo=UTC))
    return schedule


def next_after(schedule: Schedule, instant: datetime) -> datetime:
    """The first time later than ``instant`` at which it is due; raises ``ScheduleNotUsable`` when there is none."""
    first = instant.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
    day = first.replace(hour=0, minute=0, second=0)
    for _ in range(YEARS_AHEAD_MAX * 366):
        if _is_a_day_of(schedule, day):
            found = _in_the_day(schedule, max(first, day))
            if found is not None:
                return found
        day += timedelta(days=1)
    raise ScheduleNotUsable(problem="there is no such day")


def _is_a_day_of(schedule: Schedule, day: datetime) -> bool:
    return (
        day.month in schedule.months and day.day in schedule.days_of_month and day.isoweekday() in schedule.days_of_week
    )


def _in_the_day(schedule: Schedule, earliest: datetime) -> datetime | None:
    for hour in schedule.hours:
        if hour < earliest.hour:
            continue
        for minute in schedule.minutes:
            if (hour, minute) < (earliest.hour, earliest.minute):
                continue
            for second in schedule.seconds:
                if (hour, minute, second) >= (earliest.hour, earliest.minute, earliest.second):
                    return earliest.replace(hour=hour, minute=minute, second=second)
    return None


def _values(name: str, told: Any) -> tuple[int, ...]:
    low, high = _BOUNDS[name]
    if told is None:
        return tuple(range(low, high + 1))
    if not isinstance(told, str) or len(told) > FIELD_CHARACTERS_MAX:
        raise ScheduleNotUsable(problem=f"{name} has to be a text such as 0,15,[30-45]")
    found: set[int] = set()
    for element in told.split(","):
        match = _ELEMENT.fullmatch(element.strip())
        if match is None:
            raise ScheduleNotUsable(problem=f"{element[:20]!r} in {name} is neither a number nor a range such as [1-5]")
        first = int(match[1] or match[2])
        last = int(match[1] or match[3])
        if not low <= first <= last <= high:
            raise ScheduleNotUsable(problem=f"{element[:20]!r} in {name} is not within {low} to {high}")
        found.update(range(first, last + 1))
    return tuple(sorted(found))
