"""At least, most likely, at most: bounds of affected quantities against goods that were really moved."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import pytest

from ledger.trace_quantities import Amount, Facts, Flow, Quantities
from tests.ledger.records import day

MILK, CURD, CHEESE, SALT = 1, 2, 3, 4
PRODUCTS = {MILK: 10, CURD: 20, CHEESE: 30, SALT: 40}


def facts(
    starts: dict[int, list[tuple[int, int]] | None],
    inputs: Sequence[Flow],
    outputs: Sequence[Flow],
    made: dict[tuple[int, str], float],
    plugs: frozenset[int] = frozenset(),
) -> Facts:
    lots = frozenset(row.lot_id for row in (*inputs, *outputs)) | starts.keys()
    products = {lot: PRODUCTS.get(lot, lot) for lot in lots}
    return Facts(starts, lots, inputs, outputs, made, products, plugs)


def of(told: Facts, lot: int, uom: str = "") -> Amount:
    return Quantities(told).of(lot, uom)


def test_a_whole_lot_named_by_the_scope_is_affected_as_a_whole() -> None:
    assert of(facts({MILK: None}, [], [], {(MILK, "KGM"): 500}), MILK, "KGM") == (500, 500, 500, 500)


def test_cheese_from_one_lot_of_milk_alone_is_affected_surely_and_as_a_whole() -> None:
    told = facts(
        {MILK: None},
        [Flow(1, MILK, day(1), 100, "KGM")],
        [Flow(1, CHEESE, day(1), 40, "")],
        {(MILK, "KGM"): 100, (CHEESE, ""): 40},
    )

    assert of(told, CHEESE) == (40, 40, 40, 40)


def test_mixed_with_other_milk_nothing_is_sure_all_is_possible_and_the_share_is_expected() -> None:
    told = facts(
        {MILK: None},
        [Flow(1, MILK, day(1), 30, "KGM"), Flow(1, 9, day(1), 70, "KGM")],
        [Flow(1, CHEESE, day(1), 40, "")],
        {(MILK, "KGM"): 30, (CHEESE, ""): 40},
    )
    of_the_same_product = Facts(
        told.starts, told.reached, told.inputs, told.outputs, told.made, {**told.product_by_lot, 9: 10}, told.plugs
    )

    assert of(of_the_same_product, CHEESE) == pytest.approx((40, 0, 12, 40))


def test_a_silo_that_keeps_the_order_bounds_the_affected_cheese_by_the_affected_share_of_milk() -> None:
    rows = [Flow(1, MILK, day(1), 30, "KGM"), Flow(1, 9, day(1), 70, "KGM")]
    told = Facts(
        {MILK: None}, frozenset({MILK, CHEESE}), rows, [Flow(1, CHEESE, day(1), 40, "")],
        {(MILK, "KGM"): 30, (CHEESE, ""): 40}, {MILK: 10, 9: 10, CHEESE: 30}, frozenset({1}),
    )  # fmt: skip

    assert of(told, CHEESE) == pytest.approx((40, 12, 12, 12))


def test_milk_poured_in_before_it_was_affected_affects_nothing() -> None:
    inputs = [Flow(1, SALT, day(2), 1, "KGM"), Flow(2, CURD, day(1), 50, "KGM")]
    outputs = [Flow(1, CURD, day(2), 50, "KGM"), Flow(2, CHEESE, day(1), 20, "")]
    told = facts({SALT: None}, inputs, outputs, {(SALT, "KGM"): 1, (CURD, "KGM"): 50, (CHEESE, ""): 20})

    assert of(told, CURD, "KGM") == (50, 50, 50, 50)
    assert of(told, CHEESE) == (20, 0, 0, 20), "reached only when time is ignored: none of it is sure, all is possible"


def test_a_part_holds_at_least_what_the_sound_rest_cannot_fill() -> None:
    lot = Amount(100, 60, 70, 80)

    assert lot.part(50) == (50, 10, 35, 50)
    assert lot.part(30) == (30, 0, 21, 30)
    assert lot.part(100) == lot


def test_items_named_by_number_are_counted_as_they_are() -> None:
    used = Flow(1, CHEESE, day(1), 10, "", 100, 10)
    told = facts(
        {CHEESE: [(105, 10)]},
        [used],
        [Flow(1, CURD, day(1), 10, "")],
        {(CHEESE, ""): 50, (CURD, ""): 10},
        frozenset({1}),
    )

    assert of(told, CHEESE) == (50, 10, 10, 10)
    assert of(told, CURD) == (10, 5, 5, 5)


def test_what_nobody_counted_widens_the_bounds_and_never_narrows_them() -> None:
    inputs = [Flow(1, MILK, day(1), None, ""), Flow(1, 9, day(1), 70, "KGM")]
    told = facts({MILK: None}, inputs, [Flow(1, CHEESE, day(1), None, "")], {(CHEESE, ""): 40}, frozenset({1}))

    assert of(told, CHEESE)[1] == 40, "all of one ingredient was affected, and in a plug flow that is in every piece"
    mixed = facts({MILK: None}, inputs, [Flow(1, CHEESE, day(1), None, "")], {(CHEESE, ""): 40})
    assert (of(mixed, CHEESE).lower, of(mixed, CHEESE).upper) == (0, 40)


@dataclass
class Goods:
    """Pieces that are really moved: each is affected or not; an operation draws pieces of lots and makes pieces."""

    rng: random.Random
    pieces: dict[int, list[bool]] = field(default_factory=dict)
    left: dict[int, list[bool]] = field(default_factory=dict)
    inputs: list[Flow] = field(default_factory=list)
    outputs: list[Flow] = field(default_factory=list)
    plugs: set[int] = field(default_factory=set)

    def bring(self, lot: int, pieces: list[bool]) -> None:
        self.pieces.setdefault(lot, []).extend(pieces)
        self.left.setdefault(lot, []).extend(pieces)
        self.rng.shuffle(self.left[lot])

    def work(self, operation: int, at: datetime, takes: dict[int, int], lot: int) -> None:
        drawn: list[bool] = []
        for source, count in takes.items():
            drawn += [self.left[source].pop() for _ in range(count)]
            self.inputs.append(Flow(operation, source, at, self.told(count), ""))
        if operation in self.plugs:
            made = drawn
        else:
            made = [any(self.rng.sample(drawn, self.rng.randint(1, len(drawn)))) for _ in range(self.rng.randint(1, 6))]
        self.bring(lot, made)
        self.outputs.append(Flow(operation, lot, at, self.told(len(made)), ""))

    def told(self, count: int) -> int | None:
        return None if self.rng.random() < 0.1 else count


def world(seed: int) -> tuple[Goods, int]:
    """A few lots of milk, one of them affected, and up to six operations, rework into an earlier lot among them."""
    rng = random.Random(seed)
    goods = Goods(rng)
    affected = rng.randint(0, 2)
    for lot in range(3):
        goods.bring(lot, [lot == affected] * rng.randint(1, 6))
    for operation in range(rng.randint(1, 6)):
        if rng.random() < 0.3:
            goods.plugs.add(operation)
        sources = [lot for lot, left in goods.left.items() if left]
        chosen = rng.sample(sources, min(len(sources), rng.randint(1, 3)))
        takes = {lot: rng.randint(1, len(goods.left[lot])) for lot in chosen}
        made = rng.randint(3, 7)
        goods.work(operation, day(operation), takes, made)
    return goods, affected


def bounds(goods: Goods, starts: set[int]) -> Quantities:
    made = {(lot, ""): float(len(pieces)) for lot, pieces in goods.pieces.items()}
    # one product: each lot is the same ingredient, so that a plug is one stream
    products = dict.fromkeys(goods.pieces, 1)
    reached = set(starts)
    for row in sorted(goods.outputs, key=lambda output: output.at):
        if any(into.operation_id == row.operation_id and into.lot_id in reached for into in goods.inputs):
            reached.add(row.lot_id)
    told: dict[int, Sequence[tuple[int, int]] | None] = dict.fromkeys(starts)
    return Quantities(
        Facts(told, frozenset(reached), goods.inputs, goods.outputs, made, products, frozenset(goods.plugs))
    )


def test_in_two_thousand_worlds_the_truth_lies_between_the_bounds() -> None:
    narrow = 0
    for seed in range(2_000):
        goods, affected = world(seed)
        found = bounds(goods, {affected})
        for lot, pieces in goods.pieces.items():
            amount, truth = found.of(lot, ""), sum(pieces)
            assert amount.lower - 1e-9 <= truth <= amount.upper + 1e-9, f"world {seed}, lot {lot}"
            assert amount.lower - 1e-9 <= amount.expected <= amount.upper + 1e-9
            narrow += 0 < amount.lower < amount.upper or 0 < amount.upper < len(pieces)
    assert narrow > 200, "bounds that are always nothing and all would be sound too"


def test_more_starts_never_affect_less_and_never_more_than_each_alone() -> None:
    for seed in range(500):
        goods, one = world(seed)
        other = (one + 1) % 3
        first, second, both = (bounds(goods, starts) for starts in ({one}, {other}, {one, other}))
        for lot in goods.pieces:
            a, b, union = (found.of(lot, "") for found in (first, second, both))
            assert union.lower >= max(a.lower, b.lower) - 1e-9
            assert union.expected >= max(a.expected, b.expected) - 1e-9
            assert max(a.upper, b.upper) - 1e-9 <= union.upper <= a.upper + b.upper + 1e-9


def test_the_order_in_which_facts_are_read_does_not_matter() -> None:
    for seed in range(300):
        goods, affected = world(seed)
        found = bounds(goods, {affected})
        goods.rng.shuffle(goods.inputs)
        goods.outputs.reverse()
        again = bounds(goods, {affected})
        for lot in goods.pieces:
            assert again.of(lot, "") == pytest.approx(found.of(lot, ""))
