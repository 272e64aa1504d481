"""The API as machines see it: over HTTP, on a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx2
import pytest
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncConnection

from access import api_keys
from access.model import Act, operator
from api.app import create_app
from runtime.clock import system_clock
from runtime.database import DatabaseAddress
from runtime.settings import Settings
from tests import kept
from tests.api.event_world import DECLARATION, WITH_PLACES
from tests.cells import share_cells
from tests.ledger import dairy as d
from tests.world import BASE_URL, SECRET

ALL_BUT_APPROVAL = frozenset(Act) - {Act.ADMINISTER, Act.APPROVE_RECALL}

KeyMaker = Callable[..., Awaitable[dict[str, str]]]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        base_url=BASE_URL, master_secret=SecretStr(SECRET), data_dir=share_cells(tmp_path), labels_max=1_000
    )


@pytest.fixture
async def client(database: DatabaseAddress, settings: Settings) -> AsyncIterator[httpx2.AsyncClient]:
    """A caller without a key."""
    app = create_app(settings, database)
    async with app.router.lifespan_context(app):
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url=BASE_URL) as caller:
            yield caller


@pytest.fixture
async def key(conn: AsyncConnection) -> KeyMaker:
    """Makes the header of a key with these rights, made by this person."""

    async def make(*acts: Act, name: str = "erp", by: str = "ada") -> dict[str, str]:
        secret = await api_keys.create(conn, name, acts or ALL_BUT_APPROVAL, operator(by), system_clock)
        return {"Authorization": f"Bearer {secret}"}

    return make


@pytest.fixture
async def caller(
    client: httpx2.AsyncClient, key: KeyMaker, database: DatabaseAddress
) -> AsyncIterator[httpx2.AsyncClient]:
    """A caller who may look; the dairy's events are on record."""

    async def told() -> dict[str, str]:
        headers = await key(Act.CAPTURE, Act.VIEW)
        for document in (WITH_PLACES, d.document(DECLARATION)):
            taken = await client.post("/epcis/v2/capture", json=document, headers=headers)
            assert taken.status_code == 202, taken.text
        return headers

    client.headers.update(await kept.once(database, "the dairy's events, told over HTTP", told))
    yield client
