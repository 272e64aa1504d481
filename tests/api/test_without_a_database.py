"""When the database is away nobody is told a half-truth."""

from __future__ import annotations

import httpx2
import pytest

from api.app import create_app
from runtime.database import DatabaseAddress
from runtime.settings import Settings
from tests.world import BASE_URL

NOWHERE = [
    "postgresql://nobody@127.0.0.1:9/nothing",
    "postgresql://nobody@no-such-host.invalid/nothing",
    "postgresql://nobody@/nothing?host=/no/such/folder",  # an embedded server that has stopped takes its file with it
]


@pytest.mark.parametrize("nowhere", NOWHERE)
async def test_machines_are_asked_to_come_again(settings: Settings, nowhere: str) -> None:
    app = create_app(settings, DatabaseAddress(nowhere))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=BASE_URL) as client:
        for path in ("/v1/parties", "/epcis/v2/capture"):
            answer = await client.get(path, headers={"Authorization": "Bearer tmk_live_" + "A" * 43})

            assert answer.status_code == 503
            assert answer.headers["retry-after"]
            assert answer.headers["content-type"] == "application/problem+json"
            assert "Nothing was changed" in answer.json()["detail"]
