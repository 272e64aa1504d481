"""Why something is affected, or which fact keeps it out."""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from recall import casework, explaining
from recall.explaining import CODES_MAX, Standing
from recall.model import ExclusionDraft
from recall.refusals import ItemNotIssued, NoSuchCase, TooManyCodes
from tests.recall.creamery import CHEESE, MILK, Creamery, clock
from tests.recall.desk import every_table, opened, published


async def test_a_line_is_explained_by_the_facts_that_lead_to_it(conn: AsyncConnection, dairy: Creamery) -> None:
    number = await published(conn, dairy, lots=((MILK, "M1"),))

    (told,) = await explaining.explain(conn, number, dairy.code(dairy.c1[0]), keys=dairy.keys)

    assert (told.standing, told.basis, told.lot, told.frozen) == (Standing.AFFECTED, "proved", "C1", True)
    (fact,) = told.path
    assert (fact.from_lot, fact.to_lot) == ((MILK, "M1"), (CHEESE, "C1"))
    assert (fact.place, fact.line) == ("Creamery plant", "Line 1")
    assert told.inputs == ((MILK, "M1"), (MILK, "M2"))


async def test_what_is_not_affected_is_told_which_fact_keeps_it_out(conn: AsyncConnection, dairy: Creamery) -> None:
    number = await published(conn, dairy, lots=((MILK, "M1"),))
    (cheese,) = await explaining.explain(conn, number, dairy.code(dairy.c2[0]), keys=dairy.keys)
    (milk,) = await explaining.explain(conn, number, f"(01){MILK}(10)M2", keys=dairy.keys)

    assert (cheese.standing, cheese.path, cheese.frozen) == (Standing.NOT_AFFECTED, (), False)
    assert cheese.inputs == ((MILK, "M2"),)
    assert "no lot that it was made of is affected" in cheese.why
    assert "nothing is recorded of what it was made of" in milk.why


async def test_a_list_of_codes_is_explained_in_its_order_and_refused_as_a_whole(
    conn: AsyncConnection, dairy: Creamery
) -> None:
    number = await published(conn, dairy, lots=((MILK, "M1"),))
    codes = [dairy.code(dairy.c2[0]), f"(01){MILK}(10)M1", dairy.code(dairy.c1[0])]

    told = await explaining.explain_all(conn, number, [*codes, codes[0]], keys=dairy.keys)

    assert [each.code for each in told] == codes, "each code once"
    assert [each.standing for each in told] == [Standing.NOT_AFFECTED, Standing.AFFECTED, Standing.AFFECTED]
    with pytest.raises(ItemNotIssued):
        await explaining.explain_all(conn, number, [*codes, dairy.code("NEVER")], keys=dairy.keys)
    with pytest.raises(TooManyCodes):
        await explaining.explain_all(conn, number, ["x"] * (CODES_MAX + 1), keys=dairy.keys)


async def test_another_item_of_a_lot_is_told_that_only_others_are_named(conn: AsyncConnection, dairy: Creamery) -> None:
    number = await opened(conn, dairy, codes=(dairy.code(dairy.c1[0]),))
    (named,) = await explaining.explain(conn, number, dairy.code(dairy.c1[0]), keys=dairy.keys)
    (other,) = await explaining.explain(conn, number, dairy.code(dairy.c1[1]), keys=dairy.keys)
    assert (named.standing, named.why, named.frozen) == (Standing.AFFECTED, "the case names it", None)
    assert other.standing is Standing.NOT_AFFECTED
    assert "only other items of its lot" in other.why


async def test_what_was_taken_out_is_told_by_whom_and_why(conn: AsyncConnection, dairy: Creamery) -> None:
    exclude = (ExclusionDraft({"lot": f"{CHEESE}:C1"}, "tested clean"),)
    number = await opened(conn, dairy, lots=((MILK, "M2"),), exclude=exclude)
    (told,) = await explaining.explain(conn, number, f"(01){CHEESE}(10)C1", keys=dairy.keys)
    assert told.standing is Standing.EXCLUDED
    assert told.why == f"lot C1 of {CHEESE} was taken out by Ada: tested clean"


async def test_a_preview_says_how_many_are_affected_at_least_and_at_most(
    conn: AsyncConnection, dairy: Creamery
) -> None:
    of_milk = await casework.preview(conn, await opened(conn, dairy, lots=((MILK, "M1"),)), clock=clock)
    of_cheese = await casework.preview(conn, await opened(conn, dairy, lots=((CHEESE, "C1"),)), clock=clock)
    lower, expected, upper = of_milk.totals["bounds"]
    assert 0 <= lower <= expected <= upper == of_milk.items == 12
    assert lower < upper, "C1 was made of two milk lots"
    assert of_cheese.totals["bounds"] == [12, 12, 12]


async def test_asking_changes_nothing_and_refuses_what_is_unknown(conn: AsyncConnection, dairy: Creamery) -> None:
    number = await opened(conn, dairy, lots=((MILK, "M1"),))
    before = await every_table(conn)
    await explaining.explain(conn, number, dairy.code(dairy.c1[0]), keys=dairy.keys)
    await casework.preview(conn, number, clock=clock)
    assert await every_table(conn) == before
    with pytest.raises(ItemNotIssued):
        await explaining.explain(conn, number, dairy.code("NEVER"), keys=dairy.keys)
    with pytest.raises(NoSuchCase):
        await explaining.explain(conn, "R-2026-0009", dairy.code(dairy.c1[0]), keys=dairy.keys)
