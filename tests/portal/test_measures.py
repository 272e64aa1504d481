"""Amounts in the words of whoever reads them; codes stay what programs read."""

from __future__ import annotations

import pytest

from portal.checks import _inside
from portal.language import load_tongues
from portal.measures import quantity
from portal.model import UnitLine
from portal.remarks import said

TONGUES = load_tongues()


@pytest.mark.parametrize(
    ("amount", "uom", "english", "chinese"),
    [
        (1, "KGM", "1 kilogram", "1千克"),
        (1_234.5, "KGM", "1,234.5 kilograms", "1,234.5千克"),
        (18, "LTR", "18 liters", "18升"),
        (0.25, "TNE", "0.25 metric tons", "0.25公吨"),
        (1, "", "1 item", "1件"),
        (240, "EA", "240 items", "240件"),
        (3, "XBX", "3 XBX", "3 XBX"),  # a code without a word stays a code
        (3, "kg", "3 kg", "3 kg"),  # no code of Recommendation 20
    ],
)
def test_an_amount_is_told_with_the_word_of_its_unit(amount: float, uom: str, english: str, chinese: str) -> None:
    assert quantity(amount, uom, TONGUES["en"]) == english
    assert quantity(amount, uom, TONGUES["zh"]) == chinese


def line(quantity: float, uom: str, recalled: float) -> UnitLine:
    return UnitLine(None, None, quantity, uom, recalled, (), ())


def test_kilograms_and_items_inside_a_pallet_are_never_one_sum() -> None:
    mixed = [line(40, "KGM", 36.5), line(10, "KGM", 0), line(12, "", 1)]

    assert _inside(mixed) == "Recalled inside: 36.5 kilograms, 1 item."
    assert said(_inside(mixed), TONGUES["zh"]) == "其中被召回：36.5千克、1件。"
    assert _inside([line(12, "", 1), line(10, "EA", 0)]) == "1 of 22 inside are recalled."
