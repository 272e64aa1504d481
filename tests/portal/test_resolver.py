"""What a conformant GS1 resolver does (GS1-Conformant Resolver 1.2), asked over HTTP of a portal on a real database."""

from __future__ import annotations

import re
from typing import Any

import httpx2
import pytest

from portal.links import VOCABULARY
from tests.portal.arrangement import BASE, BROWSER, CHEESE, JSON, MILK, STRANGER, item

GLN = "9520123456788"
PRODUCT = f"/01/{MILK}"
ANY = {"accept": "*/*"}
LINKSET = {"accept": "application/linkset+json"}
DEFAULT, PIP = f"{VOCABULARY}defaultLink", f"{VOCABULARY}pip"


async def linkset_of(published: httpx2.AsyncClient, path: str) -> list[dict[str, Any]]:
    links: list[dict[str, Any]] = (await published.get(path, headers=LINKSET)).json()["linkset"]
    return links


async def test_options_lists_the_methods_and_lets_any_site_read(published: httpx2.AsyncClient) -> None:
    response = await published.options(PRODUCT, headers={"origin": "https://else.example"})

    assert response.headers["access-control-allow-origin"] == "*"
    assert {"GET", "HEAD", "OPTIONS"} <= set(response.headers["access-control-allow-methods"].split(", "))
    assert response.content == b""


@pytest.mark.parametrize(
    "path",
    [
        f"{PRODUCT}/foo",
        f"{PRODUCT}/21/S1/10/L1",  # qualifiers in the wrong order
        f"{PRODUCT}/17/261231",  # a date is an attribute, not a qualifier
        "/01/09520123456789",  # wrong check digit
        "/foo",
        f"{PRODUCT}/10/A%0A",  # a line break is in no lot code
        "/eh3074257bf7194e4000001a85",  # EPC binary strings are not read here
        f"{PRODUCT}?17=269999",  # no such day
    ],
)
@pytest.mark.parametrize("headers", [ANY, BROWSER, JSON])
async def test_what_breaks_the_grammar_is_a_bad_request(
    published: httpx2.AsyncClient, path: str, headers: dict[str, str]
) -> None:
    assert (await published.get(path, headers=headers)).status_code == 400
    assert (await published.head(path, headers=headers)).status_code == 400


async def test_a_trailing_slash_changes_nothing_and_two_are_an_error(published: httpx2.AsyncClient) -> None:
    plain, slashed = await published.head(PRODUCT), await published.head(f"{PRODUCT}/")

    assert (slashed.status_code, slashed.headers["location"]) == (plain.status_code, plain.headers["location"])
    assert (await published.head(f"{PRODUCT}//")).status_code == 400


async def test_a_slash_too_many_leads_to_the_page_on_this_host_whatever_host_was_named(
    published: httpx2.AsyncClient,
) -> None:
    strange = {"host": "elsewhere.example"}

    listed = await published.get("/recalls/?lang=zh", headers=strange)
    assert (listed.status_code, listed.headers["location"]) == (307, "/recalls?lang=zh")
    for path in (f"{BASE}//elsewhere.example/", "/01", "/nowhere/", "/recalls//"):
        assert (await published.get(path, headers=strange)).status_code == 400


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [("zh-CN", "zh"), ("ZH", "zh"), ("zh-Hans", "zh"), ("fr", "en"), ("zhx", "en"), ("zh;q=0", "en")],
)
async def test_a_language_asked_for_by_its_region_or_script_is_spoken(
    published: httpx2.AsyncClient, asked: str, spoken: str
) -> None:
    page = await published.get(f"{PRODUCT}?lang={asked}", headers=BROWSER | {"accept-language": "en"})

    assert f'<html lang="{spoken}"' in page.text


async def test_a_lot_that_nobody_told_us_of_walks_up_to_its_product(published: httpx2.AsyncClient) -> None:
    response = await published.head(f"{PRODUCT}/10/KL8G")

    assert response.status_code == 307
    assert response.headers["location"] == f"{BASE}/p{PRODUCT}"


async def test_a_place_with_an_extension_walks_up_to_its_number(published: httpx2.AsyncClient) -> None:
    assert (await published.head(f"/414/{GLN}/254/KL8G")).status_code == 307
    assert (await published.head("/414/9506000134352/254/KL8G")).status_code == 404


@pytest.mark.parametrize(
    ("path", "headers"), [(f"{PRODUCT}?linkType=linkset", ANY), (f"{PRODUCT}?linkType=all", ANY), (PRODUCT, LINKSET)]
)
async def test_the_linkset_is_given_without_a_redirect(
    published: httpx2.AsyncClient, path: str, headers: dict[str, str]
) -> None:
    response = await published.get(path, headers=headers)

    assert response.status_code == 200
    assert response.headers["content-type"].startswith("application/linkset+json")
    assert 'rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"' in response.headers["link"]
    assert (await published.head(path, headers=headers)).status_code == 200


async def test_a_linkset_is_built_as_its_schema_demands(published: httpx2.AsyncClient) -> None:
    for level in await linkset_of(published, item(2001)):
        assert level["anchor"].startswith(BASE)
        assert level["itemDescription"]
        for relation, links in level.items():
            if relation in ("anchor", "itemDescription"):
                continue
            assert re.fullmatch(r"https?://[A-Za-z0-9./]+", relation)
            for link in links:
                assert {"href", "title"} <= set(link) <= {"href", "title", "type", "hreflang"}
                assert link["href"].startswith("https://")
                assert all(re.fullmatch(r"[a-z]{2}(-[A-Z]{2})?", language) for language in link.get("hreflang", []))


async def test_each_level_has_one_default_link_that_is_listed_under_another_type_too(
    published: httpx2.AsyncClient,
) -> None:
    levels = await linkset_of(published, f"{PRODUCT}/10/M2")

    assert [level["anchor"] for level in levels] == [f"{BASE}{PRODUCT}/10/M2", f"{BASE}{PRODUCT}"]
    for level in levels:
        (default,) = level[DEFAULT]
        assert set(default) == {"href", "title"}
        assert default["href"] in [link["href"] for link in level[PIP]]


async def test_a_client_that_asks_for_nothing_is_sent_to_the_default_link(published: httpx2.AsyncClient) -> None:
    response = await published.head(item(2001), headers=ANY)

    assert response.status_code == 307
    (default,) = (await linkset_of(published, item(2001)))[0][DEFAULT]
    assert response.headers["location"] == default["href"]
    assert 'rel="linkset"' in response.headers["link"]
    assert 'rel="gs1:' not in response.headers["link"]


@pytest.mark.parametrize("accept", ["*/*", "application/json", "image/png"])
async def test_the_default_link_does_not_lead_back_to_itself(published: httpx2.AsyncClient, accept: str) -> None:
    target = (await published.get(item(2001), headers=ANY)).headers["location"]

    arrived = await published.get(target, headers={"accept": accept})
    assert arrived.status_code == 200
    assert arrived.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("query", ["foo=bar", "17=261231;3103=000189", "linkType=gs1:defaultLink&x=%2F"])
async def test_the_query_is_passed_on_as_it_came(published: httpx2.AsyncClient, query: str) -> None:
    assert (await published.head(f"{PRODUCT}?{query}")).headers["location"].endswith(f"?{query}")


async def test_a_link_type_that_we_do_not_have_is_not_found(published: httpx2.AsyncClient) -> None:
    response = await published.get(f"{PRODUCT}?linkType=gs1:nosuchlt")

    assert response.status_code == 404
    assert "nosuchlt" in response.json()["detail"]


@pytest.mark.parametrize("name", ["gs1:recallStatus", "https://ref.gs1.org/voc/recallStatus", "gs1%3ArecallStatus"])
async def test_a_link_type_is_followed_however_it_is_written(published: httpx2.AsyncClient, name: str) -> None:
    response = await published.head(f"{PRODUCT}?linkType={name}")

    assert response.status_code == 307
    assert response.headers["location"].startswith(f"{BASE}/recall-status{PRODUCT}?")


async def test_among_links_of_one_type_the_language_decides_and_a_question_mark_is_not_repeated(
    published: httpx2.AsyncClient,
) -> None:
    asked = f"{PRODUCT}?linkType=gs1:pip"

    chinese = await published.head(asked, headers={"accept-language": "zh-CN"})
    assert chinese.headers["location"] == f"{BASE}/p{PRODUCT}?lang=zh&linkType=gs1:pip"


async def test_a_language_that_we_do_not_have_gets_the_default_and_not_a_choice(published: httpx2.AsyncClient) -> None:
    german = await published.head(PRODUCT, headers={"accept-language": "de"})

    assert german.status_code == 307
    assert german.headers["location"] == f"{BASE}/p{PRODUCT}"


async def test_the_resolver_describes_itself(published: httpx2.AsyncClient) -> None:
    description = (await published.get("/.well-known/gs1resolver")).json()

    assert description["resolverRoot"] == BASE
    assert "01" in description["supportedPrimaryKeys"]


async def test_an_encoded_slash_belongs_to_the_lot(published: httpx2.AsyncClient) -> None:
    response = await published.get(f"{PRODUCT}/10/A%2FB", headers=JSON)

    assert response.json()["identifier"]["lot"] == "A/B"
    assert (await published.head(f"{PRODUCT}/10/A%2FB")).status_code == 307


async def test_the_serial_counts_more_than_the_lot_beside_it(published: httpx2.AsyncClient) -> None:
    serial = item(2001).rsplit("/", maxsplit=1)[1]

    response = await published.head(f"{PRODUCT}/10/M2/21/{serial}")
    assert response.headers["location"] == f"{BASE}/p{PRODUCT}/21/{serial}"


@pytest.mark.parametrize(
    "path", [f"/01/{STRANGER}", f"{PRODUCT}/21/NEVERISSUED1", f"/01/{CHEESE}/21/XYZ", "/8004/95201234"]
)
@pytest.mark.parametrize("headers", [ANY, BROWSER, JSON, LINKSET])
async def test_what_was_never_issued_is_not_found(
    published: httpx2.AsyncClient, path: str, headers: dict[str, str]
) -> None:
    assert (await published.get(path, headers=headers)).status_code == 404


async def test_an_address_longer_than_two_kilobytes_is_refused(published: httpx2.AsyncClient) -> None:
    assert (await published.get(f"{PRODUCT}?x={'a' * 3000}", headers=BROWSER)).status_code == 414
    assert (await published.get(f"{PRODUCT}?x={'a' * 1900}", headers=BROWSER)).status_code == 200


async def test_other_methods_are_not_allowed(published: httpx2.AsyncClient) -> None:
    assert (await published.put(PRODUCT)).status_code == 405
    assert (await published.delete("/8004/95201234")).status_code == 405


async def test_caches_are_told_what_an_answer_depends_on(published: httpx2.AsyncClient) -> None:
    for headers in (ANY, BROWSER, JSON):
        vary = (await published.get(item(2001), headers=headers)).headers["vary"]
        assert {"Accept", "Accept-Language"} <= set(vary.split(", "))
