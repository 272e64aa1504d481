"""Large documents over HTTP: put aside as a file, answered with the address of their job, and captured by a worker."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import capture_file_store as files
from ledger import event_store
from ledger.capture_file import capture_file
from ledger.codes import KeyRing
from ledger.model import CaptureReport
from ledger.refusals import CaptureFileGone, CaptureNotFinished
from ledger.taking import Asked, Behaviour, carried_out
from runtime import jobs
from runtime.clock import Clock
from runtime.database import transaction
from runtime.jobs import WorkPlace
from runtime.refusals import Refusal

KIND: Final = "ledger.capture"
FOLDER: Final = "captures"
"""Of the data directory: where documents wait. Workers on other machines need the same folder."""
ATTEMPTS_MAX: Final = 3
"""How often a worker begins a capture before it is given up."""
FILE_KEPT: Final = timedelta(days=1)
"""A file that no capture needs was left by a request or a worker that was cut off; after this it is deleted."""


async def put_aside(conn: AsyncConnection, file: Path, *, by: str, clock: Clock, behaviour: Behaviour) -> UUID:
    """Ask a worker to capture a document that stands in ``FOLDER``, which it will delete; returns the capture's id."""
    capture_id = uuid4()
    async with transaction(conn):
        await event_store.begin_capture(conn, capture_id, at=clock(), behaviour=behaviour, by=by)
        await files.add(conn, capture_id, file.name)
        await jobs.enqueue(conn, KIND, {"capture_id": str(capture_id)})
    return capture_id


async def take_in(place: WorkPlace, payload: Mapping[str, Any]) -> None:
    """The job: capture one document. A refusal is the capture's outcome, and no reason to try again."""
    capture_id, folder = UUID(payload["capture_id"]), place.settings.data_dir / FOLDER
    async with place.engine.connect() as conn:
        async with transaction(conn):
            waiting = await files.begin_attempt(conn, capture_id)
        if waiting is not None:
            keys = await KeyRing.load(conn, place.master_secret)
            behaviour: Behaviour = "proceed" if waiting.behaviour == "proceed" else "rollback"
            asked = Asked(capture_id, waiting.by, place.clock, keys, behaviour)
            with suppress(Refusal):  # it is on record with the capture, where whoever sent the document looks
                await _capture(conn, folder / waiting.file, asked, waiting.attempt)
        async with transaction(conn):
            file = await files.forget(conn, capture_id)
    if file is not None:
        (folder / file).unlink(missing_ok=True)


async def forget_old_files(place: WorkPlace) -> None:
    """Delete what requests and workers that were cut off left behind."""
    folder = place.settings.data_dir / FOLDER
    if not folder.is_dir():
        return
    before = (place.clock() - FILE_KEPT).timestamp()
    old = [file for file in folder.iterdir() if file.stat().st_mtime < before]
    async with place.engine.connect() as conn:
        needed = await files.waiting_among(conn, [file.name for file in old])
    for file in old:
        if file.name not in needed:
            file.unlink(missing_ok=True)


async def _capture(conn: AsyncConnection, path: Path, asked: Asked, attempt: int) -> CaptureReport:
    async def refused() -> CaptureReport:
        if attempt > ATTEMPTS_MAX:
            raise CaptureNotFinished(attempts=ATTEMPTS_MAX)
        raise CaptureFileGone

    if attempt > ATTEMPTS_MAX or not path.is_file():
        return await carried_out(conn, asked, refused)
    return await capture_file(conn, path, "the body", asked)
