"""When the database is away staff are told so, on a page."""

from __future__ import annotations

import httpx2
import pytest

from console.app import create_app
from runtime.database import DatabaseAddress
from runtime.settings import Settings
from tests.console.conftest import OURS, PASSWORD
from tests.world import BASE_URL

NOWHERE = [
    "postgresql://nobody@127.0.0.1:9/nothing",
    "postgresql://nobody@no-such-host.invalid/nothing",
    "postgresql://nobody@/nothing?host=/no/such/folder",  # an embedded server that has stopped takes its file with it
]


@pytest.mark.parametrize("nowhere", NOWHERE)
async def test_a_page_says_to_try_again(settings: Settings, nowhere: str) -> None:
    app = create_app(settings, DatabaseAddress(nowhere))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=BASE_URL) as client:
        client.cookies.set("tracemark_session", "A" * 43, domain="id.example.com", path="/console")
        page = await client.get("/console")
        entering = await client.post("/console/sign-in", data={"name": "lin", "password": PASSWORD}, headers=OURS)

    for answer in (page, entering):
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        assert "Try again shortly" in answer.text
