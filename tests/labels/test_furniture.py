"""What stands on a label besides its code: it fits, it is pure black, and no character is missing."""

from __future__ import annotations

import dataclasses
import io
from typing import Any

import numpy as np
import pikepdf
import pypdfium2
import pytest

from gs1.errors import GS1Error
from labels.furniture import SCALES, Furniture, compose, compose_apart
from labels.layout import load_template
from labels.model import LabelText
from labels.refusals import (
    CharacterHasNoGlyph,
    LabelTextDoesNotFit,
    LabelTextNotUsable,
    SymbolDoesNotFit,
    TemplateBroken,
)
from labels.render.picture import rasterise, require_clear_quiet_zone
from labels.symbol import SymbolPlan


def test_the_same_label_is_composed_into_the_same_bytes(milk_text: LabelText, roll: Furniture) -> None:
    again = compose(milk_text, load_template("roll-50x30"), roll.placement.modules)

    assert again == roll


def test_composing_apart_gives_the_same_label_and_the_same_refusal(milk_text: LabelText, roll: Furniture) -> None:
    template = load_template("roll-50x30")

    assert compose_apart(milk_text, template, roll.placement.modules) == roll
    with pytest.raises(SymbolDoesNotFit, match="roll-50x30"):
        compose_apart(milk_text, template, 121)


def test_everything_is_printed_in_black_alone(chinese_text: LabelText, plan: SymbolPlan) -> None:
    furniture = compose(chinese_text, load_template("a4-24"), plan.side)

    with pikepdf.open(io.BytesIO(furniture.pdf)) as document:
        operations = [(str(i.operator), i.operands) for i in pikepdf.parse_content_stream(document.pages[0])]

    colours = {tuple(map(float, operands)) for operator, operands in operations if operator == "scn"}
    assert colours == {(0.0, 0.0, 0.0, 1.0)}
    assert not {"rg", "RG", "g", "G", "Do"} & {operator for operator, _ in operations}


def test_chinese_text_leaves_ink_where_the_text_box_is(chinese_text: LabelText, plan: SymbolPlan) -> None:
    template = load_template("a4-24")
    furniture = compose(chinese_text, template, plan.side)

    grey = next(rasterise(furniture.pdf, 254))  # ten dots a millimetre

    box = template.text
    rows, columns = _dots(box.top_mm, box.height_mm), _dots(box.left_mm, box.width_mm)
    assert (grey[rows, columns] < 128).mean() > 0.03
    outside = np.ones_like(grey, dtype=bool)
    outside[rows, columns] = False
    outside[_dots(template.codes.top_mm, template.codes.height_mm), columns] = False
    outside[_dots(template.symbol.top_mm, template.cell_height_mm), _dots(0, box.left_mm)] = False
    assert not (grey[outside] < 128).any()


def test_long_text_is_made_smaller_before_it_is_cut(milk_text: LabelText, plan: SymbolPlan) -> None:
    template = load_template("roll-50x30")
    longer = dataclasses.replace(milk_text, product_name="Fresh Whole Milk from the High Meadows")
    endless = dataclasses.replace(milk_text, product_name="Fresh Whole Milk from the High Meadows " * 3)

    smaller, cut = compose(longer, template, plan.side), compose(endless, template, plan.side)

    assert SCALES[-1] <= smaller.scale < 1.0
    assert not smaller.shortened
    assert cut.shortened
    words = _words(cut)
    assert "…" in words
    assert all(kept in words for kept in ("1 L", "2026-12-24", "Lot M1", "milk", "09501101530003"))


def test_text_that_does_not_fit_at_all_is_refused(milk_text: LabelText, plan: SymbolPlan) -> None:
    crowded = dataclasses.replace(milk_text, allergens=("milk and what is made of it",) * 12)

    with pytest.raises(LabelTextDoesNotFit, match="roll-50x30"):
        compose(crowded, load_template("roll-50x30"), plan.side)


def test_a_lot_of_twenty_wide_characters_fits_in_text_and_code(milk_text: LabelText, plan: SymbolPlan) -> None:
    wide = dataclasses.replace(milk_text, lot="W" * 20)

    for name in ("a4-24", "roll-50x30"):
        require_clear_quiet_zone(compose(wide, load_template(name), plan.side, lot_in_link=True))


def test_a_character_without_a_glyph_is_refused_by_name(milk_text: LabelText, plan: SymbolPlan) -> None:
    unknown = dataclasses.replace(milk_text, brand="Meadow \U00030a54")  # a Han character of extension G

    with pytest.raises(CharacterHasNoGlyph, match=r"U\+30A54.*brand"):
        compose(unknown, load_template("a4-24"), plan.side)


def test_a_picture_character_is_refused(milk_text: LabelText, plan: SymbolPlan) -> None:
    with pytest.raises((LabelTextNotUsable, CharacterHasNoGlyph)):
        compose(dataclasses.replace(milk_text, brand="Meadow \U0001f9c0"), load_template("a4-24"), plan.side)


def test_furniture_in_the_quiet_zone_is_refused(milk_text: LabelText, plan: SymbolPlan) -> None:
    template = load_template("a4-24")
    raised = dataclasses.replace(template, style=template.style + "#prompt { margin-top: -3mm }")

    require_clear_quiet_zone(compose(milk_text, template, plan.side))
    with pytest.raises(TemplateBroken, match="quiet zone"):
        require_clear_quiet_zone(compose(milk_text, raised, plan.side))


@pytest.mark.parametrize(
    ("field", "value"),
    [("product_name", " "), ("product_name", "Milk\u0007"), ("brand", "x" * 121), ("gtin", "9501101530003")],
)
def test_words_that_cannot_stand_on_a_label_are_refused(milk_text: LabelText, field: str, value: str) -> None:
    change: dict[str, Any] = {field: value}

    with pytest.raises(LabelTextNotUsable):
        dataclasses.replace(milk_text, **change)


def test_a_wrong_check_digit_is_refused_before_anything_is_drawn(milk_text: LabelText) -> None:
    with pytest.raises(GS1Error):
        dataclasses.replace(milk_text, gtin="09501101530004")


def test_html_in_a_name_is_printed_as_it_is_written(milk_text: LabelText, plan: SymbolPlan) -> None:
    template = load_template("a4-24")

    plain = compose(dataclasses.replace(milk_text, brand="Meadow"), template, plan.side)
    marked = compose(dataclasses.replace(milk_text, brand="<b>Meadow</b>"), template, plan.side)

    assert _characters(marked) - _characters(plain) == len("<b></b>")


def _words(furniture: Furniture) -> str:
    with pypdfium2.PdfDocument(furniture.pdf) as document:
        return str(document[0].get_textpage().get_text_range())


def _characters(furniture: Furniture) -> int:
    """How many glyphs the composed cell shows."""
    with pikepdf.open(io.BytesIO(furniture.pdf)) as document:
        shown = [i.operands[0] for i in pikepdf.parse_content_stream(document.pages[0]) if str(i.operator) == "TJ"]
        return sum(len(bytes(piece)) // 2 for pieces in shown for piece in pieces if isinstance(piece, pikepdf.String))


def _dots(start_mm: float, length_mm: float) -> slice:
    return slice(round(start_mm * 10), round((start_mm + length_mm) * 10))
