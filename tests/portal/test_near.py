"""What was answered for one item holds for those around it, and for no other: the same bytes as the usual way."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from portal.codes import Block, Blocks, BlockTable
from portal.fast_lane import FastLane
from portal.intervals import Layered, RunRow, Runs
from portal.links import LinkTable
from portal.model import Unusual
from portal.protocol import STATE
from portal.snapshot import Snapshot
from runtime.database import DatabaseAddress
from serials import keys
from serials.cipher import SerialCipher
from tests.examples import examples
from tests.portal.arrangement import MILK, ROOT_KEY, SECRET, arrange, item, publish, until
from tests.portal.both_ways import PAGE, Both, both_over, page, request

NUMBERS = range(60)


def lane_of(both: Both) -> FastLane:
    lane: FastLane = both.short.app_state[STATE]
    return lane


def is_near(both: Both, data: bytes) -> bool:
    """Whether the request would be answered from what is known around."""
    lane = lane_of(both)
    manner = lane.manners.get(data[38:])
    lane.end()
    turn = lane.begin(asyncio.get_running_loop())
    return manner is not None and lane.near.find(data, manner, turn) is not None


# Numbers up to which stretches reach, as bits: consecutive pairs of set bits are a stretch.
MARKS = st.integers(0, 2 ** len(NUMBERS) - 1)


def apart(marks: int) -> list[tuple[int, int]]:
    """Some stretches of numbers that do not overlap: (first, how many)."""
    ends = [number for number in NUMBERS if marks >> number & 1 and marks >> number & 6 != 6]
    return [(lo, end - lo) for lo, end in zip(ends[::2], ends[1::2], strict=False)]


def layered(base: int, news: int) -> Layered:
    """Older runs, and newer ones over them."""
    return Layered(*(Runs.of([RunRow(lo, n, lo % 3, 1) for lo, n in apart(marks)]) for marks in (base, news)))


def issued_in(marks: int, skips: int, again: int) -> Blocks:
    """Blocks, of which some skip their first number, and some are told anew."""
    blocks = [Block(lo, n, MILK, 1, 1, frozenset({lo} if skips >> lo & 3 == 3 else ())) for lo, n in apart(marks)]
    return Blocks(BlockTable.of(blocks), BlockTable.of(each for each in blocks if again >> each.lo & 1))


@settings(max_examples=examples(80))
@given(st.lists(MARKS, min_size=7, max_size=7))
def test_all_numbers_of_a_stretch_are_issued_and_have_the_same_run_and_the_same_void(marks: list[int]) -> None:
    items, voids, issued = layered(*marks[:2]), layered(*marks[2:4]), issued_in(*marks[4:])
    snapshot = Snapshot(runs=items, blocks=issued, voids=voids)
    for number in NUMBERS:
        if not issued.has_issued(int(MILK), 1, number):
            continue
        bounds = snapshot.alike_around(number)
        if bounds is None:
            continue
        assert bounds[0] <= number < bounds[1]
        for other in range(*bounds):
            assert issued.has_issued(int(MILK), 1, other)
            assert (items.at(other), voids.at(other)) == (items.at(number), voids.at(number))


def test_a_stretch_is_as_wide_as_the_run_but_for_what_was_told_since() -> None:
    told = Snapshot(
        runs=Layered(Runs.of([RunRow(1000, 100, 1, 1)]), Runs.of([RunRow(1040, 10, 1, 2)])),
        blocks=Blocks.of([Block(1000, 60, MILK, 1, 1)]),
        voids=Layered(Runs.of([RunRow(1010, 1)])),
    )
    assert told.alike_around(1020) == (1011, 1040)
    assert told.alike_around(1045) == (1040, 1050)
    assert told.alike_around(1055) == (1050, 1060)


async def test_an_item_beside_one_that_was_answered_gets_the_bytes_of_the_usual_way(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    await arrange(conn)
    await conn.execute(text("UPDATE product SET checks = 'off'"))
    await conn.execute(text("UPDATE number_block SET skipped = '{}'"))
    await conn.commit()
    forms = (PAGE, {**PAGE, "Connection": "close"}, {"Accept": "*/*"}, {"Accept": "application/json"})
    async with both_over(database, tmp_path) as both:
        for fields in forms:
            for number in (1001, 1002):
                await both.same(request(item(number), **fields))
            assert is_near(both, request(item(1050), **fields))
            await both.same(request(item(1050), **fields))
        assert len(lane_of(both).near) == len(forms)
        for odd in (
            request(item(2001), **PAGE),  # of another lot
            request(item(2070), **PAGE),  # printed, not active
            request(item(1001)[:-1] + "L", **PAGE),  # no letter of a serial
            request(item(1001).lower(), **PAGE),
            request(item(1001), "HEAD", **PAGE),
            request(item(1001) + "/", **PAGE),
            request(item(1001), **PAGE, X_Other="a"),
        ):
            assert not is_near(both, odd)
            await both.same(odd)
        for more in ({"X-Forwarded-For": "192.0.2.7"}, {"If-None-Match": 'W/"other"'}, {"Cookie": "a=b"}):
            await both.same(page(item(1051), **more))
        log = lane_of(both).front.reader.log
        await log.flush()
    opened = (await conn.execute(text("SELECT count(*) FROM scan_log WHERE number = 1050"))).scalar_one()
    assert opened == 6  # two forms of the page, three times each


async def test_what_is_told_of_single_items_ends_what_was_known_around_them(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    await arrange(conn)
    await conn.execute(text("UPDATE product SET checks = 'off'"))
    await conn.execute(text("UPDATE number_block SET skipped = '{}'"))
    await conn.commit()
    asked = [page(item(number)) for number in (1001, 1002, 1050, 1051)]
    async with both_over(database, tmp_path, sweep_every_s=0.1) as both:
        lane = lane_of(both)
        refresher, shelf = lane.front.refresher, lane.front.hot_path.shelf

        async def all_near() -> bool:
            for data in asked:
                await both.same(data)
            return all(is_near(both, data) for data in asked)

        async def told(sql: str) -> None:
            before = refresher.snapshot
            await conn.execute(text(sql))
            await conn.execute(text("SELECT next_public_revision()"))
            await conn.commit()

            async def is_seen() -> bool:
                return refresher.snapshot is not before

            await until(is_seen)
            assert not any(is_near(both, data) for data in asked)

        assert await all_near()
        shelf.unusual = {1050: Unusual("many_places", 9, 30)}
        assert [is_near(both, data) for data in asked] == [True, True, False, True]
        shelf.unusual = {}
        shelf.links = LinkTable.of(())
        assert not any(is_near(both, data) for data in asked)
        assert await all_near()

        await told("INSERT INTO void_code (lo, n, at) VALUES (1050, 1, now())")
        assert not await all_near()
        assert [is_near(both, data) for data in asked] == [True, True, False, True]

        before = refresher.snapshot
        await publish(conn, runs=[(1, 1002, 1)])

        async def is_published() -> bool:
            return refresher.snapshot is not before

        await until(is_published)
        for data in asked:
            await both.same(data)
        assert not any(is_near(both, data) for data in asked)  # a case names one item of the lot: each is judged alone
        assert "请立即停止使用本产品".encode() in (await both.short.ask(asked[1]))[0]


async def test_serials_of_an_older_key_and_of_a_newer_one_are_both_found_around(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    await arrange(conn)
    newer_root = bytes(range(32, 64))
    newer = SerialCipher(keys.derive_key(newer_root, gtin=MILK, epoch=2), MILK)
    wrapped = keys.wrap_root_key(newer_root, master_secret=SECRET.encode(), epoch=2)
    await conn.execute(text("UPDATE product SET checks = 'off'"))
    await conn.execute(
        text("INSERT INTO code_key (epoch, wrapped, created_at) VALUES (2, :wrapped, now())"), {"wrapped": wrapped}
    )
    await conn.execute(text("UPDATE number_block SET key_epoch = 2 WHERE lo = 2000"))
    await conn.execute(text("UPDATE number_block SET skipped = '{}'"))
    await conn.commit()

    def of_newer(number: int) -> str:
        return f"/01/{MILK}/21/{newer.serial(number)}"

    assert newer.serial(2001) != SerialCipher(keys.derive_key(ROOT_KEY, gtin=MILK, epoch=1), MILK).serial(2001)
    async with both_over(database, tmp_path) as both:
        for number in (1, 2, 3):
            await both.same(page(item(1000 + number)))
            await both.same(page(of_newer(2000 + number)))
        for path in (item(1044), of_newer(2044)):
            assert is_near(both, page(path))
            await both.same(page(path))
        for path in (item(2044), of_newer(1044)):  # decoded with the other key they are numbers never issued
            assert not is_near(both, page(path))
            assert (await both.same(page(path)))[0].startswith(b"HTTP/1.1 404 ")


async def test_what_is_known_around_is_looked_at_again_and_not_told_by_a_copy_that_is_too_old(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    await arrange(conn)
    await conn.execute(text("UPDATE product SET checks = 'off'"))
    await conn.execute(text("UPDATE number_block SET skipped = '{}'"))
    await conn.commit()
    now = [datetime(2026, 11, 24, 12, 0, tzinfo=UTC)]
    async with both_over(database, tmp_path, clock=lambda: now[0]) as both:
        near, refresher = lane_of(both).near, lane_of(both).front.refresher
        asked = page(item(1003))
        for number in (1001, 1002):
            await both.same(page(item(number)))
        assert is_near(both, asked)
        now[0] += timedelta(seconds=30)  # its history is looked at again, and is the same
        assert is_near(both, asked)
        now[0] += timedelta(hours=12)  # dates are told, and it is another day
        assert not is_near(both, asked)
        now[0] -= timedelta(hours=24)  # a clock set back: it was not made yet
        assert not is_near(both, asked)
        await both.same(page(item(1001)))
        now[0] = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
        await both.same(page(item(1001)))
        assert is_near(both, asked)
        refresher.fresh_until = float("-inf")
        assert not is_near(both, asked)
        assert (await both.same(asked))[0].startswith(b"HTTP/1.1 503 ")
        assert len(near) == 1
