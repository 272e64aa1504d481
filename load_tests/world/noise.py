"""What goes wrong between what is done and what arrives: events lost, late, told twice, or told wrong.

Late, out of order and twice keeps every fact, so the answer must not change. Lost and wrong facts change it: then the
answer has to say what it lacks.
"""

from __future__ import annotations

import copy
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from load_tests.world.recording import Event
from runtime.clock import rfc3339

_QUANTITIES: Final = ("quantityList", "inputQuantityList", "outputQuantityList", "childQuantityList")
_SKEW_MINUTES_MAX: Final = 600


@dataclass(frozen=True, slots=True)
class Noise:
    """Each is the share of events that it befalls, from 0 to 1.

    ``late_packing`` is of the aggregations only: they arrive after everything else. ``skew`` puts the clock of an event
    up to ten hours wrong. ``wrong_unit`` tells grams where kilograms were meant.
    """

    drop: float = 0.0
    delay: float = 0.0
    duplicate: float = 0.0
    skew: float = 0.0
    wrong_unit: float = 0.0
    swapped_lot: float = 0.0
    late_packing: float = 0.0


LATE_AND_TWICE: Final = Noise(delay=0.3, duplicate=0.2, late_packing=0.5)
"""Keeps every fact."""
BROKEN: Final = Noise(drop=0.02, delay=0.1, duplicate=0.05, skew=0.02, wrong_unit=0.02, swapped_lot=0.02)
"""Broken data as it is met: one event in fifty lost, one in fifty of each wrong."""


@dataclass(frozen=True, slots=True)
class Spoilt:
    """The events in the order in which they arrive. ``done`` counts by kind, ``dropped`` are those that never do."""

    events: tuple[Event, ...]
    dropped: tuple[Event, ...]
    done: dict[str, int]


def spoil(events: Sequence[Event], noise: Noise, seed: int) -> Spoilt:
    """Spoil events; the same seed always spoils the same ones in the same way."""
    chance = random.Random(seed)
    done = Counter[str]()
    lots = _lots_by_gtin(events)
    arrivals: list[tuple[float, int, Event]] = []
    dropped: list[Event] = []
    for number, event in enumerate(events):
        if chance.random() < noise.drop:
            dropped.append(event)
            continue
        told = _told_wrong(event, noise, chance, lots, done)
        arrives = float(number)
        if told["type"] == "AggregationEvent" and chance.random() < noise.late_packing:
            arrives = 2.0 * len(events) + number
            done["late packing"] += 1
        elif chance.random() < noise.delay:
            arrives += chance.uniform(1, len(events))
            done["delay"] += 1
        arrivals.append((arrives, number, told))
        if chance.random() < noise.duplicate:
            arrivals.append((arrives + chance.uniform(0, len(events)), number, told))
            done["duplicate"] += 1
    done["drop"] = len(dropped)
    arrivals.sort(key=lambda each: each[:2])
    return Spoilt(tuple(event for _, _, event in arrivals), tuple(dropped), dict(done))


def shuffled(events: Sequence[Event], seed: int) -> list[Event]:
    """The same events in any order."""
    mixed = list(events)
    random.Random(seed).shuffle(mixed)
    return mixed


def clone(event: Event, item: str, place: str, hours: float) -> Event:
    """The sale of a copy: ``item`` is seen at another place ``hours`` after this event."""
    at = rfc3339(datetime.fromisoformat(event["eventTime"]) + timedelta(hours=hours))
    kept = {key: value for key, value in event.items() if key not in ("quantityList", "sourceList", "destinationList")}
    return {
        **kept, "eventID": f"{event['eventID']}:{hours:g}", "eventTime": at, "epcList": [item],
        "bizLocation": {"id": place},
    }  # fmt: skip


def _told_wrong(
    event: Event, noise: Noise, chance: random.Random, lots: dict[str, list[str]], done: Counter[str]
) -> Event:
    told = copy.deepcopy(event)
    if chance.random() < noise.skew:
        minutes = chance.randint(-_SKEW_MINUTES_MAX, _SKEW_MINUTES_MAX)
        told["eventTime"] = rfc3339(datetime.fromisoformat(told["eventTime"]) + timedelta(minutes=minutes))
        done["skew"] += 1
    if chance.random() < noise.wrong_unit:
        done["wrong unit"] += _in_grams(told)
    if chance.random() < noise.swapped_lot:
        done["swapped lot"] += _swap_lot(told, lots, chance)
    return told


def _quantities(event: Event) -> Iterator[dict[str, Any]]:
    for key in _QUANTITIES:
        yield from event.get(key, ())


def _lots_by_gtin(events: Sequence[Event]) -> dict[str, list[str]]:
    lots: dict[str, set[str]] = {}
    for event in events:
        for each in _quantities(event):
            lots.setdefault(each["epcClass"].rsplit("/10/", 1)[0], set()).add(each["epcClass"])
    return {product: sorted(names) for product, names in lots.items()}


def _in_grams(event: Event) -> int:
    """How many quantities were told in grams instead of kilograms: all of the event, or none."""
    weighed = [each for each in _quantities(event) if each.get("uom") == "KGM"]
    for each in weighed:
        each["uom"] = "GRM"
    return bool(weighed)


def _swap_lot(event: Event, lots: dict[str, list[str]], chance: random.Random) -> int:
    """Whether the first lot of the event was told as another lot of the same product."""
    for each in _quantities(event):
        others = [name for name in lots[each["epcClass"].rsplit("/10/", 1)[0]] if name != each["epcClass"]]
        if others:
            each["epcClass"] = chance.choice(others)
            return 1
    return 0
