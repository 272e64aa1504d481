"""A case after its publication, as a browser shows it."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from tests.console.conftest import OURS, Visitor, form_token, words
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


async def test_a_case_is_opened_in_the_browser_and_previewed(visitor: Visitor, conn: AsyncConnection) -> None:
    await cheese_in_the_shop(conn)
    author, viewer = await visitor("lin", "recall_author"), await visitor("mei", "viewer")
    told = {
        "title": "Cheese", "hazard": "It can make people ill.", "hazard_class": "1", "kind": "recall",
        "remedy": "refund", "lots": f"{CHEESE}:C1",
    }  # fmt: skip

    form = await author.get("/console/cases/new")
    token = {"form_token": form_token(form)}
    opened = await author.post("/console/cases/new", data={**told, **token}, headers=OURS)
    wrong = await author.post("/console/cases/new", data={**told, **token, "lots": "C1"}, headers=OURS)
    page = words(await author.get(opened.headers["location"]))

    assert "What it starts from" in words(form)
    assert (opened.status_code, wrong.status_code) == (303, 400)
    assert "24 Items" in page
    assert "Affected at least 24, most likely 24, at most 24 items" in page
    assert (await viewer.get("/console/cases/new")).status_code == 403
