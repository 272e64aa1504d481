"""Answers of the query interface page by page: nothing skipped, nothing told twice, no token that is not ours."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from access.model import Act
from tests.api.conftest import KeyMaker
from tests.api.event_world import (
    ALL,
    events_of,
    names_of,
    seen_by_pages,
)
from tests.ledger import dairy as d


async def test_more_events_than_were_asked_for_are_refused_not_cut(caller: httpx2.AsyncClient) -> None:
    answer = await caller.get("/epcis/v2/events", params={"maxEventCount": 7})

    assert (answer.status_code, answer.json()["type"]) == (413, "epcisException:QueryTooLargeException")


@pytest.mark.parametrize("order", ["eventTime", "recordTime"])
@pytest.mark.parametrize("direction", ["ASC", "DESC"])
async def test_pages_neither_skip_nor_repeat_while_events_are_recorded(
    caller: httpx2.AsyncClient, order: str, direction: str
) -> None:
    parameters: dict[str, Any] = {"orderBy": order, "orderDirection": direction}
    whole = names_of(events_of(await caller.get("/epcis/v2/events", params=parameters)))
    answer = await caller.get("/epcis/v2/events", params=parameters | {"perPage": 2})
    seen = names_of(events_of(answer))
    hour = -100
    while "next" in answer.links:
        for later in (hour, -hour):
            told = d.document(d.make(later, quantityList=[d.much(d.CHEESE, f"L{later}", 1)]))
            await caller.post("/epcis/v2/capture", json=told)
        answer, hour = await caller.get(answer.links["next"]["url"]), hour + 1
        assert len(events_of(answer)) <= 2
        seen += names_of(events_of(answer))

    assert seen == whole
    assert len(seen) == len(ALL) + 1


async def test_events_are_ordered_as_they_happened(caller: httpx2.AsyncClient) -> None:
    answer = await caller.get("/epcis/v2/events", params={"orderBy": "eventTime", "orderDirection": "ASC"})

    assert names_of(events_of(answer))[:5] == ["make", "turn", "pack", "ship", "mark"]


async def test_the_first_so_many_are_counted_over_all_pages(caller: httpx2.AsyncClient) -> None:
    parameters = {"orderBy": "eventTime", "orderDirection": "ASC", "eventCountLimit": 3, "perPage": 2}

    assert names_of(await seen_by_pages(caller, "/epcis/v2/events", **parameters)) == ["make", "turn", "pack"]


async def test_a_token_that_was_tampered_with_or_is_of_another_query_is_refused(caller: httpx2.AsyncClient) -> None:
    first = await caller.get("/epcis/v2/events", params={"perPage": 2})
    token = httpx2.URL(first.links["next"]["url"]).params["nextPageToken"]
    changed = ("B" if token[0] == "A" else "A") + token[1:]

    asked: dict[str, Any]
    for asked in ({"nextPageToken": changed}, {"nextPageToken": token, "EQ_action": "ADD"}):
        answer = await caller.get("/epcis/v2/events", params=asked | {"perPage": 2})
        assert (answer.status_code, answer.json()["type"]) == (400, "epcisException:QueryParameterException")
    assert len(events_of(await caller.get("/epcis/v2/events", params={"perPage": 2, "nextPageToken": token}))) == 2


async def test_a_token_that_was_given_back_is_good_no_more(caller: httpx2.AsyncClient) -> None:
    for path in ("events", "bizSteps"):
        first = await caller.get(f"/epcis/v2/{path}", params={"perPage": 1})
        token = httpx2.URL(first.links["next"]["url"]).params["nextPageToken"]
        assert first.headers["gs1-next-page-token-expires"].endswith("Z")
        assert (await caller.get(first.links["next"]["url"])).status_code == 200

        given_back = await caller.delete(f"/epcis/v2/nextPageToken/{token}")
        again = await caller.delete(f"/epcis/v2/nextPageToken/{token}")
        after = await caller.get(first.links["next"]["url"])

        assert (given_back.status_code, again.status_code) == (204, 404)
        assert (after.status_code, after.json()["type"]) == (400, "epcisException:QueryParameterException")


@pytest.mark.parametrize("token", ["x", "AAAA", "a" * 7_000])
async def test_a_token_that_was_not_made_here_cannot_be_given_back(
    client: httpx2.AsyncClient, key: KeyMaker, token: str
) -> None:
    answer = await client.delete(f"/epcis/v2/nextPageToken/{token}", headers=await key(Act.VIEW))

    assert (answer.status_code, answer.json()["type"]) == (404, "epcisException:NoSuchResourceException")
