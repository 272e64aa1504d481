"""Queries kept under a name, and what of the query interface needs a right."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from access.model import Act
from tests.api.conftest import KeyMaker
from tests.api.event_world import (
    events_of,
    found,
    names_of,
    seen_by_pages,
)


async def test_a_query_is_kept_asked_and_forgotten(caller: httpx2.AsyncClient) -> None:
    query = {"name": "recalled-lots", "query": {"EQ_persistentDisposition_set": ["recalled"], "GE_quantity": 1}}

    made = await caller.post("/epcis/v2/queries", json=query)
    again = await caller.post("/epcis/v2/queries", json=query)
    shown = await caller.get(made.headers["location"])
    listed = await caller.get("/epcis/v2/queries")
    events = await caller.get("/epcis/v2/queries/recalled-lots/events")
    gone = await caller.delete("/epcis/v2/queries/recalled-lots")
    after = await caller.get("/epcis/v2/queries/recalled-lots/events")

    assert (made.status_code, again.status_code, gone.status_code) == (201, 409, 204)
    assert shown.json()["query"] == {"EQ_persistentDisposition_set": ["recalled"], "GE_quantity": ["1"]}
    assert [each["name"] for each in listed.json()["member"]] == ["recalled-lots"]
    assert names_of(events_of(events)) == ["mark"]
    assert events.json()["epcisBody"]["queryResults"]["queryName"] == "recalled-lots"
    assert (after.status_code, after.json()["type"]) == (404, "epcisException:NoSuchNameException")


async def test_a_kept_query_is_paged_like_any_other(caller: httpx2.AsyncClient) -> None:
    await caller.post("/epcis/v2/queries", json={"name": "made", "query": {"EQ_action": ["ADD"]}})

    seen = await seen_by_pages(caller, "/epcis/v2/queries/made/events", perPage=1)

    assert sorted(names_of(seen)) == await found(caller, EQ_action="ADD")


@pytest.mark.parametrize(
    ("body", "exception"),
    [
        ({"name": "a b", "query": {}}, "QueryValidationException"),
        ({"name": "x"}, "QueryValidationException"),
        ({"name": "x", "query": {}, "sql": "x"}, "QueryValidationException"),
        ({"name": "x", "query": {"EQ_action": {"is": "ADD"}}}, "QueryValidationException"),
        ({"name": "x", "query": {"EQ_bizstep": "shipping"}}, "QueryParameterException"),
        ({"name": "x", "query": {"EQ_bizStep": []}}, "QueryParameterException"),
    ],
)
async def test_a_query_that_could_not_be_asked_is_not_kept(
    client: httpx2.AsyncClient, key: KeyMaker, body: dict[str, Any], exception: str
) -> None:
    headers = await key(Act.CAPTURE, Act.VIEW)

    answer = await client.post("/epcis/v2/queries", json=body, headers=headers)

    assert (answer.status_code, answer.json()["type"]) == (400, f"epcisException:{exception}")
    assert (await client.get("/epcis/v2/queries", headers=headers)).json()["member"] == []


async def test_nothing_is_read_or_changed_without_its_right(client: httpx2.AsyncClient, key: KeyMaker) -> None:
    may_capture, may_look = await key(Act.CAPTURE), await key(Act.VIEW, name="looks")

    for path in ("events", "bizSteps", "bizSteps/shipping/events", "queries", "queries/x/events"):
        for headers, status in ((may_capture, 403), ({}, 401)):
            answer = await client.get(f"/epcis/v2/{path}", headers=headers)
            assert (answer.status_code, answer.json()["type"]) == (status, "epcisException:SecurityException")
    made = await client.post("/epcis/v2/queries", json={"name": "x", "query": {}}, headers=may_look)
    assert made.status_code == 403
    assert (await client.delete("/epcis/v2/queries/x", headers=may_look)).status_code == 403
