"""The next version of a case, worked out anew: where the goods are now, and other texts."""

from __future__ import annotations

import httpx2
from sqlalchemy.ext.asyncio import AsyncConnection

from access.model import Act
from tests.api.conftest import KeyMaker
from tests.api.test_recalls import CASE
from tests.shop import cheese_in_the_shop

SOFTENED = {
    "en": {
        "title": "Meadow Farmhouse Cheese", "hazard": "We act out of an abundance of caution.",
        "actions": ["Stop eating it."], "remedies": ["You get your money back."],
    }
}  # fmt: skip


async def test_a_published_case_is_worked_out_anew_and_a_draft_or_softened_words_are_refused(
    client: httpx2.AsyncClient, key: KeyMaker, conn: AsyncConnection
) -> None:
    await cheese_in_the_shop(conn)
    author = await key(Act.AUTHOR_RECALL, Act.VIEW, name="author", by="lin")
    approver = await key(Act.APPROVE_RECALL, Act.PUBLISH_RECALL, Act.VIEW, name="approver", by="mei")
    case = (await client.post("/v1/recalls", json=CASE, headers=author)).headers["location"]
    too_soon = await client.post(f"{case}/update", headers=approver)
    for step, who in (("submit", author), ("approve", approver), ("publish", approver)):
        published = await client.post(f"{case}/{step}", headers=who)

    not_theirs = await client.post(f"{case}/update", headers=author)
    softened = await client.post(f"{case}/update", json={"texts": SOFTENED}, headers=approver)
    anew = await client.post(f"{case}/update", headers=approver)
    other = {"en": {**CASE["texts"]["en"], "title": "Meadow Farmhouse Cheese, all sizes"}}  # type: ignore[index]
    reworded = await client.post(f"{case}/update", json={"texts": other}, headers=approver)

    assert (too_soon.status_code, not_theirs.status_code) == (409, 403)
    assert softened.status_code == 400 and "caution" in softened.text
    assert (anew.status_code, anew.json()["version"], anew.json()["change"]) == (200, 2, "updated")
    assert anew.json()["items"] == published.json()["items"]
    assert reworded.json()["version"] == 3
    assert (await client.get(case, headers=author)).json()["texts"] == other
