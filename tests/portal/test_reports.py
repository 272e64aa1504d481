"""A shopper reports a problem: kept for a person to read, with a receipt; programs that fill forms keep nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from access.refusals import RightMissing
from portal import reports as taking
from runtime.clock import system_clock
from runtime.database import DatabaseAddress
from shoppers import reports
from shoppers.refusals import ReasonMissing, ReportNotFound, ReportStateUnknown
from tests.portal.arrangement import BROWSER, JSON, MILK, arrange, item, portal_of
from tests.portal.test_photos import with_place
from tests.shoppers.people import ADA, VIEWER

Clock = Callable[[], datetime]


class Watch:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


async def opened(portal: httpx2.AsyncClient, query: str = "") -> dict[str, str]:
    """A form as a shopper fills it."""
    page = (await portal.get(f"/report{query}", headers=BROWSER)).text
    stamp = re.search(r'name="opened" value="([^"]+)"', page)
    assert stamp is not None
    return {"opened": stamp[1], "website": "", "kind": "foreign_body", "words": "A piece of glass.", "contact": ""}


async def kept(conn: AsyncConnection) -> list[str]:
    await conn.rollback()
    return [each.reference for each in await reports.listed(conn)]


async def test_a_report_is_kept_and_changes_no_verdict(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    await arrange(conn)
    watch = Watch()
    async with portal_of(database, tmp_path, watch) as portal:
        before = (await portal.get(item(1001), headers=JSON)).json()["verdict"]
        form = await opened(portal, f"?gtin={MILK}&lot=M1") | {"contact": "mira@example.org"}
        form["code"] = f"https://id.creamery.example/01/{MILK}/10/M1?{'x=1&' * 60}lang=en"  # long, and read whole
        watch.now += timedelta(seconds=20)
        answer = await portal.post(
            "/report", data=form, files={"photo": ("p.jpg", with_place(), "image/jpeg")}, headers=BROWSER
        )

        assert answer.status_code == 200
        (report,) = await reports.listed(conn)
        assert report.reference in answer.text
        assert (report.gtin, report.lot, report.kind, report.state) == (MILK, "M1", "foreign_body", "new")
        photo = await reports.photo(conn, report.reference)
        assert photo.startswith(b"\xff\xd8")
        assert b"A camera" not in photo
        assert (await portal.get(item(1001), headers=JSON)).json()["verdict"] == before


@pytest.mark.parametrize(
    ("changes", "waited_s", "status"),
    [
        ({}, 1, 400),  # nobody types that quickly
        ({}, 25 * 3600, 400),
        ({"opened": "1.0"}, 20, 400),
        ({"opened": ""}, 20, 400),
        ({"kind": "spam"}, 20, 400),
        ({"words": "  "}, 20, 400),
        ({"words": "x" * 1_801}, 20, 400),
        ({"contact": "x" * 201}, 20, 400),
        ({"code": "x" * 2_001}, 20, 400),
        ({"website": "https://buy.example"}, 20, 200),  # the trap: a receipt, and nothing is kept
    ],
)
async def test_what_no_person_sends_is_not_kept(  # noqa: PLR0917 - three fixtures and the three values of a row
    database: DatabaseAddress,
    conn: AsyncConnection,
    tmp_path: Path,
    changes: dict[str, str],
    waited_s: int,
    status: int,
) -> None:
    watch = Watch()
    async with portal_of(database, tmp_path, watch) as portal:
        form = await opened(portal) | changes
        watch.now += timedelta(seconds=waited_s)
        answer = await portal.post("/report", data=form, headers=BROWSER)

        assert answer.status_code == status
        if status == 400 and form["words"].strip():
            assert form["words"][:20] in answer.text  # what was typed is not lost
    assert await kept(conn) == []


async def test_a_photo_that_is_none_is_refused_and_the_words_are_not_lost(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    watch = Watch()
    async with portal_of(database, tmp_path, watch) as portal:
        form = await opened(portal)
        watch.now += timedelta(seconds=20)
        answer = await portal.post("/report", data=form, files={"photo": ("p.jpg", b"no photo", "image/jpeg")})

        assert answer.status_code == 400
        assert "A piece of glass." in answer.text
    assert await kept(conn) == []


async def test_one_network_sends_so_many_forms_and_is_told_when_to_come_again(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    watch = Watch()
    async with portal_of(database, tmp_path, watch, portal_posts_per_minute=2) as portal:
        form = await opened(portal)
        watch.now += timedelta(seconds=20)
        answers = [await portal.post("/report", data=form) for _ in range(3)]

        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert 1 <= int(answers[2].headers["retry-after"]) <= 60
    assert len(await kept(conn)) == 2


async def test_more_reports_than_people_can_read_are_refused_aloud(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "REPORTS_OPEN_MAX", 1)
    watch = Watch()
    async with portal_of(database, tmp_path, watch) as portal:
        form = await opened(portal)
        watch.now += timedelta(seconds=20)
        first, second = [await portal.post("/report", data=form, headers=BROWSER) for _ in range(2)]

        assert (first.status_code, second.status_code) == (200, 413)
        assert "telephone" in second.text


async def test_staff_close_a_report_with_a_note(conn: AsyncConnection) -> None:
    sql = (
        "INSERT INTO problem_report (reference, kind, words, language, taken_at)"
        " VALUES ('ABC', 'copy', 'Odd print.', 'en', now())"
    )
    await conn.execute(text(sql))
    await conn.commit()

    with pytest.raises(ReasonMissing):
        await reports.put(conn, "ABC", "closed", by=ADA, clock=system_clock)
    with pytest.raises(ReportStateUnknown):
        await reports.put(conn, "ABC", "new", by=ADA, clock=system_clock)
    with pytest.raises(RightMissing):
        await reports.put(conn, "ABC", "spam", by=VIEWER, clock=system_clock)
    with pytest.raises(ReportNotFound):
        await reports.put(conn, "XYZ", "spam", by=ADA, clock=system_clock)

    closed = await reports.put(conn, "ABC", "closed", note="Old stock.", by=ADA, clock=system_clock)
    assert (closed.state, closed.closing_note, closed.closed_by) == ("closed", "Old stock.", "ada")
    assert [each.reference for each in await reports.listed(conn, state="closed")] == ["ABC"]
    assert await reports.listed(conn, state="new") == []
