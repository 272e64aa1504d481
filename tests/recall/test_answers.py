"""The page behind the link of a notice: who holds the link answers for one owner, without an account."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from api.app import create_app
from recall import acknowledgements, casework, links
from recall.links import Link
from recall.response_refusals import LinkNotValid
from runtime.database import DatabaseAddress
from runtime.settings import Settings
from tests.recall.creamery import CHEESE, CORNER_SHOP, NORTH_DEPOT, SECRET, Creamery, clock
from tests.recall.desk import published
from tests.recall.owners import at, c1_recalled, deliveries
from tests.world import BASE_URL

LOT = (CHEESE, "C1")
FORM = {"affected": "yes", "on_hand.0": "7", "quarantined.0": "7", "name": "Cleo Marsh"}
COMPLETE = {**FORM, "complete": "yes", "signature": "Cleo Marsh"}


@pytest.fixture
async def visitor(database: DatabaseAddress, tmp_path: Path) -> AsyncIterator[httpx2.AsyncClient]:
    """Somebody with a browser and no account, on the day after the recall."""
    settings = Settings(base_url=BASE_URL, master_secret=SecretStr(SECRET), data_dir=tmp_path)
    app = create_app(settings, database, clock=at(24))
    async with app.router.lifespan_context(app):
        transport = httpx2.ASGITransport(app=app)
        headers = {"Accept-Language": "en"}
        async with httpx2.AsyncClient(transport=transport, base_url=BASE_URL, headers=headers) as caller:
            yield caller


async def link_of(conn: AsyncConnection, owner: str, *, secret: str = SECRET) -> str:
    """The address in the newest notice to an owner."""
    sql = """SELECT n.notice_id, n.recipient_id, n.made_at
             FROM recall_notice n JOIN recall_recipient r USING (recipient_id)
             WHERE r.name = :owner ORDER BY n.notice_id DESC LIMIT 1"""
    row = (await conn.execute(text(sql), {"owner": owner})).one()
    await conn.rollback()
    return links.address("", links.token(secret, Link(row.notice_id, row.recipient_id, links.ends_at(row.made_at))))


async def answers(conn: AsyncConnection) -> int:
    count: int = (await conn.execute(text("SELECT count(*) FROM acknowledgement"))).scalar_one()
    await conn.rollback()
    return count


async def test_a_mail_scanner_that_opens_the_link_answers_nothing(
    visitor: httpx2.AsyncClient,
    conn: AsyncConnection,
    dairy: Creamery,
) -> None:
    await published(conn, dairy, lots=[LOT])
    address = await link_of(conn, "Corner Shop")

    page, head = await visitor.get(address), await visitor.head(address)

    assert (page.status_code, head.status_code) == (200, 200)
    assert await answers(conn) == 0
    assert "Corner Shop" in page.text
    assert "North Depot" not in page.text
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "noindex" in page.headers["x-robots-tag"]
    assert "script-src" not in page.headers["content-security-policy"]
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "set-cookie" not in page.headers


async def test_an_answer_is_kept_as_told_and_can_be_changed_until_it_is_complete(
    visitor: httpx2.AsyncClient,
    conn: AsyncConnection,
    dairy: Creamery,
) -> None:
    await published(conn, dairy, lots=[LOT])
    address = await link_of(conn, "Corner Shop")

    first = await visitor.post(address, data={**FORM, "on_hand.0": "5000"})  # far more than was ever sent there
    page = await visitor.get(first.headers["location"])
    second = await visitor.post(address, data=COMPLETE)
    third = await visitor.post(address, data=COMPLETE)
    receipt = await visitor.get(f"{address}/receipt.pdf")

    assert (first.status_code, second.status_code, third.status_code) == (303, 303, 409)
    assert 'value="5000"' in page.text
    assert "Found in all 5000" in page.text
    assert await answers(conn) == 2
    assert receipt.content.startswith(b"%PDF")


async def test_news_about_the_case_opens_a_complete_answer_again(
    visitor: httpx2.AsyncClient,
    conn: AsyncConnection,
    dairy: Creamery,
) -> None:
    number = await published(conn, dairy, codes=[dairy.code(dairy.c1[1])])
    await visitor.post(await link_of(conn, "Corner Shop"), data=COMPLETE)

    await casework.widen(conn, number, codes=[dairy.code(dairy.c1[2])], by="Ben", clock=clock, keys=dairy.keys)

    again = await visitor.post(await link_of(conn, "Corner Shop"), data=COMPLETE)
    assert again.status_code == 303


WRONG = (
    ({"name": ""}, "give your name"),
    ({"on_hand.0": "many"}, "is no number"),
    ({"on_hand.0": "-1"}, "from 0 up"),
    ({"on_hand.0": "1.5"}, "finer than what is counted"),
    ({"affected": "no"}, "nothing was found"),
    ({"complete": "yes"}, "signs with a name"),
    ({"complete": "yes", "signature": "C", "affected": ""}, "whether you had any"),
)


async def test_an_answer_that_cannot_be_meant_is_shown_again_with_what_to_mend(
    visitor: httpx2.AsyncClient, conn: AsyncConnection, dairy: Creamery
) -> None:
    await published(conn, dairy, lots=[LOT])
    address = await link_of(conn, "Corner Shop")

    for wrong, told in WRONG:
        page = await visitor.post(address, data={**FORM, **wrong})

        assert page.status_code == 400
        assert told in page.text
    assert await answers(conn) == 0


async def test_a_link_that_we_did_not_sign_that_is_old_or_that_was_taken_back_opens_nothing(
    visitor: httpx2.AsyncClient,
    conn: AsyncConnection,
    dairy: Creamery,
) -> None:
    number = await published(conn, dairy, lots=[LOT])
    good = await link_of(conn, "Corner Shop")
    flipped = good[:-1] + ("A" if good[-1] != "A" else "B")
    token = good.removeprefix("/a/")

    assert (await visitor.get(await link_of(conn, "Corner Shop", secret="another secret"))).status_code == 403
    assert (await visitor.get(f"{good[:10]}x{good[11:]}")).status_code == 403
    assert (await visitor.post("/a/nonsense", data=COMPLETE)).status_code == 403
    assert flipped != good
    with pytest.raises(LinkNotValid):
        links.read(SECRET, token, now=at(24 * 90)())
    assert links.read(SECRET, token, now=at(24 * 89)())

    await acknowledgements.revoke(conn, number, CORNER_SHOP, by="Ada", clock=clock)
    assert (await visitor.get(good)).status_code == 403
    assert (await visitor.get(await link_of(conn, "North Depot"))).status_code == 200


async def test_a_machine_posts_its_answer_to_the_same_address(
    visitor: httpx2.AsyncClient,
    conn: AsyncConnection,
    dairy: Creamery,
) -> None:
    await published(conn, dairy, lots=[LOT])
    address = await link_of(conn, "North Depot")
    body = {"name": "ERP", "affected": True, "lines": [{"gtin": CHEESE, "lot": "C1", "returned": 3}]}

    taken = await visitor.post(address, json=body)
    refused = await visitor.post(address, json={**body, "lines": [{"gtin": CHEESE, "lot": "C9", "returned": 3}]})

    assert (taken.status_code, taken.json()["complete"]) == (201, False)
    assert refused.status_code == 400
    assert "not in your notice" in refused.json()["detail"]


async def test_an_owner_names_its_accounts_and_they_are_told_in_a_chain(
    visitor: httpx2.AsyncClient,
    conn: AsyncConnection,
    dairy: Creamery,
) -> None:
    number = await c1_recalled(conn, dairy)
    address = await link_of(conn, "North Depot")
    sheet = "name,email,quantity\nKiosk,kiosk@kiosk.example,4\nCanteen,canteen@school.example,\n"

    done = await visitor.post(f"{address}/accounts", files={"file": ("accounts.csv", sheet.encode(), "text/csv")})
    wrong = await visitor.post(f"{address}/accounts", files={"file": ("a.csv", b"name,email\nX,none\n", "text/csv")})
    page = await visitor.get(await link_of(conn, "Kiosk"))

    assert (done.status_code, wrong.status_code) == (303, 400)
    assert {each.address for each in await deliveries(conn, number)} >= {
        "kiosk@kiosk.example",
        "canteen@school.example",
    }
    assert "C1" in page.text
    assert "expected with you" not in page.text  # what the depot has is not the kiosk's to know
    rows = await conn.execute(text("SELECT name, level, quantity FROM recall_recipient WHERE level > 0 ORDER BY name"))
    assert [(row.name, row.level, row.quantity) for row in rows] == [("Canteen", 1, None), ("Kiosk", 1, 4)]


async def test_the_page_speaks_chinese_to_who_reads_chinese(
    visitor: httpx2.AsyncClient,
    conn: AsyncConnection,
    dairy: Creamery,
) -> None:
    await published(conn, dairy, lots=[LOT])

    page = await visitor.get(await link_of(conn, "Corner Shop"), headers={"Accept-Language": "zh-CN"})

    assert "贵方的货物" in page.text
    assert re.search(r'<html lang="zh">', page.text)
    assert NORTH_DEPOT not in page.text
