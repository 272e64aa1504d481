"""Whatever a person types or a scanner sends."""

from __future__ import annotations

import pytest

from gs1 import errors, scan_data
from gs1.errors import GS1Error
from gs1.identifier import Identifier
from tests.gs1.numbers import CHEESE, PALLET

GS = "\x1d"
PRODUCT = Identifier.product(CHEESE)
LOT = Identifier.lot_of(CHEESE, "C1")
ITEM = Identifier.item(CHEESE, "7", "C1")


@pytest.mark.parametrize(
    ("text", "identifier"),
    [
        (f"https://q.example/01/{CHEESE}/10/C1/21/7", ITEM),
        (f"  https://q.example/01/{CHEESE}/10/C1/21/7\r\n", ITEM),
        (f"/01/{CHEESE}/10/C1", LOT),
        (f"(01){CHEESE}(10)C1(21)7", ITEM),
        (f"{GS}01{CHEESE}10C1{GS}217", ITEM),
        (f"^01{CHEESE}10C1^217", ITEM),
        (f"01{CHEESE}10C1{GS}217", ITEM),
        (f"10C1{GS}01{CHEESE}", LOT),
        (f"01{CHEESE}", PRODUCT),
        (f"00{PALLET}", Identifier.logistic_unit(PALLET)),
        (f"]Q3{GS}01{CHEESE}10C1{GS}217", ITEM),
        (f"]d201{CHEESE}10C1{GS}217", ITEM),
        (f"]C101{CHEESE}10C1{GS}217{GS}", ITEM),
        (f"]e001{CHEESE}10C1", LOT),
        (f"]Q1https://q.example/01/{CHEESE}/10/C1", LOT),
        (f"]d1(01){CHEESE}(10)C1", LOT),
        (f"]C0{CHEESE}", PRODUCT),
        (f"]E0{CHEESE[1:]}", PRODUCT),
        ("]E495240008", Identifier.product("95240008")),
        (f"]I1{CHEESE}", PRODUCT),
        (f"{CHEESE}/C1/7", ITEM),
        (f"{CHEESE[1:]}/C1", LOT),
        (f"{CHEESE}//7", Identifier.item(CHEESE, "7")),
        (f"{CHEESE}:C1", LOT),
        (f"{CHEESE}:A/B:C", Identifier.lot_of(CHEESE, "A/B:C")),
        (CHEESE, PRODUCT),
        (CHEESE[1:], PRODUCT),
        ("012345678905", Identifier.product("012345678905")),
        ("95240008", Identifier.product("95240008")),
        ("9 524000 018021", PRODUCT),
        (PALLET, Identifier.logistic_unit(PALLET)),
        ("urn:epc:id:sscc:9524000.0000000178", Identifier.logistic_unit("095240000000001788")),
    ],
)
def test_every_usual_form_is_read(text: str, identifier: Identifier) -> None:
    assert scan_data.read(text) == identifier


@pytest.mark.parametrize(
    ("text", "kind", "position"),
    [
        ("", errors.EmptyInput, 0),
        (" \t\n", errors.EmptyInput, 0),
        ("cheese", errors.NotAnIdentifier, 0),
        ("  cheese", errors.NotAnIdentifier, 2),
        ("123456789", errors.NotAnIdentifier, 0),
        ("www.q.example/01/" + CHEESE, errors.NotAnIdentifier, 0),
        ("]Q1cheese", errors.NotAnIdentifier, 3),
        ("]Q1]Q1" + CHEESE, errors.NotAnIdentifier, 3),
        ("]Z9" + CHEESE, errors.NotAnIdentifier, 0),
        ("]", errors.NotAnIdentifier, 0),
        ("]Q1", errors.EmptyInput, 3),
        ("]Q3", errors.EmptyInput, 3),
        ("]E0" + CHEESE, errors.NotAnIdentifier, 3),
        ("]E09524000018025", errors.BadCheckDigit, 15),
        (f"]d201{CHEESE}10C 1", errors.BadCharacter, 22),
        (f" 01{CHEESE}10C 1", errors.BadCharacter, 20),
        (f"{CHEESE[:-1]}5", errors.BadCheckDigit, 13),
        (f" {CHEESE[:-1]}5", errors.BadCheckDigit, 14),
        ("095240000000017891", errors.BadCheckDigit, 17),
        (f"{CHEESE[:-1]}5/C1", errors.BadCheckDigit, 13),
        (f"{CHEESE}/C 1", errors.BadCharacter, 16),
        (f"{CHEESE}/C1/7~", errors.BadCharacter, 19),
        (f"{CHEESE}/", errors.BadLength, 15),
        (f"{CHEESE}:", errors.BadLength, 15),
        (f"{CHEESE}/C1/", errors.BadLength, 18),
        (f"{CHEESE}/A/B/C", errors.NotAnIdentifier, 18),
        (f"{CHEESE}/{'A' * 21}", errors.BadLength, 35),
        ("HtTpS://q.example/01/" + CHEESE, errors.BadAddress, 0),
    ],
)
def test_what_is_no_identifier_is_refused_with_its_place(text: str, kind: type[GS1Error], position: int) -> None:
    with pytest.raises(kind) as refusal:
        scan_data.read(text)

    assert refusal.value.position == position


def test_a_text_beyond_the_limit_is_refused() -> None:
    with pytest.raises(errors.InputTooLong):
        scan_data.read(" " * scan_data.TEXT_LENGTH_MAX + CHEESE)
