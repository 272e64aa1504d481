"""The typical application says what the portal says, word by word: only then is it a reference."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest

from benchmarks import lives_world, lots_world, scan_world, typical_world
from benchmarks.scan import HISTORY, PLAIN
from benchmarks.typical import create_app
from runtime.database import DatabaseAddress, Role
from tests.portal.arrangement import BASE, SECRET, portal_of, until

LOTS = 202
COUNTED, NOT_COUNTED = (101, 199), (1, 202)
"""Lots of products whose checks are counted, and of others: the first of each gave the page for the template."""


async def test_a_typical_page_has_the_words_and_the_size_of_the_portal_s_and_tells_recalls(
    database: DatabaseAddress, tmp_path: Path
) -> None:
    keys = await scan_world.write(database, LOTS, SECRET)
    await lives_world.write(database, LOTS)
    codes = [(scan_world.paths(keys, [lot], 1)[0], lot) for lot in (*NOT_COUNTED, *COUNTED)]
    async with portal_of(database, tmp_path) as portal:
        ours = [await page_with_history(portal, path) for path, _ in codes]
    raw = await database.connect(Role.OWNER)

    async with typical(database, tmp_path, dict(codes), {"off": (ours[0], 1), "exact": (ours[2], 101)}) as reference:
        theirs = [(await reference.get(path)).text for path, _ in codes]
        again = (await reference.get(codes[2][0])).text
        await lots_world.publish(raw, 1, 1, 1)
        recalled, unknown = await reference.get(codes[0][0]), await reference.get(codes[0][0][:-1])
    scans = await raw.fetchval("SELECT count(*) FROM typical_scan")
    await raw.execute("DROP TABLE typical_code, typical_step, typical_scan")
    await raw.close()

    for mine, other in zip(ours, theirs, strict=True):
        assert words_of(other) == words_of(mine)
        assert abs(len(other.encode()) - len(mine.encode())) < 0.01 * len(mine.encode())
    assert len(set(map(words_of, theirs))) == len(theirs)  # each of another product, lot, day or shop
    assert "Checked 2 times, first on " in again
    assert ("Cheese may hold glass" in theirs[0], "Cheese may hold glass" in recalled.text) == (False, True)
    assert (unknown.status_code, scans) == (404, len(codes) + 2)


def test_a_page_that_says_less_makes_no_template() -> None:
    with pytest.raises(ValueError, match="no history"):
        typical_world.template_of("<section class='card'>Meadow Cheese 1</section>", 1)


@asynccontextmanager
async def typical(
    database: DatabaseAddress, folder: Path, lot_by_path: dict[str, int], page_by_checks: dict[str, tuple[str, int]]
) -> AsyncIterator[httpx2.AsyncClient]:
    """The reference in this process."""
    await typical_world.fill(database, lot_by_path)
    for checks, (page, lot) in page_by_checks.items():
        (folder / f"{checks}.html").write_text(typical_world.template_of(page, lot), encoding="utf-8")
    app = create_app(database.url, folder)
    async with app.router.lifespan_context(app):
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url=BASE, headers=PLAIN) as client:
            yield client


async def page_with_history(portal: httpx2.AsyncClient, path: str) -> str:
    """The portal's page; each time for the first time, as the same visitor within ten minutes is one."""
    pages: list[str] = []

    async def is_whole() -> bool:
        pages.append((await portal.get(path, headers=PLAIN)).text)
        return HISTORY.decode() in pages[-1]

    await until(is_whole)
    return pages[-1]


def words_of(page: str) -> str:
    """What is told, in the text and to machines, but not when."""
    told = re.sub(r"[A-Z][a-z]{2} \d+, \d{4} \d\d:\d\d UTC", "", page)
    return " ".join(re.sub(r"<style>.*</style>|</?[a-z][^>]*>", " ", told, flags=re.DOTALL).split())
