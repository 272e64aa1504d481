"""What is inside cases and pallets, many in one statement; and how one of them is built up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from portal.live import CONTENTS_ROWS_MAX, CONTENTS_WITHIN_S, ContentsTooMany, Live
from portal.model import Content
from runtime.refusals import TooMany

DEPTH_MAX: Final = 10
"""Units inside of units inside of a unit: deeper ones are refused, not cut."""
NODES_MAX: Final = 200_000
"""Units and lines of one answer about how a unit is built up."""
_MANY = "SELECT sscc, known, lot_id, lo, n, quantity, uom FROM public_units_contents($1) LIMIT $2"
_TREE = (
    "SELECT unit_id, parent_id, depth, uri, sscc, lot_id, lo, n, quantity, uom FROM public_unit_tree($1, $2) LIMIT $3"
)


class UnitTooDeep(TooMany):
    """The unit {sscc} holds units in more than {depth_max} layers.
    A part is not told for the whole: ask about the units in it."""


class UnitTooLarge(TooMany):
    """The unit {sscc} holds more than {nodes_max} units and lots.
    A part is not told for the whole: ask about the units in it."""


@dataclass(frozen=True, slots=True)
class Inside:
    """What a unit holds now, to any depth. ``exists``: it was told of at some time."""

    exists: bool
    contents: tuple[Content, ...]


@dataclass(frozen=True, slots=True)
class Node:
    """One line of how a unit is built up: a unit, with what it holds of one lot itself (no lot: nothing itself)."""

    unit_id: int
    parent_id: int | None
    depth: int
    uri: str
    sscc: str | None
    content: Content | None


async def contents_of(live: Live, ssccs: Sequence[str]) -> Mapping[str, Inside | None]:
    """What each holds, by one statement; None where the database did not say in time, or all hold too much for one."""
    rows = await live.fetch(_MANY, list(ssccs), CONTENTS_ROWS_MAX + 1, within_s=_within(len(ssccs)))
    if rows is None or len(rows) > CONTENTS_ROWS_MAX:
        # Together they may be too much for the deadline, and one of them alone not.
        return {sscc: await _one(live, sscc) for sscc in ssccs} if rows is not None else dict.fromkeys(ssccs)
    held: dict[str, list[Content]] = {sscc: [] for sscc in ssccs}
    known: set[str] = set()
    for row in rows:
        known.add(row["sscc"])
        if row["lot_id"] is not None:
            held[row["sscc"]].append(
                Content(row["lot_id"], row["lo"], row["n"], float(row["quantity"] or 0), row["uom"] or "")
            )
    return {sscc: Inside(sscc in known, tuple(contents)) for sscc, contents in held.items()}


async def tree(live: Live, sscc: str) -> tuple[Node, ...] | None:
    """The unit and all in it, parents first. Empty: never told of. None: no answer in time.

    Raises ``UnitTooDeep``, ``UnitTooLarge``: a part of a pallet is not a pallet.
    """
    rows = await live.fetch(_TREE, sscc, DEPTH_MAX + 1, NODES_MAX + 1, within_s=CONTENTS_WITHIN_S)
    if rows is None:
        return None
    if len(rows) > NODES_MAX:
        raise UnitTooLarge(sscc=sscc, nodes_max=NODES_MAX)
    if any(row["depth"] > DEPTH_MAX for row in rows):
        raise UnitTooDeep(sscc=sscc, depth_max=DEPTH_MAX)
    return tuple(
        Node(
            row["unit_id"],
            row["parent_id"],
            row["depth"],
            row["uri"],
            row["sscc"],
            Content(row["lot_id"], row["lo"], row["n"], float(row["quantity"] or 0), row["uom"] or "")
            if row["lot_id"] is not None
            else None,
        )
        for row in rows
    )


async def _one(live: Live, sscc: str) -> Inside | None:
    try:
        contents = await live.contents(sscc)
    except ContentsTooMany:
        return None
    exists = True if contents else await live.unit_exists(sscc)
    return None if contents is None or exists is None else Inside(exists, contents)


def _within(units: int) -> float:
    """One unit's deadline, and a little for each of the others."""
    return CONTENTS_WITHIN_S + units * 0.02
