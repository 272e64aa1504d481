"""What people type is read as what was printed; what cannot be meant is refused."""

from __future__ import annotations

import pytest

from serials.alphabet import ALPHABET, SerialNotReadable, is_exact, normalise


@pytest.mark.parametrize("typed", ["0123-4567-89AB", " 0123 4567 89ab ", "oi23-4567-89AB", "OL23\u20114567\u201189ab"])
def test_a_typed_serial_is_read_as_the_printed_one(typed: str) -> None:
    assert normalise(typed) == "0123456789AB"


@pytest.mark.parametrize("typed", ["0123-4567-89AB", "0123456789ab", "O123456789AB"])
def test_an_exact_serial_takes_only_the_printed_form(typed: str) -> None:
    with pytest.raises(SerialNotReadable):
        normalise(typed, exact=True)
    assert normalise("0123456789AB", exact=True) == "0123456789AB"


def test_a_letter_u_is_refused_by_its_position() -> None:
    with pytest.raises(SerialNotReadable, match="character 3 is 'U'"):
        normalise("00U000000000")


@pytest.mark.parametrize(("typed", "length"), [("0" * 11, "11"), ("0" * 13, "13")])
def test_a_serial_of_another_length_is_refused(typed: str, length: str) -> None:
    with pytest.raises(SerialNotReadable, match=f"{length} characters"):
        normalise(typed)


def test_the_confusable_letters_are_not_in_the_alphabet() -> None:
    assert len(ALPHABET) == 32
    assert not set("ILOU") & set(ALPHABET)
    assert is_exact("Z" * 12)
    assert not is_exact("I" * 12)
