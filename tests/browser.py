"""A real browser for the tests, which waits as long as a busy machine takes.

What a page shows after a click is asked by ``expect``, which waits for it: a read at once may see the page before.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from playwright.async_api import BrowserContext, ViewportSize, async_playwright, expect

from tests.unhurried import NEVER_S

NARROW: Final[ViewportSize] = {"width": 320, "height": 640}
_CHROMIUM: Final = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
_FLAGS: Final = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-sync",
    "--no-first-run",
]
_ENVIRONMENT: Final[dict[str, str | float | bool]] = {
    **os.environ,
    "TMPDIR": "/tmp",
}  # where its socket's path is short enough
_NEVER_MS: Final = NEVER_S * 1_000


@asynccontextmanager
async def browsing(*flags: str, **options: Any) -> AsyncIterator[BrowserContext]:
    """A browser that knows nothing yet, started with ``flags`` too; ``options`` as of ``Browser.new_context``."""
    expect.set_options(timeout=_NEVER_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=_CHROMIUM, args=[*_FLAGS, *flags], env=_ENVIRONMENT, timeout=_NEVER_MS
        )
        context = await browser.new_context(**options)
        context.set_default_timeout(_NEVER_MS)
        yield context
        await browser.close()
