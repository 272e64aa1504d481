"""Negotiation: which form and which language a client gets."""

from __future__ import annotations

import httpx2
import pytest
from starlette.applications import Starlette

from web import probes
from web.headers import HEADER_LENGTH_MAX, accepts, languages, negotiate, pick_language

FORMS = ("text/html", "application/json")


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, "text/html"),
        ("*/*", "text/html"),
        ("application/json", "application/json"),
        ("application/json;q=0.5, text/html;q=0.4", "application/json"),
        ("text/*;q=0.3, */*;q=0.9", "application/json"),
        ("text/html;q=0, */*", "application/json"),
        ("image/png", None),
        ("text/html;q=0", None),
    ],
)
def test_the_form_with_the_highest_quality_is_chosen(accept: str | None, chosen: str | None) -> None:
    assert negotiate(accept, FORMS) == chosen


def test_a_wildcard_does_not_name_a_form() -> None:
    assert accepts("application/json, */*", "application/json")
    assert not accepts("*/*", "application/json")
    assert not accepts("application/json;q=0", "application/json")


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("zh-Hans-CN, en;q=0.5", ("zh", "en")),
        ("en;q=0.2, zh;q=0.9", ("zh", "en")),
        ("de, fr", ()),
        ("ZH", ("zh",)),
        ("zh;q=0, en", ("en",)),
        ("*", ("en", "zh")),
        (None, ()),
    ],
)
def test_a_language_serves_its_scripts_and_regions(header: str | None, found: tuple[str, ...]) -> None:
    assert languages(header, ("en", "zh")) == found


def test_without_a_language_that_we_have_the_default_serves() -> None:
    assert pick_language("de", ("en", "zh"), "en") == "en"


def test_a_header_longer_than_the_limit_counts_as_absent() -> None:
    longer = "zh," * HEADER_LENGTH_MAX

    assert languages(longer, ("en", "zh")) == ()
    assert negotiate("application/json," * HEADER_LENGTH_MAX, FORMS) == "text/html"


async def test_a_process_is_alive_before_it_is_ready() -> None:
    faults: list[str] = ["the copy is old"]

    async def copy() -> str | None:
        return faults[0] if faults else None

    app = Starlette(routes=probes.routes({"copy": copy}))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://it.example") as client:
        assert (await client.get("/livez")).status_code == 200
        not_ready = await client.get("/readyz")
        faults.clear()
        ready = await client.get("/readyz")

    assert not_ready.status_code == 503
    assert not_ready.json()["faults"] == {"copy": "the copy is old"}
    assert ready.status_code == 200
