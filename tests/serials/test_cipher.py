"""Serials of items: unique, unguessable to look at, and readable back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serials.alphabet import ALPHABET, SerialNotReadable
from serials.cipher import SerialCipher

MILK, CHEESE = "09501101530003", "09501101530010"
KEY = bytes(range(32))
FROZEN = ["B24H1KQGAVVQ", "NJBCJNG3QCNJ", "8FEHNG6YWSTY"]
numbers = st.integers(min_value=0, max_value=2**60 - 1)


@given(number=numbers)
def test_a_serial_leads_back_to_its_number(number: int) -> None:
    cipher = SerialCipher(KEY, MILK)

    serial = cipher.serial(number)

    assert len(serial) == 12
    assert set(serial) <= set(ALPHABET)
    assert cipher.number(serial) == number


def test_a_serial_once_printed_never_changes_its_meaning() -> None:
    assert [SerialCipher(KEY, MILK).serial(number) for number in (0, 1, 2**60 - 1)] == FROZEN


def test_serials_in_bulk_are_the_same_as_one_by_one_and_all_different() -> None:
    cipher = SerialCipher(KEY, MILK)
    block = np.arange(5_000, 7_000, dtype=np.int64)

    serials = cipher.serials(block)

    texts = [row.tobytes().decode("ascii") for row in serials]
    assert texts == [cipher.serial(int(number)) for number in block]
    assert len(set(texts)) == len(block)
    assert np.array_equal(cipher.numbers(serials), block)


def test_another_product_or_another_key_gives_another_serial() -> None:
    serial = SerialCipher(KEY, MILK).serial(7)

    assert SerialCipher(KEY, CHEESE).serial(7) != serial
    assert SerialCipher(bytes(32), MILK).serial(7) != serial
    assert SerialCipher(KEY, CHEESE).number(serial) != 7


@pytest.mark.parametrize(
    "text", ["", "0" * 11, "0" * 13, "0" * 11 + "U", "0" * 11 + "a", "0" * 11 + "\u0660", "0" * 11 + "\n", "_0" * 6]
)
def test_what_is_not_written_like_a_serial_has_no_number(text: str) -> None:
    cipher = SerialCipher(KEY, MILK)

    assert cipher.number(text) is None
    assert cipher.number("0" * 12) is not None


@pytest.mark.parametrize("number", [-1, 2**60])
def test_a_number_outside_sixty_bits_is_refused(number: int) -> None:
    cipher = SerialCipher(KEY, MILK)

    with pytest.raises(ValueError, match=str(number)):
        cipher.serial(number)
    with pytest.raises(ValueError, match=f"row 1: the number {number}"):
        cipher.serials(np.array([0, number], dtype=np.int64))


def test_bulk_decoding_names_the_row_that_is_not_a_serial() -> None:
    rows = np.frombuffer(b"0000000000000000000000I0", dtype=np.uint8).reshape(2, 12)

    with pytest.raises(SerialNotReadable, match="row 1"):
        SerialCipher(KEY, MILK).numbers(rows)


@pytest.mark.parametrize("gtin", ["9501101530003", "0950110153000X", "\u0660" * 14])
def test_a_gtin_that_is_not_fourteen_digits_is_refused(gtin: str) -> None:
    with pytest.raises(ValueError, match="14 digits"):
        SerialCipher(KEY, gtin)


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="needs 32"):
        SerialCipher(bytes(16), MILK)
