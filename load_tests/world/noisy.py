"""A world with broken data, recalled: the doors must still say one and the same, and what is missed must not be silent.

Facts that are lost or wrong change the answer, so it is not held against the goods but against itself: the list as JSON
is what the others are compared with, and what the ledger reached is what scans are compared with. Beside it stands what
the goods say was missed, and what the traces name as missing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ledger.codes import KeyRing
from load_tests.world import answer_key, end_to_end, faces, figures, noise, recording, telling
from load_tests.world.answer_key import Answer
from load_tests.world.asked import Asked, Difference
from load_tests.world.blocks import deed_in, lot_in, stage_in
from load_tests.world.cohorts import LotName
from load_tests.world.doors import Doors, path_of_item, path_of_lot
from load_tests.world.end_to_end import BY, READERS, Told
from load_tests.world.figures import Figures
from load_tests.world.noise import BROKEN, Noise
from load_tests.world.scans import CLEAR, PART, RECALLED, lot_of
from load_tests.world.scenarios import build
from load_tests.world.stages import Stage
from runtime.clock import Clock
from runtime.database import transaction

_KEEPS_ALL: Final = frozenset({"delay", "duplicate", "late packing"})


@dataclass(frozen=True, slots=True)
class Spoiled:
    """A world with broken data, and what that did to the answer.

    ``missed`` and ``extra``: affected goods that the recall does not reach, and goods that it reaches and that are not
    affected, by lot. ``elsewhere``: goods that it reaches and looks for in the wrong place, as after a lost sale.
    ``gaps`` is what the traces name as missing.
    """

    world: str
    lost: int
    wrong: int
    missed: int
    extra: int
    elsewhere: int
    missed_lots: int
    gaps: int
    differences: tuple[Difference, ...]

    @property
    def is_right(self) -> bool:
        """The doors agree, and where something is not reached the record names gaps."""
        return not self.differences and (not self.missed or self.gaps > 0)


async def walk(told: Told, name: str, *, block: int, units: int, seed: int, how: Noise = BROKEN) -> Spoiled:
    """Tell a world with this noise, recall what its last question names, and compare the doors with each other."""
    scenario = build(name, units, seed)
    await recording.put_on_record(told.conn, scenario.world)
    deeds = [deed_in(deed, block) for deed in scenario.world.deeds]
    spoilt = noise.spoil(recording.record(deeds, block=block), how, seed + block)
    await telling.tell(told.conn, spoilt.events, by=BY, clock=told.clock, keys=told.keys)
    stage = stage_in(scenario.last, block)
    lots = [lot_in(lot, block) for lot in scenario.world.lots]
    asked = Asked(name, "with broken data")
    number = await end_to_end.open_case(told.doors, stage)
    published = await end_to_end.publish(told.doors, number)
    asked.version, asked.hash = published["version"], published["hash"]
    await _doors_agree(told.doors, number, asked)
    async with transaction(told.conn):
        answer = await answer_key.ask(told.conn, stage.starts, stage.key.all_lots)
    await _scans_agree(told.doors, published["revision"], stage, answer, asked)
    missed, extra = _by_lot(stage.key, answer), _by_lot(answer, stage.key)
    marks = answer_key.score(stage.key, answer)
    gaps = await _gaps(told, lots, told.keys, told.clock)
    wrong = sum(count for kind, count in spoilt.done.items() if kind not in _KEEPS_ALL and kind != "drop")
    return Spoiled(
        name, len(spoilt.dropped), wrong, missed, extra, max(0, marks.missed - missed), len(marks.missed_lots), gaps,
        tuple(asked.differences),
    )  # fmt: skip


def _by_lot(these: Answer, those: Answer) -> int:
    """Goods and used-up items of these that are not among those, wherever they are."""
    here, there = Counter[tuple[LotName, str]](), Counter[tuple[LotName, str]]()
    for counts, answer in ((here, these), (there, those)):
        for (lot, _place, _owner, _disposition, uom), amount in answer.held.items():
            counts[lot, uom] += max(0, amount)
    return sum((here - there).values()) + len(these.items - those.items)


async def _doors_agree(doors: Doors, number: str, asked: Asked) -> None:
    """The list in each form and the screen, against the list as JSON."""
    right: Figures = faces.of_json(await doors.notices(number, "json"))
    for form, read in READERS.items():
        asked.hold(form, right, read(await doors.notices(number, form)))
    page = faces.of_page(await doors.screen_of(number))
    asked.hold("screen", right, page)
    added = figures.sums(((), cells[:-1]) for cells in right[figures.LINES].values())
    asked.hold("lines added up", right, {figures.ALL: added})


async def _scans_agree(doors: Doors, revision: int, stage: Stage, answer: Answer, asked: Asked) -> None:
    """The list check of every lot and item, against what the ledger reached."""
    await doors.until_public(min(stage.starts), revision)
    right = {path_of_lot(lot): _of_lot(lot, answer) for lot in sorted(stage.key.all_lots)}
    for item in sorted(stage.items):
        reached = item in answer.items or (lot_of(item) in stage.starts)
        right[path_of_item(item)] = {RECALLED} if reached else {CLEAR, PART, "UNKNOWN_CODE"}
    rows = await doors.checked([f"https://id.gs1.org{path}" for path in right])
    for (path, statuses), row in zip(right.items(), rows, strict=True):
        if row["status"] not in statuses:
            asked.differs("checked list", path, " or ".join(sorted(statuses)), row["status"])


def _of_lot(lot: LotName, answer: Answer) -> set[str]:
    return {RECALLED, PART} if lot in answer.lots else {CLEAR, "UNKNOWN_CODE"}


async def _gaps(told: Told, lots: Sequence[LotName], keys: KeyRing, clock: Clock) -> int:
    async with transaction(told.conn):
        return len(await telling.gaps_of(told.conn, lots, keys=keys, clock=clock))
