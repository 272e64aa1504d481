"""A large world on record without telling every event of it: the first block is told, the others are copied from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from ledger.codes import KeyRing
from load_tests.world import answer_key, copy_store, recording, telling
from load_tests.world.blocks import stage_in, world_in_blocks
from load_tests.world.checking import Checked, marked
from runtime.clock import Clock
from runtime.database import DatabaseAddress, transaction


@dataclass(frozen=True, slots=True)
class Copied:
    """A world on record: how many blocks and events it has, and the last question asked of some of its blocks."""

    blocks: int
    events: int
    checked: tuple[Checked, ...]


async def put_down(
    conn: AsyncConnection,
    address: DatabaseAddress,
    name: str,
    units: int,
    seed: int,
    *,
    by: str,
    clock: Clock,
    keys: KeyRing,
    tell: Callable[[str], None],
) -> Copied:
    """Put about so many units of a world into an empty ledger; the first, the middle and the last block are marked.

    Raises ``LedgerNotEmpty``, ``UnknownWorld`` and ``BlocksOutOfRange``.
    """
    scenario, blocks = world_in_blocks(name, units, seed)
    await copy_store.require_empty(address)
    await recording.put_on_record(conn, scenario.world)
    events = await telling.tell(conn, recording.record(scenario.world.deeds), by=by, clock=clock, keys=keys)
    tell(f"world {name}: {blocks:,} blocks of {events:,} events, all but the first copied …")
    events += await copy_store.multiply(address, scenario, blocks)
    checked = []
    for block in sorted({0, blocks // 2, blocks - 1}):
        stage = stage_in(scenario.last, block)
        async with transaction(conn):
            answer = await answer_key.ask(conn, stage.starts, stage.key.all_lots)
        checked.append(marked(name, f"{stage.name}, block {block + 1:,}", stage, answer))
    return Copied(blocks, events, tuple(checked))
