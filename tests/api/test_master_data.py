"""Parties, places, products and lots over HTTP: whole or not at all, and listed a page at a time."""

from __future__ import annotations

import re
from typing import Any

import httpx2
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from access import audit
from access.model import Act
from tests.api.conftest import KeyMaker

CREAMERY = {"name": "Meadow Creamery", "gln": "9506000134307", "role": "brand", "country": "GB"}
SHOP = {
    "name": "Corner Shop",
    "gln": "9506000134345",
    "role": "retailer",
    "channel": "retail",
    "name_public": True,
    "contacts": [{"kind": "recall", "name": "Cleo Marsh", "phone": "+44 1904 960104"}],
}
CHEESE: dict[str, Any] = {"gtin": "09506000134352", "name": "Meadow Farmhouse Cheese", "allergens": ["milk"]}
C1 = {"gtin": "09506000134352", "code": "C1", "best_before_on": "2027-01-31"}


async def test_what_is_put_on_record_is_listed(client: httpx2.AsyncClient, key: KeyMaker) -> None:
    headers = await key(Act.VIEW, Act.IMPORT)
    plant = {"name": "Plant", "gln": "9506000134406", "kind": "plant", "party_uri": "9506000134307"}

    for path, body in [("parties", [CREAMERY, SHOP]), ("places", plant), ("products", CHEESE), ("lots", [C1])]:
        answer = await client.post(f"/v1/{path}", json=body, headers=headers)
        assert (answer.status_code, answer.json()["records"]) == (201, len(body) if isinstance(body, list) else 1)

    parties = (await client.get("/v1/parties", headers=headers)).json()["items"]
    lots = (await client.get("/v1/lots?gtin=9506000134352", headers=headers)).json()["items"]
    assert [(party["name"], party["channel"], party["name_public"]) for party in parties] == [
        ("Meadow Creamery", None, False),
        ("Corner Shop", "retail", True),
    ]
    assert [(lot["code"], lot["best_before_on"], lot["status"]) for lot in lots] == [("C1", "2027-01-31", "released")]
    assert (await client.get("/v1/places", headers=headers)).json()["items"][0]["kind"] == "plant"
    assert (await client.get("/v1/products", headers=headers)).json()["items"][0]["allergens"] == ["milk"]


async def test_one_wrong_record_and_none_is_taken(
    client: httpx2.AsyncClient, key: KeyMaker, conn: AsyncConnection
) -> None:
    headers = await key(Act.VIEW, Act.IMPORT)
    wrong = {"name": "Typing error", "gln": "9506000134308"}

    answer = await client.post("/v1/parties", json=[CREAMERY, wrong, SHOP], headers=headers)

    assert answer.status_code == 400
    assert [error["where"] for error in answer.json()["errors"]] == ["/1"]
    assert (await client.get("/v1/parties", headers=headers)).json()["items"] == []
    assert "import" not in [row.act async for row in audit.read(conn)]


async def test_a_dry_run_changes_nothing(client: httpx2.AsyncClient, key: KeyMaker) -> None:
    headers = await key(Act.VIEW, Act.IMPORT)

    answer = await client.post("/v1/parties?dry_run=true", json=CREAMERY, headers=headers)

    assert (answer.status_code, answer.json()["dry_run"]) == (200, True)
    assert (await client.get("/v1/parties", headers=headers)).json()["items"] == []


async def test_a_spreadsheet_in_csv_is_taken_like_the_import_takes_it(
    client: httpx2.AsyncClient, key: KeyMaker
) -> None:
    headers = await key(Act.VIEW, Act.IMPORT)
    text = "gtin,name\r\n9506000134352,Meadow Farmhouse Cheese\r\n"

    answer = await client.post("/v1/products", content=text, headers={**headers, "Content-Type": "text/csv"})

    assert answer.status_code == 201
    items = (await client.get("/v1/products", headers=headers)).json()["items"]
    assert [item["gtin"] for item in items] == ["09506000134352"]


async def test_a_dry_run_of_a_spreadsheet_names_the_rows_that_it_would_refuse(
    client: httpx2.AsyncClient, key: KeyMaker
) -> None:
    headers = await key(Act.VIEW, Act.IMPORT)
    text = "gtin,name\r\n9506000134352,Cheese\r\n9506000134353,Wrong digit\r\n"

    answer = await client.post(
        "/v1/products?dry_run=true", content=text, headers={**headers, "Content-Type": "text/csv"}
    )

    report = answer.json()["report"]
    assert (answer.status_code, answer.json()["dry_run"], report["new"]) == (200, True, 1)
    assert [(row["line"], row["column"]) for row in report["refused"]] == [(3, "gtin")]
    assert (await client.get("/v1/products", headers=headers)).json()["items"] == []


async def test_a_half_broken_spreadsheet_leaves_nothing(client: httpx2.AsyncClient, key: KeyMaker) -> None:
    headers = await key(Act.VIEW, Act.IMPORT)
    text = "gtin,name\r\n9506000134352,Cheese\r\n9506000134353,Wrong digit\r\n"

    answer = await client.post("/v1/products", content=text, headers={**headers, "Content-Type": "text/csv"})

    assert answer.status_code == 400
    assert answer.json()["errors"]
    assert (await client.get("/v1/products", headers=headers)).json()["items"] == []


async def test_a_list_is_read_to_its_end_by_its_cursors(client: httpx2.AsyncClient, key: KeyMaker) -> None:
    headers = await key(Act.VIEW, Act.IMPORT)
    body = [{**C1, "code": f"C{n}"} for n in range(7)]
    await client.post("/v1/products", json=CHEESE, headers=headers)
    await client.post("/v1/lots", json=body, headers=headers)

    seen, path = [], "/v1/lots?limit=3"
    while path:
        answer = await client.get(path, headers=headers)
        seen.append([lot["code"] for lot in answer.json()["items"]])
        link = re.fullmatch(r'<(/v1/lots\?[^>]+)>; rel="next"', answer.headers.get("link", ""))
        assert (link is None) == (answer.json()["next"] is None)
        path = link[1] if link else ""

    assert seen == [["C0", "C1", "C2"], ["C3", "C4", "C5"], ["C6"]]


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "cursor=x", "cursor=azp4", "gtin=9506000134353"])
async def test_a_query_that_cannot_be_used_is_refused(client: httpx2.AsyncClient, key: KeyMaker, query: str) -> None:
    answer = await client.get(f"/v1/lots?{query}", headers=await key(Act.VIEW))

    assert answer.status_code == 400


async def test_a_lot_of_an_unknown_product_is_refused_with_its_place(client: httpx2.AsyncClient, key: KeyMaker) -> None:
    answer = await client.post("/v1/lots", json=[C1], headers=await key(Act.IMPORT))

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["where"] == "/0"
    assert "09506000134352" in answer.json()["errors"][0]["what"]
