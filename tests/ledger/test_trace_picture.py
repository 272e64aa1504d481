"""The picture of a trace: layers from suppliers to holders, nothing left out, and words beside every colour."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest

from ledger.trace_chart import BOXES_MAX, GROUPS_MAX, KEPT_MAX, Link, chart_of, holder_key, lot_key
from ledger.trace_picture import svg_of

RAW, MIX, CHEESE = "raw", "mix", "cheese"
SVG = "{http://www.w3.org/2000/svg}"


def lot(gtin: str, code: str, path: list[int], **more: Any) -> dict[str, Any]:
    told = {"gtin": gtin, "lot": code, "product": gtin, "recalled": False, "path": path, "basis": "proved"}
    return {**told, **more}


def world(cheeses: int, shops: int) -> tuple[dict[str, Any], list[Link]]:
    """One mix of two raw lots, ``cheeses`` made of it, each with one of ``shops``."""
    answer = {
        "starts": [lot(MIX, "P1", [])],
        "upstream": {"lots": [lot(RAW, code, [1], raw=True, supplier="farm") for code in ("M1", "M2")]},
        "downstream": {"lots": [lot(CHEESE, f"C{k}", [2], items=10) for k in range(cheeses)]},
        "holders": [
            {"owner": {"name": f"shop {k}"}, "place": {"name": "store"}, "channel": "retail", "items": 10}
            for k in range(shops)
        ],
    }
    links: list[Link] = [(lot_key(RAW, code), lot_key(MIX, "P1")) for code in ("M1", "M2")]
    links += [(lot_key(MIX, "P1"), lot_key(CHEESE, f"C{k}")) for k in range(cheeses)]
    links += [(lot_key(CHEESE, f"C{k}"), holder_key(f"shop {k % shops}", "store")) for k in range(cheeses)]
    return answer, links


def texts(picture: str) -> list[str]:
    return ["".join(element.itertext()) for element in ElementTree.fromstring(picture).iter(f"{SVG}text")]


def test_suppliers_stand_left_and_holders_right() -> None:
    chart = chart_of(*world(3, 2))

    assert [{box.kind for box in layer} for layer in chart.layers] == [
        {"supplier"}, {"raw"}, {"start"}, {"lot"}, {"holder"},
    ]  # fmt: skip
    assert len(chart.lines) == 2 + 2 + 3 + 3


@pytest.mark.parametrize(("cheeses", "shops"), [(3, 2), (200, 60)])
def test_up_to_the_limit_each_thing_has_a_box_of_its_own(cheeses: int, shops: int) -> None:
    chart = chart_of(*world(cheeses, shops))

    assert chart.things == len(chart.shown) == cheeses + shops + 4 <= BOXES_MAX


def test_lots_stand_in_the_order_in_which_people_count() -> None:
    layer = chart_of(*world(12, 1)).layers[3]

    assert [box.title for box in layer] == [f"C{k}" for k in range(12)]


def test_beyond_the_limit_things_are_shown_together_and_none_is_lost() -> None:
    answer, links = world(2_000, 1_000)
    answer["downstream"]["lots"][1_500]["recalled"] = True
    chart = chart_of(answer, links)

    assert len(chart.shown) <= (KEPT_MAX + GROUPS_MAX) * len(chart.layers)
    assert sum(box.holds for box in chart.shown.values()) == chart.things == 3_004
    assert chart.shown[lot_key(CHEESE, "C1500")].recalled, "what is recalled keeps its own box"
    assert all(a in chart.shown and b in chart.shown for a, b in chart.lines)
    picture = texts(svg_of(answer, links, "en"))
    assert f"{2_000 - KEPT_MAX:,} more lots" in picture and f"{1_000 - KEPT_MAX:,} more holders" in picture
    assert f"{(2_000 - KEPT_MAX) * 10:,} items · cheese" in picture


def test_many_products_of_few_lots_each_end_in_one_last_box() -> None:
    answer, links = world(400, 2)
    for k, cheese in enumerate(answer["downstream"]["lots"]):
        cheese["product"] = f"cheese {k % 60}"

    layer = chart_of(answer, links).layers[3]

    assert len(layer) == KEPT_MAX + GROUPS_MAX and sum(box.holds for box in layer) == 400


def test_a_recalled_and_a_possible_lot_are_said_in_words_and_not_by_colour_alone() -> None:
    answer, links = world(2, 1)
    answer["downstream"]["lots"][0]["recalled"] = True
    answer["downstream"]["lots"][1]["basis"] = "possible"

    assert {"! RECALLED", "possible"} <= set(texts(svg_of(answer, links, "en")))
    assert {"! 已召回", "可能", "供应商", "目前所在"} <= set(texts(svg_of(answer, links, "zh")))


def test_names_of_strangers_cannot_break_out_of_the_picture() -> None:
    answer, links = world(1, 1)
    answer["starts"][0]["product"] = '</title><script>alert("x")</script>&'

    tree = ElementTree.fromstring(svg_of(answer, links, "en"))

    assert not list(tree.iter(f"{SVG}script"))


def test_a_line_that_leads_back_is_drawn_too() -> None:
    answer, links = world(2, 1)
    links.append((lot_key(CHEESE, "C0"), lot_key(MIX, "P1")))

    assert (lot_key(CHEESE, "C0"), lot_key(MIX, "P1")) in chart_of(answer, links).lines
