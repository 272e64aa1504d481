"""Bounds worked out many operations at a time: the same as one after the other, on worlds of every kind."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import genealogy, trace_amounts
from ledger.closure import Start
from ledger.flow_columns import Table
from ledger.holders import holdings
from ledger.levels import is_in_order, levels_of
from ledger.trace_amounts import Affected
from ledger.trace_holders import holders_downstream
from ledger.trace_levels import QuantitiesAtOnce, worked_out
from ledger.trace_quantities import Facts, Flow, Quantities
from tests.ledger.many_graphs import LOTS, graphs, write
from tests.ledger.records import day

UOMS = ("", "KGM")


def world(seed: int) -> Facts:
    """Any flows between eight lots: in circles, at one instant, in two units, by number, without quantities."""
    rng = random.Random(seed)
    hours = rng.choice((1, 4, 40))

    def flow() -> Flow:
        numbered = rng.random() < 0.2
        quantity = None if rng.random() < 0.2 else float(rng.randint(1, 20))
        lo, n = (rng.randrange(30), rng.randint(1, 10)) if numbered else (None, None)
        uom = "" if numbered else rng.choice(UOMS)
        at = day(rng.randrange(hours) / 24)
        return Flow(rng.randrange(6), rng.randrange(8), at, float(n) if n else quantity, uom, lo, n)

    inputs, outputs = ([flow() for _ in range(rng.randint(1, 12))] for _ in range(2))
    starts = {0: None, 1: [(rng.randrange(20), rng.randint(1, 10))]} if rng.random() < 0.5 else {rng.randrange(8): None}
    made = {(lot, uom): float(rng.randint(0, 60)) for lot in range(8) for uom in UOMS if rng.random() < 0.8}
    reached = frozenset(rng.sample(range(8), 6)) | starts.keys()
    products = {lot: lot % 3 for lot in range(7)}
    return Facts(starts, reached, inputs, outputs, made, products, frozenset(rng.sample(range(6), 2)))


def in_order(seed: int) -> Facts:
    """The same world with every lot finished before it is used: operation k uses lots up to k and makes lots above."""
    rng, facts = random.Random(seed), world(seed)
    inputs = [row._replace(lot_id=rng.randint(0, row.operation_id), at=day(row.operation_id)) for row in facts.inputs]
    outputs = [
        row._replace(lot_id=rng.randint(row.operation_id + 1, 7), at=day(row.operation_id)) for row in facts.outputs
    ]
    return replace(facts, inputs=inputs, outputs=outputs)


@pytest.mark.parametrize("make", [world, in_order])
def test_many_at_a_time_is_the_same_as_one_after_the_other(make: Callable[[int], Facts]) -> None:
    in_this_order = 0
    for seed in range(100):
        facts = make(seed)
        plain, table = Quantities(facts), Table.of(facts)
        at_once = QuantitiesAtOnce(table, levels_of(table, per_level_min=0) or [])
        for lot in range(9):
            for uom in (*UOMS, "LTR"):
                for only_told in (False, True):
                    found = at_once.of(lot, uom, only_told=only_told)
                    expected = plain.of(lot, uom, only_told=only_told)
                    assert np.allclose(found, expected), f"{seed}, {lot}, {uom}"
        in_this_order += is_in_order(table)
    assert in_this_order == 100 if make is in_order else 0 < in_this_order < 60


def test_a_thousand_operations_side_by_side_are_worked_out_at_once_and_a_chain_one_after_the_other() -> None:
    side = [Flow(k, 0, day(0), 1.0, "KGM") for k in range(1_000)]
    made = [Flow(k, k + 1, day(1), 1.0, "") for k in range(1_000)]
    beside = Facts({0: None}, frozenset(range(1_001)), side, made, {}, {})
    chain = replace(
        beside,
        inputs=[Flow(k, k, day(k), 1.0, "") for k in range(1_000)],
        outputs=[Flow(k, k + 1, day(k), 1.0, "") for k in range(1_000)],
    )

    assert isinstance(worked_out(Table.of(beside)), QuantitiesAtOnce)
    assert isinstance(worked_out(Table.of(chain)), Quantities)


@pytest.mark.anyio
async def test_the_sums_by_owner_are_those_of_the_holders_one_by_one(conn: AsyncConnection) -> None:
    rng = random.Random(3)
    many = list(graphs(900, seed=5))
    await write(conn, many)
    await conn.execute(
        text(
            "INSERT INTO party (party_id, uri, name, channel) VALUES"
            " (1001, 'urn:a', 'A', 'retail'), (1002, 'urn:b', 'B', NULL);"
        )
    )
    rows = [
        {"lot": lot, "owner": owner, "uom": rng.choice(UOMS), "quantity": rng.choice((-4, 3, 30))}
        for lot in range(LOTS * len(many)) for owner in (1001, 1002) if rng.random() < 0.8
    ]  # fmt: skip
    await conn.execute(
        text(
            "INSERT INTO lot_holding (lot_id, place_id, owner_id, disposition, uom, quantity, since)"
            " VALUES (:lot, 0, :owner, '', :uom, :quantity, now())"
        ),
        rows,
    )
    starts = [Start(LOTS * k + graph.start) for k, graph in enumerate(many)]

    found = await holders_downstream(conn, starts)

    below = await genealogy.downstream_closure(conn, starts)
    lots = [lot.lot_id for lot in below.lots]
    accounts = await trace_amounts.accounts_of(conn, lots)
    made = trace_amounts.made_by_account(accounts)
    quantities = await trace_amounts.quantities_of(conn, below, starts, made)
    shown = Affected(below, quantities, accounts, await holdings(conn, below.lots)).of_holders()
    one_by_one = {(owner, row["uom"]): row for (owner, _place), by_uom in shown.items() for row in by_uom}
    assert isinstance(quantities, QuantitiesAtOnce)
    assert found.lots == len(lots)
    sums = Counter[tuple[int, str, str]]()
    for each in found.sums:
        for name, value in each.amount._asdict().items():
            sums[each.owner_id, each.uom, name] += value
    for (owner, uom), row in one_by_one.items():
        for name, value in (("total", row["of"]), *((name, row[name]) for name in trace_amounts.BOUNDS)):
            assert sums[owner, uom, name] == pytest.approx(value, abs=1)
    assert [(each.channel, each.owner) for each in found.sums] == [("retail", "A")] * 4 + [(None, "B")] * 4
    assert {each.amount.total < 0 for each in found.sums} == {True, False}
    assert Decimal(0) < sum(row["upper"] for row in one_by_one.values())
