"""The parts of a rendering: which labels are made together, under which name, and what became of them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from labels.layout import Feed
from labels.model import LabelFormat
from labels.refusals import TooManyParts
from labels.render import archive

PART_LABELS: Final = 24_000
"""Labels of one part of a PDF or of a print file, unless a sheet needs a few less to end full."""
PART_CODES: Final = 1_000_000
"""Codes of one part of a code pack."""
PARTS_MAX: Final = 10_000

Pieces = Sequence[tuple[int, int]]
"""Labels from first to last, several times, rising."""
PartState = Literal["to_make", "made", "read_back", "delivered", "unknown", "void"]
RenderState = Literal["asked", "making", "made", "refused", "stopped", "cancelled"]

JOINED: Final = ("pdf", "zpl")
"""Formats whose parts can be joined to one file."""
SUFFIXES: Final = {"pdf": ".pdf", "zpl": ".zpl", "png": ".zip", "svg": ".zip", "codes": ".csv", "pack": ".zip"}


@dataclass(frozen=True, slots=True)
class Part:
    """Labels that are made, read back and handed over together. ``part`` counts from 1.

    ``made``: its codes stand in a file (a code pack has no symbols to read); ``read_back``: each of its symbols was
    read again; ``delivered``: its file was handed over; ``unknown``: handing it over broke off, so it may be printed.
    """

    part: int
    pieces: Pieces
    name: str
    state: PartState = "to_make"
    sha256: str | None = None
    bytes: int | None = None
    verified: int | None = None
    report: dict[str, Any] | None = None
    made_at: datetime | None = None
    given_to: str | None = None
    given_at: datetime | None = None

    @property
    def label_first(self) -> int:
        return self.pieces[0][0]

    @property
    def label_last(self) -> int:
        return self.pieces[-1][1]

    @property
    def labels(self) -> int:
        """How many they are."""
        return count(self.pieces)


@dataclass(frozen=True, slots=True)
class Render:
    """One request to make the labels of a job, and how far it is."""

    render_id: int
    job_id: int
    format: LabelFormat
    target: str
    in_parts: bool
    labels: int
    state: RenderState
    problem: str | None
    asked_by: str
    asked_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    start_cell: int
    right_mm: float
    down_mm: float
    recipe: dict[str, Any] | None = None
    """Of a pack: what the print house asked for (`labels.packs.recipe_of`)."""

    @property
    def feed(self) -> Feed:
        """How the sheets lie in the printer."""
        return Feed(self.start_cell, self.right_mm, self.down_mm)


def cut(
    pieces: Pieces, kind: LabelFormat, cells: int, stem: str, *, in_parts: bool, used_cells: int = 0,
    labels_max: int | None = None,
) -> list[Part]:  # fmt: skip
    """The parts of a rendering, each a number of whole sheets; ``TooManyParts`` beyond PARTS_MAX.

    A code pack and an archive are one part unless parts are asked for: nothing joins them afterwards. ``used_cells`` of
    the first sheet are taken; a part has at most ``labels_max`` labels, when that is fewer than the format's.
    """
    size = part_labels(kind, cells) if in_parts or kind in JOINED else count(pieces)
    if labels_max is not None and labels_max < size:
        size = max(1, labels_max // cells) * cells
    total = -(-(count(pieces) + used_cells) // size)
    if total > PARTS_MAX:
        raise TooManyParts(parts=total, parts_max=PARTS_MAX)
    if total == 1 and not in_parts:
        return [Part(1, tuple(pieces), stem + SUFFIXES[kind])]
    return [
        Part(number, chosen, f"{stem}-part-{number:04d}{SUFFIXES[kind]}")
        for number, chosen in enumerate(_cut(pieces, size, size - used_cells), 1)
    ]


def cut_lists(pieces: Pieces, per_list: int, suffix: str) -> list[Part]:
    """The lists of a pack, of ``per_list`` codes each; ``TooManyParts`` beyond PARTS_MAX."""
    total = -(-count(pieces) // per_list)
    if total > PARTS_MAX:
        raise TooManyParts(parts=total, parts_max=PARTS_MAX)
    if total == 1:
        return [Part(1, tuple(pieces), f"codes.{suffix}")]
    return [
        Part(number, chosen, f"roll-{number:05}.{suffix}")
        for number, chosen in enumerate(_cut(pieces, per_list, per_list), 1)
    ]


def part_labels(kind: LabelFormat, cells: int) -> int:
    """Labels of a whole part."""
    if kind == "codes":
        return PART_CODES
    if kind in JOINED:
        return PART_LABELS // cells * cells
    return archive.LABELS_MAX


def count(pieces: Pieces) -> int:
    """How many labels they are."""
    return sum(last - first + 1 for first, last in pieces)


def _cut(pieces: Pieces, size: int, room: int) -> Iterator[Pieces]:
    """Pieces of ``size`` labels, the first of ``room``."""
    chosen: list[tuple[int, int]] = []
    for first, last in pieces:
        at = first
        while at <= last:
            end = min(last, at + room - 1)
            chosen.append((at, end))
            room -= end - at + 1
            at = end + 1
            if not room:
                yield tuple(chosen)
                chosen, room = [], size
    if chosen:
        yield tuple(chosen)
