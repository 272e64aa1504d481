"""Labels are on their items: from then on the codes are active, and the items are counted."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cli.samples.epcis import document, event, lot, place, shipped
from gs1.identifier import Identifier
from labels import printing
from labels.refusals import (
    AppliedLater,
    JobNotFound,
    JobNotReleased,
    LabelsCommissioned,
    LabelsNotInJob,
    LabelsVoid,
    LotNotPrintable,
)
from ledger import capture, codes, master_data
from ledger.model import LotDraft
from ledger.refusals import IdentifierNotUsable, PlaceNotFound
from runtime.database import transaction
from tests.labels.world import (
    CHEESE,
    CREAMERY,
    DEPOT,
    DEPOT_YARD,
    NOON,
    PLANT,
    arranged,
    noon,
    number,
    ordered,
    released,
)


async def commissioned(conn: AsyncConnection, job_id: int, keys: codes.KeyRing, **changes: Any) -> Any:
    return await printing.commission(conn, job_id, by="ada", clock=noon, keys=keys, **changes)


async def held_at(conn: AsyncConnection, gln: str) -> int:
    """Pieces of cheese C1 that the ledger counts at a place."""
    sql = """SELECT coalesce(sum(h.quantity), 0)
             FROM lot_holding h JOIN lot l USING (lot_id) JOIN place p USING (place_id)
             WHERE l.code = 'C1' AND h.uom = '' AND p.gln = :gln"""
    return int(await number(conn, sql, gln=gln))


async def pieces_in_all(conn: AsyncConnection) -> int:
    sql = """SELECT coalesce(sum(h.quantity), 0) FROM lot_holding h JOIN lot l USING (lot_id)
             WHERE l.code = 'C1' AND h.uom = ''"""
    return int(await number(conn, sql))


async def test_without_bounds_all_labels_are_active_where_the_lot_was_made(
    conn: AsyncConnection, tmp_path: Path
) -> None:
    keys = await arranged(conn)
    job = await released(conn, keys, tmp_path, count=300)

    done = await commissioned(conn, job.job_id, keys)

    assert (done.label_first, done.label_last, done.labels, done.changed) == (1, 300, 300, True)
    serials = await printing.serials(conn, job, keys)
    for serial in (serials[0], serials[-1]):
        found = await codes.find(conn, Identifier.item(CHEESE, serial), keys)
        assert (found.commissioned, found.lot_id) == (True, job.lot_id)
    assert await held_at(conn, PLANT) == 300
    owner = "SELECT p.gln FROM code_run r JOIN party p ON p.party_id = r.owner_id LIMIT 1"
    assert await number(conn, owner) == CREAMERY
    assert (await printing.balance(conn, job.job_id)).unused == 0


async def test_skipped_numbers_are_never_active(conn: AsyncConnection, tmp_path: Path) -> None:
    keys = await arranged(conn)
    job = await released(conn, keys, tmp_path, count=400)
    while not job.numbers.skipped:  # one serial in 270 is withheld
        job = await released(conn, keys, tmp_path, count=400)

    await commissioned(conn, job.job_id, keys)

    covered = "SELECT count(*) FROM code_run WHERE lo <= :number AND :number < lo + n"
    assert [await number(conn, covered, number=n) for n in job.numbers.skipped[:3]] == [0] * len(
        job.numbers.skipped[:3]
    )
    assert await number(conn, "SELECT sum(n) FROM code_run") == 400
    assert await number(conn, "SELECT count(*) FROM code_run") == len(job.numbers.runs(1, 400))


async def test_a_range_is_active_and_the_next_label_is_not(conn: AsyncConnection, tmp_path: Path) -> None:
    keys = await arranged(conn)
    job = await released(conn, keys, tmp_path)

    await commissioned(conn, job.job_id, keys, first=3, last=5, place=DEPOT_YARD)

    active = [
        (await codes.find(conn, Identifier.item(CHEESE, serial), keys)).commissioned
        for serial in await printing.serials(conn, job, keys)
    ]
    assert active == [label in (3, 4, 5) for label in range(1, 11)]
    assert await held_at(conn, DEPOT_YARD) == 3
    owner = "SELECT DISTINCT p.gln FROM code_run r JOIN party p ON p.party_id = r.owner_id"
    assert await number(conn, owner) == DEPOT


async def test_the_same_range_again_changes_nothing(conn: AsyncConnection, tmp_path: Path) -> None:
    keys = await arranged(conn)
    job = await released(conn, keys, tmp_path)
    await commissioned(conn, job.job_id, keys, first=1, last=4)
    await commissioned(conn, job.job_id, keys, first=5, last=6)
    events = await number(conn, "SELECT count(*) FROM event")

    for first, last in ((1, 4), (2, 3), (1, 6)):
        again = await commissioned(conn, job.job_id, keys, first=first, last=last)
        assert (again.changed, again.labels) == (False, last - first + 1)

    assert await number(conn, "SELECT count(*) FROM event") == events
    assert await held_at(conn, PLANT) == 6


async def test_without_bounds_the_rest_is_commissioned_and_void_labels_are_left_out(
    conn: AsyncConnection, tmp_path: Path
) -> None:
    keys = await arranged(conn)
    job = await released(conn, keys, tmp_path)
    await commissioned(conn, job.job_id, keys, first=1, last=2)
    await printing.void(conn, job.job_id, 5, 5, "torn", by="ada", clock=noon, keys=keys)

    done = await commissioned(conn, job.job_id, keys)

    assert (done.label_first, done.label_last, done.labels) == (3, 10, 7)
    assert await held_at(conn, PLANT) == 9
    assert (await commissioned(conn, job.job_id, keys)).changed is False


async def test_an_overlap_is_named_and_nothing_is_changed(conn: AsyncConnection, tmp_path: Path) -> None:
    keys = await arranged(conn)
    job = await released(conn, keys, tmp_path)
    await commissioned(conn, job.job_id, keys, first=3, last=5)
    await printing.void(conn, job.job_id, 8, 8, "torn", by="ada", clock=noon, keys=keys)

    with pytest.raises(LabelsCommissioned, match="4-5 are commissioned already"):
        await commissioned(conn, job.job_id, keys, first=4, last=7)
    with pytest.raises(LabelsVoid, match=", 8 are void"):
        await commissioned(conn, job.job_id, keys, first=6, last=10)
    with pytest.raises(LabelsVoid):
        await commissioned(conn, job.job_id, keys, first=8, last=8)

    assert await held_at(conn, PLANT) == 3


async def test_labels_that_nobody_rendered_cannot_be_on_anything(conn: AsyncConnection) -> None:
    keys = await arranged(conn)
    job = await ordered(conn)

    with pytest.raises(JobNotReleased, match=f"tracemark labels render {job.job_id}"):
        await commissioned(conn, job.job_id, keys)

    assert await pieces_in_all(conn) == 0


@pytest.mark.parametrize("first, last", [(0, 3), (5, 4), (1, 11), (11, None), (-1, None)])
async def test_labels_outside_the_job_are_refused(
    conn: AsyncConnection, tmp_path: Path, first: int, last: int | None
) -> None:
    keys = await arranged(conn)
    job = await released(conn, keys, tmp_path)

    with pytest.raises(LabelsNotInJob, match="labels 1 to 10"):
        await commissioned(conn, job.job_id, keys, first=first, last=last)


async def test_a_held_lot_an_unknown_place_and_the_future_are_refused(conn: AsyncConnection, tmp_path: Path) -> None:
    keys = await arranged(conn)
    job = await released(conn, keys, tmp_path)

    with pytest.raises(PlaceNotFound):
        await commissioned(conn, job.job_id, keys, place="9506000134444")
    with pytest.raises(IdentifierNotUsable):
        await commissioned(conn, job.job_id, keys, place="9506000134440")
    with pytest.raises(AppliedLater):
        await commissioned(conn, job.job_id, keys, at=NOON + timedelta(seconds=1))
    with pytest.raises(JobNotFound):
        await commissioned(conn, job.job_id + 1, keys)
    async with transaction(conn):
        await master_data.put_lot(conn, LotDraft(gtin=CHEESE, code="C1", status="held"))
    with pytest.raises(LotNotPrintable):
        await commissioned(conn, job.job_id, keys)

    assert await pieces_in_all(conn) == 0


async def test_pieces_told_by_quantity_become_the_items_and_are_counted_once(
    conn: AsyncConnection, tmp_path: Path
) -> None:
    # given: the vat gave 8 pieces of C1, told by quantity, before they got their labels
    keys = await arranged(conn)
    made = event(
        "ObjectEvent", NOON - timedelta(hours=2), "commissioning", "active", action="ADD",
        quantityList=[lot(CHEESE, "C1", 8)], readPoint=place(PLANT), bizLocation=place(PLANT),
    )  # fmt: skip
    await capture.capture(conn, document(NOON, [made]), by="ada", clock=noon, keys=keys)
    assert await held_at(conn, PLANT) == 8
    job = await released(conn, keys, tmp_path)

    await commissioned(conn, job.job_id, keys, first=1, last=5)
    assert await held_at(conn, PLANT) == 8
    assert (
        await number(conn, "SELECT sum(q.quantity) FROM loose_quantity q JOIN lot l USING (lot_id) WHERE l.code = 'C1'")
        == 3
    )

    await commissioned(conn, job.job_id, keys, first=6, last=10)
    assert await held_at(conn, PLANT) == 10
    assert await pieces_in_all(conn) == 10


async def test_pieces_told_elsewhere_are_other_pieces(conn: AsyncConnection, tmp_path: Path) -> None:
    keys = await arranged(conn)
    made = event(
        "ObjectEvent", NOON - timedelta(hours=2), "commissioning", "active", action="ADD",
        quantityList=[lot(CHEESE, "C1", 8)], readPoint=place(DEPOT_YARD), bizLocation=place(DEPOT_YARD),
    )  # fmt: skip
    await capture.capture(conn, document(NOON, [made]), by="ada", clock=noon, keys=keys)
    job = await released(conn, keys, tmp_path)

    await commissioned(conn, job.job_id, keys)

    assert (await held_at(conn, PLANT), await held_at(conn, DEPOT_YARD)) == (10, 8)


async def test_items_are_shipped_after_they_were_labelled_even_when_that_is_told_late(
    conn: AsyncConnection, tmp_path: Path
) -> None:
    # given: labels applied three hours ago, as is told only now
    keys = await arranged(conn)
    job = await released(conn, keys, tmp_path)
    await commissioned(conn, job.job_id, keys, at=NOON - timedelta(hours=3))
    serials = await printing.serials(conn, job, keys)
    goods = {"epcList": [f"https://id.gs1.org/01/{CHEESE}/21/{serial}" for serial in serials[:4]]}

    left = shipped(NOON - timedelta(hours=1), goods, source=(CREAMERY, PLANT), to=(DEPOT, DEPOT_YARD), papers="DES-1")
    await capture.capture(conn, document(NOON, [left]), by="ada", clock=noon, keys=keys)

    assert (await held_at(conn, PLANT), await held_at(conn, DEPOT_YARD)) == (6, 4)


async def test_one_event_tells_of_all_items_and_names_none(conn: AsyncConnection, tmp_path: Path) -> None:
    keys = await arranged(conn)
    job = await released(conn, keys, tmp_path, count=500)

    done = await commissioned(conn, job.job_id, keys)

    async with transaction(conn):
        row = (await conn.execute(text("SELECT event_id, action, biz_step, body::text AS body FROM event"))).one()
    assert (row.event_id, row.action, row.biz_step) == (done.event_id, "ADD", "commissioning")
    assert len(row.body) < 2_000
    assert (await printing.serials(conn, job, keys))[0] not in row.body
