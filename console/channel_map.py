"""The map of channels: from the plants through the channels to the owners, drawn by quantity. Pure.

A flow is as wide as its pieces; a box has the colour of what its owner has done. Of each channel the largest owners are
drawn one by one and the others as one box that says how many they are, so that three owners and three thousand are read
alike; the list under the picture has the same figures as text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from recall.notices import CHANNELS
from recall.responses_store import Recipient

OWNERS_DRAWN_MAX: Final = 6
"""Owners of one channel that get a box of their own; the others share one."""
WIDTH: Final = 860
_ROW: Final = 44
_GAP: Final = 14
_BOX: Final = 34
_FLOW_MAX: Final = 30.0
_FLOW_MIN: Final = 1.5
STANDINGS: Final = ("complete", "answered", "undelivered", "told", "waiting", "own", "several")
"""How far an owner has come; ``several`` is a box of owners who have come to different ends."""


@dataclass(frozen=True, slots=True)
class Box:
    """An owner, or with ``others`` so many of them together. ``top`` is the upper edge; ``flow`` a width in pixels."""

    name: str
    items: int
    standing: str
    others: int
    top: float
    flow: float


@dataclass(frozen=True, slots=True)
class ChannelBox:
    """A channel with its boxes."""

    channel: str
    items: int
    owners: int
    answered: int
    top: float
    flow: float
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Map:
    """The whole picture, in pixels."""

    items: int
    middle: float
    height: int
    channels: tuple[ChannelBox, ...]

    @property
    def width(self) -> int:
        return WIDTH


Owner = tuple[str, str]
"""Channel, and GLN or name."""


def standings(recipients: Iterable[Recipient]) -> dict[Owner, str]:
    """How far each owner has come; accounts that an owner named are its own matter and have no box."""
    return {(each.channel, each.gln or each.name): _standing(each) for each in recipients if each.parent_id is None}


def draw(by_owner: Sequence[Mapping[str, Any]], standing_by_owner: Mapping[Owner, str]) -> Map:
    """The map of ``by_owner`` (rows of the totals); without standings everybody waits."""
    total = sum(row["items"] for row in by_owner)
    top, channels = 0.0, []
    for channel in [*CHANNELS, *sorted({row["channel"] for row in by_owner} - {*CHANNELS})]:
        rows = [row for row in by_owner if row["channel"] == channel]
        if rows:
            channels.append(_channel(channel, rows, standing_by_owner, total, top))
            top += _ROW * len(channels[-1].boxes) + _GAP
    height = max(top - _GAP, _ROW)
    return Map(total, height / 2, round(height), tuple(channels))


def _channel(
    channel: str, rows: list[Mapping[str, Any]], standing_by_owner: Mapping[Owner, str], total: int, top: float
) -> ChannelBox:
    rows = sorted(rows, key=lambda row: (-row["items"], row["owner_name"]))
    told = [standing_by_owner.get(_owner(row), "own" if channel == "own" else "waiting") for row in rows]
    drawn = len(rows) if len(rows) <= OWNERS_DRAWN_MAX + 1 else OWNERS_DRAWN_MAX
    boxes = [
        Box(row["owner_name"], row["items"], standing, 0, top + _ROW * k, _flow(row["items"], total))
        for k, (row, standing) in enumerate(zip(rows[:drawn], told[:drawn], strict=True))
    ]
    if rows[drawn:]:
        items, ends = sum(row["items"] for row in rows[drawn:]), set(told[drawn:])
        standing = ends.pop() if len(ends) == 1 else "several"
        boxes.append(Box("", items, standing, len(rows) - drawn, top + _ROW * drawn, _flow(items, total)))
    items = sum(row["items"] for row in rows)
    middle = top + (_ROW * len(boxes) - _ROW) / 2
    answered = sum(standing in ("answered", "complete") for standing in told)
    return ChannelBox(channel, items, len(rows), answered, middle, _flow(items, total), tuple(boxes))


def _owner(row: Mapping[str, Any]) -> Owner:
    return row["channel"], row["owner_gln"] or row["owner_name"]


def _flow(items: int, total: int) -> float:
    return round(max(_FLOW_MIN, _FLOW_MAX * items / total), 1) if total and items else _FLOW_MIN


def _standing(recipient: Recipient) -> str:
    if recipient.complete:
        return "complete"
    if recipient.answered_at is not None:
        return "answered"
    if recipient.dead and not recipient.told:
        return "undelivered"
    return "told" if recipient.told else "waiting"
