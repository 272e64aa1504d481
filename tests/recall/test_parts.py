"""Starts from facts of production, and sets of starts put together by rules."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from cli.samples.epcis import event, lot, place
from ledger import master_data
from ledger.model import LotDraft
from recall import casework
from recall.model import ExclusionDraft, OperationDraft, SupplierDraft
from recall.refusals import (
    ExclusionNeedsReason,
    NothingNamed,
    PartNotUsable,
    ScopeTooLarge,
    UnknownParty,
)
from runtime.database import transaction
from runtime.refusals import Refusal
from tests.recall import creamery
from tests.recall.creamery import CHEESE, HILL_FARM, MADE_AT, MILK, PLANT, Creamery, clock
from tests.recall.desk import opened


async def lots_of(conn: AsyncConnection, dairy: Creamery, **more: Any) -> set[str]:
    """The lots that a case would reach."""
    number = await opened(conn, dairy, **more)
    preview = await casework.preview(conn, number, clock=clock)
    return {entry["lot"] for entry in preview.totals["by_lot"] if entry["items"]}


async def told_cheese(conn: AsyncConnection, dairy: Creamery, code: str, **facts: Any) -> None:
    """A cheese lot made of nothing known, with facts of its production."""
    async with transaction(conn):
        await master_data.put_lot(conn, LotDraft(gtin=CHEESE, code=code))
    at = {"readPoint": place(PLANT), "bizLocation": place(PLANT)}
    made = event(
        "TransformationEvent", MADE_AT + timedelta(hours=12), "creating_class_instance", "active",
        inputQuantityList=[lot(MILK, "M2", 1, "LTR")], outputQuantityList=[lot(CHEESE, code, 30)], **at,
        **{f"plant:{name}": value for name, value in facts.items()},
    )  # fmt: skip
    await creamery.tell(conn, dairy.keys, [made])


async def test_a_case_starts_from_a_supplier(conn: AsyncConnection, dairy: Creamery) -> None:
    assert await lots_of(conn, dairy, suppliers=(SupplierDraft(HILL_FARM),)) == {"C1", "C2"}
    with pytest.raises(UnknownParty):
        await lots_of(conn, dairy, suppliers=(SupplierDraft("9506000134994"),))
    with pytest.raises(NothingNamed):
        await lots_of(conn, dairy, suppliers=(SupplierDraft(HILL_FARM, CHEESE),))


async def test_a_case_starts_from_a_team_an_operator_and_equipment(conn: AsyncConnection, dairy: Creamery) -> None:
    await told_cheese(conn, dairy, "C3", line="Line 1", team="night", operator="Op 14", equipment="vat-2")
    assert await lots_of(conn, dairy, operations=(OperationDraft(line="Line 1"),)) == {"C1", "C3"}
    assert await lots_of(conn, dairy, operations=(OperationDraft(line="Line 1", team="night"),)) == {"C3"}
    assert await lots_of(conn, dairy, operations=(OperationDraft(operator="Op 14", equipment="vat-2"),)) == {"C3"}
    with pytest.raises(NothingNamed):
        await lots_of(conn, dairy, operations=(OperationDraft(team="night", equipment="vat-9"),))
    with pytest.raises(NothingNamed):
        early = OperationDraft(team="night", until_at=MADE_AT)
        await lots_of(conn, dairy, operations=(early,))
    with pytest.raises(PartNotUsable):
        await lots_of(conn, dairy, operations=(OperationDraft(place=PLANT),))


async def test_a_case_starts_from_a_parameter_out_of_limits(conn: AsyncConnection, dairy: Creamery) -> None:
    await told_cheese(conn, dairy, "C3", parameters={"plant:held_s": 14, "plant:culture": "B"})
    await told_cheese(conn, dairy, "C4", parameters={"plant:held_s": 16, "plant:culture": "A"})
    for test, found in (("held_s < 15", {"C3"}), ("held_s >= 14", {"C3", "C4"}), ("culture = A", {"C4"})):
        assert await lots_of(conn, dairy, operations=(OperationDraft(parameter=test),)) == found
    with pytest.raises(NothingNamed):
        await lots_of(conn, dairy, operations=(OperationDraft(parameter="held_s < 14"),))
    for test in ("held_s", "held_s < warm", "< 15"):
        with pytest.raises(PartNotUsable):
            await lots_of(conn, dairy, operations=(OperationDraft(parameter=test),))


async def test_parts_are_put_together_by_the_rules_of_sets(conn: AsyncConnection, dairy: Creamery) -> None:
    c1, c2 = {"lot": f"{CHEESE}:C1"}, {"lot": f"{CHEESE}:C2"}
    line_1 = {"operation": {"line": "Line 1"}}
    either = {"name": "either", "any": [c1, c2]}

    assert await lots_of(conn, dairy, parts=(either,)) == {"C1", "C2"}
    assert await lots_of(conn, dairy, parts=({"name": "of line 1", "all": [either, line_1]},)) == {"C1"}
    assert await lots_of(conn, dairy, parts=({"name": "of another", "but": [either, line_1]},)) == {"C2"}
    with pytest.raises(NothingNamed):
        await lots_of(conn, dairy, parts=({"name": "milk of line 1", "all": [{"supplier": HILL_FARM}, line_1]},))


async def test_a_part_of_parts_counts_its_items(conn: AsyncConnection, dairy: Creamery) -> None:
    some = {"name": "a few", "any": [{"code": dairy.code(serial)} for serial in dairy.c1[:3]]}
    rest = {"name": "the rest of C1", "but": [{"lot": f"{CHEESE}:C1"}, some]}
    one = {"name": "one", "all": [some, {"range": [dairy.code(dairy.c1[2]), dairy.code(dairy.c1[9])]}]}
    for part, items in ((some, 3), (rest, 9), (one, 1)):
        number = await opened(conn, dairy, parts=(part,))
        assert (await casework.preview(conn, number, clock=clock)).items == items
    with pytest.raises(NothingNamed):
        await opened(conn, dairy, parts=({"name": "nobody", "all": [{"code": dairy.code(dairy.c1[5])}, some]},))


@pytest.mark.parametrize(
    "part",
    [
        {"lot": "no colon"},
        {"name": "alone", "any": [{"lot": f"{CHEESE}:C1"}]},
        {"any": [{"lot": f"{CHEESE}:C1"}, {"lot": f"{CHEESE}:C2"}]},
        {"name": "two rules", "any": [{}, {}], "all": [{}, {}]},
        {"lot": f"{CHEESE}:C1", "code": "both"},
        {"name": "no list", "any": "C1 and C2"},
        {"window": {"from": "yesterday"}},
        {"operation": ["Line 1"]},
    ],
)
async def test_a_part_that_cannot_be_read_is_refused(conn: AsyncConnection, dairy: Creamery, part: Any) -> None:
    with pytest.raises(Refusal):
        await opened(conn, dairy, parts=(part,))


async def test_parts_have_a_limit_in_number_and_depth(conn: AsyncConnection, dairy: Creamery) -> None:
    deep: dict[str, Any] = {"lot": f"{CHEESE}:C1"}
    for _ in range(9):
        deep = {"name": "deeper", "any": [deep, {"lot": f"{CHEESE}:C2"}]}
    with pytest.raises(PartNotUsable):
        await opened(conn, dairy, parts=(deep,))
    with pytest.raises(ScopeTooLarge):
        await opened(conn, dairy, parts=({"name": "wide", "any": [{"lot": f"{CHEESE}:C1"}] * 1_001},))


async def test_an_exclusion_says_why_and_what_it_saves(conn: AsyncConnection, dairy: Creamery) -> None:
    exclude = (ExclusionDraft({"lot": f"{CHEESE}:C2"}, "tested clean"),)
    number = await opened(conn, dairy, suppliers=(SupplierDraft(HILL_FARM),), exclude=exclude)

    preview = await casework.preview(conn, number, clock=clock)

    assert preview.items == 12
    (saving,) = preview.savings
    assert (saving.what, saving.reason, saving.by) == (f"lot C2 of {CHEESE}", "tested clean", "Ada")
    assert (saving.items, saving.lots) == (12, 1)
    with pytest.raises(ExclusionNeedsReason):
        await opened(conn, dairy, lots=((CHEESE, "C1"),), exclude=(ExclusionDraft({"lot": f"{CHEESE}:C2"}, " "),))


async def test_a_case_with_a_serial_is_named_with_all_that_is_in_it(conn: AsyncConnection, dairy: Creamery) -> None:
    box = f"https://id.gs1.org/01/{CHEESE}/21/BOX-1"
    at = {"readPoint": place(PLANT), "bizLocation": place(PLANT)}
    packed = event(
        "AggregationEvent", MADE_AT + timedelta(days=4), "packing", "in_progress", action="ADD", parentID=box,
        childEPCs=creamery.items(dairy.c1[10:]), **at,
    )  # fmt: skip
    await creamery.tell(conn, dairy.keys, [packed])
    number = await opened(conn, dairy, codes=(f"https://id.example.com/01/{CHEESE}/21/BOX-1",))
    assert (await casework.preview(conn, number, clock=clock)).items >= 2
