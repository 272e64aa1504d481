"""Sheets and rolls: where labels lie, how large a module may be, and which templates are refused."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from labels.layout import (
    TEMPLATES_FOLDER,
    Placement,
    advise,
    load_template,
    place_symbol,
    read_template,
    template_names,
)
from labels.refusals import (
    ResolutionNotUsable,
    StartCellNotOnSheet,
    SymbolDoesNotFit,
    TemplateBroken,
    TemplateUnknown,
)


@pytest.fixture
def measures() -> dict[str, Any]:
    return tomllib.loads((TEMPLATES_FOLDER / "a4-24.toml").read_text("utf-8"))


def test_the_sheet_has_three_columns_of_eight_labels() -> None:
    sheet = load_template("a4-24")

    last = sheet.cell(23)

    assert sheet.cells == 24
    assert (last.left_mm, last.top_mm) == (140.0, 259.5)
    assert (last.width_mm, last.height_mm) == (70.0, 37.0)


def test_a_template_that_does_not_exist_is_refused_with_those_that_do() -> None:
    assert template_names() == [
        "a4-24", "l7159", "l7160", "l7163", "l7651", "roll-40x30", "roll-50x30", "roll-60x40", "roll-80x50",
    ]  # fmt: skip
    with pytest.raises(TemplateUnknown, match="roll-60x40, roll-80x50"):
        load_template("../a4-24")


@pytest.mark.parametrize("start_cell", [1, 24])
def test_a_used_sheet_goes_on_at_any_of_its_cells(start_cell: int) -> None:
    load_template("a4-24").check_start_cell(start_cell)


@pytest.mark.parametrize("start_cell", [0, 25])
def test_a_cell_beyond_the_sheet_is_refused(start_cell: int) -> None:
    with pytest.raises(StartCellNotOnSheet, match="cells 1 to 24"):
        load_template("a4-24").check_start_cell(start_cell)


@pytest.mark.parametrize("dpi", [203, 300, 600])
def test_a_module_is_a_whole_number_of_dots_and_keeps_its_quiet_zone_in_the_box(dpi: int) -> None:
    template = load_template("a4-24")

    placed = place_symbol(template, 33, dpi)

    assert placed.module_mm == pytest.approx(placed.dots_per_module * 25.4 / dpi)
    assert placed.left_mm / placed.dot_mm == pytest.approx(round(placed.left_mm / placed.dot_mm))
    assert placed.left_mm - placed.quiet_mm >= template.symbol.left_mm - placed.dot_mm
    assert placed.left_mm + placed.side_mm + placed.quiet_mm <= template.text.left_mm


def test_a_symbol_too_large_for_the_label_is_refused() -> None:
    assert place_symbol(load_template("roll-50x30"), 57).module_mm >= 0.25
    with pytest.raises(SymbolDoesNotFit, match="roll-50x30"):
        place_symbol(load_template("roll-50x30"), 101)


@pytest.mark.parametrize("dpi", [149, 2401])
def test_a_resolution_no_printer_has_is_refused(dpi: int) -> None:
    with pytest.raises(ResolutionNotUsable, match=str(dpi)):
        place_symbol(load_template("a4-24"), 33, dpi)


def test_a_small_module_is_advised_against_and_a_good_one_is_not() -> None:
    good = place_symbol(load_template("a4-24"), 29)
    small = Placement(1.0, 1.0, 0.25, 29, 2, 203)

    assert advise(good) == ()
    assert [advice.code for advice in advise(small)] == ["module_small", "few_dots"]


def test_a_text_box_over_the_quiet_zone_is_refused(measures: dict[str, Any]) -> None:
    measures["text"]["box"]["left_mm"] = 29.0

    with pytest.raises(TemplateBroken, match="quiet zone"):
        read_template("broken", measures, "")


@pytest.mark.parametrize(
    ("part", "measure", "value", "reason"),
    [
        ("grid", "left_mm", 0.5, "right edge"),
        ("grid", "top_mm", 1.5, "lower edge"),
        ("grid", "step_x_mm", 69.0, "overlap"),
        ("grid", "columns", 0, "no cells"),
        ("cell", "width_mm", 60.0, "leaves the cell"),
    ],
)
def test_a_sheet_that_cannot_be_printed_is_refused(
    measures: dict[str, Any], part: str, measure: str, value: float, reason: str
) -> None:
    measures[part][measure] = value

    with pytest.raises(TemplateBroken, match=reason):
        read_template("broken", measures, "")


def test_a_missing_measure_is_named(measures: dict[str, Any]) -> None:
    del measures["cell"]["height_mm"]

    with pytest.raises(TemplateBroken, match="height_mm"):
        read_template("broken", measures, "")
