"""Recall alerts by e-mail: confirmed before anything is sent, told once per version, ended by one click."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from runtime.clock import system_clock
from runtime.database import DatabaseAddress
from shoppers import work
from tests.portal.arrangement import BASE, BROWSER, CHEESE, MILK, SECRET, arrange, portal_of, publish
from tests.runtime.mail_server import MailServer, mail_server, settings_for
from tests.shoppers.people import do_what_waits, place_of

MIRA = "mira@example.org"


def mail_settings(server: MailServer) -> dict[str, Any]:
    settings = settings_for(server)
    return {name: getattr(settings, name) for name in ("smtp_host", "smtp_port", "smtp_security", "mail_from")}


async def ask(portal: httpx2.AsyncClient, *, gtin: str = MILK, lot: str = "", email: str = MIRA) -> httpx2.Response:
    return await portal.post("/alerts", data={"gtin": gtin, "lot": lot, "email": email, "website": ""}, headers=BROWSER)


def link_in(server: MailServer, word: str) -> str:
    found = re.search(rf"{re.escape(BASE)}(/alerts/\d+/{word}/[0-9a-f]+)", server.taken[-1].get_content())
    assert found is not None
    return found[1]


async def test_who_asks_confirms_is_told_once_and_ends_it_by_one_click(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    await arrange(conn)
    async with mail_server() as server, portal_of(database, tmp_path, **mail_settings(server)) as portal:
        settings = settings_for(server, base_url=BASE, master_secret=SECRET)
        assert (await ask(portal, lot="M1")).status_code == 200
        assert (await ask(portal, lot="M1")).status_code == 200  # again: no second letter
        for lot, status in (("M9", 404), ("M1" + "x" * 19, 400), ("M\0", 400)):  # no lot, and never one cut to fit
            assert (await ask(portal, lot=lot)).status_code == status
        await do_what_waits(database, settings)
        assert server.addresses == [MIRA]

        confirm = link_in(server, "confirm")
        await portal.get(confirm)  # a program that looks at links
        await publish(conn, case_id=1, lots=[1])
        await do_what_waits(database, settings)
        assert len(server.taken) == 1

        await portal.post(confirm)
        await publish(conn, case_id=2, lots=[1])
        await publish(conn, case_id=3, lots=[2])  # another lot
        await do_what_waits(database, settings)
        await do_what_waits(database, settings)
        assert len(server.taken) == 2
        letter = server.taken[-1]
        assert "Stop using this product now" in letter.get_content()
        assert "R-2026-0002" in letter.get_content()
        assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"

        end = str(letter["List-Unsubscribe"]).strip("<>").removeprefix(BASE)
        gone = await portal.post(end, data={"List-Unsubscribe": "One-Click"})
        assert gone.status_code == 200
        await publish(conn, case_id=4, lots=[1])
        await do_what_waits(database, settings)
        assert len(server.taken) == 2
    assert list((await conn.execute(text("SELECT email FROM recall_alert"))).scalars()) == [None]


async def test_an_address_that_is_none_and_a_link_that_is_not_ours_are_refused(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    await arrange(conn)
    async with mail_server() as server, portal_of(database, tmp_path, **mail_settings(server)) as portal:
        for email in ("", "mira", "mira@", "a@b.example, c@d.example", "a@b.example\r\nBcc: x@y.example"):
            assert (await ask(portal, email=email)).status_code == 400
        assert (await ask(portal, gtin=CHEESE)).status_code == 200
        await do_what_waits(database, settings_for(server, base_url=BASE, master_secret=SECRET))
        link = link_in(server, "confirm")
        for wrong in (link[:-1] + ("0" if link[-1] != "0" else "1"), link.replace("confirm", "end"), "/alerts/x/end/y"):
            assert (await portal.post(wrong)).status_code == 404


async def test_without_a_mail_server_there_is_the_feed_and_no_form(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    await arrange(conn)
    async with portal_of(database, tmp_path) as portal:
        page = (await portal.get(f"/alerts?gtin={MILK}&lot=M1", headers=BROWSER)).text
        assert 'type="email"' not in page
        assert f"/recalls.atom?gtin={MILK}&amp;lot=M1" in page
        assert (await ask(portal)).status_code == 404


async def test_a_wish_that_nobody_confirmed_is_forgotten(database: DatabaseAddress, conn: AsyncConnection) -> None:
    sql = (
        "INSERT INTO recall_alert (email, gtin, language, asked_at, confirmed_at) VALUES (:email, :gtin, 'en', :at, :c)"
    )
    old = system_clock() - timedelta(hours=49)
    await conn.execute(text(sql), {"email": "a@b.example", "gtin": MILK, "at": old, "c": None})
    await conn.execute(text(sql), {"email": "c@d.example", "gtin": MILK, "at": old, "c": old})
    await conn.commit()

    async with mail_server() as server:
        place = place_of(database, settings_for(server))
        await work.forget(place)
        await place.engine.dispose()

    kept = (await conn.execute(text("SELECT email FROM recall_alert WHERE ended_at IS NULL"))).scalars()
    assert list(kept) == ["c@d.example"]
