"""Every world told to one ledger, every question of its story asked, and every answer marked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from ledger.codes import KeyRing
from load_tests.world import answer_key, recording, telling
from load_tests.world.answer_key import Answer
from load_tests.world.blocks import deed_in, stage_in
from load_tests.world.scenarios import SCENARIOS, build
from load_tests.world.stages import Stage
from runtime.clock import Clock
from runtime.database import transaction

ALL: Final = "all"
WIDE_BY_NATURE: Final = frozenset({"S10-plug"})
"""Told as mixed although it flowed in order: the answer has to reach what mixing would, and miss nothing."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One question and its answer's marks. ``missed`` and ``extra`` are of goods; ``is_right``: as it has to be."""

    world: str
    question: str
    lots: int
    goods: int
    missed: int
    extra: int
    missed_lots: int
    extra_lots: int
    is_right: bool


def worlds_of(name: str) -> Iterator[tuple[int, str]]:
    """The worlds of this name, or all, each with the number of the block that is its own."""
    return ((block, each) for block, each in enumerate(SCENARIOS) if name in (ALL, each))


async def check(
    conn: AsyncConnection,
    worlds: Iterable[tuple[int, str]],
    units: int,
    seed: int,
    *,
    by: str,
    clock: Clock,
    keys: KeyRing,
) -> list[Checked]:
    """Tell these worlds, each in a block of its own so that none touches another, and mark every answer."""
    found = []
    for block, name in worlds:
        scenario = build(name, units, seed)
        await recording.put_on_record(conn, scenario.world)
        deeds = [deed_in(deed, block) for deed in scenario.world.deeds]
        told = 0
        for first in scenario.stages:
            stage = stage_in(first, block)
            events = recording.record(deeds[: stage.deeds], since=told, block=block)
            await telling.tell(conn, events, by=by, clock=clock, keys=keys)
            told = stage.deeds
            async with transaction(conn):
                answer = await answer_key.ask(conn, stage.starts, stage.key.all_lots)
            found.append(marked(name, stage.name, stage, answer))
    return found


def marked(world: str, question: str, stage: Stage, answer: Answer) -> Checked:
    """The marks of an answer to the question of a stage."""
    marks = answer_key.score(stage.key, answer)
    misses_nothing = not (marks.missed or marks.missed_lots or marks.missed_items)
    return Checked(
        world, question, len(stage.key.lots), sum(stage.key.held.values()), marks.missed, marks.extra,
        len(marks.missed_lots), len(marks.extra_lots),
        marks.is_exact or (world in WIDE_BY_NATURE and misses_nothing),
    )  # fmt: skip
