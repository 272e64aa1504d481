"""A case after its publication, as a browser shows it."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from ledger.codes import KeyRing
from recall import casework
from recall.model import CaseDraft, ExclusionDraft
from runtime.clock import system_clock
from tests.console.conftest import Visitor, words
from tests.console.test_screens import case_of_cheese, press
from tests.shop import CHEESE, cheese_in_the_shop
from tests.world import SECRET


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


async def test_what_was_taken_out_is_explained_in_the_language_of_the_page(
    visitor: Visitor, conn: AsyncConnection
) -> None:
    await cheese_in_the_shop(conn)
    exclude = (ExclusionDraft({"lot": f"{CHEESE}:C1"}, "检验合格"),)
    draft = CaseDraft(title="Cheese", hazard="Ill.", hazard_class=1, lots=((CHEESE, "C1"),), exclude=exclude)
    keys = await KeyRing.load(conn, SECRET)
    case = await casework.open_case(conn, draft, by="lin", clock=system_clock, keys=keys)
    client = await visitor("mei", "viewer")

    async def asked(language: str) -> str:
        told = {"code": f"(01){CHEESE}(10)C1", "lang": language}
        return words(await client.get(f"/console/cases/{case.number}", params=told))

    assert f"C1 已排除 : {CHEESE} 的批号 C1已由 lin 排除：检验合格" in await asked("zh")
    assert f"C1 taken out : lot C1 of {CHEESE} was taken out by lin: 检验合格" in await asked("en")
