"""Scans of what is affected and of what is not: nothing affected is cleared, nothing else is called recalled."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Final

from load_tests.world.asked import Asked
from load_tests.world.cohorts import LotName
from load_tests.world.doors import Doors, path_of_item, path_of_lot
from load_tests.world.stages import Stage

RECALLED, CLEAR, PART = "RECALLED", "NOT_RECALLED", "CHECK_THE_SERIAL"
SCANNED_OF_EACH: Final = 4
"""Codes of each kind that are opened one by one, beside the list of all."""
_VERDICTS: Final = {
    RECALLED: frozenset({"recalled"}),
    PART: frozenset({"check_the_serial"}),
    CLEAR: frozenset({"no_recall_known", "first_check", "repeat_check", "blocked", "not_active", "unusual"}),
}


def lot_of(item: tuple[str, str]) -> LotName:
    """The lot of an item of a world."""
    gtin, serial = item
    return LotName(gtin, serial.rpartition("-")[0])


def expected(stage: Stage) -> Iterator[tuple[str, str]]:
    """Every lot and item that there ever was, by the path of its code, with what a partner has to be told of it."""
    with_items = {lot_of(item) for item in stage.items}
    for lot in sorted(stage.key.all_lots):
        if lot not in stage.key.lots:
            status = CLEAR
        else:
            status = PART if lot in with_items and lot not in stage.starts else RECALLED
        yield path_of_lot(lot), status
    for item in sorted(stage.items):
        yield path_of_item(item), RECALLED if item in stage.key.items else CLEAR


async def hold(doors: Doors, revision: int, stage: Stage, chance: random.Random, asked: Asked) -> None:
    """Check all codes as a list, and scan some of each kind one by one."""
    await doors.until_public(min(stage.starts), revision)
    codes = list(expected(stage))
    rows = await doors.checked([f"https://id.gs1.org{path}" for path, _ in codes])
    for (path, status), row in zip(codes, rows, strict=True):
        if row["status"] != status:
            asked.differs("checked list", path, status, row["status"])
    for status in _VERDICTS:
        paths = [path for path, told in codes if told == status]
        for path in chance.sample(paths, min(SCANNED_OF_EACH, len(paths))):
            verdict = (await doors.scanned(path)).get("verdict")
            if verdict not in _VERDICTS[status]:
                asked.differs("scan", path, status, verdict)
            asked.scans += 1
    asked.scans += len(codes)
