"""Who is told of a case, of what, by which medium; and what becomes of each notice."""

from __future__ import annotations

import json
from functools import partial
from io import BytesIO
from pathlib import Path

import pypdfium2
import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from recall import casework, delivery, sending, store
from recall.deliveries_store import DeliveryState, Medium
from recall.response_refusals import (
    AddressNotUsable,
    DeliveryNotThere,
    LadderNotUsable,
    NobodyWasTold,
    NoSuchParty,
    NotInThisState,
)
from runtime import jobs, settings, webhooks
from runtime.database import DatabaseAddress
from runtime.webhooks import WebhookAddressNotUsable
from tests.recall.creamery import CHEESE, CORNER_SHOP, NORTH_DEPOT, SECRET, Creamery, clock
from tests.recall.desk import opened, published
from tests.recall.owners import (
    ADA,
    BEN,
    CLEO,
    DAN,
    EVE,
    at,
    c1_recalled,
    deliveries,
    letter_to,
    run_worker,
    told,
    with_addresses,
)
from tests.receiver import answers, receiver
from tests.runtime.mail_server import mail_server, settings_for

C1, C2 = (CHEESE, "C1"), (CHEESE, "C2")


async def test_a_publication_tells_each_owner_once_by_the_medium_that_reaches_them(
    conn: AsyncConnection, dairy: Creamery
) -> None:
    await with_addresses(conn)

    number = await published(conn, dairy, lots=[C1])

    assert await told(conn, number) == {
        ("Meadow Creamery", "email", "queued"),
        ("North Depot", "email", "queued"),
        ("Corner Shop", "email", "queued"),
        ("Mira", "letter", "by_hand"),  # nobody told us how to reach her
    }


async def test_a_case_that_is_not_published_has_told_nobody(conn: AsyncConnection, dairy: Creamery) -> None:
    number = await opened(conn, dairy, lots=[C1])

    with pytest.raises(NobodyWasTold):
        await delivery.list_deliveries(conn, number)


async def test_each_owner_gets_a_letter_with_its_own_lines_and_nobody_elses(
    database: DatabaseAddress, conn: AsyncConnection, dairy: Creamery
) -> None:
    number = await c1_recalled(conn, dairy)

    async with mail_server() as server:
        await run_worker(database, settings_for(server))

    assert sorted(server.addresses) == [ADA, BEN, CLEO]
    shop, depot = letter_to(server, CLEO), letter_to(server, BEN)
    assert "Corner Shop, York" in shop
    assert not [name for name in ("Depot", "Creamery plant", "Mira", "召回") if name in shop.replace("召回负责人", "")]
    assert "North Depot, Leeds" in depot
    assert "Corner Shop" not in depot
    assert "处理要求" in depot  # nobody told us Ben's language: he gets both
    [message] = [message for message in server.taken if message["To"] == CLEO]
    pages, sheet = message.iter_attachments()
    printed = pages.get_payload(decode=True)
    assert isinstance(printed, bytes)
    [page] = [page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(printed)]
    assert "Corner Shop, York" in page and "DES-2" in page
    assert not [name for name in ("Depot", "Creamery plant", "Mira", "召回") if name in page]
    content = sheet.get_payload(decode=True)
    assert isinstance(content, bytes)
    rows = CalamineWorkbook.from_filelike(BytesIO(content)).get_sheet_by_index(0).to_python()
    assert {row[rows[0].index("owner_name")] for row in rows[1:]} == {"Corner Shop"}
    assert {each.state for each in await deliveries(conn, number) if each.medium is Medium.EMAIL} == {
        DeliveryState.SENT
    }


async def test_a_widening_tells_who_is_new_all_and_who_has_nothing_new_nothing(
    database: DatabaseAddress, conn: AsyncConnection, dairy: Creamery
) -> None:
    number = await c1_recalled(conn, dairy)
    async with mail_server() as server:
        await run_worker(database, settings_for(server))
        server.taken.clear()

        await casework.widen(conn, number, lots=[C2], reason="more", by="Ben", clock=clock, keys=dairy.keys)
        await run_worker(database, settings_for(server))

    assert server.addresses == [DAN]  # River Market is new; Depot and Shop have no C2
    market = letter_to(server, DAN)
    assert "C2" in market
    assert "C1" not in market


async def test_who_has_more_gets_the_new_lines_only(
    database: DatabaseAddress, conn: AsyncConnection, dairy: Creamery
) -> None:
    await with_addresses(conn)
    number = await published(conn, dairy, codes=[dairy.code(dairy.c1[1])])
    async with mail_server() as server:
        await run_worker(database, settings_for(server))
        server.taken.clear()
        await casework.widen(conn, number, codes=[dairy.code(dairy.c1[2])], by="Ben", clock=clock, keys=dairy.keys)
        await run_worker(database, settings_for(server))

    letter = letter_to(server, CLEO)
    assert "More goods are affected" in letter
    assert dairy.c1[2] in letter


async def test_a_narrowing_tells_those_who_are_free_again(
    database: DatabaseAddress, conn: AsyncConnection, dairy: Creamery
) -> None:
    await with_addresses(conn)
    number = await published(conn, dairy, lots=[C1, C2])
    async with mail_server() as server:
        await run_worker(database, settings_for(server))
        server.taken.clear()
        await casework.narrow(
            conn, number, lots=[C2], reason="tested", by="Ada", approved_by="Ben", clock=clock, keys=dairy.keys
        )
        await run_worker(database, settings_for(server))

    assert server.addresses == [DAN]
    assert "不再受影响" in letter_to(server, DAN)


async def test_a_cancelled_case_is_taken_back_from_all_who_were_told_and_nobody_else(
    database: DatabaseAddress, conn: AsyncConnection, dairy: Creamery
) -> None:
    number = await c1_recalled(conn, dairy)
    async with mail_server() as server:
        server.answers[CLEO] = "450 later"
        await run_worker(database, settings_for(server))
        server.answers.clear()
        server.taken.clear()

        await casework.widen(conn, number, lots=[C2], by="Ben", clock=clock, keys=dairy.keys)
        await casework.cancel(
            conn, number, reason="mistaken", by="Ada", approved_by="Ben", clock=clock, keys=dairy.keys
        )
        await run_worker(database, settings_for(server))

    # Cleo's letter was tried and may have arrived; Dan's never left
    assert sorted(server.addresses) == [ADA, BEN, CLEO]
    assert "is cancelled" in str(server.taken[0]["Subject"])
    assert ("River Market", "email", "stopped") in await told(conn, number)


async def test_telling_a_version_again_makes_nothing_twice(conn: AsyncConnection, dairy: Creamery) -> None:
    number = await c1_recalled(conn, dairy)
    before = await deliveries(conn, number)
    async with conn.begin():
        case = await store.find_case(conn, number)
        frozen = await store.frozen_set(conn, case)
        await delivery.tell_version(
            conn, case, version=1, change=frozen.change, set_id=frozen.affected_set_id, before_id=None, by="Ben",
            clock=clock,
        )  # fmt: skip

    assert await deliveries(conn, number) == before


async def test_a_refused_address_is_a_dead_letter_and_the_one_who_stands_in_is_told(
    database: DatabaseAddress, conn: AsyncConnection, dairy: Creamery
) -> None:
    number = await c1_recalled(conn, dairy)
    async with mail_server() as server:
        server.answers[CLEO] = "550 no such mailbox"
        await run_worker(database, settings_for(server))

    assert EVE in server.addresses
    dead = [each for each in await deliveries(conn, number) if each.state is DeliveryState.REFUSED]
    assert [(each.address, each.attempts) for each in dead] == [(CLEO, 1)]
    assert "550 no such mailbox" in dead[0].answer

    again = await delivery.send_again(conn, dead[0].delivery_id, by="Ada", clock=clock)
    assert again.state is DeliveryState.QUEUED
    with pytest.raises(NotInThisState):
        await delivery.send_again(conn, dead[0].delivery_id, by="Ada", clock=clock)


async def test_a_server_that_is_away_is_tried_again_with_growing_pauses_and_given_up_at_last(
    database: DatabaseAddress, conn: AsyncConnection, dairy: Creamery
) -> None:
    number = await c1_recalled(conn, dairy)
    async with mail_server() as server:
        server.answers[BEN] = "450 later"
        await run_worker(database, settings_for(server))
        [ben] = [each for each in await deliveries(conn, number) if each.address == BEN]
        assert (ben.state, ben.attempts, ben.due_at) == (DeliveryState.QUEUED, 1, at(1 / 60)())

        async with conn.begin():
            await conn.execute(text("UPDATE recall_delivery SET attempts = attempts + 6 WHERE state = 'queued'"))
        for hours in (1, 2):
            async with conn.begin():
                await jobs.enqueue(conn, "recall.deliver_email", {})
            await run_worker(database, settings_for(server), clock=at(hours))

    [ben] = [each for each in await deliveries(conn, number) if each.address == BEN]
    assert (ben.state, ben.attempts) == (DeliveryState.GIVEN_UP, 8)
    assert ("North Depot", "phone", "by_hand") in await told(conn, number)
    assert [sending.pause_after(n).total_seconds() for n in (1, 2, 3, 9)] == [60, 120, 240, 3600]


async def test_without_a_mail_server_notices_wait(
    database: DatabaseAddress, conn: AsyncConnection, dairy: Creamery
) -> None:
    number = await c1_recalled(conn, dairy)

    await run_worker(database)

    [ben] = [each for each in await deliveries(conn, number) if each.address == BEN]
    assert ben.state is DeliveryState.QUEUED
    assert "TRACEMARK_SMTP_HOST" in ben.answer


async def test_a_bounce_is_recorded_and_the_one_who_stands_in_is_told(
    database: DatabaseAddress, conn: AsyncConnection, dairy: Creamery
) -> None:
    number = await c1_recalled(conn, dairy)
    async with mail_server() as server:
        await run_worker(database, settings_for(server))
        bounced = await delivery.bounce(conn, address=CLEO.upper(), reason="mailbox full", by="Ada", clock=clock)
        await run_worker(database, settings_for(server))

    assert (bounced.state, bounced.answer) == (DeliveryState.BOUNCED, "mailbox full")
    assert server.addresses.count(EVE) == 1
    assert number == bounced.number
    with pytest.raises(DeliveryNotThere):
        await delivery.bounce(conn, address="nobody@shop.example", reason="?", by="Ada", clock=clock)


async def test_calls_are_a_persons_work_and_written_down(conn: AsyncConnection, dairy: Creamery) -> None:
    number = await published(conn, dairy, lots=[C1])  # no mail addresses: all have a phone
    calls = await delivery.list_deliveries(conn, number, medium=Medium.PHONE)

    done = await delivery.done_by_hand(conn, calls[0].delivery_id, note="spoke to Ben", by="Ada", clock=clock)

    assert (done.state, done.answer) == (DeliveryState.SENT, "Ada: spoke to Ben")
    with pytest.raises(NotInThisState):
        await delivery.done_by_hand(conn, calls[0].delivery_id, note="again", by="Ada", clock=clock)


async def test_a_party_that_wants_files_finds_its_notice_in_its_folder(
    database: DatabaseAddress, conn: AsyncConnection, dairy: Creamery, tmp_path: Path
) -> None:
    await delivery.set_medium(conn, CORNER_SHOP, Medium.FILE, "corner-shop", secret=SECRET, by="Ada", clock=clock)
    number = await published(conn, dairy, lots=[C1])

    await run_worker(database, settings.load({}, data_dir=tmp_path))

    files = sorted((tmp_path / "notices" / "corner-shop").iterdir())
    assert [path.suffix for path in files] == [".json", ".pdf", ".txt", ".xlsx"]
    assert "North Depot" not in files[2].read_text(encoding="utf-8")
    assert ("Corner Shop", "file", "sent") in await told(conn, number)


async def test_a_webhook_is_signed_with_a_secret_of_its_own_and_never_led_into_the_own_network(
    database: DatabaseAddress, conn: AsyncConnection, dairy: Creamery
) -> None:
    put = partial(delivery.set_medium, conn, CORNER_SHOP, Medium.WEBHOOK, secret=SECRET, by="Ada", clock=clock)
    first = await put("https://shop.invalid/hook")
    second = await put("https://shop.invalid/hook2")
    with pytest.raises(WebhookAddressNotUsable):
        await put("https://127.0.0.1/hook")
    assert first is not None
    assert second is not None
    assert first != second

    async with receiver(answers("204 No Content")) as shop:
        secret = await put(f"http://127.0.0.1:{shop.port}/hook", allow_private=True)
        assert secret is not None
        number = await published(conn, dairy, lots=[C1])
        await run_worker(database, settings.load({}, webhooks_to_private_addresses=True))

    [request] = shop.requests
    body = request.partition(b"\r\n\r\n")[2]
    webhooks.verify(body, shop.headers, secret=secret, clock=clock)
    notice = json.loads(body)
    assert (notice["type"], notice["case_number"]) == ("recall.notice.create", number)
    assert {line["owner_name"] for line in notice["lines"]} == {"Corner Shop"}
    assert "/a/" in notice["answer_url"]
    assert ("Corner Shop", "webhook", "sent") in await told(conn, number)


@pytest.mark.parametrize("folder", ["../up", "a/b", "", "a b"])
async def test_a_folder_is_a_name_and_no_path(conn: AsyncConnection, dairy: Creamery, folder: str) -> None:
    with pytest.raises(AddressNotUsable):
        await delivery.set_medium(conn, CORNER_SHOP, Medium.FILE, folder, secret=SECRET, by="Ada", clock=clock)
    with pytest.raises(NoSuchParty):
        await delivery.set_medium(conn, "9999999999994", Medium.FILE, "x", secret=SECRET, by="Ada", clock=clock)


async def test_a_drill_writes_its_deliveries_down_and_sends_to_participants_only(
    database: DatabaseAddress, conn: AsyncConnection, dairy: Creamery
) -> None:
    await with_addresses(conn)
    await delivery.take_part_in_drills(conn, NORTH_DEPOT, wanted=True, by="Ada", clock=clock)

    report = await casework.drill(conn, dairy.code(dairy.c1[0]), by="Ada", clock=clock, keys=dairy.keys)
    async with mail_server() as server:
        await run_worker(database, settings_for(server))

    assert server.addresses == [BEN]
    assert "DRILL" in str(server.taken[0]["Subject"])
    assert {state for name, _, state in await told(conn, report.number) if name != "North Depot"} == {"not_sent"}


async def test_only_those_who_have_not_answered_are_reminded_step_by_step(
    database: DatabaseAddress, conn: AsyncConnection, dairy: Creamery
) -> None:
    number = await c1_recalled(conn, dairy)
    assert await delivery.remind(conn, clock=at(23)) == 0

    steps = [await delivery.remind(conn, clock=at(hours)) for hours in (24, 24.2, 72, 168, 400)]

    assert steps == [4, 0, 4, 4, 0]  # Mira has no address: she stands on the list of those to call each time
    shop = [each for each in await deliveries(conn, number) if each.name == "Corner Shop"]
    assert [(each.step, each.medium.value, each.address) for each in shop] == [
        (0, "email", CLEO),
        (1, "email", CLEO),
        (2, "email", EVE),
        (3, "phone", "+44 20 7946 0100"),
    ]


def test_a_ladder_rises() -> None:
    assert [rung.to for rung in delivery.read_ladder(delivery.STANDARD_LADDER)] == ["recall", "alternate", "phone"]
    for wrong in ("24:everybody", "x:recall", "24:recall,24:phone", "72:recall,24:phone"):
        with pytest.raises(LadderNotUsable):
            delivery.read_ladder(wrong)
