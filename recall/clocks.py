"""The clocks of a case: what its profile asks for, when it is due, and whether it was done. Pure.

Hours are counted through. Working days are the profile's: the day of the event does not count, and the last one ends at
midnight there. Which public holidays there are is data of the profile; a day that nobody named is a plain weekday.
"""

from __future__ import annotations

import calendar as months
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from recall.profiles import Calendar, Duty, Profile, Span, Unit

DAYS_MAX: Final = 3_660
"""Beyond so many days a span of working days is a mistake in the profile."""


class ClockState(StrEnum):
    """Where a duty stands. ``waiting``: its event has not come; ``done_late`` was done after it was due."""

    WAITING = "waiting"
    RUNNING = "running"
    OVERDUE = "overdue"
    DONE = "done"
    DONE_LATE = "done_late"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened in a case: an event that starts clocks, or a duty that was done."""

    name: str
    at: datetime
    by: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class DutyClock:
    """One duty of one case. ``done`` is the last time it was done; a duty without ``due_at`` has no fixed time."""

    duty: Duty
    state: ClockState
    started_at: datetime | None
    due_at: datetime | None
    done: Fact | None
    times_done: int


def run(profile: Profile, hazard_class: int, facts: Sequence[Fact], now: datetime) -> tuple[DutyClock, ...]:
    """The clocks of all duties that this hazard class has, in the order of the profile."""
    first: dict[str, Fact] = {}
    for fact in sorted(facts, key=lambda each: each.at):
        first.setdefault(fact.name, fact)
    return tuple(
        _clock(
            duty, profile.calendar, first, sorted((f for f in facts if f.name == duty.name), key=lambda f: f.at), now
        )
        for duty in profile.duties
        if hazard_class in duty.classes
    )


def event_names(profile: Profile) -> tuple[str, ...]:
    """What may be told of a case: the events that start or end clocks, and the duties."""
    named = [name for duty in profile.duties for name in (duty.starts, duty.until, duty.name) if name]
    return tuple(dict.fromkeys(named))


def _clock(duty: Duty, calendar: Calendar, first: Mapping[str, Fact], done: Sequence[Fact], now: datetime) -> DutyClock:
    started = first.get(duty.starts)
    last = done[-1] if done else None
    if started is None:
        return DutyClock(duty, ClockState.DONE if last else ClockState.WAITING, None, None, last, len(done))
    if duty.every is not None:
        since = max(started.at, last.at) if last else started.at
        due_at: datetime | None = after(since, duty.every, calendar)
        ended = duty.until in first
        state = ClockState.ENDED if ended else _open(due_at, now)
        return DutyClock(duty, state, started.at, None if ended else due_at, last, len(done))
    due_at = None if duty.within is None else after(started.at, duty.within, calendar)
    if last is not None:
        late = due_at is not None and done[0].at > due_at
        return DutyClock(duty, ClockState.DONE_LATE if late else ClockState.DONE, started.at, due_at, last, len(done))
    return DutyClock(duty, _open(due_at, now), started.at, due_at, None, 0)


def _open(due_at: datetime | None, now: datetime) -> ClockState:
    return ClockState.OVERDUE if due_at is not None and now > due_at else ClockState.RUNNING


def after(start: datetime, span: Span, calendar: Calendar) -> datetime:
    """The instant at which ``span`` is over, counted from ``start``."""
    if span.unit is Unit.HOURS:
        return start + timedelta(hours=span.count)
    zone = ZoneInfo(calendar.time_zone)
    local = start.astimezone(zone)
    if span.unit is Unit.WORKING_DAYS:
        last = _working_day(local.date(), span.count, calendar)
        return datetime.combine(last + timedelta(days=1), time.min, zone).astimezone(start.tzinfo)
    if span.unit is Unit.MONTHS:
        return _same_day(local, span.count).astimezone(start.tzinfo)
    return datetime.combine(local.date() + timedelta(days=span.count), local.time(), zone).astimezone(start.tzinfo)


def is_worked(day: date, calendar: Calendar) -> bool:
    """Whether people work on this day: a day that is named wins over the day of the week."""
    if day in calendar.worked:
        return True
    return day not in calendar.off and day.isoweekday() not in calendar.week_off


def _working_day(day: date, count: int, calendar: Calendar) -> date:
    for _ in range(DAYS_MAX):
        if count == 0:
            return day
        day += timedelta(days=1)
        count -= is_worked(day, calendar)
    raise ValueError(f"no end of the span of working days within {DAYS_MAX} days")


def _same_day(local: datetime, count: int) -> datetime:
    """The same day of a later month, or its last day where there is no such day (31 January and a month)."""
    month = local.month - 1 + count
    year, month = local.year + month // 12, month % 12 + 1
    return local.replace(year=year, month=month, day=min(local.day, months.monthrange(year, month)[1]))
