"""Grouping holdings and shipments into notice lines: each unit once, and every sum the same."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.trace_quantities import Amount
from recall.notice_totals import totals
from recall.notices import (
    BOUND_COLUMNS,
    CONTRACT_COLUMNS,
    NOTICE_COLUMNS,
    Header,
    Held,
    LotOnNotice,
    Owner,
    Person,
    Sent,
    Site,
    World,
    group,
    whole_row,
)
from recall.refusals import TooManyLines

AT = datetime(2026, 11, 3, 6, tzinfo=UTC)
CREAMERY, DEPOT, SHOP, MIRA = 1, 2, 3, 4
C1, M1, PART = 10, 11, 12
HEADER = Header("R-2026-0001", 1, "recall", "abc", "Stop selling it.")
WORLD = World(
    lots={
        C1: LotOnNotice(C1, "09506000134352", "Cheese", "C1", whole=True, basis="proved"),
        M1: LotOnNotice(M1, "09506000134369", "Raw milk", "M1", whole=True, basis="scope"),
        PART: LotOnNotice(PART, "09506000134352", "Cheese", "C9", whole=False, basis="scope"),
    },
    owners={
        0: Owner("unknown"),
        CREAMERY: Owner("Meadow Creamery", "9506000134307", "brand"),
        DEPOT: Owner(
            "North Depot", "9506000134338", "distributor", "wholesale",
            {"recall": Person("Ben", "+44 1"), "responsible": Person("Nora", "+44 2")},
        ),
        SHOP: Owner("Corner Shop", None, "retailer", "retail", {"alternate": Person("Cleo", "+44 3")}),
        MIRA: Owner("Mira", None, "consumer", "direct"),
    },
    places={0: Site("unknown"), 1: Site("Plant"), 2: Site("Depot"), 3: Site("Shop", "9506000134444", "store")},
    serial_words=lambda runs: f"{len(runs)} runs",
)  # fmt: skip


def _held(owner: int, quantity: int, *, lot: int = C1, place: int = 1, state: str = "in_stock", **more: Any) -> Held:
    return Held(lot, place, owner, state, more.pop("uom", ""), Decimal(quantity), **more)


def _sent(owner: int, quantity: int, *, lot: int = C1, place: int = 1, **more: Any) -> Sent:
    return Sent(lot, owner, place, more.pop("uom", ""), Decimal(quantity), AT, **more)


_holdings = st.lists(
    st.builds(
        Held,
        lot_id=st.sampled_from([C1, M1, PART]),
        place_id=st.integers(0, 3),
        owner_id=st.integers(0, 4),
        state=st.sampled_from(["in_plant", "in_stock", "in_transit", "at_channel", "sold", "returned", "destroyed",
                               "sampled", "unknown"]),
        uom=st.sampled_from(["", "EA", "KGM", "LTR"]),
        quantity=st.integers(-5, 10**9).map(Decimal),
    ),
    max_size=30,
)  # fmt: skip
_shipments = st.lists(
    st.builds(
        Sent,
        lot_id=st.sampled_from([C1, M1, PART]),
        owner_id=st.integers(0, 4),
        place_id=st.integers(0, 3),
        uom=st.sampled_from(["", "KGM"]),
        quantity=st.integers(1, 1000).map(Decimal),
        at=st.just(AT),
    ),
    max_size=10,
)


@given(_holdings, _shipments, st.randoms())
def test_lines_totals_and_holdings_all_add_up_to_the_same(held: list[Held], sent: list[Sent], random: Any) -> None:
    lines = group(held, sent, WORLD, HEADER)
    pieces = sum(h.quantity for h in held if h.quantity > 0 and h.uom in ("", "EA"))
    weights: Counter[str] = Counter()
    for h in held:
        if h.quantity > 0 and h.uom in ("KGM", "LTR"):
            weights[h.uom] += int(h.quantity)

    overall = totals(lines)
    assert sum(line.row["items"] or 0 for line in lines) == pieces == overall["items"]  # type: ignore[misc]
    assert overall["quantities"].keys() <= {"KGM", "LTR"}
    assert {uom: int(q) for uom, q in overall["quantities"].items() if int(q)} == dict(weights)
    for part in ("by_channel", "by_owner", "by_product", "by_lot"):
        assert sum(entry["items"] for entry in overall[part]) == pieces
        assert sum(entry["lines"] for entry in overall[part]) == len(lines)
    for line in lines:
        if line.row["items"] is not None:
            states = ("items_expected_on_hand", "items_sold", "items_returned", "items_destroyed")
            assert line.row["items"] == sum(line.row[name] or 0 for name in states)  # type: ignore[misc]

    random.shuffle(held), random.shuffle(sent)
    assert group(held, sent, WORLD, HEADER) == lines


def test_every_row_has_the_columns_of_the_contract_in_their_order() -> None:
    (line,) = group([_held(SHOP, 12)], [], WORLD, HEADER)
    assert tuple(line.row) == NOTICE_COLUMNS
    assert NOTICE_COLUMNS[: len(CONTRACT_COLUMNS)] == CONTRACT_COLUMNS


def test_a_line_says_how_much_of_it_is_affected_at_least_most_likely_and_at_most() -> None:
    def a_third(lot_id: int, uom: str, quantity: Decimal) -> Amount:
        return Amount(float(quantity), 0.2, float(quantity) / 3, float(quantity) / 2)

    world = replace(WORLD, bounds=a_third)
    pieces, weight = group([_held(SHOP, 11), _held(SHOP, 10, uom="KGM")], [], world, HEADER)
    assert [pieces.row[name] for name in BOUND_COLUMNS] == [0, 4, 6], "pieces are whole, rounded outwards"
    assert [weight.row[name] for name in BOUND_COLUMNS] == ["0.2", "3.333333", "5"]
    (unknown,) = group([_held(SHOP, 11)], [], WORLD, HEADER)
    assert [unknown.row[name] for name in BOUND_COLUMNS] == [None, None, None], "what nobody worked out stands empty"


def test_a_row_frozen_before_a_column_came_has_it_empty() -> None:
    (line,) = group([_held(SHOP, 12)], [], WORLD, HEADER)
    old = {name: value for name, value in reversed(line.row.items()) if name not in BOUND_COLUMNS}
    assert tuple(whole_row(old)) == NOTICE_COLUMNS
    assert whole_row(old) == {**line.row, **dict.fromkeys(BOUND_COLUMNS)}


def test_a_list_that_would_be_too_long_is_refused_before_a_line_of_it_is_made() -> None:
    def never(*_told: object) -> Amount:
        raise AssertionError("a line was made")

    held = [_held(CREAMERY, 1), _held(DEPOT, 1), _held(SHOP, 1)]
    assert len(group(held, [], WORLD, HEADER, lines_max=3)) == 3
    with pytest.raises(TooManyLines, match="3 lines; at most 2"):
        group(held, [], replace(WORLD, bounds=never), HEADER, lines_max=2)


def test_lines_are_grouped_by_channel_then_owner() -> None:
    held = [_held(owner, 1, place=place) for owner in (MIRA, DEPOT, SHOP, CREAMERY, 0) for place in (3, 1)]
    lines = group(held, [], WORLD, HEADER)
    owners = [line.row["owner_name"] for line in lines]
    assert owners == [n for n in ("Meadow Creamery", "Corner Shop", "North Depot", "Mira", "unknown") for _ in range(2)]
    assert [line.channel for line in lines[::2]] == ["own", "retail", "wholesale", "direct", "unknown"]


def test_ten_thousand_kilograms_are_not_ten_thousand_items() -> None:
    lines = group([_held(DEPOT, 10_000, uom="KGM"), _held(DEPOT, 24)], [], WORLD, HEADER)
    by_uom = {line.row["uom"]: line.row for line in lines}
    assert by_uom["KGM"]["quantity_expected_on_hand"] == "10000"
    assert by_uom["KGM"]["items"] is None and by_uom[None]["items"] == 24
    assert totals(lines)["items"] == 24
    assert totals(lines)["quantities"] == {"KGM": "10000"}


def test_what_is_sold_returned_or_destroyed_is_not_expected_on_hand() -> None:
    held = [
        _held(SHOP, 5, state="at_channel"), _held(SHOP, 4, state="sold"), _held(SHOP, 3, state="returned"),
        _held(SHOP, 2, state="destroyed"), _held(SHOP, 1, state="sampled"),
    ]  # fmt: skip
    (line,) = group(held, [_sent(SHOP, 15, documents=("DES-2", "DES-1"))], WORLD, HEADER)
    row = line.row
    assert (row["items_expected_on_hand"], row["items_sold"], row["items_returned"]) == (5, 4, 3)
    assert (row["items_destroyed"], row["items"], row["items_shipped"]) == (3, 15, 15)
    assert (row["ship_dates"], row["documents"]) == ("2026-11-03", "DES-1; DES-2")


def test_an_owner_who_passed_everything_on_is_told_too() -> None:
    lines = group([_held(SHOP, 12, place=3)], [_sent(DEPOT, 12), _sent(SHOP, 12, place=3)], WORLD, HEADER)
    depot = next(line.row for line in lines if line.owner_id == DEPOT)
    assert (depot["items_shipped"], depot["items"]) == (12, 0)
    assert totals(lines)["items"] == 12


def test_of_a_part_of_a_lot_only_those_who_had_the_very_items_are_told() -> None:
    held = [_held(SHOP, 2, lot=PART, place=3, runs=((100, 2),))]
    sent = [_sent(DEPOT, 12, lot=PART, proved=True), _sent(MIRA, 12, lot=PART), _sent(SHOP, 12, lot=PART, place=3)]
    lines = group(held, sent, WORLD, HEADER)
    assert {line.owner_id for line in lines} == {SHOP, DEPOT}
    assert all(line.row["items_shipped"] is None for line in lines), "how many of the items went is not on record"
    assert [line.row["serial_ranges"] for line in lines if line.owner_id == SHOP] == ["1 runs"]


def test_the_responsible_person_and_the_contact_are_the_best_that_are_named() -> None:
    held = [_held(DEPOT, 1), _held(SHOP, 1), _held(MIRA, 1)]
    rows = {line.owner_id: line.row for line in group(held, [], WORLD, HEADER)}
    assert (rows[DEPOT]["responsible_name"], rows[DEPOT]["contact_name"]) == ("Nora", "Ben")
    assert (rows[SHOP]["responsible_name"], rows[SHOP]["contact_name"]) == ("Cleo", "Cleo")
    assert (rows[MIRA]["responsible_name"], rows[MIRA]["contact_phone"]) == ("", "")


def test_goods_that_went_out_without_ever_coming_in_are_no_goods_to_be_found() -> None:
    assert group([_held(0, -12)], [], WORLD, HEADER) == ()
