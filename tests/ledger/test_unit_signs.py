"""Units of measure as people write them."""

from __future__ import annotations

import pytest

from ledger.unit_signs import SIGNS, sign_of


@pytest.mark.parametrize(
    ("uom", "sign"), [("CEL", "°C"), ("KGM", "kg"), ("LTR", "L"), ("X9Z", "X9Z"), ("", ""), (None, "")]
)
def test_a_code_is_shown_as_its_sign_and_an_unusual_one_as_it_is(uom: str | None, sign: str) -> None:
    assert sign_of(uom) == sign


def test_no_two_units_look_the_same() -> None:
    assert len(set(SIGNS.values())) == len(SIGNS)
