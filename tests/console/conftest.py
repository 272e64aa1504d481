"""The console as a browser sees it: over HTTP, on a real database."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx2
import pytest
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncConnection

from access.accounts import add_account
from access.model import operator
from console.app import create_app
from runtime.clock import system_clock
from runtime.database import DatabaseAddress
from runtime.settings import Settings
from tests.cells import share_cells
from tests.world import BASE_URL, SECRET

PASSWORD = "green meadow at dawn"
OURS = {"Origin": BASE_URL, "Sec-Fetch-Site": "same-origin"}

Visitor = Callable[..., Awaitable[httpx2.AsyncClient]]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(base_url=BASE_URL, master_secret=SecretStr(SECRET), data_dir=share_cells(tmp_path))


@pytest.fixture
async def browser(database: DatabaseAddress, settings: Settings) -> AsyncIterator[Callable[[], httpx2.AsyncClient]]:
    """Opens a browser with an empty cookie jar."""
    app = create_app(settings, database)
    opened: list[httpx2.AsyncClient] = []

    def new() -> httpx2.AsyncClient:
        opened.append(
            httpx2.AsyncClient(
                transport=httpx2.ASGITransport(app=app), base_url=BASE_URL, headers={"Accept-Language": "en"}
            )
        )
        return opened[-1]

    async with app.router.lifespan_context(app):
        yield new
        for client in opened:
            await client.aclose()


@pytest.fixture
async def visitor(browser: Callable[[], httpx2.AsyncClient], conn: AsyncConnection) -> Visitor:
    """A browser in which an account of this name and role has just signed in."""

    async def enter(name: str, role: str) -> httpx2.AsyncClient:
        await add_account(conn, name=name, role=role, password=PASSWORD, by=operator("tests"), clock=system_clock)
        client = browser()
        answer = await client.post("/console/sign-in", data={"name": name, "password": PASSWORD}, headers=OURS)
        assert answer.status_code == 303
        return client

    return enter


def form_token(page: httpx2.Response) -> str:
    found = re.search(r'name="form_token" value="([0-9a-f]+)"', page.text)
    assert found is not None
    return found[1]


def words(page: httpx2.Response) -> str:
    """What a person reads on the page."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text)))
