"""What is said, in the order of danger; each verdict with the neighbour that must not be it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from portal.model import Checks, CodeState, Finding, Verdict
from portal.verdict import UNUSUAL_CHECKS_MIN, judge
from tests.portal.arrangement import NOON, lot, product, recall

TODAY = NOON.date()
ITEM = Finding(is_known=True, product=product(), lot=lot(), number=1001, state=CodeState.ACTIVE)
LOT = Finding(is_known=True, product=product(), lot=lot())
PRODUCT = Finding(is_known=True, product=product())
UNKNOWN = Finding(product=product())


def said(finding: Finding, *, is_fresh: bool = True, today: date = TODAY, checks: int | None = None) -> Verdict:
    counted = Checks(checks, NOON) if checks is not None else None
    return judge(finding, is_fresh=is_fresh, today=today, checks=counted)


@pytest.mark.parametrize(
    ("finding", "verdict"),
    [
        (replace(ITEM, recalls=(recall(),)), Verdict.RECALLED),
        (replace(ITEM, withdrawals=(recall(kind="withdrawal"),)), Verdict.WITHDRAWN),
        (replace(ITEM, lot=lot(best_before_on=date(2026, 11, 23))), Verdict.EXPIRED),
        (replace(ITEM, state=CodeState.BLOCKED), Verdict.BLOCKED),
        (replace(ITEM, state=CodeState.OUT_OF_SERVICE), Verdict.BLOCKED),
        (replace(ITEM, state=CodeState.VOID), Verdict.BLOCKED),
        (replace(ITEM, lot=lot(status="held")), Verdict.BLOCKED),
        (replace(LOT, lot=lot(status="rejected")), Verdict.BLOCKED),
        (replace(ITEM, state=CodeState.NOT_ACTIVE), Verdict.NOT_ACTIVE),
        (replace(ITEM, is_suspect=True), Verdict.UNUSUAL),
        (replace(LOT, part_recalls=(recall(),)), Verdict.CHECK_THE_SERIAL),
        (replace(PRODUCT, part_recalls=(recall(),)), Verdict.CHECK_THE_SERIAL),
        (UNKNOWN, Verdict.UNKNOWN_CODE),
        (LOT, Verdict.NO_RECALL_KNOWN),
        (PRODUCT, Verdict.NO_RECALL_KNOWN),
        (ITEM, Verdict.NO_RECALL_KNOWN),
    ],
)
def test_each_state_of_things_has_its_verdict(finding: Finding, verdict: Verdict) -> None:
    assert said(finding) is verdict


def test_the_first_check_is_the_first_and_the_second_a_repeat() -> None:
    assert said(ITEM, checks=1) is Verdict.FIRST_CHECK
    assert said(ITEM, checks=2) is Verdict.REPEAT_CHECK


def test_looking_at_the_count_is_never_the_first_check() -> None:
    looked = Checks(1, NOON, includes_this=False)

    assert judge(ITEM, is_fresh=True, today=TODAY, checks=looked) is Verdict.REPEAT_CHECK


def test_very_many_checks_of_one_item_are_unusual() -> None:
    assert said(ITEM, checks=UNUSUAL_CHECKS_MIN - 1) is Verdict.REPEAT_CHECK
    assert said(ITEM, checks=UNUSUAL_CHECKS_MIN) is Verdict.UNUSUAL


def test_a_product_is_good_on_its_last_day_and_past_its_date_on_the_next() -> None:
    last = lot().best_before_on
    assert last is not None
    assert said(LOT, today=last) is Verdict.NO_RECALL_KNOWN
    assert said(LOT, today=last + timedelta(days=1)) is Verdict.EXPIRED


WORST_FIRST = [
    replace(ITEM, recalls=(recall(),)),
    replace(ITEM, part_recalls=(recall(),)),
    replace(ITEM, withdrawals=(recall(kind="withdrawal"),)),
    replace(ITEM, lot=lot(best_before_on=date(2026, 11, 1))),
    replace(ITEM, state=CodeState.BLOCKED),
    replace(ITEM, is_suspect=True),
]


@pytest.mark.parametrize("index", range(len(WORST_FIRST) - 1))
def test_when_two_things_are_true_the_worse_one_is_said(index: int) -> None:
    worse, better = WORST_FIRST[index], WORST_FIRST[index + 1]
    changed = {
        name: getattr(worse, name)
        for name in ("recalls", "part_recalls", "withdrawals", "lot", "state", "is_suspect")
        if getattr(worse, name) != getattr(ITEM, name)
    }

    assert said(replace(better, **changed)) is said(worse)


def test_a_withdrawal_is_never_called_a_recall() -> None:
    assert said(replace(LOT, withdrawals=(recall(kind="withdrawal"),))) is not Verdict.RECALLED


@pytest.mark.parametrize("finding", [ITEM, LOT, PRODUCT, UNKNOWN, *WORST_FIRST[1:]])
def test_an_old_copy_clears_nobody(finding: Finding) -> None:
    assert said(finding, is_fresh=False, checks=1) is Verdict.CANNOT_CONFIRM


def test_a_recall_is_told_even_from_an_old_copy() -> None:
    assert said(WORST_FIRST[0], is_fresh=False) is Verdict.RECALLED


def test_an_unknown_serial_beside_a_recalled_lot_is_told_of_the_recall() -> None:
    assert said(replace(UNKNOWN, recalls=(recall(),), is_suspect=True)) is Verdict.RECALLED
