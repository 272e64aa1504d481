"""Serials that spell an offensive word are never issued."""

from __future__ import annotations

import numpy as np
import pytest

from serials.cipher import SerialCipher
from serials.words import word_hit, words_hit


@pytest.mark.parametrize(
    "serial", ["000SH1T00000", "0005H1T00000", "N4Z100000000", "000000000KKK", "00000FVCK000", "0000000D1E00"]
)
def test_a_serial_that_spells_a_word_is_withheld_also_in_look_alikes(serial: str) -> None:
    assert word_hit(serial)


@pytest.mark.parametrize("serial", ["000SHT100000", "KK0K00000000", "0123456789AB"])
def test_its_harmless_neighbour_is_issued(serial: str) -> None:
    assert not word_hit(serial)


def test_the_mask_of_many_agrees_with_each_one_and_withholds_few() -> None:
    serials = SerialCipher(bytes(range(32)), "09501101530003").serials(np.arange(20_000, dtype=np.int64))

    mask = words_hit(serials)

    assert mask.tolist() == [word_hit(row.tobytes().decode("ascii")) for row in serials]
    assert 0 < mask.mean() < 0.01
