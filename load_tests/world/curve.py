"""What each kind of noise costs: missed and extra goods, and what the gaps name, by rate.

Every point of the curve is a block of its own in one ledger, so they do not touch each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from ledger.codes import KeyRing
from load_tests.world import answer_key, noise, recording, telling
from load_tests.world.blocks import deed_in, lot_in, stage_in
from load_tests.world.noise import Noise
from load_tests.world.stages import Scenario
from runtime.clock import Clock
from runtime.database import transaction

KINDS: Final = tuple(field.name for field in fields(Noise))
RATES: Final = (0.0, 0.02, 0.1, 0.3)


@dataclass(frozen=True, slots=True)
class Point:
    """One kind of noise at one rate. ``precision`` and ``recall`` are of affected goods; 1 is the truth."""

    noise: str
    rate: float
    goods: int
    missed: int
    extra: int
    missed_lots: int
    gaps: int
    """Lots that the traces name as incomplete."""

    @property
    def recall(self) -> float:
        return 1.0 if not self.goods else 1 - self.missed / self.goods

    @property
    def precision(self) -> float:
        told = self.goods - self.missed + self.extra
        return 1.0 if not told else 1 - self.extra / told


def points(kinds: Iterable[str] = KINDS, rates: Iterable[float] = RATES) -> Iterator[tuple[int, str, float]]:
    """Number of the block, kind and rate of each point."""
    rates = tuple(rates)
    return ((n, *each) for n, each in enumerate((kind, rate) for kind in kinds for rate in rates))


async def measure(
    conn: AsyncConnection,
    scenario: Scenario,
    block: int,
    kind: str,
    rate: float,
    *,
    seed: int,
    by: str,
    clock: Clock,
    keys: KeyRing,
) -> Point:
    """Tell a block with this noise, ask the last question of its story, and mark the answer."""
    deeds = [deed_in(deed, block) for deed in scenario.world.deeds]
    stage = stage_in(scenario.last, block)
    spoilt = noise.spoil(recording.record(deeds, block=block), replace(Noise(), **{kind: rate}), seed + block)
    await telling.tell(conn, spoilt.events, by=by, clock=clock, keys=keys)
    async with transaction(conn):
        answer = await answer_key.ask(conn, stage.starts, stage.key.all_lots)
        lots = [lot_in(lot, block) for lot in scenario.world.lots]
        gaps = await telling.gaps_of(conn, lots, keys=keys, clock=clock)
    marks = answer_key.score(stage.key, answer)
    # Every world ends with goods on the way: that nobody told of their arrival is so without any noise.
    named = {gap["lot"] for gap in gaps if "lot" in gap and gap["what"] != "sent and not received"}
    goods = sum(stage.key.held.values())
    return Point(kind, rate, goods, marks.missed, marks.extra, len(marks.missed_lots), len(named))
