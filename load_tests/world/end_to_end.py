"""A world told, recalled and read again at every door; what stands there is held against the goods themselves.

Each question of a story is asked as the story goes on: the first opens and publishes a case, the next ones widen it, or
take over what the ledger has learnt since. After each the screen, the four lists, the API, and the scans must say what
the goods say.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from ledger.codes import KeyRing
from load_tests.world import explained, faces, figures, printed, recording, scans, telling
from load_tests.world.asked import Asked
from load_tests.world.blocks import deed_in, stage_in
from load_tests.world.checking import WIDE_BY_NATURE
from load_tests.world.doors import Doors, path_of_lot
from load_tests.world.figures import Figures
from load_tests.world.scenarios import build
from load_tests.world.stages import Stage
from recall import casework, deltas, store
from runtime.clock import Clock

BY: Final = "worlds"
READERS: Final[Mapping[str, Callable[[bytes], Figures]]] = {
    "json": faces.of_json, "csv": faces.of_csv, "xlsx": faces.of_xlsx, "pdf": printed.of_pdf,
}  # fmt: skip
TEXT: Final = {
    "title": "Goods of a world that may be harmful",
    "hazard": "They may contain what can cause serious illness.",
    "actions": ["Stop using it.", "Bring it back to the shop."],
    "remedies": ["Full refund", "Replacement"],
}
DRAFT: Final = {
    "title": TEXT["title"], "hazard": TEXT["hazard"], "hazard_class": 1, "texts": {"en": TEXT},
    "contact": {"phone": "+44 20 7946 0101"},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Told:
    """What a walk through a world needs: the doors, and a connection for what people do at the machine itself."""

    conn: AsyncConnection
    doors: Doors
    keys: KeyRing
    clock: Clock


async def walk(told: Told, name: str, *, block: int, units: int, seed: int) -> list[Asked]:
    """Tell one world in a block of its own, recall it as its story goes, and hold every door against the goods."""
    scenario = build(name, units, seed)
    # told as mixed, a silo has to be answered as mixing would have it
    truth = build("S10-mixed", units, seed) if name in WIDE_BY_NATURE else scenario
    await recording.put_on_record(told.conn, scenario.world)
    deeds = [deed_in(deed, block) for deed in scenario.world.deeds]
    chance = random.Random(seed)
    found: list[Asked] = []
    number, before, done = "", None, 0
    for first in truth.stages:
        stage, asked = stage_in(first, block), Asked(name, first.name)
        events = recording.record(deeds[: stage.deeds], since=done, block=block)
        await telling.tell(told.conn, events, by=BY, clock=told.clock, keys=told.keys)
        done = stage.deeds
        if before is None:
            number = await open_case(told.doors, stage)
            await _practise(told, stage, asked)
            await _preview(told.doors, number, stage, asked)
            answer = await publish(told.doors, number)
        else:
            answer = await _next_version(told, number, before, stage, asked)
        await _at_every_door(told, number, answer, stage, asked)
        await scans.hold(told.doors, answer["revision"], stage, chance, asked)
        await explained.hold(told.doors, number, stage, deeds[: stage.deeds], chance=chance, asked=asked)
        found.append(asked)
        before = stage
    return found


async def open_case(doors: Doors, stage: Stage) -> str:
    """Open a case that names the bad lots; its number."""
    lots = [{"gtin": lot.gtin, "lot": lot.code} for lot in sorted(stage.starts)]
    number: str = (await doors.call(doors.author, "POST", "/v1/recalls", {**DRAFT, "lots": lots})).json()["number"]
    return number


async def publish(doors: Doors, number: str) -> dict[str, Any]:
    """Hand it in, let the second person approve and publish it."""
    await doors.call(doors.author, "POST", f"/v1/recalls/{number}/submit")
    await doors.call(doors.approver, "POST", f"/v1/recalls/{number}/approve")
    answer: dict[str, Any] = (await doors.call(doors.approver, "POST", f"/v1/recalls/{number}/publish")).json()
    return answer


async def _practise(told: Told, stage: Stage, asked: Asked) -> None:
    """A drill of one of the bad lots: the public reads the same bytes before it and after."""
    start = min(stage.starts)
    codes = [path_of_lot(lot) for lot in sorted(stage.key.lots)[:5]]
    before = await told.doors.public_bytes(codes)
    drilled = await casework.drill(told.conn, f"{start.gtin}:{start.code}", by=BY, clock=told.clock, keys=told.keys)
    for path, was, is_now in zip(range(len(before)), before, await told.doors.public_bytes(codes), strict=True):
        if was != is_now:
            asked.differs("drill", f"public bytes {path}", was[:200], is_now[:200])
    if stage.starts == {start}:
        rows = faces.of_json(await told.doors.notices(drilled.number, "json"))
        asked.hold("drill", stage.figures, {figures.LINES: rows[figures.LINES], figures.ALL: rows[figures.ALL]})


async def _preview(doors: Doors, number: str, stage: Stage, asked: Asked) -> None:
    """What publishing would freeze, as the API and the screen say it before."""
    seen = (await doors.call(doors.author, "GET", f"/v1/recalls/{number}/preview")).json()
    asked.hash = seen["hash"]
    asked.hold("preview", stage.figures, faces.of_preview(seen))
    asked.hold("preview on screen", stage.figures, faces.of_page(await doors.screen_of(number)))


async def _next_version(told: Told, number: str, before: Stage, stage: Stage, asked: Asked) -> dict[str, Any]:
    """Widen by what is new; else take over what the ledger has learnt since."""
    new = stage.starts - before.starts
    if new:
        lots = [{"gtin": lot.gtin, "lot": lot.code} for lot in sorted(new)]
        body = {"lots": lots, "reason": "more of the same"}
        answer: dict[str, Any] = (
            await told.doors.call(told.doors.approver, "POST", f"/v1/recalls/{number}/widen", body)
        ).json()
        added = sorted(map(list, stage.key.lots - before.key.lots))
        if sorted(answer["delta"]["lots_added"]) != added:
            asked.differs("delta", "lots added", added, answer["delta"]["lots_added"])
        return answer
    proposal = await deltas.compare(told.conn, number, clock=told.clock)
    if proposal is not None:
        path = f"/v1/recalls/{number}/deltas/{proposal.proposal_id}/accept"
        await told.doors.call(told.doors.approver, "POST", path)
    else:  # nothing more is affected, but it is elsewhere now: the list is made anew
        await told.doors.call(told.doors.approver, "POST", f"/v1/recalls/{number}/update")
    return await _published(told.conn, number)


async def _published(conn: AsyncConnection, number: str) -> dict[str, Any]:
    frozen = (listed := await store.notice_lines(conn, number)).frozen
    await conn.rollback()
    return {
        "version": frozen.version, "hash": frozen.hash, "lots": frozen.lots, "owners": frozen.owners,
        "items": frozen.items, "lines": len(listed.rows), "revision": frozen.revision,
    }  # fmt: skip


async def _at_every_door(told: Told, number: str, answer: Mapping[str, Any], stage: Stage, asked: Asked) -> None:
    """The case as published, on the screen, in four files, and in the list of the API."""
    doors, right = told.doors, stage.figures
    asked.version, asked.hash = answer["version"], answer["hash"]
    asked.hold("published", right, faces.of_published(answer))
    for form, read in READERS.items():
        asked.hold(form, right, read(await doors.notices(number, form)))
    asked.hold("screen", right, faces.of_page(await doors.screen_of(number)))
    line = next(
        c for c in (await doors.call(doors.author, "GET", "/v1/recalls")).json()["items"] if c["number"] == number
    )
    asked.hold("list of cases", right, faces.of_case_line(line))
    case = (await doors.call(doors.author, "GET", f"/v1/recalls/{number}")).json()
    if (case["state"], case["version"]) != ("published", answer["version"]):
        asked.differs("api", "state", f"published {answer['version']}", f"{case['state']} {case['version']}")
    items = int(right[figures.ALL][()][0])
    if {line["items"], answer["items"]} != {items}:
        asked.differs("api", "items", items, (line["items"], answer["items"]))
