"""Gathering what the archive of a case has: the record as JSON, the lists in every format, the documents, the trail."""

from __future__ import annotations

import asyncio
import dataclasses
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from access import audit
from recall import archive, documents, print_documents, rules, rules_store, store
from recall import board as boards
from recall.print_documents import Asked, as_json
from recall.rules_refusals import NoProfile, TooManyLetters
from recall.scope import as_json as scope_as_json
from runtime.clock import Clock
from runtime.database import transaction

TRAIL_MAX: Final = 100_000
"""Most audit rows, and most answers, in one archive."""
PRINTED: Final = (
    ("notice", "en"),
    ("notice", "zh"),
    ("poster", "en"),
    ("poster", "zh"),
    ("fda-status", "en"),
    ("samr-plan", "zh"),
)


async def write_archive(
    conn: AsyncConnection, number: str, out: Path, asked: Asked, *, by: str, clock: Clock
) -> tuple[Path, archive.Checked]:
    """Write the archive of a case with all its versions, check it, and note in the audit trail that it was made."""
    files = await _files(conn, number, asked)
    case = await store.find_case(conn, number)
    await asyncio.to_thread(
        archive.write, out, files, number=number, version=case.version, master_secret=asked.master_secret
    )
    checked = await asyncio.to_thread(archive.verify, out)
    await conn.rollback()
    async with transaction(conn):
        told = {"version": case.version, "files": checked.files, "key": checked.key}
        await audit.note(conn, by, "recall.archive", number, told, clock)
    return out, checked


async def _files(conn: AsyncConnection, number: str, asked: Asked) -> Mapping[str, bytes]:
    case = await store.find_case(conn, number)
    trail = await rules_store.trail(conn, case.case_id, number, limit=TRAIL_MAX)
    for rows in trail.values():
        if len(rows) > TRAIL_MAX:
            raise TooManyLetters(letters=len(rows), letters_max=TRAIL_MAX)
    record = {**dataclasses.asdict(dataclasses.replace(case, scope=None)), "scope": scope_as_json(case.scope)}  # type: ignore[arg-type]
    files = {"case.json": as_json(record)}
    files |= {f"{name}.json": as_json(rows) for name, rows in trail.items()}
    files |= await _rules(conn, number, asked.clock)
    for version in range(1, case.version + 1):
        files |= await _lists(conn, number, version)
    if case.version:
        found = await boards.board(conn, number, clock=asked.clock)
        files["board.json"] = as_json(dataclasses.asdict(found))
        for kind, language in PRINTED:
            made = await print_documents.make(conn, number, kind, dataclasses.replace(asked, language=language))
            files |= {f"documents/{name}": content for name, content in made.items()}
    return files


async def _rules(conn: AsyncConnection, number: str, clock: Clock) -> dict[str, bytes]:
    try:
        found = await rules.read_rules(conn, number, clock=clock)
    except NoProfile:
        return {}
    told: dict[str, Any] = {
        "profile": found.profile.content,
        "clocks": [dataclasses.asdict(each) for each in found.clocks],
        "facts": [dataclasses.asdict(each) for each in found.facts],
        "overrides": [dataclasses.asdict(each) for each in found.overrides],
    }
    return {"rules.json": as_json(told)}


async def _lists(conn: AsyncConnection, number: str, version: int) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory(prefix="tracemark-archive-") as folder:
        formats = [name for name in documents.WRITERS if name != "pdf"]
        listed = await store.notice_lines(conn, number, version)
        if len(listed.rows) <= documents.pdf.LINES_MAX:  # a longer list is for a spreadsheet, and is there as one
            formats.append("pdf")
        paths = await documents.write_notices(conn, number, formats, Path(folder), version=version)
        return {f"notices/{path.name}": path.read_bytes() for path in paths}
