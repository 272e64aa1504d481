"""Element strings, with brackets for people and with FNC1 from scanners."""

from __future__ import annotations

import pytest

from gs1 import element_string, errors
from gs1.errors import GS1Error
from gs1.identifier import Identifier
from tests.gs1.numbers import CHEESE, DAIRY, PALLET

GS = "\x1d"


def test_the_elements_may_stand_in_any_order() -> None:
    item = Identifier("01", CHEESE, (("10", "C1"), ("21", "7")), (("17", "270131"),))

    assert element_string.parse_bracketed(f"(01){CHEESE}(10)C1(17)270131(21)7") == item
    assert element_string.parse_bracketed(f"(21)7(17)270131(01){CHEESE}(10)C1") == item
    assert element_string.parse_fnc1(f"{GS}01{CHEESE}1727013110C1{GS}217") == item
    assert element_string.parse_fnc1(f"^217^01{CHEESE}17270131^10C1") == item


def test_the_key_of_the_thing_goes_before_the_key_of_the_shipment() -> None:
    label = element_string.parse_bracketed(f"(402)95240000000000125(00){PALLET}(02){CHEESE}(37)24(10)C1")

    assert label.sscc == PALLET
    assert label.lot is None
    assert ("402", "95240000000000125") in label.attributes


def test_qualifiers_that_exclude_each_other_in_a_link_leave_the_lot_as_attribute() -> None:
    carton = element_string.parse_bracketed(f"(01){CHEESE}(10)C1(235)T")

    assert carton.qualifiers == (("235", "T"),)
    assert carton.attributes == (("10", "C1"),)


def test_an_element_read_twice_counts_once_and_a_contradiction_is_refused() -> None:
    assert element_string.parse_bracketed(f"(01){CHEESE}(01){CHEESE}(10)C1") == Identifier.lot_of(CHEESE, "C1")
    with pytest.raises(errors.RepeatedApplicationIdentifier) as refusal:
        element_string.parse_bracketed(f"(01){CHEESE}(10)C1(10)C2")
    assert refusal.value.position == 25


def test_a_bracket_in_a_value_is_escaped() -> None:
    lot = Identifier.lot_of(CHEESE, "A(B)C((")

    assert element_string.format_bracketed(lot) == f"(01){CHEESE}(10)A\\(B)C\\(\\("
    assert element_string.parse_bracketed(f"(01){CHEESE}(10)A\\(B)C\\(\\(") == lot


def test_fnc1_stands_after_values_without_predefined_length_only() -> None:
    item = Identifier("01", CHEESE, (("10", "C1"), ("21", "7")), (("17", "270131"), ("99", "X")))

    assert element_string.format_fnc1(item) == f"{GS}01{CHEESE}10C1{GS}217{GS}1727013199X"
    assert element_string.format_fnc1(item, "^") == f"^01{CHEESE}10C1^217^1727013199X"


def test_a_superfluous_fnc1_is_tolerated() -> None:
    lot = Identifier.lot_of(CHEESE, "C1")

    assert element_string.parse_fnc1(f"{GS}01{CHEESE}{GS}10C1{GS}") == lot
    assert element_string.parse_fnc1(f"^01{CHEESE}^^10C1") == lot


@pytest.mark.parametrize(
    ("text", "kind", "position"),
    [
        ("", errors.EmptyInput, 0),
        (CHEESE, errors.BadElementString, 0),
        (f"x(01){CHEESE}", errors.BadElementString, 0),
        (f"(01{CHEESE}", errors.BadElementString, 0),
        (f"(01){CHEESE}(10", errors.BadElementString, 18),
        (f"(01){CHEESE}(10)A(B", errors.BadElementString, 23),
        (f"(01){CHEESE}(10)", errors.BadLength, 22),
        (f"(1){CHEESE}", errors.UnknownApplicationIdentifier, 1),
        (f"(01){CHEESE}(04)1", errors.UnknownApplicationIdentifier, 19),
        (f"(01){CHEESE[:-1]}5", errors.BadCheckDigit, 17),
        (f"(01){CHEESE}(10)A B", errors.BadCharacter, 23),
        (f"(01){CHEESE}(10)A\\(B~", errors.BadCharacter, 26),
        (f"(01){CHEESE}(10)A\\B", errors.BadCharacter, 23),
        (f"(01){CHEESE}(10){'A' * 21}", errors.BadLength, 42),
        (f"(01){CHEESE}(17)270230", errors.BadContent, 26),
        (f"(01){CHEESE}(00){PALLET}(37)2", errors.ExcludedPair, 1),
        ("(10)C1", errors.MissingAssociation, 1),
        (f"(02){CHEESE}(10)C1", errors.MissingAssociation, 1),
        ("(400)ORDER1", errors.NoPrimaryKey, 0),
        (f"(410){DAIRY}", errors.NoPrimaryKey, 0),
        (f"(01){CHEESE}(8030)AbC-_=", errors.BadLength, 29),
    ],
)
def test_a_broken_element_string_is_refused_with_its_place(text: str, kind: type[GS1Error], position: int) -> None:
    with pytest.raises(kind) as refusal:
        element_string.parse_bracketed(text)

    assert refusal.value.position == position


@pytest.mark.parametrize(
    ("text", "kind", "position"),
    [
        ("", errors.EmptyInput, 0),
        (f"01{CHEESE}", errors.BadElementString, 0),
        (GS, errors.EmptyInput, 1),
        (f"{GS}{GS}01{CHEESE}", errors.UnknownApplicationIdentifier, 1),
        (f"{GS}01{CHEESE}1", errors.UnknownApplicationIdentifier, 17),
        (f"{GS}01{CHEESE[:-1]}", errors.BadLength, 16),
        (f"{GS}01{CHEESE}10C1^217", errors.BadCharacter, 21),
        (f"^01{CHEESE}10C1{GS}217", errors.BadCharacter, 21),
        (f"{GS}10C1{GS}217", errors.MissingAssociation, 1),
    ],
)
def test_a_broken_scanner_string_is_refused_with_its_place(text: str, kind: type[GS1Error], position: int) -> None:
    with pytest.raises(kind) as refusal:
        element_string.parse_fnc1(text)

    assert refusal.value.position == position


def test_a_text_beyond_the_limit_is_refused() -> None:
    text = f"(01){CHEESE}(10)" + "A" * element_string.TEXT_LENGTH_MAX

    with pytest.raises(errors.InputTooLong) as refusal:
        element_string.parse_bracketed(text)

    assert refusal.value.position == element_string.TEXT_LENGTH_MAX


@pytest.mark.parametrize(
    ("signed", "bare"),
    [
        (f"(253){DAIRY}D1(8030)AbC-", f"(253){DAIRY}(8030)AbC-"),
        (f"(8003)0{DAIRY}X(8030)AbC-", f"(8003)0{DAIRY}(8030)AbC-"),
        (f"(01){CHEESE}(21)7(8030)AbC-", f"(01){CHEESE}(8030)AbC-"),
        (f"(01){CHEESE}(21)7(8030)AbCdEf==", f"(01){CHEESE}(21)7(8030)AbC=dE=="),
    ],
)
def test_a_signature_stands_beside_a_serial_only(signed: str, bare: str) -> None:
    element_string.parse_bracketed(signed)
    with pytest.raises(GS1Error):
        element_string.parse_bracketed(bare)
