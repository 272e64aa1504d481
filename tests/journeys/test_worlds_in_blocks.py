"""Worlds larger than one block, as files, and what noise costs them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncConnection

from cli.demo_world import tell_world
from cli.installation import Installation
from ledger import books, capture, codes, imports
from ledger.epcis.read import read_document
from load_tests.world import __main__ as writing
from load_tests.world import answer_key, checking, copy_store, curve, recording, telling
from load_tests.world.answer_key import score
from load_tests.world.blocks import BlocksOutOfRange, blocks_of, deed_in, stage_in
from load_tests.world.copy_store import LedgerNotEmpty
from load_tests.world.scenarios import SCENARIOS, build
from runtime import settings
from runtime.database import DatabaseAddress, transaction

SECRET = "a secret of the worlds, long enough to be one"


def clock() -> datetime:
    """Long after everything."""
    return datetime(2026, 9, 1, tzinfo=UTC)


@pytest.mark.parametrize("name", ["S10-mixed", "S13", "S11"])
async def test_every_block_written_as_files_is_answered_as_its_own_truth(
    conn: AsyncConnection, tmp_path: Path, name: str
) -> None:
    scenario = build(name, 60)
    written = writing.write_epcis(scenario, 2, tmp_path)
    async with transaction(conn):
        keys = await codes.ensure_key(conn, SECRET, clock=clock)
    for kind in ("parties", "places", "products"):
        await imports.import_file(conn, kind, tmp_path / f"{kind}.csv", by="tests", clock=clock, keys=keys)

    told = 0
    for file in sorted(tmp_path.glob("events-*.json")):
        document = read_document(file.read_bytes(), file.name)
        told += (await capture.capture(conn, document, by="tests", clock=clock, keys=keys)).events

    assert told == written == 2 * len(scenario.world.deeds)
    for block in (0, 1):
        stage = stage_in(scenario.last, block)
        async with transaction(conn):
            answer = await answer_key.ask(conn, stage.starts, stage.key.all_lots)
        assert score(stage.key, answer).is_exact, (block, score(stage.key, answer))
        assert stage.key.lots & stage_in(scenario.last, 1 - block).key.lots == set()


async def test_every_kind_of_noise_that_spoils_is_named_and_noise_that_delays_costs_nothing(
    conn: AsyncConnection,
) -> None:
    scenario = build("S13", 60)
    async with transaction(conn):
        keys = await codes.ensure_key(conn, SECRET, clock=clock)
    await recording.put_on_record(conn, scenario.world)

    points = {
        kind: await curve.measure(conn, scenario, n, kind, rate, seed=3, by="tests", clock=clock, keys=keys)
        for n, kind, rate in [
            (1, "delay", 0.3), (2, "late_packing", 0.5), (3, "drop", 0.3), (4, "duplicate", 0.3), (5, "skew", 0.3),
            (6, "wrong_unit", 0.3), (7, "swapped_lot", 0.3),
        ]
    }  # fmt: skip
    harmless = [points.pop(kind) for kind in ("delay", "late_packing", "duplicate")]

    assert set(points) | {point.noise for point in harmless} == set(curve.KINDS)
    assert {(point.recall, point.precision, point.gaps) for point in harmless} == {(1.0, 1.0, 0)}
    for point in points.values():
        assert point.missed + point.extra > 0, point
        assert point.recall < 1 or point.precision < 1, point
        assert point.gaps > 0, point


async def test_worlds_side_by_side_in_one_ledger_are_each_answered_as_their_own_truth(conn: AsyncConnection) -> None:
    async with transaction(conn):
        keys = await codes.ensure_key(conn, SECRET, clock=clock)
    worlds = [each for name in ("S7", "S10-plug", "S12") for each in checking.worlds_of(name)]

    found = await checking.check(conn, worlds, 60, 1, by="tests", clock=clock, keys=keys)

    assert [each.world for each in found] == ["S7", "S7", "S10-plug", "S12"]
    assert all(each.is_right and not each.missed for each in found)
    assert [each.world for each in found if each.extra_lots] == ["S10-plug"], (
        "told as mixed, it reaches what mixing would"
    )
    assert list(checking.worlds_of("S99")) == []


async def test_blocks_that_are_copied_are_what_the_ledger_would_have_written(
    conn: AsyncConnection, database: DatabaseAddress
) -> None:
    # given: pallets, items with serials and losses, told once and copied twice
    async with transaction(conn):
        keys = await codes.ensure_key(conn, SECRET, clock=clock)
    scenario = build("S13", 60)
    await recording.put_on_record(conn, scenario.world)
    await telling.tell(conn, recording.record(scenario.world.deeds), by="tests", clock=clock, keys=keys)
    events = await copy_store.multiply(database, scenario, 3)

    # when: the last of them is told all the same, and one more
    last, more = ([deed_in(deed, block) for deed in scenario.world.deeds] for block in (2, 3))
    again = await telling.tell(conn, recording.record(last, block=2), by="tests", clock=clock, keys=keys)
    new = await telling.tell(conn, recording.record(more, block=3), by="tests", clock=clock, keys=keys)

    # then
    assert (events, again, new) == (2 * new, 0, len(scenario.world.deeds))
    for block in range(4):
        stage = stage_in(scenario.last, block)
        async with transaction(conn):
            answer = await answer_key.ask(conn, stage.starts, stage.key.all_lots)
        assert score(stage.key, answer).is_exact, block
    assert [check.what for check in await books.examine(conn) if check.wrong] == []
    with pytest.raises(LedgerNotEmpty):
        await copy_store.require_empty(database)


async def test_a_world_put_down_by_copy_marks_its_first_middle_and_last_block(
    conn: AsyncConnection, database: DatabaseAddress
) -> None:
    chosen = settings.load().model_copy(update={"master_secret": SecretStr(SECRET)})

    world = await tell_world(conn, Installation(chosen, database), "S7", 100_001, 1, lambda sentence: None)

    assert [(question.name.rpartition(" ")[2], question.is_exact) for question in world.questions] == [
        ("1", True), ("51", True), ("101", True),
    ]  # fmt: skip
    assert world.events == 101 * len(build("S7", 1_000).world.deeds)
    with pytest.raises(LedgerNotEmpty):
        await tell_world(conn, Installation(chosen, database), "S7", 100_001, 1, lambda sentence: None)


def test_all_worlds_are_checked_when_all_are_asked_for() -> None:
    assert [name for _block, name in checking.worlds_of(checking.ALL)] == list(SCENARIOS)


async def test_files_for_the_import_are_taken_as_they_are_written(conn: AsyncConnection, tmp_path: Path) -> None:
    scenario = build("S2", 60)
    deliveries = writing.write_csv(scenario, 2, tmp_path)
    async with transaction(conn):
        keys = await codes.ensure_key(conn, SECRET, clock=clock)

    reports = [
        await imports.import_file(conn, file.stem.split("-")[0], file, by="tests", clock=clock, keys=keys)
        for pattern in ("parties", "places", "products", "lots-*", "shipments-*")
        for file in sorted(tmp_path.glob(f"{pattern}.csv"))
    ]

    assert sum(report.new for report in reports if report.kind == "shipments") == deliveries > 0


def test_a_world_grows_in_blocks_up_to_a_named_limit() -> None:
    assert (blocks_of(1_000), blocks_of(100_000_000)) == ((1, 1_000), (100_000, 1_000))
    with pytest.raises(BlocksOutOfRange, match="100000001"):
        blocks_of(100_000_001)
