"""The headers of GS1 that a caller may send to the query interface, and what every address tells of itself."""

from __future__ import annotations

import httpx2
import pytest

from access.model import Act
from tests.api.conftest import KeyMaker
from tests.api.event_world import (
    CHEESE_7,
    GIVEN_7,
    events_of,
)


async def test_names_stay_as_they_were_told_when_that_is_asked_for(caller: httpx2.AsyncClient) -> None:
    told = {"MATCH_epc": CHEESE_7}

    as_told = await caller.get("/epcis/v2/events", params=told, headers={"GS1-EPC-Format": "Never_Translates"})
    any_way = await caller.get("/epcis/v2/events", params=told, headers={"GS1-EPC-Format": "No_Preference"})

    assert (events_of(as_told)[0]["epcList"], as_told.headers["gs1-epc-format"]) == ([CHEESE_7], "Never_Translates")
    assert (events_of(any_way)[0]["epcList"], any_way.headers["gs1-epc-format"]) == (
        [GIVEN_7],
        "Always_GS1_Digital_Link",
    )


async def test_every_address_tells_what_may_be_done_there(client: httpx2.AsyncClient, key: KeyMaker) -> None:
    headers = await key(Act.VIEW)

    for path in ("", "/capture", "/events/urn:x:y", "/epcs/urn:x:y", "/bizSteps/shipping/events", "/queries/x/events"):
        answer = await client.options(f"/epcis/v2{path or '/'}", headers=headers)
        assert answer.status_code == (204 if path else 404), path
    root = await client.options("/epcis/v2", headers=headers)
    head = await client.head("/epcis/v2/events", headers=headers)

    assert head.status_code == 200
    for name in ("EPCIS-Version", "EPCIS-Min", "EPCIS-Max", "CBV-Version", "CBV-Min", "CBV-Max"):
        assert root.headers[f"GS1-{name}"] == head.headers[f"GS1-{name}"] == "2.0"
    for name in ("EPC-Format", "CBV-XML-Format", "Vendor-Version", "Extensions"):
        assert root.headers[f"GS1-{name}"]
    assert int(root.headers["GS1-EPCIS-Capture-Limit"]) == 100_000
    assert int(root.headers["GS1-EPCIS-Capture-File-Size-Limit"]) == 2 * 1024**3
    assert root.headers["GS1-Capture-Error-Behaviour"] == "rollback, proceed"


@pytest.mark.parametrize(
    "asked",
    [
        {"GS1-EPCIS-Version": "1.2"},
        {"GS1-EPCIS-Version": "new"},
        {"GS1-EPCIS-Min": "2.1"},
        {"GS1-EPCIS-Max": "1.2"},
        {"GS1-CBV-Version": "1.2.2"},
        {"GS1-CBV-Min": "3"},
        {"GS1-EPC-Format": "Always_EPC_URN"},
        {"GS1-CBV-XML-Format": "Always_URN"},
        {"Accept": "application/xml"},
    ],
)
async def test_what_is_not_spoken_here_is_not_acceptable(
    client: httpx2.AsyncClient, key: KeyMaker, asked: dict[str, str]
) -> None:
    answer = await client.get("/epcis/v2/events", headers={**await key(Act.VIEW), **asked})

    assert (answer.status_code, answer.json()["type"]) == (406, "epcisException:NotAcceptableException")


async def test_a_range_of_versions_with_ours_in_it_is_spoken(client: httpx2.AsyncClient, key: KeyMaker) -> None:
    asked = {"GS1-EPCIS-Min": "1.2", "GS1-EPCIS-Max": "2.1", "GS1-CBV-Version": "2.0", "Accept": "application/ld+json"}

    answer = await client.get("/epcis/v2/events", headers={**await key(Act.VIEW), **asked})

    assert answer.status_code == 200


async def test_options_name_the_methods_of_every_address(client: httpx2.AsyncClient, key: KeyMaker) -> None:
    headers = await key(Act.VIEW)

    allowed = {
        path: (await client.options(f"/epcis/v2/{path}", headers=headers)).headers["allow"]
        for path in ("events", "queries", "bizSteps")
    }

    assert allowed == {
        "events": "GET, HEAD, OPTIONS, POST",
        "queries": "GET, HEAD, OPTIONS, POST",
        "bizSteps": "GET, HEAD, OPTIONS",
    }
