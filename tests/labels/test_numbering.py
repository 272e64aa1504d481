"""Which number a label has: rules without a database."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labels.numbering import BATCH_LABELS, Numbering, OlderCodes, draw, numbers_to_take
from serials.cipher import SerialCipher
from serials.words import word_hit, words_hit

CHEESE = "09506000134352"
CIPHER = SerialCipher(bytes(range(32)), CHEESE)
OLD_CIPHER = SerialCipher(bytes(range(1, 33)), CHEESE)


@st.composite
def numberings(draw_from: st.DrawFn) -> Numbering:
    lo, n = draw_from(st.integers(0, 1 << 40)), draw_from(st.integers(1, 60))
    skipped = draw_from(st.sets(st.integers(lo, lo + n - 1), max_size=n - 1))
    return Numbering(lo, n, tuple(sorted(skipped)))


@given(numberings())
def test_labels_and_numbers_name_each_other_around_the_skipped_ones(numbering: Numbering) -> None:
    issued = [number for number in range(numbering.lo, numbering.lo + numbering.n) if number not in numbering.skipped]

    assert numbering.count == len(issued)
    assert [numbering.number_of(label) for label in range(1, numbering.count + 1)] == issued
    assert [numbering.label_of(number) for number in issued] == list(range(1, numbering.count + 1))
    assert all(numbering.label_of(number) is None for number in numbering.skipped)
    assert numbering.numbers(1, numbering.count).tolist() == issued


@given(numberings(), st.data())
def test_runs_are_exactly_the_numbers_of_their_labels(numbering: Numbering, data: st.DataObject) -> None:
    first = data.draw(st.integers(1, numbering.count))
    last = data.draw(st.integers(first, numbering.count))

    runs = numbering.runs(first, last)

    told = [number for lo, n in runs for number in range(lo, lo + n)]
    assert told == numbering.numbers(first, last).tolist()
    assert all(lo + n < next_lo for (lo, n), (next_lo, _) in pairwise(runs))


def test_numbers_outside_a_job_are_no_labels_of_it() -> None:
    numbering = Numbering(100, 10, (104,))

    assert numbering.label_of(99) is None
    assert numbering.label_of(110) is None
    for label in (0, 10):
        with pytest.raises(ValueError, match="not within 1 to 9"):
            numbering.number_of(label)


@pytest.mark.parametrize("skipped", [(99,), (110,), (105, 104), (104, 104)])
def test_skipped_numbers_rise_inside_the_block(skipped: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="skipped numbers rise"):
        Numbering(100, 10, skipped)


@pytest.mark.parametrize("count", [1, 2, 1_000, 70_000])
def test_a_draw_gives_as_many_labels_as_ordered_and_no_withheld_word(count: int) -> None:
    numbering = draw(CIPHER, 5_000, count)

    assert numbering.count == count
    assert numbering.n <= numbers_to_take(count)
    assert not words_hit(CIPHER.serials(numbering.numbers(1, count))).any()
    assert all(word_hit(CIPHER.serial(number)) for number in numbering.skipped[:200])
    assert numbering.label_of(numbering.lo + numbering.n - 1) == count


def test_a_serial_that_an_older_key_printed_is_not_printed_again() -> None:
    # given: the serial of our third number is on a label already, under the older key
    clash = OLD_CIPHER.number(CIPHER.serial(5_002))
    assert clash is not None
    older = OlderCodes(OLD_CIPHER, [(clash - 10, 20)])
    beside = OlderCodes(OLD_CIPHER, [(clash - 10, 10), (clash + 1, 10)])

    assert 5_002 in draw(CIPHER, 5_000, 100, [older]).skipped
    assert 5_002 not in draw(CIPHER, 5_000, 100, [beside]).skipped


def test_batches_are_all_labels_in_order() -> None:
    count = 2 * BATCH_LABELS + 5
    numbering = Numbering(7, count + 1, (20,))

    pieces = list(numbering.batches(3, count))

    assert [first for first, _ in pieces] == [3, 3 + BATCH_LABELS, 3 + 2 * BATCH_LABELS]
    assert np.concatenate([numbers for _, numbers in pieces]).tolist() == numbering.numbers(3, count).tolist()
