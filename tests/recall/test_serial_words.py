"""How the items of a part of a lot are told: serials while they are few, label numbers beyond, never less than all."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.intervals import merged, size
from recall.reach import Block
from recall.serial_words import SERIALS_LISTED_MAX, SerialWords

JOB = Block(1000, 5000, "label", "09506000134352", 1, skipped=(1002, 1003))
FOREIGN = Block(6000, 300, "foreign", None, None, ())
OUTSIDE = {6000 + k: f"X-{k}" for k in range(300)}
WORDS = SerialWords((JOB, FOREIGN), OUTSIDE, lambda epoch, gtin, number: f"S{number}")


def test_few_items_are_listed_by_serial_whoever_made_it() -> None:
    assert WORDS(((1000, 2), (6001, 1))) == "S1000; S1001; X-1"


@pytest.mark.parametrize(("n", "listed"), [(SERIALS_LISTED_MAX, True), (SERIALS_LISTED_MAX + 1, False)])
def test_many_items_are_told_by_label_number(n: int, listed: bool) -> None:
    text = WORDS(((1010, n),))
    if listed:
        assert len(text.split("; ")) == n
    else:
        assert text == f"labels 9-{8 + n} of the job from number 1000 ({n} items)"


def test_label_numbers_leave_out_what_was_never_issued() -> None:
    assert WORDS(((1000, 1000),)).startswith("labels 1-998 of the job from number 1000 (998 items)")


def test_without_keys_our_own_items_are_told_by_label_number() -> None:
    assert SerialWords((JOB,), {})(((1005, 1),)) == "labels 4-4 of the job from number 1000 (1 items)"


def test_foreign_serials_beyond_the_list_are_counted_and_not_forgotten() -> None:
    assert WORDS(((6000, 250),)) == "250 items with serials of their own maker (check each code)"


def test_nothing_is_told_as_nothing() -> None:
    assert WORDS(()) == ""


@given(st.lists(st.tuples(st.integers(1004, 6200), st.integers(1, 90)), min_size=1, max_size=8).map(merged))
def test_no_item_is_lost_in_words(runs: tuple[tuple[int, int], ...]) -> None:
    text = WORDS(runs)
    counts = [int(n) for n in re.findall(r"(\d+) items", text)]
    assert (sum(counts) if counts else len(text.split("; "))) == size(runs)
