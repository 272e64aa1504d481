"""The checks that GS1's test suite and reviewers make of a conformant resolver, through a real server's sockets."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cli.serve import Face
from portal.links import VOCABULARY
from runtime.database import DatabaseAddress, Role
from serials import keys
from tests import world
from tests.conftest import named
from tests.portal.arrangement import MILK, ROOT_KEY, STRANGER, arrange, item
from tests.portal.conftest import statement
from tests.serving import free_port, served
from tests.unhurried import NEVER_S

PRODUCT = f"/01/{MILK}"
GLN = "9520123456788"
DEFAULT, PIP = f"{VOCABULARY}defaultLink", f"{VOCABULARY}pip"
CONTEXT = 'rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"'
LINKSET = {"accept": "application/linkset+json"}
LINKS = [
    ("pip", "https://brand.example/en", "en"),
    ("pip", "https://brand.example/fr?x=1", "fr"),
    ("relatedVideo", "https://brand.example/one", "en"),
    ("relatedVideo", "https://brand.example/two", "en"),
    ("epil", "https://brand.example/{gtin}/{lot}/{serial}", ""),
]


async def prepare(conn: AsyncConnection) -> None:
    await arrange(conn)
    wrapped = keys.wrap_root_key(ROOT_KEY, master_secret=world.SECRET.encode(), epoch=1)
    await conn.execute(text("UPDATE code_key SET wrapped = :wrapped"), {"wrapped": wrapped})
    host = "INSERT INTO link_host (host, asked_by, asked_at, allowed_by) VALUES ('brand.example', 'ada', now(), 'bob')"
    await conn.execute(text(host))
    sql = (
        "INSERT INTO resolver_link (gtin, type, target, host, title, languages, added_by, added_at) VALUES (:gtin,"
        " :type, :target, 'brand.example', :type, string_to_array(CAST(:language AS text), ' '), 'ada', now())"
    )
    for type_, target, language in LINKS:
        await conn.execute(text(sql), {"gtin": MILK, "type": type_, "target": target, "language": language})
    await conn.commit()


@pytest.fixture(scope="module")
async def resolver(cluster: DatabaseAddress) -> AsyncIterator[httpx2.AsyncClient]:
    await statement(cluster, "CREATE DATABASE conformance TEMPLATE tracemark_template")
    database = named(cluster, "conformance")
    engine = database.engine(Role.STAFF, pool_size=1)
    async with engine.connect() as conn:
        await prepare(conn)
    await engine.dispose()
    with served(database, port=free_port(), face=Face.PORTAL) as base:
        headers = {"accept": "*/*", "user-agent": "suite"}
        async with httpx2.AsyncClient(base_url=base, headers=headers, timeout=NEVER_S) as client:
            yield client
    await statement(cluster, "DROP DATABASE conformance WITH (FORCE)")


async def levels_of(resolver: httpx2.AsyncClient, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await resolver.get(path, headers=LINKSET)).json()["linkset"]
    return found


async def leads_to(resolver: httpx2.AsyncClient, path: str, **headers: str) -> str:
    answer = await resolver.head(path, headers=headers)
    assert answer.status_code == 307, path
    return str(answer.headers["location"])


async def test_any_site_may_ask_and_the_methods_are_named(resolver: httpx2.AsyncClient) -> None:
    answer = await resolver.options(PRODUCT, headers={"origin": "https://else.example"})

    assert answer.headers["access-control-allow-origin"] == "*"
    assert {"GET", "HEAD", "OPTIONS"} <= set(answer.headers["access-control-allow-methods"].split(", "))


@pytest.mark.parametrize(
    "path",
    [
        f"{PRODUCT}/foo",
        f"{PRODUCT}/21/S1/10/L1",
        f"{PRODUCT}/17/261231",
        "/foo",
        "/eh3074257bf7194e4000001a85",  # EPC binary strings are not read: refused, never a failure
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_what_breaks_the_grammar_is_a_bad_request(resolver: httpx2.AsyncClient, method: str, path: str) -> None:
    assert (await resolver.request(method, path)).status_code == 400


async def test_a_trailing_slash_changes_nothing(resolver: httpx2.AsyncClient) -> None:
    assert await leads_to(resolver, f"{PRODUCT}/") == await leads_to(resolver, PRODUCT)


@pytest.mark.parametrize("path", [f"{PRODUCT}/10/KL8G", f"{PRODUCT}/22/RED/10/KL8G", f"{PRODUCT}/10/A%2FB"])
async def test_what_is_not_known_so_finely_walks_up(resolver: httpx2.AsyncClient, path: str) -> None:
    assert (await leads_to(resolver, path)).endswith(f"/p{PRODUCT}")


async def test_a_place_is_found_also_with_an_extension_that_nobody_told_us_of(resolver: httpx2.AsyncClient) -> None:
    assert (await resolver.head(f"/414/{GLN}/254/KL8G")).status_code == 307


@pytest.mark.parametrize("path", [f"/01/{STRANGER}", f"{PRODUCT}/21/NEVERISSUED1"])
async def test_what_was_never_issued_is_not_found(resolver: httpx2.AsyncClient, path: str) -> None:
    assert (await resolver.get(path)).status_code == 404


@pytest.mark.parametrize(
    ("path", "headers"),
    [(f"{PRODUCT}?linkType=linkset", {}), (f"{PRODUCT}?linkType=all", {}), (PRODUCT, LINKSET)],
)
async def test_the_linkset_is_given_in_place(resolver: httpx2.AsyncClient, path: str, headers: dict[str, str]) -> None:
    assert (await resolver.head(path, headers=headers)).status_code == 200
    answer = await resolver.get(path, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/linkset+json")
    assert CONTEXT in answer.headers["link"]


async def test_the_linkset_has_the_members_of_its_schema_and_one_default_link_per_level(
    resolver: httpx2.AsyncClient,
) -> None:
    for level in await levels_of(resolver, f"{PRODUCT}/10/M1"):
        assert {"anchor", "itemDescription", DEFAULT} <= set(level)
        (default,) = level[DEFAULT]
        assert set(default) == {"href", "title"}
        assert default["href"] in [link["href"] for link in level[PIP]] or level["anchor"].endswith(PRODUCT)
        for relation, links in level.items():
            if relation in ("anchor", "itemDescription"):
                continue
            assert re.fullmatch(r"https?://[A-Za-z0-9./]+", relation)
            for link in links:
                assert {"href", "title"} <= set(link) <= {"href", "title", "type", "hreflang"}
                assert all(re.fullmatch(r"\w{2}(-\w{2})?", code) for code in link.get("hreflang", ()))


async def test_without_a_wish_the_default_link_is_followed(resolver: httpx2.AsyncClient) -> None:
    answer = await resolver.head(PRODUCT)
    (default,) = (await levels_of(resolver, PRODUCT))[0][DEFAULT]

    assert answer.headers["location"] == default["href"]
    assert 'rel="linkset"' in answer.headers["link"]
    assert 'rel="gs1:' not in answer.headers["link"]
    assert await leads_to(resolver, PRODUCT, **{"accept-language": "de"}) == default["href"]


@pytest.mark.parametrize("query", ["foo=bar", "17=261231;3103=000189"])
async def test_the_query_goes_along_as_it_came(resolver: httpx2.AsyncClient, query: str) -> None:
    assert (await leads_to(resolver, f"{PRODUCT}?{query}")).endswith(f"?{query}")


async def test_a_link_type_is_followed_in_the_language_asked_for_and_joined_to_the_query_that_it_has(
    resolver: httpx2.AsyncClient,
) -> None:
    asked = f"{PRODUCT}?linkType=gs1:pip"

    assert await leads_to(resolver, asked) == "https://brand.example/en?linkType=gs1:pip"
    french = await leads_to(resolver, asked, **{"accept-language": "fr"})
    assert french == "https://brand.example/fr?x=1&linkType=gs1:pip"
    assert (await resolver.head(f"{PRODUCT}?linkType=gs1:nosuchlt")).status_code == 404


async def test_links_that_fit_equally_well_are_a_choice(resolver: httpx2.AsyncClient) -> None:
    answer = await resolver.get(f"{PRODUCT}?linkType=gs1:relatedVideo")

    assert answer.status_code == 300
    listed = answer.json()["linkset"][0][f"{VOCABULARY}relatedVideo"]
    assert [link["href"] for link in listed] == ["https://brand.example/one", "https://brand.example/two"]


async def test_a_link_of_the_product_is_found_from_its_items_with_what_was_scanned(
    resolver: httpx2.AsyncClient,
) -> None:
    serial = item(2001).rsplit("/", 1)[1]

    target = await leads_to(resolver, f"{PRODUCT}/10/M2/21/{serial}?linkType=gs1:epil")
    assert target == f"https://brand.example/{MILK}/M2/{serial}?linkType=gs1:epil"


async def test_the_serial_counts_more_than_the_lot(resolver: httpx2.AsyncClient) -> None:
    path = item(2001)

    assert (await leads_to(resolver, f"{PRODUCT}/10/M2/21/{path.rsplit('/', 1)[1]}")).endswith(f"/p{path}")


async def test_the_resolver_describes_itself(resolver: httpx2.AsyncClient) -> None:
    told = (await resolver.get("/.well-known/gs1resolver")).json()

    assert told["resolverRoot"] == str(resolver.base_url).rstrip("/")
    assert "01" in told["supportedPrimaryKeys"]


async def test_a_browser_is_given_the_page_in_place_with_the_links_of_staff(resolver: httpx2.AsyncClient) -> None:
    page = await resolver.get(item(2001), headers={"accept": "text/html"})

    assert page.status_code == 200
    assert f"/01/{MILK}/10/M2?linkType=gs1:epil" in page.text
    assert "brand.example" not in page.text
