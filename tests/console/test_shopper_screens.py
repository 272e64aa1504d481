"""Staff see links, reports and unusual activity, and each role does what it may."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cli.samples.dairy import CORNER_SHOP
from ledger import master_data
from ledger.model import PartyDraft
from tests.console.conftest import OURS, Visitor, form_token, words
from tests.portal.arrangement import MILK, arrange

LINK = {
    "gtin": MILK,
    "type": "epil",
    "target": "https://docs.creamery.example/x",
    "title": "Leaflet",
    "languages": "en",
}


async def test_a_link_is_added_by_one_person_and_its_host_allowed_by_another(
    visitor: Visitor, conn: AsyncConnection
) -> None:
    await arrange(conn)
    ada, bob = await visitor("ada", "recall_author"), await visitor("bob", "recall_author")
    token = form_token(await ada.get("/console/links"))

    added = await ada.post("/console/links/add", data={"form_token": token, **LINK}, headers=OURS)
    assert added.status_code == 303
    host = {"form_token": token, "host": "docs.creamery.example"}
    assert (await ada.post("/console/links/host", data=host, headers=OURS)).status_code == 403
    assert "waits for its host" in words(await ada.get("/console/links"))

    host["form_token"] = form_token(await bob.get("/console/links"))
    assert (await bob.post("/console/links/host", data=host, headers=OURS)).status_code == 303
    page = words(await bob.get("/console/links"))
    assert "waits for its host" not in page
    assert "https://docs.creamery.example/x" in page


async def test_a_viewer_sees_links_and_changes_none(visitor: Visitor, conn: AsyncConnection) -> None:
    await arrange(conn)
    vic = await visitor("vic", "viewer")
    token = form_token(await vic.get("/console/links"))

    assert (await vic.post("/console/links/add", data={"form_token": token, **LINK}, headers=OURS)).status_code == 403
    assert (await vic.get("/console/reports")).status_code == 403  # shoppers' words and addresses


async def test_the_brand_says_whose_name_shoppers_read(visitor: Visitor, conn: AsyncConnection) -> None:
    shop = (await master_data.put_party(conn, PartyDraft("Corner Shop", gln=CORNER_SHOP))).uri
    await conn.commit()
    ada, vic = await visitor("ada", "recall_author"), await visitor("vic", "viewer")
    screen = await ada.get("/console/parties?lang=zh")
    put = {"form_token": form_token(screen), "party": shop, "public": "yes"}
    assert "角色和地区" in words(screen)

    seen = await vic.get("/console/parties")
    refused = await vic.post("/console/parties", data=put | {"form_token": form_token(seen)}, headers=OURS)
    shown = await ada.post("/console/parties", data=put, headers=OURS)
    missing = await ada.post("/console/parties", data=put | {"party": "urn:epc:id:pgln:9999999.99999"}, headers=OURS)
    is_public = text("SELECT name_public FROM party WHERE uri = :uri")

    assert (refused.status_code, shown.status_code, missing.status_code) == (403, 303, 404)
    assert (await conn.execute(is_public, {"uri": shop})).scalar_one()
    await conn.execute(text("UPDATE party SET role = 'consumer', name_public = false WHERE uri = :uri"), {"uri": shop})
    await conn.commit()
    assert (await ada.post("/console/parties", data=put, headers=OURS)).status_code == 409
    assert (await ada.post("/console/parties", data=put | {"public": "no"}, headers=OURS)).status_code == 303


async def test_a_report_is_taken_up_and_closed_and_its_words_are_only_text(
    visitor: Visitor, conn: AsyncConnection
) -> None:
    sql = (
        "INSERT INTO problem_report (reference, kind, words, language, taken_at, photo)"
        " VALUES ('ABC123', 'illness', '<script>alert(1)</script>', 'zh', now(), 'jpeg')"
    )
    await conn.execute(text(sql))
    await conn.commit()
    ada = await visitor("ada", "recall_author")
    shown = await ada.get("/console/reports")
    assert "<script>alert" not in shown.text
    assert "illness or injury" in words(shown)
    assert (await ada.get("/console/reports/ABC123/photo")).headers["content-type"] == "image/jpeg"
    assert (await ada.get("/console/reports/NONE/photo")).status_code == 404

    put = {"form_token": form_token(shown), "reference": "ABC123", "state": "closed", "note": ""}
    assert (await ada.post("/console/reports/put", data=put, headers=OURS)).status_code == 400
    put["note"] = "Telephoned."
    assert (await ada.post("/console/reports/put", data=put, headers=OURS)).status_code == 303
    assert "Telephoned." in words(await ada.get("/console/reports?state=closed&lang=zh"))


async def test_a_finding_is_cleared_with_a_reason_and_only_an_administrator_changes_a_rule(
    visitor: Visitor, conn: AsyncConnection
) -> None:
    sql = (
        "INSERT INTO unusual_finding (number, gtin, rule, effect, counted, within_days, found_at)"
        " VALUES (1001, '09520123456788', 'many_places', 'verdict', 4, 7, now())"
    )
    await conn.execute(text(sql))
    await conn.commit()
    ada = await visitor("ada", "recall_author")
    token = form_token(await ada.get("/console/unusual"))
    rule = {"rule": "many_places", "threshold": "5", "within_days": "9", "effect": "alert", "enabled": "yes"}

    assert (
        await ada.post("/console/unusual/rule", data={"form_token": token, **rule}, headers=OURS)
    ).status_code == 403
    clear = {"form_token": token, "finding": "1", "reason": ""}
    assert (await ada.post("/console/unusual/clear", data=clear, headers=OURS)).status_code == 400
    clear["reason"] = "A trade fair."
    assert (await ada.post("/console/unusual/clear", data=clear, headers=OURS)).status_code == 303
    assert "Nothing unusual." in words(await ada.get("/console/unusual"))

    root = await visitor("root", "admin")
    token = form_token(await root.get("/console/unusual"))
    assert (
        await root.post("/console/unusual/rule", data={"form_token": token, **rule}, headers=OURS)
    ).status_code == 303
    rule["threshold"] = "many"
    assert (
        await root.post("/console/unusual/rule", data={"form_token": token, **rule}, headers=OURS)
    ).status_code == 400
