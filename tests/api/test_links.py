"""Links over the API: put on record, listed, taken back; a new host is allowed by somebody else."""

from __future__ import annotations

import httpx2
from sqlalchemy.ext.asyncio import AsyncConnection

from access.model import Act
from tests.api.conftest import KeyMaker
from tests.portal.arrangement import MILK, arrange

LINK = {"gtin": MILK, "type": "pip", "target": "https://brand.example/{gtin}", "title": "Milk", "languages": ["en"]}


async def test_a_link_lives_from_its_post_to_its_delete(
    client: httpx2.AsyncClient, conn: AsyncConnection, key: KeyMaker
) -> None:
    await arrange(conn)
    ada = await key(Act.MANAGE_LINKS, Act.VIEW, name="ada-key", by="ada")
    bob = await key(Act.MANAGE_LINKS, name="bob-key", by="bob")

    added = await client.post("/v1/links", json=LINK, headers=ada)
    assert (added.status_code, added.json()["is_allowed"]) == (201, False)
    allow = {"host": "brand.example", "allowed": True}
    assert (await client.post("/v1/links/hosts", json=allow, headers=ada)).status_code == 403
    assert (await client.post("/v1/links/hosts", json=allow, headers=bob)).status_code == 200

    (listed,) = (await client.get(f"/v1/links?gtin={MILK}", headers=ada)).json()["items"]
    assert (listed["is_allowed"], listed["languages"]) == (True, ["en"])
    assert (await client.delete(added.headers["location"], headers=ada)).status_code == 204
    assert (await client.delete(added.headers["location"], headers=ada)).status_code == 404
    assert (await client.get("/v1/links", headers=ada)).json()["items"] == []


async def test_what_is_no_link_and_who_has_no_right_are_refused(
    client: httpx2.AsyncClient, conn: AsyncConnection, key: KeyMaker
) -> None:
    await arrange(conn)
    ada = await key(Act.MANAGE_LINKS)

    for wrong in ({"target": "http://brand.example/"}, {"type": "recallStatus"}, {"gtin": "123"}, {"colour": "red"}):
        assert (await client.post("/v1/links", json=LINK | wrong, headers=ada)).status_code == 400
    viewer = await key(Act.VIEW, name="viewer")
    assert (await client.post("/v1/links", json=LINK, headers=viewer)).status_code == 403
    assert (await client.delete("/v1/links/x", headers=ada)).status_code == 404
