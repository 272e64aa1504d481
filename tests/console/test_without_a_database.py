"""When the database is away staff are told so, on a page."""

from __future__ import annotations

import httpx2

from console.app import create_app
from runtime.database import DatabaseAddress
from runtime.settings import Settings
from tests.console.conftest import OURS, PASSWORD
from tests.world import BASE_URL

NOWHERE = DatabaseAddress("postgresql+asyncpg://nobody@127.0.0.1:9/nothing")


async def test_a_page_says_to_try_again(settings: Settings) -> None:
    app = create_app(settings, NOWHERE)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=BASE_URL) as client:
        client.cookies.set("tracemark_session", "A" * 43, domain="id.example.com", path="/console")
        page = await client.get("/console")
        entering = await client.post("/console/sign-in", data={"name": "lin", "password": PASSWORD}, headers=OURS)

    for answer in (page, entering):
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        assert "Try again shortly" in answer.text
