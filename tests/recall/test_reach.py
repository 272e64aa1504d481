"""What a case reaches: each kind of code, and the preview."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from cli.samples.epcis import event, packed, place, unit
from ledger.holders import holdings
from recall import affected, casework, store
from recall.model import Text, WindowDraft
from recall.refusals import (
    CaseNotUsable,
    CodeNotForRecall,
    CodeNotReadable,
    ItemNotIssued,
    NothingInside,
    NothingInWindow,
    RangeNotUsable,
    ScopeEmpty,
    UnknownLogisticUnit,
    UnknownLot,
    UnknownPlace,
    UnknownProduct,
)
from recall.scope import LotLine
from tests.recall import creamery
from tests.recall.creamery import CASE_C1, CASE_C2, CHEESE, MADE_AT, MARKET, MILK, NOW, PLANT, Creamery, clock, items
from tests.recall.desk import affected_lots, every_table, opened, published


async def test_cheese_made_from_a_recalled_milk_lot_is_recalled_and_the_other_cheese_is_not(
    conn: AsyncConnection, dairy: Creamery
) -> None:
    number = await published(conn, dairy, lots=((MILK, "M1"),))

    assert await affected_lots(conn, number) == {"M1": "whole", "C1": "whole"}
    rows = (await store.notice_lines(conn, number)).rows
    assert {row["lot"] for row in rows} == {"M1", "C1"}
    held = {row["owner_name"]: row for row in rows if row["lot"] == "C1"}
    assert held.keys() == {"Meadow Creamery", "North Depot", "Corner Shop", "Mira"}
    assert [held[name]["items"] for name in ("Meadow Creamery", "North Depot", "Corner Shop", "Mira")] == [2, 0, 9, 1]
    assert (held["Corner Shop"]["items_shipped"], held["Corner Shop"]["documents"]) == (
        10, "DES-2")  # fmt: skip
    assert (held["Mira"]["items_sold"], held["Mira"]["channel"]) == (1, "direct")
    assert (held["North Depot"]["responsible_name"], held["North Depot"]["contact_name"]) == (
        "Nora Quist",
        "Ben Carter",
    )


async def test_the_sum_of_the_lines_is_the_sum_of_the_holdings(conn: AsyncConnection, dairy: Creamery) -> None:
    number = await published(conn, dairy, lots=((MILK, "M2"),))
    listed = await store.notice_lines(conn, number)
    found = await affected.trace(conn, listed.case.scope)
    held = await holdings(conn, [each.reached for each in found.lots])
    pieces = sum(h.quantity for h in held if h.quantity > 0 and h.uom == "")
    assert pieces == 24
    assert sum(int(row["items"] or 0) for row in listed.rows) == pieces == listed.frozen.items
    by_state = listed.frozen.totals["by_state"]
    assert sum(by_state.values()) == pieces
    assert (by_state["in_plant"], by_state["sold"], by_state["at_channel"]) == (2, 1, 21)


async def test_an_item_code_names_the_item_and_nothing_else(conn: AsyncConnection, dairy: Creamery) -> None:
    number = await published(conn, dairy, codes=(dairy.code(dairy.c1[4]),))
    assert await affected_lots(conn, number) == {"C1": 1}
    rows = (await store.notice_lines(conn, number)).rows
    assert [row["serial_ranges"] for row in rows if row["items"]] == [dairy.c1[4]]
    assert {row["owner_name"] for row in rows} == {"North Depot", "Corner Shop"}, (
        "those who had this item, and no other"
    )
    assert all(row["items_shipped"] is None for row in rows)


async def test_an_item_code_stands_for_its_lot_when_the_author_says_so(conn: AsyncConnection, dairy: Creamery) -> None:
    number = await published(conn, dairy, codes=(dairy.code(dairy.c1[4]),), whole_lot=True)
    assert await affected_lots(conn, number) == {"C1": "whole"}
    assert (await store.find_case(conn, number)).scope.include == (LotLine(CHEESE, "C1", widened_from=dairy.c1[4]),)


@pytest.mark.parametrize("lot_code", ["https://id.example.com/01/09506000134352/10/C2", "(01)09506000134352(10)C2"])
async def test_a_lot_code_names_the_lot(conn: AsyncConnection, dairy: Creamery, lot_code: str) -> None:
    assert await affected_lots(conn, await published(conn, dairy, codes=(lot_code,))) == {"C2": "whole"}


async def test_a_gtin_names_every_lot_of_the_product(conn: AsyncConnection, dairy: Creamery) -> None:
    assert await affected_lots(conn, await published(conn, dairy, codes=(CHEESE,))) == {"C1": "whole", "C2": "whole"}


async def test_a_logistic_unit_names_what_is_in_it_now(conn: AsyncConnection, dairy: Creamery) -> None:
    number = await published(conn, dairy, codes=(CASE_C2,))
    assert await affected_lots(conn, number) == {"C2": 12}


async def test_a_logistic_unit_that_was_unpacked_names_what_was_in_it_when_it_was_shipped(
    conn: AsyncConnection, dairy: Creamery
) -> None:
    number = await published(conn, dairy, codes=(f"(00){CASE_C1}",))
    assert await affected_lots(conn, number) == {"C1": 10}
    items = {row["owner_name"]: row["items"] for row in (await store.notice_lines(conn, number)).rows}
    assert items == {"North Depot": 0, "Corner Shop": 9, "Mira": 1}


async def test_an_empty_unit_that_was_never_shipped_names_nothing(conn: AsyncConnection, dairy: Creamery) -> None:
    box = "395060000000000030"
    at: dict[str, Any] = {"readPoint": place(PLANT), "bizLocation": place(PLANT)}
    both = [packed(NOW - timedelta(hours=2), box, items(dairy.c1[10:]), PLANT)]
    both.append(event("AggregationEvent", NOW, "unpacking", action="DELETE", parentID=unit(box), childEPCs=[], **at))
    await creamery.tell(conn, dairy.keys, both[:1])
    assert await affected_lots(conn, await published(conn, dairy, codes=(box,))) == {"C1": 2}
    await creamery.tell(conn, dairy.keys, both[1:])
    with pytest.raises(NothingInside):
        await opened(conn, dairy, codes=(box,))


async def test_a_range_names_the_labels_from_one_to_another(conn: AsyncConnection, dairy: Creamery) -> None:
    ends = (dairy.code(dairy.c1[2]), dairy.code(dairy.c1[10]))
    assert await affected_lots(conn, await published(conn, dairy, ranges=(ends,))) == {"C1": 9}
    with pytest.raises(RangeNotUsable, match="swap them"):
        await opened(conn, dairy, ranges=(ends[::-1],))
    with pytest.raises(RangeNotUsable, match="different label jobs"):
        await opened(conn, dairy, ranges=((ends[0], dairy.code(dairy.c2[0])),))


async def test_a_window_on_a_line_names_what_that_line_put_out(conn: AsyncConnection, dairy: Creamery) -> None:
    window = WindowDraft(MADE_AT, MADE_AT + timedelta(days=1), line="Line 2")
    assert await affected_lots(conn, await published(conn, dairy, windows=(window,))) == {"C2": "whole"}
    late = WindowDraft(MADE_AT + timedelta(hours=10), MADE_AT + timedelta(days=1), line="Line 2")
    with pytest.raises(NothingInWindow):
        await opened(conn, dairy, windows=(late,))


async def test_a_window_at_a_place_names_what_was_kept_there(conn: AsyncConnection, dairy: Creamery) -> None:
    at_market = WindowDraft(NOW - timedelta(days=1), NOW, place=MARKET)
    assert await affected_lots(conn, await published(conn, dairy, windows=(at_market,))) == {"C2": 12}
    before = WindowDraft(MADE_AT, MADE_AT + timedelta(hours=30), place=MARKET)
    with pytest.raises(NothingInWindow):
        await opened(conn, dairy, windows=(before,))


async def test_several_starts_are_one_case_and_their_order_does_not_matter(
    conn: AsyncConnection, dairy: Creamery
) -> None:
    found = []
    for codes in ((CASE_C2, f"{MILK}:M1", f"{CHEESE}/C1"), (f"{CHEESE}/C1", f"{MILK}:M1", CASE_C2)):
        number = await opened(conn, dairy, codes=codes)
        found.append(await casework.preview(conn, number, clock=clock))
    assert found[0].hash == found[1].hash
    assert (found[0].items, found[0].lots, found[0].totals) == (24, 3, found[1].totals)


@pytest.mark.parametrize(
    ("named", "refusal"),
    [
        ({"lots": ((MILK, "M7"),)}, UnknownLot),
        ({"codes": (f"{CHEESE}/C9",)}, UnknownLot),
        ({"codes": (f"{CHEESE}//2222222222KK",)}, ItemNotIssued),
        ({"codes": ("09506000134376",)}, UnknownProduct),
        ({"codes": ("395060000000000030",)}, UnknownLogisticUnit),
        ({"codes": ("09506000134353",)}, CodeNotReadable),
        ({"codes": ("(414)9506000134406",)}, CodeNotForRecall),
        ({"windows": (WindowDraft(MADE_AT, NOW, place="9506000134468"),)}, UnknownPlace),
        ({"windows": (WindowDraft(NOW, MADE_AT, place=PLANT),)}, RangeNotUsable),
        ({"windows": (WindowDraft(MADE_AT.replace(tzinfo=None), NOW, place=PLANT),)}, RangeNotUsable),
        ({"windows": (WindowDraft(MADE_AT, NOW),)}, RangeNotUsable),
        ({}, ScopeEmpty),
        ({"lots": ((MILK, "M1"),), "title": " ", "hazard": "", "hazard_class": 4}, CaseNotUsable),
        ({"lots": ((MILK, "M1"),), "contact": {"fax": "1"}}, CaseNotUsable),
        ({"lots": ((MILK, "M1"),), "texts": {"English": Text("a", "b")}}, CaseNotUsable),
    ],
)
async def test_what_cannot_be_recalled_is_refused_by_name_and_nothing_is_written(
    conn: AsyncConnection, dairy: Creamery, named: dict[str, Any], refusal: type[Exception]
) -> None:
    before = await every_table(conn)
    with pytest.raises(refusal) as refused:
        await opened(conn, dairy, **{"codes": (), **named})
    assert "(" not in str(refused.value) or "{" not in str(refused.value)
    assert await every_table(conn) == before


async def test_one_unknown_code_among_good_ones_refuses_the_case(conn: AsyncConnection, dairy: Creamery) -> None:
    with pytest.raises(UnknownLot, match="no lot M9"):
        await opened(conn, dairy, lots=((MILK, "M1"), (MILK, "M9")))
    assert await store.list_cases(conn) == ()


# Preview ------------------------------------------------------------------------------------------------------------


async def test_a_preview_counts_and_changes_nothing(conn: AsyncConnection, dairy: Creamery) -> None:
    number = await opened(conn, dairy, lots=((MILK, "M1"),))
    before = await every_table(conn)

    preview = await casework.preview(conn, number, clock=clock)

    assert await every_table(conn) == before
    assert (preview.items, preview.lots, preview.owners) == (12, 2, 4)
    by_channel = {entry["channel"]: (entry["items"], entry["owners"]) for entry in preview.totals["by_channel"]}
    assert by_channel == {"own": (2, 1), "wholesale": (0, 1), "retail": (9, 1), "direct": (1, 1)}
    assert [(gap.what, gap.where) for gap in preview.gaps] == [("nobody is named to call", "Mira")]
    assert preview.wording == ()


async def test_publishing_freezes_what_the_preview_showed(conn: AsyncConnection, dairy: Creamery) -> None:
    number = await opened(conn, dairy, lots=((MILK, "M1"),))
    preview = await casework.preview(conn, number, clock=clock)
    await casework.approve(conn, number, by="Ben", clock=clock)
    frozen = await casework.publish(conn, number, by="Ben", clock=clock, keys=dairy.keys)
    assert (frozen.hash, frozen.items, frozen.owners) == (preview.hash, preview.items, preview.owners)
    assert {row["affected_set_hash"] for row in (await store.notice_lines(conn, number)).rows} == {preview.hash}


async def test_milk_that_went_in_before_it_was_touched_is_possible_and_not_included(
    conn: AsyncConnection, dairy: Creamery
) -> None:
    part = f"{MILK}//X1"
    at = MADE_AT + timedelta(hours=2)
    drum = {"epcList": [f"https://id.gs1.org/01/{MILK}/21/X1"], "ilmd": {"cbvmda:lotNumber": "M1"}}
    made = {"type": "ObjectEvent", "eventTime": at.isoformat(), "eventTimeZoneOffset": "+00:00", "action": "ADD",
            "bizStep": "commissioning", "disposition": "active", **drum}  # fmt: skip
    await creamery.tell(conn, dairy.keys, [made])

    number = await opened(conn, dairy, codes=(part,))
    preview = await casework.preview(conn, number, clock=clock)
    assert [(each.lot, each.items) for each in preview.possible] == [("C1", 12)]
    assert preview.lots == 1

    sure = await opened(conn, dairy, codes=(part,), include_possible=True)
    assert (await casework.preview(conn, sure, clock=clock)).items == 13
