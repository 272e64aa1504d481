"""Where a lot went, and what it came from."""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import closure_walk, genealogy
from ledger.genealogy import ClosureTooLarge, Reached, Start
from tests.ledger.records import Records, Use, day

pytestmark = pytest.mark.anyio


@pytest.fixture
async def dairy(conn: AsyncConnection) -> Records:
    """Milk lots M1 and M2; M1 and M2 became cheese C1, M2 became cheese C2; C1 was grated into G1."""
    records = Records(conn)
    milk, cheese, grated = [
        await records.product(number, name) for number, name in enumerate(("milk", "cheese", "grated"))
    ]
    m1, m2 = await records.lot(milk, "M1"), await records.lot(milk, "M2")
    c1, c2 = await records.lot(cheese, "C1"), await records.lot(cheese, "C2")
    g1 = await records.lot(grated, "G1")
    await records.operation(day(2), [m1, m2], [c1], line="vat 1")
    await records.operation(day(3), [m2], [c2], line="vat 2")
    await records.operation(day(9), [c1], [g1], line="grater")
    return records


def by_code(records: Records, reached: tuple[Reached, ...]) -> dict[str, Reached]:
    code_by_lot = {lot_id: code for code, lot_id in records.lots.items()}
    return {code_by_lot[lot.lot_id]: lot for lot in reached}


async def down(records: Records, *starts: Start | str, **limits: int) -> dict[str, Reached]:
    named = [start if isinstance(start, Start) else Start(records.lots[start]) for start in starts]
    return by_code(records, await genealogy.downstream(records.conn, named, **limits))


async def up(records: Records, *starts: Start | str) -> dict[str, Reached]:
    named = [start if isinstance(start, Start) else Start(records.lots[start]) for start in starts]
    return by_code(records, await genealogy.upstream(records.conn, named))


async def test_cheese_made_from_a_milk_lot_is_reached_and_its_sibling_is_not(dairy: Records) -> None:
    reached = await down(dairy, "M1")

    assert {code: lot.basis for code, lot in reached.items()} == {"M1": "scope", "C1": "proved", "G1": "proved"}
    assert reached["C1"].at == day(2) and reached["G1"].at == day(9) and reached["M1"].at is None
    assert all(lot.whole for lot in reached.values())


async def test_a_cheese_leads_back_to_all_its_milk(dairy: Records) -> None:
    reached = await up(dairy, "G1")

    assert {code: lot.basis for code, lot in reached.items()} == {
        "G1": "scope", "C1": "proved", "M1": "proved", "M2": "proved",
    }  # fmt: skip


async def test_the_path_names_each_step_from_the_start(dairy: Records) -> None:
    lots = dairy.lots
    reached = await genealogy.downstream(dairy.conn, [Start(lots["M1"])])

    steps = genealogy.path(reached, lots["G1"])

    assert [(step.from_lot_id, step.lot_id) for step in steps] == [(lots["M1"], lots["C1"]), (lots["C1"], lots["G1"])]
    assert genealogy.path(reached, lots["M1"]) == () and genealogy.path(reached, lots["C2"]) == ()


async def test_what_was_used_up_before_a_lot_was_spoilt_is_only_possible(dairy: Records) -> None:
    lots = dairy.lots
    rework = await dairy.lot(1, "R1")
    await dairy.operation(day(5), [rework], [lots["C2"]])  # C2 is topped up on day 5
    early, late = await dairy.lot(1, "E1"), await dairy.lot(1, "L1")
    await dairy.operation(day(4), [lots["C2"]], [early])
    await dairy.operation(day(6), [lots["C2"]], [late])

    reached = await down(dairy, "R1")

    assert {code: lot.basis for code, lot in reached.items()} == {
        "R1": "scope", "C2": "proved", "L1": "proved", "E1": "possible",
    }  # fmt: skip
    assert reached["E1"].via_operation_id is not None and reached["E1"].from_lot_id == lots["C2"]


async def test_rework_into_an_earlier_lot_ends(dairy: Records) -> None:
    lots = dairy.lots
    await dairy.operation(day(10), [lots["G1"]], [lots["C1"]])
    await dairy.operation(day(11), [lots["C1"]], [lots["G1"]])

    assert set(await down(dairy, "G1")) == {"G1", "C1"}
    assert set(await down(dairy, "M1")) == {"M1", "C1", "G1"}
    assert set(await up(dairy, "G1")) == {"G1", "C1", "M1", "M2"}


async def test_steps_of_one_day_told_without_an_hour_still_lead_to_the_start(dairy: Records) -> None:
    a, b, c = [await dairy.lot(1, code) for code in ("A", "B", "C")]
    await dairy.operation(day(20), [a], [b])
    await dairy.operation(day(20), [b], [c])
    await dairy.operation(day(20), [c], [b])
    await dairy.operation(day(20), [c], [a])

    reached = await genealogy.downstream(dairy.conn, [Start(a)])

    assert [lot.lot_id for lot in reached] == sorted((a, b, c))
    assert [step.lot_id for step in genealogy.path(reached, c)] == [b, c]


async def test_an_operation_declared_wrong_leads_nowhere(dairy: Records) -> None:
    wrong = await dairy.event("told by mistake", day(4))
    stray = await dairy.lot(2, "S1")
    await dairy.operation(day(4), [dairy.lots["M1"]], [stray], event_id=wrong)
    assert "S1" in await down(dairy, "M1")

    await dairy.declare_wrong(wrong, day(5))

    assert "S1" not in await down(dairy, "M1")
    assert set(await up(dairy, "S1")) == {"S1"}


async def test_inputs_told_after_an_output_left_are_not_in_it(dairy: Records) -> None:
    tank, before, after = [await dairy.lot(1, code) for code in ("T", "before", "after")]
    await dairy.operation(
        day(10), [Use(dairy.lots["M1"], at=day(12))], [Use(before, at=day(11)), Use(after, at=day(13)), tank]
    )

    reached = await down(dairy, "M1")

    assert reached["after"].basis == "proved"
    assert reached["before"].basis == "possible" and reached["T"].basis == "possible"


async def test_only_items_that_were_used_pass_on_what_they_have(dairy: Records) -> None:
    pump, car = await dairy.lot(2, "P1"), await dairy.lot(1, "")
    await dairy.operation(day(4), [Use(pump, 100, 1)], [Use(car, 900, 1)])
    await dairy.operation(day(4), [Use(pump, 101, 1)], [Use(car, 901, 1)])
    await dairy.operation(day(4), [Use(pump, 102, 1)], [Use(car, 902, 1)])

    reached = await down(dairy, Start(pump, 101, 2))

    assert reached["P1"].runs == ((101, 2),) and not reached["P1"].whole
    assert reached[""].runs == ((901, 2),) and reached[""].basis == "proved" and not reached[""].whole
    assert (await up(dairy, Start(car, 900, 1)))["P1"].runs == ((100, 1),)


async def test_a_part_of_a_lot_used_by_quantity_makes_everything_from_it_possible(dairy: Records) -> None:
    reached = await down(dairy, Start(dairy.lots["M1"], 5, 3))

    assert {code: (lot.basis, lot.whole) for code, lot in reached.items()} == {
        "M1": ("scope", False), "C1": ("possible", True), "G1": ("possible", True),
    }  # fmt: skip


async def test_a_lot_told_by_serial_in_part_only_is_taken_whole(dairy: Records) -> None:
    told, half_told = await dairy.lot(1, "told"), await dairy.lot(1, "half told")
    await dairy.operation(day(4), [dairy.lots["M1"]], [Use(told, 10, 5), Use(half_told, 20, 5)])
    await dairy.operation(day(5), [dairy.lots["M2"]], [Use(told, 15, 5)])
    await dairy.run(told, 10, 10)
    await dairy.run(half_told, 20, 8)  # 25, 26 and 27 were made we do not know when

    reached = await down(dairy, "M1")

    assert reached["told"].runs == ((10, 5),) and not reached["told"].whole
    assert reached["half told"].whole


async def test_a_lot_taken_whole_counts_from_the_first_items_that_were_affected(dairy: Records) -> None:
    half_told, used = await dairy.lot(1, "half told"), await dairy.lot(2, "used")
    await dairy.operation(day(4), [dairy.lots["M1"]], [Use(half_told, 20, 5)])
    await dairy.run(half_told, 20, 8)
    await dairy.operation(day(5), [half_told], [used])
    await dairy.operation(day(6), [dairy.lots["M1"]], [half_told])

    reached = await down(dairy, "M1")

    assert reached["half told"].whole and reached["half told"].at == day(4)
    assert reached["used"].basis == "proved"


async def test_what_a_lot_taken_whole_may_have_passed_on_out_of_time_is_possible(dairy: Records) -> None:
    half_told, earlier = await dairy.lot(1, "half told"), await dairy.lot(2, "earlier")
    await dairy.operation(day(6), [dairy.lots["M1"]], [Use(half_told, 20, 5)])
    await dairy.run(half_told, 20, 8)
    await dairy.operation(day(4), [Use(half_told, 27, 1)], [earlier])

    assert (await down(dairy, "M1"))["earlier"].basis == "possible"


async def test_named_items_stay_the_only_ones_unless_an_operation_gives_back_more(dairy: Records) -> None:
    box = await dairy.lot(1, "box")
    await dairy.run(box, 10, 10)
    assert not (await down(dairy, Start(box, 10, 2)))["box"].whole

    repacked = await dairy.lot(1, "repacked")
    await dairy.operation(day(4), [Use(box, 11, 1)], [repacked])
    await dairy.operation(day(5), [repacked], [Use(box, 15, 1)])

    assert (await down(dairy, Start(box, 10, 2)))["box"].whole


async def test_items_named_and_made_again_are_one(dairy: Records) -> None:
    box, used = await dairy.lot(1, ""), await dairy.lot(2, "used")
    await dairy.operation(day(4), [Use(box, 10, 2)], [Use(box, 10, 2)])  # taken out, washed and put back
    await dairy.operation(day(5), [Use(box, 11, 1)], [used])

    reached = await down(dairy, Start(box, 10, 2))

    assert reached[""].runs == ((10, 2),) and reached["used"].basis == "proved"


async def test_an_item_whose_making_nobody_told_may_come_from_any_operation_of_its_lot(dairy: Records) -> None:
    lot = await dairy.lot(1, "mixed")
    await dairy.operation(day(4), [dairy.lots["M1"]], [Use(lot, 10, 5)])
    await dairy.operation(day(5), [dairy.lots["M2"]], [Use(lot, 15, 5)])

    assert set(await up(dairy, Start(lot, 12, 1))) == {"mixed", "M1"}
    assert set(await up(dairy, Start(lot, 30, 1))) == {"mixed", "M1", "M2"}


async def test_what_is_possible_beside_what_is_proved_is_said(dairy: Records) -> None:
    part, whole = await dairy.lot(1, "part"), await dairy.lot(1, "whole")
    box = await dairy.lot(2, "")
    await dairy.operation(day(4), [dairy.lots["M1"]], [Use(part, 10, 5)])
    await dairy.operation(day(5), [Use(part, 10, 1)], [Use(box, 80, 1)])
    await dairy.operation(
        day(3), [Use(part, 11, 1)], [Use(box, 90, 1), whole]
    )  # before part 11 was made, says the clock

    reached = await down(dairy, "M1")

    assert reached[""].basis == "proved" and reached[""].runs == ((80, 1),)
    assert reached[""].possible_runs == ((80, 1), (90, 1)) and reached[""].widest().runs == ((80, 1), (90, 1))
    assert reached["whole"].basis == "possible"


async def test_a_closure_beyond_the_limit_is_refused_and_never_cut_short(dairy: Records) -> None:
    assert len(await down(dairy, "M1", lots_max=3)) == 3

    with pytest.raises(ClosureTooLarge, match="more than 2 lots"):
        await down(dairy, "M1", lots_max=2)


async def test_a_walk_that_explodes_is_stopped(dairy: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closure_walk, "STATES_SPARE", 0)
    monkeypatch.setattr(closure_walk, "STATES_PER_LOT_MAX", 1)

    with pytest.raises(ClosureTooLarge):
        await down(dairy, "M1", lots_max=4)


async def test_nothing_to_start_from_reaches_nothing(dairy: Records) -> None:
    assert await down(dairy) == {}


def test_half_a_run_of_numbers_is_no_start() -> None:
    with pytest.raises(ValueError, match="lo and a positive n"):
        Start(1, lo=5)
    with pytest.raises(ValueError, match="lo and a positive n"):
        Start(1, lo=5, n=0)
