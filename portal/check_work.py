"""``python -m portal.check_work``: one process for one file or photo of a stranger, with a limit of memory.

What to do comes as one line of JSON on standard input; the process ends when that is closed, for then whoever started
it is gone. What it finds goes into the folder of the file.
"""

from __future__ import annotations

import asyncio
import os
import resource
import sys
import threading
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import orjson

from portal import camera, check_files, check_tables, form_wording, states_on_disk
from portal.check_tables import Columns
from portal.checks import Checker
from portal.language import ORIGINAL, Tongue, load_tongues
from portal.live import PATIENCE_OF_A_FILE, Live
from portal.refresh import read_once
from runtime.clock import rfc3339, system_clock
from runtime.database import DatabaseAddress
from runtime.refusals import Refusal

MEMORY_BYTES_MAX: Final = 3 * 1024**3
"""Of address space; what is really used stays far below."""
UNITS_MAX: Final = 20_000
"""Cases and pallets of one file that are looked into."""
STATEMENT_MS: Final = 30_000
TELL_EVERY_ROWS: Final = 5_000


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done with the file in ``folder``: ``preview``, ``check`` or ``photo``."""

    what: str
    folder: str
    columns: dict[str, Any] | None = None
    address: dict[str, Any] | None = None
    secret: str = ""
    language: str = ORIGINAL
    languages_dir: str = ""

    def line(self) -> bytes:
        """As it goes to the process."""
        return orjson.dumps(asdict(self)) + b"\n"


def main() -> None:
    """Do what the first line of standard input says."""
    order = Order(**orjson.loads(sys.stdin.buffer.readline()))
    threading.Thread(target=_end_with_input, daemon=True).start()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    folder = Path(order.folder)
    tongue = load_tongues(more=Path(order.languages_dir) if order.languages_dir else None)[order.language]
    try:
        if order.what == "photo":
            found: dict[str, Any] = {"codes": camera.codes_of_photo((folder / "input").read_bytes())}
        elif order.what == "preview":
            preview = check_tables.preview(folder / "input")
            found = {"stage": "ready", "preview": preview.plain()}
        else:
            found = asyncio.run(_check(order, folder, tongue))
    except Refusal as refusal:
        found = {"stage": "refused", "problem": form_wording.problem(refusal, tongue)}
    except MemoryError:
        problem = tongue.gettext("The file needs more memory than one file may have. Split the file.")
        found = {"stage": "refused", "problem": problem}
    states_on_disk.change(folder, **found)


async def _check(order: Order, folder: Path, tongue: Tongue) -> dict[str, Any]:
    assert order.address is not None
    assert order.columns is not None
    address = DatabaseAddress(**order.address)
    snapshot, confirmation = await read_once(address, order.secret, clock=system_clock)
    live = Live(replace(address, portal_statement_timeout_ms=STATEMENT_MS), patience=PATIENCE_OF_A_FILE)
    checker = Checker(snapshot, confirmation, system_clock().date(), live, units_max=UNITS_MAX)
    confirmed_at = rfc3339(confirmation.at) if confirmation.at is not None else ""

    def tell(rows: int) -> None:
        if rows % TELL_EVERY_ROWS == 0:
            states_on_disk.change(folder, rows=rows)

    source = folder / "input"
    target = folder / f"result{check_files.suffix(source)}"
    try:
        done = await check_files.check_file(
            source, target, Columns(**order.columns), checker, confirmed_at=confirmed_at, tell=tell, tongue=tongue
        )
    finally:
        await live.close()
    return {
        "stage": "signing",
        "rows": done.rows,
        "counts": dict(done.counts),
        "shown": [row.document(tongue) for row in done.shown],
        "input_sha256": done.input_sha256,
        "result_sha256": done.result_sha256,
        "result": target.name,
        "revision": snapshot.revision,
        "confirmed_at": confirmed_at,
    }


def _end_with_input() -> None:
    while os.read(sys.stdin.fileno(), 1024):  # not through the buffer, whose lock the end of the process waits for
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
