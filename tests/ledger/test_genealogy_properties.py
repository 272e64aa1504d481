"""The closure against brute force, on random graphs with rework, partial lots, wrong events and equal instants."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import genealogy
from ledger.genealogy import Reached, Start
from tests.examples import examples
from tests.ledger import many_graphs
from tests.ledger.brute_force import REST, Fire, Graph, Operation, Told
from tests.ledger.records import Records, day

pytestmark = pytest.mark.anyio

LOTS_MAX = 6
Starts = Sequence[tuple[int, tuple[int, int] | None]]

MANY = settings(
    max_examples=examples(50),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
FEWER = settings(MANY, max_examples=examples(20))


@st.composite
def graphs(draw: st.DrawFn, by_serial: bool = True) -> Graph:
    lots = draw(st.integers(2, LOTS_MAX))
    runs = st.tuples(st.integers(0, 5), st.integers(1, 3)) if by_serial else st.none()

    def told(hour: int, split: bool) -> st.SearchStrategy[Told]:
        hours = st.integers(0, 8) if split else st.just(hour)
        return st.builds(
            lambda lot, at, run: Told(lot, at, (lot * 100 + run[0], run[1]) if run else None),
            st.integers(0, lots - 1), hours, st.one_of(st.none(), runs),
        )  # fmt: skip

    operations = []
    for _ in range(draw(st.integers(1, 7))):
        row = told(draw(st.integers(0, 8)), draw(st.booleans()))
        sides = [tuple(draw(st.lists(row, min_size=1, max_size=3))) for _ in range(2)]
        operations.append(Operation(sides[0], sides[1], draw(st.integers(0, 9)) == 0))
    known = tuple(
        frozenset(lot * 100 + n for n in draw(st.sets(st.integers(0, 7), max_size=3))) if by_serial else frozenset()
        for lot in range(lots)
    )
    loose = frozenset(lot for lot in range(lots) if by_serial and draw(st.integers(0, 3)) == 0)
    return Graph(lots, tuple(operations), known, loose)


@st.composite
def cases(draw: st.DrawFn, how_many: int = 1, by_serial: bool = True) -> tuple[Graph, list[Starts]]:
    """A graph, and lists of starts in it."""
    graph = draw(graphs(by_serial))
    part = st.none() | st.tuples(st.integers(0, 5), st.integers(1, 2)) if by_serial else st.none()
    start = st.builds(
        lambda lot, run: (lot, (lot * 100 + run[0], run[1]) if run else None), st.integers(0, graph.lots - 1), part
    )
    return graph, [draw(st.lists(start, min_size=1, max_size=2)) for _ in range(how_many)]


async def write(conn: AsyncConnection, graph: Graph, shuffled: random.Random | None = None) -> None:
    """Put the graph into an empty ledger, in one transaction that is rolled back; lot k has lot_id k."""
    await conn.rollback()
    records = Records(conn)
    wrong = await records.event("wrong", day(0))
    await records.insert("event_declared_wrong", event_id=wrong, by_event_id=wrong)
    products = [await records.product(number, "thing") for number in range(graph.lots)]
    for lot in range(graph.lots):
        await conn.execute(
            text("INSERT INTO lot (lot_id, product_id, code) OVERRIDING SYSTEM VALUE VALUES (:lot, :product, :code)"),
            {"lot": lot, "product": products[lot], "code": "" if lot in graph.loose else f"L{lot}"},
        )
    runs = [{"lo": number, "lot": lot} for lot, known in enumerate(graph.known) for number in known]
    if runs:
        await conn.execute(
            text("INSERT INTO code_run (lo, n, lot_id, since, event_id) VALUES (:lo, 1, :lot, now(), 0)"), runs
        )
    operations = list(enumerate(graph.operations))
    if shuffled:
        shuffled.shuffle(operations)
    for number, operation in operations:
        event_id = wrong if operation.is_wrong else 0
        operation_id = await records.add("operation", "operation_id", event_id=event_id, line=str(number))
        for table, rows in (("operation_input", operation.inputs), ("operation_output", operation.outputs)):
            values = [
                {
                    "operation": operation_id, "lot": row.lot, "at": day(row.hour), "event": event_id,
                    "lo": row.numbers[0] if row.numbers else None, "n": row.numbers[1] if row.numbers else None,
                }
                for row in rows
            ]  # fmt: skip
            await conn.execute(
                text(
                    f"INSERT INTO {table} (operation_id, lot_id, at, event_id, lo, n)"
                    " VALUES (:operation, :lot, :at, :event, :lo, :n)"
                ),
                values,
            )


async def ask(conn: AsyncConnection, starts: Starts) -> dict[int, Reached]:
    named = [Start(lot, *(run or (None, None))) for lot, run in starts]
    return {lot.lot_id: lot for lot in await genealogy.downstream(conn, named)}


def things(graph: Graph, starts: Starts, lot: Reached) -> set[int]:
    if lot.whole:
        named = {n for of, run in starts if run and of == lot.lot_id for n in range(run[0], sum(run))}
        return {REST, *graph.numbers(lot.lot_id), *named}
    return {n for lo, length in lot.runs for n in range(lo, lo + length)}


def without_steps(reached: dict[int, Reached]) -> dict[int, tuple[Any, ...]]:
    return {
        lot_id: (lot.whole, lot.runs, lot.at, lot.basis, lot.possibly_whole, lot.possible_runs)
        for lot_id, lot in reached.items()
    }


@MANY
@given(case=cases())
async def test_what_is_reached_is_what_brute_force_reaches(
    conn: AsyncConnection, case: tuple[Graph, list[Starts]]
) -> None:
    graph, [starts] = case
    await write(conn, graph)

    reached = await ask(conn, starts)

    fire, plain = Fire(graph, starts, in_time=True), Fire(graph, starts, in_time=False)
    sure, possible, untimed = fire.affected(0), fire.affected(1), plain.affected(1)
    assert {lot_id: things(graph, starts, lot.widest()) for lot_id, lot in reached.items()} == untimed
    assert {k: things(graph, starts, lot) for k, lot in reached.items() if lot.basis != "possible"} == sure
    for lot_id, lot in reached.items():
        if lot.basis == "possible" and lot_id in possible:
            assert things(graph, starts, lot) == possible[lot_id] and lot.at == day(fire.earliest(lot_id, 1))
        if lot.basis == "proved":
            assert lot.at == day(fire.earliest(lot_id, 0))
        steps = genealogy.path(reached, lot_id)
        assert steps[0].from_lot_id in {of for of, _run in starts} if steps else lot.basis == "scope"


@FEWER
@given(case=cases(), seed=st.integers(0, 1000))
async def test_the_order_of_the_facts_and_of_the_starts_does_not_matter(
    conn: AsyncConnection, case: tuple[Graph, list[Starts]], seed: int
) -> None:
    graph, [starts] = case
    await write(conn, graph)
    reached = await ask(conn, starts)

    await write(conn, graph, shuffled=random.Random(seed))

    assert without_steps(await ask(conn, list(reversed(starts)))) == without_steps(reached)


@FEWER
@given(case=cases(how_many=2))
async def test_two_starts_reach_what_each_of_them_reaches(
    conn: AsyncConnection, case: tuple[Graph, list[Starts]]
) -> None:
    graph, [first, second] = case
    await write(conn, graph)
    one, other = await ask(conn, first), await ask(conn, second)

    both = await ask(conn, [*first, *second])

    assert both.keys() == one.keys() | other.keys()
    for lot_id, lot in both.items():
        parts = [things(graph, [*first, *second], r[lot_id].widest()) for r in (one, other) if lot_id in r]
        assert things(graph, [*first, *second], lot.widest()) == set().union(*parts)


@FEWER
@given(case=cases(by_serial=False))
async def test_upstream_is_downstream_seen_from_the_other_end(
    conn: AsyncConnection, case: tuple[Graph, list[Starts]]
) -> None:
    graph, [[(target, _run), *_]] = case
    await write(conn, graph)

    origins = {lot.lot_id: lot.basis for lot in await genealogy.upstream(conn, [Start(target)])}

    for source in range(graph.lots):
        forward = (await ask(conn, [(source, None)])).get(target)
        assert (forward is not None) == (source in origins)
        if forward is not None and source != target:
            assert forward.basis == origins[source]


async def test_thousands_of_small_graphs_are_reached_as_by_hand(conn: AsyncConnection) -> None:
    assert await many_graphs.differing(conn, list(many_graphs.graphs(examples(3_000), seed=2026))) == []
