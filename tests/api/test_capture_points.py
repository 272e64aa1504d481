"""Capture points and readings over HTTP: defined by one, read at by another, sent twice and taken once."""

from __future__ import annotations

import httpx2
from sqlalchemy.ext.asyncio import AsyncConnection

from access import audit
from access.model import Act
from tests.api.conftest import KeyMaker
from tests.points import CASE, LOOSE, POINT, cheese_on_the_floor

PATH = "/v1/capture-points"


async def test_a_point_is_made_read_at_and_its_reading_undone(
    client: httpx2.AsyncClient, key: KeyMaker, conn: AsyncConnection
) -> None:
    await cheese_on_the_floor(conn)
    office = await key(Act.IMPORT, Act.VIEW, name="office")
    handheld = await key(Act.CAPTURE, name="handheld")

    made = await client.post(PATH, json=POINT, headers=office)
    readings = made.headers["Location"] + "/readings"
    reading = {
        "reading_id": "r-1", "things": [{"code": code} for code in (CASE, *LOOSE)],
        "parameters": {"core_temperature": 7},
    }  # fmt: skip
    taken = await client.post(readings, json=reading, headers=handheld)
    again = await client.post(readings, json=reading, headers=handheld)
    other = await client.post(readings, json={**reading, "parameters": {"core_temperature": 5}}, headers=handheld)
    undone = await client.post(f"{readings}/r-1/undo", headers=handheld)

    assert (made.status_code, made.json()["version"]) == (201, 1)
    assert (taken.status_code, taken.json()["taken_by"]) == (201, "key:handheld")
    assert taken.json()["alarms"] == [{"parameter": "core_temperature", "value": 7, "min": 2, "max": 6}]
    assert (again.status_code, again.json()["known"], again.json()["event_id"]) == (201, True, taken.json()["event_id"])
    assert (other.status_code, undone.json()["undone"]) == (409, True)
    assert (await client.get(taken.headers["Location"], headers=office)).json()["undone"]
    listed = (await client.get(PATH, headers=office)).json()["items"]
    assert [point["point_id"] for point in listed] == ["line-1-packing"]
    assert "capture_point.put" in [row.act async for row in audit.read(conn)]


async def test_a_reading_that_is_not_taken_says_what_is_wrong_with_which_code(
    client: httpx2.AsyncClient, key: KeyMaker, conn: AsyncConnection
) -> None:
    await cheese_on_the_floor(conn)
    headers = await key()
    await client.post(PATH, json=POINT, headers=headers)

    things = [{"code": CASE}, {"code": LOOSE[0]}, {"code": f"{LOOSE[0]}X"}]
    answer = await client.post(
        f"{PATH}/line-1-packing/readings", json={"reading_id": "r-1", "things": things}, headers=headers
    )

    assert answer.status_code == 409
    assert [error["where"] for error in answer.json()["errors"]] == ["/parameters/core_temperature", "/things/2"]
    assert "not on record" in answer.json()["errors"][1]["what"]
    assert (await client.get(f"{PATH}/line-1-packing/readings/r-1", headers=headers)).status_code == 404


async def test_each_right_opens_its_own_door(client: httpx2.AsyncClient, key: KeyMaker, conn: AsyncConnection) -> None:
    await cheese_on_the_floor(conn)
    office, handheld = await key(Act.IMPORT, name="office"), await key(Act.CAPTURE, name="handheld")

    assert (await client.post(PATH, json=POINT, headers=handheld)).status_code == 403
    assert (await client.post(PATH, json={**POINT, "users": ["li"]}, headers=office)).status_code == 201

    reading = {"reading_id": "r-1", "things": [{"code": CASE}, {"code": LOOSE[0]}]}
    path = f"{PATH}/line-1-packing/readings"
    assert (await client.post(path, json=reading, headers=office)).status_code == 403
    assert (await client.post(path, json=reading, headers=handheld)).status_code == 403
    assert (await client.post(f"{PATH}/line-9/readings", json=reading, headers=handheld)).status_code == 404
    wrong = await client.post(PATH, json={**POINT, "work": "teleport"}, headers=office)
    assert (wrong.status_code, wrong.json()["errors"][0]["where"]) == (400, "/work")
