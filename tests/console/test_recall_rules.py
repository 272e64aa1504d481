"""The clocks and documents of a case, as staff see them."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from console import rules_wording
from recall import profiles
from tests.console.conftest import OURS, Visitor, form_token, words
from tests.recall import creamery
from tests.recall.desk import opened, published


def test_every_language_of_the_rules_has_every_text() -> None:
    assert rules_wording.TEXTS["en"].keys() == rules_wording.TEXTS["zh"].keys()
    marks = {duty.mark.value for profile in profiles.shipped().values() for duty in profile.duties}
    assert marks <= rules_wording.TEXTS["en"].keys()


async def test_clocks_say_what_is_not_verified_and_documents_are_printed(
    conn: AsyncConnection, visitor: Visitor
) -> None:
    dairy = await creamery.arrange(conn)
    number = await published(
        conn, dairy, lots=[(creamery.CHEESE, "C1")], profile="cn-drugs", contact={"phone": "400 800"}
    )
    bare = await opened(conn, dairy, lots=[(creamery.CHEESE, "C1")])
    viewer, author = await visitor("vera", "viewer"), await visitor("ada", "recall_author")

    english = words(await viewer.get(f"/console/recalls/{number}/rules"))
    assert "not verified: read the official text first" in english and "cn-drugs/2022" in english
    assert "Write down what was done" not in english, "a viewer tells nothing"
    assert "未核实" in words(await viewer.get(f"/console/recalls/{number}/rules?lang=zh"))
    assert "without a profile" in words(await viewer.get(f"/console/recalls/{bare}/rules?lang=en"))
    poster = await viewer.get(f"/console/recalls/{number}/documents/poster?lang=zh")
    assert poster.status_code == 200 and poster.content.startswith(b"%PDF")
    assert (await viewer.get(f"/console/recalls/{number}/documents/letters")).status_code in (400, 422)

    told = {"name": "owners_told", "note": "by mail"}
    for who, status in ((author, 303), (viewer, 403)):
        token = form_token(await author.get(f"/console/recalls/{number}/rules"))
        token = token if who is author else form_token(await viewer.get("/console"))
        sent = told | {"form_token": token}
        answer = await who.post(f"/console/recalls/{number}/facts", data=sent, headers=OURS)
        assert answer.status_code == status
    assert "by mail" in words(await author.get(f"/console/recalls/{number}/rules?done=saved"))
