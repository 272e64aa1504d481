"""What the snapshot knows of a code, from arrays alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from gs1.identifier import Identifier
from portal.codes import Block, Blocks, ForeignSerials, Keys
from portal.intervals import Layered, RunRow, Runs
from portal.lots import LotColumns, Lots, LotTable
from portal.model import CodeState, Lot, Recall
from portal.scope_columns import ScopeRow
from portal.scopes import Scopes
from portal.snapshot import Snapshot
from portal.text_index import TEXT_BYTES_MAX
from serials import keys
from serials.cipher import SerialCipher
from serials.keys import WrongMasterSecret
from tests.portal.arrangement import CHEESE, CIPHER, MILK, ROOT_KEY, SECRET, STRANGER, lot, product, recall

M1, M2, NO_LOT = lot(1, "M1"), lot(2, "M2"), lot(4, "")
OLD_ROOT = bytes(range(32, 64))
OLD_CIPHER = SerialCipher(keys.derive_key(OLD_ROOT, gtin=MILK, epoch=0), MILK)


def wrapped(root: bytes, epoch: int) -> bytes:
    return keys.wrap_root_key(root, master_secret=SECRET.encode(), epoch=epoch)


def snapshot(
    *scope: ScopeRow, cases: Sequence[Recall] = (), voids: Sequence[RunRow] = (), lots: Sequence[Lot] = ()
) -> Snapshot:
    milk, cheese = product(1, MILK), product(2, CHEESE)
    runs = [RunRow(1000, 50, 1, 1), RunRow(1050, 10, 1, 2), RunRow(1060, 1, 1, 3), RunRow(9000, 1, 2, 1)]
    runs += [RunRow(9001, 1, 4, 1)]
    blocks = [
        Block(1000, 100, MILK, 1, 1, frozenset({1007})),
        Block(2000, 10, CHEESE, 3, 1),
        Block(500, 10, MILK, 2, 0),
    ]
    named = cases or [recall(case_id) for case_id in {row.case_id for row in scope}]
    return Snapshot(
        revision=2,
        keys=Keys({1: wrapped(ROOT_KEY, 1), 0: wrapped(OLD_ROOT, 0)}, SECRET),
        products={MILK: milk, CHEESE: cheese},
        products_by_id={1: milk, 2: cheese},
        lots=Lots(LotTable.of([M1, M2, lot(3, "C1", 2), NO_LOT, *lots])),
        blocks=Blocks.of(blocks),
        foreign=ForeignSerials.of([(MILK, "F1", 9000), (MILK, "F2", 9001)]),
        runs=Layered(Runs.of(runs)),
        voids=Layered(Runs.of(voids)),
        scopes=Scopes.of(named, scope, {1: 1, 2: 1, 3: 2, 4: 1}),
    )


def ours(number: int, lot_code: str | None = None) -> Identifier:
    return Identifier.item(MILK, CIPHER.serial(number), lot_code)


@pytest.mark.parametrize(
    ("number", "state"),
    [
        (1000, CodeState.ACTIVE),
        (1049, CodeState.ACTIVE),
        (1050, CodeState.BLOCKED),
        (1060, CodeState.OUT_OF_SERVICE),
        (1061, CodeState.NOT_ACTIVE),
        (1099, CodeState.NOT_ACTIVE),
    ],
)
def test_an_issued_code_is_known_with_its_lot_and_state(number: int, state: CodeState) -> None:
    finding = snapshot().find(ours(number))

    assert finding.is_known
    assert (finding.number, finding.lot, finding.state) == (number, M1, state)


@pytest.mark.parametrize("number", [999, 1100, 1007, 2000, 0])
def test_a_number_that_was_not_issued_under_this_product_is_unknown(number: int) -> None:
    finding = snapshot().find(ours(number))

    assert not finding.is_known
    assert finding.product is not None  # the product is known, and its recalls may be told


def test_a_code_of_an_older_key_is_still_read() -> None:
    assert snapshot().find(Identifier.item(MILK, OLD_CIPHER.serial(503))).number == 503


def test_a_number_of_the_older_key_is_not_read_under_the_newer_one() -> None:
    assert not snapshot().find(ours(503)).is_known


def test_a_voided_label_is_told_so_although_its_item_was_active() -> None:
    assert snapshot(voids=[RunRow(1003, 2)]).find(ours(1004)).state is CodeState.VOID
    assert snapshot(voids=[RunRow(1003, 2)]).find(ours(1005)).state is CodeState.ACTIVE


def test_a_serial_from_outside_is_looked_up_and_its_neighbour_is_not_found() -> None:
    assert snapshot().find(Identifier.item(MILK, "F1")).lot == M2
    assert not snapshot().find(Identifier.item(MILK, "F3")).is_known
    assert not snapshot().find(Identifier.item(CHEESE, "F1")).is_known


NO_FACTORS = np.zeros(TEXT_BYTES_MAX + 2, dtype=np.uint64)
"""With these all hashes are 0."""


def test_serials_whose_hashes_meet_are_told_apart() -> None:
    foreign = ForeignSerials.of([(MILK, "A1", 1), (MILK, "B1", 2), (CHEESE, "A1", 3)], NO_FACTORS)

    assert (foreign.number(MILK, "A1"), foreign.number(MILK, "B1"), foreign.number(CHEESE, "A1")) == (1, 2, 3)
    assert foreign.number(MILK, "C1") is None


def test_lots_whose_hashes_meet_are_told_apart() -> None:
    table = LotTable.of_columns(LotColumns.of([M1, M2, NO_LOT]), NO_FACTORS)

    assert (table.find(1, "M1"), table.find(1, "M2"), table.find(1, "")) == (M1, M2, NO_LOT)
    assert table.find(1, "M3") is None
    assert table.find(2, "M1") is None


def test_a_recall_of_the_whole_lot_names_the_lot_and_each_of_its_items() -> None:
    world = snapshot(ScopeRow(1, 1))

    assert world.find(Identifier.lot_of(MILK, "M1")).recalls
    assert world.find(ours(1000)).recalls
    assert world.find(ours(1099)).recalls  # printed, not yet commissioned: it may be stuck on all the same
    assert not world.find(Identifier.lot_of(MILK, "M2")).recalls


def test_a_recall_of_some_items_names_these_and_leaves_the_lot_open() -> None:
    world = snapshot(ScopeRow(1, 1, 1010, 5))

    assert [bool(world.find(ours(number)).recalls) for number in (1009, 1010, 1014, 1015)] == [False, True, True, False]
    of_lot = world.find(Identifier.lot_of(MILK, "M1"))
    assert not of_lot.recalls
    assert of_lot.part_recalls


def test_a_product_code_is_told_of_recalls_of_its_lots_and_not_of_other_products() -> None:
    world = snapshot(ScopeRow(1, 1))

    assert world.find(Identifier.product(MILK)).part_recalls
    assert not world.find(Identifier.product(CHEESE)).part_recalls


def test_a_withdrawal_stands_apart_from_recalls() -> None:
    finding = snapshot(ScopeRow(1, 1), cases=[recall(1, "withdrawal")]).find(ours(1000))

    assert not finding.recalls
    assert [case.number for case in finding.withdrawals] == ["W-2026-0001"]


def test_the_most_dangerous_case_comes_first() -> None:
    cases = [recall(1, hazard_class=2), recall(2, hazard_class=1)]

    finding = snapshot(ScopeRow(1, 1), ScopeRow(2, 1), cases=cases).find(ours(1000))
    assert [case.case_id for case in finding.recalls] == [2, 1]


def test_when_the_lot_in_the_code_differs_the_worse_of_both_counts_and_the_scan_is_suspect() -> None:
    world = snapshot(ScopeRow(1, 2))

    honest, altered = world.find(ours(1000, "M1")), world.find(ours(1000, "M2"))
    assert not honest.recalls
    assert not honest.is_suspect
    assert altered.recalls  # the code says M2, and M2 is recalled
    assert altered.is_suspect


def test_a_recalled_item_does_not_become_clear_by_another_lot_in_its_code() -> None:
    finding = snapshot(ScopeRow(1, 1)).find(ours(1000, "M2"))

    assert finding.recalls
    assert finding.is_suspect


def test_an_unknown_serial_with_a_recalled_lot_is_told_of_the_recall_but_stays_unknown() -> None:
    finding = snapshot(ScopeRow(1, 1)).find(Identifier.item(MILK, "NEVERISSUED1", "M1"))

    assert not finding.is_known
    assert finding.recalls


def test_an_item_whose_lot_nobody_told_us_may_be_of_any_recalled_lot() -> None:
    assert snapshot(ScopeRow(1, 1)).find(Identifier.item(MILK, "F2")).part_recalls
    assert not snapshot().find(Identifier.item(MILK, "F2")).part_recalls


def test_a_lot_that_nobody_told_us_of_is_unknown_although_its_product_is_known() -> None:
    finding = snapshot(ScopeRow(1, 1)).find(Identifier.lot_of(MILK, "M9"))

    assert not finding.is_known
    assert finding.part_recalls


def test_a_stranger_is_unknown() -> None:
    assert snapshot().find(Identifier.product(STRANGER)).product is None
    assert not snapshot().find(Identifier.logistic_unit("395201234567890123")).is_known


def test_keys_that_another_master_secret_wrapped_are_refused_not_ignored() -> None:
    with pytest.raises(WrongMasterSecret):
        Keys({1: wrapped(ROOT_KEY, 1)}, "another secret of thirty-two characters and more")


def test_a_lot_changed_since_the_load_is_seen_as_it_is_now() -> None:
    lots = Lots(LotTable.of([M1, M2])).with_news(LotTable.of([lot(1, "M1", status="held"), lot(2, "M2B")]))

    changed, renamed = lots.find(1, "M1"), lots.find(1, "M2B")
    assert changed is not None
    assert changed.status == "held"
    assert renamed is not None
    assert renamed.lot_id == 2
    assert lots.find(1, "M2") is None
