"""A case after its publication, as a browser shows it."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from tests.console.conftest import Visitor, words
from tests.console.test_screens import case_of_cheese, press
from tests.shop import CHEESE, cheese_in_the_shop


async def test_one_person_publishes_in_an_emergency_and_another_one_reviews_it(
    visitor: Visitor, conn: AsyncConnection
) -> None:
    await cheese_in_the_shop(conn)
    number = (await case_of_cheese(conn, by="ada")).number
    ada, mei = await visitor("ada", "admin"), await visitor("mei", "recall_approver")

    unsaid = await press(ada, number, "publish-alone", reason=" ")
    alone = await press(ada, number, "publish-alone", reason="People are ill.")
    waiting = words(await mei.get(f"/console/cases/{number}"))
    own = await press(ada, number, "after-review", finding="right")
    reviewed = await press(mei, number, "after-review", finding="It was right.")
    after = words(await ada.get(f"/console/cases/{number}"))

    assert (unsaid.status_code, alone.status_code) == (400, 303)
    assert "Published by ada alone: People are ill." in waiting
    assert "A second person has to review this until" in waiting
    assert (own.status_code, reviewed.status_code) == (403, 303)
    assert "mei: It was right." in after


async def test_a_code_is_explained_on_the_page_of_the_case(visitor: Visitor, conn: AsyncConnection) -> None:
    await cheese_in_the_shop(conn)
    number = (await case_of_cheese(conn)).number
    client = await visitor("mei", "viewer")
    page = await client.get(f"/console/cases/{number}", params={"code": f"(01){CHEESE}(10)C1"})
    assert "C1 affected : the case names it" in words(page)
    refused = await client.get(f"/console/cases/{number}", params={"code": "no code"})
    assert refused.status_code == 400
