"""Subscriptions over HTTP: the resource, its refusals, and who may."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from access.model import Act
from tests.api.conftest import KeyMaker

SUBSCRIPTIONS = "/epcis/v2/queries/made/subscriptions"
STREAM = {"dest": "https://erp.example.com/hook", "stream": True}


@pytest.fixture
async def caller(client: httpx2.AsyncClient, key: KeyMaker) -> AsyncIterator[httpx2.AsyncClient]:
    """A caller with a query of her own."""
    client.headers.update(await key(Act.CAPTURE, Act.VIEW))
    made = await client.post("/epcis/v2/queries", json={"name": "made", "query": {"EQ_action": ["ADD"]}})
    assert made.status_code == 201
    yield client


async def test_a_subscription_is_made_shown_listed_and_ended(caller: httpx2.AsyncClient) -> None:
    hourly = {"dest": STREAM["dest"], "schedule": {"minute": "0"}, "reportIfEmpty": True, "signatureToken": "ours"}

    made = await caller.post(SUBSCRIPTIONS, json=STREAM)
    other = await caller.post(SUBSCRIPTIONS, json=hourly)
    shown = await caller.get(other.headers["location"])
    listed = await caller.get(SUBSCRIPTIONS, params={"perPage": 1})
    rest = await caller.get(listed.links["next"]["url"])
    ended = await caller.delete(made.headers["location"])
    after = await caller.get(made.headers["location"])

    assert (made.status_code, other.status_code, ended.status_code, after.status_code) == (201, 201, 204, 404)
    assert made.json()["secret"].startswith("whsec_")
    assert made.json()["stream"] is True
    assert (shown.json()["schedule"], shown.json()["reportIfEmpty"]) == ({"minute": "0"}, True)
    assert {"secret", "signatureToken"} & set(shown.json()) == set()
    told = {each["subscriptionID"] for each in (*listed.json(), *rest.json())}
    assert told == {made.json()["subscriptionID"], other.json()["subscriptionID"]}
    assert "next" not in rest.links


@pytest.mark.parametrize(
    "wish",
    [
        {"dest": "https://erp.example.com/hook"},
        STREAM | {"schedule": {"minute": "0"}},
        {"dest": STREAM["dest"], "schedule": {"minute": "60"}},
        {"dest": "http://erp.example.com/hook", "stream": True},
        {"dest": "https://10.0.0.7/hook", "stream": True},
    ],
)
async def test_a_wish_that_cannot_be_met_is_refused_as_the_standard_says(
    caller: httpx2.AsyncClient, wish: dict[str, Any]
) -> None:
    answer = await caller.post(SUBSCRIPTIONS, json=wish)

    assert (answer.status_code, answer.json()["type"]) == (400, "epcisException:SubscriptionControlsException")
    assert (await caller.get(SUBSCRIPTIONS)).json() == []


@pytest.mark.parametrize("body", [{}, STREAM | {"dest": 5}, STREAM | {"every": "hour"}])
async def test_a_body_that_is_no_wish_is_refused(caller: httpx2.AsyncClient, body: dict[str, Any]) -> None:
    assert (await caller.post(SUBSCRIPTIONS, json=body)).status_code == 400


async def test_a_query_that_is_none_has_no_subscriptions(caller: httpx2.AsyncClient) -> None:
    path = "/epcis/v2/queries/none/subscriptions"

    for answer in (await caller.post(path, json=STREAM), await caller.get(path), await caller.get(f"{path}/x")):
        assert (answer.status_code, answer.json()["type"]) == (404, "epcisException:NoSuchNameException")


async def test_who_may_not_read_events_cannot_have_them_sent(caller: httpx2.AsyncClient, key: KeyMaker) -> None:
    for acts in ((Act.CAPTURE,), (Act.VIEW,)):
        headers = await key(*acts, name=f"may-{acts[0].value}")
        assert (await caller.post(SUBSCRIPTIONS, json=STREAM, headers=headers)).status_code == 403
