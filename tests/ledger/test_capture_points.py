"""A step of the work as data: what it takes, what it refuses and why, and what becomes of it in the ledger."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

from cli.samples import dairy
from gs1.identifier import Identifier
from labels import printing
from ledger import capture_points, master_data
from ledger.capture_points_refusals import (
    CapturePointClosed,
    CapturePointNotFound,
    DefinitionNotUsable,
    NothingToUndo,
    NotYourPoint,
    NotYourReading,
    ReadingIdTaken,
    ReadingNotUsable,
)
from ledger.genealogy import Reached, Start, upstream
from ledger.holders import holdings
from ledger.model import LotDraft
from ledger.refusals import PlaceNotFound
from ledger.trace import trace
from runtime.clock import system_clock
from runtime.database import transaction
from tests.ledger.capture_floor import CASE, LINK, LOOSE, PACKED, PACKING, SHIPPING, SOLD, VAT, Floor, sscc
from tests.shop import order
from tests.world import CHEESE, MILK


async def test_a_case_is_packed_at_a_point_and_the_event_says_which_version_made_it(floor: Floor) -> None:
    point = await floor.point(PACKING)

    taken = await floor.read(point, sscc(77), *LOOSE, parameters={"core_temperature": 4.5})

    event = await floor.event(taken)
    assert await floor.inside(sscc(77)) == 12
    assert (event["type"], event["action"], event["bizStep"]) == ("AggregationEvent", "ADD", "packing")
    assert (event["tracemark:capturePoint"], event["tracemark:capturePointVersion"]) == (point, 1)
    assert (event["tracemark:line"], event["tracemark:operator"]) == ("Line 1", "wang")
    assert event["sensorElementList"] == [{"sensorReport": [{"type": "Temperature", "value": 4.5, "uom": "CEL"}]}]
    assert taken.alarms == () and not taken.known


async def test_a_reading_that_is_sent_again_changes_nothing_and_gets_the_same_answer(floor: Floor) -> None:
    point = await floor.point(PACKING)
    told: Any = {"parameters": {"core_temperature": 4}}

    first = await floor.read(point, sscc(77), *LOOSE, **told)
    again = await floor.read(point, sscc(77), *LOOSE, **told)

    assert (again.event_id, again.known) == (first.event_id, True)
    with pytest.raises(ReadingIdTaken):
        await floor.read(point, sscc(77), *LOOSE[:3], **told)


async def test_outside_a_limit_the_event_is_recorded_with_its_alarm(floor: Floor) -> None:
    point = await floor.point(PACKING)

    taken = await floor.read(point, sscc(77), *LOOSE, parameters={"core_temperature": "6,1"})

    event = await floor.event(taken)
    assert [(str(alarm.value), str(alarm.max)) for alarm in taken.alarms] == [("6.1", "6")]
    assert event["sensorElementList"][0]["sensorReport"][0]["exception"] == "ALARM_CONDITION"
    assert taken.reviewed == ()


async def test_outside_a_limit_a_strict_point_takes_nothing(floor: Floor) -> None:
    point = await floor.point(PACKING, outside_limits="refuse")

    assert await floor.refusal(point, sscc(77), *LOOSE, parameters={"core_temperature": 6.1}) == ["outside_limits"]

    assert await floor.inside(sscc(77)) == 0
    assert (await floor.read(point, sscc(77), *LOOSE, parameters={"core_temperature": 6})).alarms == ()


async def test_a_vat_outside_its_limits_holds_the_lot_it_made_for_review(floor: Floor, conn: AsyncConnection) -> None:
    vat, dock = await floor.point(VAT), await floor.point(SHIPPING, things={"kinds": ["lot"], "uom": "KGM"})
    milk = {"code": f"{MILK}:M2", "role": "thing", "quantity": 100}
    cheese = {"code": f"{CHEESE}:C9", "role": "output", "quantity": 9.5}

    taken = await floor.read(vat, milk, cheese, parameters={"core_temperature": 9})

    lot = await master_data.get_lot(conn, CHEESE, "C9")
    above = {each.lot_id for each in await upstream(conn, [Start(lot.lot_id)])}
    await conn.rollback()
    assert taken.reviewed == (f"{CHEESE}:C9",)
    assert (lot.status, lot.status_reason) == ("held", "vat-2: core_temperature 9")
    assert above == {lot.lot_id, (await master_data.get_lot(conn, MILK, "M2")).lot_id}
    shipped = {"code": f"{CHEESE}:C9", "quantity": 1}
    assert await floor.refusal(dock, shipped, destination=dairy.DEPOT) == ["on_hold"]


async def test_a_case_with_a_lot_on_hold_inside_does_not_leave(floor: Floor, conn: AsyncConnection) -> None:
    dock = await floor.point(SHIPPING)
    async with transaction(conn):
        await master_data.put_lot(conn, LotDraft(gtin=CHEESE, code="C1", status="held"))

    assert await floor.refusal(dock, CASE, destination=dairy.DEPOT) == ["on_hold"]

    released = await floor.point(SHIPPING, takes_held_lots=True)
    taken = await floor.read(released, CASE, destination=dairy.DEPOT, document="DES 7/1")
    event = await floor.event(taken)
    assert event["bizTransactionList"][0]["bizTransaction"] == "urn:tracemark:document:DES-7-1"
    assert event["tracemark:capturePointVersion"] == 2


async def test_what_is_shipped_at_a_dock_belongs_to_whose_place_it_goes_to(floor: Floor, conn: AsyncConnection) -> None:
    dock = await floor.point(SHIPPING)

    await floor.read(dock, CASE, destination=dairy.DEPOT)

    answer = await trace(conn, Identifier.logistic_unit(CASE), floor.keys, clock=system_clock)
    owners = {holder["owner"]["name"] for holder in answer["holders"]}
    assert "North Depot" in owners
    assert await floor.refusal(dock, CASE, reading_id="r-2") == ["destination_needed"]
    assert await floor.refusal(dock, CASE, reading_id="r-2", destination=dairy.SHOP) == ["destination_unknown"]


async def test_a_reading_that_cannot_be_is_refused_with_a_reason_for_the_line(floor: Floor) -> None:
    case = sscc(77)
    told: dict[str, list[Any]] = {
        "unreadable": [case, "no code at all"],
        "wrong_kind": [case, f"{CHEESE}:C1"],
        "unknown": [case, f"{LINK}NEVERSEEN"],
        "packed_already": [case, PACKED[0]],
        "gone": [case, SOLD],
        "twice": [case, LOOSE[0], LOOSE[0]],
        "too_few": [case],
        "too_many": [case, *LOOSE, PACKED[0]],
        "quantity_not_asked": [case, {"code": LOOSE[0], "quantity": 2}],
        "role_not_here": [case, LOOSE[0], {"code": LOOSE[1], "role": "output"}],
        "parent_twice": [{"code": code, "role": "parent"} for code in (case, sscc(78))],
        "inside_itself": [f"{LINK}BOX", f"{LINK}BOX"],
    }
    point = await floor.point(PACKING, parameters=[])

    refused = {problem: await floor.refusal(point, *scanned) for problem, scanned in told.items()}

    assert [problem for problem, found in refused.items() if problem not in found] == []
    assert await floor.inside(case) == 0
    assert not (await floor.read(point, case, LOOSE[0])).known


async def test_amounts_of_lots_are_told_in_the_unit_of_the_point(floor: Floor) -> None:
    vat = await floor.point(VAT, parameters=[])
    made = {"code": f"{CHEESE}:C9", "role": "output", "quantity": 9}
    milk = {"code": f"{MILK}:M2", "role": "thing"}

    assert await floor.refusal(vat, milk, made) == ["quantity_missing"]
    assert await floor.refusal(vat, {**milk, "quantity": 5, "uom": "KGM"}, made) == ["wrong_unit"]
    assert "no_role" in await floor.refusal(vat, f"{MILK}:M2", made)
    assert await floor.refusal(vat, {**milk, "code": f"{MILK}:M7", "quantity": 5}, made) == ["unknown"]

    told = await floor.event(await floor.read(vat, {**milk, "quantity": 5, "uom": "LTR"}, made))
    assert told["inputQuantityList"][0]["quantity"] == 5


async def test_a_label_that_was_printed_and_not_commissioned_is_told_from_one_never_seen(
    floor: Floor, conn: AsyncConnection
) -> None:
    job = await order(conn, count=1)
    (serial,) = await printing.serials(conn, job, floor.keys)
    await conn.rollback()
    point = await floor.point(PACKING, parameters=[])

    assert await floor.refusal(point, sscc(77), LINK + serial) == ["not_commissioned"]


async def test_parameters_are_those_that_the_point_asks_for(floor: Floor) -> None:
    point = await floor.point(PACKING)
    wrong: list[tuple[dict[str, Any], str]] = [
        ({}, "parameter_missing"),
        ({"core_temperature": "warm"}, "parameter_wrong"),
        ({"core_temperature": True}, "parameter_wrong"),
        ({"core_temperature": "NaN"}, "parameter_wrong"),
        ({"core_temperature": 4, "colour": "blue"}, "parameter_unknown"),
    ]

    for told, problem in wrong:
        assert await floor.refusal(point, sscc(77), LOOSE[0], parameters=told) == [problem]


async def test_a_label_that_is_in_use_is_not_commissioned_again(floor: Floor) -> None:
    point = await floor.point(PACKING, id="start", work="commission", parent=None, parameters=[])

    assert await floor.refusal(point, LOOSE[0]) == ["in_use_already"]

    others = [f"(01){CHEESE}(10)C7(21)NEW{n}" for n in range(2)]
    assert (await floor.event(await floor.read(point, *others)))["ilmd"] == {"cbvmda:lotNumber": "C7"}
    mixed = [f"(01){CHEESE}(10)C{n}(21)MIX{n}" for n in range(2)]
    assert await floor.refusal(point, *mixed, reading_id="r-2") == ["lots_differ"]


async def test_what_a_scanner_sends_is_read_with_its_fnc1_and_symbology_identifier(floor: Floor) -> None:
    point = await floor.point(PACKING, id="start", work="commission", parent=None, parameters=[])

    taken = await floor.read(point, f"]d201{CHEESE}10C7\x1d21NEW1")

    assert (await floor.event(taken))["epcList"] == [f"https://id.gs1.org/01/{CHEESE}/21/NEW1"]


async def test_a_reading_is_undone_by_who_made_it_and_the_goods_are_as_before(
    floor: Floor, conn: AsyncConnection
) -> None:
    point = await floor.point(PACKING)
    lot = await master_data.get_lot(conn, CHEESE, "C1")
    before = await holdings(conn, [Reached(lot.lot_id, True, (), None, "scope")])
    await floor.read(point, sscc(77), *LOOSE, parameters={"core_temperature": 4})

    with pytest.raises(NotYourReading, match="wang"):
        await floor.undo(point, "r-1", by="li")
    with pytest.raises(NothingToUndo):
        await floor.undo(point, by="li")
    undone = await floor.undo(point)
    twice = await floor.undo(point, "r-1")

    assert undone.undone and twice.undone
    assert await floor.inside(sscc(77)) == 0
    assert await holdings(conn, [Reached(lot.lot_id, True, (), None, "scope")]) == before
    with pytest.raises(NothingToUndo):
        await floor.undo(point)
    again = await floor.read(point, sscc(77), *LOOSE, reading_id="r-2", parameters={"core_temperature": 4})
    assert not again.known and await floor.inside(sscc(77)) == 12


async def test_a_point_is_for_those_it_names(floor: Floor) -> None:
    point = await floor.point(PACKING, users=["li", "role:admin"])
    told: Any = {"parameters": {"core_temperature": 4}}

    with pytest.raises(NotYourPoint, match="wang"):
        await floor.read(point, sscc(77), LOOSE[0], **told)

    assert not (await floor.read(point, sscc(77), LOOSE[0], by="li", **told)).known
    assert (await floor.read(point, sscc(77), LOOSE[0], by="root", role="admin", **told)).known


async def test_a_closed_point_reads_nothing_more(floor: Floor) -> None:
    point = await floor.point(PACKING, active=False)

    with pytest.raises(CapturePointClosed):
        await floor.read(point, sscc(77), LOOSE[0])
    with pytest.raises(CapturePointNotFound, match="line-9"):
        await floor.read("line-9", sscc(77), LOOSE[0])


async def test_a_reading_from_the_future_is_refused_and_one_of_yesterday_is_taken(floor: Floor) -> None:
    point = await floor.point(PACKING, parameters=[])
    now = datetime.now(UTC)

    assert await floor.refusal(point, sscc(77), LOOSE[0], at=(now + timedelta(hours=1)).isoformat()) == ["in_future"]

    taken = await floor.read(point, sscc(77), LOOSE[0], at=(now - timedelta(seconds=1)).isoformat())
    assert datetime.fromisoformat((await floor.event(taken))["eventTime"]) <= now


async def test_the_same_definition_is_the_same_version_and_another_one_the_next(
    floor: Floor, conn: AsyncConnection
) -> None:
    await floor.point(PACKING)
    await floor.point(PACKING)
    assert (await capture_points.get(conn, "line-1-packing")).version == 1

    await floor.point(PACKING, line="Line 2")

    await floor.point(SHIPPING)
    listed = await capture_points.list_points(conn)
    assert [(point.point_id, point.version) for point in listed] == [("dock", 1), ("line-1-packing", 2)]
    assert await capture_points.list_points(conn, after="dock", limit=1) == listed[1:]
    with pytest.raises(ProgrammingError, match="permission denied"):
        await conn.execute(text("UPDATE capture_point SET defined_by = 'nobody'"))


@pytest.mark.parametrize(
    "changes, where, what",
    [
        ({"work": "ship"}, "/", "parent is needed for pack"),
        ({"parent": None}, "/", "parent is needed for pack"),
        ({"destinations": [dairy.DEPOT]}, "/", "destinations are needed for ship"),
        ({"things": {"kinds": ["crate"]}}, "/things/kinds/0", "item"),
        ({"things": {"kinds": ["item"], "min": 5, "max": 4}}, "/things", "more than max"),
        ({"biz_step": "teleporting"}, "/biz_step", "no business step"),
        ({"colour": "blue"}, "/colour", "no such key"),
        ({"id": "Line 1"}, "/id", "pattern"),
        (
            {"parameters": [{"name": "t", "label": {"en": "T", "zh": "T"}, "type": "text", "max": 3}]},
            "/parameters/0",
            "only a number",
        ),
        (
            {"parameters": [{"name": "t", "label": {"en": "T", "zh": "T"}, "measures": "Warmth"}]},
            "/parameters/0",
            "no measurement",
        ),
    ],
)
def test_a_definition_that_cannot_be_is_refused_with_its_place(changes: Any, where: str, what: str) -> None:
    with pytest.raises(DefinitionNotUsable) as refused:
        capture_points.read_definition({**PACKING, **changes})

    assert refused.value.faults[0].where == where
    assert what in refused.value.faults[0].what
    assert capture_points.read_definition(PACKING).step == "packing"


def test_a_reading_without_an_id_of_its_own_is_refused() -> None:
    with pytest.raises(ReadingNotUsable, match="reading_id"):
        capture_points.read_reading({"things": [{"code": "1"}]})


async def test_a_point_stands_at_a_place_on_record(floor: Floor) -> None:
    with pytest.raises(PlaceNotFound):
        await floor.point(PACKING, place="9506000139999")
    with pytest.raises(PlaceNotFound):
        await floor.point(SHIPPING, destinations=["urn:tracemark:place:nowhere"])
