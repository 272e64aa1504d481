"""Numbers and codes: which serial is whose."""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from gs1.identifier import Identifier
from ledger import codes, name_store
from ledger.master_data import put_lot, put_product
from ledger.model import Lot, LotDraft, ProductDraft
from ledger.refusals import NoSerialKey, NumbersUsedUp
from runtime.database import transaction
from serials.keys import WrongMasterSecret
from tests.ledger import dairy as d

JOB = 10


async def cheese(conn: AsyncConnection) -> Lot:
    await put_product(conn, ProductDraft(d.CHEESE, "Cheese"))
    await put_product(conn, ProductDraft(d.MILK, "Milk"))
    return await put_lot(conn, LotDraft(d.CHEESE, "C1"))


async def job(conn: AsyncConnection, lot: Lot, n: int = JOB, skipped: tuple[int, ...] = ()) -> int:
    return await codes.reserve_block(
        conn, n=n, kind="label", gtin=lot.gtin, lot_id=lot.lot_id, key_epoch=1, skipped=skipped
    )


async def test_a_printed_serial_is_found_with_its_lot_and_is_not_commissioned_yet(conn: AsyncConnection) -> None:
    keys = await d.ring(conn)
    async with transaction(conn):
        lot = await cheese(conn)
        lo = await job(conn, lot)
        serial = keys.cipher(keys.newest, d.CHEESE).serial(lo + 3)

        found = await codes.find(conn, Identifier.item(d.CHEESE, serial), keys)

    assert (found.lot_id, found.number, found.issued, found.commissioned) == (lot.lot_id, lo + 3, True, False)


async def test_the_neighbours_of_a_printed_serial_were_never_issued(conn: AsyncConnection) -> None:
    keys = await d.ring(conn)
    async with transaction(conn):
        lot = await cheese(conn)
        lo = await job(conn, lot, skipped=())
        cipher = keys.cipher(1, d.CHEESE)
        others = [
            Identifier.item(d.CHEESE, cipher.serial(lo + JOB)),      # one after the last
            Identifier.item(d.MILK, cipher.serial(lo)),              # the same serial on another product
            Identifier.item(d.CHEESE, "SHORT"),                      # not a serial of ours
        ]  # fmt: skip

        assert [(await codes.find(conn, other, keys)).issued for other in others] == [False, False, False]


async def test_a_skipped_number_was_never_issued(conn: AsyncConnection) -> None:
    keys = await d.ring(conn)
    async with transaction(conn):
        lot = await cheese(conn)
        first = await job(conn, lot, n=1)
        lo = await job(conn, lot, skipped=(first + 2,))
        cipher = keys.cipher(1, d.CHEESE)

        skipped = await codes.find(conn, Identifier.item(d.CHEESE, cipher.serial(lo + 1)), keys)
        beside = await codes.find(conn, Identifier.item(d.CHEESE, cipher.serial(lo + 2)), keys)

    assert (skipped.issued, beside.issued) == (False, True)


async def test_serials_from_outside_get_numbers_in_their_order_once(conn: AsyncConnection) -> None:
    keys = await d.ring(conn)
    async with transaction(conn):
        await cheese(conn)
        items = [(d.CHEESE, "b"), (d.CHEESE, "a"), (d.CHEESE, "b"), (d.MILK, "a")]

        numbers = await codes.numbers_for_foreign(conn, items)
        again = await codes.numbers_for_foreign(conn, [*reversed(items), (d.MILK, "c")])
        found = await codes.find(conn, Identifier.item(d.CHEESE, "a"), keys)

    first = numbers[d.CHEESE, "b"]
    assert [numbers[item] - first for item in dict.fromkeys(items)] == [0, 1, 2]
    assert {item: again[item] for item in numbers} == numbers
    assert (found.number, found.issued, found.commissioned) == (first + 1, True, False)


async def test_two_jobs_never_share_a_number(conn: AsyncConnection) -> None:
    await d.ring(conn)
    async with transaction(conn):
        lot = await cheese(conn)

        starts = [await job(conn, lot) for _ in range(3)]

    assert starts[1] - starts[0] >= JOB
    assert starts[2] - starts[1] >= JOB


async def test_more_numbers_than_there_are_are_refused(conn: AsyncConnection) -> None:
    await d.ring(conn)
    with pytest.raises(NumbersUsedUp):
        async with transaction(conn):
            await job(conn, await cheese(conn), n=1 << 60)


async def test_a_lot_a_product_and_a_unit_are_found_and_strangers_are_unknown(conn: AsyncConnection) -> None:
    keys = await d.ring(conn)
    await d.take_in(conn, keys, d.pack(0, d.sscc(d.PALLET), childQuantityList=[d.much(d.CHEESE, "C1", 5)]))

    lot = await codes.find(conn, Identifier.lot_of(d.CHEESE, "C1"), keys)
    other_lot = await codes.find(conn, Identifier.lot_of(d.CHEESE, "C2"), keys)
    unit = await codes.find(conn, Identifier.logistic_unit(d.PALLET), keys)
    stranger = await codes.find(conn, Identifier.logistic_unit(d.OTHER_PALLET), keys)
    product = await codes.find(conn, Identifier.product(d.MILK), keys)

    assert lot.lot_id is not None
    assert (other_lot.product_id, other_lot.lot_id) == (lot.product_id, None)
    assert (unit.unit_id is not None, stranger.unit_id, product.product_id) == (True, None, None)


async def test_the_key_is_made_once_and_opens_with_its_secret_only(conn: AsyncConnection) -> None:
    first = await d.ring(conn)
    second = await d.ring(conn)

    assert first.cipher(1, d.CHEESE).serial(7) == second.cipher(1, d.CHEESE).serial(7)
    with pytest.raises(WrongMasterSecret):
        await codes.KeyRing.load(conn, "another secret, which is long enough")


def test_without_a_key_nothing_is_printed_and_nothing_is_taken_for_ours() -> None:
    ring = codes.KeyRing({})

    assert ring.candidates(d.CHEESE, "0123456789AB") == ()
    with pytest.raises(NoSerialKey):
        assert ring.newest


def test_after_a_new_epoch_old_serials_are_still_read() -> None:
    ring = codes.KeyRing({1: b"1" * 32, 2: b"2" * 32})
    printed = ring.cipher(1, d.CHEESE).serial(41)

    candidates = ring.candidates(d.CHEESE, printed)

    assert [epoch for epoch, _ in candidates] == [2, 1]
    assert (1, 41) in candidates
    written, by_epoch = ring.candidates_of(d.CHEESE, ["short", printed, "UUUUUUUUUUUU"])
    assert written == [printed]
    assert [(epoch, *numbers.tolist()) for epoch, numbers in by_epoch] == [*candidates]


async def test_many_serials_at_once_are_what_each_is_by_itself(conn: AsyncConnection) -> None:
    keys = await d.ring(conn)
    cipher = keys.cipher(1, d.CHEESE)
    async with transaction(conn):
        lot = await cheese(conn)
        before = await job(conn, lot, n=1)
        first = await job(conn, lot, skipped=(before + 3,))
        outside = await codes.number_for_foreign(conn, d.CHEESE, "PARTNER")
        second = await job(conn, lot)
        numbers = [*range(first, second + JOB + 2)]  # over two jobs, the number between them and the end
        items = [(d.CHEESE, cipher.serial(number)) for number in numbers] + [(d.CHEESE, "PARTNER"), (d.MILK, "PARTNER")]

        together = await codes.numbers_of(conn, items, keys)
        by_itself = [await codes.numbers_of(conn, [item], keys) for item in items]

    assert together == {item: number for found in by_itself for item, number in found.items()}
    ours = {*range(first, first + JOB), *range(second, second + JOB)} - {before + 3}
    assert set(together.values()) == {outside, *ours}


async def test_the_lots_of_many_numbers_are_those_of_each_by_itself(conn: AsyncConnection) -> None:
    keys = await d.ring(conn)
    cheeses = d.items(d.CHEESE, range(1, 7))
    await d.take_in(
        conn,
        keys,
        d.make(0, epcList=cheeses[:3], ilmd={"cbvmda:lotNumber": "C1"}),
        d.make(1, epcList=cheeses[3:], ilmd={"cbvmda:lotNumber": "C2"}),
        d.tell("TransformationEvent", 2, inputEPCList=cheeses[2:4], outputQuantityList=[d.much(d.MILK, "M9", 1)]),
    )
    async with transaction(conn):
        found = await codes.numbers_of(conn, [(d.CHEESE, str(serial)) for serial in range(1, 7)], keys)
        numbers = sorted(found.values())
        wanted = [numbers[0] - 1, *numbers, numbers[-1] + 1]

        lots, ended = await name_store.lots_of_numbers(conn, wanted)
        by_itself = [await name_store.lots_of_numbers(conn, [number]) for number in wanted]

    assert lots == {number: lot for found_lots, _ in by_itself for number, lot in found_lots.items()}
    assert ended == {number: at for _, found_ended in by_itself for number, at in found_ended.items()}
    assert (set(lots), set(ended)) == (set(numbers), set(numbers[2:4]))
