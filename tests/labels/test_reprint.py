"""A spoiled label is replaced by one with a new serial; the old one is void, with its reason."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cli.samples.epcis import document, event, packed, place, shipped, unit
from gs1.identifier import Identifier
from labels import printing
from labels.model import Job
from labels.refusals import ItemGone, LabelsVoid, LotNotPrintable, ReasonMissing, SerialNotInJob
from ledger import capture, codes, master_data, trace
from ledger.closure import Reached
from ledger.holders import holdings
from ledger.model import LotDraft
from ledger.movement import REPLACED
from runtime.database import transaction
from tests.labels.world import (
    CHEESE,
    CREAMERY,
    DEPOT,
    DEPOT_YARD,
    NOON,
    PLANT,
    SECRET,
    arranged,
    noon,
    number,
    ordered,
    released,
)

CASE = "395060000000000012"


async def reprinted(conn: AsyncConnection, job: Job, serial: str, reason: str = "torn") -> Job:
    return await printing.reprint(conn, job.job_id, serial, reason, by="ada", clock=noon, master_secret=SECRET)


async def applied(conn: AsyncConnection, keys: codes.KeyRing, folder: Path) -> tuple[Job, list[str]]:
    """Ten labelled cheeses, since four hours, and their serials."""
    job = await released(conn, keys, folder)
    await printing.commission(conn, job.job_id, at=NOON - timedelta(hours=4), by="ada", clock=noon, keys=keys)
    return job, await printing.serials(conn, job, keys)


async def test_an_unused_label_is_replaced_by_one_of_the_same_kind(conn: AsyncConnection) -> None:
    keys = await arranged(conn)
    job = await ordered(conn, lot_in_link=True, template="roll-50x30", count=3)
    serials = await printing.serials(conn, job, keys)

    new = await reprinted(conn, job, serials[1])

    assert (new.count, new.reprint_of, new.state) == (1, job.job_id, "ordered")
    assert (new.lot, new.template, new.lot_in_link, new.best_before_on) == (
        job.lot,
        job.template,
        True,
        job.best_before_on,
    )
    assert not set(await printing.serials(conn, new, keys)) & set(serials)
    assert await number(conn, "SELECT replaced_by_job_id FROM label_range") == new.job_id
    old, fresh = await printing.balance(conn, job.job_id), await printing.balance(conn, new.job_id)
    assert (old.void, old.unused, fresh.unused) == (1, 2, 1)
    assert await number(conn, "SELECT count(*) FROM event") == 0


async def test_the_new_label_of_an_item_is_active_in_the_place_of_the_old_one(
    conn: AsyncConnection, tmp_path: Path
) -> None:
    # given: the item is in a case that went to the depot
    keys = await arranged(conn)
    job, serials = await applied(conn, keys, tmp_path)
    links = [f"https://id.gs1.org/01/{CHEESE}/21/{serial}" for serial in serials[:4]]
    events = [
        packed(NOON - timedelta(hours=3), CASE, links, PLANT),
        shipped(
            NOON - timedelta(hours=2),
            {"epcList": [unit(CASE)]},
            source=(CREAMERY, PLANT),
            to=(DEPOT, DEPOT_YARD),
            papers="D-1",
        ),
    ]
    await capture.capture(conn, document(NOON, events), by="ada", clock=noon, keys=keys)

    new = await reprinted(conn, job, serials[0])

    (serial,) = await printing.serials(conn, new, keys)
    found = await codes.find(conn, Identifier.item(CHEESE, serial), keys)
    assert (found.commissioned, found.lot_id, found.unit_id) == (True, job.lot_id, None)
    where = """SELECT p.gln || ' ' || o.gln || ' ' || r.disposition FROM code_run r
               JOIN place p USING (place_id) JOIN party o ON o.party_id = r.owner_id WHERE r.lo = :lo"""
    assert await number(conn, where, lo=found.number) == f"{DEPOT_YARD} {DEPOT} active"
    assert (
        await number(conn, "SELECT disposition FROM code_run WHERE lo = :lo", lo=job.numbers.number_of(1)) == REPLACED
    )
    old, fresh = await printing.balance(conn, job.job_id), await printing.balance(conn, new.job_id)
    assert (old.commissioned, old.void, fresh.commissioned) == (9, 1, 1)


async def test_a_label_is_replaced_once(conn: AsyncConnection) -> None:
    keys = await arranged(conn)
    job = await ordered(conn)
    (serial, *_) = await printing.serials(conn, job, keys)
    await reprinted(conn, job, serial)

    with pytest.raises(LabelsVoid):
        await reprinted(conn, job, serial)
    assert await number(conn, "SELECT count(*) FROM label_job") == 2


async def test_a_serial_of_another_job_and_one_that_nobody_printed_are_refused(conn: AsyncConnection) -> None:
    keys = await arranged(conn)
    job, other = await ordered(conn), await ordered(conn)

    for serial in ((await printing.serials(conn, other, keys))[0], "000000000000", "not a serial"):
        with pytest.raises(SerialNotInJob, match=serial):
            await reprinted(conn, job, serial)
    with pytest.raises(ReasonMissing):
        await reprinted(conn, job, (await printing.serials(conn, job, keys))[0], reason=" ")


async def test_an_item_that_was_sold_keeps_its_label(conn: AsyncConnection, tmp_path: Path) -> None:
    keys = await arranged(conn)
    job, serials = await applied(conn, keys, tmp_path)
    sold = event(
        "ObjectEvent", NOON - timedelta(hours=1), "retail_selling", "retail_sold", action="OBSERVE",
        epcList=[f"https://id.gs1.org/01/{CHEESE}/21/{serials[0]}"], readPoint=place(DEPOT_YARD),
    )  # fmt: skip
    await capture.capture(conn, document(NOON, [sold]), by="ada", clock=noon, keys=keys)

    with pytest.raises(ItemGone, match="retail_sold"):
        await reprinted(conn, job, serials[0])
    assert (await reprinted(conn, job, serials[1])).reprint_of == job.job_id


async def test_a_recalled_item_never_gets_a_fresh_label(conn: AsyncConnection, tmp_path: Path) -> None:
    keys = await arranged(conn)
    job, serials = await applied(conn, keys, tmp_path)
    await recalled(conn, keys, epcList=[f"https://id.gs1.org/01/{CHEESE}/21/{serials[0]}"])

    with pytest.raises(LotNotPrintable, match="is recalled in part"):
        await reprinted(conn, job, serials[0])
    async with transaction(conn):
        assert (await conn.execute(text("SELECT count(*) FROM label_job"))).scalar_one() == 1


async def test_a_held_lot_gets_no_fresh_label(conn: AsyncConnection) -> None:
    keys = await arranged(conn)
    job = await ordered(conn)
    async with transaction(conn):
        await master_data.put_lot(conn, LotDraft(gtin=CHEESE, code="C1", status="held"))

    with pytest.raises(LotNotPrintable, match="is held"):
        await reprinted(conn, job, (await printing.serials(conn, job, keys))[0])


async def test_an_item_with_a_new_label_is_counted_once(conn: AsyncConnection, tmp_path: Path) -> None:
    keys = await arranged(conn)
    job, serials = await applied(conn, keys, tmp_path)
    new = await reprinted(conn, job, serials[0])
    newer = await reprinted(conn, new, (await printing.serials(conn, new, keys))[0])
    await conn.rollback()

    answer = await trace.trace(conn, Identifier.item(CHEESE, serials[0]), keys=keys, clock=noon)

    assert answer["same_lot"]["items"] == 10
    assert sum(answer["where"].values()) == 10
    # a part of the lot that is known by the oldest label is the item under its newest number
    old, last = job.numbers.number_of(1), newer.numbers.number_of(1)
    part = Reached(job.lot_id, whole=False, runs=((old, 1),), at=None, basis="scope")
    (held,) = await holdings(conn, [part])
    assert held.quantity == 1
    assert held.runs == ((last, 1),)


async def test_one_recalled_item_leaves_its_lot_printable(conn: AsyncConnection, tmp_path: Path) -> None:
    keys = await arranged(conn)
    job, serials = await applied(conn, keys, tmp_path)
    await recalled(conn, keys, epcList=[f"https://id.gs1.org/01/{CHEESE}/21/{serials[0]}"])

    assert (await ordered(conn)).lot == "C1"
    assert (await reprinted(conn, job, serials[1])).reprint_of == job.job_id

    await recalled(conn, keys, quantityList=[{"epcClass": f"https://id.gs1.org/01/{CHEESE}/10/C1"}])
    with pytest.raises(LotNotPrintable, match="is recalled;"):
        await ordered(conn)


async def recalled(conn: AsyncConnection, keys: codes.KeyRing, **things: object) -> None:
    told = {
        "type": "ObjectEvent", "action": "OBSERVE", "eventTime": "2026-11-24T11:00:00Z",
        "eventTimeZoneOffset": "+00:00", "persistentDisposition": {"set": ["recalled"]}, **things,
    }  # fmt: skip
    await capture.capture(conn, document(NOON, [told]), by="ada", clock=noon, keys=keys)
