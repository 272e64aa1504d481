"""An answer that takes a moment says what one copy of the record said, and names that copy: not the newer one."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx2
import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from portal.fast_lane import FastLane
from portal.protocol import STATE
from runtime.database import DatabaseAddress, Role
from tests.portal.arrangement import JSON, PALLET, arrange, item, portal_of, publish, says, until
from tests.portal.both_ways import both_over, request


async def test_a_list_names_the_revision_by_which_its_rows_were_judged(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    await arrange(conn)
    engine = database.engine(Role.OWNER, pool_size=1)
    async with portal_of(database, tmp_path) as portal, engine.connect() as other:
        await says(portal, item(1001), "no_recall_known")
        await other.execute(text("LOCK TABLE unit IN ACCESS EXCLUSIVE MODE"))  # so the pallet is waited for
        asked = asyncio.create_task(checked(portal, [item(1001), PALLET]))
        await asyncio.sleep(0)
        await publish(conn, lots=[1])
        await says(portal, item(1001), "recalled")
        await other.rollback()
        before, after = await asked, await checked(portal, [item(1001)])
    await engine.dispose()

    for answer in (before, after):
        is_recalled = answer["rows"][0]["status"] == "RECALLED"
        assert (answer["revision"] >= after["revision"]) is is_recalled
        assert (answer["receipt"]["receipt"]["revision"]) == answer["revision"]
    assert after["rows"][0]["status"] == "RECALLED"


async def test_a_verdict_that_waited_for_its_count_tells_when_the_copy_it_rests_on_was_confirmed(
    database: DatabaseAddress, conn: AsyncConnection, tmp_path: Path
) -> None:
    await arrange(conn)
    async with both_over(database, tmp_path) as both:
        lane: FastLane = both.short.app_state[STATE]
        for _ in range(2):
            [answer] = await both.short.ask(request(item(1001), **{"Accept": "application/json"}))
        told = orjson.loads(answer.partition(b"\r\n\r\n")[2])
        manner = next(iter(lane.manners.values()))
        found = lane.ready.find(item(1002).encode(), manner)
        assert found is not None

        async def is_newer() -> bool:
            return lane.front.refresher.snapshot.revision > int(told["revision"])

        await publish(conn, lots=[1])
        await until(is_newer)
        made = lane.ready.filled(found, None)

    assert made is not None
    late = orjson.loads(made[2])
    assert (late["verdict"], late["revision"]) == ("no_recall_known", told["revision"])


async def checked(portal: httpx2.AsyncClient, paths: list[str]) -> Any:
    codes = [path if path == PALLET else f"https://id.gs1.org{path}" for path in paths]
    return (await portal.post("/v1/checks", json={"codes": codes, "receipt": True}, headers=JSON)).json()
