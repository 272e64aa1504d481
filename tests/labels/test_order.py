"""Ordering labels: what a lot may have, and what is drawn."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from access import audit
from cli.samples.epcis import document, event, lot, place
from gs1.identifier import Identifier
from labels import printing
from labels.refusals import (
    CountNotUsable,
    JobNotFound,
    KeyForAnotherOrder,
    KeyNotUsable,
    LabelTextNotUsable,
    LinkNotUsable,
    LotNotPrintable,
    LotUnknown,
    ProductNotOurs,
    ProductUnknown,
    TemplateUnknown,
    TooManyLabels,
    TooManySerials,
)
from ledger import capture, codes, master_data
from ledger.model import LotDraft, ProductDraft
from ledger.refusals import IdentifierNotUsable
from runtime.database import DatabaseAddress, Role, transaction
from runtime.refusals import Refusal
from serials import keys as serial_keys
from tests.labels.world import CHEESE, MILK, NOON, PLANT, SECRET, arranged, noon, number, ordered
from tests.unhurried import NEVER_S

BUTTER = "09506000135106"


async def test_an_order_owns_as_many_codes_as_it_asked_for_and_each_is_known_as_issued(conn: AsyncConnection) -> None:
    keys = await arranged(conn)

    job = await ordered(conn, count=300)

    serials = await printing.serials(conn, job, keys)
    assert (job.count, job.numbers.count, len(set(serials))) == (300, 300, 300)
    found = await codes.find(conn, Identifier.item(CHEESE, serials[-1]), keys)
    assert (found.issued, found.commissioned, found.lot_id) == (True, False, job.lot_id)
    assert found.number == job.numbers.number_of(300)
    assert await printing.find_job(conn, job.job_id) == job


async def test_two_orders_never_share_a_code(conn: AsyncConnection) -> None:
    keys = await arranged(conn)

    one, other = await ordered(conn, count=50), await ordered(conn, lot="C2", count=50)

    assert not set(await printing.serials(conn, one, keys)) & set(await printing.serials(conn, other, keys))


async def test_the_date_is_that_of_the_order_else_of_the_lot_else_of_the_shelf_life_else_none(
    conn: AsyncConnection,
) -> None:
    await arranged(conn)
    async with transaction(conn):
        await master_data.put_lot(conn, LotDraft(gtin=CHEESE, code="C3", made_on=date(2026, 11, 1)))
    assert (await ordered(conn, lot="C3")).best_before_on is None

    async with transaction(conn):
        await master_data.put_product(conn, ProductDraft(gtin=CHEESE, name="Farmhouse Cheese", shelf_life_days=30))
    assert (await ordered(conn, lot="C3")).best_before_on == date(2026, 12, 1)
    assert (await ordered(conn)).best_before_on == date(2027, 1, 20)
    assert (await ordered(conn, best_before_on=date(2026, 12, 24))).best_before_on == date(2026, 12, 24)


@pytest.mark.parametrize(
    "changes, refusal, says",
    [
        ({"gtin": "09506000134353"}, IdentifierNotUsable, "check digit"),
        ({"gtin": "09506000135106"}, ProductUnknown, "tracemark import products"),
        ({"gtin": MILK, "lot": "M1"}, ProductNotOurs, "ours = yes"),
        ({"lot": "C9"}, LotUnknown, "tracemark import lots"),
        ({"lot": ""}, LotUnknown, "no lot"),
        ({"count": 0}, CountNotUsable, "1 to 1000"),
        ({"count": -1}, CountNotUsable, "1 to 1000"),
        ({"count": 1_001}, TooManyLabels, "1000 at most"),
        ({"count": 10**9}, TooManyLabels, "1000 at most"),
        ({"template": "a5"}, TemplateUnknown, "a4-24"),
        ({"base_url": "ftp://id.example.com"}, LinkNotUsable, "https"),
        ({"idempotency_key": ""}, KeyNotUsable, "1 to 300"),
    ],
)
async def test_what_cannot_be_printed_is_refused_and_nothing_is_written(
    conn: AsyncConnection, changes: dict[str, Any], refusal: type[Refusal], says: str
) -> None:
    await arranged(conn)

    with pytest.raises(refusal, match=says):
        await ordered(conn, **changes)

    written = """SELECT (SELECT count(*) FROM label_job) + (SELECT count(*) FROM number_block)
                 + (SELECT next - 1 FROM number_allocator)"""
    assert await number(conn, written) == 0


async def test_a_product_that_partners_told_of_is_printable_once_it_is_marked_as_ours(conn: AsyncConnection) -> None:
    keys = await arranged(conn)
    made = event(
        "ObjectEvent", NOON, "commissioning", "active", action="ADD", quantityList=[lot(BUTTER, "B1", 8)],
        readPoint=place(PLANT), bizLocation=place(PLANT),
    )  # fmt: skip
    await capture.capture(conn, document(NOON, [made]), by="ada", clock=noon, keys=keys)
    with pytest.raises(ProductNotOurs):
        await ordered(conn, gtin=BUTTER, lot="B1")

    async with transaction(conn):
        await master_data.put_product(conn, ProductDraft(gtin=BUTTER, name="Butter", ours=True))

    assert (await ordered(conn, gtin=BUTTER, lot="B1")).gtin == BUTTER


async def test_a_name_that_cannot_be_printed_is_refused_with_the_order(conn: AsyncConnection) -> None:
    await arranged(conn)
    async with transaction(conn):
        await master_data.put_product(conn, ProductDraft(gtin=CHEESE, name="Farmhouse\tCheese"))

    with pytest.raises(LabelTextNotUsable, match="U\\+0009"):
        await ordered(conn)


@pytest.mark.parametrize("status", ["held", "rejected"])
async def test_a_lot_that_is_held_or_rejected_gets_no_labels(conn: AsyncConnection, status: Any) -> None:
    await arranged(conn)
    async with transaction(conn):
        await master_data.put_lot(
            conn, LotDraft(gtin=CHEESE, code="C1", status=status, status_reason="Listeria suspected")
        )

    with pytest.raises(LotNotPrintable, match=f"is {status} \\(Listeria suspected\\)"):
        await ordered(conn)
    assert (await ordered(conn, lot="C2")).count == 10


async def test_a_lot_that_the_ledger_knows_as_recalled_gets_no_labels_until_that_is_taken_back(
    conn: AsyncConnection,
) -> None:
    await arranged(conn)
    mark = """INSERT INTO persistent_disposition (lot_id, word, set_by, at)
              SELECT lot_id, 'recalled', 1, now() FROM lot WHERE code = 'C1'"""
    async with transaction(conn):
        await conn.execute(text(mark))

    with pytest.raises(LotNotPrintable, match="is recalled"):
        await ordered(conn)

    async with transaction(conn):
        await conn.execute(text("UPDATE persistent_disposition SET unset_by = 2"))
    assert (await ordered(conn)).lot == "C1"


async def test_the_same_key_is_the_same_order_even_when_the_lot_is_held_meanwhile(conn: AsyncConnection) -> None:
    await arranged(conn)
    job = await ordered(conn, idempotency_key="shift 1")
    async with transaction(conn):
        await master_data.put_lot(conn, LotDraft(gtin=CHEESE, code="C1", status="held"))

    again = await ordered(conn, idempotency_key="shift 1")

    assert again == job
    assert await number(conn, "SELECT count(*) FROM number_block") == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"count": 11},
        {"lot": "C2"},
        {"template": "roll-50x30"},
        {"lot_in_link": True},
        {"best_before_on": date(2026, 12, 1)},
    ],
)
async def test_the_same_key_for_another_order_is_refused(conn: AsyncConnection, changes: dict[str, Any]) -> None:
    await arranged(conn)
    job = await ordered(conn, idempotency_key="shift 1")

    with pytest.raises(KeyForAnotherOrder, match=f"label job {job.job_id}"):
        await ordered(conn, idempotency_key="shift 1", **changes)


async def test_the_same_order_sent_twice_at_once_is_one_job(conn: AsyncConnection, database: DatabaseAddress) -> None:
    await arranged(conn)
    engine = database.engine(Role.STAFF, pool_size=4)

    async def send() -> int:
        async with engine.connect() as own:
            return (await ordered(own, idempotency_key="shift 1", count=500)).job_id

    jobs = await asyncio.gather(*(send() for _ in range(4)))
    await engine.dispose()

    assert len(set(jobs)) == 1
    assert await number(conn, "SELECT count(*) FROM number_block") == 1


async def test_codes_of_a_new_key_leave_out_what_an_older_one_printed(conn: AsyncConnection) -> None:
    # given: a second key, under which the first numbers to come spell serials that are on labels already
    await arranged(conn)
    new_root = serial_keys.new_root_key()
    wrapped = serial_keys.wrap_root_key(new_root, master_secret=SECRET.encode(), epoch=2)
    async with transaction(conn):
        await conn.execute(text("INSERT INTO code_key VALUES (2, :wrapped, now())"), {"wrapped": wrapped})
        keys = await codes.KeyRing.load(conn, SECRET)
        printed = keys.cipher(1, CHEESE).number(keys.cipher(2, CHEESE).serial(3))
        block = "INSERT INTO number_block (lo, n, kind, gtin, key_epoch) VALUES (:lo, 1, 'label', :gtin, 1)"
        await conn.execute(text(block), {"lo": printed, "gtin": CHEESE})

    job = await ordered(conn)

    assert (job.key_epoch, job.numbers.lo) == (2, 1)
    assert 3 in job.numbers.skipped
    assert job.numbers.label_of(3) is None


async def test_each_order_is_noted_and_those_who_answer_scans_are_told(
    conn: AsyncConnection, database: DatabaseAddress
) -> None:
    await arranged(conn)
    told: asyncio.Queue[str] = asyncio.Queue()
    listener = await database.connect(Role.PORTAL)
    await listener.add_listener("tracemark_codes", lambda *heard: told.put_nowait(heard[2]))

    job = await ordered(conn)

    assert await asyncio.wait_for(told.get(), NEVER_S) == "tracemark_codes"
    await listener.close()
    noted = [row async for row in audit.read(conn)]
    assert [(row.actor, row.act, row.subject) for row in noted] == [("ada", "labels.order", f"label job {job.job_id}")]
    assert (await audit.verify(conn)).is_whole


async def test_a_job_that_nobody_ordered_and_too_long_a_list_are_refused(
    conn: AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = await arranged(conn)
    job = await ordered(conn)
    monkeypatch.setattr(printing, "SERIALS_MAX", 9)

    with pytest.raises(TooManySerials, match="at most 9"):
        await printing.serials(conn, job, keys)
    with pytest.raises(JobNotFound, match="no label job 77"):
        await printing.find_job(conn, 77)
