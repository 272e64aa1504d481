"""Many items at once are told what each would be told alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from gs1.identifier import Identifier
from portal.check_items import TOGETHER_MIN, ItemChecks, plain_items
from portal.check_rows import Row
from portal.checks import check_one
from portal.codes import Block, BlockTable
from portal.intervals import RunRow, Runs
from portal.lots import LotTable
from portal.model import Confirmation
from portal.scope_columns import ScopeRow
from portal.snapshot import Snapshot
from tests.portal.arrangement import CHEESE, CIPHER, MILK, NOON, STRANGER, lot
from tests.portal.test_snapshot import OLD_CIPHER, ours, snapshot

TODAY = date(2026, 11, 24)


def with_news(before: Snapshot) -> Snapshot:
    """Since the copy was made, a block was issued, a run became another lot's, and a lot was held."""
    return replace(
        before,
        blocks=before.blocks.with_news(
            BlockTable.of([Block(1000, 120, MILK, 1, 1, frozenset({1007})), Block(500, 20, MILK, 2, 0)])
        ),
        runs=before.runs.with_news(Runs.of([RunRow(1020, 5, 2, 1), RunRow(500, 15, 2, 1)])),
        lots=before.lots.with_news(LotTable.of([replace(lot(2, "M2"), status="held")])),
    )


@pytest.mark.parametrize("is_fresh", [True, False])
@pytest.mark.parametrize(
    "of",
    [
        snapshot(),
        with_news(snapshot(ScopeRow(1, 1), voids=[RunRow(1030, 3)])),
        with_news(snapshot(ScopeRow(1, 1, 1040, 3), ScopeRow(2, 2), voids=[RunRow(1022, 1)])),
        snapshot(ScopeRow(1, 4)),
        Snapshot(),
    ],
)
def test_a_list_is_told_what_each_of_its_codes_is_told_alone(of: Snapshot, is_fresh: bool) -> None:
    asked = [ours(number) for number in range(995, 1125)]
    asked += [ours(number, "M2") for number in range(1000, 1060)]
    asked += [Identifier.item(MILK, OLD_CIPHER.serial(number)) for number in range(495, 525)]
    asked += [Identifier.item(CHEESE, CIPHER.serial(number)) for number in range(1000, 1030)]
    asked += [Identifier.item(MILK, serial) for serial in ("F1", "F2", "F3", "0" * 12, "LOU" * 4)]
    asked += [Identifier.lot_of(MILK, "M1"), Identifier.lot_of(MILK, "M9"), Identifier.product(MILK)]
    asked += [Identifier.lot_of(CHEESE, "M1"), Identifier.product(STRANGER)]

    def alone(code: str, identifier: Identifier) -> Row:
        return check_one(code, identifier, of, Confirmation(NOON, is_fresh), TODAY)

    listed = [(str(at), identifier) for at, identifier in enumerate(asked * 2)]
    assert ItemChecks(of, alone).rows(listed) == [alone(*each) for each in listed]


def test_only_items_of_which_lot_and_state_say_all_are_taken_together() -> None:
    of = with_news(snapshot(ScopeRow(1, 2, 1, 1), voids=[RunRow(1030, 3)]))
    texts = [bytes(row).decode() for row in CIPHER.serials(np.arange(995, 1125))]

    found = plain_items(of, MILK, texts)

    named_in_part, voided, skipped = range(1020, 1025), range(1030, 1033), [1007]
    left_out = {*named_in_part, *voided, *skipped}
    assert set(found) == {CIPHER.serial(number) for number in range(1000, 1061) if number not in left_out}
    assert found[CIPHER.serial(1060)] == (1, 3)
    assert plain_items(of, MILK, texts[: TOGETHER_MIN - 1]) == {}
    assert plain_items(of, STRANGER, texts) == {}
