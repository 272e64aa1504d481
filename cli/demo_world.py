"""A world with an answer key, told to an installation: every question of its story is asked, and the answer marked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from cli.installation import Installation
from ledger import codes
from runtime.clock import system_clock
from runtime.database import transaction
from runtime.refusals import NotFound

BY = "demo"


class WorldsNotHere(NotFound):
    """The worlds are part of the source tree and not of an installed package. Run this in a checkout of Tracemark."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question that the story asks, and how the ledger's answer compares with the truth. Amounts are of goods."""

    name: str
    lots: int
    goods: int
    missed: int
    extra: int
    is_exact: bool


@dataclass(frozen=True, slots=True)
class WorldTold:
    """What was told, and every question in order of time."""

    world: str
    units: int
    seed: int
    events: int
    questions: tuple[Question, ...]


async def tell_world(
    conn: AsyncConnection, installation: Installation, name: str, units: int, seed: int, tell: Callable[[str], None]
) -> WorldTold:
    """Make the world of this name and tell it to the ledger, which must hold no other, asking as the story goes on.

    A world of more units than one block can have (``scenarios.UNITS_MAX``) is made of blocks of a thousand, of which
    the first is told and the others are copied.

    Raises ``UnknownWorld`` (which names those there are), ``UnitsOutOfRange``, ``BlocksOutOfRange`` and
    ``WorldsNotHere``.
    """
    try:
        from load_tests.world import answer_key, recording, scenarios, telling
    except ModuleNotFoundError as error:
        raise WorldsNotHere() from error
    if units > scenarios.UNITS_MAX:
        return await _copied(conn, installation, name, units, seed, tell)
    scenario = scenarios.build(name, units, seed)
    tell(f"world {name}: {len(scenario.world.deeds):,} events …")
    async with transaction(conn):
        keys = await codes.ensure_key(conn, installation.master_secret, clock=system_clock)
    await recording.put_on_record(conn, scenario.world)
    events = recording.record(scenario.world.deeds)
    questions: list[Question] = []
    told = 0
    for stage in scenario.stages:
        await telling.tell(conn, events[told : stage.deeds], by=BY, clock=system_clock, keys=keys)
        told = stage.deeds
        async with transaction(conn):
            answer = await answer_key.ask(conn, stage.starts, stage.key.all_lots)
        marks = answer_key.score(stage.key, answer)
        goods = sum(stage.key.held.values())
        questions.append(Question(stage.name, len(stage.key.lots), goods, marks.missed, marks.extra, marks.is_exact))
        tell(
            f"{stage.name}: {len(stage.key.lots)} lots, {goods:,} of goods are affected; "
            f"the ledger missed {marks.missed:,} and named {marks.extra:,} too many"
        )
    return WorldTold(name, units, seed, told, tuple(questions))


async def _copied(
    conn: AsyncConnection, installation: Installation, name: str, units: int, seed: int, tell: Callable[[str], None]
) -> WorldTold:
    from load_tests.world import copying

    async with transaction(conn):
        keys = await codes.ensure_key(conn, installation.master_secret, clock=system_clock)
    copied = await copying.put_down(
        conn, installation.address, name, units, seed, by=BY, clock=system_clock, keys=keys, tell=tell
    )
    questions = (Question(c.question, c.lots, c.goods, c.missed, c.extra, c.is_right) for c in copied.checked)
    return WorldTold(name, units, seed, copied.events, tuple(questions))
