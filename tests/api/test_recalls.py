"""A case over HTTP, from an order of labels to the notice list."""

from __future__ import annotations

import csv
import io
import json

import httpx2
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from access.model import Act
from tests.api.conftest import KeyMaker
from tests.shop import CHEESE, cheese_in_the_shop
from tests.world import MILK, little_dairy

CASE = {
    "title": "Listeria in cheese",
    "hazard": "Listeria can make people seriously ill.",
    "hazard_class": 1,
    "lots": [{"gtin": CHEESE, "lot": "C1"}],
    "texts": {
        "en": {
            "title": "Meadow Farmhouse Cheese",
            "hazard": "Listeria can make people seriously ill.",
            "actions": ["Stop eating it.", "Bring it back to the shop."],
            "remedies": ["You get your money back."],
        }
    },
    "contact": {"phone": "+44 20 7946 0101"},
}


async def test_a_recall_goes_from_draft_to_a_notice_list_by_two_people(
    client: httpx2.AsyncClient, key: KeyMaker, conn: AsyncConnection
) -> None:
    await little_dairy(conn, items=24)
    author = await key(Act.AUTHOR_RECALL, Act.VIEW, name="author", by="lin")
    approver = await key(Act.APPROVE_RECALL, Act.PUBLISH_RECALL, Act.VIEW, name="approver", by="mei")

    opened = await client.post("/v1/recalls", json={**CASE, "lots": [{"gtin": MILK, "lot": "M1"}]}, headers=author)
    case = opened.headers["location"]
    preview = (await client.get(f"{case}/preview", headers=author)).json()
    totals = (await client.get(f"{case}/preview/totals", headers=author)).json()
    submitted = await client.post(f"{case}/submit", headers=author)
    approved = await client.post(f"{case}/approve", headers=approver)
    published = await client.post(f"{case}/publish", headers=approver)
    notices = await client.get(f"{case}/notices?format=json", headers=author)

    assert (opened.status_code, opened.json()["state"]) == (201, "draft")
    assert preview["items"] == 24
    assert (totals["items"], totals["lots"], totals["owners"]) == (24, preview["lots"], preview["owners"])
    assert totals["totals"]["by_state"] == preview["totals"]["by_state"]
    assert {lot["lot"] for lot in preview["totals"]["by_lot"]} >= {"C1"}
    assert submitted.json()["state"] == "in_review"
    assert (approved.json()["state"], approved.json()["approved_by"]) == ("approved", "key:approver")
    assert (published.status_code, published.json()["version"]) == (200, 1)
    assert published.json()["items"] == preview["items"]
    assert published.json()["hash"] in notices.text
    assert "C2" not in {row["lot"] for row in notices.json()["rows"]}
    listed = (await client.get("/v1/recalls", headers=author)).json()["items"]
    assert [(line["number"], line["state"], line["items"]) for line in listed] == [
        (opened.json()["number"], "published", 24)
    ]


async def test_one_person_with_two_keys_is_no_second_person(
    client: httpx2.AsyncClient, key: KeyMaker, conn: AsyncConnection
) -> None:
    await cheese_in_the_shop(conn)
    author = await key(Act.AUTHOR_RECALL, name="author", by="lin")
    same = await key(Act.APPROVE_RECALL, Act.VIEW, name="approver", by="lin")
    case = (await client.post("/v1/recalls", json=CASE, headers=author)).headers["location"]
    await client.post(f"{case}/submit", headers=author)

    refused = await client.post(f"{case}/approve", headers=same)

    assert refused.status_code == 403
    assert "second person" in refused.json()["detail"].lower()
    assert (await client.get(case, headers=same)).json()["state"] == "in_review"


async def test_a_published_case_is_not_cancelled_by_a_key_of_the_person_who_opened_it(
    client: httpx2.AsyncClient, key: KeyMaker, conn: AsyncConnection
) -> None:
    await cheese_in_the_shop(conn)
    author = await key(Act.AUTHOR_RECALL, name="author", by="lin")
    same = await key(Act.PUBLISH_RECALL, Act.VIEW, name="publisher", by="lin")
    other = await key(Act.APPROVE_RECALL, Act.PUBLISH_RECALL, name="approver", by="mei")
    case = (await client.post("/v1/recalls", json=CASE, headers=author)).headers["location"]
    await client.post(f"{case}/submit", headers=author)
    await client.post(f"{case}/approve", headers=other)
    await client.post(f"{case}/publish", headers=other)

    proposed = await client.post(f"{case}/cancel", json={"reason": "of another lot"}, headers=same)
    accept = f"{case}/deltas/{proposed.json()['proposal_id']}/accept"
    refused = await client.post(accept, headers=same)
    state_then = (await client.get(case, headers=same)).json()["state"]
    accepted = await client.post(accept, headers=other)

    assert (proposed.status_code, proposed.json()["state"]) == (202, "open")
    assert (refused.status_code, state_then) == (403, "published")
    assert (accepted.status_code, accepted.json()["state"]) == (200, "accepted")
    assert (await client.get(case, headers=same)).json()["state"] == "cancelled"


async def test_a_case_starts_from_facts_and_says_why_a_thing_is_affected(
    client: httpx2.AsyncClient, key: KeyMaker, conn: AsyncConnection
) -> None:
    await cheese_in_the_shop(conn)
    both = await key(Act.AUTHOR_RECALL, Act.PUBLISH_RECALL, Act.VIEW, name="night", by="lin")
    other = await key(Act.APPROVE_RECALL, Act.VIEW, name="day", by="mei")
    part = {"name": "C1, named twice", "any": [{"lot": f"{CHEESE}:C1"}, {"lot": f"{CHEESE}:C1"}]}
    case = (await client.post("/v1/recalls", json={**CASE, "lots": [], "parts": [part]}, headers=both)).headers[
        "location"
    ]

    alone = await client.post(f"{case}/publish", json={"alone_because": "People are ill."}, headers=both)
    told = await client.get(f"{case}/explain", params={"code": f"(01){CHEESE}(10)C1"}, headers=both)
    review = {"finding": "It was right."}
    own = await client.post(f"{case}/after-review", json=review, headers=both)
    reviewed = await client.post(f"{case}/after-review", json=review, headers=other)
    nothing = await client.get(f"{case}/deltas", headers=both)
    missing = await client.get(f"{case}/explain", headers=both)

    assert (alone.status_code, alone.json()["version"]) == (200, 1)
    assert [(entry["standing"], entry["frozen"]) for entry in told.json()] == [("affected", True)]
    assert (own.status_code, reviewed.status_code, reviewed.json()["reviewed_by"]) == (403, 200, "key:day")
    assert nothing.json() == {"items": []}
    assert missing.status_code == 400


async def test_a_step_that_is_not_next_is_a_conflict(
    client: httpx2.AsyncClient, key: KeyMaker, conn: AsyncConnection
) -> None:
    await cheese_in_the_shop(conn)
    author = await key(Act.AUTHOR_RECALL, Act.PUBLISH_RECALL, Act.VIEW)
    case = (await client.post("/v1/recalls", json=CASE, headers=author)).headers["location"]

    published = await client.post(f"{case}/publish", headers=author)
    notices = await client.get(f"{case}/notices", headers=author)

    assert (published.status_code, notices.status_code) == (409, 409)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"lots": [{"gtin": CHEESE, "lot": "C9"}]}, 404),
        ({"lots": []}, 400),
        ({"codes": ["(01)09506000134353"]}, 400),
        ({"hazard_class": 4}, 400),
        ({"title": ""}, 400),
        ({"kind": "drill"}, 400),
        ({"severity": "high"}, 400),
    ],
)
async def test_a_case_that_cannot_be_opened_leaves_nothing(
    client: httpx2.AsyncClient, key: KeyMaker, conn: AsyncConnection, change: dict[str, object], status: int
) -> None:
    await cheese_in_the_shop(conn)
    headers = await key(Act.AUTHOR_RECALL, Act.VIEW)

    answer = await client.post("/v1/recalls", json={**CASE, **change}, headers=headers)

    assert answer.status_code == status
    assert (await client.get("/v1/recalls", headers=headers)).json()["items"] == []


async def test_the_same_request_twice_opens_one_case(
    client: httpx2.AsyncClient, key: KeyMaker, conn: AsyncConnection
) -> None:
    await cheese_in_the_shop(conn)
    headers = {**await key(Act.AUTHOR_RECALL, Act.VIEW), "Idempotency-Key": "order-66"}

    first = await client.post("/v1/recalls", json=CASE, headers=headers)
    again = await client.post("/v1/recalls", json=CASE, headers=headers)
    other = await client.post("/v1/recalls", json={**CASE, "title": "Another"}, headers=headers)

    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 409)
    assert again.json() == first.json()
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["idempotent-replayed"] == "true"
    assert len((await client.get("/v1/recalls", headers=headers)).json()["items"]) == 1


async def test_a_refused_request_may_be_mended_under_its_key(
    client: httpx2.AsyncClient, key: KeyMaker, conn: AsyncConnection
) -> None:
    await cheese_in_the_shop(conn)
    headers = {**await key(Act.AUTHOR_RECALL), "Idempotency-Key": "order-67"}
    wrong = {**CASE, "lots": [{"gtin": CHEESE, "lot": "C9"}]}

    refused = await client.post("/v1/recalls", json=wrong, headers=headers)
    mended = await client.post("/v1/recalls", json=CASE, headers=headers)

    assert (refused.status_code, mended.status_code) == (404, 201)


async def test_the_notice_list_is_the_same_in_every_format(
    client: httpx2.AsyncClient, key: KeyMaker, conn: AsyncConnection
) -> None:
    await cheese_in_the_shop(conn)
    author = await key(Act.AUTHOR_RECALL, Act.VIEW, name="author", by="lin")
    approver = await key(Act.APPROVE_RECALL, Act.PUBLISH_RECALL, name="approver", by="mei")
    case = (await client.post("/v1/recalls", json=CASE, headers=author)).headers["location"]
    for step in ("submit", "approve", "publish"):
        answer = await client.post(f"{case}/{step}", headers=author if step == "submit" else approver)
        assert answer.status_code == 200

    files = {
        form: await client.get(f"{case}/notices?format={form}", headers=author)
        for form in ("csv", "json", "xlsx", "pdf")
    }

    rows = json.loads(files["json"].text)["rows"]
    assert rows
    assert files["pdf"].content.startswith(b"%PDF-")
    assert files["xlsx"].content.startswith(b"PK")
    lines = [line for line in csv.reader(io.StringIO(files["csv"].content.decode("utf-8-sig"))) if line]
    assert sum(rows[0]["case_number"] in line for line in lines) >= len(rows)
    for form, file in files.items():
        assert f".{form}" in file.headers["content-disposition"]
    refused = await client.get(f"{case}/notices?format=docx", headers=author)
    assert refused.status_code == 400


async def test_a_case_that_never_was_is_not_found(client: httpx2.AsyncClient, key: KeyMaker) -> None:
    for number in ("R-2026-9999", "%00", "x"):
        assert (
            await client.get(f"/v1/recalls/{number}", headers=await key(Act.VIEW, name=f"k{len(number)}"))
        ).status_code == 404


async def test_the_clocks_of_a_case_are_read_and_told_over_http(
    client: httpx2.AsyncClient, key: KeyMaker, conn: AsyncConnection
) -> None:
    await cheese_in_the_shop(conn)
    author = await key(Act.AUTHOR_RECALL, Act.VIEW, name="author", by="lin")
    viewer = await key(Act.VIEW, name="viewer", by="mei")
    opened = await client.post("/v1/recalls", json={**CASE, "profile": "eu-gpsr"}, headers=author)
    case = opened.headers["location"]
    told = await client.post(f"{case}/facts", json={"name": "authority_told", "note": "gateway"}, headers=author)
    clocks = {each["duty"]["name"]: each["state"] for each in told.json()["clocks"]}
    assert clocks["authority_told"] in ("done", "done_late") and clocks["consumers_told"] == "waiting"
    assert (await client.get(f"{case}/rules", headers=viewer)).json()["profile"]["version"] == "2024"
    assert (await client.post(f"{case}/facts", json={"name": "x"}, headers=viewer)).status_code == 403
    assert (await client.post(f"{case}/facts", json={"name": "x"}, headers=author)).status_code == 400
    bare = (await client.post("/v1/recalls", json=CASE, headers=author)).headers["location"]
    assert (await client.get(f"{bare}/rules", headers=viewer)).status_code == 409
