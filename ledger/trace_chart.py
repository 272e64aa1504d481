"""What the picture of a trace shows: boxes in layers from suppliers (left) to holders (right), and the lines between.

Up to ``BOXES_MAX`` things each has a box of its own. Beyond it each layer keeps its most important ones, recalled lots
first and then the largest, and the rest of each product (of each channel) becomes one box that says what it holds: no
thing is left out of the picture, and the boxes never grow beyond what a person can read. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

BOXES_MAX: Final = 300
"""Most boxes before things are shown together."""
KEPT_MAX: Final = 20
"""Things of one layer that keep a box of their own when the picture is collapsed."""
GROUPS_MAX: Final = 12
"""Most boxes of things shown together in one layer; the smallest groups become one."""

Kind = Literal["supplier", "raw", "lot", "start", "holder", "more"]
Key = tuple[Hashable, ...]
Link = tuple[Key, Key]


_DIGITS = re.compile(r"[0-9]+")
_LONGEST_NUMBER: Final = 20


@dataclass(frozen=True, slots=True)
class Box:
    """One box. ``items`` are pieces (None = not counted); ``holds`` is of how many things it stands for.

    ``recalled`` is how many of them are under recall. ``group`` is what it is shown together with: the product of
    a lot, the channel of a holder.
    """

    key: Key
    kind: Kind
    layer: int
    title: str
    subtitle: str
    group: str
    items: int | None = None
    recalled: int = 0
    possible: bool = False
    holds: int = 1
    of: Kind = "lot"


@dataclass(frozen=True, slots=True)
class Chart:
    """Boxes by layer, left to right, and lines between their keys; ``things`` is how many things all boxes hold."""

    layers: tuple[tuple[Box, ...], ...]
    lines: tuple[Link, ...]
    things: int = 0
    shown: Mapping[Key, Box] = field(default_factory=dict)


def chart_of(answer: Mapping[str, Any], links: Iterable[Link]) -> Chart:
    """The chart of a trace answer; ``links`` are from lot to lot and from lot to holder, by the keys of the boxes."""
    boxes = list(_boxes(answer))
    by_layer: dict[int, list[Box]] = {}
    for box in boxes:
        by_layer.setdefault(box.layer, []).append(box)
    stands_for: dict[Key, Key] = {}
    layers: list[tuple[Box, ...]] = []
    for number in sorted(by_layer):
        shown = sorted(by_layer[number], key=_importance)
        if len(boxes) > BOXES_MAX:
            shown = _collapsed(number, shown, stands_for)
        layers.append(tuple(shown))
    keys = {box.key for box in boxes}
    every = [*links, *_supplier_links(answer)]
    met = ((stands_for.get(a, a), stands_for.get(b, b)) for a, b in every if a in keys and b in keys)
    lines = tuple(dict.fromkeys(link for link in met if link[0] != link[1]))
    return Chart(_untangled(layers, lines), lines, len(boxes), {box.key: box for layer in layers for box in layer})


def lot_key(gtin: str, lot: str) -> Key:
    return ("lot", gtin, lot)


def holder_key(owner: str, place: str) -> Key:
    return ("holder", owner, place)


def _boxes(answer: Mapping[str, Any]) -> Iterable[Box]:
    seen: set[Key] = set()
    starts = {lot_key(lot["gtin"], lot["lot"]) for lot in answer["starts"]}
    items = {lot_key(lot["gtin"], lot["lot"]): lot["items"] for lot in answer["downstream"]["lots"]}
    up, down = answer["upstream"]["lots"], answer["downstream"]["lots"]
    named: list[tuple[Any, int, Kind]] = [(lot, 0, "start") for lot in answer["starts"]]
    named += [(lot, -len(lot["path"]), "raw" if lot["raw"] else "lot") for lot in up if lot["path"]]
    named += [(lot, len(lot["path"]), "lot") for lot in down if lot["path"]]
    for lot, layer, kind in named:
        key = lot_key(lot["gtin"], lot["lot"])
        if key not in seen and (kind == "start" or key not in starts):
            seen.add(key)
            possible = lot.get("basis") == "possible"
            yield Box(key, kind, layer, lot["lot"] or "?", lot["product"], lot["product"], items.get(key),
                      int(lot["recalled"]), possible, of="lot")  # fmt: skip
    left = min((layer for _lot, layer, _kind in named), default=0) - 1
    right = max((layer for _lot, layer, _kind in named), default=0) + 1
    for name in dict.fromkeys(lot["supplier"] for lot in up if lot["supplier"]):
        yield Box(("supplier", name), "supplier", left, name, "", "", of="supplier")
    for row in answer["holders"]:
        key = holder_key(row["owner"]["name"], row["place"]["name"])
        yield Box(key, "holder", right, row["owner"]["name"], row["place"]["name"], row["channel"] or "",
                  row["items"], of="holder")  # fmt: skip


def _supplier_links(answer: Mapping[str, Any]) -> Iterable[Link]:
    for lot in answer["upstream"]["lots"]:
        if lot["supplier"]:
            yield ("supplier", lot["supplier"]), lot_key(lot["gtin"], lot["lot"])


def _importance(box: Box) -> tuple[bool, bool, int, str, str]:
    return box.kind != "start", not box.recalled, -(box.items or 0), box.subtitle, _counting(box.title)


def _counting(title: str) -> str:
    """A name by which C2 stands before C10."""
    return _DIGITS.sub(lambda digits: digits[0].zfill(_LONGEST_NUMBER), title)


def _collapsed(layer: int, boxes: Sequence[Box], stands_for: dict[Key, Key]) -> list[Box]:
    """The first of a layer as they are, the rest of each group as one box."""
    if len(boxes) <= KEPT_MAX:
        return list(boxes)
    groups: dict[tuple[Kind, str], list[Box]] = {}
    for box in boxes[KEPT_MAX:]:
        groups.setdefault((box.of, box.group), []).append(box)
    ranked = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    if len(ranked) > GROUPS_MAX:
        rest = [box for _key, its in ranked[GROUPS_MAX - 1 :] for box in its]
        ranked = [*ranked[: GROUPS_MAX - 1], ((rest[0].of, ""), rest)]
    shown = list(boxes[:KEPT_MAX])
    for place, ((of, group), its) in enumerate(ranked):
        key: Key = ("more", layer, place)
        stands_for.update({box.key: key for box in its})
        counted = [box.items for box in its if box.items is not None]
        shown.append(
            Box(key, "more", layer, "", group, group, sum(counted) if counted else None,
                sum(box.recalled for box in its), all(box.possible for box in its), len(its), of)
        )  # fmt: skip
    return shown


def _untangled(layers: Sequence[tuple[Box, ...]], lines: Sequence[Link]) -> tuple[tuple[Box, ...], ...]:
    """Each layer ordered by the middle of what leads to it, so that lines cross less."""
    into: dict[Key, list[Key]] = {}
    for a, b in lines:
        into.setdefault(b, []).append(a)
    rank: dict[Key, float] = {}
    result = []
    for boxes in layers:
        height = max(len(boxes) - 1, 1)
        middle = {}
        for place, box in enumerate(boxes):
            ranks = [rank[source] for source in into.get(box.key, ()) if source in rank]
            middle[box.key] = sum(ranks) / len(ranks) if ranks else place / height
        ordered = sorted(boxes, key=lambda box: (box.kind == "more", middle[box.key]))
        rank.update({box.key: place / height for place, box in enumerate(ordered)})
        result.append(tuple(ordered))
    return tuple(result)
