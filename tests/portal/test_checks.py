"""A partner's list: a status for each row, in the same order, and unknown never counted as not recalled."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from portal import typed
from portal.checks import API_ROWS_MAX, PAGE_ROWS_MAX
from runtime.database import DatabaseAddress
from tests.portal.arrangement import BROWSER, MILK, PALLET, STRANGER, arrange, item, publish
from tests.portal.conftest import portal_on

FNC1 = "\x1d"


@pytest.fixture(scope="module")
async def portal(
    cluster: DatabaseAddress, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[httpx2.AsyncClient]:
    async def prepare(conn: AsyncConnection) -> None:
        await arrange(conn)
        await publish(conn, case_id=1, lots=[1])
        await publish(conn, case_id=2, runs=[(2, 2010, 5)])

    async with portal_on(cluster, tmp_path_factory.mktemp("checks"), prepare) as client:
        yield client


async def rows_of(portal: httpx2.AsyncClient, codes: list[str]) -> list[dict[str, Any]]:
    response = await portal.post("/v1/checks", json={"codes": codes})
    assert response.status_code == 200, response.text
    rows: list[dict[str, Any]] = response.json()["rows"]
    return rows


async def test_each_form_of_code_gets_its_status_in_the_order_asked(portal: httpx2.AsyncClient) -> None:
    serial = item(1001).rsplit("/", maxsplit=1)[1]
    asked = {
        f"https://id.creamery.example{item(1001)}": "RECALLED",
        f"(01){MILK}(21){serial}": "RECALLED",
        f"]d201{MILK}10M1{FNC1}21{serial}": "RECALLED",
        f"{MILK}/M1": "RECALLED",
        f"{MILK}:M2": "CHECK_THE_SERIAL",
        f"https://id.creamery.example{item(2001)}": "NOT_RECALLED",
        f"https://id.creamery.example{item(2012)}": "RECALLED",
        f"https://id.creamery.example{item(2060)}": "UNDER_REVIEW",
        MILK[1:]: "CHECK_THE_SERIAL",
        f"{MILK}/M9": "UNKNOWN_CODE",
        f"{MILK}//NEVERISSUED1": "UNKNOWN_CODE",
        STRANGER: "NOT_OURS",
        PALLET: "UNKNOWN_CODE",
        "09520123456789": "UNREADABLE",
        "1.23456789012346E+17": "UNREADABLE",
        "milk": "UNREADABLE",
    }

    rows = await rows_of(portal, list(asked))
    assert {row["code"]: row["status"] for row in rows} == asked
    assert [row["code"] for row in rows] == list(asked)


async def test_a_row_names_the_cases_and_a_repeated_code_its_first_row(portal: httpx2.AsyncClient) -> None:
    rows = await rows_of(portal, [f"{MILK}/M1", f"{MILK}/M2", f"{MILK}/M1"])

    assert [row["recalls"] for row in rows] == [["R-2026-0001"], ["R-2026-0002"], ["R-2026-0001"]]
    assert [row["duplicate_of"] for row in rows] == [None, None, 1]
    assert "spreadsheet" in (await rows_of(portal, ["1.2E+17"]))[0]["what"]


async def test_as_many_codes_as_the_limit_are_checked_and_one_more_is_refused_whole(
    portal: httpx2.AsyncClient,
) -> None:
    assert len(await rows_of(portal, [MILK] * API_ROWS_MAX)) == API_ROWS_MAX
    refused = await portal.post("/v1/checks", json={"codes": [MILK] * (API_ROWS_MAX + 1)})

    assert refused.status_code == 413
    assert "10001" in refused.json()["detail"]


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'{"codes": "x"}', b'{"codes": [1]}', b'{"codes": []}', b"\xff\xfe", b""]
)
async def test_a_body_that_is_no_list_of_codes_is_refused(portal: httpx2.AsyncClient, body: bytes) -> None:
    response = await portal.post("/v1/checks", content=body)

    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"


async def test_pasted_codes_come_back_as_a_page_and_as_a_file(portal: httpx2.AsyncClient) -> None:
    pasted = f"{MILK}/M1\r\n\r\n{MILK}/M9\t=1+1\n"

    page = await portal.post("/check", data={"codes": pasted}, headers=BROWSER)
    file = await portal.post("/check", data={"codes": pasted, "format": "csv"}, headers=BROWSER)

    assert page.status_code == 200
    assert "RECALLED" in page.text
    assert "/recalls/R-2026-0001" in page.text
    rows = list(csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"))))
    assert [(row["code"], row["status"]) for row in rows] == [
        (f"{MILK}/M1", "RECALLED"),
        (f"{MILK}/M9", "UNKNOWN_CODE"),
        ("'=1+1", "UNREADABLE"),  # not a formula for whoever opens the file
    ]


async def test_a_list_for_the_page_has_its_own_limit_and_an_empty_one_is_refused(portal: httpx2.AsyncClient) -> None:
    too_long = await portal.post("/check", data={"codes": f"{MILK}\n" * (PAGE_ROWS_MAX + 1)}, headers=BROWSER)
    empty = await portal.post("/check", data={"codes": " \n"}, headers=BROWSER)

    assert too_long.status_code == 413
    assert too_long.headers["content-type"].startswith("text/html")
    assert empty.status_code == 400


async def test_another_site_cannot_send_a_browser_here_with_a_list(portal: httpx2.AsyncClient) -> None:
    sent = await portal.post("/check", data={"codes": MILK}, headers={**BROWSER, "sec-fetch-site": "cross-site"})
    assert sent.status_code == 403


def test_the_mark_between_elements_is_not_taken_for_white_space() -> None:
    assert typed.codes_of_text(f"{FNC1}01{MILK}10A{FNC1}21B{FNC1}\nC") == [f"{FNC1}01{MILK}10A{FNC1}21B{FNC1}", "C"]
