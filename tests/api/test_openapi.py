"""The description says all there is, and nothing that is not."""

from __future__ import annotations

import json
import re

import httpx2
import pytest
from starlette.routing import Route

from api import openapi
from api.app import OPERATIONS


async def test_every_route_is_described_and_every_description_has_its_route(client: httpx2.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    transport = client._transport
    assert isinstance(transport, httpx2.ASGITransport)
    served = {
        (method, openapi.shown_path(route.path))
        for route in transport.app.routes  # type: ignore[attr-defined]
        if isinstance(route, Route)  # the page behind a notice's link is for people, and no part of the description
        for method in (route.methods or set()) - {"HEAD"}
    } - {("GET", "/openapi.json"), ("GET", "/docs")}

    described = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}

    assert described == served
    assert len(described) == len(OPERATIONS)


async def test_every_reference_in_the_description_leads_somewhere(client: httpx2.AsyncClient) -> None:
    text = (await client.get("/openapi.json")).text
    document = json.loads(text)

    names = set(re.findall(r'"\$ref":"#/components/schemas/(\w+)"', text))

    assert document["openapi"] == "3.1.0"
    assert names
    assert names <= set(document["components"]["schemas"])


async def test_each_operation_has_a_name_of_its_own_and_says_which_right_it_needs(client: httpx2.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    operations = [operation for methods in document["paths"].values() for operation in methods.values()]

    assert len({operation["operationId"] for operation in operations}) == len(operations)
    for operation in operations:
        assert {"401", "403"} <= set(operation["responses"])
        assert operation["x-rights"]


async def test_whatever_heeds_an_idempotency_key_says_that_one_can_be_refused(client: httpx2.AsyncClient) -> None:
    described = (await client.get("/openapi.json")).json()["paths"]
    posts = [path["post"]["responses"] for path in described.values() if "post" in path]

    silent = [answers for answers in posts if "application/json" in str(answers) and not {"400", "409"} <= set(answers)]

    assert posts and silent == []


async def test_the_path_of_each_operation_names_its_parameters(client: httpx2.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()

    for path, methods in document["paths"].items():
        for operation in methods.values():
            told = {parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == "path"}
            assert told == set(re.findall(r"\{(\w+)\}", path))


@pytest.mark.parametrize("word", ["/v1/recalls/{number}/notices", "PartyRecord", "Idempotency-Key", "approve_recall"])
async def test_the_reference_page_shows_it_to_people_without_a_script(client: httpx2.AsyncClient, word: str) -> None:
    page = await client.get("/docs")

    assert page.status_code == 200
    assert word in page.text
    assert "<script" not in page.text
    assert "unsafe" not in page.headers["content-security-policy"]
