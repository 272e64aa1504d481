"""What a scan of a code shows, over HTTP on a real database."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from runtime.database import DatabaseAddress
from tests.portal.arrangement import (
    BASE,
    BROWSER,
    CHEESE,
    JSON,
    MILK,
    NOON,
    PALLET,
    arrange,
    item,
    portal_of,
    publish,
    says,
    until,
)

PHONE_2 = {**BROWSER, "user-agent": "Mozilla/5.0 (Android) Chrome"}


async def verdict_of(portal: httpx2.AsyncClient, path: str) -> dict[str, Any]:
    document: dict[str, Any] = (await portal.get(path, headers=JSON)).json()
    return document


async def test_the_verdict_has_the_shape_of_the_contract(published: httpx2.AsyncClient) -> None:
    document = await verdict_of(published, item(2001))

    assert document["verdict"] == "no_recall_known"
    assert document["identifier"]["gtin"] == MILK
    assert document["identifier"]["digital_link"].endswith(item(2001))
    assert document["product"] == {
        "name": "Fresh milk 1 l",
        "brand": "Meadow Creamery",
        "image": None,
        "allergens": ["milk"],
    }
    assert document["lot"] == {
        "code": "M2",
        "made_on": "2026-11-21",
        "best_before": "2099-12-21",
        "made_at": "production site, Zhejiang, China",
    }
    assert re.fullmatch(r"2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", document["confirmed_at"])
    assert document["revision"] >= 1
    assert set(document) >= {"heading", "recall", "checks", "history"}


async def test_a_published_recall_is_told_by_page_and_verdict_and_spares_the_other_lot(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    await arrange(conn)
    async with portal_of(database, tmp_path) as portal:
        assert (await verdict_of(portal, item(1001)))["verdict"] == "no_recall_known"

        await publish(conn, lots=[1])
        await says(portal, item(1001), "recalled")

        recalled = await verdict_of(portal, item(1001))
        assert recalled["verdict"] == "recalled"
        assert recalled["recall"]["number"] == "R-2026-0001"
        assert recalled["recall"]["contact"] == {"phone": "+1 555 0100"}
        assert (await verdict_of(portal, item(2001)))["verdict"] == "no_recall_known"
        page = (await portal.get(item(1001), headers=BROWSER)).text
        assert page.index("Product safety recall. Stop using this product now.") < page.index("Milk may hold glass")
        assert 'href="tel:+15550100"' in page
        assert "Milk may hold glass" in (await portal.get("/recalls", headers=BROWSER)).text
        assert "M1" in (await portal.get("/recalls/R-2026-0001", headers=BROWSER)).text
        poster = await portal.get("/recalls/R-2026-0001/poster", headers=BROWSER)
        assert all(word in poster.text for word in ("M1", "+1 555 0100", f"{BASE}/recalls/R-2026-0001", "<path"))
        assert (await portal.get("/recalls/R-2026-0009/poster", headers=BROWSER)).status_code == 404
        assert (await portal.get("/recalls.json")).json()["recalls"][0]["number"] == "R-2026-0001"
        assert b"R-2026-0001" in (await portal.get("/recalls.atom")).content
        assert (await portal.get("/recalls/R-2026-0009", headers=BROWSER)).status_code == 404


async def test_a_recall_of_some_items_is_told_to_these_and_asks_the_others_for_the_serial(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    await arrange(conn)
    await publish(conn, runs=[(1, 1010, 5)])
    async with portal_of(database, tmp_path) as portal:
        assert (await verdict_of(portal, item(1010)))["verdict"] == "recalled"
        assert (await verdict_of(portal, item(1015)))["verdict"] == "no_recall_known"
        assert (await verdict_of(portal, f"/01/{MILK}/10/M1"))["verdict"] == "check_the_serial"
        assert (await verdict_of(portal, f"/01/{MILK}"))["verdict"] == "check_the_serial"
        assert (await verdict_of(portal, f"/01/{MILK}/10/M2"))["verdict"] == "no_recall_known"
        assert (await verdict_of(portal, f"/01/{CHEESE}"))["verdict"] == "no_recall_known"
        assert 'name="lot"' in (await portal.get(f"/01/{MILK}", headers=BROWSER)).text


async def test_a_withdrawal_is_shown_and_never_as_a_recall(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    await arrange(conn)
    await publish(conn, lots=[1], kind="withdrawal")
    async with portal_of(database, tmp_path) as portal:
        assert (await verdict_of(portal, item(1001)))["verdict"] == "withdrawn"
        page = (await portal.get(item(1001), headers=BROWSER)).text
        assert "Stop using this product now" not in page
        assert "Stop using the product" not in page
        assert "card case" not in page
        assert "asked to stop selling" in page


async def test_a_code_that_was_printed_and_not_released_says_so(published: httpx2.AsyncClient) -> None:
    assert (await verdict_of(published, item(2050)))["verdict"] == "not_active"
    assert (await verdict_of(published, item(2049)))["verdict"] == "no_recall_known"


async def test_codes_that_are_commissioned_or_voided_later_are_seen_without_a_restart(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    await arrange(conn)
    async with portal_of(database, tmp_path) as portal:
        await conn.execute(text("INSERT INTO code_run (lo, n, lot_id, since, event_id) VALUES (2050, 10, 2, now(), 1)"))
        await conn.execute(text("INSERT INTO void_code (lo, n, at) VALUES (2003, 1, now())"))
        await conn.execute(
            text(
                "INSERT INTO lot (lot_id, product_id, code, status) OVERRIDING SYSTEM VALUE VALUES (9, 1, 'M3', 'held')"
            )
        )
        await conn.execute(text("UPDATE lot SET status = 'rejected' WHERE code = 'C1'"))
        await conn.commit()

        await says(portal, item(2050), "no_recall_known")
        assert (await verdict_of(portal, item(2060)))["verdict"] == "not_active"
        assert (await portal.get(item(2003), headers=JSON)).status_code == 410
        assert (await portal.get(item(2003))).status_code == 410
        assert (await verdict_of(portal, f"/01/{MILK}/10/M3"))["verdict"] == "blocked"
        assert (await verdict_of(portal, f"/01/{CHEESE}/10/C1"))["verdict"] == "blocked"


async def test_an_item_is_checked_first_once_and_then_repeatedly(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    await arrange(conn)
    async with portal_of(database, tmp_path, lambda: NOON) as portal:  # at midnight everybody is another visitor
        await portal.head(item(2001), headers=BROWSER)
        await portal.get(item(2001), headers={**BROWSER, "sec-purpose": "prefetch"})
        await portal.get(item(2001), headers={**BROWSER, "user-agent": "WhatsApp/2.23 preview"})
        await portal.get(item(2001), headers=JSON)

        first = (await portal.get(item(2001), headers=BROWSER)).text
        again_by_the_same = (await portal.get(item(2001), headers=BROWSER)).text
        by_another = (await portal.get(item(2001), headers=PHONE_2)).text

        assert "This is the first time it has been checked." in first
        assert "This is the first time it has been checked." in again_by_the_same
        assert "Checked 2 times" in by_another
        assert (await verdict_of(portal, item(2001)))["checks"]["count"] == 2


async def test_of_many_that_check_an_item_at_once_exactly_one_is_the_first(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    await arrange(conn)
    async with portal_of(database, tmp_path) as portal:
        await portal.get(item(2001), headers=BROWSER | {"user-agent": "warm"})
        phones = [{**BROWSER, "user-agent": f"Mozilla/5.0 (iPhone) {n}"} for n in range(20)]
        pages = await asyncio.gather(*(portal.get(item(2002), headers=phone) for phone in phones))

    assert sum("This is the first time" in page.text for page in pages) == 1


@pytest.mark.parametrize(("policy", "counted"), [("shown_later", 2), ("off", None)])
async def test_a_page_of_a_product_that_does_not_wait_for_counts_calls_nobody_the_first(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path, policy: str, counted: int | None
) -> None:
    await arrange(conn)
    await conn.execute(text("UPDATE product SET checks = :policy"), {"policy": policy})
    await conn.commit()
    async with portal_of(database, tmp_path) as portal:
        pages = [(await portal.get(item(2001), headers=headers)).text for headers in (BROWSER, PHONE_2)]

        async def is_counted() -> bool:
            checks = (await verdict_of(portal, item(2001)))["checks"]
            return bool((checks and checks["count"]) == counted)

        await until(is_counted)

    assert not any("This is the first time" in page for page in pages)


async def test_scans_are_logged_by_the_minute_and_without_an_address(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    await arrange(conn)
    async with portal_of(database, tmp_path) as portal:
        await portal.get(item(2001), headers=BROWSER)
        await portal.get(f"/01/{MILK}/21/NEVERISSUED1", headers=BROWSER)
        await portal.head(item(2001), headers=BROWSER)

    rows = (await conn.execute(text("SELECT * FROM scan_log ORDER BY number NULLS LAST"))).mappings().all()
    assert [(row["gtin"], row["number"], row["verdict"], row["client"]) for row in rows] == [
        (MILK, 2001, "first_check", "ios"),
        (MILK, None, "unknown_code", "ios"),
    ]
    assert {row["at"].second for row in rows} == {0}


async def test_a_pallet_tells_what_is_inside_and_which_of_it_is_recalled(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    await arrange(conn)
    await conn.execute(
        text(
            "INSERT INTO unit (unit_id, uri, sscc, since, event_id) OVERRIDING SYSTEM VALUE"
            " VALUES (1, :uri, :sscc, now(), 1), (2, 'urn:x:case', NULL, now(), 1)"
        ),
        {"uri": f"https://id.gs1.org/00/{PALLET}", "sscc": PALLET},
    )
    await conn.execute(text("UPDATE unit SET parent_id = 1 WHERE unit_id = 2"))
    await conn.execute(text("UPDATE code_run SET unit_id = 2 WHERE lo = 1000"))
    await conn.execute(text("INSERT INTO unit_quantity VALUES (1, 3, 'KGM', 12.5)"))
    await conn.commit()
    async with portal_of(database, tmp_path) as portal:
        clear = await verdict_of(portal, f"/00/{PALLET}")
        await publish(conn, runs=[(1, 1090, 20)])
        await says(portal, f"/00/{PALLET}", "recalled")
        recalled = await verdict_of(portal, f"/00/{PALLET}")
        page = (await portal.get(f"/00/{PALLET}", headers=BROWSER)).text

        assert clear["verdict"] == "no_recall_known"
        assert [(line["lot"], line["quantity"], line["uom"]) for line in clear["contents"]] == [
            ("M1", 100, None),
            ("C1", 12.5, "KGM"),
        ]
        assert recalled["verdict"] == "recalled"
        assert [(line["lot"], line["recalled"]) for line in recalled["contents"]] == [("M1", 10), ("C1", 0)]
        assert "This unit holds recalled products." in page
        assert (await portal.get("/00/395201234567890130", headers=JSON)).status_code == 404
        assert (await portal.get(f"/00/{PALLET}")).headers["location"].endswith(f"/p/00/{PALLET}")


async def test_a_pallet_of_items_whose_lot_nobody_told_is_not_cleared_while_a_lot_of_the_product_is_recalled(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    await arrange(conn)
    unit = (
        "INSERT INTO unit (unit_id, uri, sscc, since, event_id) OVERRIDING SYSTEM VALUE"
        " VALUES (1, :uri, :sscc, now(), 1)"
    )
    await conn.execute(text(unit), {"uri": f"https://id.gs1.org/00/{PALLET}", "sscc": PALLET})
    await conn.execute(
        text("INSERT INTO lot (lot_id, product_id, code) OVERRIDING SYSTEM VALUE VALUES (4, 1, ''), (5, 2, '')")
    )
    await conn.execute(text("UPDATE code_run SET unit_id = 1, lot_id = 4 WHERE lo = 2000"))
    await conn.commit()
    async with portal_of(database, tmp_path) as portal:
        await says(portal, f"/00/{PALLET}", "no_recall_known")

        await publish(conn, lots=[3])
        await says(portal, f"/01/{CHEESE}", "check_the_serial")
        other_product = await verdict_of(portal, f"/00/{PALLET}")
        await publish(conn, case_id=2, lots=[1])
        await says(portal, item(2001), "check_the_serial")
        same_product = await verdict_of(portal, f"/00/{PALLET}")

    assert other_product["verdict"] == "no_recall_known"
    assert same_product["verdict"] == "check_the_serial"
    assert same_product["contents"][0]["part_recalled"] == ["R-2026-0002"]


async def test_the_page_is_the_same_for_every_item_of_a_lot_but_for_its_headers(
    published: httpx2.AsyncClient,
) -> None:
    one, other = [await published.get(f"/p{item(number)}", headers=JSON) for number in (2051, 2052)]

    assert one.content == other.content
    assert one.headers["link"] != other.headers["link"]


async def test_an_unchanged_page_is_not_sent_again(published: httpx2.AsyncClient) -> None:
    page = await published.get(item(2051), headers=BROWSER)

    again = await published.get(item(2051), headers={**BROWSER, "if-none-match": page.headers["etag"]})
    changed = await published.get(item(2051), headers={**BROWSER, "if-none-match": '"other"'})
    assert (again.status_code, again.content) == (304, b"")
    assert changed.status_code == 200


async def test_head_has_the_headers_and_no_body(published: httpx2.AsyncClient) -> None:
    page, head = await published.get(item(2051), headers=BROWSER), await published.head(item(2051), headers=BROWSER)

    assert head.content == b""
    assert head.headers["content-type"] == page.headers["content-type"]


@pytest.mark.parametrize(("asked", "shown"), [("?lang=zh", "尚未启用"), ("", "has not been released")])
async def test_the_language_is_chosen_by_address_first(published: httpx2.AsyncClient, asked: str, shown: str) -> None:
    page = await published.get(f"{item(2051)}{asked}", headers={**BROWSER, "accept-language": "en"})
    assert shown in page.text


async def test_a_typed_code_or_lot_leads_to_its_page_and_nonsense_is_said_to_be_so(
    published: httpx2.AsyncClient,
) -> None:
    lot = await published.get("/check", params={"gtin": MILK, "lot": "M 2/x"})
    code = await published.get("/check", params={"code": f"https://id.creamery.example{item(2001)}"})
    nonsense = await published.get("/check", params={"code": "not a code"}, headers=BROWSER)

    assert lot.status_code == 400  # a lot code holds no space
    assert code.headers["location"] == item(2001)
    assert nonsense.status_code == 400
    assert "This is not one of our codes." in nonsense.text
    assert (
        (await published.get("/check", params={"gtin": MILK, "lot": "M2/x"})).headers["location"].endswith("/10/M2%2Fx")
    )


async def test_the_process_says_that_it_is_alive_and_ready(published: httpx2.AsyncClient) -> None:
    assert (await published.get("/livez")).status_code == 200
    assert (await published.get("/readyz")).json()["status"] == "ready"
    assert "Contact:" in (await published.get("/.well-known/security.txt")).text
    assert "Disallow: /" in (await published.get("/robots.txt")).text
