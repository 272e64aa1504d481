"""The trace benchmark at its smallest, and the factory it asks about."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from benchmarks import genealogy_world, trace
from benchmarks.genealogy_world import ITEMS_PER_LOT, SALT_LOT, GenealogyWorld
from benchmarks.harness import OptionOutOfRange, Options
from runtime.database import DatabaseAddress, Role


def test_the_trace_benchmark_runs_and_both_sides_find_the_same(cluster: DatabaseAddress) -> None:
    report = trace.run_on(cluster, Options(rounds=1, size=trace.FINISHED_MIN, warm_up=False), questions=3)

    rows = {row.case: row for row in report.rows}
    assert len(rows) == 4 * 11 + 2
    assert [growth.sizes[0] for growth in report.growth] == [24] * 8 + [30_000] * 3
    compared = [row for row in report.rows if row.reference]
    assert len(compared) == 4 * 3 + 1
    for own in compared:
        reference = rows[own.reference or ""]
        assert own.ratio is not None
        assert (own.details["lots"], own.details["items"]) == (reference.details["lots"], reference.details["items"])


def test_a_factory_that_is_too_small_to_grow_is_refused(cluster: DatabaseAddress) -> None:
    with pytest.raises(OptionOutOfRange):
        trace.run_on(cluster, Options(rounds=1, size=trace.FINISHED_MIN - 1))


def test_a_raw_lot_asked_to_reach_more_items_than_the_largest_factory_makes_is_refused(
    cluster: DatabaseAddress,
) -> None:
    with pytest.raises(OptionOutOfRange):
        trace.run_on(cluster, Options(rounds=1, items=trace.FINISHED_MAX * ITEMS_PER_LOT))


def test_an_ordinary_raw_lot_reaches_as_many_lots_in_a_large_factory_as_in_a_small_one() -> None:
    small, large = (largest_reach(GenealogyWorld(finished, 5)) for finished in (1_000, 8_000))

    assert 10 < small < 80
    assert abs(small - large) <= 3


def test_salt_reaches_a_share_of_everything_and_more_in_a_larger_factory() -> None:
    reached = [len(downstream(GenealogyWorld(finished, 5), SALT_LOT)) for finished in (1_000, 2_000)]

    assert reached[1] == pytest.approx(2 * reached[0], rel=0.02)


def test_salt_reaches_as_many_lots_in_a_large_factory_as_in_a_small_one_when_that_is_asked() -> None:
    reached = [len(downstream(GenealogyWorld(finished, 5, 100), SALT_LOT)) for finished in (2_000, 8_000)]

    assert reached[1] == pytest.approx(reached[0], rel=0.1)
    assert 100 <= reached[1] < 150


@pytest.mark.parametrize("finished", [trace.FINISHED_MIN // 64, 1_000])
def test_nothing_is_used_before_it_was_made(finished: int) -> None:
    world = GenealogyWorld(finished, 5)
    made_at = {op.output: op.at for op in world.operations()}

    assert all(made_at[lot] <= op.at for op in world.operations() for lot in op.inputs if lot in made_at)


def test_every_finished_lot_is_held_whole(database: DatabaseAddress) -> None:
    world = GenealogyWorld(64, 5)
    asyncio.run(genealogy_world.write(database, world))

    async def held() -> list[int]:
        engine = database.engine(Role.STAFF, pool_size=1)
        async with engine.connect() as conn:
            found = [
                int(n)
                for n in (await conn.execute(text("SELECT sum(quantity) FROM lot_holding GROUP BY lot_id"))).scalars()
            ]
        await engine.dispose()
        return found

    assert asyncio.run(held()) == [ITEMS_PER_LOT] * 64


def largest_reach(world: GenealogyWorld) -> int:
    """The most lots that one of the ordinary raw lots goes into."""
    return max(len(downstream(world, lot)) for lot in world.ordinary_raw_lots())


def downstream(world: GenealogyWorld, start: int) -> set[int]:
    """All lots made of this one: operations come in an order in which inputs are made before."""
    reached = {start}
    for op in world.operations():
        if reached & set(op.inputs):
            reached.add(op.output)
    return reached
