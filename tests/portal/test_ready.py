"""Answers kept ready in every form: the same bytes as the usual way gives, and never older than a published case."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from weakref import ref

import brotli
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from portal.beside import Visit
from portal.http_front import PACKED, complete
from portal.links import LinkTable, StaffLink
from portal.model import Checks
from portal.plain_request import PassingFields
from portal.protocol import STATE
from portal.ready import Ready, kind_of_count
from portal.refresh import Refresher
from runtime.database import DatabaseAddress
from tests.portal.arrangement import BASE, MILK, NOON, arrange, item, publish, until
from tests.portal.both_ways import PAGE, Both, both_over, page, request
from tests.portal.test_front_histories import tell

MIDNIGHT = NOON + timedelta(hours=12)
JSON = {"Accept": "application/json"}
PACKED_PAGE = {**PAGE, "Accept-Encoding": "gzip, br"}


def ready_of(both: Both) -> Ready:
    kept: Ready = both.short.app_state[STATE].ready
    return kept


def refresher_of(both: Both) -> Refresher:
    kept: Refresher = both.short.app_state[STATE].front.refresher
    return kept


def tag_of(answer: bytes) -> str:
    return answer.partition(b"etag: ")[2].partition(b"\r\n")[0].decode()


async def uncounted(conn: AsyncConnection) -> None:
    await arrange(conn)
    await conn.execute(text("UPDATE product SET checks = 'off'"))
    await conn.commit()


async def test_a_page_whose_history_came_too_late_is_not_kept_for_those_after_it(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    await uncounted(conn)
    await tell(conn, 1, 1, "commissioning")
    async with both_over(database, tmp_path) as both:
        lane = both.short.app_state[STATE]
        visit = Visit("GET", PAGE["User-Agent"], "", "127.0.0.1")
        data = page(item(1001))
        asked = lane.reader.read(data)
        sight = lane.front.look(lane.ask(asked))
        in_time = await lane.front.reader.read(visit, sight)
        assert in_time.history

        for beside, kept in ((replace(in_time, history=()), 0), (in_time, 1)):
            answer, _ = lane.front.finish(sight, beside, visit)
            lane.keep(asked, data, (sight, visit, beside), (answer, complete(answer)))
            assert len(lane.ready) == kept


async def test_what_is_ready_has_the_bytes_of_the_usual_way_in_every_form(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    await uncounted(conn)
    async with both_over(database, tmp_path) as both:
        for _ in range(2):
            await both.short.ask(request(item(1001), **PACKED_PAGE))
            await PACKED.settle()
        [plain] = await both.same(page(item(1001)))
        for number in (1001, 1002, 1003):
            path, tag = item(number), tag_of(plain)
            await both.same(request(path, **JSON))
            await both.same(request(path, **JSON, Accept_Encoding="gzip"))
            await both.same(request(path, **PACKED_PAGE))
            await both.same(request(path, Accept="*/*"))
            for more in ({"Connection": "close"}, {"If-None-Match": tag}, {"If-None-Match": 'W/"other"'},
                         {"X-Forwarded-For": f"192.0.2.{number % 250}", "Cookie": f"a={number}"}):  # fmt: skip
                await both.same(page(path, **more))
            await both.same(request(path, "HEAD", **PAGE))
            await both.same(request(path, "HEAD", **JSON))
        assert len(ready_of(both)) == 6  # page, packed, closing, link, and the verdict twice
        assert both.short.reached == 0
        shelf = both.short.app_state[STATE].front.hot_path.shelf
        links, version = shelf.links, shelf.version
        await conn.execute(text("UPDATE shelf SET version = version + 1"))
        await conn.commit()
        await shelf.look()
        assert (shelf.version, shelf.links) == (version + 1, links)
        assert shelf.links is links  # other items were found unusual, no link has changed: what is ready stays so


async def test_a_case_published_between_two_scans_is_in_every_form_of_the_second(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    await uncounted(conn)
    async with both_over(database, tmp_path, sweep_every_s=0.1) as both:
        for _ in range(2):
            await both.short.ask(request(item(1001), **PACKED_PAGE))
            await PACKED.settle()
        tag = tag_of((await both.short.ask(page(item(1001))))[0])
        asked: dict[str, Callable[[str], bytes]] = {
            "json": lambda path: request(path, **JSON),
            "packed": lambda path: request(path, **PACKED_PAGE),
            "unchanged": lambda path: page(path, If_None_Match=tag),
            "closing": lambda path: page(path, Connection="close"),
            "head": lambda path: request(path, "HEAD", **PAGE),
        }
        for made in asked.values():
            for number in (1001, 1002):
                [before] = await both.short.ask(made(item(number)))
                assert b"recalled" not in before
        assert (await both.short.ask(asked["unchanged"](item(1003))))[0].startswith(b"HTTP/1.1 304 ")

        await publish(conn, lots=[1])

        async def is_known() -> bool:
            return b'"verdict":"recalled"' in (await both.short.ask(request(item(1002), **JSON)))[0]

        await until(is_known)
        after = {name: (await both.short.ask(made(item(1002))))[0] for name, made in asked.items()}
        assert all(answer.startswith(b"HTTP/1.1 200 ") for answer in after.values())
        assert tag_of(after["head"]) != tag
        head, _, body = after["packed"].partition(b"\r\n\r\n")
        shown = brotli.decompress(body) if b"content-encoding: br" in head else body
        for told in (shown, after["unchanged"], after["closing"]):
            assert "请立即停止使用本产品".encode() in told


async def test_a_published_case_is_in_counted_verdicts_and_behind_the_redirect_and_no_old_copy_is_kept(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    await arrange(conn)
    anything = {"Accept": "*/*"}
    async with both_over(database, tmp_path, sweep_every_s=0.1) as both:
        await both.short.ask(page(item(1001)))  # counted once
        for number in (1001, 1002, 2001):  # the last of another lot, which nobody asks for later
            [verdict] = await both.same(request(item(number), **JSON))
            await both.same(request(item(number), **anything))
        assert b'"checks":null' in verdict
        assert len(ready_of(both)) == 5  # the page, and both forms of both lots
        old = ref(refresher_of(both).snapshot)

        await publish(conn, lots=[1])

        async def is_known() -> bool:
            return b'"verdict":"recalled"' in (await both.short.ask(request(item(1001), **JSON)))[0]

        await until(is_known)
        [counted] = await both.same(request(item(1001), **JSON))
        assert b'"verdict":"recalled"' in counted
        assert b'"count":1,' in counted
        [redirect] = await both.same(request(item(1002), **anything))
        target = redirect.partition(b"location: ")[2].partition(b"\r\n")[0].decode().removeprefix(BASE)
        assert "请立即停止使用本产品".encode() in (await both.short.ask(page(target)))[0]

        async def is_gone() -> bool:
            return old() is None

        await until(is_gone)


async def test_a_redirect_to_a_link_of_staff_is_ready_in_each_language_and_only_while_the_link_holds(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    await uncounted(conn)
    async with both_over(database, tmp_path) as both:
        shelf = both.short.app_state[STATE].front.hot_path.shelf
        links = [
            StaffLink(MILK, "", "", "defaultLink", "https://milk.example/{serial}", "Milk"),
            StaffLink(MILK, "", "", "defaultLink", "https://milk.example/fr", "Lait", ("fr",), valid_until=NOON),
            StaffLink(MILK, "", "", "defaultLink", "https://milk.example/de", "Milch", ("de",), valid_until=MIDNIGHT),
        ]
        shelf.links = LinkTable.of(links)
        for number in (1001, 1002):
            serial = item(number).rpartition("/")[2]
            wanted = {"fr": serial, "de": "de", "en": serial}
            for language, place in wanted.items():
                [told] = await both.same(request(item(number), Accept="*/*", Accept_Language=language))
                assert f"location: https://milk.example/{place}\r\n".encode() in told
        assert len(ready_of(both)) == 3
        assert both.short.reached == 0
    assert shelf.links.next_change(MILK, NOON) == MIDNIGHT
    assert shelf.links.next_change(MILK, MIDNIGHT) is None


async def test_one_prepared_page_serves_every_count_and_its_tag_tells_them_apart(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    await arrange(conn)
    english = {"Accept-Language": "en"}
    async with both_over(database, tmp_path) as both:

        async def opened(number: int, agent: str) -> bytes:
            return (await both.short.ask(page(item(number), **english, User_Agent=agent)))[0]

        first = [await opened(number, "Mozilla/5.0 a") for number in (1001, 1002)]
        assert all(b"This is the first time it has been checked." in answer for answer in first)
        twice, thrice = await opened(1001, "Mozilla/5.0 b"), await opened(1001, "Mozilla/5.0 c")
        assert b"Checked 2 times" in twice and b"Checked 3 times" in thrice
        assert len({tag_of(first[0]), tag_of(twice), tag_of(thrice)}) == 3
        assert tag_of(twice).partition("-")[0] == tag_of(thrice).partition("-")[0]
        usual = (await both.usual.ask(page(item(1001), **english, User_Agent="Mozilla/5.0 c")))[0]
        assert usual == thrice  # the same visitor within ten minutes

        for number, count in ((1001, 3), (1002, 1), (1003, None)):  # by machines it is told, and not counted
            for method in ("GET", "HEAD"):
                [verdict] = await both.same(request(item(number), method, **JSON))
            [verdict] = await both.same(request(item(number), **JSON))
            assert (b'"count":%d,' % count if count else b'"checks":null') in verdict


@pytest.mark.parametrize(
    ("checks", "alike"),
    [
        (Checks(2, NOON), Checks(7, NOON)),
        (Checks(1, NOON, includes_this=False), Checks(29, NOON)),
        (Checks(30, NOON), Checks(31, NOON, includes_this=False)),
    ],
)
def test_counts_are_alike_when_only_the_moment_of_a_page_tells_them_apart(checks: Checks, alike: Checks) -> None:
    assert kind_of_count(checks) == kind_of_count(alike)
    assert kind_of_count(checks) not in (kind_of_count(None), kind_of_count(Checks(1, NOON)))


def test_heads_are_alike_but_for_what_passes_through_and_a_field_told_twice_is_not_cut() -> None:
    def head(*lines: bytes) -> bytes:
        return b" HTTP/1.1\r\nHost: a\r\n" + b"".join(line + b"\r\n" for line in lines) + b"\r\n"

    cut = PassingFields(kept="via").cut
    alike, told = cut(head(b"X-Forwarded-For: 192.0.2.1", b"cookie:a=b; c", b"Via: x"))
    assert alike == cut(head(b"X-Forwarded-For: 198.51.100.7, ::1", b"cookie: d", b"Via: x"))[0]
    assert alike != cut(head(b"X-Forwarded-For: 192.0.2.1", b"cookie: d", b"Via: y"))[0]
    assert told.forwarded_for == "192.0.2.1"
    for odd in (head(b"Cookie: a", b"cookie: b"), head(b"Cookie: a\x00b"), head(b"Cookie : a"), head(b"X-Cookie: a")):
        assert cut(odd)[0] == odd
