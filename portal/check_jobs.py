"""Files of partners, from their arrival to their end: previewed, checked in a process of their own, kept for a while.

A file lies in the data directory, in a folder whose name nobody can guess: who has it may see the file. Nothing of it
goes into the database but the receipt.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol

from portal import check_tables, states_on_disk
from portal.check_tables import FILE_BYTES_MAX, Columns, FileTooLarge
from portal.check_work import Order
from portal.receipts import Asked, Receipts, pdf
from runtime import logs
from runtime.clock import Clock
from runtime.database import DatabaseAddress
from runtime.refusals import Conflict, Invalid, NotFound, TooMany

AT_ONCE: Final = 1
"""Files that one portal process has checked, at a time."""
SHORT_AT_ONCE: Final = 1
"""First rows and photos that it has read at a time, beside: who sends a photo does not wait for a million rows."""
WAITING_MAX: Final = 20
PHOTOS_WAITING_MAX: Final = 20
KEPT_HOURS: Final = 24
"""So long a file and its answer are kept after the last news of it."""
FILES_MAX: Final = 500
"""Files kept at a time, over all workers of a machine."""
PREVIEW_WITHIN_S: Final = 60.0
RUN_WITHIN_S: Final = 1_800.0
QUIET_S: Final = 120.0
"""A check that tells nothing for so long has lost its process."""
WAITING_QUIET_S: Final = 3_600.0
LOOK_EVERY_S: Final = 0.05
SWEEP_EVERY_S: Final = 300.0
_CHUNK_BYTES: Final = 256 * 1024
_NAME = re.compile(r"[A-Za-z0-9_-]{22}")
ENDED: Final = ("done", "refused", "cancelled", "failed")

_log = logs.logger("portal")


class NoSuchFile(NotFound):
    """There is no such file. Files are deleted a day after they came. Send it again."""


class TooManyFiles(TooMany):
    """Too many files are being checked just now. Nothing was kept of yours. Try again in some minutes."""


class TooManyPhotos(TooMany):
    """Too many photos are being read just now. Try again in a minute, or type the code."""


class PhotoTooSlow(Invalid):
    """The photo took too long to read. Take another one."""


class FileNotReady(Conflict):
    """This file is {stage}; only one that was read and not checked yet can be started."""


class Upload(Protocol):
    """A file as it comes in."""

    filename: str | None

    async def read(self, size: int = -1) -> bytes:
        """The next bytes."""


class CheckJobs:
    """The files of one portal process, in a folder that all processes of the machine share."""

    def __init__(
        self,
        data_dir: Path,
        address: DatabaseAddress,
        secret: str,
        receipts: Receipts,
        *,
        clock: Clock,
        languages_dir: Path | None = None,
    ) -> None:
        self._languages = str(languages_dir.absolute()) if languages_dir is not None else ""
        self._folder = data_dir / "checks"
        self._address = address
        self._secret = secret
        self._receipts = receipts
        self._clock = clock
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._short = asyncio.Semaphore(SHORT_AT_ONCE)
        self._photos = 0
        self._drawing = asyncio.Semaphore(1)
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def take(self, upload: Upload, language: str) -> str:
        """Keep a file and begin to read it; its name. Refused: a file too large, too many files. Nothing stays then.

        What is wrong with it is told in ``language``.
        """
        if len(self._tasks) >= WAITING_MAX or self._kept() >= FILES_MAX:
            raise TooManyFiles()
        name = secrets.token_urlsafe(16)
        folder = self._folder / name
        folder.mkdir(parents=True, mode=0o700)
        try:
            await self._write(upload, folder / "input")
        except FileTooLarge:
            shutil.rmtree(folder)
            raise
        states_on_disk.change(folder, stage="waiting", name=(upload.filename or "")[:200], rows=0)
        self._begin(name, self._preview(name, language))
        return name

    def start(self, name: str, chosen: Mapping[str, Any], language: str) -> None:
        """Check a file that was read, with these columns; remarks are written in ``language``.

        Refused: columns that are not there, a file not ready.
        """
        state = self.state(name)
        if state["stage"] != "ready":
            raise FileNotReady(stage=state["stage"])
        columns = Columns.of(chosen, state["preview"]["columns"])
        if len(self._tasks) >= WAITING_MAX:
            raise TooManyFiles()
        states_on_disk.change(self._folder / name, stage="waiting", columns=columns.plain())
        self._begin(name, self._check(name, columns, language))

    def cancel(self, name: str) -> None:
        """End the work at a file and delete it with all that was made of it. A second time it is unknown."""
        folder = self._folder_of(name)
        (folder / "cancel").touch()  # for the worker that has the process, which may be another one
        states_on_disk.change(folder, stage="cancelled")
        if name not in self._tasks:
            _empty(folder)

    def state(self, name: str) -> dict[str, Any]:
        """What is known of a file. Raises ``NoSuchFile``."""
        state = states_on_disk.read(self._folder_of(name))
        if state is None:
            raise NoSuchFile()
        quiet_s = WAITING_QUIET_S if state["stage"] == "waiting" else QUIET_S
        if state["stage"] not in (*ENDED, "ready") and time.time() - state["told_at_s"] > quiet_s:
            return {**state, "stage": "failed"}
        return state

    def result(self, name: str) -> Path:
        """The file with its statuses. Raises ``NoSuchFile`` as long as there is none."""
        state = self.state(name)
        path = self._folder_of(name) / str(state.get("result", ""))
        if state["stage"] != "done" or not path.is_file():
            raise NoSuchFile()
        return path

    async def codes_of_photo(self, upload: Upload, bytes_max: int, language: str) -> dict[str, Any]:
        """``{"codes": […]}``, or ``{"problem": …}``; nothing of the photo is kept. Refused: too many that wait."""
        if self._photos >= PHOTOS_WAITING_MAX:
            raise TooManyPhotos()
        self._photos += 1
        folder = self._folder / secrets.token_urlsafe(16)
        try:
            folder.mkdir(parents=True, mode=0o700)
            (folder / "input").write_bytes(await upload.read(bytes_max + 1))
            async with self._short:
                await self._run(folder, self._order("photo", folder, language), PREVIEW_WITHIN_S)
            found = states_on_disk.read(folder)
            if found is None:
                raise PhotoTooSlow
            return found
        finally:
            self._photos -= 1
            shutil.rmtree(folder, ignore_errors=True)

    async def pdf(self, html: str) -> bytes:
        """A page as PDF, one at a time, beside the loop."""
        async with self._drawing:
            return await asyncio.to_thread(pdf, html)

    async def run(self) -> None:
        """Delete what is old, until cancelled."""
        while True:
            await asyncio.to_thread(self.forget_old)
            await asyncio.sleep(SWEEP_EVERY_S)

    def forget_old(self) -> None:
        """Delete files of which nothing was told for ``KEPT_HOURS``."""
        for folder in self._folder.iterdir() if self._folder.is_dir() else ():
            state = states_on_disk.read(folder) or {"told_at_s": folder.stat().st_mtime}
            if time.time() - state["told_at_s"] > KEPT_HOURS * 3600:
                shutil.rmtree(folder, ignore_errors=True)

    async def close(self) -> None:
        """End all work; files being checked are told as failed."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _kept(self) -> int:
        return sum(1 for _ in self._folder.iterdir()) if self._folder.is_dir() else 0

    def _folder_of(self, name: str) -> Path:
        if not _NAME.fullmatch(name) or not (self._folder / name).is_dir():
            raise NoSuchFile()
        return self._folder / name

    def _begin(self, name: str, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks[name] = task
        task.add_done_callback(lambda done: self._tasks.pop(name) if self._tasks.get(name) is done else None)

    async def _write(self, upload: Upload, path: Path) -> None:
        size = 0
        with path.open("wb") as file:
            while chunk := await upload.read(_CHUNK_BYTES):
                size += len(chunk)
                if size > FILE_BYTES_MAX:
                    raise FileTooLarge(most=FILE_BYTES_MAX, what="bytes")
                await asyncio.to_thread(file.write, chunk)

    def _order(self, what: str, folder: Path, language: str) -> Order:
        return Order(what, str(folder), language=language, languages_dir=self._languages)

    async def _preview(self, name: str, language: str) -> None:
        await self._work(name, self._order("preview", self._folder / name, language), PREVIEW_WITHIN_S)

    async def _check(self, name: str, columns: Columns, language: str) -> None:
        folder = self._folder / name
        order = replace(
            self._order("check", folder, language),
            columns=columns.plain(),
            address=asdict(self._address),
            secret=self._secret,
        )
        await self._work(name, order, RUN_WITHIN_S)
        state = states_on_disk.read(folder) or {}
        if state.get("stage") != "signing":
            return
        asked = Asked(
            rows=state["rows"],
            counts=state["counts"],
            input_sha256=state["input_sha256"],
            result_sha256=state["result_sha256"],
            revision=state["revision"],
            confirmed_at=datetime.fromisoformat(state["confirmed_at"]),
            file_name=state["name"],
        )
        receipt = await self._receipts.make(asked, self._clock())
        states_on_disk.change(folder, stage="done", receipt=receipt["receipt"]["id"] if receipt else None)

    async def _work(self, name: str, order: Order, within_s: float) -> None:
        """Run the process of a file; whatever way it ends, the state says which."""
        folder = self._folder / name
        slots, stage = (self._short, "reading") if order.what == "preview" else (self._slots, "running")
        try:
            async with slots:
                if not (folder / "cancel").exists():
                    states_on_disk.change(folder, stage=stage)
                await self._run(folder, order, within_s)
        finally:
            state = states_on_disk.read(folder)
            if state is not None and (folder / "cancel").exists():
                states_on_disk.change(folder, stage="cancelled")
                _empty(folder)
            elif state is not None and state["stage"] in ("waiting", stage) and not _goes_on(order, state):
                states_on_disk.change(folder, stage="failed")
                _empty(folder)

    async def _run(self, folder: Path, order: Order, within_s: float) -> None:
        process = await asyncio.to_thread(_started, [sys.executable, "-m", "portal.check_work"])
        assert process.stdin is not None
        try:
            process.stdin.write(order.line())
            process.stdin.flush()
            async with asyncio.timeout(within_s):
                while process.poll() is None and not (folder / "cancel").exists():  # noqa: ASYNC110 - another process
                    await asyncio.sleep(LOOK_EVERY_S)
        except TimeoutError:
            _log.warning("a file took too long to check", what=order.what, seconds=within_s)
        except BrokenPipeError:
            _log.warning("the process of a file ended at once", what=order.what)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            process.stdin.close()


def _goes_on(order: Order, state: Mapping[str, Any]) -> bool:
    """The first rows were told, and the file started, before the process that read them was seen to have ended."""
    return order.what == "preview" and "preview" in state


def _started(command: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, stdin=subprocess.PIPE)  # noqa: S603 - our own module


def _empty(folder: Path) -> None:
    """What nobody will ask for any more is not kept until its time."""
    for path in folder.iterdir():
        if path.name not in (states_on_disk.FILE, "cancel"):
            path.unlink(missing_ok=True)


def chosen_columns(form: Mapping[str, str]) -> dict[str, Any]:
    """The columns chosen in a form, where they are counted from 1 and 0 is none."""
    chosen: dict[str, Any] = {"has_header": form.get("has_header") == "yes"}
    for role in check_tables.ROLES:
        text = form.get(role, "")
        chosen[role] = int(text) - 1 if text.isdecimal() and int(text[:4]) > 0 else None
    return chosen
