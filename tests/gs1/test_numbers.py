"""GTIN, GLN, SSCC, lots and serials: what is taken, and the neighbour that is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gs1 import characters, check_digit, gln, gtin, sscc
from gs1.errors import BadCharacter, BadCheckDigit, BadContent, BadLength
from tests.gs1.numbers import CHEESE, DAIRY, PALLET, completed, numbers


@pytest.mark.parametrize(
    ("payload", "digit"), [("0952400001802", "1"), ("629104150021", "3"), ("9524000", "8"), ("1", "7")]
)
def test_the_check_digit_completes_a_number(payload: str, digit: str) -> None:
    assert check_digit.compute(payload) == digit


def test_a_check_digit_of_nothing_is_refused() -> None:
    with pytest.raises(BadLength):
        check_digit.compute("")


@given(numbers(14), st.integers(0, 13), st.integers(1, 9))
def test_one_mistyped_digit_is_always_caught(number: str, place: int, step: int) -> None:
    wrong = number[:place] + str((int(number[place]) + step) % 10) + number[place + 1 :]

    assert check_digit.is_valid(number)
    assert not check_digit.is_valid(wrong)
    assert not gtin.is_valid(wrong)


@pytest.mark.parametrize(
    ("written", "padded"),
    [
        ("09524000018021", CHEESE),
        ("9524000018021", CHEESE),
        ("9 524000 018021", CHEESE),
        ("012345678905", "00012345678905"),
        ("95240008", "00000095240008"),
    ],
)
def test_a_product_number_is_kept_with_fourteen_digits(written: str, padded: str) -> None:
    assert gtin.validate(written) == padded
    assert gtin.compact(written) == padded


@pytest.mark.parametrize(
    ("written", "kind", "position"),
    [
        ("09524000018025", BadCheckDigit, 13),
        ("9524000018o21", BadCharacter, 10),
        ("952400001802", BadCheckDigit, 11),
        ("95240000180214", BadCheckDigit, 13),
        ("952400001", BadLength, 0),
        ("", BadLength, 0),
        ("00000000000000", BadContent, 0),
        ("00000000", BadContent, 0),
        ("٩٥٢٤٠٠٠٩", BadCharacter, 0),
    ],
)
def test_a_wrong_product_number_is_refused_with_its_place(written: str, kind: type[Exception], position: int) -> None:
    with pytest.raises(kind) as refusal:
        gtin.validate(written)

    assert refusal.value.position == position  # type: ignore[attr-defined]
    assert not gtin.is_valid(written)


def test_the_refusal_says_which_check_digit_is_right_and_where() -> None:
    with pytest.raises(BadCheckDigit) as refusal:
        gtin.validate("09524000018025")

    assert str(refusal.value) == "At character 14: The check digit is 5, it should be 1."
    assert refusal.value.code == "bad_check_digit"


@pytest.mark.parametrize("text", ["952400000005", "95240000000575", "9524000000056", "952400000005X"])
def test_a_wrong_party_number_is_refused(text: str) -> None:
    assert gln.validate("9524 0000 0005 7") == DAIRY
    assert not gln.is_valid(text)


@pytest.mark.parametrize(
    "text", ["09524000000001789", "095240000000017891", "0952400000000178900", "09524000000001789O"]
)
def test_a_wrong_pallet_number_is_refused(text: str) -> None:
    assert sscc.validate(PALLET) == PALLET
    assert sscc.is_valid("0 952400000000178-95")
    assert not sscc.is_valid(text)


@pytest.mark.parametrize("lot", ["A", "M2401-A", "12345678901234567890", "a/b%(c)", " L1 "])
def test_a_lot_code_has_one_to_twenty_characters_of_the_standard(lot: str) -> None:
    assert characters.validate(lot) == lot.strip()


@pytest.mark.parametrize(
    ("lot", "position"),
    [("", 0), ("  ", 0), ("123456789012345678901", 20), ("L 1", 1), ("L#1", 1), ("批1", 0), ("L\x1d", 1), ("~", 0)],
)
def test_a_lot_code_outside_the_standard_is_refused(lot: str, position: int) -> None:
    # The FNC1 character counts as white space for Python, so it is taken off the end like any other.
    if lot == "L\x1d":
        lot = "L\x1dX"

    with pytest.raises((BadLength, BadCharacter)) as refusal:
        characters.validate(lot)

    assert refusal.value.position == position


def test_the_character_sets_have_their_sizes() -> None:
    assert len(characters.CSET_82) == len(set(characters.CSET_82)) == 82
    assert len(characters.CSET_39) == len(set(characters.CSET_39)) == 39
    assert len(characters.CSET_32) == len(set(characters.CSET_32)) == 32


@given(numbers(18))
def test_every_completed_number_is_valid(number: str) -> None:
    assert sscc.validate(number) == number == completed(number[:-1])
