"""Jurisdiction profiles: what a law asks of a recall, as versioned data with its source and how surely we know it.

A profile is a TOML file in ``profiles/``. A case takes one version when it is opened and keeps that content, so that a
later edition of the file changes new cases only. ``Mark`` says how a rule came here: nothing that is UNVERIFIED may be
printed as a statement of the law; it is shown to staff, marked, to be read in the official text.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from recall.rules_refusals import ProfileNotKnown, ProfileNotUsable

FOLDER: Final = Path(__file__).with_name("profiles")
LANGUAGES: Final = ("en", "zh")


class Mark(StrEnum):
    """How surely a rule is known: read in the official text, in a secondary source, or not read again yet."""

    CHECKED = "checked"
    SECONDARY = "secondary"
    UNVERIFIED = "unverified"


class Unit(StrEnum):
    """What a span of time is counted in. Working days follow the profile's calendar."""

    HOURS = "hours"
    DAYS = "days"
    WORKING_DAYS = "working days"
    MONTHS = "months"


@dataclass(frozen=True, slots=True)
class Span:
    """So many of a unit; 0 hours is "at once"."""

    count: int
    unit: Unit

    def __str__(self) -> str:
        return f"{self.count} {self.unit}" if self.count else "at once"


@dataclass(frozen=True, slots=True)
class Calendar:
    """Which days are worked: ``time_zone`` (IANA), days off of the week (1 = Monday), and single days besides."""

    time_zone: str
    week_off: frozenset[int]
    off: frozenset[date]
    worked: frozenset[date]


@dataclass(frozen=True, slots=True)
class Duty:
    """Something to be done by a time. ``starts`` is the event of the case that its clock starts with.

    ``within`` is counted from there; a duty with ``every`` comes again until the event ``until`` (a report).
    ``classes`` are the hazard classes (China: levels) that it is asked for.
    """

    name: str
    titles: Mapping[str, str]
    clause: str
    mark: Mark
    starts: str
    classes: tuple[int, ...]
    within: Span | None
    every: Span | None
    until: str


@dataclass(frozen=True, slots=True)
class Banned:
    """A phrase (regular expression) that a notice under this profile must not have, and why."""

    language: str
    pattern: str
    why: str


@dataclass(frozen=True, slots=True)
class NoticeRules:
    """What a notice must have. ``headings`` by language, word for word; ``required`` are elements of ``wording``."""

    headings: Mapping[str, str]
    letter_headings: Mapping[str, str]
    required: tuple[str, ...]
    banned: tuple[Banned, ...]
    remedies_min: int


@dataclass(frozen=True, slots=True)
class Profile:
    """One version of a profile. ``effective_on`` is None where the day is not known: it is then only taken by name."""

    name: str
    version: str
    titles: Mapping[str, str]
    effective_on: date | None
    effective_mark: Mark
    mark: Mark
    sources: tuple[Mapping[str, str], ...]
    calendar: Calendar
    duties: tuple[Duty, ...]
    notice: NoticeRules
    content: Mapping[str, Any]

    @property
    def key(self) -> str:
        """``name/version``."""
        return f"{self.name}/{self.version}"

    @property
    def unverified(self) -> tuple[Duty, ...]:
        """The duties that are to be read again in the official text."""
        return tuple(duty for duty in self.duties if duty.mark is Mark.UNVERIFIED)


Catalogue = Mapping[str, Profile]


@cache
def shipped() -> Catalogue:
    """The profiles that come with the product, by ``name/version``."""
    return load(FOLDER)


def load(folder: Path) -> Catalogue:
    """All profiles of a folder; raises ``ProfileNotUsable``."""
    found = {}
    for path in sorted(folder.glob("*.toml")):
        profile = read(tomllib.loads(path.read_text(encoding="utf-8")))
        found[profile.key] = profile
    return MappingProxyType(found)


def choose(catalogue: Catalogue, wanted: str, on: date) -> Profile:
    """The version that is named, or of ``wanted`` the newest that is in force on a day; raises ``ProfileNotKnown``."""
    if wanted in catalogue:
        return catalogue[wanted]
    in_force = [
        (profile.effective_on, profile)
        for profile in catalogue.values()
        if profile.name == wanted and profile.effective_on is not None and profile.effective_on <= on
    ]
    if not in_force:
        raise ProfileNotKnown(wanted=wanted, on=on, known=", ".join(catalogue))
    return max(in_force, key=lambda pair: pair[0])[1]


def read(content: Mapping[str, Any]) -> Profile:
    """A profile from its data, as it stands in a file or was kept with a case. Raises ``ProfileNotUsable``."""
    name = str(content.get("profile", "?"))
    try:
        classes = tuple(content["classes"])
        effective = content.get("effective_on")
        return Profile(
            name, str(content["version"]), _both(content["title"]),
            date.fromisoformat(effective) if isinstance(effective, str) else effective,
            Mark(content["effective_mark"]), Mark(content["mark"]),
            tuple(content["source"]), _calendar(content["calendar"]),
            tuple(_duty(each, classes) for each in content.get("duty", ())), _notice(content["notice"]), content,
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise ProfileNotUsable(name=name, problem=repr(error)) from error


def _duty(told: Mapping[str, Any], classes: tuple[int, ...]) -> Duty:
    duty = Duty(
        told["name"], _both(told["title"]), told["clause"], Mark(told["mark"]), told["starts"],
        tuple(told.get("classes", classes)), _span(told.get("within")), _span(told.get("every")), told.get("until", ""),
    )  # fmt: skip
    if duty.every is not None and not duty.until:
        raise ValueError(f"{duty.name}: what comes again needs an end (until)")
    return duty


def _notice(told: Mapping[str, Any]) -> NoticeRules:
    banned = tuple(Banned(each["language"], each["pattern"], each["why"]) for each in told.get("banned", ()))
    for each in banned:
        re.compile(each.pattern)
    return NoticeRules(
        _both(told["heading"]), _both(told.get("letter_heading", told["heading"])), tuple(told["required"]), banned,
        int(told.get("remedies_min", 0)),
    )  # fmt: skip


def _calendar(told: Mapping[str, Any]) -> Calendar:
    return Calendar(
        told["time_zone"], frozenset(told["week_off"]), frozenset(map(_day, told.get("off", ()))),
        frozenset(map(_day, told.get("worked", ()))),
    )  # fmt: skip


def _day(told: date | str) -> date:
    return date.fromisoformat(told) if isinstance(told, str) else told


def _span(told: str | None) -> Span | None:
    if told is None:
        return None
    if told == "at once":
        return Span(0, Unit.HOURS)
    count, _, unit = told.partition(" ")
    return Span(int(count), Unit(unit))


def _both(told: Mapping[str, str]) -> Mapping[str, str]:
    return {language: told[language] for language in LANGUAGES}
