"""One bad lot, then others like it, then the supplier: three versions, each told to those alone who have something new.

And a mail scanner that opens every link of every letter on the way answers for nobody.
"""

from __future__ import annotations

import re
from pathlib import Path

import httpx2
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from api.app import create_app
from recall import casework, store
from recall.model import SupplierDraft
from runtime.database import DatabaseAddress
from runtime.settings import Settings
from tests.recall.creamery import CHEESE, HILL_FARM, SECRET, Creamery, clock
from tests.recall.desk import affected_lots, published
from tests.recall.owners import ADA, BEN, CLEO, DAN, at, letter_to, run_worker, with_addresses
from tests.runtime.mail_server import MailServer, mail_server, settings_for
from tests.world import BASE_URL

LINK = re.compile(r"https?://[^\s/]+(/\S+)")


async def test_a_case_that_grows_tells_only_what_is_new_and_only_to_whom_it_is_new(
    database: DatabaseAddress, conn: AsyncConnection, dairy: Creamery, tmp_path: Path
) -> None:
    await with_addresses(conn)
    async with mail_server() as server:
        number = await published(conn, dairy, lots=[(CHEESE, "C1")])
        assert await _told(database, server) == [ADA, BEN, CLEO]
        first = letter_to(server, CLEO)

        await casework.widen(
            conn, number, lots=[(CHEESE, "C2")], reason="the same spice", by="Ben", clock=clock, keys=dairy.keys
        )
        assert await _told(database, server) == [DAN]
        assert "C1" not in letter_to(server, DAN)

        await casework.widen(
            conn,
            number,
            suppliers=[SupplierDraft(HILL_FARM)],
            reason="all of it",
            by="Ben",
            clock=clock,
            keys=dairy.keys,
        )
        assert await _told(database, server) == [ADA], "only the creamery has milk; nobody is told of cheese again"
        milk = letter_to(server, ADA)
        assert "M1" in milk and "M2" in milk and "lot C1" not in milk

    listed = await store.notice_lines(conn, number)
    await conn.rollback()
    assert await affected_lots(conn, number) == {"M1": "whole", "M2": "whole", "C1": "whole", "C2": "whole"}
    assert (listed.frozen.version, listed.frozen.totals["items"]) == (3, 24), "twelve of each cheese, each once"
    assert sum(int(row["items"] or 0) for row in listed.rows) == 24
    await _scanned(database, conn, tmp_path, [first, milk])


async def _told(database: DatabaseAddress, server: MailServer) -> list[str]:
    """Who got a letter since the version before."""
    server.taken.clear()
    await run_worker(database, settings_for(server))
    return sorted(server.addresses)


async def _scanned(database: DatabaseAddress, conn: AsyncConnection, folder: Path, letters: list[str]) -> None:
    """A scanner opens all links, by GET and HEAD: nothing is answered. The person who sends the form answers."""
    app = create_app(
        Settings(base_url=BASE_URL, master_secret=SecretStr(SECRET), data_dir=folder), database, clock=at(24)
    )
    paths = [path for letter in letters for path in LINK.findall(letter)]
    assert len(paths) >= 2
    async with app.router.lifespan_context(app):
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url=BASE_URL) as caller:
            opened = [await ask(path) for path in paths for ask in (caller.get, caller.head)]
            assert {response.status_code for response in opened} == {200}
            assert await _answers(conn) == 0
            form = {"affected": "yes", "on_hand.0": "7", "name": "Cleo Marsh"}
            await caller.post(paths[0], data=form)
            assert await _answers(conn) == 1


async def _answers(conn: AsyncConnection) -> int:
    count: int = (await conn.execute(text("SELECT count(*) FROM acknowledgement"))).scalar_one()
    await conn.rollback()
    return count
