"""Worlds recalled from end to end: what stands at every door is what the goods themselves say.

The rest of the worlds are walked by tests/benchmarks/test_worlds_end_to_end.py.
"""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import codes
from load_tests.world import end_to_end, faces, figures, noisy
from load_tests.world.asked import Asked
from load_tests.world.doors import opened
from load_tests.world.end_to_end import Told
from load_tests.world.noise import Noise
from load_tests.world.scenarios import build
from runtime.clock import system_clock
from runtime.database import DatabaseAddress, transaction
from tests.serving import free_port, served
from tests.world import SECRET

UNITS = 60


async def test_every_door_says_what_the_goods_say_and_agrees_when_the_data_is_broken(
    conn: AsyncConnection, database: DatabaseAddress
) -> None:
    async with transaction(conn):
        keys = await codes.ensure_key(conn, SECRET, clock=system_clock)
    with served(database, port=free_port()) as base_url:
        async with opened(conn, base_url, system_clock) as doors:
            told = Told(conn, doors, keys, system_clock)

            # part of a lot by its items; then two parts in one vehicle, widened; then broken data
            jars = await end_to_end.walk(told, "S9", block=0, units=UNITS, seed=1)
            vehicles = await end_to_end.walk(told, "S4", block=1, units=UNITS, seed=1)
            broken = await noisy.walk(told, "S9", block=2, units=UNITS, seed=1, how=Noise(drop=0.3))

    assert [asked.version for asked in (*jars, *vehicles)] == [1, 2, 1, 2]
    assert [difference for asked in (*jars, *vehicles) for difference in asked.differences] == []
    assert all(asked.cells > 300 and asked.scans > 60 and asked.explained > 3 for asked in (*jars, *vehicles))
    assert broken.differences == ()
    assert broken.lost and broken.missed and broken.gaps, "what was lost is missed, and not in silence"
    assert broken.is_right


def test_a_door_that_says_anything_else_is_found() -> None:
    right = build("S6", UNITS).last.figures
    wrong: dict[str, figures.Figures] = {
        "an owner's line left out": {figures.LINES: dict(list(right[figures.LINES].items())[1:])},
        "one item too many": {figures.ALL: {(): ("301", *right[figures.ALL][()][1:])}},
        "another hash": {figures.HASH: {(): ("0" * 64,)}},
        "an owner nobody knows": {
            figures.OWNERS: {**right[figures.OWNERS], ("Nobody",): ("1", "1", "0", "0", "0", "")}
        },
    }

    found = {what: len(_held(right, told).differences) for what, told in wrong.items()}

    assert found == dict.fromkeys(wrong, 1)
    assert _held(right, {figures.LINES: right[figures.LINES], figures.HASH: {(): ("a" * 64,)}}).differences == []


def test_an_item_in_two_lines_of_a_list_is_found() -> None:
    assert faces.items_in([("01", "A-1; A-2"), ("01", "A-2"), ("01", "whole lot"), ("02", "A-2")]) == {
        ("01", "A-1"): ("once",), ("01", "A-2"): ("2 times",), ("02", "A-2"): ("once",)
    }  # fmt: skip


@pytest.mark.parametrize(
    "disposition, fate",
    [("retail_sold", "items_sold"), ("returned", "items_returned"), ("sampled", "items_destroyed"),
     ("unknown", "items_expected_on_hand"), ("in_transit", "items_expected_on_hand")],
)  # fmt: skip
def test_goods_are_counted_by_what_became_of_them(disposition: str, fate: str) -> None:
    scenario = build("S12", UNITS)
    (cohort, *_) = scenario.world.living
    cohort.disposition = disposition

    assert figures.fate_of(cohort) == fate


def _held(right: figures.Figures, told: figures.Figures) -> Asked:
    asked = Asked("S6", "all lots", hash="a" * 64)
    asked.hold("a door", right, told)
    return asked
