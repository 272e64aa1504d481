"""A shopper asks for a remedy: a choice of two, no account, a link to what became of it, a contact that goes."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from access.refusals import RightMissing
from runtime.clock import system_clock
from runtime.database import DatabaseAddress
from shoppers import claims, claims_store
from shoppers.refusals import ClaimNotFound, ClaimStateUnknown, ReasonMissing
from tests.portal.arrangement import BROWSER, arrange, portal_of, publish
from tests.portal.test_photos import with_place
from tests.shoppers.people import ADA, VIEWER

FORM = {"remedy": "replacement", "pieces": "2", "code": "C1", "contact": "mira@example.org", "agrees": "yes"}


async def _recall(conn: AsyncConnection) -> str:
    await arrange(conn)
    await publish(conn, lots=[1])
    return "R-2026-0001"


async def test_a_shopper_chooses_a_remedy_and_follows_it_by_a_link(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    number = await _recall(conn)
    async with portal_of(database, tmp_path, system_clock) as portal:
        page = (await portal.get(f"/recalls/{number}?lang=en", headers=BROWSER)).text
        assert f"/recalls/{number}/claim?lang=en" in page and 'name="lot"' in page
        form = await portal.get(f"/recalls/{number}/claim?lang=en", headers=BROWSER)
        assert "Money back" in form.text and "A replacement" in form.text and "repair" not in form.text
        assert "申请退款或更换" in (await portal.get(f"/recalls/{number}/claim?lang=zh", headers=BROWSER)).text

        photo = {"photo": ("p.jpg", with_place(), "image/jpeg")}
        sent = await portal.post(f"/recalls/{number}/claim?lang=en", data=FORM, files=photo, headers=BROWSER)
        assert sent.status_code == 303
        link = sent.headers["location"]
        seen = await portal.get(link, headers=BROWSER)
        assert "We have received your claim." in seen.text and "mira@example.org" not in seen.text

        (claim,) = await claims.listed(conn)
        assert (claim.number, claim.remedy, claim.pieces, claim.contact) == (number, "replacement", 2, FORM["contact"])
        kept = await claims.photo(conn, claim.claim_id)
        assert claim.has_photo and kept.startswith(b"\xff\xd8") and b"A camera" not in kept
        await conn.rollback()
        with pytest.raises(RightMissing):
            await claims.put(conn, claim.claim_id, "done", answer="", by=VIEWER, clock=system_clock)
        with pytest.raises(ReasonMissing):
            await claims.put(conn, claim.claim_id, "refused", answer=" ", by=ADA, clock=system_clock)
        with pytest.raises(ClaimStateUnknown):
            await claims.put(conn, claim.claim_id, "received", answer="", by=ADA, clock=system_clock)
        with pytest.raises(ClaimNotFound):
            await claims.put(conn, claim.claim_id + 1, "done", answer="", by=ADA, clock=system_clock)
        await claims.put(conn, claim.claim_id, "accepted", answer="It is on its way.", by=ADA, clock=system_clock)
        seen = await portal.get(link, headers=BROWSER)
        assert "Your claim is accepted." in seen.text and "It is on its way." in seen.text

    await claims_store.forget_contacts(conn, system_clock() + timedelta(days=800), 730)
    assert [(each.contact, each.has_photo) for each in await claims.listed(conn)] == [(None, False)]
    with pytest.raises(ClaimNotFound):
        await claims.photo(conn, claim.claim_id)


async def test_a_form_that_is_sent_twice_is_one_claim_and_with_another_wish_two(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    number = await _recall(conn)
    at = f"/recalls/{number}/claim?lang=en"
    async with portal_of(database, tmp_path, system_clock) as portal:
        found = re.search(r'name="mark" value="([^"]{32})"', (await portal.get(at, headers=BROWSER)).text)
        assert found is not None
        form = FORM | {"mark": found[1]}
        links = [
            (await portal.post(at, data=sent, headers=BROWSER)).headers["location"]
            for sent in (form, form, form | {"code": "C2"}, FORM, FORM, form | {"mark": "x"}, form | {"mark": "x"})
        ]
    assert links[0] == links[1]
    assert len(set(links)) == 6  # a form without a mark of ours is never taken for one that was sent before
    assert len(await claims.listed(conn)) == 6


WRONG = (
    ({"remedy": "repair"}, 400), ({"remedy": "gold"}, 400), ({"pieces": "0"}, 400), ({"pieces": "many"}, 400),
    ({"pieces": "1001"}, 400), ({"contact": " "}, 400), ({"contact": "m" * 201}, 400), ({"code": "1" * 201}, 400),
    ({"agrees": ""}, 400), ({"website": "https://x.example"}, 303),
)  # fmt: skip


async def test_what_cannot_be_a_claim_is_not_kept(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    number = await _recall(conn)
    async with portal_of(database, tmp_path, system_clock) as portal:
        answers = [
            (await portal.post(f"/recalls/{number}/claim?lang=en", data=FORM | changes, headers=BROWSER)).status_code
            for changes, _ in WRONG
        ]
        file = {"photo": ("p.jpg", b"no photo", "image/jpeg")}
        unseen = await portal.post(f"/recalls/{number}/claim?lang=zh", data=FORM, files=file, headers=BROWSER)
    assert answers == [status for _, status in WRONG]
    assert unseen.status_code == 400
    assert "照片" in unseen.text and FORM["contact"] in unseen.text  # what was typed is not lost
    assert await claims.listed(conn) == []


async def test_only_a_public_recall_takes_claims_and_only_its_link_shows_one(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    number = await _recall(conn)
    await conn.execute(text("UPDATE publication SET state = 'closed'"))
    await conn.commit()
    async with portal_of(database, tmp_path, system_clock) as portal:
        for address in (
            f"/recalls/{number}/claim",
            "/recalls/R-2099-0001/claim",
            "/recalls/%00/claim",
            f"/claims/{'x' * 32}",
            "/claims/1",
        ):
            assert (await portal.get(address, headers=BROWSER)).status_code == 404
