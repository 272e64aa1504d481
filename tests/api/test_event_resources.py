"""What events say, listed, and the events of one of these (EPCIS 2.0: top-level resources)."""

from __future__ import annotations

from urllib.parse import quote

import httpx2
import pytest

from tests.api.event_world import (
    events_of,
    names_of,
)
from tests.ledger import dairy as d


@pytest.mark.parametrize(
    ("resource", "members"),
    [
        (
            "eventTypes",
            ["AggregationEvent", "AssociationEvent", "ObjectEvent", "TransactionEvent", "TransformationEvent"],
        ),
        (
            "bizSteps",
            ["commissioning", "creating_class_instance", "holding", "packing", "sensor_reporting", "shipping"],
        ),
        ("epcs", [*d.items(d.CHEESE, [7, 8]), d.sscc(d.PALLET), "urn:dairy:culture:1"]),
        ("dispositions", ["active"]),
        ("bizLocations", [d.place(d.PLANT)]),
        ("readPoints", sorted([d.place(d.DEPOT), d.place(d.PLANT), f"{d.place(d.PLANT)}/254/gate1"])),
    ],
)
async def test_what_events_say_is_listed_and_leads_to_its_events(
    caller: httpx2.AsyncClient, resource: str, members: list[str]
) -> None:
    listed: list[str] = []
    path = f"/epcis/v2/{resource}?perPage=1"
    while path:
        answer = await caller.get(path)
        listed += answer.json()["member"]
        path = answer.links["next"]["url"] if "next" in answer.links else ""
    one = await caller.get(f"/epcis/v2/{resource}/{quote(members[-1], safe='')}")
    events = await caller.get(f"/epcis/v2/{resource}/{quote(members[-1], safe='')}/events")

    assert listed == members
    assert (one.status_code, one.json()["member"]) == (200, ["events"])
    assert events_of(events)


async def test_a_word_with_a_line_break_is_answered_with_what_the_description_names(caller: httpx2.AsyncClient) -> None:
    path = "/epcis/v2/dispositions/{word}/events"

    answer = await caller.get(path.replace("{word}", "a%0Ab"))
    described = (await caller.get("/openapi.json")).json()["paths"][path]["get"]["responses"]

    assert answer.status_code == 404 and "404" in described


async def test_the_events_of_an_epc_can_be_narrowed(caller: httpx2.AsyncClient) -> None:
    path = f"/epcis/v2/epcs/{quote('urn:epc:id:sgtin:9506000.013436.8', safe='')}"

    assert sorted(names_of(events_of(await caller.get(f"{path}/events")))) == ["pack", "turn"]
    assert names_of(events_of(await caller.get(f"{path}/events?EQ_action=ADD"))) == ["pack"]
    assert (await caller.get(path)).status_code == 200
    twice = await caller.get(f"{path}/events?MATCH_anyEPC=urn:x:y")
    assert (twice.status_code, twice.json()["type"]) == (400, "epcisException:QueryParameterException")


@pytest.mark.parametrize("path", ["bizSteps/void_shipping", "epcs/urn:dairy:nothing", "bizLocations/urn:dairy:nowhere"])
async def test_what_no_event_says_is_not_found(caller: httpx2.AsyncClient, path: str) -> None:
    answer = await caller.get(f"/epcis/v2/{path}")

    assert (answer.status_code, answer.json()["type"]) == (404, "epcisException:NoSuchResourceException")
    assert events_of(await caller.get(f"/epcis/v2/{path}/events")) == []
