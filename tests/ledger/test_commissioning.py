"""Our labels become items, a range at a time."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from gs1.identifier import Identifier
from ledger import book_store, codes
from ledger.codes import KeyRing
from ledger.commissioning import commission_range
from ledger.master_data import put_lot, put_party, put_place, put_product
from ledger.model import Found, LotDraft, PartyDraft, PlaceDraft, ProductDraft
from ledger.refusals import AlreadyCommissioned, NothingToCommission, RangeNotOurs
from ledger.replay import rebuild
from runtime.database import transaction
from tests.ledger import dairy as d

LABELS = 10_000_000


class Job:
    """A label job of the dairy: its numbers, and how they are commissioned."""

    def __init__(self, conn: AsyncConnection, keys: KeyRing, ids: dict[str, int]) -> None:
        self.conn, self.keys, self.ids = conn, keys, ids

    @property
    def lo(self) -> int:
        return self.ids["lo"]

    async def commission(self, *runs: tuple[int, int], hours: float = 0) -> int:
        async with transaction(self.conn):
            return await commission_range(
                self.conn, lot_id=self.ids["lot"], runs=runs, at=d.MORNING, place_id=self.ids["place"],
                owner_id=self.ids["owner"], by="anna", clock=d.clock, extension={"dairy:job": self.ids["lo"]},
            )  # fmt: skip

    def item(self, position: int) -> str:
        return d.item(d.CHEESE, self.keys.cipher(1, d.CHEESE).serial(self.lo + position))


@pytest.fixture
async def job(conn: AsyncConnection) -> Job:
    keys = await d.ring(conn)
    async with transaction(conn):
        owner = await put_party(conn, PartyDraft(name="Meadow Creamery", gln=d.CREAMERY))
        place = await put_place(conn, PlaceDraft(name="Plant", gln=d.PLANT, party_uri=d.CREAMERY))
        await put_product(conn, ProductDraft(d.CHEESE, "Cheese"))
        lot = await put_lot(conn, LotDraft(d.CHEESE, "C1"))
        lo = await codes.reserve_block(
            conn, n=LABELS, kind="label", gtin=d.CHEESE, lot_id=lot.lot_id, key_epoch=1, skipped=()
        )
    return Job(conn, keys, {"owner": owner.party_id, "place": place.place_id, "lot": lot.lot_id, "lo": lo})


async def test_ten_million_labels_are_one_event_and_one_run(conn: AsyncConnection, job: Job) -> None:
    event_id = await job.commission((job.lo, LABELS))

    run = (await conn.execute(text("SELECT lo, n, event_id FROM code_run"))).one()
    assert tuple(run) == (job.lo, LABELS, event_id)
    assert await d.holdings(conn, d.CHEESE, "C1") == {(d.PLANT, d.CREAMERY, "active"): LABELS}
    body: dict[str, Any] = (await conn.execute(text("SELECT body::text::json FROM event"))).scalar_one()
    assert body["quantityList"][0]["quantity"] == LABELS
    assert body["dairy:job"] == job.lo


async def test_a_commissioned_label_is_found_and_its_neighbour_is_only_issued(conn: AsyncConnection, job: Job) -> None:
    await job.commission((job.lo, 5))

    async def found(position: int) -> Found:
        serial = job.item(position).rpartition("/")[2]
        return await codes.find(conn, Identifier.item(d.CHEESE, serial), job.keys)

    assert [(f.issued, f.commissioned) for f in (await found(4), await found(5))] == [(True, True), (True, False)]


async def test_numbers_of_others_and_numbers_on_things_already_are_refused(conn: AsyncConnection, job: Job) -> None:
    await job.commission((job.lo + 10, 10))

    for runs in ((job.lo + LABELS - 1, 2), (job.lo - 1, 1)):
        with pytest.raises(RangeNotOurs):
            await job.commission(runs)
    with pytest.raises(AlreadyCommissioned, match="1 of the numbers"):
        await job.commission((job.lo, 5), (job.lo + 19, 3))
    with pytest.raises(NothingToCommission):
        await job.commission()

    assert (await conn.execute(text("SELECT sum(n) FROM code_run"))).scalar_one() == 10


async def test_labels_without_their_rejects_are_several_runs_of_one_event(conn: AsyncConnection, job: Job) -> None:
    await job.commission((job.lo, 10), (job.lo + 12, 8))

    assert await d.count(conn, "event") == 1
    assert await d.count(conn, "code_run") == 2
    assert await d.holdings(conn, d.CHEESE, "C1") == {(d.PLANT, d.CREAMERY, "active"): 18}


async def test_our_items_are_packed_and_shipped_by_their_printed_serials(conn: AsyncConnection, job: Job) -> None:
    await job.commission((job.lo, 48))

    await d.take_in(
        conn, job.keys, d.pack(1, d.sscc(d.PALLET), childEPCs=[job.item(n) for n in range(24)]),
        d.ship(2, d.CORNER, d.SHOP, epcList=[d.sscc(d.PALLET)]),
    )  # fmt: skip

    runs = (await conn.execute(text("SELECT n, unit_id IS NULL FROM code_run ORDER BY lo"))).all()
    assert [tuple(run) for run in runs] == [(24, False), (24, True)]
    assert await d.count(conn, "foreign_serial") == 0
    assert await book_store.differences(conn) == []


async def test_a_rebuild_finds_our_labels_in_the_event_that_told_them(conn: AsyncConnection, job: Job) -> None:
    await job.commission((job.lo, 10), (job.lo + 12, 8))
    await d.take_in(conn, job.keys, d.pack(1, d.sscc(d.PALLET), childEPCs=[job.item(n) for n in range(3, 15)]))
    before = (await conn.execute(text("SELECT lo, n, unit_id IS NULL, event_id FROM code_run ORDER BY lo"))).all()

    async with transaction(conn):
        await conn.execute(text("SELECT 1"))
        assert await rebuild(conn, job.keys) == 2

    after = (await conn.execute(text("SELECT lo, n, unit_id IS NULL, event_id FROM code_run ORDER BY lo"))).all()
    assert after == before
    assert await book_store.differences(conn) == []


@pytest.mark.parametrize("hours", [-1, 1])
async def test_a_quantity_told_beside_labels_is_counted_once_only_when_it_was_made_before_them(
    conn: AsyncConnection, job: Job, hours: float
) -> None:
    """Labels go onto pieces that were made before; what is made after them is more."""
    await job.commission((job.lo, 48))

    await d.take_in(conn, job.keys, d.make(hours, quantityList=[d.much(d.CHEESE, "C1", 48)]))

    counted = sum((await d.holdings(conn, d.CHEESE, "C1")).values())
    assert counted == (48 if hours < 0 else 96)
    assert await book_store.differences(conn) == []
